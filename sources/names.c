#include "sources/names.h"

enum { FIRST_CAPACITY = 16 };

/* FNV-1a */
static size_t hash_name(struct str name)
{
    uint64_t hash = 14695981039346656037ULL;
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.ptr[i]) * 1099511628211ULL;
    return (size_t)(hash ^ hash >> 32);
}

/* The slot of `name`, or the free one where it belongs. At least one slot is free. */
static struct name_slot *find_slot(const struct names *names, struct str name)
{
    size_t index = hash_name(name) & (names->capacity - 1);
    while (names->slots[index].value && !str_equal(names->slots[index].name, name))
        index = (index + 1) & (names->capacity - 1);
    return &names->slots[index];
}

static result grow(struct names *names, struct err *err)
{
    struct names bigger = *names;
    bigger.capacity = names->capacity ? names->capacity * 2 : FIRST_CAPACITY;
    GUARD(arena_take_array(names->arena, bigger.capacity, sizeof *bigger.slots, &bigger.slots, err));
    for (size_t i = 0; i < names->capacity; i++)
        if (names->slots[i].value)
            *find_slot(&bigger, names->slots[i].name) = names->slots[i];
    *names = bigger;
    return DONE;
}

void *names_get(const struct names *names, struct str name)
{
    return names->capacity ? find_slot(names, name)->value : NULL;
}

result names_put(struct names *names, struct str name, void *value, struct err *err)
{
    if (names->count * 2 >= names->capacity)
        GUARD(grow(names, err));
    struct name_slot *slot = find_slot(names, name);
    names->count += slot->value == NULL;
    *slot = (struct name_slot){ name, value };
    return DONE;
}

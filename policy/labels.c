#include "policy/labels.h"

enum { KEY_NAME_MAX = 63, KEY_PREFIX_MAX = 253, VALUE_MAX = 63 };

const struct str *labels_get(const struct str_map *labels, struct str key)
{
    size_t low = 0, high = labels->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_compare(labels->items[middle].key, key);
        if (order == 0)
            return &labels->items[middle].value;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

result labels_copy(struct arena *arena, const struct str_map *labels, struct str_map *out, struct err *err)
{
    struct str_map copy = { .count = labels->count, .present = labels->present };
    GUARD(arena_take_array(arena, labels->count, sizeof *copy.items, &copy.items, err));
    for (size_t i = 0; i < labels->count; i++) {
        GUARD(arena_copy(arena, labels->items[i].key, &copy.items[i].key, err));
        GUARD(arena_copy(arena, labels->items[i].value, &copy.items[i].value, err));
    }
    *out = copy;
    return DONE;
}

static bool is_lower_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
    return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

/* A name: letters, digits, and between them also - _ . */
static bool name_valid(struct str name, size_t max)
{
    if (name.len == 0 || name.len > max || !is_alnum(name.ptr[0]) || !is_alnum(name.ptr[name.len - 1]))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!is_alnum(name.ptr[i]) && !memchr("-_.", name.ptr[i], 3))
            return false;
    return true;
}

/* RFC 1123 subdomain: dot-separated labels of lower-case letters, digits and inner hyphens. */
static bool subdomain_valid(struct str name)
{
    if (name.len == 0 || name.len > KEY_PREFIX_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        bool edge = i == 0 || name.ptr[i - 1] == '.' || i + 1 == name.len || name.ptr[i + 1] == '.';
        if (!is_lower_alnum(name.ptr[i]) && (edge || (name.ptr[i] != '-' && name.ptr[i] != '.')))
            return false;
    }
    return true;
}

bool label_key_valid(struct str key)
{
    const char *slash = key.len ? memchr(key.ptr, '/', key.len) : NULL;
    if (!slash)
        return name_valid(key, KEY_NAME_MAX);
    struct str prefix = { key.ptr, (size_t)(slash - key.ptr) };
    struct str name = { slash + 1, key.len - prefix.len - 1 };
    return subdomain_valid(prefix) && name_valid(name, KEY_NAME_MAX);
}

bool label_value_valid(struct str value)
{
    return value.len == 0 || name_valid(value, VALUE_MAX);
}

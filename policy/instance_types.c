#include "policy/instance_types.h"

#include <stdlib.h>

enum column { COLUMN_NAME, COLUMN_TRUNKING, COLUMN_BRANCHES, COLUMN_COUNT };

/* The text up to `separator` or the end; `*rest` moves behind it. */
static struct str take_until(struct str *rest, char separator)
{
    const char *found = rest->len ? memchr(rest->ptr, separator, rest->len) : NULL;
    struct str taken = { rest->ptr, found ? (size_t)(found - rest->ptr) : rest->len };
    size_t passed = taken.len + (found ? 1 : 0);
    *rest = (struct str){ rest->ptr + passed, rest->len - passed };
    return taken;
}

static result read_number(struct str text, unsigned *out, struct err *err)
{
    unsigned value = 0;
    ENSURE(text.len >= 1 && text.len <= 4, err, ERR_INPUT, "branch_interfaces: '%.*s' is no number from 0 to 9999",
           STR_ARGS(text));
    for (size_t i = 0; i < text.len; i++) {
        ENSURE(text.ptr[i] >= '0' && text.ptr[i] <= '9', err, ERR_INPUT,
               "branch_interfaces: '%.*s' is no number from 0 to 9999", STR_ARGS(text));
        value = value * 10 + (unsigned)(text.ptr[i] - '0');
    }
    *out = value;
    return DONE;
}

static result read_row(struct str line, struct arena *arena, struct instance_type *out, struct err *err)
{
    struct str columns[COLUMN_COUNT];
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        columns[i] = take_until(&line, '\t');
    ENSURE(columns[COLUMN_NAME].len > 0, err, ERR_INPUT, "instance_type: missing");
    out->trunking = str_is(columns[COLUMN_TRUNKING], "true");
    ENSURE(out->trunking || str_is(columns[COLUMN_TRUNKING], "false"), err, ERR_INPUT,
           "trunking_compatible: '%.*s' is neither true nor false", STR_ARGS(columns[COLUMN_TRUNKING]));
    GUARD(read_number(columns[COLUMN_BRANCHES], &out->branch_interfaces, err));
    return arena_copy(arena, columns[COLUMN_NAME], &out->name, err);
}

static int name_order(const void *a, const void *b)
{
    return str_compare(((const struct instance_type *)a)->name, ((const struct instance_type *)b)->name);
}

static size_t count_lines(struct str text)
{
    size_t lines = 1;
    for (size_t i = 0; i < text.len; i++)
        lines += text.ptr[i] == '\n';
    return lines;
}

static result sort_types(struct instance_type *items, size_t count, struct err *err)
{
    qsort(items, count, sizeof *items, name_order);
    for (size_t i = 1; i < count; i++)
        ENSURE(!str_equal(items[i - 1].name, items[i].name), err, ERR_INPUT, "1: instance type %.*s occurs twice",
               STR_ARGS(items[i].name));
    return DONE;
}

static struct str without_return(struct str line)
{
    return str_ends_with(line, STR("\r")) ? (struct str){ line.ptr, line.len - 1 } : line;
}

result instance_types_parse(struct str text, struct arena *arena, struct instance_types *out, struct err *err)
{
    struct instance_type *items = NULL;
    size_t count = 0;
    GUARD(arena_take_array(arena, count_lines(text), sizeof *items, &items, err));
    for (size_t line_number = 1; text.len > 0; line_number++) {
        struct str line = without_return(take_until(&text, '\n'));
        bool heading = str_starts_with(line, STR("instance_type\t"));
        ENSURE(line_number > 1 || heading, err, ERR_INPUT,
               "1: the heading 'instance_type\\ttrunking_compatible\\tbranch_interfaces' is missing");
        if (heading || line.len == 0 || line.ptr[0] == '#')
            continue;
        if (!read_row(line, arena, &items[count++], err).ok)
            return err_prefix(err, "%zu: ", line_number);
    }
    ENSURE(count > 0, err, ERR_INPUT, "1: no instance type in the table");
    GUARD(sort_types(items, count, err));
    *out = (struct instance_types){ items, count };
    return DONE;
}

/* R28 (EKS guide, "Amazon EC2 supported instances and branch network interfaces"): by today's numbers. */
const struct instance_type *instance_types_find(const struct instance_types *types, struct str name)
{
    struct instance_type key = { .name = name };
    return types->count ? bsearch(&key, types->items, types->count, sizeof key, name_order) : NULL;
}

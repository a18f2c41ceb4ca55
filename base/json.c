#include "base/json.h"

#include "base/json_scan.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* Where the reader stands, for messages; lives on the stack beside the value it belongs to. */
struct crumb {
    const struct crumb *parent;
    struct str name; /* absent: an index */
    size_t index;
    bool key; /* of a map: shown in brackets */
};

struct reader {
    struct json_scan scan;
    struct json_input *input;
    const struct crumb *here;
    unsigned aside; /* within a field whose mismatches are kept aside: its mark; else 0 */
    bool mismatch;  /* what ends the reading is a mismatch, whose place is known */
};

static const char *const type_names[] = {
    [JSON_NULL] = "null",       [JSON_FALSE] = "a boolean", [JSON_TRUE] = "a boolean",   [JSON_NUMBER] = "a number",
    [JSON_STRING] = "a string", [JSON_ARRAY] = "a list",    [JSON_OBJECT] = "an object",
};

static size_t crumbs_print(const struct crumb *crumb, char *out, size_t size)
{
    if (!crumb)
        return 0;
    size_t len = crumbs_print(crumb->parent, out, size);
    int more = crumb->key        ? snprintf(out + len, size - len, "[%.*s]", STR_ARGS(crumb->name))
               : crumb->name.ptr ? snprintf(out + len, size - len, "%s%.*s", len ? "." : "", STR_ARGS(crumb->name))
                                 : snprintf(out + len, size - len, "[%zu]", crumb->index);
    len += more > 0 ? (size_t)more : 0;
    return len < size ? len : size - 1;
}

/* A value of the wrong type, at `at`: ends the reading, or is kept aside so that it goes on. */
static result mismatch(struct reader *reader, const char *at, struct err *err, const char *what)
{
    char path[160] = "";
    struct err *target = reader->aside ? &reader->input->aside[reader->aside - 1] : err;
    if (reader->aside && target->kind)
        return DONE;
    (void)crumbs_print(reader->here, path, sizeof path);
    reader->input->error_offset = (size_t)(at - reader->scan.start);
    reader->mismatch = !reader->aside;
    struct outcome failed = err_set(target, ERR_INPUT, "%s%s%s", path, path[0] ? ": " : "", what);
    return reader->aside ? DONE : failed;
}

static result wrong_type(struct reader *reader, enum json_type is, const char *belongs, struct err *err)
{
    char what[80];
    const char *at = reader->scan.at;
    GUARD(json_scan_skip(&reader->scan, err));
    (void)snprintf(what, sizeof what, "%s where %s belongs", type_names[is], belongs);
    return mismatch(reader, at, err, what);
}

/* Room for one more element, zeroed; doubling, so that a list costs at most twice its size. */
static result list_grow(struct arena *arena, struct list *list, size_t size, struct err *err)
{
    void *bigger = NULL;
    bool full = (list->count & (list->count - 1)) == 0; /* capacities are powers of two */
    if (!full)
        return DONE;
    GUARD(arena_take_array(arena, list->count ? list->count * 2 : 1, size, &bigger, err));
    if (list->count)
        memcpy(bigger, list->items, list->count * size);
    list->items = bigger;
    return DONE;
}

static result read_struct(struct reader *reader, const struct shape *shape, void *out, struct err *err);
static result read_field(struct reader *reader, const struct field *field, void *out, struct err *err);

typedef result (*read_element)(struct reader *reader, const struct shape *shape, void *out, struct err *err);

static result read_list(struct reader *reader, const struct shape *shape, size_t size, read_element read, void *out,
                        struct err *err)
{
    struct list list = { 0 };
    struct crumb crumb = { .parent = reader->here };
    bool more = false;
    json_scan_enter(&reader->scan);
    for (;; list.count++, crumb.index++) {
        GUARD(json_scan_more(&reader->scan, ']', list.count == 0, &more, err));
        if (!more)
            break;
        GUARD(list_grow(reader->scan.arena, &list, size, err));
        reader->here = &crumb;
        GUARD(read(reader, shape, (char *)list.items + list.count * size, err));
        reader->here = crumb.parent;
    }
    memcpy(out, &list, sizeof list);
    return DONE;
}

static result read_string_element(struct reader *reader, const struct shape *shape, void *out, struct err *err)
{
    static const struct field element = { .type = FIELD_STRING };
    (void)shape;
    GUARD(read_field(reader, &element, out, err));
    struct str *string = out;
    if (!string->ptr) /* null in a list of strings is the empty string, as in Kubernetes */
        *string = STR("");
    return DONE;
}

static result read_struct_element(struct reader *reader, const struct shape *shape, void *out, struct err *err)
{
    struct field element = { .type = FIELD_OBJECT, .shape = shape };
    return read_field(reader, &element, out, err);
}

/* A string, or where quantities are read also a number, as its text. */
static result read_map_value(struct reader *reader, bool numbers, struct str *out, struct err *err)
{
    enum json_type type = JSON_NULL;
    *out = STR("");
    GUARD(json_scan_type(&reader->scan, &type, err));
    if (type == JSON_STRING)
        return json_scan_string(&reader->scan, out, err);
    if (type == JSON_NUMBER && numbers)
        return json_scan_number(&reader->scan, out, err);
    return type == JSON_NULL ? json_scan_word(&reader->scan, type, err) : wrong_type(reader, type, "a string", err);
}

static int pair_order(const void *a, const void *b)
{
    return str_compare(((const struct str_pair *)a)->key, ((const struct str_pair *)b)->key);
}

static bool pairs_sorted(const struct str_pair *pairs, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (str_compare(pairs[i - 1].key, pairs[i].key) >= 0)
            return false;
    return true;
}

/* Kubernetes writes maps sorted, so that there is rarely anything to sort. */
static result sort_pairs(struct reader *reader, struct list *pairs, const char *at, struct err *err)
{
    struct str_pair *items = pairs->items;
    if (pairs_sorted(items, pairs->count))
        return DONE;
    qsort(items, pairs->count, sizeof *items, pair_order);
    for (size_t i = 1; i < pairs->count; i++) {
        struct crumb crumb = { .parent = reader->here, .name = items[i].key, .key = true };
        if (!str_equal(items[i - 1].key, items[i].key))
            continue;
        reader->here = &crumb;
        struct outcome said = mismatch(reader, at, err, "occurs twice");
        reader->here = crumb.parent;
        return said;
    }
    return DONE;
}

static result read_map(struct reader *reader, bool numbers, void *out, struct err *err)
{
    struct list list = { 0 };
    struct crumb crumb = { .parent = reader->here, .key = true };
    const char *start = reader->scan.at;
    bool more = false;
    json_scan_enter(&reader->scan);
    for (;; list.count++) {
        GUARD(json_scan_more(&reader->scan, '}', list.count == 0, &more, err));
        if (!more)
            break;
        GUARD(list_grow(reader->scan.arena, &list, sizeof(struct str_pair), err));
        struct str_pair *pair = (struct str_pair *)list.items + list.count;
        GUARD(json_scan_key(&reader->scan, &pair->key, err));
        crumb.name = pair->key;
        reader->here = &crumb;
        GUARD(read_map_value(reader, numbers, &pair->value, err));
        reader->here = crumb.parent;
    }
    GUARD(sort_pairs(reader, &list, start, err));
    *(struct str_map *)out = (struct str_map){ list.items, list.count, true };
    return DONE;
}

static result read_pointer(struct reader *reader, const struct shape *shape, void *out, struct err *err)
{
    void *target = NULL;
    GUARD(arena_take(reader->scan.arena, shape->size, &target, err));
    memcpy(out, &target, sizeof target);
    return read_struct(reader, shape, target, err);
}

static result read_integer(struct reader *reader, struct integer *out, struct err *err)
{
    struct str text = { 0 };
    char copy[24] = "", *end = NULL;
    const char *at = reader->scan.at;
    GUARD(json_scan_number(&reader->scan, &text, err));
    if (text.len < sizeof copy)
        memcpy(copy, text.ptr, text.len);
    *out = (struct integer){ strtoll(copy, &end, 10), true };
    return end > copy && *end == '\0' ? DONE : mismatch(reader, at, err, "a fraction where an integer belongs");
}

static result read_raw(struct reader *reader, struct str *out, struct err *err)
{
    const char *start = reader->scan.at;
    GUARD(json_scan_skip(&reader->scan, err));
    *out = (struct str){ start, (size_t)(reader->scan.at - start) };
    return DONE;
}

static result read_bool(struct reader *reader, enum json_type type, bool *out, struct err *err)
{
    *out = type == JSON_TRUE;
    return json_scan_word(&reader->scan, type, err);
}

struct expectation {
    enum json_type type;
    const char *name;
};

static const struct expectation expected[] = {
    [FIELD_STRING] = { JSON_STRING, "a string" },    [FIELD_BOOL] = { JSON_TRUE, "true or false" },
    [FIELD_INTEGER] = { JSON_NUMBER, "an integer" }, [FIELD_STRINGS] = { JSON_ARRAY, "a list" },
    [FIELD_MAP] = { JSON_OBJECT, "an object" },      [FIELD_QUANTITIES] = { JSON_OBJECT, "an object" },
    [FIELD_OBJECT] = { JSON_OBJECT, "an object" },   [FIELD_POINTER] = { JSON_OBJECT, "an object" },
    [FIELD_LIST] = { JSON_ARRAY, "a list" },
};

/* The value has the type that the field expects, or is a boolean for FIELD_BOOL. */
static result read_expected(struct reader *reader, const struct field *field, enum json_type type, void *out,
                            struct err *err)
{
    switch (field->type) {
    case FIELD_STRING: return json_scan_string(&reader->scan, out, err);
    case FIELD_BOOL: return read_bool(reader, type, out, err);
    case FIELD_INTEGER: return read_integer(reader, out, err);
    case FIELD_STRINGS: return read_list(reader, NULL, sizeof(struct str), read_string_element, out, err);
    case FIELD_MAP: return read_map(reader, false, out, err);
    case FIELD_QUANTITIES: return read_map(reader, true, out, err);
    case FIELD_OBJECT: return read_struct(reader, field->shape, out, err);
    case FIELD_POINTER: return read_pointer(reader, field->shape, out, err);
    case FIELD_LIST: return read_list(reader, field->shape, field->shape->size, read_struct_element, out, err);
    case FIELD_RAW: return read_raw(reader, out, err);
    }
    return err_set(err, ERR_INTERNAL, "no such type of field");
}

static result read_field(struct reader *reader, const struct field *field, void *out, struct err *err)
{
    enum json_type type = JSON_NULL;
    GUARD(json_scan_type(&reader->scan, &type, err));
    if (type == JSON_NULL)
        return json_scan_word(&reader->scan, type, err);
    if (field->type != FIELD_RAW && type != expected[field->type].type &&
        !(field->type == FIELD_BOOL && type == JSON_FALSE))
        return wrong_type(reader, type, expected[field->type].name, err);
    return read_expected(reader, field, type, out, err);
}

static const struct field *field_find(const struct shape *shape, struct str name, size_t *index)
{
    for (size_t i = 0; i < shape->field_count; i++) {
        if (str_equal(shape->fields[i].name, name)) {
            *index = i;
            return &shape->fields[i];
        }
    }
    return NULL;
}

/* A second value for the same member: passed over, and a mismatch. */
static result refuse_twice(struct reader *reader, struct err *err)
{
    const char *at = reader->scan.at;
    GUARD(json_scan_skip(&reader->scan, err));
    return mismatch(reader, at, err, "occurs twice");
}

/* A member that the API does not have: a typing error, as a rule. */
static result refuse_unknown(struct reader *reader, const struct shape *shape, struct err *err)
{
    char what[160];
    const char *at = reader->scan.at;
    size_t len = (size_t)snprintf(what, sizeof what, "no such field; there are");
    for (size_t i = 0; i < shape->field_count && len < sizeof what; i++)
        len +=
            (size_t)snprintf(what + len, sizeof what - len, "%s %.*s", i ? "," : "", STR_ARGS(shape->fields[i].name));
    GUARD(json_scan_skip(&reader->scan, err));
    return mismatch(reader, at, err, what);
}

static result read_unnamed(struct reader *reader, const struct shape *shape, struct crumb *crumb, struct err *err)
{
    if (!reader->input->strict || !shape->closed)
        return json_scan_skip(&reader->scan, err);
    reader->here = crumb;
    GUARD(refuse_unknown(reader, shape, err));
    reader->here = crumb->parent;
    return DONE;
}

static result read_member(struct reader *reader, const struct shape *shape, uint64_t *seen, void *out, struct err *err)
{
    struct crumb crumb = { .parent = reader->here };
    size_t index = 0;
    unsigned aside = reader->aside;
    GUARD(json_scan_key(&reader->scan, &crumb.name, err));
    const struct field *field = field_find(shape, crumb.name, &index);
    if (!field)
        return read_unnamed(reader, shape, &crumb, err);
    bool twice = (*seen & 1ULL << index) != 0;
    *seen |= 1ULL << index;
    reader->here = &crumb;
    if (!aside && reader->input->aside)
        reader->aside = field->aside;
    GUARD(twice ? refuse_twice(reader, err) : read_field(reader, field, (char *)out + field->offset, err));
    reader->aside = aside;
    reader->here = crumb.parent;
    return DONE;
}

static result read_struct(struct reader *reader, const struct shape *shape, void *out, struct err *err)
{
    uint64_t seen = 0;
    bool more = false;
    assert(shape->field_count <= 64);
    json_scan_enter(&reader->scan);
    for (bool first = true;; first = false) {
        GUARD(json_scan_more(&reader->scan, '}', first, &more, err));
        if (!more)
            return DONE;
        GUARD(read_member(reader, shape, &seen, out, err));
    }
}

static result read_root(struct reader *reader, const struct shape *shape, void *out, struct err *err)
{
    enum json_type type = JSON_NULL;
    GUARD(json_scan_type(&reader->scan, &type, err));
    if (type != JSON_OBJECT)
        return wrong_type(reader, type, "an object", err);
    GUARD(read_struct(reader, shape, out, err));
    return json_scan_end(&reader->scan, err);
}

result json_read(struct json_input *input, const struct shape *shape, void *out, struct err *err)
{
    struct reader reader = { .scan = json_scan_of(input->text, input->arena), .input = input };
    input->error_offset = 0;
    struct outcome read = read_root(&reader, shape, out, err);
    if (!read.ok && !reader.mismatch)
        input->error_offset = (size_t)(reader.scan.at - reader.scan.start);
    return read;
}

void json_position(struct str text, size_t offset, size_t *line, size_t *column)
{
    *line = 1;
    *column = 1;
    for (size_t i = 0; i < offset && i < text.len; i++) {
        bool inside = ((unsigned char)text.ptr[i] & 0xC0) == 0x80; /* of a character that is counted already */
        *column = text.ptr[i] == '\n' ? 1 : *column + !inside;
        *line += text.ptr[i] == '\n';
    }
}

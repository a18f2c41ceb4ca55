#include "sources/yaml.h"

#include "base/buf.h"
#include "sources/yaml_scalar.h"
#include "sources/yaml_tree.h"

#include <stdlib.h>

/* Text without aliases grows less than eightfold; what grows more is aliases of aliases. */
enum { EXPANSION_FACTOR = 8, EXPANSION_MIN_BYTES = 16 * 1024 * 1024 };

struct member {
    struct str key;
    const struct yaml_node *key_node;
    const struct yaml_node *value; /* NULL: a later one took its place */
    size_t order;
    bool merged; /* came by a merge key */
};

/* The members of the mappings being written, innermost last. */
struct members {
    struct member *items;
    size_t count;
    size_t capacity;
};

struct writer {
    struct arena *arena;
    struct arena *scratch; /* for one document */
    struct buf text;
    struct yaml_json *json;
    size_t mark_capacity;
    struct members members;
    size_t merged_bytes; /* taken by merge keys so far, which may leave no text */
    size_t limit_bytes;
    unsigned depth;
};

static result at_node(const struct yaml_node *node, struct err *err)
{
    return err->kind == ERR_INPUT ? err_prefix(err, "%u:%u: ", node->line, node->column) : FAILED;
}

static result add_mark(struct writer *writer, const struct yaml_node *node, struct err *err)
{
    struct yaml_json *json = writer->json;
    if (json->mark_count == writer->mark_capacity) {
        struct yaml_mark *bigger = NULL;
        size_t capacity = writer->mark_capacity ? writer->mark_capacity * 2 : 64;
        GUARD(arena_take_array(writer->arena, capacity, sizeof *bigger, &bigger, err));
        if (json->mark_count)
            memcpy(bigger, json->marks, json->mark_count * sizeof *bigger);
        json->marks = bigger;
        writer->mark_capacity = capacity;
    }
    json->marks[json->mark_count++] = (struct yaml_mark){ (uint32_t)writer->text.len, node->line, node->column };
    return DONE;
}

/* Aliases make a small text a deep or endless one. */
static result check_bounds(const struct writer *writer, const struct yaml_node *node, struct err *err)
{
    if (writer->text.failure.kind) {
        *err = writer->text.failure;
        return FAILED;
    }
    ENSURE(writer->depth < YAML_MAX_DEPTH, err, ERR_INPUT, "%u:%u: aliases nest more than %d levels deep", node->line,
           node->column, YAML_MAX_DEPTH);
    ENSURE(writer->text.len + writer->merged_bytes <= writer->limit_bytes, err, ERR_INPUT,
           "%u:%u: aliases expand to more than %zu bytes", node->line, node->column, writer->limit_bytes);
    return DONE;
}

static result write_scalar(struct writer *writer, const struct yaml_node *node, struct err *err)
{
    static const struct str literals[] = {
        [SCALAR_NULL] = STR_INIT("null"), [SCALAR_FALSE] = STR_INIT("false"), [SCALAR_TRUE] = STR_INIT("true")
    };
    struct scalar scalar = { 0 };
    if (!scalar_resolve(node, writer->scratch, &scalar, err).ok)
        return at_node(node, err);
    switch (scalar.type) {
    case SCALAR_NULL:
    case SCALAR_FALSE:
    case SCALAR_TRUE: buf_put(&writer->text, literals[scalar.type]); return DONE;
    case SCALAR_INT:
    case SCALAR_FLOAT: buf_put(&writer->text, scalar.text); return DONE;
    case SCALAR_TEXT:
    case SCALAR_MERGE: buf_put_json_string(&writer->text, scalar.text); return DONE;
    case SCALAR_NOT_FINITE: break;
    }
    return err_set(err, ERR_INPUT, "%u:%u: %.*s is not a finite number", node->line, node->column,
                   STR_ARGS(scalar.text));
}

typedef result (*write_type)(struct writer *writer, const struct yaml_node *node, struct err *err);
static result write_node(struct writer *writer, const struct yaml_node *node, struct err *err);

static result write_sequence(struct writer *writer, const struct yaml_node *node, struct err *err)
{
    buf_put_char(&writer->text, '[');
    for (const struct yaml_item *item = node->first; item; item = item->next) {
        if (item != node->first)
            buf_put_char(&writer->text, ',');
        GUARD(write_node(writer, item->value, err));
    }
    buf_put_char(&writer->text, ']');
    return DONE;
}

static result push_member(struct writer *writer, struct member member, struct err *err)
{
    struct members *members = &writer->members;
    if (members->count == members->capacity) {
        struct member *bigger = NULL;
        size_t capacity = members->capacity ? members->capacity * 2 : 64;
        GUARD(arena_take_array(writer->scratch, capacity, sizeof *bigger, &bigger, err));
        if (members->count)
            memcpy(bigger, members->items, members->count * sizeof *bigger);
        members->items = bigger;
        members->capacity = capacity;
    }
    member.order = members->count;
    writer->merged_bytes += member.merged ? sizeof member : 0;
    members->items[members->count++] = member;
    return DONE;
}

static result resolve_key(struct writer *writer, const struct yaml_node *node, struct scalar *scalar, struct str *key,
                          struct err *err)
{
    ENSURE(node->type == NODE_SCALAR, err, ERR_INPUT, "%u:%u: a list or mapping cannot be a key", node->line,
           node->column);
    if (!scalar_resolve(node, writer->scratch, scalar, err).ok || !scalar_key(scalar, writer->scratch, key, err).ok)
        return at_node(node, err);
    return DONE;
}

static result collect_merge(struct writer *writer, const struct yaml_node *value, struct err *err);

static result collect_members(struct writer *writer, const struct yaml_node *mapping, bool merged, struct err *err)
{
    for (const struct yaml_item *item = mapping->first; item; item = item->next) {
        struct scalar scalar = { 0 };
        struct str key = { 0 };
        GUARD(resolve_key(writer, item->key, &scalar, &key, err));
        if (scalar.type == SCALAR_MERGE)
            GUARD(collect_merge(writer, item->value, err));
        else
            GUARD(push_member(writer, (struct member){ key, item->key, item->value, 0, merged }, err));
    }
    return DONE;
}

static result collect_mapping(struct writer *writer, const struct yaml_node *value, struct err *err)
{
    ENSURE(value->type == NODE_MAPPING, err, ERR_INPUT, "%u:%u: << needs a mapping or a list of mappings", value->line,
           value->column);
    GUARD(check_bounds(writer, value, err));
    writer->depth++;
    writer->merged_bytes += sizeof(struct member);
    GUARD(collect_members(writer, value, true, err));
    writer->depth--;
    return DONE;
}

/* Of a list the first mapping has the last word, so it is merged last. */
static result collect_merge(struct writer *writer, const struct yaml_node *value, struct err *err)
{
    if (value->type != NODE_SEQUENCE)
        return collect_mapping(writer, value, err);
    for (const struct yaml_item *item = value->last; item; item = item->previous)
        GUARD(collect_mapping(writer, item->value, err));
    return DONE;
}

static int by_order(const void *a, const void *b)
{
    size_t first = ((const struct member *)a)->order, second = ((const struct member *)b)->order;
    return (first > second) - (first < second);
}

static int by_key(const void *a, const void *b)
{
    int order = str_compare(((const struct member *)a)->key, ((const struct member *)b)->key);
    return order ? order : by_order(a, b);
}

/* Of members of one name the last stays, also where a merge key follows a member of the mapping's own: kubectl does so.
 * Two of the mapping's own are a mistake. `members` are sorted by key. */
static result drop_overridden(struct member *members, size_t count, struct err *err)
{
    const struct member *own = NULL;
    for (size_t i = 0; i < count; i++) {
        struct member *previous = i > 0 && str_equal(members[i - 1].key, members[i].key) ? &members[i - 1] : NULL;
        if (previous)
            previous->value = NULL;
        else
            own = NULL;
        if (members[i].merged)
            continue;
        ENSURE(!own, err, ERR_INPUT, "%u:%u: key '%.*s' occurs twice, first in line %u", members[i].key_node->line,
               members[i].key_node->column, STR_ARGS(members[i].key), own->key_node->line);
        own = &members[i];
    }
    return DONE;
}

static result settle_members(struct writer *writer, size_t base, struct err *err)
{
    size_t count = writer->members.count - base;
    if (count < 2)
        return DONE;
    struct member *members = writer->members.items + base;
    qsort(members, count, sizeof *members, by_key);
    GUARD(drop_overridden(members, count, err));
    qsort(members, count, sizeof *members, by_order);
    return DONE;
}

static result write_mapping(struct writer *writer, const struct yaml_node *node, struct err *err)
{
    size_t base = writer->members.count;
    bool first = true;
    GUARD(collect_members(writer, node, false, err));
    size_t end = writer->members.count;
    GUARD(settle_members(writer, base, err));
    buf_put_char(&writer->text, '{');
    for (size_t i = base; i < end; i++) {
        struct member member = writer->members.items[i]; /* a copy: mappings within may move the items */
        if (!member.value)
            continue;
        if (!first)
            buf_put_char(&writer->text, ',');
        first = false;
        GUARD(add_mark(writer, member.key_node, err));
        buf_put_json_string(&writer->text, member.key);
        buf_put_char(&writer->text, ':');
        GUARD(write_node(writer, member.value, err));
    }
    buf_put_char(&writer->text, '}');
    writer->members.count = base;
    return DONE;
}

static result write_node(struct writer *writer, const struct yaml_node *node, struct err *err)
{
    static const write_type write[] = {
        [NODE_SCALAR] = write_scalar, [NODE_SEQUENCE] = write_sequence, [NODE_MAPPING] = write_mapping
    };
    GUARD(check_bounds(writer, node, err));
    GUARD(add_mark(writer, node, err));
    writer->depth++;
    GUARD(write[node->type](writer, node, err));
    writer->depth--;
    return DONE;
}

static result write_document(struct writer *writer, const struct yaml_node *root, struct err *err)
{
    writer->members = (struct members){ 0 };
    GUARD(write_node(writer, root, err));
    buf_put_char(&writer->text, '\n');
    arena_flush(writer->scratch);
    return DONE;
}

result yaml_to_json(struct str text, struct arena *arena, struct yaml_json *out, struct err *err)
{
    CLEANUP(yaml_reader_freep) struct yaml_reader *reader = NULL;
    CLEANUP(arena_free) struct arena scratch = { 0 };
    struct yaml_json json = { 0 };
    struct writer writer = { .arena = arena, .scratch = &scratch, .text = buf_in(arena), .json = &json };
    size_t grown = text.len * EXPANSION_FACTOR;
    writer.limit_bytes = grown > EXPANSION_MIN_BYTES ? grown : EXPANSION_MIN_BYTES;
    GUARD(yaml_reader_new(text, &reader, err));
    for (;;) {
        const struct yaml_node *root = NULL;
        GUARD(yaml_reader_next(reader, &scratch, &root, err));
        if (!root)
            break;
        GUARD(write_document(&writer, root, err));
    }
    GUARD(buf_finish(&writer.text, &json.text, err));
    *out = json;
    return DONE;
}

/* The last mark at or before the byte. */
void yaml_position(const struct yaml_json *json, size_t offset, size_t *line, size_t *column)
{
    size_t low = 0, high = json->mark_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        *(json->marks[middle].offset <= offset ? &low : &high) = middle;
    }
    *line = json->mark_count ? json->marks[low].line : 1;
    *column = json->mark_count ? json->marks[low].column : 1;
}

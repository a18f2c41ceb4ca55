#include "sources/yaml_tree.h"

#include "base/json.h"
#include "sources/names.h"

#include <assert.h>
#include <stdlib.h>

#include <yaml.h>

struct yaml_reader {
    struct str text;
    yaml_parser_t parser;
};

/* One document while it is read. */
struct composer {
    struct arena *arena;
    struct names anchors;
    struct yaml_node *root;
    struct yaml_node *open[YAML_MAX_DEPTH];
    size_t depth;
};

static void event_deletep(yaml_event_t *event)
{
    yaml_event_delete(event);
}

result yaml_reader_new(struct str text, struct yaml_reader **out, struct err *err)
{
    struct yaml_reader *reader = calloc(1, sizeof *reader);
    ENSURE(reader, err, ERR_INTERNAL, "out of memory");
    reader->text = text;
    if (!yaml_parser_initialize(&reader->parser)) {
        free(reader);
        return err_set(err, ERR_INTERNAL, "out of memory");
    }
    yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader->parser, (const unsigned char *)text.ptr, text.len);
    *out = reader;
    return DONE;
}

void yaml_reader_free(struct yaml_reader *reader)
{
    if (!reader)
        return;
    yaml_parser_delete(&reader->parser);
    free(reader);
}

static result diagnose_character(const struct yaml_reader *reader, struct err *err)
{
    size_t line = 0, column = 0;
    json_position(reader->text, reader->parser.problem_offset, &line, &column);
    return err_set(err, ERR_INPUT, "%zu:%zu: character U+%04X: %s", line, column,
                   (unsigned)reader->parser.problem_value, reader->parser.problem);
}

static result diagnose(const struct yaml_reader *reader, struct err *err)
{
    const yaml_parser_t *parser = &reader->parser;
    ENSURE(parser->error != YAML_MEMORY_ERROR && parser->problem, err, ERR_INTERNAL, "out of memory");
    if (parser->error == YAML_READER_ERROR)
        return diagnose_character(reader, err);
    size_t line = parser->problem_mark.line + 1, column = parser->problem_mark.column + 1;
    if (!parser->context || parser->context_mark.line + 1 == line)
        return err_set(err, ERR_INPUT, "%zu:%zu: %s", line, column, parser->problem);
    return err_set(err, ERR_INPUT, "%zu:%zu: %s (%s that starts in line %zu)", line, column, parser->problem,
                   parser->context, parser->context_mark.line + 1);
}

static result next_event(struct yaml_reader *reader, yaml_event_t *event, struct err *err)
{
    return yaml_parser_parse(&reader->parser, event) ? DONE : diagnose(reader, err);
}

static enum node_tag tag_of(const yaml_char_t *name)
{
    static const struct {
        struct str name;
        enum node_tag tag;
    } tags[] = {
        { STR_INIT("tag:yaml.org,2002:str"), TAG_STR },     { STR_INIT("tag:yaml.org,2002:bool"), TAG_BOOL },
        { STR_INIT("tag:yaml.org,2002:int"), TAG_INT },     { STR_INIT("tag:yaml.org,2002:float"), TAG_FLOAT },
        { STR_INIT("tag:yaml.org,2002:null"), TAG_NULL },   { STR_INIT("tag:yaml.org,2002:binary"), TAG_BINARY },
        { STR_INIT("tag:yaml.org,2002:merge"), TAG_MERGE },
    };
    struct str text = str_of((const char *)name);
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
        if (str_equal(tags[i].name, text))
            return tags[i].tag;
    return name ? TAG_OTHER : TAG_NONE;
}

/* Hangs a value to the collection that is being read: a mapping takes keys and values in turn. */
static result attach(struct composer *composer, const struct yaml_node *node, struct err *err)
{
    struct yaml_item *item = NULL;
    if (composer->depth == 0)
        return DONE;
    struct yaml_node *parent = composer->open[composer->depth - 1];
    if (parent->last && !parent->last->value) {
        parent->last->value = node;
        return DONE;
    }
    GUARD(arena_take(composer->arena, sizeof *item, &item, err));
    *(parent->type == NODE_MAPPING ? &item->key : &item->value) = node;
    item->previous = parent->last;
    *(parent->last ? &parent->last->next : &parent->first) = item;
    parent->last = item;
    return DONE;
}

static result add_node(struct composer *composer, const yaml_event_t *event, struct yaml_node node,
                       const yaml_char_t *anchor, struct err *err)
{
    struct yaml_node *added = NULL;
    struct str name = { 0 };
    GUARD(arena_take(composer->arena, sizeof *added, &added, err));
    node.line = (uint32_t)event->start_mark.line + 1;
    node.column = (uint32_t)event->start_mark.column + 1;
    *added = node;
    if (anchor) {
        GUARD(arena_copy(composer->arena, str_of((const char *)anchor), &name, err));
        GUARD(names_put(&composer->anchors, name, added, err));
    }
    GUARD(attach(composer, added, err));
    if (composer->depth == 0)
        composer->root = added;
    if (!added->open)
        return DONE;
    ENSURE(composer->depth < YAML_MAX_DEPTH, err, ERR_INPUT, "%u:%u: nested more than %d levels deep", node.line,
           node.column, YAML_MAX_DEPTH);
    composer->open[composer->depth++] = added;
    return DONE;
}

static result add_alias(struct composer *composer, const yaml_event_t *event, struct err *err)
{
    const char *name = (const char *)event->data.alias.anchor;
    const struct yaml_node *node = names_get(&composer->anchors, str_of(name));
    size_t line = event->start_mark.line + 1, column = event->start_mark.column + 1;
    ENSURE(node, err, ERR_INPUT, "%zu:%zu: no anchor &%s for this alias", line, column, name);
    ENSURE(!node->open, err, ERR_INPUT, "%zu:%zu: anchor &%s contains itself", line, column, name);
    return attach(composer, node, err);
}

static result add_scalar(struct composer *composer, const yaml_event_t *event, struct err *err)
{
    struct yaml_node node = { .type = NODE_SCALAR, .tag = tag_of(event->data.scalar.tag) };
    struct str text = { (const char *)event->data.scalar.value, event->data.scalar.length };
    node.plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    GUARD(arena_copy(composer->arena, text, &node.text, err));
    return add_node(composer, event, node, event->data.scalar.anchor, err);
}

static void close_node(struct composer *composer)
{
    assert(composer->depth > 0); /* libyaml ends what it began */
    composer->open[--composer->depth]->open = false;
}

static result compose_event(struct composer *composer, const yaml_event_t *event, struct err *err)
{
    const struct yaml_node sequence = { .type = NODE_SEQUENCE, .open = true };
    const struct yaml_node mapping = { .type = NODE_MAPPING, .open = true };
    switch (event->type) {
    case YAML_ALIAS_EVENT: return add_alias(composer, event, err);
    case YAML_SCALAR_EVENT: return add_scalar(composer, event, err);
    case YAML_SEQUENCE_START_EVENT: return add_node(composer, event, sequence, event->data.sequence_start.anchor, err);
    case YAML_MAPPING_START_EVENT: return add_node(composer, event, mapping, event->data.mapping_start.anchor, err);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: close_node(composer); return DONE;
    default: return DONE; /* the stream's and documents' own events */
    }
}

result yaml_reader_next(struct yaml_reader *reader, struct arena *arena, const struct yaml_node **root, struct err *err)
{
    struct composer composer = { .arena = arena, .anchors = { .arena = arena } };
    for (;;) {
        CLEANUP(event_deletep) yaml_event_t event = { 0 };
        GUARD(next_event(reader, &event, err));
        GUARD(compose_event(&composer, &event, err));
        if (event.type != YAML_DOCUMENT_END_EVENT && event.type != YAML_STREAM_END_EVENT)
            continue;
        *root = composer.root;
        return DONE;
    }
}

#include "sources/manifests.h"

#include "base/json.h"
#include "base/json_scan.h"
#include "base/utf8.h"
#include "sources/yaml.h"

/* A List of a List is still what somebody meant; each level is read once more. */
enum { MAX_LIST_DEPTH = 8 };

/* One text. Its JSON is the text itself, or what became of its YAML. */
struct manifest_file {
    struct str name;
    struct yaml_json json;
    bool yaml;
};

/* Where the file's objects are gathered, and how far lines are counted. */
struct parse {
    struct manifest_list *list;
    struct manifest_file *file;
    size_t counted; /* bytes of the JSON text */
    size_t line;
    size_t line_start;
};

/* What every object starts with. */
struct head {
    struct str api_version;
    struct str kind;
    struct head_meta {
        struct str name;
        struct str generate_name;
        struct str namespace;
    } meta;
    struct str items;
};

static const struct field head_meta_fields[] = {
    { STR_INIT("name"), FIELD_STRING, offsetof(struct head_meta, name), NULL, false },
    { STR_INIT("generateName"), FIELD_STRING, offsetof(struct head_meta, generate_name), NULL, false },
    { STR_INIT("namespace"), FIELD_STRING, offsetof(struct head_meta, namespace), NULL, false },
};
static const struct shape head_meta_shape = SHAPE_INIT(head_meta_fields, struct head_meta);
static const struct field head_fields[] = {
    { STR_INIT("apiVersion"), FIELD_STRING, offsetof(struct head, api_version), NULL, false },
    { STR_INIT("kind"), FIELD_STRING, offsetof(struct head, kind), NULL, false },
    { STR_INIT("metadata"), FIELD_OBJECT, offsetof(struct head, meta), &head_meta_shape, false },
    { STR_INIT("items"), FIELD_RAW, offsetof(struct head, items), NULL, false },
};
static const struct shape head_shape = SHAPE_INIT(head_fields, struct head);

/* Puts the place of a byte of the file's JSON text in front of the message. */
static result at_byte(const struct manifest_file *file, size_t offset, struct err *err)
{
    size_t line = 0, column = 0;
    if (err->kind != ERR_INPUT)
        return err_prefix(err, "%.*s: ", STR_ARGS(file->name));
    if (file->yaml)
        yaml_position(&file->json, offset, &line, &column);
    else
        json_position(file->json.text, offset, &line, &column);
    return err_prefix(err, "%.*s:%zu:%zu: ", STR_ARGS(file->name), line, column);
}

static size_t offset_in(const struct manifest_file *file, struct str json)
{
    return (size_t)(json.ptr - file->json.text.ptr);
}

/* Objects come in the order of the text, so that its lines are counted once and not once for each. */
static void set_place(struct parse *parse, struct manifest *manifest)
{
    if (parse->file->yaml) {
        yaml_position(&parse->file->json, manifest->json_base, &manifest->line, &manifest->column);
        return;
    }
    for (; parse->counted < manifest->json_base; parse->counted++) {
        if (parse->file->json.text.ptr[parse->counted] != '\n')
            continue;
        parse->line++;
        parse->line_start = parse->counted + 1;
    }
    manifest->line = parse->line;
    manifest->column = manifest->json_base - parse->line_start + 1;
}

static result list_append(struct manifest_list *list, const struct manifest *manifest, struct err *err)
{
    if (list->count == list->capacity) {
        struct manifest *bigger = NULL;
        size_t capacity = list->capacity ? list->capacity * 2 : 16;
        GUARD(arena_take_array(list->arena, capacity, sizeof *bigger, &bigger, err));
        if (list->count)
            memcpy(bigger, list->items, list->count * sizeof *bigger);
        list->items = bigger;
        list->capacity = capacity;
    }
    list->items[list->count++] = *manifest;
    return DONE;
}

static result read_object(const struct manifest_file *file, struct str json, const struct shape *shape,
                          struct arena *arena, void *out, struct err *err)
{
    struct json_input input = { .text = json, .arena = arena, .strict = true };
    if (json_read(&input, shape, out, err).ok)
        return DONE;
    return at_byte(file, offset_in(file, json) + input.error_offset, err);
}

static result add_manifest(struct parse *parse, struct str json, const struct head *head, struct err *err)
{
    struct manifest manifest = {
        .file = parse->file,
        .json = json,
        .json_base = offset_in(parse->file, json),
        .api_version = head->api_version,
        .kind = head->kind,
        .name = head->meta.name.len ? head->meta.name : head->meta.generate_name,
        .namespace = head->meta.namespace,
    };
    set_place(parse, &manifest);
    return list_append(parse->list, &manifest, err);
}

/* Only lists have the kind; any object may have the items. */
static bool is_list(const struct head *head)
{
    return str_is(head->kind, "List") ||
           (str_ends_with(head->kind, STR("List")) && head->items.ptr && json_type_of(head->items) == JSON_ARRAY);
}

static result check_head(const struct head *head, struct err *err)
{
    ENSURE(head->kind.len > 0, err, ERR_INPUT, "kind: missing, every Kubernetes object has one");
    ENSURE(head->api_version.len > 0, err, ERR_INPUT, "apiVersion: missing, every Kubernetes object has one");
    return DONE;
}

static result check_items(const struct head *list, unsigned depth, struct err *err)
{
    ENSURE(json_type_of(list->items) == JSON_ARRAY, err, ERR_INPUT, "items: not a list");
    ENSURE(depth < MAX_LIST_DEPTH, err, ERR_INPUT, "items: lists within lists, more than %d deep", MAX_LIST_DEPTH);
    return DONE;
}

static result add_object(struct parse *parse, struct str json, const struct head *list, unsigned depth,
                         struct err *err);

static result add_items(struct parse *parse, const struct head *list, unsigned depth, struct err *err)
{
    struct json_members items = { 0 };
    struct head defaults = { .api_version = list->api_version, .kind = list->kind };
    defaults.kind.len -= strlen("List"); /* nothing is left of a plain List: its items have to say */
    if (!list->items.ptr)
        return DONE;
    if (!check_items(list, depth, err).ok)
        return at_byte(parse->file, offset_in(parse->file, list->items), err);
    GUARD(json_members(list->items, parse->list->arena, &items, err));
    for (size_t i = 0; i < items.count; i++)
        GUARD(add_object(parse, items.items[i].value, &defaults, depth + 1, err));
    return DONE;
}

/* `list`: what the object inherits from the list that it is in; NULL outside of one. */
static result add_object(struct parse *parse, struct str json, const struct head *list, unsigned depth, struct err *err)
{
    struct head head = { 0 };
    GUARD(read_object(parse->file, json, &head_shape, parse->list->arena, &head, err));
    if (list && head.kind.len == 0)
        head.kind = list->kind;
    if (list && head.api_version.len == 0 && list->kind.len > 0)
        head.api_version = list->api_version;
    if (!check_head(&head, err).ok)
        return at_byte(parse->file, offset_in(parse->file, json), err);
    return is_list(&head) ? add_items(parse, &head, depth, err) : add_manifest(parse, json, &head, err);
}

static result next_value(struct json_scan *scan, enum json_type *type, struct str *out, struct err *err)
{
    GUARD(json_scan_type(scan, type, err));
    const char *start = scan->at;
    GUARD(json_scan_skip(scan, err));
    *out = (struct str){ start, (size_t)(scan->at - start) };
    return DONE;
}

/* The values of the file's JSON text, one after another. */
static result parse_values(struct parse *parse, struct err *err)
{
    const struct manifest_file *file = parse->file;
    struct json_scan scan = json_scan_of(file->json.text, parse->list->arena);
    for (;;) {
        enum json_type type = JSON_NULL;
        struct str value = { 0 };
        struct err rest = { 0 };
        if (json_scan_end(&scan, &rest).ok)
            return DONE;
        if (!next_value(&scan, &type, &value, err).ok)
            return at_byte(file, (size_t)(scan.at - scan.start), err);
        if (type != JSON_NULL)
            GUARD(add_object(parse, value, NULL, 0, err));
    }
}

static result parse_json(struct manifest_list *list, struct manifest_file *file, struct str text, struct err *err)
{
    struct parse parse = { .list = list, .file = file, .line = 1 };
    GUARD(arena_copy(list->arena, text, &file->json.text, err));
    return parse_values(&parse, err);
}

static result parse_yaml(struct manifest_list *list, struct manifest_file *file, struct str text, struct err *err)
{
    struct parse parse = { .list = list, .file = file };
    file->yaml = true;
    if (!yaml_to_json(text, list->arena, &file->json, err).ok)
        return err_prefix(err, err->kind == ERR_INPUT ? "%.*s:" : "%.*s: ", STR_ARGS(file->name));
    return parse_values(&parse, err);
}

static bool is_json(struct str text, struct arena *arena)
{
    struct json_scan scan = json_scan_of(text, arena);
    struct err ignored = { 0 };
    enum json_type type = JSON_NULL;
    struct str value = { 0 };
    if (!json_scan_type(&scan, &type, &ignored).ok || type != JSON_OBJECT)
        return false;
    while (!json_scan_end(&scan, &ignored).ok)
        if (!next_value(&scan, &type, &value, &ignored).ok)
            return false;
    return true;
}

static result check_text(struct str text, struct str file_name, struct err *err)
{
    const char *end = text.ptr + text.len;
    size_t line = 0, column = 0;
    ENSURE(text.len <= MANIFEST_MAX_BYTES, err, ERR_INPUT, "%.*s: larger than %d bytes", STR_ARGS(file_name),
           MANIFEST_MAX_BYTES);
    for (const char *at = text.ptr; at < end;) {
        size_t len = utf8_sequence(at, end);
        if (len == 0) {
            json_position(text, (size_t)(at - text.ptr), &line, &column);
            return err_set(err, ERR_INPUT, "%.*s:%zu:%zu: not UTF-8", STR_ARGS(file_name), line, column);
        }
        at += len;
    }
    return DONE;
}

result manifests_parse(struct manifest_list *list, struct str text, struct str file_name, struct err *err)
{
    static const struct str byte_order_mark = STR_INIT("\xEF\xBB\xBF");
    struct manifest_file *file = NULL;
    size_t count = list->count;
    if (!text.ptr)
        text = STR("");
    GUARD(check_text(text, file_name, err));
    GUARD(arena_take(list->arena, sizeof *file, &file, err));
    GUARD(arena_copy(list->arena, file_name, &file->name, err));
    if (str_starts_with(text, byte_order_mark))
        text = (struct str){ text.ptr + byte_order_mark.len, text.len - byte_order_mark.len };
    bool json = str_ends_with(file_name, STR(".json")) || is_json(text, list->arena);
    struct outcome parsed = json ? parse_json(list, file, text, err) : parse_yaml(list, file, text, err);
    if (!parsed.ok)
        list->count = count;
    return parsed;
}

result manifest_decode(const struct manifest *manifest, const struct shape *shape, struct arena *arena, void *out,
                       struct err *err)
{
    return read_object(manifest->file, manifest->json, shape, arena, out, err);
}

struct str manifest_file_name(const struct manifest *manifest)
{
    return manifest->file->name;
}

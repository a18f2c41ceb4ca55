#include "server/config.h"

#include "base/buf.h"
#include "server/setting_value.h"
#include "server/text_file.h"
#include "sources/yaml.h"

#include <stdlib.h>

/* Far more than any configuration has; a wrong path, or aliases of aliases, must not fill the memory. */
enum { MAX_FILE_BYTES = 1024 * 1024, MAX_SCRATCH_BYTES = 32 * 1024 * 1024 };

result config_new(struct config **out, struct err *err)
{
    const struct settings settings = settings_all();
    struct config *config = calloc(1, sizeof *config);
    ENSURE(config, err, ERR_INTERNAL, "out of memory");
    for (size_t i = 0; i < settings.count; i++)
        setting_reset(&settings.rows[i], config);
    *out = config;
    return DONE;
}

void config_free(struct config *config)
{
    if (!config)
        return;
    arena_free(&config->arena);
    free(config);
}

/* A file being read. */
struct reading {
    struct value_reader values;
    struct yaml_json json;
    struct config *config;
};

static result refuse_key(struct reading *reading, struct str section, struct str key, struct err *err)
{
    struct str shown = value_shown(&reading->values, key), meant = setting_nearest(section, key);
    const char *dot = section.len ? "." : "";
    bool dotted = memchr(key.ptr, '.', key.len) && setting_find(key);
    ENSURE(!dotted, err, ERR_INPUT, "'%.*s': a dot leads nowhere, write a mapping within a mapping", STR_ARGS(shown));
    ENSURE(!meant.ptr, err, ERR_INPUT, "there is no setting %.*s%s%.*s, is %.*s meant?", STR_ARGS(section), dot,
           STR_ARGS(shown), STR_ARGS(meant));
    return err_set(err, ERR_INPUT, "there is no setting %.*s%s%.*s", STR_ARGS(section), dot, STR_ARGS(shown));
}

static result read_section(struct reading *reading, struct str section, struct str value, struct err *err);

static result read_member(struct reading *reading, struct str section, const struct json_member *member,
                          struct err *err)
{
    struct str path = member->key;
    if (section.len > 0)
        GUARD(arena_print(reading->values.scratch, &path, err, "%.*s.%.*s", STR_ARGS(section), STR_ARGS(member->key)));
    /* a key has to be one part of the path */
    bool whole = memchr(member->key.ptr, '.', member->key.len) == NULL;
    const struct setting *row = whole ? setting_find(path) : NULL;
    if (row)
        return setting_read(row, member->value, &reading->values, reading->config, err);
    if (whole && setting_is_section(path))
        return read_section(reading, path, member->value, err);
    return refuse_key(reading, section, member->key, err);
}

static result read_section(struct reading *reading, struct str section, struct str value, struct err *err)
{
    const struct json_member *member = NULL;
    struct value_walk walk = { 0 };
    GUARD(value_walk_begin(&reading->values, section, value, &walk, err));
    while ((member = value_walk_next(&reading->values, &walk)))
        GUARD(read_member(reading, section, member, err));
    return DONE;
}

/* The one document that is not empty; null when all are. */
static result find_document(struct reading *reading, struct str *out, struct err *err)
{
    struct str rest = reading->json.text;
    *out = STR("null");
    while (rest.len > 0) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        struct str document = { rest.ptr, (size_t)(end - rest.ptr) };
        rest = (struct str){ end + 1, rest.len - document.len - 1 };
        if (json_type_of(document) == JSON_NULL)
            continue;
        reading->values.at = document.ptr;
        ENSURE(str_is(*out, "null"), err, ERR_INPUT, "a second document: a configuration has one");
        *out = document;
    }
    return DONE;
}

static result read_document(struct reading *reading, struct err *err)
{
    struct str document = { 0 };
    GUARD(find_document(reading, &document, err));
    return read_section(reading, STR(""), document, err);
}

static result add_place(const struct reading *reading, struct str file_name, struct err *err)
{
    size_t line = 0, column = 0;
    if (err->kind != ERR_INPUT)
        return err_prefix(err, "%.*s: ", STR_ARGS(file_name));
    yaml_position(&reading->json, (size_t)(reading->values.at - reading->json.text.ptr), &line, &column);
    return err_prefix(err, "%.*s:%zu:%zu: ", STR_ARGS(file_name), line, column);
}

static struct str without_byte_order_mark(struct str text)
{
    const struct str mark = STR("\xEF\xBB\xBF");
    return str_starts_with(text, mark) ? (struct str){ text.ptr + mark.len, text.len - mark.len } : text;
}

result config_parse(struct str text, struct str file_name, struct config **out, struct err *err)
{
    CLEANUP(config_freep) struct config *config = NULL;
    CLEANUP(arena_free) struct arena scratch = { .ceiling_bytes = MAX_SCRATCH_BYTES };
    struct reading reading = { .values.scratch = &scratch };
    GUARD(config_new(&config, err));
    GUARD(arena_copy(&config->arena, file_name, &config->file, err));
    reading.config = config;
    if (!yaml_to_json(without_byte_order_mark(text), &scratch, &reading.json, err).ok)
        return err_prefix(err, "%.*s:%s", STR_ARGS(file_name), err->kind == ERR_INPUT ? "" : " ");
    if (!read_document(&reading, err).ok)
        return add_place(&reading, file_name, err);
    *out = MOVE(config);
    return DONE;
}

result config_load(const char *path, struct config **out, struct err *err)
{
    CLEANUP(arena_free) struct arena scratch = { 0 };
    struct str text = { 0 };
    GUARD(text_file_read(path, MAX_FILE_BYTES, &scratch, &text, err));
    return config_parse(text, str_of(path), out, err);
}

result config_restart_needed(const struct config *now, struct config *next, struct str *out, struct err *err)
{
    const struct settings settings = settings_all();
    struct buf names = buf_in(&next->arena);
    for (const struct setting *row = settings.rows; row < settings.rows + settings.count; row++)
        if (row->restart && !setting_equal(row, now, next))
            buf_print(&names, "%s%.*s", names.len ? ", " : "", STR_ARGS(row->path));
    return buf_finish(&names, out, err);
}

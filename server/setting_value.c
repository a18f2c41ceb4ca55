#include "server/setting_value.h"

#include "base/utf8.h"

#include <inttypes.h>

enum { SHOWN_BYTES = 60 };

static const char *type_in_words(enum json_type type)
{
    static const char *const words[] = {
        [JSON_NULL] = "nothing",   [JSON_FALSE] = "false",  [JSON_TRUE] = "true",        [JSON_NUMBER] = "a number",
        [JSON_STRING] = "a text",  [JSON_ARRAY] = "a list", [JSON_OBJECT] = "a mapping",
    };
    return words[type];
}

static result expect(enum json_type type, const char *expected, struct str path, struct str value,
                     struct value_reader *reader, struct err *err)
{
    reader->at = value.ptr;
    ENSURE(json_type_of(value) == type, err, ERR_INPUT, "%.*s: %s where %s belongs", STR_ARGS(path),
           type_in_words(json_type_of(value)), expected);
    return DONE;
}

struct str value_shown(struct str text, struct value_reader *reader)
{
    struct str shown = { 0 };
    struct err ignored = { 0 };
    size_t len = utf8_cut(text.ptr, text.len, SHOWN_BYTES);
    if (!arena_print(reader->scratch, &shown, &ignored, "%.*s%s", (int)len, text.ptr, len < text.len ? "…" : "").ok)
        return STR("");
    for (char *c = (char *)shown.ptr; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    return shown;
}

static void *field_of(const struct setting *row, struct config *config)
{
    return (char *)config + row->offset;
}

static const void *field_in(const struct setting *row, const struct config *config)
{
    return (const char *)config + row->offset;
}

/* The text of a JSON string, in the arena of the configuration and fit to be a C string. */
static result read_text(const struct setting *row, struct str value, struct value_reader *reader, struct str *out,
                        struct err *err)
{
    struct str text = { 0 };
    GUARD(expect(JSON_STRING, "a text", row->path, value, reader, err));
    GUARD(json_unescape(value, reader->scratch, &text, err));
    ENSURE(!memchr(text.ptr, '\0', text.len), err, ERR_INPUT, "%.*s: a text with a NUL character", STR_ARGS(row->path));
    return arena_copy(&reader->config->arena, text, out, err);
}

static result read_path_or_address(const struct setting *row, struct str value, struct value_reader *reader,
                                   struct err *err)
{
    struct str text = { 0 };
    GUARD(read_text(row, value, reader, &text, err));
    ENSURE(text.len > 0 || !row->fallback.ptr, err, ERR_INPUT, "%.*s: must not be empty", STR_ARGS(row->path));
    *(struct str *)field_of(row, reader->config) = text.len > 0 ? text : (struct str){ 0 };
    return DONE;
}

static result join_choices(const struct str_list *choices, struct arena *arena, struct str *out, struct err *err)
{
    struct buf text = buf_in(arena);
    for (size_t i = 0; i < choices->count; i++)
        buf_print(&text, "%s%.*s", i ? ", " : "", STR_ARGS(choices->items[i]));
    return buf_finish(&text, out, err);
}

/* One of `choices`, as their list has it. A bare word such as off or 1 is no text in YAML, so the choices are named. */
static result read_choice(struct str path, const struct str_list *choices, struct str value,
                          struct value_reader *reader, size_t *out, struct err *err)
{
    struct str expected = { 0 }, text = { 0 }, words = { 0 };
    GUARD(join_choices(choices, reader->scratch, &words, err));
    GUARD(arena_print(reader->scratch, &expected, err, "one of %.*s", STR_ARGS(words)));
    GUARD(expect(JSON_STRING, expected.ptr, path, value, reader, err));
    GUARD(json_unescape(value, reader->scratch, &text, err));
    for (*out = 0; *out < choices->count; (*out)++)
        if (str_equal(choices->items[*out], text))
            return DONE;
    return err_set(err, ERR_INPUT, "%.*s: '%.*s' is not %.*s", STR_ARGS(path), STR_ARGS(value_shown(text, reader)),
                   STR_ARGS(expected));
}

static result read_one_of(const struct setting *row, struct str value, struct value_reader *reader, struct err *err)
{
    size_t choice = 0;
    GUARD(read_choice(row->path, &row->choices, value, reader, &choice, err));
    *(struct str *)field_of(row, reader->config) = row->choices.items[choice];
    return DONE;
}

static result read_bool(const struct setting *row, struct str value, struct value_reader *reader, struct err *err)
{
    bool is_true = json_type_of(value) == JSON_TRUE;
    if (!is_true)
        GUARD(expect(JSON_FALSE, "true or false", row->path, value, reader, err));
    *(bool *)field_of(row, reader->config) = is_true;
    return DONE;
}

/* false: no whole number, or beyond 64 bits. */
static bool parse_integer(struct str text, int64_t *out)
{
    bool negative = text.len > 0 && text.ptr[0] == '-';
    int64_t value = 0;
    for (size_t i = negative; i < text.len; i++) {
        int digit = text.ptr[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value)) /* downwards: there is one more below zero than above */
            return false;
    }
    return negative ? (*out = value, true) : !__builtin_sub_overflow((int64_t)0, value, out);
}

static result read_integer(const struct setting *row, struct str value, struct value_reader *reader, struct err *err)
{
    int64_t number = 0;
    GUARD(expect(JSON_NUMBER, "a number", row->path, value, reader, err));
    ENSURE(parse_integer(value, &number), err, ERR_INPUT, "%.*s: %.*s is no whole number", STR_ARGS(row->path),
           STR_ARGS(value_shown(value, reader)));
    ENSURE(number >= row->min && number <= row->max, err, ERR_INPUT,
           "%.*s: %" PRId64 " is out of range, %" PRId64 " to %" PRId64, STR_ARGS(row->path), number, row->min,
           row->max);
    *(int64_t *)field_of(row, reader->config) = number;
    return DONE;
}

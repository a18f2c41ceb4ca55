#include "server/value_reader.h"

#include "base/utf8.h"

enum { SHOWN_BYTES = 60 };

static const char *type_in_words(enum json_type type)
{
    static const char *const words[] = {
        [JSON_NULL] = "nothing",  [JSON_FALSE] = "false",  [JSON_TRUE] = "true",        [JSON_NUMBER] = "a number",
        [JSON_STRING] = "a text", [JSON_ARRAY] = "a list", [JSON_OBJECT] = "a mapping",
    };
    return words[type];
}

result value_expect(struct value_reader *reader, struct str path, struct str value, enum json_type type,
                    const char *expected, struct err *err)
{
    enum json_type found = json_type_of(value);
    reader->at = value.ptr;
    ENSURE(found == type, err, ERR_INPUT, "%.*s%s%s where %s belongs", STR_ARGS(path), path.len ? ": " : "",
           type_in_words(found), expected);
    return DONE;
}

struct str value_shown(struct value_reader *reader, struct str text)
{
    char *shown = NULL;
    struct err no_memory = { 0 };
    size_t len = utf8_cut(text.ptr, text.len, SHOWN_BYTES);
    if (!arena_take(reader->scratch, len + 1, &shown, &no_memory).ok)
        return STR("");
    if (len > 0)
        memcpy(shown, text.ptr, len);
    for (char *c = shown; c < shown + len; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    return (struct str){ shown, len };
}

result value_walk_begin(struct value_reader *reader, struct str path, struct str value, struct value_walk *out,
                        struct err *err)
{
    *out = (struct value_walk){ .passed = value.ptr };
    if (json_type_of(value) == JSON_NULL)
        return DONE;
    GUARD(value_expect(reader, path, value, JSON_OBJECT, "a mapping", err));
    return json_members(value, reader->scratch, &out->members, err);
}

const struct json_member *value_walk_next(struct value_reader *reader, struct value_walk *walk)
{
    if (walk->next == walk->members.count)
        return NULL;
    const struct json_member *member = &walk->members.items[walk->next++];
    /* the key may be an unescaped copy; in the text, only white space, { and , stand before its quote */
    reader->at = memchr(walk->passed, '"', (size_t)(member->value.ptr - walk->passed));
    walk->passed = member->value.ptr + member->value.len;
    return member;
}

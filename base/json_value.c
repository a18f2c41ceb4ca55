/* Walking values that a reader has validated and kept as text. */
#include "base/json_scan.h"

enum json_type json_type_of(struct str value)
{
    static const struct arena none = { 0 };
    struct json_scan scan = json_scan_of(value, (struct arena *)&none);
    enum json_type type = JSON_NULL;
    struct err err = { 0 };
    return json_scan_type(&scan, &type, &err).ok ? type : JSON_NULL;
}

static result add_member(struct json_members *members, struct json_member member, struct arena *arena, struct err *err)
{
    struct json_member *bigger = NULL;
    if ((members->count & (members->count - 1)) == 0) { /* capacities are powers of two */
        GUARD(arena_take_array(arena, members->count ? members->count * 2 : 1, sizeof *bigger, &bigger, err));
        if (members->count)
            memcpy(bigger, members->items, members->count * sizeof *bigger);
        members->items = bigger;
    }
    members->items[members->count++] = member;
    return DONE;
}

result json_members(struct str value, struct arena *arena, struct json_members *out, struct err *err)
{
    struct json_scan scan = json_scan_of(value, arena);
    enum json_type type = JSON_NULL;
    bool more = false;
    *out = (struct json_members){ 0 };
    GUARD(json_scan_type(&scan, &type, err));
    ENSURE(type == JSON_OBJECT || type == JSON_ARRAY, err, ERR_INTERNAL, "no object and no list");
    json_scan_enter(&scan);
    for (;;) {
        struct json_member member = { 0 };
        GUARD(json_scan_more(&scan, type == JSON_OBJECT ? '}' : ']', out->count == 0, &more, err));
        if (!more)
            return DONE;
        if (type == JSON_OBJECT)
            GUARD(json_scan_key(&scan, &member.key, err));
        enum json_type ignored = JSON_NULL;
        GUARD(json_scan_type(&scan, &ignored, err)); /* passes the white space before the value */
        const char *start = scan.at;
        GUARD(json_scan_skip(&scan, err));
        member.value = (struct str){ start, (size_t)(scan.at - start) };
        GUARD(add_member(out, member, arena, err));
    }
}

result json_unescape(struct str value, struct arena *arena, struct str *out, struct err *err)
{
    struct json_scan scan = json_scan_of(value, arena);
    enum json_type type = JSON_NULL;
    GUARD(json_scan_type(&scan, &type, err));
    ENSURE(type == JSON_STRING, err, ERR_INTERNAL, "no string");
    return json_scan_string(&scan, out, err);
}

#include "base/json_scan.h"

#include "base/utf8.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static result broken(struct json_scan *scan, struct err *err, const char *what)
{
    if (scan->at >= scan->end)
        return err_set(err, ERR_INPUT, "%s, but the text ends at byte %zu", what, (size_t)(scan->end - scan->start));
    return err_set(err, ERR_INPUT, "%s at byte %zu", what, (size_t)(scan->at - scan->start));
}

static void pass_space(struct json_scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\t' || *scan->at == '\r'))
        scan->at++;
}

static bool next_is(struct json_scan *scan, char c)
{
    pass_space(scan);
    return scan->at < scan->end && *scan->at == c;
}

result json_scan_type(struct json_scan *scan, enum json_type *out, struct err *err)
{
    /* One more than the type, so that 0 is "no value starts with this byte". */
    static const unsigned char starts[256] = {
        ['n'] = JSON_NULL + 1,   ['f'] = JSON_FALSE + 1,  ['t'] = JSON_TRUE + 1,   ['-'] = JSON_NUMBER + 1,
        ['0'] = JSON_NUMBER + 1, ['1'] = JSON_NUMBER + 1, ['2'] = JSON_NUMBER + 1, ['3'] = JSON_NUMBER + 1,
        ['4'] = JSON_NUMBER + 1, ['5'] = JSON_NUMBER + 1, ['6'] = JSON_NUMBER + 1, ['7'] = JSON_NUMBER + 1,
        ['8'] = JSON_NUMBER + 1, ['9'] = JSON_NUMBER + 1, ['"'] = JSON_STRING + 1, ['['] = JSON_ARRAY + 1,
        ['{'] = JSON_OBJECT + 1,
    };
    pass_space(scan);
    unsigned char type = scan->at < scan->end ? starts[(unsigned char)*scan->at] : 0;
    if (type == 0)
        return broken(scan, err, "expected a value");
    if (scan->depth >= JSON_MAX_DEPTH)
        return broken(scan, err, "nested too deep");
    *out = (enum json_type)(type - 1);
    return DONE;
}

/* Four hex digits after \u. */
static bool hex4(const char *at, const char *end, uint32_t *out)
{
    uint32_t value = 0;
    if (end - at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 16;
        if (digit == 16)
            return false;
        value = value << 4 | digit;
    }
    *out = value;
    return true;
}

/* The code point of \uXXXX or of a surrogate pair; `*at` is behind "\u" and moves behind the last digit. */
static bool unicode_escape(const char **at, const char *end, uint32_t *out)
{
    uint32_t low = 0;
    if (!hex4(*at, end, out))
        return false;
    *at += 4;
    if (*out < 0xD800 || *out > 0xDFFF)
        return true;
    if (*out > 0xDBFF || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u' || !hex4(*at + 2, end, &low) ||
        low < 0xDC00 || low > 0xDFFF)
        return false;
    *at += 6;
    *out = 0x10000 + ((*out - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

/* Passes one escape and writes what it stands for, at most 4 bytes; 0 when it is none. */
static size_t pass_escape(const char **at, const char *end, char out[4])
{
    static const char plain[128] = {
        ['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t'
    };
    uint32_t code_point = 0;
    if (end - *at < 2)
        return 0;
    unsigned char c = (unsigned char)(*at)[1];
    *at += 2;
    if (c < sizeof plain && plain[c]) {
        out[0] = plain[c];
        return 1;
    }
    return c == 'u' && unicode_escape(at, end, &code_point) ? utf8_encode(code_point, out) : 0;
}

/* `raw` is valid and stands between quotes in the text; it never grows by unescaping. */
static result unescape(struct json_scan *scan, struct str raw, struct str *out, struct err *err)
{
    char *copy = NULL;
    const char *at = raw.ptr, *end = raw.ptr + raw.len;
    GUARD(arena_take(scan->arena, raw.len + 4, &copy, err));
    size_t len = 0;
    while (at < end) {
        if (*at == '\\')
            len += pass_escape(&at, end, copy + len);
        else
            copy[len++] = *at++;
    }
    *out = (struct str){ copy, len };
    return DONE;
}

/* Passes the bytes of a string up to its closing quote, which it leaves. */
static result pass_string_body(struct json_scan *scan, bool *escaped, struct err *err)
{
    char ignored[4];
    while (scan->at < scan->end && *scan->at != '"') {
        const char *at = scan->at;
        unsigned char c = (unsigned char)*at;
        if (c == '\\') {
            *escaped = true;
            if (pass_escape(&at, scan->end, ignored) == 0)
                return broken(scan, err, "invalid escape in a string");
        } else if (c < 0x20) {
            return broken(scan, err, "control character in a string");
        } else {
            at += c < 0x80 ? 1 : utf8_sequence(at, scan->end);
            if (at == scan->at)
                return broken(scan, err, "invalid UTF-8");
        }
        scan->at = at;
    }
    return scan->at < scan->end ? DONE : broken(scan, err, "expected the end of a string");
}

result json_scan_string(struct json_scan *scan, struct str *out, struct err *err)
{
    bool escaped = false;
    const char *start = ++scan->at;
    GUARD(pass_string_body(scan, &escaped, err));
    struct str raw = { start, (size_t)(scan->at - start) };
    scan->at++;
    if (!out)
        return DONE;
    if (escaped)
        return unescape(scan, raw, out, err);
    *out = raw;
    return DONE;
}

static bool pass_digits(struct json_scan *scan)
{
    const char *start = scan->at;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
        scan->at++;
    return scan->at > start;
}

static bool pass_if(struct json_scan *scan, char a, char b)
{
    bool is = scan->at < scan->end && (*scan->at == a || *scan->at == b);
    scan->at += is;
    return is;
}

/* Short integers, which is nearly all numbers, cannot be out of range and are not converted. */
static result number_in_range(struct json_scan *scan, struct str number, bool real, struct err *err)
{
    struct str text = { 0 };
    if (!real && number.len <= 18)
        return DONE;
    GUARD(arena_copy(scan->arena, number, &text, err));
    errno = 0;
    bool in_range = real ? !isinf(strtod(text.ptr, NULL)) : (strtoll(text.ptr, NULL, 10), errno == 0);
    scan->at = number.ptr;
    if (!in_range)
        return broken(scan, err, "number out of range");
    scan->at += number.len;
    return DONE;
}

result json_scan_number(struct json_scan *scan, struct str *out, struct err *err)
{
    const char *start = scan->at;
    bool real = false;
    (void)pass_if(scan, '-', '-');
    bool valid = pass_if(scan, '0', '0') || pass_digits(scan);
    if (valid && pass_if(scan, '.', '.')) {
        real = true;
        valid = pass_digits(scan);
    }
    if (valid && pass_if(scan, 'e', 'E')) {
        real = true;
        (void)pass_if(scan, '+', '-');
        valid = pass_digits(scan);
    }
    if (!valid)
        return broken(scan, err, "expected a digit");
    struct str number = { start, (size_t)(scan->at - start) };
    if (out)
        *out = number;
    return number_in_range(scan, number, real, err);
}

result json_scan_word(struct json_scan *scan, enum json_type type, struct err *err)
{
    static const struct str words[] = {
        [JSON_NULL] = STR_INIT("null"), [JSON_FALSE] = STR_INIT("false"), [JSON_TRUE] = STR_INIT("true")
    };
    struct str rest = { scan->at, (size_t)(scan->end - scan->at) };
    if (!str_starts_with(rest, words[type]))
        return broken(scan, err, "expected a value");
    scan->at += words[type].len;
    return DONE;
}

void json_scan_enter(struct json_scan *scan)
{
    scan->at++;
    scan->depth++;
}

result json_scan_more(struct json_scan *scan, char close, bool first, bool *more, struct err *err)
{
    *more = !next_is(scan, close);
    if (!*more) {
        scan->at++;
        scan->depth--;
        return DONE;
    }
    if (first)
        return DONE;
    if (!next_is(scan, ','))
        return broken(scan, err, close == '}' ? "expected , or }" : "expected , or ]");
    scan->at++;
    return DONE;
}

result json_scan_key(struct json_scan *scan, struct str *out, struct err *err)
{
    if (!next_is(scan, '"'))
        return broken(scan, err, "expected a member's name in quotes");
    GUARD(json_scan_string(scan, out, err));
    if (!next_is(scan, ':'))
        return broken(scan, err, "expected :");
    scan->at++;
    return DONE;
}

static result skip_members(struct json_scan *scan, bool keys, struct err *err)
{
    bool more = false;
    json_scan_enter(scan);
    for (bool first = true;; first = false) {
        GUARD(json_scan_more(scan, keys ? '}' : ']', first, &more, err));
        if (!more)
            return DONE;
        if (keys)
            GUARD(json_scan_key(scan, NULL, err));
        GUARD(json_scan_skip(scan, err));
    }
}

result json_scan_skip(struct json_scan *scan, struct err *err)
{
    enum json_type type = JSON_NULL;
    GUARD(json_scan_type(scan, &type, err));
    switch (type) {
    case JSON_OBJECT: return skip_members(scan, true, err);
    case JSON_ARRAY: return skip_members(scan, false, err);
    case JSON_STRING: return json_scan_string(scan, NULL, err);
    case JSON_NUMBER: return json_scan_number(scan, NULL, err);
    case JSON_NULL:
    case JSON_TRUE:
    case JSON_FALSE: return json_scan_word(scan, type, err);
    }
    return err_set(err, ERR_INTERNAL, "no such type of value");
}

result json_scan_end(struct json_scan *scan, struct err *err)
{
    pass_space(scan);
    return scan->at == scan->end ? DONE : broken(scan, err, "expected nothing more");
}

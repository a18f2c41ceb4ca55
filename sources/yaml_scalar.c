#include "sources/yaml_scalar.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { DOUBLE_DIGITS = 17, FLOAT_DIGITS = 9, FLOAT_MIN_DIGITS = 6 };

static const struct {
    struct str text;
    enum scalar_type type;
} words[] = {
    { STR_INIT("true"), SCALAR_TRUE },
    { STR_INIT("false"), SCALAR_FALSE },
    { STR_INIT("True"), SCALAR_TRUE },
    { STR_INIT("False"), SCALAR_FALSE },
    { STR_INIT("TRUE"), SCALAR_TRUE },
    { STR_INIT("FALSE"), SCALAR_FALSE },
    { STR_INIT("yes"), SCALAR_TRUE },
    { STR_INIT("no"), SCALAR_FALSE },
    { STR_INIT("Yes"), SCALAR_TRUE },
    { STR_INIT("No"), SCALAR_FALSE },
    { STR_INIT("YES"), SCALAR_TRUE },
    { STR_INIT("NO"), SCALAR_FALSE },
    { STR_INIT("y"), SCALAR_TRUE },
    { STR_INIT("n"), SCALAR_FALSE },
    { STR_INIT("Y"), SCALAR_TRUE },
    { STR_INIT("N"), SCALAR_FALSE },
    { STR_INIT("on"), SCALAR_TRUE },
    { STR_INIT("off"), SCALAR_FALSE },
    { STR_INIT("On"), SCALAR_TRUE },
    { STR_INIT("Off"), SCALAR_FALSE },
    { STR_INIT("ON"), SCALAR_TRUE },
    { STR_INIT("OFF"), SCALAR_FALSE },
    { STR_INIT(""), SCALAR_NULL },
    { STR_INIT("~"), SCALAR_NULL },
    { STR_INIT("null"), SCALAR_NULL },
    { STR_INIT("Null"), SCALAR_NULL },
    { STR_INIT("NULL"), SCALAR_NULL },
    { STR_INIT("<<"), SCALAR_MERGE },
    { STR_INIT(".nan"), SCALAR_NOT_FINITE },
    { STR_INIT(".NaN"), SCALAR_NOT_FINITE },
    { STR_INIT(".NAN"), SCALAR_NOT_FINITE },
    { STR_INIT(".inf"), SCALAR_NOT_FINITE },
    { STR_INIT(".Inf"), SCALAR_NOT_FINITE },
    { STR_INIT(".INF"), SCALAR_NOT_FINITE },
    { STR_INIT("+.inf"), SCALAR_NOT_FINITE },
    { STR_INIT("+.Inf"), SCALAR_NOT_FINITE },
    { STR_INIT("+.INF"), SCALAR_NOT_FINITE },
    { STR_INIT("-.inf"), SCALAR_NOT_FINITE },
    { STR_INIT("-.Inf"), SCALAR_NOT_FINITE },
    { STR_INIT("-.INF"), SCALAR_NOT_FINITE },
};

static bool resolve_word(struct str text, struct scalar *out)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (str_equal(words[i].text, text)) {
            out->type = words[i].type;
            return true;
        }
    }
    return false;
}

/* A decimal number in its parts; the slices hold digits only. */
struct decimal {
    bool negative;
    struct str whole;
    bool point;
    struct str fraction;
    struct str exponent; /* with its letter and sign */
};

static struct str take_digits(struct str *rest)
{
    struct str digits = { rest->ptr, 0 };
    while (digits.len < rest->len && rest->ptr[digits.len] >= '0' && rest->ptr[digits.len] <= '9')
        digits.len++;
    *rest = (struct str){ rest->ptr + digits.len, rest->len - digits.len };
    return digits;
}

static bool take_char(struct str *rest, const char *set)
{
    bool found = rest->len > 0 && rest->ptr[0] != '\0' && strchr(set, rest->ptr[0]);
    *rest = (struct str){ rest->ptr + found, rest->len - found };
    return found;
}

static bool split_decimal(struct str rest, struct decimal *out)
{
    out->whole = take_digits(&rest);
    out->point = take_char(&rest, ".");
    if (out->point)
        out->fraction = take_digits(&rest);
    if (out->whole.len + out->fraction.len == 0)
        return false;
    const char *exponent = rest.ptr;
    if (take_char(&rest, "eE")) {
        (void)take_char(&rest, "+-");
        if (take_digits(&rest).len == 0)
            return false;
        out->exponent = (struct str){ exponent, (size_t)(rest.ptr - exponent) };
    }
    return rest.len == 0;
}

static result print_double(double value, struct arena *arena, struct scalar *out, struct err *err)
{
    out->type = SCALAR_FLOAT;
    return arena_print(arena, &out->text, err, "%.*g", DOUBLE_DIGITS, value);
}

/* JSON wants a digit before the point and one behind it, and no zeros in front. */
static result decimal_resolve(const struct decimal *decimal, struct arena *arena, struct scalar *out, struct err *err)
{
    struct str whole = decimal->whole, text = { 0 };
    while (whole.len > 1 && whole.ptr[0] == '0')
        whole = (struct str){ whole.ptr + 1, whole.len - 1 };
    GUARD(arena_print(arena, &text, err, "%s%.*s%s%.*s%.*s", decimal->negative ? "-" : "",
                      whole.len ? (int)whole.len : 1, whole.len ? whole.ptr : "0", decimal->fraction.len ? "." : "",
                      STR_ARGS(decimal->fraction), STR_ARGS(decimal->exponent)));
    double value = strtod(text.ptr, NULL);
    if (isinf(value)) /* a text, by strconv.ParseFloat */
        return DONE;
    errno = 0;
    bool whole_number = !decimal->point && decimal->exponent.len == 0;
    if (whole_number && (strtoll(text.ptr, NULL, 10), errno != 0))
        return print_double(value, arena, out, err);
    *out = (struct scalar){ whole_number ? SCALAR_INT : SCALAR_FLOAT, text };
    return DONE;
}

static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 16;
}

static bool parse_digits(struct str digits, unsigned base, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < digits.len; i++) {
        unsigned digit = digit_value(digits.ptr[i]);
        if (digit >= base || __builtin_mul_overflow(*out, base, out) || __builtin_add_overflow(*out, digit, out))
            return false;
    }
    return digits.len > 0;
}

/* 0b11, 0o17, 0x1F, 017, as strconv.ParseInt reads them with base 0. */
static bool parse_based(struct str body, uint64_t *out)
{
    static const struct {
        char letter;
        unsigned base;
    } bases[] = { { 'b', 2 }, { 'o', 8 }, { 'x', 16 } };
    if (body.len < 2 || body.ptr[0] != '0')
        return false;
    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++)
        if ((body.ptr[1] | 0x20) == bases[i].letter)
            return parse_digits((struct str){ body.ptr + 2, body.len - 2 }, bases[i].base, out);
    return parse_digits(body, 8, out);
}

static result based_resolve(bool negative, uint64_t value, struct arena *arena, struct scalar *out, struct err *err)
{
    if (value > INT64_MAX)
        return print_double(negative ? -(double)value : (double)value, arena, out, err);
    out->type = SCALAR_INT;
    return arena_print(arena, &out->text, err, "%s%llu", negative ? "-" : "", (unsigned long long)value);
}

static result without_underscores(struct str text, struct arena *arena, struct str *out, struct err *err)
{
    char *copy = NULL;
    size_t len = 0;
    GUARD(arena_take(arena, text.len + 1, &copy, err));
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '_')
            copy[len++] = text.ptr[i];
    *out = (struct str){ copy, len };
    return DONE;
}

static result resolve_number(struct str text, struct arena *arena, struct scalar *out, struct err *err)
{
    struct decimal decimal = { 0 };
    uint64_t value = 0;
    if (text.len == 0 || !memchr("+-.0123456789", text.ptr[0], 13))
        return DONE;
    if (memchr(text.ptr, '_', text.len))
        GUARD(without_underscores(text, arena, &text, err));
    decimal.negative = text.ptr[0] == '-';
    (void)take_char(&text, "+-");
    if (parse_based(text, &value))
        return based_resolve(decimal.negative, value, arena, out, err);
    return split_decimal(text, &decimal) ? decimal_resolve(&decimal, arena, out, err) : DONE;
}

static bool tag_allows(enum node_tag tag, enum scalar_type type)
{
    switch (tag) {
    case TAG_BOOL: return type == SCALAR_TRUE || type == SCALAR_FALSE;
    case TAG_INT: return type == SCALAR_INT;
    case TAG_FLOAT: return type == SCALAR_FLOAT || type == SCALAR_INT || type == SCALAR_NOT_FINITE;
    case TAG_NULL: return type == SCALAR_NULL;
    case TAG_MERGE: return type == SCALAR_MERGE;
    case TAG_BINARY: return false;
    case TAG_NONE:
    case TAG_STR:
    case TAG_OTHER: return true;
    }
    return false;
}

static const char *const tag_names[] = {
    [TAG_NONE] = "",           [TAG_STR] = "!!str",     [TAG_BOOL] = "!!bool",
    [TAG_INT] = "!!int",       [TAG_FLOAT] = "!!float", [TAG_NULL] = "!!null",
    [TAG_BINARY] = "!!binary", [TAG_MERGE] = "!!merge", [TAG_OTHER] = "",
};

result scalar_resolve(const struct yaml_node *node, struct arena *arena, struct scalar *out, struct err *err)
{
    bool text = node->tag == TAG_STR || node->tag == TAG_OTHER || (node->tag == TAG_NONE && !node->plain);
    *out = (struct scalar){ SCALAR_TEXT, node->text };
    if (text)
        return DONE;
    ENSURE(node->tag != TAG_BINARY, err, ERR_INPUT, "!!binary is not supported: write the text itself");
    if (!resolve_word(node->text, out))
        GUARD(resolve_number(node->text, arena, out, err));
    ENSURE(tag_allows(node->tag, out->type), err, ERR_INPUT, "'%.*s' is not what its tag %s says", STR_ARGS(node->text),
           tag_names[node->tag]);
    return DONE;
}

/* The shortest digits that tell a float apart, as strconv.FormatFloat(v, 'g', -1, 32) writes them. */
static result float_key(struct str text, struct arena *arena, struct str *out, struct err *err)
{
    char key[32] = "";
    float value = strtof(text.ptr, NULL);
    int digits = FLOAT_MIN_DIGITS - 1;
    do
        (void)snprintf(key, sizeof key, "%.*g", ++digits, (double)value);
    while (digits < FLOAT_DIGITS && strtof(key, NULL) != value);
    if (digits > FLOAT_MIN_DIGITS && fabsf(value) >= 1e6F)
        (void)snprintf(key, sizeof key, "%.*e", digits - 1, (double)value);
    return arena_copy(arena, str_of(key), out, err);
}

result scalar_key(const struct scalar *scalar, struct arena *arena, struct str *out, struct err *err)
{
    *out = scalar->text;
    switch (scalar->type) {
    case SCALAR_NULL: return err_set(err, ERR_INPUT, "null cannot be a key");
    case SCALAR_NOT_FINITE: return err_set(err, ERR_INPUT, "%.*s cannot be a key", STR_ARGS(scalar->text));
    case SCALAR_FALSE: *out = STR("false"); return DONE;
    case SCALAR_TRUE: *out = STR("true"); return DONE;
    case SCALAR_INT: return arena_print(arena, out, err, "%lld", strtoll(scalar->text.ptr, NULL, 10));
    case SCALAR_FLOAT: return float_key(scalar->text, arena, out, err);
    case SCALAR_TEXT:
    case SCALAR_MERGE: return DONE;
    }
    return err_set(err, ERR_INTERNAL, "no such type of scalar");
}

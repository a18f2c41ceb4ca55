/* What is JSON and what is not, with Jansson for a second opinion. */
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/fixtures.h"

TCase *json_text_cases(void);

struct thing {
    struct str text, raw, aside;
};

static const struct field thing_fields[] = {
    { STR_INIT("text"), FIELD_STRING, offsetof(struct thing, text), NULL, false },
    { STR_INIT("raw"), FIELD_RAW, offsetof(struct thing, raw), NULL, false },
    { STR_INIT("aside"), FIELD_STRING, offsetof(struct thing, aside), NULL, true },
};
static const struct shape thing_shape = SHAPE_INIT(thing_fields, struct thing);

/* The verdict alone, over an exact copy. */
static bool accepts(struct str text)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct err err = { 0 }, aside = { 0 };
    struct thing thing = { 0 };
    char *copy = exact_copy(text);
    struct json_input input = { .text = { copy, text.len }, .arena = &arena, .aside = &aside };
    bool ok = json_read(&input, &thing_shape, &thing, &err).ok;
    ck_assert(ok || err.msg[0] != '\0');
    ck_assert(ok || err.kind == ERR_INPUT);
    ck_assert(ok || input.error_offset <= text.len);
    free(copy);
    return ok;
}

/* Each is the value of a member that no field names, and of one that keeps its text. */
static const struct {
    struct str value;
    bool valid;
} values[] = {
    { STR_INIT("null"), true },
    { STR_INIT("true"), true },
    { STR_INIT("false"), true },
    { STR_INIT("nul"), false },
    { STR_INIT("nulll"), false },
    { STR_INIT("True"), false },
    { STR_INIT("NaN"), false },
    { STR_INIT("Infinity"), false },
    { STR_INIT("undefined"), false },
    { STR_INIT(""), false },
    { STR_INIT("0"), true },
    { STR_INIT("-0"), true },
    { STR_INIT("-"), false },
    { STR_INIT("+1"), false },
    { STR_INIT("01"), false },
    { STR_INIT("-01"), false },
    { STR_INIT("1."), false },
    { STR_INIT(".5"), false },
    { STR_INIT("1.5"), true },
    { STR_INIT("1.5e3"), true },
    { STR_INIT("1E+3"), true },
    { STR_INIT("1e-3"), true },
    { STR_INIT("1e"), false },
    { STR_INIT("1e+"), false },
    { STR_INIT("1.e3"), false },
    { STR_INIT("0x10"), false },
    { STR_INIT("1_000"), false },
    { STR_INIT("- 1"), false },
    { STR_INIT("9223372036854775807"), true },
    { STR_INIT("9223372036854775808"), false },
    { STR_INIT("-9223372036854775808"), true },
    { STR_INIT("-9223372036854775809"), false },
    { STR_INIT("123456789012345678901234567890"), false },
    { STR_INIT("1e308"), true },
    { STR_INIT("1e309"), false },
    { STR_INIT("-1e309"), false },
    { STR_INIT("1e-400"), true },
    { STR_INIT("0.000000000000000000000000000000000000000000001"), true },
    { STR_INIT("123456789012345678901234567890.0"), true },
    { STR_INIT("1.0e999999999999999999999999"), false },
    { STR_INIT("\"\""), true },
    { STR_INIT("\"a"), false },
    { STR_INIT("a"), false },
    { STR_INIT("'a'"), false },
    { STR_INIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), true },
    { STR_INIT("\"\\v\""), false },
    { STR_INIT("\"\\a\""), false },
    { STR_INIT("\"\\0\""), false },
    { STR_INIT("\"\\\n\""), false },
    { STR_INIT("\"\\\""), false },
    { STR_INIT("\"\\u0041\""), true },
    { STR_INIT("\"\\u004\""), false },
    { STR_INIT("\"\\u00g1\""), false },
    { STR_INIT("\"\\U0041\""), false },
    { STR_INIT("\"\\u0000\""), true },
    { STR_INIT("\"\\ud83d\\ude00\""), true },
    { STR_INIT("\"\\uD83D\\uDE00\""), true },
    { STR_INIT("\"\\ud83d\""), false },
    { STR_INIT("\"\\ud83dx\""), false },
    { STR_INIT("\"\\ud83d\\n\""), false },
    { STR_INIT("\"\\ud83d\\ud83d\""), false },
    { STR_INIT("\"\\ud83d\\u0041\""), false },
    { STR_INIT("\"\\ude00\""), false },
    { STR_INIT("\"\\ude00\\ud83d\""), false },
    { STR_INIT("\"\n\""), false },
    { STR_INIT("\"\t\""), false },
    { STR_INIT("\"\0\""), false },
    { STR_INIT("\"\x1f\""), false },
    { STR_INIT("\"\x7f\""), true },
    { STR_INIT("\"\xC3\xA9\""), true },
    { STR_INIT("\"\xE2\x82\xAC\""), true },
    { STR_INIT("\"\xF0\x9F\x98\x80\""), true },
    { STR_INIT("\"\xF4\x8F\xBF\xBF\""), true },
    { STR_INIT("\"\xF4\x90\x80\x80\""), false },
    { STR_INIT("\"\xF5\x80\x80\x80\""), false },
    { STR_INIT("\"\xC0\xAF\""), false },
    { STR_INIT("\"\xC1\xBF\""), false },
    { STR_INIT("\"\xE0\x80\xAF\""), false },
    { STR_INIT("\"\xF0\x80\x80\xAF\""), false },
    { STR_INIT("\"\xED\xA0\x80\""), false },
    { STR_INIT("\"\xED\xBF\xBF\""), false },
    { STR_INIT("\"\xC3\""), false },
    { STR_INIT("\"\xE2\x82\""), false },
    { STR_INIT("\"\xF0\x9F\x98\""), false },
    { STR_INIT("\"\x80\""), false },
    { STR_INIT("\"\xFF\""), false },
    { STR_INIT("\xEF\xBB\xBFnull"), false },
    { STR_INIT("[]"), true },
    { STR_INIT("[ ]"), true },
    { STR_INIT("[1,2]"), true },
    { STR_INIT("[1 2]"), false },
    { STR_INIT("[1,]"), false },
    { STR_INIT("[,1]"), false },
    { STR_INIT("[1,,2]"), false },
    { STR_INIT("[1"), false },
    { STR_INIT("[1}"), false },
    { STR_INIT("]"), false },
    { STR_INIT("[[[[[[]]]]]]"), true },
    { STR_INIT("[\"a\",null,true,{},[]]"), true },
    { STR_INIT("{}"), true },
    { STR_INIT("{ }"), true },
    { STR_INIT("{\"a\":1}"), true },
    { STR_INIT("{\"a\" : 1 , \"b\":2}"), true },
    { STR_INIT("{\"a\":1,}"), false },
    { STR_INIT("{,\"a\":1}"), false },
    { STR_INIT("{\"a\"}"), false },
    { STR_INIT("{\"a\":}"), false },
    { STR_INIT("{\"a\" 1}"), false },
    { STR_INIT("{\"a\"=1}"), false },
    { STR_INIT("{a:1}"), false },
    { STR_INIT("{1:1}"), false },
    { STR_INIT("{null:1}"), false },
    { STR_INIT("{\"a\":1 \"b\":2}"), false },
    { STR_INIT("{\"a\":1"), false },
    { STR_INIT("{\"a\":1]"), false },
    { STR_INIT("{\"\":1}"), true },
    { STR_INIT("{\"\\u0061\":1}"), true },
    { STR_INIT("{\"\xFF\":1}"), false },
    { STR_INIT("{\"a\\q\":1}"), false },
    { STR_INIT(" \t\r\n1 \t\r\n"), true },
    { STR_INIT("\v1"), false },
    { STR_INIT("\f1"), false },
    { STR_INIT("\xC2\xA0"
               "1"),
      false },
    { STR_INIT("1 // c"), false },
    { STR_INIT("/* c */ 1"), false },
    { STR_INIT("1 1"), false },
    { STR_INIT("\0"), false },
};

START_TEST(agrees_with_jansson)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct err err = { 0 };
    static const char *const members[] = { "skipped", "raw" };
    for (size_t i = 0; i < 2; i++) {
        char *text = NULL;
        struct str value = values[_i].value;
        expect_done(arena_take(&arena, value.len + 32, &text, &err), &err);
        size_t len = (size_t)sprintf(text, "{\"%s\":", members[i]);
        memcpy(text + len, value.ptr, value.len);
        text[len + value.len] = '}';
        struct str whole = { text, len + value.len + 1 };
        ck_assert_int_eq(jansson_accepts(whole), values[_i].valid);
        ck_assert_int_eq(accepts(whole), values[_i].valid);
    }
}
END_TEST

static const struct {
    struct str text;
    bool jansson; /* accepts it */
    const char *message;
} roots[] = {
    { STR_INIT(""), false, "expected a value, but the text ends at byte 0" },
    { STR_INIT("  "), false, "expected a value, but the text ends at byte 2" },
    { STR_INIT("[]"), true, "a list where an object belongs" },
    { STR_INIT("null"), false, "null where an object belongs" },
    { STR_INIT("\"{}\""), false, "a string where an object belongs" },
    { STR_INIT("5"), false, "a number where an object belongs" },
    { STR_INIT("{}{}"), false, "expected nothing more at byte 2" },
    { STR_INIT("{} x"), false, "expected nothing more at byte 3" },
    { STR_INIT("{}\0"), false, "expected nothing more at byte 2" },
    { STR_INIT("{\"raw\":[1;2]}"), false, "expected , or ] at byte 9" },
    { STR_INIT("{\"raw\":1;}"), false, "expected , or } at byte 8" },
    { STR_INIT("{\"raw\":\"\xFF\"}"), false, "invalid UTF-8 at byte 8" },
    { STR_INIT("{\"raw\":\"\\x\"}"), false, "invalid escape in a string at byte 8" },
    { STR_INIT("{\"raw\":\"\n\"}"), false, "control character in a string at byte 8" },
    { STR_INIT("{\"raw\":\"a"), false, "expected the end of a string, but the text ends at byte 9" },
    { STR_INIT("{\"raw\":1e400}"), false, "number out of range at byte 7" },
    { STR_INIT("{\"raw\":1\0}"), true, "expected , or } at byte 8" }, /* Jansson loses a NUL behind a number */
    { STR_INIT("{\"raw\":-}"), false, "expected a digit at byte 8" },
    { STR_INIT("{\"raw\" 1}"), false, "expected : at byte 7" },
    { STR_INIT("{raw:1}"), false, "expected a member's name in quotes at byte 1" },
};

START_TEST(says_where)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct json_input input = { .text = roots[_i].text, .arena = &arena };
    struct thing thing = { 0 };
    struct err err = { 0 };
    ck_assert(!json_read(&input, &thing_shape, &thing, &err).ok);
    ck_assert_int_eq(err.kind, ERR_INPUT);
    ck_assert_str_eq(err.msg, roots[_i].message);
    ck_assert_int_eq(jansson_accepts(roots[_i].text), roots[_i].jansson);
}
END_TEST

/* A value within `depth` lists, so that the whole has depth + 2 levels with the object around it. */
static struct str nested(struct arena *arena, const char *member, size_t depth, char open, char close)
{
    char *text = NULL;
    struct err err = { 0 };
    expect_done(arena_take(arena, depth * 8 + 32, &text, &err), &err);
    char *at = text + sprintf(text, "{\"%s\":", member);
    for (size_t i = 0; i < depth; i++)
        at += sprintf(at, open == '{' ? "{\"a\":" : "[");
    *at++ = '1';
    for (size_t i = 0; i < depth; i++)
        *at++ = close;
    *at++ = '}';
    return (struct str){ text, (size_t)(at - text) };
}

static const struct {
    const char *member;
    size_t levels;
    char open, close;
} depths[] = {
    { "skipped", 2047, '[', ']' },   { "skipped", 2048, '[', ']' }, { "skipped", 2049, '[', ']' },
    { "skipped", 2048, '{', '}' },   { "skipped", 2049, '{', '}' }, { "raw", 2048, '[', ']' },
    { "raw", 2049, '{', '}' },       { "text", 2049, '[', ']' },    { "aside", 2049, '[', ']' },
    { "skipped", 100000, '[', ']' },
};

START_TEST(depth_is_bounded)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    size_t levels = depths[_i].levels;
    struct str text = nested(&arena, depths[_i].member, levels - 2, depths[_i].open, depths[_i].close);
    ck_assert_int_eq(jansson_accepts(text), levels <= 2048);
    ck_assert_int_eq(accepts(text), levels <= 2048);
}
END_TEST

START_TEST(truncation_is_refused_at_every_byte)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct str whole = data_file(&arena, "reviews/023-validate-v1-pod-create-pod-two-containers.json");
    while (whole.len > 0 && whole.ptr[whole.len - 1] != '}')
        whole.len--;
    ck_assert(accepts(whole));
    for (size_t len = 0; len < whole.len; len++)
        ck_assert(!accepts((struct str){ whole.ptr, len }));
}
END_TEST

TCase *json_text_cases(void)
{
    TCase *cases = tcase_create("text");
    tcase_add_loop_test(cases, agrees_with_jansson, 0, ROWS(values));
    tcase_add_loop_test(cases, says_where, 0, ROWS(roots));
    tcase_add_loop_test(cases, depth_is_bounded, 0, ROWS(depths));
    tcase_add_test(cases, truncation_is_refused_at_every_byte);
    return cases;
}

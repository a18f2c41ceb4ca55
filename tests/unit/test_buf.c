#include <jansson.h>

#include "tests/unit/fixtures.h"
#include "tests/unit/suites.h"

#include "base/buf.h"

static struct str finished(struct buf *buf)
{
    struct str out = { 0 };
    struct err err = { 0 };
    expect_done(buf_finish(buf, &out, &err), &err);
    return out;
}

START_TEST(appends)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct buf buf = buf_in(&arena);
    expect_text(finished(&buf), "");
    buf_put(&buf, STR("a"));
    buf_put(&buf, (struct str){ 0 });
    buf_put_char(&buf, 'b');
    buf_print(&buf, "%d%s", 12, "");
    struct str text = finished(&buf);
    expect_text(text, "ab12");
    ck_assert_int_eq(text.ptr[text.len], '\0');
}
END_TEST

START_TEST(grows)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct buf buf = buf_in(&arena);
    for (size_t i = 0; i < 20000; i++)
        buf_print(&buf, "%05zu", i);
    struct str text = finished(&buf);
    ck_assert_uint_eq(text.len, 100000);
    ck_assert_mem_eq(text.ptr + 12345 * 5, "12345", 5);
    ck_assert_mem_eq(text.ptr + 99995, "19999", 5);
}
END_TEST

START_TEST(failure_sticks)
{
    CLEANUP(arena_free) struct arena arena = { .ceiling_bytes = 600 };
    struct buf buf = buf_in(&arena);
    struct err err = { 0 };
    struct str out = { 0 };
    buf_put(&buf, STR("kept"));
    buf_print(&buf, "%1000d", 1);
    size_t len = buf.len;
    buf_put_json_string(&buf, STR("more"));
    buf_put_base64(&buf, STR("more"));
    buf_put_char(&buf, 'x');
    ck_assert_uint_eq(buf.len, len);
    ck_assert(!buf_finish(&buf, &out, &err).ok);
    ck_assert_int_eq(err.kind, ERR_TOO_LARGE);
    ck_assert_ptr_null(out.ptr);
}
END_TEST

static const struct {
    struct str text;
    const char *json;
} strings[] = {
    { STR_INIT(""), "\"\"" },
    { { NULL, 0 }, "\"\"" },
    { STR_INIT("plain"), "\"plain\"" },
    { STR_INIT("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"" },
    { STR_INIT("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"" },
    { STR_INIT("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\x7f\"" },
    { STR_INIT("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"" },
    { STR_INIT("\xFF"), "\"\\ufffd\"" },
    { STR_INIT("a\xC3"), "\"a\\ufffd\"" },
    { STR_INIT("\xC3\x28"), "\"\\ufffd(\"" },
    { STR_INIT("\xED\xA0\x80"), "\"\\ufffd\\ufffd\\ufffd\"" },
    { STR_INIT("\xC0\xAF"), "\"\\ufffd\\ufffd\"" },
};

START_TEST(puts_json_string)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct buf buf = buf_in(&arena);
    buf_put_json_string(&buf, strings[_i].text);
    expect_text(finished(&buf), strings[_i].json);
}
END_TEST

START_TEST(json_string_of_any_bytes_is_json)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    unsigned seed = 1;
    char bytes[64];
    for (int round = 0; round < 2000; round++) {
        struct buf buf = buf_in(&arena);
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (char)((seed = seed * 1103515245 + 12345) >> 16);
        buf_put_json_string(&buf, (struct str){ bytes, (size_t)(round % 64) });
        struct str text = finished(&buf);
        json_t *json = json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        ck_assert_ptr_nonnull(json);
        json_decref(json);
        arena_flush(&arena);
    }
}
END_TEST

/* RFC 4648, section 10. */
static const struct {
    struct str text;
    const char *base64;
} encoded[] = {
    { STR_INIT(""), "" },
    { STR_INIT("f"), "Zg==" },
    { STR_INIT("fo"), "Zm8=" },
    { STR_INIT("foo"), "Zm9v" },
    { STR_INIT("foob"), "Zm9vYg==" },
    { STR_INIT("fooba"), "Zm9vYmE=" },
    { STR_INIT("foobar"), "Zm9vYmFy" },
    { STR_INIT("\xFF\xFE\xFD\0"), "//79AA==" },
};

START_TEST(base64)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct buf buf = buf_in(&arena);
    buf_put_base64(&buf, encoded[_i].text);
    expect_text(finished(&buf), encoded[_i].base64);
}
END_TEST

Suite *buf_suite(void)
{
    Suite *suite = suite_create("buf");
    TCase *cases = tcase_create("buf");
    tcase_add_test(cases, appends);
    tcase_add_test(cases, grows);
    tcase_add_test(cases, failure_sticks);
    tcase_add_loop_test(cases, puts_json_string, 0, ROWS(strings));
    tcase_add_test(cases, json_string_of_any_bytes_is_json);
    tcase_add_loop_test(cases, base64, 0, ROWS(encoded));
    suite_add_tcase(suite, cases);
    return suite;
}

#include "base/utf8.h"

#include <stdlib.h>

#include "tests/unit/fixtures.h"
#include "tests/unit/suites.h"

/* The boundaries of RFC 3629, section 4. */
static const struct {
    struct str bytes;
    size_t len; /* 0: none */
} sequences[] = {
    { STR_INIT("a"), 1 },
    { STR_INIT("\0"), 1 },
    { STR_INIT("\x7f"), 1 },
    { STR_INIT("\x80"), 0 },
    { STR_INIT("\xBF"), 0 },
    { STR_INIT("\xC0\x80"), 0 },
    { STR_INIT("\xC1\xBF"), 0 },
    { STR_INIT("\xC2\x80"), 2 },
    { STR_INIT("\xDF\xBF"), 2 },
    { STR_INIT("\xDF\xC0"), 0 },
    { STR_INIT("\xDF"), 0 },
    { STR_INIT("\xE0\x9F\xBF"), 0 },
    { STR_INIT("\xE0\xA0\x80"), 3 },
    { STR_INIT("\xE2\x82\xAC"), 3 },
    { STR_INIT("\xE2\x82"), 0 },
    { STR_INIT("\xE2\x82\x28"), 0 },
    { STR_INIT("\xED\x9F\xBF"), 3 },
    { STR_INIT("\xED\xA0\x80"), 0 },
    { STR_INIT("\xED\xBF\xBF"), 0 },
    { STR_INIT("\xEE\x80\x80"), 3 },
    { STR_INIT("\xEF\xBF\xBF"), 3 },
    { STR_INIT("\xF0\x8F\xBF\xBF"), 0 },
    { STR_INIT("\xF0\x90\x80\x80"), 4 },
    { STR_INIT("\xF0\x9F\x98\x80"), 4 },
    { STR_INIT("\xF0\x9F\x98"), 0 },
    { STR_INIT("\xF4\x8F\xBF\xBF"), 4 },
    { STR_INIT("\xF4\x90\x80\x80"), 0 },
    { STR_INIT("\xF5\x80\x80\x80"), 0 },
    { STR_INIT("\xFF"), 0 },
};

START_TEST(sequence)
{
    char *copy = exact_copy(sequences[_i].bytes);
    ck_assert_uint_eq(utf8_sequence(copy, copy + sequences[_i].bytes.len), sequences[_i].len);
    free(copy);
}
END_TEST

START_TEST(every_code_point_comes_back)
{
    char out[4];
    size_t wrong = 0; /* an assertion per code point would take a minute */
    for (uint32_t code_point = 0; code_point <= 0x10FFFF; code_point++) {
        if (code_point >= 0xD800 && code_point <= 0xDFFF)
            continue;
        size_t len = utf8_encode(code_point, out);
        wrong += utf8_sequence(out, out + len) != len || (len > 1 && utf8_sequence(out, out + len - 1) != 0);
    }
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

static const struct {
    const char *text;
    size_t max;
    size_t cut;
} cuts[] = {
    { "abc", 5, 3 },
    { "abc", 3, 3 },
    { "abc", 2, 2 },
    { "abc", 0, 0 },
    { "a\xC3\xA9z", 2, 1 },
    { "a\xC3\xA9z", 3, 3 },
    { "\xF0\x9F\x98\x80", 3, 0 },
    { "a\xF0\x9F\x98\x80", 4, 1 },
    { "a\xF0\x9F\x98\x80", 5, 5 },
};

START_TEST(cut)
{
    ck_assert_uint_eq(utf8_cut(cuts[_i].text, strlen(cuts[_i].text), cuts[_i].max), cuts[_i].cut);
}
END_TEST

Suite *utf8_suite(void)
{
    Suite *suite = suite_create("utf8");
    TCase *cases = tcase_create("utf8");
    tcase_add_loop_test(cases, sequence, 0, ROWS(sequences));
    tcase_add_test(cases, every_code_point_comes_back);
    tcase_add_loop_test(cases, cut, 0, ROWS(cuts));
    suite_add_tcase(suite, cases);
    return suite;
}

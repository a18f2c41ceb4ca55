#include "policy/labels.h"

#include "tests/unit/fixtures.h"
#include "tests/unit/suites.h"

#define S10 "abcdefghij"
#define S60 S10 S10 S10 S10 S10 S10
#define S250 S60 S60 S60 S60 S10

static const struct {
    struct str key;
    bool valid;
} keys[] = {
    { STR_INIT("a"), true },
    { STR_INIT("A9"), true },
    { STR_INIT("role"), true },
    { STR_INIT("a-b_c.d"), true },
    { STR_INIT("9"), true },
    { STR_INIT(S60 "abc"), true },
    { STR_INIT(S60 "abcd"), false },
    { STR_INIT(""), false },
    { { NULL, 0 }, false },
    { STR_INIT("-a"), false },
    { STR_INIT("a-"), false },
    { STR_INIT("_a"), false },
    { STR_INIT(".a"), false },
    { STR_INIT("a."), false },
    { STR_INIT("a b"), false },
    { STR_INIT("a=b"), false },
    { STR_INIT("a\xC3\xA9"
               "a"),
      false },
    { STR_INIT("a\0b"), false },
    { STR_INIT("a\n"), false },
    { STR_INIT("eks.amazonaws.com/fargate-profile"), true },
    { STR_INIT("a/b"), true },
    { STR_INIT("a-b.c-d/E_f"), true },
    { STR_INIT("9.9/9"), true },
    { STR_INIT("/b"), false },
    { STR_INIT("a/"), false },
    { STR_INIT("/"), false },
    { STR_INIT("a/b/c"), false },
    { STR_INIT("A/b"), false },
    { STR_INIT("a_b/c"), false },
    { STR_INIT("-a/b"), false },
    { STR_INIT("a-/b"), false },
    { STR_INIT("a..b/c"), false },
    { STR_INIT(".a/b"), false },
    { STR_INIT("a./b"), false },
    { STR_INIT("a.-b/c"), false },
    { STR_INIT("a-.b/c"), false },
    { STR_INIT("a\0b/c"), false },
    { STR_INIT(S250 "abc/" S60 "abc"), true },
    { STR_INIT(S250 "abcd/a"), false },
    { STR_INIT("a/" S60 "abcd"), false },
};

START_TEST(key_syntax)
{
    ck_assert_int_eq(label_key_valid(keys[_i].key), keys[_i].valid);
}
END_TEST

static const struct {
    struct str value;
    bool valid;
} values[] = {
    { STR_INIT(""), true },        { { NULL, 0 }, true },         { STR_INIT("a"), true },
    { STR_INIT("A-b_c.9"), true }, { STR_INIT(S60 "abc"), true }, { STR_INIT(S60 "abcd"), false },
    { STR_INIT("-"), false },      { STR_INIT("a-"), false },     { STR_INIT(".a"), false },
    { STR_INIT("_a"), false },     { STR_INIT("a/b"), false },    { STR_INIT("a b"), false },
    { STR_INIT(" "), false },      { STR_INIT("a,b"), false },    { STR_INIT("\xC3\xA9"), false },
    { STR_INIT("a\0"), false },
};

START_TEST(value_syntax)
{
    ck_assert_int_eq(label_value_valid(values[_i].value), values[_i].valid);
}
END_TEST

START_TEST(get_finds_each_and_no_other)
{
    struct str_pair pairs[] = { { STR(""), STR("0") },
                                { STR("a"), STR("1") },
                                { STR("a/b"), STR("2") },
                                { STR("ab"), STR("") },
                                { STR("b"), STR("4") } };
    for (size_t count = 0; count <= 5; count++) {
        const struct str_map labels = { pairs, count, true };
        for (size_t i = 0; i < 5; i++)
            ck_assert_ptr_eq(labels_get(&labels, pairs[i].key), i < count ? &pairs[i].value : NULL);
        ck_assert_ptr_null(labels_get(&labels, STR("aa")));
        ck_assert_ptr_null(labels_get(&labels, STR("B")));
        ck_assert_ptr_null(labels_get(&labels, STR("z")));
    }
    const struct str_map none = { 0 };
    ck_assert_ptr_null(labels_get(&none, STR("a")));
}
END_TEST

START_TEST(copy_is_deep)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    char key[] = "role", value[] = "web";
    struct str_pair pair = { str_of(key), str_of(value) };
    const struct str_map labels = { &pair, 1, true };
    struct str_map copy = { 0 };
    struct err err = { 0 };
    expect_done(labels_copy(&arena, &labels, &copy, &err), &err);
    memset(key, 'x', sizeof key);
    memset(value, 'x', sizeof value);
    pair = (struct str_pair){ 0 };
    ck_assert(copy.present);
    expect_text(*labels_get(&copy, STR("role")), "web");
}
END_TEST

START_TEST(copy_fails_at_the_ceiling)
{
    CLEANUP(arena_free) struct arena arena = { .ceiling_bytes = 8 };
    struct str_pair pair = { STR("role"), STR("web") };
    const struct str_map labels = { &pair, 1, true };
    struct str_map copy = { 0 };
    struct err err = { 0 };
    ck_assert(!labels_copy(&arena, &labels, &copy, &err).ok);
    ck_assert_int_eq(err.kind, ERR_TOO_LARGE);
    ck_assert_ptr_null(copy.items);
    ck_assert_uint_eq(copy.count, 0);
}
END_TEST

Suite *labels_suite(void)
{
    Suite *suite = suite_create("labels");
    TCase *cases = tcase_create("labels");
    tcase_add_loop_test(cases, key_syntax, 0, ROWS(keys));
    tcase_add_loop_test(cases, value_syntax, 0, ROWS(values));
    tcase_add_test(cases, get_finds_each_and_no_other);
    tcase_add_test(cases, copy_is_deep);
    tcase_add_test(cases, copy_fails_at_the_ceiling);
    suite_add_tcase(suite, cases);
    return suite;
}

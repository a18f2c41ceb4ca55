#include "admission/findings.h"

#include "tests/unit/fixtures.h"
#include "tests/unit/suites.h"

static struct finding finding_of(enum check check, enum action action, const char *field, const char *message)
{
    return (struct finding){ .check = check, .action = action, .field = str_of(field), .message = str_of(message) };
}

static void append(struct findings *findings, struct finding finding)
{
    struct err err = { 0 };
    expect_done(findings_append(findings, &finding, &err), &err);
}

START_TEST(append_keeps_what_is_reported)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct findings findings = { .arena = &arena };
    append(&findings, finding_of(CHECK_POD_WINDOWS, ACTION_IGNORE, "a", "m"));
    append(&findings, finding_of(CHECK_POD_FARGATE, ACTION_ANNOTATE, "b", "m"));
    append(&findings, finding_of(CHECK_POD_WINDOWS, ACTION_WARN, "c", "m"));
    append(&findings, finding_of(CHECK_POD_GROUP_COUNT, ACTION_DENY, "d", "m"));
    ck_assert_str_eq(findings_line(&arena, &findings), "pod-windows=warn@c pod-group-count=deny@d");
    ck_assert_uint_eq(findings_with(&findings, ACTION_WARN), 1);
    ck_assert_uint_eq(findings_with(&findings, ACTION_DENY), 1);
    ck_assert_uint_eq(findings_with(&findings, ACTION_IGNORE), 0);
}
END_TEST

START_TEST(append_grows_to_its_bound)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct findings findings = { .arena = &arena };
    static const char *const fields[] = { "a", "b", "c" };
    for (size_t i = 0; i < 1000; i++)
        append(&findings, finding_of(CHECK_POD_WINDOWS, ACTION_WARN, fields[i % 3], "m"));
    ck_assert_uint_eq(findings.count, FINDINGS_MAX);
    ck_assert_uint_eq(findings.omitted, 1000 - FINDINGS_MAX);
    expect_text(findings.items[FINDINGS_MAX - 1].field, "a");
    expect_text(findings.items[FINDINGS_MAX - 2].field, "c");
    append(&findings, finding_of(CHECK_POD_GROUP_COUNT, ACTION_DENY, "d", "m"));
    ck_assert_uint_eq(findings_with(&findings, ACTION_DENY), 1); /* a refusal is never the one left out */
}
END_TEST

START_TEST(append_fails_at_the_ceiling)
{
    CLEANUP(arena_free) struct arena arena = { .ceiling_bytes = 16 };
    struct findings findings = { .arena = &arena };
    struct finding finding = finding_of(CHECK_POD_WINDOWS, ACTION_WARN, "a", "m");
    struct err err = { 0 };
    ck_assert(!findings_append(&findings, &finding, &err).ok);
    ck_assert_int_eq(err.kind, ERR_TOO_LARGE);
    ck_assert_uint_eq(findings.count, 0);
}
END_TEST

/* Against a stored object that has one refusal: pod-group-count of field f with message m. */
static const struct {
    enum check check;
    enum action action;
    const char *field, *message;
    enum action after;
} ratcheted[] = {
    { CHECK_POD_GROUP_COUNT, ACTION_DENY, "f", "m", ACTION_WARN },
    { CHECK_POD_GROUP_COUNT, ACTION_WARN, "f", "m", ACTION_WARN },
    { CHECK_POD_GROUP_COUNT, ACTION_DENY, "f", "more", ACTION_DENY },
    { CHECK_POD_GROUP_COUNT, ACTION_DENY, "g", "m", ACTION_DENY },
    { CHECK_POD_WINDOWS, ACTION_DENY, "f", "m", ACTION_DENY },
};

START_TEST(ratchet)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct findings stored = { .arena = &arena }, findings = { .arena = &arena };
    append(&stored, finding_of(CHECK_POD_GROUP_COUNT, ACTION_DENY, "f", "m"));
    append(&findings,
           finding_of(ratcheted[_i].check, ratcheted[_i].action, ratcheted[_i].field, ratcheted[_i].message));
    findings_ratchet(&findings, &stored);
    ck_assert_int_eq(findings.items[0].action, ratcheted[_i].after);
}
END_TEST

START_TEST(ratchet_against_nothing)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    const struct findings stored = { .arena = &arena };
    struct findings findings = { .arena = &arena };
    append(&findings, finding_of(CHECK_POD_GROUP_COUNT, ACTION_DENY, "f", "m"));
    findings_ratchet(&findings, &stored);
    ck_assert_int_eq(findings.items[0].action, ACTION_DENY);
}
END_TEST

Suite *findings_suite(void)
{
    Suite *suite = suite_create("findings");
    TCase *cases = tcase_create("findings");
    tcase_add_test(cases, append_keeps_what_is_reported);
    tcase_add_test(cases, append_grows_to_its_bound);
    tcase_add_test(cases, append_fails_at_the_ceiling);
    tcase_add_loop_test(cases, ratchet, 0, ROWS(ratcheted));
    tcase_add_test(cases, ratchet_against_nothing);
    suite_add_tcase(suite, cases);
    return suite;
}

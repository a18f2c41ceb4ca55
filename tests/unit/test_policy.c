#include "policy/policy.h"

#include "base/json.h"
#include "policy/objects.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/suites.h"

#define WEB "{'matchLabels':{'role':'web'}}"
#define PAY "{'matchLabels':{'team':'pay'}}"
#define BROKEN "{'matchExpressions':[{'key':'a','operator':'Is'}]}"
#define GROUPS "'securityGroups':{'groupIds':['sg-0000000a']}"

static const struct policy_set *set_of(struct arena *arena, const char *const *specs, size_t count)
{
    struct policy_spec *policies = NULL;
    struct policy_set *set = NULL;
    struct err err = { 0 };
    expect_done(arena_take_array(arena, count, sizeof *policies, &policies, &err), &err);
    for (size_t i = 0; i < count; i++) {
        struct policy_object *object = NULL;
        struct json_input input = { .text = quoted(arena, specs[i]), .arena = arena };
        expect_done(arena_take(arena, sizeof *object, &object, &err), &err);
        expect_done(json_read(&input, &policy_object_shape, object, &err), &err);
        policies[i] = policy_object_spec(object);
    }
    expect_done(policy_set_build(policies, count, arena, &set, &err), &err);
    ck_assert_uint_eq(set->count, count);
    return set;
}

static const struct {
    const char *policy;
    const char *why; /* NULL: it can select something */
} inert[] = {
    { "{'spec':{'podSelector':{}," GROUPS "}}", NULL },
    { "{'spec':{'serviceAccountSelector':{}," GROUPS "}}", NULL },
    { "{'spec':{'podSelector':" WEB ",'serviceAccountSelector':" PAY "," GROUPS "}}", NULL },
    { "{'spec':{" GROUPS "}}", "neither podSelector nor serviceAccountSelector is given" },
    { "{'spec':{'podSelector':null," GROUPS "}}", "neither podSelector nor serviceAccountSelector is given" },
    { "{}", "neither podSelector nor serviceAccountSelector is given" },
    { "{'spec':{'podSelector':" BROKEN "," GROUPS "}}", "its podSelector is invalid" },
    { "{'spec':{'podSelector':" WEB ",'serviceAccountSelector':" BROKEN "," GROUPS "}}",
      "its serviceAccountSelector is invalid" },
    { "{'spec':{'podSelector':" WEB "}}", "it names no security groups" },
    { "{'spec':{'podSelector':{},'securityGroups':{'groupIds':[]}}}", "it names no security groups" },
    { "{'spec':{'podSelector':{},'securityGroups':null}}", "it names no security groups" },
};

START_TEST(inert_policies)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    const struct policy *policy = set_of(&arena, &inert[_i].policy, 1)->policies;
    struct str_pair pair = { STR("role"), STR("web") };
    const struct str_map labels = { &pair, 1, true };
    struct str_pair team = { STR("team"), STR("pay") };
    const struct account account = { STR("pay"), { &team, 1, true } };
    if (inert[_i].why)
        ck_assert_str_eq(policy_inert(policy), inert[_i].why);
    else
        ck_assert_ptr_null(policy_inert(policy));
    ck_assert_int_eq(policy_matches(policy, &labels, &account), inert[_i].why ? MATCH_NO : MATCH_YES);
}
END_TEST

static const struct account pay = { STR_INIT("pay"),
                                    { (struct str_pair[]){ { STR_INIT("team"), STR_INIT("pay") } }, 1, true } };
static const struct account other = { STR_INIT("other"), { NULL, 0, false } };
static const struct str_map web_labels = { (struct str_pair[]){ { STR_INIT("role"), STR_INIT("web") } }, 1, true };
static const struct str_map no_labels = { NULL, 0, false };

#define BY_POD "{'spec':{'podSelector':" WEB "," GROUPS "}}"
#define BY_ACCOUNT "{'spec':{'serviceAccountSelector':" PAY "," GROUPS "}}"
#define BY_BOTH "{'spec':{'podSelector':" WEB ",'serviceAccountSelector':" PAY "," GROUPS "}}"
#define BY_ALL_ACCOUNTS "{'spec':{'serviceAccountSelector':{}," GROUPS "}}"
#define BY_NO_TEAM                                                                                                     \
    "{'spec':{'serviceAccountSelector':{'matchExpressions':[{'key':'team','operator':'DoesNotExist'}]}," GROUPS "}}"

static const struct {
    const char *policy;
    const struct str_map *labels;
    const struct account *account;
    enum policy_match match;
} matching[] = {
    { BY_POD, &web_labels, NULL, MATCH_YES },         { BY_POD, &web_labels, &other, MATCH_YES },
    { BY_POD, &no_labels, &pay, MATCH_NO },           { BY_ACCOUNT, &no_labels, &pay, MATCH_YES },
    { BY_ACCOUNT, &web_labels, &other, MATCH_NO },    { BY_ACCOUNT, &web_labels, NULL, MATCH_UNKNOWN },
    { BY_BOTH, &web_labels, &pay, MATCH_YES },        { BY_BOTH, &web_labels, &other, MATCH_NO },
    { BY_BOTH, &no_labels, &pay, MATCH_NO },          { BY_BOTH, &web_labels, NULL, MATCH_UNKNOWN },
    { BY_BOTH, &no_labels, NULL, MATCH_NO }, /* the account cannot change it */
    { BY_ALL_ACCOUNTS, &no_labels, NULL, MATCH_YES }, { BY_ALL_ACCOUNTS, &no_labels, &other, MATCH_YES },
    { BY_NO_TEAM, &no_labels, &other, MATCH_YES },    { BY_NO_TEAM, &no_labels, &pay, MATCH_NO },
    { BY_NO_TEAM, &no_labels, NULL, MATCH_UNKNOWN },
};

START_TEST(matches)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    const struct policy *policy = set_of(&arena, &matching[_i].policy, 1)->policies;
    ck_assert_int_eq(policy_matches(policy, matching[_i].labels, matching[_i].account), matching[_i].match);
}
END_TEST

START_TEST(set_is_sorted_by_name)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    static const char *const specs[] = { "{'metadata':{'name':'c'}}", "{'metadata':{'name':'a'}}",
                                         "{'metadata':{'name':'b'}}", "{'metadata':{'name':'ab'}}" };
    const struct policy_set *set = set_of(&arena, specs, 4);
    expect_text(set->policies[0].name, "a");
    expect_text(set->policies[1].name, "ab");
    expect_text(set->policies[2].name, "b");
    expect_text(set->policies[3].name, "c");
}
END_TEST

static const struct {
    const char *specs[2];
    bool by_account;
} by_account[] = {
    { { BY_POD, BY_POD }, false },
    { { BY_POD, BY_ACCOUNT }, true },
    { { BY_BOTH, BY_POD }, true },
    /* One that can select nothing asks nothing of anybody. */
    { { BY_POD, "{'spec':{'serviceAccountSelector':" BROKEN "," GROUPS "}}" }, false },
    { { BY_POD, "{'spec':{'serviceAccountSelector':" PAY "}}" }, false },
};

START_TEST(set_knows_whether_accounts_matter)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    ck_assert_int_eq(set_of(&arena, by_account[_i].specs, 2)->by_account, by_account[_i].by_account);
}
END_TEST

START_TEST(groups_stay_as_written)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    static const char *const spec =
        "{'spec':{'podSelector':{},'securityGroups':{'groupIds':['b','a','b',null,'x y']}}}";
    const struct policy *policy = set_of(&arena, &spec, 1)->policies;
    ck_assert_uint_eq(policy->groups.count, 5);
    expect_text(policy->groups.items[0], "b");
    expect_text(policy->groups.items[2], "b");
    expect_text(policy->groups.items[3], "");
}
END_TEST

START_TEST(empty_set)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    ck_assert(!set_of(&arena, NULL, 0)->by_account);
}
END_TEST

START_TEST(build_fails_whole)
{
    CLEANUP(arena_free) struct arena small = { .ceiling_bytes = 200 };
    const struct policy_spec specs[4] = { { .name = STR("a") }, { .name = STR("b") } };
    struct policy_set *set = NULL;
    struct err err = { 0 };
    ck_assert(!policy_set_build(specs, 4, &small, &set, &err).ok);
    ck_assert_int_eq(err.kind, ERR_TOO_LARGE);
    ck_assert_ptr_null(set);
}
END_TEST

Suite *policy_suite(void)
{
    Suite *suite = suite_create("policy");
    TCase *cases = tcase_create("policy");
    tcase_add_loop_test(cases, inert_policies, 0, ROWS(inert));
    tcase_add_loop_test(cases, matches, 0, ROWS(matching));
    tcase_add_test(cases, set_is_sorted_by_name);
    tcase_add_loop_test(cases, set_knows_whether_accounts_matter, 0, ROWS(by_account));
    tcase_add_test(cases, groups_stay_as_written);
    tcase_add_test(cases, empty_set);
    tcase_add_test(cases, build_fails_whole);
    suite_add_tcase(suite, cases);
    return suite;
}

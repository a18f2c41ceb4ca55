/* POST /validate-v1beta1-securitygrouppolicy. */
#include <jansson.h>
#include <stdio.h>

#include "tests/unit/fixtures.h"
#include "tests/unit/suites.h"

#define GROUP "'securityGroups':{'groupIds':['sg-0000000a']}"
#define WEB "'podSelector':{'matchLabels':{'role':'web'}}"
#define IDS(ids) "{" WEB ",'securityGroups':{'groupIds':[" ids "]}}"
#define EXPRESSION(rest) "{'podSelector':{'matchExpressions':[{" rest "}]}," GROUP "}"
#define AT_IDS "@spec.securityGroups.groupIds"
#define INVALID "policy-selector-invalid=deny@spec."
#define NOT_RETROACTIVE "policy-not-retroactive=warn@spec"

static struct reply reply_of(struct world *world, const char *operation, const char *spec, const char *old)
{
    struct str object = { 0 }, old_object = { 0 };
    struct err err = { 0 };
    expect_done(arena_print(&world->arena, &object, &err, "{'metadata':{'name':'p'},'spec':%s}", spec ? spec : "{}"),
                &err);
    expect_done(arena_print(&world->arena, &old_object, &err, "{'metadata':{'name':'p'},'spec':%s}", old ? old : "{}"),
                &err);
    const struct ask question = {
        .path = "/validate-v1beta1-securitygrouppolicy",
        .operation = operation,
        .group = "vpcresources.k8s.aws",
        .kind = "SecurityGroupPolicy",
        .object = spec ? object.ptr : NULL,
        .old_object = old ? old_object.ptr : NULL,
    };
    return ask(world, &question);
}

static const struct {
    const char *spec, *findings;
} created[] = {
    { "{" WEB "," GROUP "}", "" },
    { "{'serviceAccountSelector':{'matchLabels':{'team':'pay'}}," GROUP "}", "" },
    { "{'podSelector':{'matchLabels':{'role':''}}," GROUP "}", "" },
    /* Selectors given or not. */
    { "{" GROUP "}", "policy-selector-missing=deny@spec" },
    { "{'podSelector':null,'serviceAccountSelector':null," GROUP "}", "policy-selector-missing=deny@spec" },
    { "{}", "policy-selector-missing=deny@spec policy-group-count=deny" AT_IDS },
    { "null", "policy-selector-missing=deny@spec policy-group-count=deny" AT_IDS },
    { "{" WEB ",'serviceAccountSelector':{'matchLabels':{'team':'pay'}}," GROUP "}", "policy-selector-both=deny@spec" },
    { "{'podSelector':{},'serviceAccountSelector':{'matchLabels':{'team':'pay'}}," GROUP "}",
      "policy-selector-both=deny@spec" },
    { "{'podSelector':{},'serviceAccountSelector':{}," GROUP "}",
      "policy-selector-both=deny@spec policy-selects-all=warn@spec.podSelector" },
    { "{'podSelector':{}," GROUP "}", "policy-selects-all=warn@spec.podSelector" },
    { "{'serviceAccountSelector':{}," GROUP "}", "policy-selects-all=warn@spec.serviceAccountSelector" },
    { "{'podSelector':{'matchLabels':{},'matchExpressions':[]}," GROUP "}",
      "policy-selects-all=warn@spec.podSelector" },
    { "{'podSelector':{'matchLabels':null}," GROUP "}", "policy-selects-all=warn@spec.podSelector" },
    /* Selectors that are none. */
    { "{'podSelector':{'matchLabels':{'a b':'c'}}," GROUP "}", INVALID "podSelector.matchLabels[a b]" },
    { "{'podSelector':{'matchLabels':{'':'c'}}," GROUP "}", INVALID "podSelector.matchLabels[]" },
    { "{'podSelector':{'matchLabels':{'a/b/c':'c'}}," GROUP "}", INVALID "podSelector.matchLabels[a/b/c]" },
    { "{'podSelector':{'matchLabels':{'A.B/c':'c'}}," GROUP "}", INVALID "podSelector.matchLabels[A.B/c]" },
    { "{'podSelector':{'matchLabels':{'a':'b c'}}," GROUP "}", INVALID "podSelector.matchLabels[a]" },
    { "{'podSelector':{'matchLabels':{'a':'-'}}," GROUP "}", INVALID "podSelector.matchLabels[a]" },
    { "{'serviceAccountSelector':{'matchLabels':{'a':'b/c'}}," GROUP "}",
      INVALID "serviceAccountSelector.matchLabels[a]" },
    { EXPRESSION(""),
      INVALID "podSelector.matchExpressions[0].key " INVALID "podSelector.matchExpressions[0].operator" },
    { EXPRESSION("'key':'a','operator':'Is'"), INVALID "podSelector.matchExpressions[0].operator" },
    { EXPRESSION("'key':'a','operator':'in','values':['b']"), INVALID "podSelector.matchExpressions[0].operator" },
    { EXPRESSION("'key':'a','operator':'In'"), INVALID "podSelector.matchExpressions[0].values" },
    { EXPRESSION("'key':'a','operator':'NotIn','values':[]"), INVALID "podSelector.matchExpressions[0].values" },
    { EXPRESSION("'key':'a','operator':'Exists','values':['b']"), INVALID "podSelector.matchExpressions[0].values" },
    { EXPRESSION("'key':'a','operator':'DoesNotExist','values':['b']"),
      INVALID "podSelector.matchExpressions[0].values" },
    { EXPRESSION("'key':'a','operator':'In','values':['b','c d']"),
      INVALID "podSelector.matchExpressions[0].values[1]" },
    { EXPRESSION("'key':'a','operator':'Exists'},{'key':'b','operator':'Gt','values':['1']"),
      INVALID "podSelector.matchExpressions[1].operator" },
    { "{'podSelector':{'matchLabels':{'-':''}},'serviceAccountSelector':{'matchLabels':{'-':''}}," GROUP "}",
      "policy-selector-both=deny@spec " INVALID "podSelector.matchLabels[-] " INVALID
      "serviceAccountSelector.matchLabels[-]" },
    /* Group ids. */
    { "{" WEB "}", "policy-group-count=deny" AT_IDS },
    { "{" WEB ",'securityGroups':null}", "policy-group-count=deny" AT_IDS },
    { "{" WEB ",'securityGroups':{'groupIds':null}}", "policy-group-count=deny" AT_IDS },
    { IDS(""), "policy-group-count=deny" AT_IDS },
    { IDS("'sg-00000001','sg-00000002','sg-00000003','sg-00000004','sg-00000005'"), "" },
    { IDS("'sg-00000001','sg-00000002','sg-00000003','sg-00000004','sg-00000005','sg-00000006'"),
      "policy-group-count=deny" AT_IDS },
    { IDS("'sg-0123456789abcdef0'"), "" },
    { IDS("'sg-0123456789abcdef'"), "policy-group-id=warn" AT_IDS "[0]" },
    { IDS("'sg-my-group'"), "policy-group-id=deny" AT_IDS "[0]" },
    { IDS("'sg-0000000A'"), "policy-group-id=warn" AT_IDS "[0]" },
    { IDS("'sg-000000000'"), "policy-group-id=warn" AT_IDS "[0]" },
    { IDS("'sg-abc123XYZ'"), "policy-group-id=warn" AT_IDS "[0]" },
    { IDS("'sg-'"), "policy-group-id=deny" AT_IDS "[0]" },
    { IDS("''"), "policy-group-id=deny" AT_IDS "[0]" },
    { IDS("null"), "policy-group-id=deny" AT_IDS "[0]" },
    { IDS("'web'"), "policy-group-id=deny" AT_IDS "[0]" },
    { IDS("'SG-0000000a'"), "policy-group-id=deny" AT_IDS "[0]" },
    { IDS("' sg-0000000a'"), "policy-group-id=deny" AT_IDS "[0]" },
    { IDS("'sg-0000000a '"), "policy-group-id=deny" AT_IDS "[0]" },
    { IDS("'sg-0000000a\\u0000'"), "policy-group-id=deny" AT_IDS "[0]" },
    { IDS("'sg-00000001','i-0000000a'"), "policy-group-id=deny" AT_IDS "[1]" },
    { IDS("'sg-00000001','sg-00000001'"), "policy-group-duplicate=warn" AT_IDS "[1]" },
    { IDS("'sg-00000001','sg-00000002','sg-00000001','sg-00000001'"),
      "policy-group-duplicate=warn" AT_IDS "[2] policy-group-duplicate=warn" AT_IDS "[3]" },
};

START_TEST(creation)
{
    CLEANUP(world_free) struct world world = world_new();
    CLEANUP(reply_free) struct reply reply = reply_of(&world, "CREATE", created[_i].spec, NULL);
    ck_assert_str_eq(findings_line(&world.arena, &reply.answer.findings), created[_i].findings);
    ck_assert_int_eq(reply.answer.allowed, strstr(created[_i].findings, "=deny@") == NULL);
}
END_TEST

#define SIX "'sg-00000001','sg-00000002','sg-00000003','sg-00000004','sg-00000005','sg-00000006'"
#define SEVEN SIX ",'sg-00000007'"

/* An update is not refused for what the stored policy violated in the same way. */
static const struct {
    const char *old, *new, *findings;
} updated[] = {
    { "{" WEB "," GROUP "}", "{" WEB "," GROUP "}", "" },
    { "{" WEB "," GROUP "}", "{'podSelector':{'matchLabels':{'role':'db'}}," GROUP "}", NOT_RETROACTIVE },
    { "{" WEB "," GROUP "}", IDS("'sg-0000000b'"), NOT_RETROACTIVE },
    { IDS("'sg-0000000b','sg-0000000a'"), IDS("'sg-0000000a','sg-0000000b'"), NOT_RETROACTIVE },
    { "{" WEB "," GROUP "}", "{'serviceAccountSelector':{'matchLabels':{'role':'web'}}," GROUP "}", NOT_RETROACTIVE },
    { EXPRESSION("'key':'a','operator':'In','values':['b']"), EXPRESSION("'key':'a','operator':'In','values':['b']"),
      "" },
    { EXPRESSION("'key':'a','operator':'In','values':['b']"), EXPRESSION("'key':'a','operator':'In','values':['c']"),
      NOT_RETROACTIVE },
    { EXPRESSION("'key':'a','operator':'In','values':['b']"), EXPRESSION("'key':'a','operator':'NotIn','values':['b']"),
      NOT_RETROACTIVE },
    { "{" WEB "," GROUP "}", IDS(SIX), "policy-group-count=deny" AT_IDS " " NOT_RETROACTIVE },
    { IDS(SIX), IDS(SIX), "policy-group-count=warn" AT_IDS },
    { IDS(SIX), IDS(SEVEN), "policy-group-count=deny" AT_IDS " " NOT_RETROACTIVE },
    { IDS("'x','sg-0000000a'"), IDS("'x','sg-0000000b'"), "policy-group-id=warn" AT_IDS "[0] " NOT_RETROACTIVE },
    { IDS("'sg-0000000a','x'"), IDS("'x','sg-0000000a'"), "policy-group-id=warn" AT_IDS "[0] " NOT_RETROACTIVE },
    { IDS("'sg-0000000a','x'"), IDS("'y','sg-0000000a'"), "policy-group-id=deny" AT_IDS "[0] " NOT_RETROACTIVE },
    { IDS(SEVEN), IDS(SIX), "policy-group-count=warn" AT_IDS " " NOT_RETROACTIVE },
    { IDS(SIX), IDS(""), "policy-group-count=deny" AT_IDS " " NOT_RETROACTIVE },
    { "5", "{" WEB "," GROUP "}", "" }, /* what cannot be read is no reason against what mends it */
    { "{" GROUP "}", "{" GROUP "}", "policy-selector-missing=warn@spec" },
    { "null", "{" GROUP "}", "policy-selector-missing=warn@spec " NOT_RETROACTIVE },
    { EXPRESSION("'key':'a','operator':'Is'"), EXPRESSION("'key':'a','operator':'Is'"),
      "policy-selector-invalid=warn@spec.podSelector.matchExpressions[0].operator" },
    { EXPRESSION("'key':'a','operator':'Is'"), EXPRESSION("'key':'a','operator':'Was'"),
      INVALID "podSelector.matchExpressions[0].operator " NOT_RETROACTIVE },
};

START_TEST(update)
{
    CLEANUP(world_free) struct world world = world_new();
    CLEANUP(reply_free) struct reply reply = reply_of(&world, "UPDATE", updated[_i].new, updated[_i].old);
    ck_assert_str_eq(findings_line(&world.arena, &reply.answer.findings), updated[_i].findings);
    ck_assert_int_eq(reply.answer.allowed, strstr(updated[_i].findings, "=deny@") == NULL);
}
END_TEST

START_TEST(deletion_warns)
{
    CLEANUP(world_free) struct world world = world_new();
    CLEANUP(reply_free) struct reply reply = reply_of(&world, "DELETE", NULL, "{" WEB "," GROUP "}");
    ck_assert_str_eq(findings_line(&world.arena, &reply.answer.findings), NOT_RETROACTIVE);
    ck_assert(reply.answer.allowed);
    ck_assert(warns_of(&reply, "kubectl rollout restart deployment,statefulset,daemonset -n shop"));
}
END_TEST

START_TEST(deletion_of_a_broken_one_is_allowed)
{
    CLEANUP(world_free) struct world world = world_new();
    CLEANUP(reply_free) struct reply reply = reply_of(&world, "DELETE", NULL, "{}");
    ck_assert(reply.answer.allowed);
    CLEANUP(reply_free) struct reply without = reply_of(&world, "DELETE", NULL, NULL);
    ck_assert(without.answer.allowed);
    ck_assert_uint_eq(without.answer.findings.count, 0);
}
END_TEST

START_TEST(limit_is_a_setting)
{
    CLEANUP(world_free) struct world world = world_new();
    world.rules.groups_per_policy = 6;
    CLEANUP(reply_free) struct reply six = reply_of(&world, "CREATE", IDS(SIX), NULL);
    ck_assert(six.answer.allowed);
    CLEANUP(reply_free) struct reply seven = reply_of(&world, "CREATE", IDS(SEVEN), NULL);
    expect_text(seven.answer.reason, "spec.securityGroups.groupIds: 7 security groups, 1 to 6 are allowed "
                                     "[policy-group-count]");
}
END_TEST

START_TEST(namespace_may_lower_them)
{
    CLEANUP(world_free) struct world world = world_new();
    world_put(&world, "{'name':'shop','labels':{'sgp-webhook.io/mode':'off'}}");
    CLEANUP(reply_free) struct reply reply = reply_of(&world, "CREATE", "{}", NULL);
    ck_assert(reply.answer.allowed);
    ck_assert_uint_eq(reply.answer.findings.count, 0);
}
END_TEST

/* The object cannot be decoded: refused with code 400, naming the field. */
static const struct {
    const char *spec, *message;
} bad[] = {
    { "[]", "request.object.spec: a list where an object belongs" },
    { "{'podSelector':'a=b'}", "request.object.spec.podSelector: a string where an object belongs" },
    { "{'podSelector':{'matchLabels':{'a':1}}}",
      "request.object.spec.podSelector.matchLabels[a]: a number where a string belongs" },
    { "{'podSelector':{'matchLabels':{'a':'1','a':'1'}}}",
      "request.object.spec.podSelector.matchLabels[a]: occurs twice" },
    { "{'podSelector':{'matchExpressions':{}}}",
      "request.object.spec.podSelector.matchExpressions: an object where a list belongs" },
    { "{'podSelector':{'matchExpressions':[{'key':'a','operator':'In','values':'b'}]}}",
      "request.object.spec.podSelector.matchExpressions[0].values: a string where a list belongs" },
    { "{'securityGroups':['sg-1']}", "request.object.spec.securityGroups: a list where an object belongs" },
    { "{'securityGroups':{'groupIds':'sg-1'}}",
      "request.object.spec.securityGroups.groupIds: a string where a list belongs" },
    { "{'securityGroups':{'groupIds':[1]}}",
      "request.object.spec.securityGroups.groupIds[0]: a number where a string belongs" },
};

START_TEST(bad_object)
{
    CLEANUP(world_free) struct world world = world_new();
    CLEANUP(reply_free) struct reply reply = reply_of(&world, "CREATE", bad[_i].spec, NULL);
    ck_assert(!reply.answer.allowed);
    expect_text(reply.answer.reason, bad[_i].message);
    json_t *status = json_object_get(reply.response, "status");
    ck_assert_int_eq(json_integer_value(json_object_get(status, "code")), 400);
    ck_assert_str_eq(json_string_value(json_object_get(status, "reason")), "BadRequest");
    ck_assert_str_eq(json_string_value(json_object_get(status, "message")), bad[_i].message);
}
END_TEST

/* A thousand ids are refused by their number, and not each by name as well. */
START_TEST(very_many_groups)
{
    CLEANUP(world_free) struct world world = world_new();
    char *spec = malloc(20000);
    ck_assert_ptr_nonnull(spec);
    char *at = spec + sprintf(spec, "{" WEB ",'securityGroups':{'groupIds':[");
    for (int i = 0; i < 1000; i++)
        at += sprintf(at, "%s'bad-%d'", i ? "," : "", i);
    (void)sprintf(at, "]}}");
    CLEANUP(reply_free) struct reply reply = reply_of(&world, "CREATE", spec, NULL);
    ck_assert(!reply.answer.allowed);
    ck_assert_uint_lt(reply.answer.findings.count, 100);
    ck_assert_int_eq(reply.answer.findings.items[0].check, CHECK_POLICY_GROUP_COUNT);
    free(spec);
}
END_TEST

Suite *policy_checks_suite(void)
{
    Suite *suite = suite_create("policy_checks");
    TCase *cases = tcase_create("policy_checks");
    tcase_add_loop_test(cases, creation, 0, ROWS(created));
    tcase_add_loop_test(cases, update, 0, ROWS(updated));
    tcase_add_test(cases, deletion_warns);
    tcase_add_test(cases, deletion_of_a_broken_one_is_allowed);
    tcase_add_test(cases, limit_is_a_setting);
    tcase_add_test(cases, namespace_may_lower_them);
    tcase_add_loop_test(cases, bad_object, 0, ROWS(bad));
    tcase_add_test(cases, very_many_groups);
    suite_add_tcase(suite, cases);
    return suite;
}

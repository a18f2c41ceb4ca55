#include "policy/objects.h"

#include "base/json.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/suites.h"

static struct outcome read_as(struct arena *arena, const struct shape *shape, const char *text, void *out,
                              struct err *err)
{
    struct json_input input = { .text = quoted(arena, text), .arena = arena };
    struct outcome outcome = json_read(&input, shape, out, err);
    return outcome;
}

START_TEST(reads_a_policy)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct policy_object object = { 0 };
    struct err err = { 0 };
    expect_done(read_as(&arena, &policy_object_shape,
                        "{'apiVersion':'vpcresources.k8s.aws/v1beta1','kind':'SecurityGroupPolicy',"
                        "'metadata':{'name':'web','namespace':'shop','labels':{'a':'b'}},'status':{},'spec':{"
                        "'podSelector':{'matchLabels':{'role':'web'}},"
                        "'serviceAccountSelector':{'matchExpressions':[{'key':'k','operator':'In','values':['v']}]},"
                        "'securityGroups':{'groupIds':['sg-1','sg-2']}}}",
                        &object, &err),
                &err);
    struct policy_spec spec = policy_object_spec(&object);
    expect_text(spec.name, "web");
    expect_text(spec.namespace, "shop");
    ck_assert_uint_eq(spec.pod_selector->match_labels.count, 1);
    ck_assert_uint_eq(spec.account_selector->expressions.count, 1);
    expect_text(spec.account_selector->expressions.items[0].values.items[0], "v");
    ck_assert_uint_eq(spec.groups.count, 2);
    expect_text(spec.groups.items[1], "sg-2");
}
END_TEST

static const struct {
    const char *spec;
    bool pod, account;
} given[] = {
    { "{}", false, false },
    { "{'spec':null}", false, false },
    { "{'spec':{}}", false, false },
    { "{'spec':{'podSelector':null,'serviceAccountSelector':null}}", false, false },
    { "{'spec':{'podSelector':{}}}", true, false },
    { "{'spec':{'serviceAccountSelector':{}}}", false, true },
    { "{'spec':{'podSelector':{'matchLabels':null}}}", true, false },
};

START_TEST(absent_is_not_empty)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct policy_object object = { 0 };
    struct err err = { 0 };
    expect_done(read_as(&arena, &policy_object_shape, given[_i].spec, &object, &err), &err);
    ck_assert_int_eq(object.spec.pod_selector != NULL, given[_i].pod);
    ck_assert_int_eq(object.spec.account_selector != NULL, given[_i].account);
}
END_TEST

static const struct {
    const char *object, *message;
} refused[] = {
    { "{'spec':[]}", "spec: a list where an object belongs" },
    { "{'spec':{'podSelector':'role=web'}}", "spec.podSelector: a string where an object belongs" },
    { "{'spec':{'podSelector':{'matchLabels':['role']}}}",
      "spec.podSelector.matchLabels: a list where an object belongs" },
    { "{'spec':{'podSelector':{'matchLabels':{'role':1}}}}",
      "spec.podSelector.matchLabels[role]: a number where a string belongs" },
    { "{'spec':{'podSelector':{'matchExpressions':{}}}}",
      "spec.podSelector.matchExpressions: an object where a list belongs" },
    { "{'spec':{'podSelector':{'matchExpressions':[{'values':'a'}]}}}",
      "spec.podSelector.matchExpressions[0].values: a string where a list belongs" },
    { "{'spec':{'serviceAccountSelector':{'matchExpressions':[{},{'key':1}]}}}",
      "spec.serviceAccountSelector.matchExpressions[1].key: a number where a string belongs" },
    { "{'spec':{'securityGroups':['sg-1']}}", "spec.securityGroups: a list where an object belongs" },
    { "{'spec':{'securityGroups':{'groupIds':'sg-1'}}}",
      "spec.securityGroups.groupIds: a string where a list belongs" },
    { "{'spec':{'securityGroups':{'groupIds':[{}]}}}",
      "spec.securityGroups.groupIds[0]: an object where a string belongs" },
    { "{'metadata':{'name':1}}", "metadata.name: a number where a string belongs" },
    { "{'metadata':{'annotations':{'a':{}}}}", "metadata.annotations[a]: an object where a string belongs" },
};

START_TEST(refuses_other_types)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct policy_object object = { 0 };
    struct err err = { 0 };
    ck_assert(!read_as(&arena, &policy_object_shape, refused[_i].object, &object, &err).ok);
    ck_assert_int_eq(err.kind, ERR_INPUT);
    ck_assert_str_eq(err.msg, refused[_i].message);
}
END_TEST

START_TEST(reads_metadata)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct meta_object object = { 0 };
    struct err err = { 0 };
    expect_done(read_as(&arena, &meta_object_shape,
                        "{'apiVersion':'v1','kind':'ServiceAccount','secrets':[{}],'metadata':{'name':'pay',"
                        "'generateName':'p-','namespace':'shop','uid':'x','annotations':{'n':''},"
                        "'ownerReferences':[{'kind':'Job','name':'j','controller':true},{'kind':'X'}]}}",
                        &object, &err),
                &err);
    expect_text(object.kind, "ServiceAccount");
    expect_text(object.meta.name, "pay");
    expect_text(object.meta.generate_name, "p-");
    ck_assert(!object.meta.labels.present);
    ck_assert(object.meta.annotations.present);
    ck_assert_uint_eq(object.meta.owners.count, 2);
    ck_assert(object.meta.owners.items[0].controller);
    ck_assert(!object.meta.owners.items[1].controller);
}
END_TEST

Suite *objects_suite(void)
{
    Suite *suite = suite_create("objects");
    TCase *cases = tcase_create("objects");
    tcase_add_test(cases, reads_a_policy);
    tcase_add_loop_test(cases, absent_is_not_empty, 0, ROWS(given));
    tcase_add_loop_test(cases, refuses_other_types, 0, ROWS(refused));
    tcase_add_test(cases, reads_metadata);
    suite_add_tcase(suite, cases);
    return suite;
}

#include "admission/pod.h"

#include "policy/labels.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/suites.h"

static const struct {
    const char *pod;
    bool mirror, fargate;
    const char *windows; /* NULL: not */
    const char *account;
} pods[] = {
    { "{}", false, false, NULL, "default" },
    { "{'metadata':null,'spec':null}", false, false, NULL, "default" },
    { "{'metadata':{'annotations':{'kubernetes.io/config.mirror':''}}}", true, false, NULL, "default" },
    { "{'metadata':{'labels':{'kubernetes.io/config.mirror':'x'}}}", false, false, NULL, "default" },
    { "{'metadata':{'labels':{'eks.amazonaws.com/fargate-profile':''}}}", false, true, NULL, "default" },
    { "{'metadata':{'annotations':{'eks.amazonaws.com/fargate-profile':'x'}}}", false, false, NULL, "default" },
    { "{'spec':{'nodeSelector':{'kubernetes.io/os':'windows'}}}", false, false, "spec.nodeSelector[kubernetes.io/os]",
      "default" },
    { "{'spec':{'nodeSelector':{'beta.kubernetes.io/os':'windows'}}}", false, false,
      "spec.nodeSelector[beta.kubernetes.io/os]", "default" },
    { "{'spec':{'os':{'name':'windows'}}}", false, false, "spec.os.name", "default" },
    { "{'spec':{'os':{'name':'linux'},'nodeSelector':{'kubernetes.io/os':'linux'}}}", false, false, NULL, "default" },
    { "{'spec':{'os':null,'nodeSelector':{'kubernetes.io/os':'Windows'}}}", false, false, NULL, "default" },
    { "{'spec':{'serviceAccountName':'pay'}}", false, false, NULL, "pay" },
    { "{'spec':{'serviceAccount':'pay'}}", false, false, NULL, "pay" },
    { "{'spec':{'serviceAccountName':'pay','serviceAccount':'old'}}", false, false, NULL, "pay" },
    { "{'spec':{'serviceAccountName':'','serviceAccount':'old'}}", false, false, NULL, "old" },
    { "{'spec':{'serviceAccountName':'','serviceAccount':''}}", false, false, NULL, "default" },
};

START_TEST(says_what_it_is)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    const struct pod *pod = pod_of(&arena, pods[_i].pod);
    ck_assert_int_eq(pod_is_mirror(pod), pods[_i].mirror);
    ck_assert_int_eq(pod_is_fargate(pod), pods[_i].fargate);
    ck_assert_pstr_eq(pod_windows_field(pod).ptr, pods[_i].windows);
    expect_text(pod_account_name(pod), pods[_i].account);
}
END_TEST

#define ENI "'vpc.amazonaws.com/pod-eni'"

static const struct {
    const char *spec;
    size_t index, count;
} requesting[] = {
    { "{}", 0, 0 },
    { "{'containers':[]}", 0, 0 },
    { "{'containers':[{}]}", 1, 1 },
    { "{'containers':[null]}", 1, 1 },
    { "{'containers':[{'resources':null}]}", 1, 1 },
    { "{'containers':[{'resources':{}}]}", 1, 1 },
    { "{'containers':[{'resources':{'limits':null,'requests':{}}}]}", 1, 1 },
    { "{'containers':[{'resources':{'limits':{'cpu':'1'}}}]}", 1, 1 },
    { "{'containers':[{'resources':{'limits':{" ENI ":'1'}}}]}", 0, 1 },
    { "{'containers':[{'resources':{'limits':{" ENI ":1}}}]}", 0, 1 },
    { "{'containers':[{'resources':{'requests':{" ENI ":'2'}}}]}", 0, 1 },
    { "{'containers':[{},{'resources':{'requests':{" ENI ":'1'}}},{}]}", 1, 3 },
    { "{'containers':[{'resources':{'limits':{" ENI ":'0'}}}]}", 1, 1 },
    { "{'containers':[{'resources':{'limits':{" ENI ":null}}}]}", 1, 1 },
    { "{'containers':[{'resources':{'limits':{" ENI ":'0'}}},{'resources':{'limits':{" ENI ":'1'}}}]}", 1, 2 },
    { "{'containers':[{}],'initContainers':[{'resources':{'limits':{" ENI ":'1'}}}]}", 1, 1 },
};

START_TEST(first_container_that_requests)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct str text = { 0 };
    struct err err = { 0 };
    expect_done(arena_print(&arena, &text, &err, "{'spec':%s}", requesting[_i].spec), &err);
    const struct pod *pod = pod_of(&arena, text.ptr);
    ck_assert_uint_eq(pod->spec.containers.count, requesting[_i].count);
    ck_assert_uint_eq(pod_requests_resource(pod, STR(BRANCH_RESOURCE)), requesting[_i].index);
}
END_TEST

START_TEST(without_metadata_there_are_no_labels)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    const struct pod *pod = pod_of(&arena, "{}");
    ck_assert_ptr_null(pod->meta);
    ck_assert_uint_eq(pod_labels(pod)->count, 0);
    ck_assert_uint_eq(pod_annotations(pod)->count, 0);
}
END_TEST

START_TEST(reads_what_checks_look_at)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    const struct pod *pod =
        pod_of(&arena, "{'spec':{'hostNetwork':true,'terminationGracePeriodSeconds':0,"
                       "'affinity':{'podAffinity':{},'nodeAffinity':{'preferredDuringSchedulingIgnoredDuringExecution':"
                       "[],'requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':[{'matchExpressions':"
                       "[{'key':'k','operator':'In','values':['v']}]},{}]}}},"
                       "'dnsConfig':{'searches':['x'],'nameservers':['10.0.0.2','169.254.20.10']},"
                       "'containers':[{'name':'c','env':[{'name':'A','valueFrom':{}},{'name':'B','value':'b'}]}]}}");
    ck_assert(pod->spec.host_network);
    ck_assert(pod->spec.grace_period_s.present && pod->spec.grace_period_s.value == 0);
    ck_assert_uint_eq(pod->spec.required_terms.count, 2);
    expect_text(pod->spec.required_terms.items[0].expressions.items[0].values.items[0], "v");
    expect_text(pod->spec.nameservers.items[1], "169.254.20.10");
    ck_assert_ptr_null(pod->spec.containers.items[0].env.items[0].value.ptr);
    expect_text(pod->spec.containers.items[0].env.items[1].value, "b");
}
END_TEST

Suite *pod_suite(void)
{
    Suite *suite = suite_create("pod");
    TCase *cases = tcase_create("pod");
    tcase_add_loop_test(cases, says_what_it_is, 0, ROWS(pods));
    tcase_add_loop_test(cases, first_container_that_requests, 0, ROWS(requesting));
    tcase_add_test(cases, without_metadata_there_are_no_labels);
    tcase_add_test(cases, reads_what_checks_look_at);
    suite_add_tcase(suite, cases);
    return suite;
}

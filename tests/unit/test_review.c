/* AdmissionReview on the wire, and the endpoints as a whole. */
#include <jansson.h>
#include <stdio.h>

#include "tests/unit/fixtures.h"
#include "tests/unit/suites.h"

#include "admission/review.h"

#define HEAD "'kind':'AdmissionReview','apiVersion':'admission.k8s.io/v1'"
#define POD_KIND "'kind':{'group':'','version':'v1','kind':'Pod'}"
#define CREATE_POD "'uid':'u'," POD_KIND ",'namespace':'shop','operation':'CREATE'"

START_TEST(table_of_endpoints)
{
    static const char *const paths[] = { "/mutate-v1-pod", "/validate-v1-pod", "/validate-v1beta1-securitygrouppolicy",
                                         "/validate-v1-node", "/validate-workload" };
    ck_assert_uint_eq(endpoint_count(), 5);
    for (size_t i = 0; i < 5; i++) {
        const struct endpoint *endpoint = endpoint_find(str_of(paths[i]));
        ck_assert_ptr_eq(endpoint, endpoint_at(endpoint_index(endpoint)));
        expect_text(endpoint_path(endpoint), paths[i]);
        expect_text(endpoint_name(endpoint), paths[i] + 1);
    }
    static const char *const none[] = {
        "", "/", "/mutate-v1-pod/", "/mutate-v1-po", "/Mutate-v1-pod", "mutate-v1-pod"
    };
    for (size_t i = 0; i < 6; i++)
        ck_assert_ptr_null(endpoint_find(str_of(none[i])));
}
END_TEST

START_TEST(names_of_operations)
{
    ck_assert_str_eq(operation_name(OPERATION_CREATE), "CREATE");
    ck_assert_str_eq(operation_name(OPERATION_UPDATE), "UPDATE");
    ck_assert_str_eq(operation_name(OPERATION_DELETE), "DELETE");
    ck_assert_str_eq(operation_name(OPERATION_CONNECT), "CONNECT");
}
END_TEST

/* No AdmissionReview that could be answered. */
static const struct {
    const char *body, *message;
} refused[] = {
    { "", "expected a value, but the text ends at byte 0" },
    { "null", "null where an object belongs" },
    { "[]", "a list where an object belongs" },
    { "{}", "apiVersion: '' is neither admission.k8s.io/v1 nor admission.k8s.io/v1beta1" },
    { "{'apiVersion':'admission.k8s.io/v2'}", "apiVersion: 'admission.k8s.io/v2' is neither" },
    { "{'apiVersion':'v1'}", "apiVersion: 'v1' is neither" },
    { "{'apiVersion':null,'kind':'AdmissionReview'}", "apiVersion: '' is neither" },
    { "{'apiVersion':1}", "apiVersion: a number where a string belongs" },
    { "{'apiVersion':'admission.k8s.io/v1'}", "kind: '' is not AdmissionReview" },
    { "{'apiVersion':'admission.k8s.io/v1','kind':'Pod'}", "kind: 'Pod' is not AdmissionReview" },
    { "{" HEAD "}", "request: missing" },
    { "{" HEAD ",'request':null}", "request: missing" },
    { "{" HEAD ",'request':[]}", "request: a list where an object belongs" },
    { "{" HEAD ",'request':'x'}", "request: a string where an object belongs" },
    { "{" HEAD ",'request':{}}", "request.uid: missing, the answer has to repeat it" },
    { "{" HEAD ",'request':{'uid':''}}", "request.uid: missing" },
    { "{" HEAD ",'request':{'uid':null}}", "request.uid: missing" },
    { "{" HEAD ",'request':{'uid':7}}", "request.uid: a number where a string belongs" },
    { "{" HEAD ",'request':{'uid':'u'}}", "request.kind.kind: missing" },
    { "{" HEAD ",'request':{'uid':'u','kind':'Pod'}}", "request.kind: a string where an object belongs" },
    { "{" HEAD ",'request':{'uid':'u','kind':{}}}", "request.kind.kind: missing" },
    { "{" HEAD ",'request':{'uid':'u'," POD_KIND "}}", "request.operation: '' is not CREATE, UPDATE, DELETE or" },
    { "{" HEAD ",'request':{'uid':'u'," POD_KIND ",'operation':'create'}}", "request.operation: 'create' is not" },
    { "{" HEAD ",'request':{'uid':'u'," POD_KIND ",'operation':'*'}}", "request.operation: '*' is not" },
    { "{" HEAD ",'request':{'uid':'u'," POD_KIND ",'operation':5}}",
      "request.operation: a number where a string belongs" },
    { "{" HEAD ",'request':{" CREATE_POD ",'namespace':'x'}}", "request.namespace: occurs twice" },
    { "{" HEAD ",'request':{" CREATE_POD "},'request':{}}", "request: occurs twice" },
    { "{" HEAD ",'request':{" CREATE_POD ",'dryRun':'no'}}", "request.dryRun: a string where true or false belongs" },
    { "{" HEAD ",'request':{" CREATE_POD ",'userInfo':'admin'}}",
      "request.userInfo: a string where an object belongs" },
    { "{" HEAD ",'request':{" CREATE_POD ",'userInfo':{'username':[]}}}",
      "request.userInfo.username: a list where a string belongs" },
    { "{" HEAD ",'request':{" CREATE_POD ",'object':{}}", "expected , or }, but the text ends at byte" },
    { "{" HEAD ",'request':{" CREATE_POD ",'object':{'spec':}}}", "expected a value at byte" },
    { "{" HEAD ",'request':{" CREATE_POD "}} {}", "expected nothing more at byte" },
};

START_TEST(refuses_what_is_no_review)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    struct str body = quoted(&world.arena, refused[_i].body);
    for (size_t i = 0; i < endpoint_count(); i++) {
        struct answer answer = { 0 };
        struct err err = { 0 };
        ck_assert(!endpoint_answer(endpoint_at(i), world.store, &world.rules, body, &world.arena, &answer, &err).ok);
        ck_assert_int_eq(err.kind, ERR_INPUT);
        ck_assert_msg(strncmp(err.msg, refused[_i].message, strlen(refused[_i].message)) == 0, "%s", err.msg);
        ck_assert_ptr_null(answer.body.ptr);
    }
}
END_TEST

START_TEST(says_what_an_observer_wants)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    struct str body = quoted(&world.arena, "{" HEAD ",'request':{'uid':'a-b'," POD_KIND
                                           ",'namespace':'shop','name':'web-1','operation':'UPDATE','dryRun':true,"
                                           "'userInfo':{'username':'eve','groups':[]},'object':{},'oldObject':{}}}");
    CLEANUP(reply_free) struct reply reply = reply_to(&world, "/validate-v1-pod", body);
    expect_text(reply.answer.uid, "a-b");
    expect_text(reply.answer.kind, "Pod");
    expect_text(reply.answer.namespace, "shop");
    expect_text(reply.answer.name, "web-1");
    expect_text(reply.answer.user, "eve");
    ck_assert_int_eq(reply.answer.operation, OPERATION_UPDATE);
    ck_assert(reply.answer.dry_run && reply.answer.allowed && !reply.answer.patched);
    expect_text(reply.answer.body, quoted(&world.arena, "{'kind':'AdmissionReview','apiVersion':'admission.k8s.io/v1',"
                                                        "'response':{'uid':'a-b','allowed':true}}")
                                       .ptr);
}
END_TEST

static const struct {
    const char *path, *group, *kind, *object, *name;
} generated[] = {
    { "/mutate-v1-pod", "", "Pod", "{'metadata':{'generateName':'web-'}}", "web-" },
    { "/mutate-v1-pod", "", "Pod", "{'metadata':null}", "" },
    { "/mutate-v1-pod", "", "Pod", "null", "" },
    { "/validate-workload", "batch", "Job", "{'metadata':{'generateName':'job-'}}", "job-" },
    { "/validate-v1beta1-securitygrouppolicy", "vpcresources.k8s.aws", "SecurityGroupPolicy",
      "{'metadata':{'generateName':'sgp-'}}", "sgp-" },
    { "/validate-v1-node", "", "Node", "{'metadata':{'generateName':'n-'}}", "" },
};

START_TEST(name_may_be_generated)
{
    CLEANUP(world_free) struct world world = world_new();
    struct str text = { 0 };
    struct err err = { 0 };
    expect_done(arena_print(&world.arena, &text, &err,
                            "{" HEAD ",'request':{'uid':'u','kind':{'group':'%s','kind':'%s'},'operation':'CREATE',"
                            "'object':%s}}",
                            generated[_i].group, generated[_i].kind, generated[_i].object),
                &err);
    CLEANUP(reply_free) struct reply reply = reply_to(&world, generated[_i].path, quoted(&world.arena, text.ptr));
    expect_text(reply.answer.name, generated[_i].name);
}
END_TEST

START_TEST(v1beta1_is_answered_as_such)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    struct str body =
        quoted(&world.arena, "{'kind':'AdmissionReview','apiVersion':'admission.k8s.io/v1beta1','request':{" CREATE_POD
                             ",'object':{'metadata':{'labels':{'role':'web'}},'spec':{'containers':[{}]}}}}");
    CLEANUP(reply_free) struct reply reply = reply_to(&world, "/mutate-v1-pod", body);
    ck_assert_str_eq(json_string_value(json_object_get(reply.json, "apiVersion")), "admission.k8s.io/v1beta1");
    ck_assert(reply.answer.patched);
}
END_TEST

/* As it stands in the JSON of the request; reply_to compares it with the answer's. */
static const char *const uids[] = {
    "plain",
    "\\\"quoted\\\"",
    "back\\\\slash",
    "\\u0000\\u0001\\u001f",
    "\\b\\f\\n\\r\\t",
    "\\ud83d\\ude00",
    "\x7f",
    "\xC3\xA9",
    "</script>\\u2028",
    "a\\/b",
    "%s%n",
    "{}",
};

START_TEST(uid_comes_back_whole)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    struct str text = { 0 };
    struct err err = { 0 };
    expect_done(arena_print(&world.arena, &text, &err,
                            "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{"
                            "\"uid\":\"%s\",\"kind\":{\"kind\":\"Pod\"},\"operation\":\"CREATE\"}}",
                            uids[_i]),
                &err);
    CLEANUP(reply_free) struct reply reply = reply_to(&world, "/mutate-v1-pod", text);
    ck_assert(reply.answer.allowed);
}
END_TEST

START_TEST(denial_has_a_status_with_all_causes)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    const struct ask question = { .path = "/validate-v1beta1-securitygrouppolicy",
                                  .operation = "CREATE",
                                  .group = "vpcresources.k8s.aws",
                                  .kind = "SecurityGroupPolicy",
                                  .object = "{'spec':{'securityGroups':{'groupIds':['web','web']}}}" };
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    json_t *status = json_object_get(reply.response, "status"), *details = json_object_get(status, "details");
    json_t *causes = json_object_get(details, "causes");
    const char *message = json_string_value(json_object_get(status, "message"));
    ck_assert_str_eq(json_string_value(json_object_get(status, "status")), "Failure");
    ck_assert_str_eq(json_string_value(json_object_get(status, "reason")), "Forbidden");
    ck_assert_int_eq(json_integer_value(json_object_get(status, "code")), 403);
    ck_assert_ptr_eq(strstr(message, "spec: "), message);
    ck_assert_str_eq(message + strlen(message) - strlen("[policy-selector-missing]"), "[policy-selector-missing]");
    expect_text(reply.answer.reason, message);
    ck_assert_str_eq(json_string_value(json_object_get(details, "name")), "thing");
    ck_assert_str_eq(json_string_value(json_object_get(details, "group")), "vpcresources.k8s.aws");
    ck_assert_str_eq(json_string_value(json_object_get(details, "kind")), "SecurityGroupPolicy");
    ck_assert_uint_eq(json_array_size(causes), 3); /* what only warns is no cause */
    json_t *second = json_array_get(causes, 1);
    ck_assert_str_eq(json_string_value(json_object_get(second, "reason")), "policy-group-id");
    ck_assert_str_eq(json_string_value(json_object_get(second, "field")), "spec.securityGroups.groupIds[0]");
    ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(second, "message")), "'web'"));
    ck_assert(warns_of(&reply, "[policy-group-duplicate]"));
    ck_assert_str_eq(
        json_string_value(json_object_get(json_object_get(reply.response, "auditAnnotations"), "findings")),
        "policy-selector-missing=deny,policy-group-id=deny,policy-group-id=deny,policy-group-duplicate=warn");
}
END_TEST

/* Names as long as anybody may send, in every place of a message; fixtures look at length and encoding. */
static const struct {
    const char *unit;
    size_t count;
} long_names[] = {
    { "a", 10 },
    { "a", 40 },
    { "a", 63 },
    { "a", 100 },
    { "a", 253 },
    { "a", 5000 },
    { "\xC3\xA9", 20 },
    { "\xC3\xA9", 31 },
    { "\xC3\xA9", 100 },
    { "\xE2\x82\xAC", 99 },
    { "\xF0\x9F\x98\x80", 97 },
    { "x\xF0\x9F\x98\x80", 301 },
};

START_TEST(warnings_fit)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    struct str unit = str_of(long_names[_i].unit), text = { 0 };
    char *name = NULL;
    struct err err = { 0 };
    expect_done(arena_take(&world.arena, unit.len * long_names[_i].count + 1, &name, &err), &err);
    for (size_t i = 0; i < long_names[_i].count; i++)
        memcpy(name + i * unit.len, unit.ptr, unit.len);
    expect_done(arena_print(&world.arena, &text, &err,
                            "{'metadata':{'labels':{'role':'web'}},'spec':{'serviceAccountName':'%s',"
                            "'dnsConfig':{'nameservers':['169.254.%s']},'containers':[{'resources':{'limits':{"
                            "'vpc.amazonaws.com/pod-eni':'1'}}}]}}",
                            name, name),
                &err);
    const struct ask question = {
        .path = "/validate-v1-pod", .operation = "CREATE", .kind = "Pod", .object = text.ptr
    };
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert_uint_eq(json_array_size(json_object_get(reply.response, "warnings")), 2);
    ck_assert(warns_of(&reply, "spec.serviceAccountName: "));
    ck_assert(warns_of(&reply, " [pod-account-unknown]"));
    ck_assert(warns_of(&reply, " [pod-link-local]"));
    expect_done(arena_print(&world.arena, &text, &err,
                            "{'spec':{'podSelector':{'matchLabels':{'%s':'','k':'%s'}},'securityGroups':{'groupIds':"
                            "['sg-%s','sg-%s']}}}",
                            name, name, name, name),
                &err);
    const struct ask policy = { .path = "/validate-v1beta1-securitygrouppolicy",
                                .operation = "UPDATE",
                                .group = "vpcresources.k8s.aws",
                                .kind = "SecurityGroupPolicy",
                                .object = text.ptr,
                                .old_object = text.ptr }; /* stored already: all of it warns */
    CLEANUP(reply_free) struct reply ratcheted = ask(&world, &policy);
    ck_assert(ratcheted.answer.allowed);
    ck_assert(warns_of(&ratcheted, "[policy-group-duplicate]"));
}
END_TEST

START_TEST(long_field_of_a_denial)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    char name[2000];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    struct str text = { 0 };
    struct err err = { 0 };
    expect_done(
        arena_print(&world.arena, &text, &err, "{'spec':{'podSelector':{'matchLabels':{'%s':'%s'}}}}", name, name),
        &err);
    const struct ask question = { .path = "/validate-v1beta1-securitygrouppolicy",
                                  .operation = "CREATE",
                                  .group = "vpcresources.k8s.aws",
                                  .kind = "SecurityGroupPolicy",
                                  .object = text.ptr };
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert(!reply.answer.allowed);
}
END_TEST

/* An object that cannot be decoded is refused with 400, where the decision is about it at all. */
static const struct {
    const char *path, *operation, *kind, *object, *old, *message; /* NULL: allowed */
} bad[] = {
    { "/mutate-v1-pod", "CREATE", "Pod", "[]", NULL, "request.object: a list where an object belongs" },
    { "/mutate-v1-pod", "CREATE", "Pod", "'x'", NULL, "request.object: a string where an object belongs" },
    { "/mutate-v1-pod", "CREATE", "Pod", "{'spec':{'containers':'c'}}", NULL,
      "request.object.spec.containers: a string where a list belongs" },
    { "/mutate-v1-pod", "CREATE", "Pod", "{'spec':{'containers':[[]]}}", NULL,
      "request.object.spec.containers[0]: a list where an object belongs" },
    { "/mutate-v1-pod", "CREATE", "Pod", "{'spec':{'containers':[{'resources':{'limits':[]}}]}}", NULL,
      "request.object.spec.containers[0].resources.limits: a list where an object belongs" },
    { "/mutate-v1-pod", "CREATE", "Pod", "{'metadata':{'labels':{'a':1}}}", NULL,
      "request.object.metadata.labels[a]: a number where a string belongs" },
    { "/mutate-v1-pod", "CREATE", "Pod", "{'metadata':{'annotations':{'a':'','a':''}}}", NULL,
      "request.object.metadata.annotations[a]: occurs twice" },
    { "/mutate-v1-pod", "CREATE", "Pod", "{'spec':{'hostNetwork':'yes'}}", NULL,
      "request.object.spec.hostNetwork: a string where true or false belongs" },
    { "/mutate-v1-pod", "CREATE", "Pod", "{'spec':{'terminationGracePeriodSeconds':0.5}}", NULL,
      "request.object.spec.terminationGracePeriodSeconds: a fraction where an integer belongs" },
    { "/mutate-v1-pod", "UPDATE", "Pod", "[]", NULL, NULL },
    { "/mutate-v1-pod", "CREATE", "Node", "[]", NULL, NULL },
    { "/validate-v1-pod", "UPDATE", "Pod", "{}", "[]", "request.oldObject: a list where an object belongs" },
    { "/validate-v1-pod", "DELETE", "Pod", "[]", "[]", NULL },
    { "/validate-v1-node", "UPDATE", "Node", "5", "{}", "request.object: not an object" },
    { "/validate-v1-node", "UPDATE", "Node", "{}", "'x'", "request.oldObject: not an object" },
    { "/validate-v1-node", "CREATE", "Node", "[]", NULL, NULL },
    { "/validate-v1-pod", "CREATE", "Pod", "{'spec':5}", NULL,
      "request.object.spec: a number where an object belongs" },
};

START_TEST(bad_object)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    const struct ask question = { .path = bad[_i].path,
                                  .operation = bad[_i].operation,
                                  .kind = bad[_i].kind,
                                  .object = bad[_i].object,
                                  .old_object = bad[_i].old,
                                  .user = "system:serviceaccount:kube-system:aws-node" };
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert_int_eq(reply.answer.allowed, bad[_i].message == NULL);
    ck_assert(!reply.answer.patched);
    if (!bad[_i].message)
        return;
    json_t *status = json_object_get(reply.response, "status");
    expect_text(reply.answer.reason, bad[_i].message);
    ck_assert_int_eq(json_integer_value(json_object_get(status, "code")), 400);
    ck_assert_str_eq(json_string_value(json_object_get(status, "reason")), "BadRequest");
    ck_assert_ptr_null(json_object_get(json_object_get(status, "details"), "causes"));
}
END_TEST

START_TEST(bad_object_does_not_spoil_the_review)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct review review = { 0 };
    struct err err = { 0 };
    struct str body = quoted(&arena, "{'request':{'object':[],'oldObject':5," CREATE_POD "}," HEAD "}");
    expect_done(review_decode(body, OBJECT_POD, &arena, &review, &err), &err);
    expect_text(review.request->uid, "u");
    ck_assert_int_eq(review.operation, OPERATION_CREATE);
    ck_assert_int_eq(review.object_err[0].kind, ERR_INPUT);
    ck_assert_str_eq(review.object_err[0].msg, "request.object: a list where an object belongs");
}
END_TEST

START_TEST(decodes_raw_objects)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct review review = { 0 };
    struct err err = { 0 };
    struct str body = quoted(&arena, "{" HEAD ",'request':{" CREATE_POD ",'object': {'a':[1]} ,'oldObject':null}}");
    expect_done(review_decode(body, OBJECT_RAW, &arena, &review, &err), &err);
    expect_text(review.request->raw, quoted(&arena, "{'a':[1]}").ptr);
    ck_assert_ptr_null(review.request->old_raw.ptr);
}
END_TEST

/* At every ceiling it answers in full or says that it cannot. */
START_TEST(ceiling_is_too_large)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    struct str body = data_file(&world.arena, "reviews/022-mutate-v1-pod-create-pod-two-containers.json");
    size_t refusals = 0;
    bool answered = false;
    for (size_t ceiling = 64; !answered && ceiling < 1000000; ceiling += 512) {
        CLEANUP(arena_free) struct arena arena = { .ceiling_bytes = ceiling };
        struct answer answer = { 0 };
        struct err err = { 0 };
        answered = endpoint_answer(endpoint_at(0), world.store, &world.rules, body, &arena, &answer, &err).ok;
        ck_assert(answered || (err.kind == ERR_TOO_LARGE && err.msg[0] && !answer.body.ptr));
        refusals += !answered;
    }
    ck_assert(answered && refusals > 0);
}
END_TEST

/* The recorded reviews against the policies that were in the cluster. */
static const struct {
    const char *file, *path, *patch, *findings;
} recorded[] = {
    { "001-validate-securitygrouppolicy-create-securitygrouppolicy-my-security-group-policy",
      "/validate-v1beta1-securitygrouppolicy", "", "" },
    { "003-validate-securitygrouppolicy-create-securitygrouppolicy-all-pods", "/validate-v1beta1-securitygrouppolicy",
      "", "policy-selects-all=warn@spec.podSelector" },
    { "004-validate-v1-node-update-node-ip-10-0-1-10.ec2.internal", "/validate-v1-node", "", "" },
    { "005-validate-workload-create-deployment-my-deployment", "/validate-workload", "", "" },
    { "008-validate-workload-create-replicaset-my-deployment-5f4f6f5485", "/validate-workload", "", "" },
    { "011-mutate-v1-pod-create-pod-my-deployment-5f4f6f5485", "/mutate-v1-pod",
      "[{'op':'add','path':'/spec/containers/0/resources/limits/vpc.amazonaws.com~1pod-eni','value':'1'},"
      "{'op':'add','path':'/spec/containers/0/resources/requests/vpc.amazonaws.com~1pod-eni','value':'1'}]",
      "" },
    { "012-mutate-v1-pod-create-pod-migrate", "/mutate-v1-pod",
      "[{'op':'add','path':'/spec/containers/0/resources/limits','value':{'vpc.amazonaws.com/pod-eni':'1'}},"
      "{'op':'add','path':'/spec/containers/0/resources/requests','value':{'vpc.amazonaws.com/pod-eni':'1'}}]",
      "" },
    { "013-mutate-v1-pod-create-pod-host-network", "/mutate-v1-pod", "", "" },
    { "014-validate-v1-pod-create-pod-my-deployment-5f4f6f5485-qbrj9", "/validate-v1-pod", "",
      "pod-branch-missing=deny@spec.containers[0].resources.limits" },
    { "017-validate-v1-pod-create-pod-host-network", "/validate-v1-pod", "", "pod-host-network=warn@spec.hostNetwork" },
    { "018-mutate-v1-pod-create-pod-fargate", "/mutate-v1-pod",
      "[{'op':'add','path':'/metadata/annotations/fargate.amazonaws.com~1pod-sg','value':'sg-0123456789abcdef0'}]",
      "" },
    { "020-mutate-v1-pod-create-pod-windows", "/mutate-v1-pod", "", "" },
    { "021-validate-v1-pod-create-pod-windows", "/validate-v1-pod", "",
      "pod-windows=warn@spec.nodeSelector[kubernetes.io/os]" },
    { "022-mutate-v1-pod-create-pod-two-containers", "/mutate-v1-pod", "", "" },
    { "023-validate-v1-pod-create-pod-two-containers", "/validate-v1-pod", "",
      "pod-grace-period=warn@spec.terminationGracePeriodSeconds" },
    { "029-validate-securitygrouppolicy-create-securitygrouppolicy-both", "/validate-v1beta1-securitygrouppolicy", "",
      "policy-selector-both=deny@spec" },
    { "030-validate-securitygrouppolicy-delete-securitygrouppolicy-both", "/validate-v1beta1-securitygrouppolicy", "",
      "policy-not-retroactive=warn@spec" },
};

START_TEST(recorded_reviews)
{
    CLEANUP(world_free) struct world world = world_new();
    char name[160];
    world_put(&world, "{'name':'my-namespace','policies':["
                      "{'metadata':{'name':'my-security-group-policy'},'spec':{'podSelector':{'matchLabels':{'role':"
                      "'my-role'}},'securityGroups':{'groupIds':['sg-0123456789abcdef0']}}},"
                      "{'metadata':{'name':'by-service-account'},'spec':{'serviceAccountSelector':{'matchExpressions':"
                      "[{'key':'team','operator':'In','values':['payments','billing']}]},'securityGroups':{'groupIds':"
                      "['sg-0aaaaaaaaaaaaaaa1','sg-0aaaaaaaaaaaaaaa2']}}}],"
                      "'accounts':[{'metadata':{'name':'default'}},{'metadata':{'name':'payments','labels':{'team':"
                      "'payments'}}}]}");
    (void)snprintf(name, sizeof name, "reviews/%s.json", recorded[_i].file);
    CLEANUP(reply_free) struct reply reply = reply_to(&world, recorded[_i].path, data_file(&world.arena, name));
    ck_assert_str_eq(findings_line(&world.arena, &reply.answer.findings), recorded[_i].findings);
    ck_assert_str_eq(patch_text(&world.arena, &reply), quoted(&world.arena, recorded[_i].patch).ptr);
}
END_TEST

Suite *review_suite(void)
{
    Suite *suite = suite_create("review");
    TCase *cases = tcase_create("review");
    tcase_add_test(cases, table_of_endpoints);
    tcase_add_test(cases, names_of_operations);
    tcase_add_loop_test(cases, refuses_what_is_no_review, 0, ROWS(refused));
    tcase_add_test(cases, says_what_an_observer_wants);
    tcase_add_loop_test(cases, name_may_be_generated, 0, ROWS(generated));
    tcase_add_test(cases, v1beta1_is_answered_as_such);
    tcase_add_loop_test(cases, uid_comes_back_whole, 0, ROWS(uids));
    tcase_add_test(cases, denial_has_a_status_with_all_causes);
    tcase_add_loop_test(cases, warnings_fit, 0, ROWS(long_names));
    tcase_add_test(cases, long_field_of_a_denial);
    tcase_add_loop_test(cases, bad_object, 0, ROWS(bad));
    tcase_add_test(cases, bad_object_does_not_spoil_the_review);
    tcase_add_test(cases, decodes_raw_objects);
    tcase_add_test(cases, ceiling_is_too_large);
    tcase_add_loop_test(cases, recorded_reviews, 0, ROWS(recorded));
    suite_add_tcase(suite, cases);
    return suite;
}

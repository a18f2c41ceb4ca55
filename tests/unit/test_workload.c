/* POST /validate-workload, in the namespace of world_of_shop. */
#include <jansson.h>
#include <stdio.h>

#include "tests/unit/fixtures.h"
#include "tests/unit/suites.h"

#include "admission/workload.h"

#define GRACE "{'metadata':{'labels':{'role':'web'}},'spec':{'terminationGracePeriodSeconds':0,'containers':[{}]}}"
#define FINE "{'metadata':{'labels':{'role':'web'}},'spec':{'containers':[{}]}}"
#define DENIED "{'metadata':{'annotations':{'vpc.amazonaws.com/pod-eni':'x'}},'spec':{'containers':[{}]}}"
#define OF(template) "{'spec':{'template':" template "}}"
#define OF_JOBS(template) "{'spec':{'jobTemplate':{'spec':{'template':" template "}}}}"

static struct ask question_of(const char *group, const char *kind, const char *object)
{
    return (struct ask){
        .path = "/validate-workload", .operation = "CREATE", .group = group, .kind = kind, .object = object
    };
}

static const struct {
    const char *group, *kind, *object, *path;
} kinds[] = {
    { "apps", "Deployment", OF(GRACE), "spec.template" },
    { "apps", "StatefulSet", OF(GRACE), "spec.template" },
    { "apps", "DaemonSet", OF(GRACE), "spec.template" },
    { "apps", "ReplicaSet", OF(GRACE), "spec.template" },
    { "batch", "Job", OF(GRACE), "spec.template" },
    { "batch", "CronJob", OF_JOBS(GRACE), "spec.jobTemplate.spec.template" },
    { "", "ReplicationController", OF(GRACE), "spec.template" },
};

START_TEST(every_kind)
{
    static const char *const operations[] = { "CREATE", "UPDATE" };
    for (size_t i = 0; i < 2; i++) {
        CLEANUP(world_free) struct world world = world_of_shop();
        char expected[128];
        struct ask question = question_of(kinds[_i].group, kinds[_i].kind, kinds[_i].object);
        question.operation = operations[i];
        CLEANUP(reply_free) struct reply reply = ask(&world, &question);
        (void)snprintf(expected, sizeof expected, "pod-grace-period=warn@%s.spec.terminationGracePeriodSeconds",
                       kinds[_i].path);
        ck_assert_str_eq(findings_line(&world.arena, &reply.answer.findings), expected);
        ck_assert(reply.answer.allowed && !reply.answer.patched);
        ck_assert(warns_of(&reply, "[pod-grace-period]"));
    }
}
END_TEST

START_TEST(kinds_by_group)
{
    ck_assert(workload_kind(str_of(kinds[_i].group), str_of(kinds[_i].kind)));
    ck_assert(!workload_kind(STR("extensions"), str_of(kinds[_i].kind)));
    ck_assert(!workload_kind(STR("apps/v1"), str_of(kinds[_i].kind)));
}
END_TEST

/* What this endpoint has nothing to say of. */
static const struct {
    const char *operation, *group, *kind, *sub_resource, *object;
} others[] = {
    { "DELETE", "apps", "Deployment", "", OF(GRACE) },
    { "CREATE", "apps", "Deployment", "scale", OF(GRACE) },
    { "UPDATE", "apps", "Deployment", "status", OF(GRACE) },
    { "CREATE", "extensions", "Deployment", "", OF(GRACE) },
    { "CREATE", "", "Pod", "", GRACE },
    { "CREATE", "batch", "CronJob", "", OF(GRACE) },
    { "CREATE", "batch", "Job", "", OF_JOBS(GRACE) },
    { "CREATE", "apps", "Deployment", "", NULL },
    { "CREATE", "apps", "Deployment", "", "{}" },
    { "CREATE", "apps", "Deployment", "", "{'spec':null}" },
    { "CREATE", "apps", "Deployment", "", "{'spec':{'template':null}}" },
    { "CREATE", "apps", "Deployment", "", OF("{}") },
    { "CREATE", "apps", "Deployment", "", OF(FINE) },
};

START_TEST(others_are_allowed)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    struct ask question = question_of(others[_i].group, others[_i].kind, others[_i].object);
    question.operation = others[_i].operation;
    question.sub_resource = others[_i].sub_resource;
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert(reply.answer.allowed);
    ck_assert_str_eq(findings_line(&world.arena, &reply.answer.findings), "");
}
END_TEST

#define OWNED(owner) "{'metadata':{'ownerReferences':[" owner "]},'spec':{'template':" GRACE "}}"

static const struct {
    const char *group, *kind, *object;
    bool said;
} owned[] = {
    { "apps", "ReplicaSet", OWNED("{'apiVersion':'apps/v1','kind':'Deployment','name':'d','controller':true}"), false },
    { "batch", "Job", OWNED("{'apiVersion':'batch/v1','kind':'CronJob','name':'c','controller':true}"), false },
    { "batch", "Job", OWNED("{'kind':'X'},{'apiVersion':'batch/v1','kind':'CronJob','name':'c','controller':true}"),
      false },
    { "apps", "ReplicaSet", OWNED("{'apiVersion':'apps/v1','kind':'Deployment','name':'d','controller':false}"), true },
    { "apps", "ReplicaSet", OWNED("{'apiVersion':'apps/v1','kind':'Deployment','name':'d'}"), true },
    { "apps", "ReplicaSet", OWNED("{'kind':'Rollout','name':'r','controller':true}"), true },
    { "apps", "ReplicaSet", OWNED("{'apiVersion':'x.example/v1','kind':'Deployment','name':'d','controller':true}"),
      true },
    { "apps", "ReplicaSet", OWNED(""), true },
    { "", "ReplicationController", OWNED("{'kind':'DeploymentConfig','name':'d','controller':true}"), false },
    { "", "ReplicationController", OWNED("{'kind':'DeploymentConfig','name':'d'}"), true },
};

START_TEST(what_another_made_is_left_to_that)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    struct ask question = question_of(owned[_i].group, owned[_i].kind, owned[_i].object);
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert_int_eq(reply.answer.findings.count > 0, owned[_i].said);
}
END_TEST

static const struct {
    bool deny;
    const char *operation, *old;
    bool allowed;
} refusing[] = {
    { false, "CREATE", NULL, true },       { true, "CREATE", NULL, false },
    { true, "UPDATE", OF(FINE), false },   { true, "UPDATE", OF(DENIED), true }, /* it was so before */
    { false, "UPDATE", OF(DENIED), true },
};

START_TEST(refuses_only_as_configured)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    world.rules.workloads_deny = refusing[_i].deny;
    struct ask question = question_of("apps", "Deployment", OF(DENIED));
    question.operation = refusing[_i].operation;
    question.old_object = refusing[_i].old;
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert_int_eq(reply.answer.allowed, refusing[_i].allowed);
    ck_assert_uint_eq(reply.answer.findings.count, 1);
    expect_text(reply.answer.findings.items[0].field, "spec.template.metadata.annotations[vpc.amazonaws.com/pod-eni]");
    ck_assert_int_eq(warns_of(&reply, "[pod-annotation]"), refusing[_i].allowed);
}
END_TEST

/* A template is not final: what the mutation will add is not missing. */
static const struct {
    const char *template, *findings;
} templates[] = {
    { FINE, "" },
    { "{'metadata':{'annotations':{'fargate.amazonaws.com/pod-sg':'sg-1'}}}",
      "pod-annotation=warn@spec.template.metadata.annotations[fargate.amazonaws.com/pod-sg]" },
    { "{'metadata':{'labels':{'role':'web','eks.amazonaws.com/fargate-profile':'fp'},'annotations':"
      "{'fargate.amazonaws.com/pod-sg':'sg-1'}}}",
      "" },
    { "{'metadata':{'labels':{'role':'web'}},'spec':{'hostNetwork':true}}",
      "pod-host-network=warn@spec.template.spec.hostNetwork" },
    { "{'spec':{'serviceAccountName':'who','containers':[{}]}}",
      "pod-account-unknown=warn@spec.template.spec.serviceAccountName" },
    { "{'spec':{'containers':[{'resources':{'limits':{'vpc.amazonaws.com/pod-eni':'1'}}}]}}",
      "pod-branch-unselected=warn@spec.template.spec.containers[0].resources" },
};

START_TEST(template_checks)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    struct str object = { 0 };
    struct err err = { 0 };
    expect_done(arena_print(&world.arena, &object, &err, OF("%s"), templates[_i].template), &err);
    struct ask question = question_of("apps", "Deployment", object.ptr);
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert_str_eq(findings_line(&world.arena, &reply.answer.findings), templates[_i].findings);
}
END_TEST

START_TEST(bad_object)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    struct ask question = question_of("apps", "Deployment", OF("{'spec':{'containers':{}}}"));
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert(!reply.answer.allowed);
    expect_text(reply.answer.reason, "request.object.spec.template.spec.containers: an object where a list belongs");
}
END_TEST

Suite *workload_suite(void)
{
    Suite *suite = suite_create("workload");
    TCase *cases = tcase_create("workload");
    tcase_add_loop_test(cases, every_kind, 0, ROWS(kinds));
    tcase_add_loop_test(cases, kinds_by_group, 0, ROWS(kinds));
    tcase_add_loop_test(cases, others_are_allowed, 0, ROWS(others));
    tcase_add_loop_test(cases, what_another_made_is_left_to_that, 0, ROWS(owned));
    tcase_add_loop_test(cases, refuses_only_as_configured, 0, ROWS(refusing));
    tcase_add_loop_test(cases, template_checks, 0, ROWS(templates));
    tcase_add_test(cases, bad_object);
    suite_add_tcase(suite, cases);
    return suite;
}

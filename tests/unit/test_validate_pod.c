/* POST /validate-v1-pod, in the namespace of world_of_shop. */
#include <jansson.h>

#include "tests/unit/fixtures.h"
#include "tests/unit/suites.h"

#include "admission/pod.h"
#include "admission/pod_checks.h"

#define ENI "'vpc.amazonaws.com/pod-eni'"
#define SG "'fargate.amazonaws.com/pod-sg'"
#define WEB "'metadata':{'labels':{'role':'web'}}"
#define FARGATE "'labels':{'role':'web','eks.amazonaws.com/fargate-profile':'fp'}"
#define FARGATE_ALONE "'labels':{'eks.amazonaws.com/fargate-profile':'fp'}"
#define ONE "'resources':{'limits':{" ENI ":'1'},'requests':{" ENI ":'1'}}"
#define C0 "'containers':[{" ONE "}]"
#define TYPE_TERM(values)                                                                                              \
    "{'matchExpressions':[{'key':'node.kubernetes.io/instance-type','operator':'In','values':" values "}]}"
#define AFFINITY(terms)                                                                                                \
    "'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':[" terms "]}}}"

static struct ask question_of(const char *operation, const char *pod, const char *old)
{
    return (struct ask){
        .path = "/validate-v1-pod", .operation = operation, .kind = "Pod", .object = pod, .old_object = old
    };
}

#define LINK_LOCAL "pod-link-local=warn@"
#define ANNOTATION "pod-annotation=deny@metadata.annotations"
#define BRANCH_AT ANNOTATION "[vpc.amazonaws.com/pod-eni]"
#define FARGATE_AT ANNOTATION "[fargate.amazonaws.com/pod-sg]"

/* What is found of a pod that is created. */
static const struct {
    const char *pod, *findings;
} created[] = {
    { "{" WEB ",'spec':{" C0 "}}", "" },
    { "{}", "" },
    { "{'metadata':null,'spec':null}", "" },
    { "{'spec':{'containers':[{}]}}", "" },
    /* The branch resource. */
    { "{" WEB ",'spec':{'containers':[{}]}}", "pod-branch-missing=deny@spec.containers[0].resources.limits" },
    { "{" WEB ",'spec':{'containers':[{'resources':{'limits':{'cpu':'1'}}}]}}",
      "pod-branch-missing=deny@spec.containers[0].resources.limits" },
    { "{" WEB ",'spec':{'containers':[{'resources':{'limits':{" ENI ":'0'}}}]}}",
      "pod-branch-missing=deny@spec.containers[0].resources.limits "
      "pod-branch-count=warn@spec.containers[0].resources" },
    { "{" WEB ",'spec':{'containers':[{}],'initContainers':[{" ONE "}]}}",
      "pod-branch-missing=deny@spec.containers[0].resources.limits" },
    { "{" WEB "}", "pod-branch-missing=deny@spec.containers[0].resources.limits" },
    { "{" WEB ",'spec':{'containers':[{},{" ONE "}]}}", "" },
    { "{'spec':{'serviceAccountName':'pay','containers':[{}]}}",
      "pod-branch-missing=deny@spec.containers[0].resources.limits" },
    { "{'spec':{'containers':[{},{" ONE "}]}}", "pod-branch-unselected=warn@spec.containers[1].resources" },
    { "{'spec':{'containers':[{'resources':{'limits':{" ENI ":'0'}}}]}}", "" },
    /* The service account is not known, so that nobody can say which policies there are. */
    { "{'spec':{'serviceAccountName':'who','containers':[{}]}}", "pod-account-unknown=warn@spec.serviceAccountName" },
    { "{'spec':{'serviceAccountName':'who'," C0 "}}", "pod-account-unknown=warn@spec.serviceAccountName" },
    { "{" WEB ",'spec':{'serviceAccountName':'who'," C0 "}}", "pod-account-unknown=warn@spec.serviceAccountName" },
    /* What cannot have security groups. */
    { "{" WEB ",'spec':{'hostNetwork':true,'containers':[{}]}}", "pod-host-network=warn@spec.hostNetwork" },
    { "{'spec':{'hostNetwork':true,'containers':[{}]}}", "" },
    { "{" WEB ",'spec':{'os':{'name':'windows'},'containers':[{}]}}", "pod-windows=warn@spec.os.name" },
    { "{" WEB ",'spec':{'nodeSelector':{'kubernetes.io/os':'windows'},'containers':[{}]}}",
      "pod-windows=warn@spec.nodeSelector[kubernetes.io/os]" },
    { "{'spec':{'os':{'name':'windows'},'containers':[{}]}}", "" },
    /* Where it may run. */
    { "{" WEB ",'spec':{'nodeSelector':{'node.kubernetes.io/instance-type':'t3.large'}," C0 "}}",
      "pod-instance-type=warn@spec.nodeSelector[node.kubernetes.io/instance-type]" },
    { "{" WEB ",'spec':{'nodeSelector':{'beta.kubernetes.io/instance-type':'t3.large'}," C0 "}}",
      "pod-instance-type=warn@spec.nodeSelector[beta.kubernetes.io/instance-type]" },
    { "{" WEB ",'spec':{'nodeSelector':{'node.kubernetes.io/instance-type':'m5.large'}," C0 "}}", "" },
    { "{" WEB ",'spec':{'nodeSelector':{'node.kubernetes.io/instance-type':'x99.new'}," C0 "}}", "" },
    { "{'spec':{'nodeSelector':{'node.kubernetes.io/instance-type':'t3.large'},'containers':[{}]}}", "" },
    { "{" WEB ",'spec':{" AFFINITY(TYPE_TERM("['t3.large','t3.medium']")) "," C0 "}}",
      "pod-instance-type=warn@spec.affinity.nodeAffinity" },
    { "{" WEB ",'spec':{" AFFINITY(TYPE_TERM("['t3.large','m5.large']")) "," C0 "}}", "" },
    { "{" WEB ",'spec':{" AFFINITY(TYPE_TERM("['t3.large']") "," TYPE_TERM("['m5.large']")) "," C0 "}}", "" },
    { "{" WEB ",'spec':{" AFFINITY(TYPE_TERM("['t3.large']") "," TYPE_TERM("['t3.medium']")) "," C0 "}}",
      "pod-instance-type=warn@spec.affinity.nodeAffinity" },
    { "{" WEB ",'spec':{" AFFINITY(TYPE_TERM("[]")) "," C0 "}}", "" },
    { "{" WEB ",'spec':{" AFFINITY("{}") "," C0 "}}", "" },
    { "{" WEB ",'spec':{" AFFINITY("") "," C0 "}}", "" },
    /* Grace period. */
    { "{" WEB ",'spec':{'terminationGracePeriodSeconds':0," C0 "}}",
      "pod-grace-period=warn@spec.terminationGracePeriodSeconds" },
    { "{" WEB ",'spec':{'terminationGracePeriodSeconds':1," C0 "}}", "" },
    { "{" WEB ",'spec':{'terminationGracePeriodSeconds':null," C0 "}}", "" },
    { "{'spec':{'terminationGracePeriodSeconds':0,'containers':[{}]}}", "" },
    /* Link-local addresses. */
    { "{" WEB ",'spec':{'dnsConfig':{'nameservers':['10.0.0.10','169.254.20.10']}," C0 "}}",
      LINK_LOCAL "spec.dnsConfig.nameservers[1]" },
    { "{" WEB ",'spec':{'dnsConfig':{'nameservers':['10.0.0.10']}," C0 "}}", "" },
    { "{'spec':{'dnsConfig':{'nameservers':['169.254.20.10']},'containers':[{}]}}", "" },
    { "{'metadata':{'labels':{'role':'web','istio.io/dataplane-mode':'ambient'}},'spec':{" C0 "}}",
      LINK_LOCAL "metadata.labels[istio.io/dataplane-mode]" },
    { "{'metadata':{'labels':{'role':'web','istio.io/dataplane-mode':'none'}},'spec':{" C0 "}}", "" },
    { "{" WEB ",'spec':{'containers':[{" ONE "},{'env':[{'name':'A'},{'name':'AWS_CONTAINER_CREDENTIALS_FULL_URI',"
      "'value':'http://169.254.170.23/v1/credentials'}]}]}}",
      LINK_LOCAL "spec.containers[1].env[1]" },
    { "{" WEB ",'spec':{'containers':[{" ONE ",'env':[{'name':'AWS_CONTAINER_CREDENTIALS_FULL_URI',"
      "'value':'http://10.0.0.1/'}]}]}}",
      "" },
    /* Annotations that are not the user's. */
    { "{'metadata':{'annotations':{" ENI ":''}}}", BRANCH_AT },
    { "{'metadata':{'annotations':{" ENI ":'[]'}}}", BRANCH_AT },
    { "{'metadata':{'annotations':{" SG ":'sg-1'}}}", FARGATE_AT },
    { "{'metadata':{'annotations':{" SG ":''}}}", FARGATE_AT },
    { "{'metadata':{'annotations':{" SG ":'x'," ENI ":'x'}}}", BRANCH_AT " " FARGATE_AT },
    /* Fargate. */
    { "{'metadata':{" FARGATE ",'annotations':{" SG ":'sg-0000000a,sg-0000000b'}}}", "" },
    { "{'metadata':{" FARGATE ",'annotations':{" SG ":'sg-0000000b,sg-0000000a'}}}", "" },
    { "{'metadata':{" FARGATE "}}", FARGATE_AT },
    { "{'metadata':{" FARGATE ",'annotations':{" SG ":''}}}", FARGATE_AT },
    { "{'metadata':{" FARGATE ",'annotations':{" SG ":'sg-0000000a'}}}", FARGATE_AT },
    { "{'metadata':{" FARGATE ",'annotations':{" SG ":'sg-0000000a,sg-0000000a'}}}", FARGATE_AT },
    { "{'metadata':{" FARGATE ",'annotations':{" SG ":'sg-0000000a,sg-0000000b,sg-9'}}}", FARGATE_AT },
    { "{'metadata':{" FARGATE ",'annotations':{" SG ":'sg-0000000a, sg-0000000b'}}}", FARGATE_AT },
    { "{'metadata':{" FARGATE_ALONE "}}", "" },
    { "{'metadata':{" FARGATE_ALONE ",'annotations':{" SG ":''}}}", FARGATE_AT },
    { "{'metadata':{" FARGATE_ALONE ",'annotations':{" SG ":'sg-1'}}}", FARGATE_AT },
    /* Mirror pods are left alone, whatever is wrong with them. */
    { "{'metadata':{'labels':{'role':'web'},'annotations':{'kubernetes.io/config.mirror':'x'," ENI
      ":'x'}},'spec':{'containers':[{}]}}",
      "" },
};

START_TEST(creation)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    struct ask question = question_of("CREATE", created[_i].pod, NULL);
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert_str_eq(findings_line(&world.arena, &reply.answer.findings), created[_i].findings);
    ck_assert_int_eq(reply.answer.allowed, strstr(created[_i].findings, "=deny@") == NULL);
    ck_assert(!reply.answer.patched);
}
END_TEST

#define NAMED(rest) "{'metadata':{'name':'p'," rest "},'spec':{'containers':[{}]}}"

/* What is found of a pod that is updated. */
static const struct {
    const char *old, *new, *user;
    const char *findings;
} updated[] = {
    { NAMED("'labels':{'role':'web'}"), NAMED("'labels':{'role':'web'}"), "admin", "" },
    { "{}", "{}", "admin", "" },
    /* The branch annotation: absent and empty differ. */
    { NAMED("'annotations':{}"), NAMED("'annotations':{" ENI ":'x'}"), "admin", BRANCH_AT },
    { NAMED("'annotations':{}"), NAMED("'annotations':{" ENI ":''}"), "admin", BRANCH_AT },
    { NAMED("'annotations':{" ENI ":'x'}"), NAMED("'annotations':{" ENI ":'y'}"), "admin", BRANCH_AT },
    { NAMED("'annotations':{" ENI ":'x'}"), NAMED("'annotations':{}"), "admin", BRANCH_AT },
    { NAMED("'annotations':{" ENI ":'x'}"), NAMED("'annotations':null"), "admin", BRANCH_AT },
    { NAMED("'annotations':{" ENI ":''}"), NAMED("'annotations':{}"), "admin", BRANCH_AT },
    { NAMED("'annotations':{" ENI ":'x'}"), NAMED("'annotations':{" ENI ":'x','a':'b'}"), "admin", "" },
    { NAMED("'annotations':{}"), NAMED("'annotations':{" ENI ":'x'}"), "system:node:ip-10-0-0-1", BRANCH_AT },
    { NAMED("'annotations':{}"), NAMED("'annotations':{" ENI ":'x'}"), "eks:vpc-resource-controller", "" },
    { NAMED("'annotations':{}"), NAMED("'annotations':{" ENI ":'x'}"),
      "system:serviceaccount:kube-system:vpc-resource-controller", "" },
    { NAMED("'annotations':{" ENI ":'x'}"), NAMED("'annotations':{}"),
      "system:serviceaccount:kube-system:eks-vpc-resource-controller", "" },
    { NAMED("'annotations':{}"), NAMED("'annotations':{" ENI ":'x'}"),
      "system:serviceaccount:default:vpc-resource-controller", BRANCH_AT },
    /* The Fargate annotation: nobody. */
    { NAMED("'annotations':{}"), NAMED("'annotations':{" SG ":'x'}"), "eks:vpc-resource-controller", FARGATE_AT },
    { NAMED(FARGATE ",'annotations':{" SG ":'sg-1'}"), NAMED(FARGATE ",'annotations':{}"), "admin", FARGATE_AT },
    { NAMED(FARGATE ",'annotations':{" SG ":'sg-1'}"), NAMED(FARGATE ",'annotations':{" SG ":'sg-1'}"), "admin", "" },
    /* A mirror pod stays one; nothing becomes one to slip through. */
    { NAMED("'annotations':{'kubernetes.io/config.mirror':'x'}"),
      NAMED("'annotations':{'kubernetes.io/config.mirror':'x'," ENI ":'x'}"), "admin", "" },
    { NAMED("'annotations':{}"), NAMED("'annotations':{'kubernetes.io/config.mirror':'x'," ENI ":'x'}"), "admin",
      BRANCH_AT },
    /* Labels. */
    { NAMED("'labels':{'role':'db'}"), NAMED("'labels':{'role':'web'}"), "admin",
      "pod-labels-changed=warn@metadata.labels" },
    { NAMED("'labels':{'role':'web'}"), NAMED("'labels':null"), "admin", "pod-labels-changed=warn@metadata.labels" },
    { NAMED("'labels':{'role':'db'}"), NAMED("'labels':{'role':'cache'}"), "admin", "" },
    /* What is wrong at creation only is not said again. */
    { NAMED("'labels':{'role':'web'}"), NAMED("'labels':{'role':'web','x':'y'}"), "admin", "" },
};

START_TEST(update)
{
    static const char *const sub_resources[] = { "", "status" };
    for (size_t i = 0; i < 2; i++) {
        CLEANUP(world_free) struct world world = world_of_shop();
        struct ask question = question_of("UPDATE", updated[_i].new, updated[_i].old);
        question.user = updated[_i].user;
        question.sub_resource = sub_resources[i];
        CLEANUP(reply_free) struct reply reply = ask(&world, &question);
        ck_assert_str_eq(findings_line(&world.arena, &reply.answer.findings), updated[_i].findings);
        ck_assert_int_eq(reply.answer.allowed, strstr(updated[_i].findings, "=deny@") == NULL);
    }
}
END_TEST

START_TEST(changed_labels_name_the_policies_and_the_remedy)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    struct ask question = question_of("UPDATE", NAMED("'labels':{'role':'web'}"), NAMED("'labels':{}"));
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert(str_contains(reply.answer.findings.items[0].message, STR("(+web)")));
    expect_text(reply.answer.findings.items[0].remedy, "kubectl delete pod p -n shop");
    ck_assert(warns_of(&reply, "kubectl delete pod p -n shop"));
}
END_TEST

/* Operations and kinds that this endpoint has nothing to say of. */
static const struct {
    const char *operation, *group, *kind, *sub_resource;
} others[] = {
    { "DELETE", "", "Pod", "" },  { "CONNECT", "", "Pod", "" },        { "CREATE", "", "Pod", "status" },
    { "CREATE", "x", "Pod", "" }, { "CREATE", "", "PodTemplate", "" }, { "CREATE", "", "Eviction", "eviction" },
};

START_TEST(others_are_allowed)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    struct ask question = question_of(others[_i].operation, "{'metadata':{'annotations':{" ENI ":'x'}}}", NULL);
    question.group = others[_i].group;
    question.kind = others[_i].kind;
    question.sub_resource = others[_i].sub_resource;
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert(reply.answer.allowed);
    ck_assert_uint_eq(reply.answer.findings.count, 0);
}
END_TEST

/* Without the pod before, an update cannot be judged: it might be a way around the protected annotations. */
static const struct {
    const char *operation, *pod, *old;
    bool allowed;
} null_objects[] = {
    { "CREATE", NULL, NULL, true },
    { "UPDATE", NULL, NULL, false },
    { "UPDATE", "{}", NULL, false },
    { "UPDATE", NULL, "{}", true },
};

START_TEST(objects_that_are_null)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    struct ask question = question_of(null_objects[_i].operation, null_objects[_i].pod, null_objects[_i].old);
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert_int_eq(reply.answer.allowed, null_objects[_i].allowed);
}
END_TEST

/* In a namespace without policies only the protected annotations are looked at. */
static const struct {
    const char *pod, *findings;
} elsewhere[] = {
    { "{" WEB ",'spec':{'containers':[{}]}}", "" },
    { "{'spec':{'serviceAccountName':'who','terminationGracePeriodSeconds':0," C0 "}}", "" },
    { "{'metadata':{'annotations':{" ENI ":'x'," SG ":'y'}}}", BRANCH_AT " " FARGATE_AT },
    { "{'metadata':{" FARGATE ",'annotations':{" SG ":'y'}}}", FARGATE_AT },
};

START_TEST(without_policies)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    struct ask question = question_of("CREATE", elsewhere[_i].pod, NULL);
    question.namespace = "other";
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert_str_eq(findings_line(&world.arena, &reply.answer.findings), elsewhere[_i].findings);
}
END_TEST

/* A pod with a refusal, a placement warning, a connectivity warning, another warning and a protected annotation. */
#define MANY                                                                                                           \
    "{'metadata':{'labels':{'role':'web'},'annotations':{" ENI ":'x'}},'spec':{'terminationGracePeriodSeconds':0,"     \
    "'nodeSelector':{'node.kubernetes.io/instance-type':'t3.large'},"                                                  \
    "'dnsConfig':{'nameservers':['169.254.20.10']},'containers':[{}]}}"

static const struct {
    const char *mode;
    bool strict;
    enum action annotation, missing, type, grace, link_local;
} modes[] = {
    { "", false, ACTION_DENY, ACTION_DENY, ACTION_WARN, ACTION_WARN, ACTION_WARN },
    { "off", false, ACTION_DENY, ACTION_IGNORE, ACTION_IGNORE, ACTION_IGNORE, ACTION_IGNORE },
    { "warn", false, ACTION_DENY, ACTION_WARN, ACTION_WARN, ACTION_WARN, ACTION_WARN },
    { "enforce", false, ACTION_DENY, ACTION_DENY, ACTION_DENY, ACTION_WARN, ACTION_DENY },
    { "", true, ACTION_DENY, ACTION_DENY, ACTION_DENY, ACTION_WARN, ACTION_DENY },
    { "off", true, ACTION_DENY, ACTION_IGNORE, ACTION_IGNORE, ACTION_IGNORE, ACTION_IGNORE },
    { "warn", true, ACTION_DENY, ACTION_WARN, ACTION_WARN, ACTION_WARN, ACTION_WARN },
    { "enforce", true, ACTION_DENY, ACTION_DENY, ACTION_DENY, ACTION_WARN, ACTION_DENY },
};

static enum action action_of(const struct findings *findings, enum check check)
{
    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].check == check)
            return findings->items[i].action;
    return ACTION_IGNORE;
}

START_TEST(modes_and_profile)
{
    CLEANUP(world_free) struct world world = world_new();
    struct str text = { 0 };
    struct err err = { 0 };
    expect_done(arena_print(&world.arena, &text, &err,
                            "{'name':'shop','labels':{'sgp-webhook.io/mode':'%s'},'policies':[{'metadata':{'name':"
                            "'web'},'spec':{'podSelector':{},'securityGroups':{'groupIds':['sg-0000000a']}}}]}",
                            modes[_i].mode),
                &err);
    world_put(&world, text.ptr);
    if (modes[_i].strict)
        rules_make_strict(&world.rules);
    struct ask question = question_of("CREATE", MANY, NULL);
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    const struct findings *findings = &reply.answer.findings;
    ck_assert_int_eq(action_of(findings, CHECK_POD_ANNOTATION), modes[_i].annotation);
    ck_assert_int_eq(action_of(findings, CHECK_POD_BRANCH_MISSING), modes[_i].missing);
    ck_assert_int_eq(action_of(findings, CHECK_POD_INSTANCE_TYPE), modes[_i].type);
    ck_assert_int_eq(action_of(findings, CHECK_POD_GRACE_PERIOD), modes[_i].grace);
    ck_assert_int_eq(action_of(findings, CHECK_POD_LINK_LOCAL), modes[_i].link_local);
    ck_assert(!reply.answer.allowed);
}
END_TEST

START_TEST(link_local_is_of_strict_mode)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    world.rules.strict_mode = false;
    struct ask question =
        question_of("CREATE", "{" WEB ",'spec':{'dnsConfig':{'nameservers':['169.254.20.10']}," C0 "}}", NULL);
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert_uint_eq(reply.answer.findings.count, 0);
}
END_TEST

static const struct {
    const char *pod, *findings;
} ambient[] = {
    { "{'spec':{" C0 "}}", LINK_LOCAL "metadata.labels[istio.io/dataplane-mode]" },
    { "{'metadata':{'labels':{'istio.io/dataplane-mode':'none'}},'spec':{" C0 "}}", "" },
    { "{'metadata':{'labels':{'eks.amazonaws.com/pod-identity':'enabled','istio.io/dataplane-mode':'none'}},'spec':{" C0
      "}}",
      LINK_LOCAL "metadata.labels[eks.amazonaws.com/pod-identity]" },
};

START_TEST(ambient_by_the_label_of_the_namespace)
{
    CLEANUP(world_free) struct world world = world_new();
    world_put(&world, "{'name':'shop','labels':{'istio.io/dataplane-mode':'ambient'},'policies':[{'metadata':{'name':"
                      "'all'},'spec':{'podSelector':{},'securityGroups':{'groupIds':['sg-0000000a']}}}]}");
    struct ask question = question_of("CREATE", ambient[_i].pod, NULL);
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert_str_eq(findings_line(&world.arena, &reply.answer.findings), ambient[_i].findings);
}
END_TEST

#define COUNT_AT "pod-group-count=deny@metadata.labels"

/* Six groups by two policies. */
static const struct {
    const char *pod;
    size_t limit;
    const char *findings;
} counted[] = {
    { "{'spec':{" C0 "}}", 5, COUNT_AT },
    { "{'spec':{" C0 "}}", 6, "" },
    { "{'metadata':{" FARGATE_ALONE ",'annotations':{" SG ":'sg-1,sg-2,sg-3,sg-4,sg-5,sg-6'}}}", 16, COUNT_AT },
    { "{'metadata':{" FARGATE_ALONE ",'annotations':{" SG ":'sg-1,sg-2,sg-3,sg-4,sg-5,sg-6'}}}", 5, COUNT_AT },
    /* It has no interface of its own, so that there is no limit to exceed. */
    { "{'spec':{'hostNetwork':true,'containers':[{}]}}", 5, "pod-host-network=warn@spec.hostNetwork" },
    { "{'spec':{'os':{'name':'windows'},'containers':[{}]}}", 5, "pod-windows=warn@spec.os.name" },
};

START_TEST(groups_of_an_interface)
{
    CLEANUP(world_free) struct world world = world_new();
    world_put(&world, "{'name':'shop','policies':["
                      "{'metadata':{'name':'b'},'spec':{'podSelector':{},'securityGroups':{'groupIds':['sg-4','sg-5',"
                      "'sg-6','sg-1']}}},"
                      "{'metadata':{'name':'a'},'spec':{'podSelector':{},'securityGroups':{'groupIds':['sg-1','sg-2',"
                      "'sg-3']}}}]}");
    world.rules.groups_per_interface = counted[_i].limit;
    struct ask question = question_of("CREATE", counted[_i].pod, NULL);
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert_str_eq(findings_line(&world.arena, &reply.answer.findings), counted[_i].findings);
    if (!reply.answer.allowed)
        ck_assert_ptr_nonnull(strstr(reply.answer.reason.ptr, "6 security groups by policies a, b"));
}
END_TEST

static const struct {
    enum action action;
    const char *annotation, *findings;
} fargate[] = {
    { ACTION_ANNOTATE, "sg-0000000a,sg-0000000b", "" },
    { ACTION_WARN, "sg-0000000a,sg-0000000b", "pod-fargate=warn@metadata.labels[eks.amazonaws.com/fargate-profile]" },
    { ACTION_DENY, "sg-0000000a,sg-0000000b", "pod-fargate=deny@metadata.labels[eks.amazonaws.com/fargate-profile]" },
    { ACTION_IGNORE, "sg-0000000a,sg-0000000b", "" },
    { ACTION_IGNORE, "anything", "" },
};

START_TEST(fargate_as_configured)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    struct str text = { 0 };
    struct err err = { 0 };
    world.rules.actions[CHECK_POD_FARGATE] = fargate[_i].action;
    expect_done(arena_print(&world.arena, &text, &err, "{'metadata':{" FARGATE ",'annotations':{" SG ":'%s'}}}",
                            fargate[_i].annotation),
                &err);
    struct ask question = question_of("CREATE", text.ptr, NULL);
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert_str_eq(findings_line(&world.arena, &reply.answer.findings), fargate[_i].findings);
}
END_TEST

static struct str three_ids[] = { STR_INIT("a"), STR_INIT("b"), STR_INIT("c") };

static const struct {
    const char *annotation;
    size_t count; /* of a, b, c */
    bool names;
} named[] = {
    { "a,b,c", 3, true },    { "c,a,b", 3, true },   { "a,b", 3, false },    { "a,b,b", 3, false },
    { "a,b,c,c", 3, false }, { "a,b,c,", 3, false }, { ",a,b,c", 3, false }, { "a b c", 3, false },
    { "", 3, false },        { "a,b,d", 3, false },  { "a", 1, true },       { "a,a", 1, false },
    { "", 1, false },        { "ab", 1, false },     { "", 0, false },       { ",", 0, false },
    { "a,,c", 3, false },
};

START_TEST(annotation_names_exactly_the_groups)
{
    const struct str_list groups = { three_ids, named[_i].count };
    char *copy = exact_copy(str_of(named[_i].annotation));
    const struct str annotation = { copy, strlen(named[_i].annotation) };
    ck_assert_int_eq(fargate_annotation_names(annotation, &groups), named[_i].names);
    free(copy);
}
END_TEST

Suite *validate_pod_suite(void)
{
    Suite *suite = suite_create("validate_pod");
    TCase *cases = tcase_create("validate_pod");
    tcase_add_loop_test(cases, creation, 0, ROWS(created));
    tcase_add_loop_test(cases, update, 0, ROWS(updated));
    tcase_add_test(cases, changed_labels_name_the_policies_and_the_remedy);
    tcase_add_loop_test(cases, others_are_allowed, 0, ROWS(others));
    tcase_add_loop_test(cases, objects_that_are_null, 0, ROWS(null_objects));
    tcase_add_loop_test(cases, without_policies, 0, ROWS(elsewhere));
    tcase_add_loop_test(cases, modes_and_profile, 0, ROWS(modes));
    tcase_add_test(cases, link_local_is_of_strict_mode);
    tcase_add_loop_test(cases, ambient_by_the_label_of_the_namespace, 0, ROWS(ambient));
    tcase_add_loop_test(cases, groups_of_an_interface, 0, ROWS(counted));
    tcase_add_loop_test(cases, fargate_as_configured, 0, ROWS(fargate));
    tcase_add_loop_test(cases, annotation_names_exactly_the_groups, 0, ROWS(named));
    suite_add_tcase(suite, cases);
    return suite;
}

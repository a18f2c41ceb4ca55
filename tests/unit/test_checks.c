/* The catalogue and the rules; every check fires where it should and is silent where it should be. */
#include "admission/checks.h"

#include "admission/rules.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/suites.h"

START_TEST(every_row_is_whole)
{
    const struct check_row *row = check_row((enum check)_i);
    enum check found = CHECK_COUNT;
    ck_assert_uint_gt(row->id.len, 0);
    ck_assert_uint_gt(row->sentence.len, 0);
    ck_assert(str_starts_with(row->id, row->subject));
    ck_assert(check_find(row->id, &found));
    ck_assert_int_eq(found, _i);
}
END_TEST

static const char *const unknown[] = { "", "pod", "pod-", "pod-annotations", "POD-ANNOTATION", "pod-annotation " };

START_TEST(unknown_ids)
{
    enum check found = CHECK_POD_WINDOWS;
    ck_assert(!check_find(str_of(unknown[_i]), &found));
    ck_assert_int_eq(found, CHECK_POD_WINDOWS);
}
END_TEST

START_TEST(names_of_actions)
{
    ck_assert_str_eq(action_name(ACTION_IGNORE), "ignore");
    ck_assert_str_eq(action_name(ACTION_WARN), "warn");
    ck_assert_str_eq(action_name(ACTION_DENY), "deny");
    ck_assert_str_eq(action_name(ACTION_ANNOTATE), "annotate");
}
END_TEST

/* What a check of a group does, as configured, by the mode of the namespace. */
static const struct {
    enum check check;
    enum action configured;
    enum action by_default, off, warn, enforce;
} acting[] = {
    { CHECK_POD_GROUP_COUNT, ACTION_DENY, ACTION_DENY, ACTION_IGNORE, ACTION_WARN, ACTION_DENY },
    { CHECK_POD_GROUP_COUNT, ACTION_WARN, ACTION_WARN, ACTION_IGNORE, ACTION_WARN, ACTION_WARN },
    { CHECK_POD_GROUP_COUNT, ACTION_IGNORE, ACTION_IGNORE, ACTION_IGNORE, ACTION_IGNORE, ACTION_IGNORE },
    { CHECK_POD_WINDOWS, ACTION_WARN, ACTION_WARN, ACTION_IGNORE, ACTION_WARN, ACTION_DENY },
    { CHECK_POD_WINDOWS, ACTION_IGNORE, ACTION_IGNORE, ACTION_IGNORE, ACTION_IGNORE, ACTION_IGNORE },
    { CHECK_POD_LINK_LOCAL, ACTION_WARN, ACTION_WARN, ACTION_IGNORE, ACTION_WARN, ACTION_DENY },
    { CHECK_POD_FARGATE, ACTION_ANNOTATE, ACTION_ANNOTATE, ACTION_IGNORE, ACTION_ANNOTATE, ACTION_ANNOTATE },
    { CHECK_POD_ANNOTATION, ACTION_DENY, ACTION_DENY, ACTION_DENY, ACTION_DENY, ACTION_DENY },
    { CHECK_NODE_AWS_NODE, ACTION_DENY, ACTION_DENY, ACTION_DENY, ACTION_DENY, ACTION_DENY },
    { CHECK_NODE_AWS_NODE, ACTION_WARN, ACTION_WARN, ACTION_WARN, ACTION_WARN, ACTION_WARN },
};

START_TEST(action_by_mode)
{
    struct rules rules = rules_default(NULL);
    enum check check = acting[_i].check;
    rules.actions[check] = acting[_i].configured;
    ck_assert_int_eq(rules_action(&rules, check, MODE_DEFAULT), acting[_i].by_default);
    ck_assert_int_eq(rules_action(&rules, check, MODE_OFF), acting[_i].off);
    ck_assert_int_eq(rules_action(&rules, check, MODE_WARN), acting[_i].warn);
    ck_assert_int_eq(rules_action(&rules, check, MODE_ENFORCE), acting[_i].enforce);
}
END_TEST

START_TEST(strict_raises_placement_and_connectivity_alone)
{
    struct rules rules = rules_default(NULL), strict = rules;
    rules_make_strict(&strict);
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        enum check_group group = check_row((enum check)i)->group;
        bool raised = (group == GROUP_PLACEMENT || group == GROUP_CONNECTIVITY) && rules.actions[i] == ACTION_WARN;
        ck_assert_int_eq(strict.actions[i], raised ? ACTION_DENY : rules.actions[i]);
    }
}
END_TEST

START_TEST(defaults)
{
    const struct instance_types types = { 0 };
    struct rules rules = rules_default(&types);
    ck_assert_uint_eq(rules.groups_per_policy, 5);
    ck_assert_uint_eq(rules.groups_per_interface, 5);
    ck_assert(rules.strict_mode && !rules.windows_ipam && !rules.workloads_deny);
    ck_assert_ptr_eq(rules.instance_types, &types);
    for (size_t i = 0; i < CHECK_COUNT; i++)
        ck_assert_int_eq(rules.actions[i], check_row((enum check)i)->action);
}
END_TEST

#define ENI "'vpc.amazonaws.com/pod-eni'"
#define ONE "{'resources':{'limits':{" ENI ":'1'},'requests':{" ENI ":'1'}}}"
#define WEB "'metadata':{'name':'p','labels':{'role':'web'}}"
#define FARGATE                                                                                                        \
    "'metadata':{'labels':{'role':'web','eks.amazonaws.com/fargate-profile':'f'},'annotations':"                       \
    "{'fargate.amazonaws.com/pod-sg':'sg-0000000a,sg-0000000b'}}"
#define POD(spec) "{" WEB ",'spec':{" spec "'containers':[" ONE "]}}"
#define POLICY(spec) "{'metadata':{'name':'p'},'spec':{" spec "}}"
#define BY_ROLE "'podSelector':{'matchLabels':{'role':'web'}}"
#define IDS(ids) "'securityGroups':{'groupIds':[" ids "]}"
#define AWS_NODE "system:serviceaccount:kube-system:aws-node"

enum place { POLICIES, PODS, MUTATION, NODES };

static const struct {
    const char *path, *group, *kind;
} places[] = {
    [POLICIES] = { "/validate-v1beta1-securitygrouppolicy", "vpcresources.k8s.aws", "SecurityGroupPolicy" },
    [PODS] = { "/validate-v1-pod", "", "Pod" },
    [MUTATION] = { "/mutate-v1-pod", "", "Pod" },
    [NODES] = { "/validate-v1-node", "", "Node" },
};

/* For each check an object of which it has something to say, and one nearly the same of which it has not. With `old`
 * it is an update of that. */
static const struct {
    enum place place;
    const char *fires, *silent, *old;
} firing[CHECK_COUNT] = {
    [CHECK_POLICY_SELECTOR_MISSING] = { POLICIES, POLICY(IDS("'sg-00000001'")),
                                        POLICY(BY_ROLE "," IDS("'sg-00000001'")), NULL },
    [CHECK_POLICY_SELECTOR_BOTH] = { POLICIES, POLICY(BY_ROLE ",'serviceAccountSelector':{}," IDS("'sg-00000001'")),
                                     POLICY("'serviceAccountSelector':{}," IDS("'sg-00000001'")), NULL },
    [CHECK_POLICY_SELECTOR_INVALID] = { POLICIES,
                                        POLICY("'podSelector':{'matchExpressions':[{'key':'a','operator':'is'}]}"),
                                        POLICY("'podSelector':{'matchExpressions':[{'key':'a','operator':'Exists'}]}"),
                                        NULL },
    [CHECK_POLICY_SELECTS_ALL] = { POLICIES, POLICY("'podSelector':{}"), POLICY(BY_ROLE), NULL },
    [CHECK_POLICY_GROUP_COUNT] = { POLICIES, POLICY(BY_ROLE "," IDS("")), POLICY(BY_ROLE "," IDS("'sg-1'")), NULL },
    [CHECK_POLICY_GROUP_ID] = { POLICIES, POLICY(IDS("'sg-0000000'")), POLICY(IDS("'sg-00000000'")), NULL },
    [CHECK_POLICY_GROUP_DUPLICATE] = { POLICIES, POLICY(IDS("'sg-00000000','sg-00000000'")),
                                       POLICY(IDS("'sg-00000000','sg-00000001'")), NULL },
    [CHECK_POLICY_NOT_RETROACTIVE] = { POLICIES, POLICY(BY_ROLE "," IDS("'sg-00000001'")),
                                       POLICY(BY_ROLE "," IDS("'sg-00000000'")),
                                       POLICY(BY_ROLE "," IDS("'sg-00000000'")) },
    [CHECK_POD_GROUP_COUNT] = { PODS, "{'metadata':{'labels':{'role':'all'}},'spec':{'containers':[" ONE "]}}", POD(""),
                                NULL },
    [CHECK_POD_BRANCH_MISSING] = { PODS, "{" WEB ",'spec':{'containers':[{}]}}", POD(""), NULL },
    [CHECK_POD_BRANCH_COUNT] = { MUTATION, "{" WEB ",'spec':{'containers':[{'resources':{'limits':{" ENI ":'2'}}}]}}",
                                 POD(""), NULL },
    [CHECK_POD_BRANCH_UNSELECTED] = { PODS, "{'spec':{'containers':[" ONE "]}}", POD(""), NULL },
    [CHECK_POD_ANNOTATION] = { PODS, "{'metadata':{'annotations':{" ENI ":'x'}}}", "{'metadata':{}}", NULL },
    [CHECK_POD_LABELS_CHANGED] = { PODS, "{'metadata':{'labels':{'role':'db'}}}", POD(""), POD("") },
    [CHECK_POD_ACCOUNT_UNKNOWN] = { PODS, POD("'serviceAccountName':'who',"), POD("'serviceAccountName':'pay',"),
                                    NULL },
    [CHECK_POD_HOST_NETWORK] = { PODS, POD("'hostNetwork':true,"), POD("'hostNetwork':false,"), NULL },
    [CHECK_POD_WINDOWS] = { PODS, POD("'os':{'name':'windows'},"), POD("'os':{'name':'linux'},"), NULL },
    [CHECK_POD_FARGATE] = { PODS, "{" FARGATE "}", POD(""), NULL },
    [CHECK_POD_INSTANCE_TYPE] = { PODS, POD("'nodeSelector':{'node.kubernetes.io/instance-type':'t3.large'},"),
                                  POD("'nodeSelector':{'node.kubernetes.io/instance-type':'m5.large'},"), NULL },
    [CHECK_POD_GRACE_PERIOD] = { PODS, POD("'terminationGracePeriodSeconds':0,"),
                                 POD("'terminationGracePeriodSeconds':30,"), NULL },
    [CHECK_POD_LINK_LOCAL] = { PODS, POD("'dnsConfig':{'nameservers':['169.254.20.10']},"),
                               POD("'dnsConfig':{'nameservers':['10.0.0.10']},"), NULL },
    [CHECK_NODE_AWS_NODE] = { NODES, "{'spec':{'unschedulable':true}}",
                              "{'metadata':{'labels':{'vpc.amazonaws.com/has-trunk-attached':'true'}}}", "{}" },
};

static bool has_check(const struct findings *findings, enum check check)
{
    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].check == check)
            return true;
    return false;
}

static bool says(struct world *world, enum check check, const char *object)
{
    enum place place = firing[check].place;
    const struct ask question = {
        .path = places[place].path,
        .operation = firing[check].old ? "UPDATE" : "CREATE",
        .group = places[place].group,
        .kind = places[place].kind,
        .object = object,
        .old_object = firing[check].old,
        .user = place == NODES ? AWS_NODE : "admin",
    };
    CLEANUP(reply_free) struct reply reply = ask(world, &question);
    return has_check(&reply.answer.findings, check);
}

START_TEST(fires_and_is_silent)
{
    CLEANUP(world_free) struct world world = world_new();
    world_put(&world, "{'name':'shop','policies':["
                      "{'metadata':{'name':'web'},'spec':{'podSelector':{'matchLabels':{'role':'web'}},"
                      "'securityGroups':{'groupIds':['sg-0000000a','sg-0000000b']}}},"
                      "{'metadata':{'name':'all'},'spec':{'podSelector':{'matchLabels':{'role':'all'}},"
                      "'securityGroups':{'groupIds':['sg-1','sg-2','sg-3','sg-4','sg-5','sg-6']}}},"
                      "{'metadata':{'name':'by-account'},'spec':{'serviceAccountSelector':{'matchLabels':"
                      "{'team':'pay'}},'securityGroups':{'groupIds':['sg-0000000c']}}}],"
                      "'accounts':[{'metadata':{'name':'default'}},"
                      "{'metadata':{'name':'pay','labels':{'team':'pay'}}}]}");
    world.rules.actions[CHECK_POD_FARGATE] = ACTION_WARN; /* to annotate is nothing to report */
    ck_assert_ptr_nonnull(firing[_i].fires);
    ck_assert_ptr_nonnull(firing[_i].silent);
    ck_assert(says(&world, (enum check)_i, firing[_i].fires));
    ck_assert(!says(&world, (enum check)_i, firing[_i].silent));
    world.rules.actions[_i] = ACTION_IGNORE;
    ck_assert(!says(&world, (enum check)_i, firing[_i].fires));
}
END_TEST

Suite *checks_suite(void)
{
    Suite *suite = suite_create("checks");
    TCase *cases = tcase_create("checks");
    tcase_add_loop_test(cases, every_row_is_whole, 0, CHECK_COUNT);
    tcase_add_loop_test(cases, unknown_ids, 0, ROWS(unknown));
    tcase_add_test(cases, names_of_actions);
    tcase_add_loop_test(cases, action_by_mode, 0, ROWS(acting));
    tcase_add_test(cases, strict_raises_placement_and_connectivity_alone);
    tcase_add_test(cases, defaults);
    tcase_add_loop_test(cases, fires_and_is_silent, 0, CHECK_COUNT);
    suite_add_tcase(suite, cases);
    return suite;
}

#include "admission/checks.h"

#define POLICY STR_INIT("policy")
#define POD STR_INIT("pod")
#define NODE STR_INIT("node")

static const struct check_row rows[CHECK_COUNT] = {
    [CHECK_POLICY_SELECTOR_MISSING] = { STR_INIT("policy-selector-missing"), POLICY, ACTION_DENY, GROUP_FORM,
                                        STR_INIT("neither podSelector nor serviceAccountSelector is given") },
    [CHECK_POLICY_SELECTOR_BOTH] = { STR_INIT("policy-selector-both"), POLICY, ACTION_DENY, GROUP_FORM,
                                     STR_INIT("both selectors are given; the guide wants one or the other") },
    [CHECK_POLICY_SELECTOR_INVALID] = { STR_INIT("policy-selector-invalid"), POLICY, ACTION_DENY, GROUP_FORM,
                                        STR_INIT("a selector has a key, value or operator that is none") },
    [CHECK_POLICY_SELECTS_ALL] = { STR_INIT("policy-selects-all"), POLICY, ACTION_WARN, GROUP_FORM,
                                   STR_INIT("the selector is empty and selects every pod of the namespace") },
    [CHECK_POLICY_GROUP_COUNT] = { STR_INIT("policy-group-count"), POLICY, ACTION_DENY, GROUP_FORM,
                                   STR_INIT("no security group id, or more than limits.groupsPerPolicy") },
    [CHECK_POLICY_GROUP_ID] = { STR_INIT("policy-group-id"), POLICY, ACTION_DENY, GROUP_FORM,
                                STR_INIT("an id is not sg- and 8 or 17 hexadecimal digits") },
    [CHECK_POLICY_GROUP_DUPLICATE] = { STR_INIT("policy-group-duplicate"), POLICY, ACTION_WARN, GROUP_FORM,
                                       STR_INIT("the same security group id stands twice") },
    [CHECK_POLICY_NOT_RETROACTIVE] = { STR_INIT("policy-not-retroactive"), POLICY, ACTION_WARN, GROUP_FORM,
                                       STR_INIT("a change does not reach running pods until they are recreated") },
    [CHECK_POD_GROUP_COUNT] = { STR_INIT("pod-group-count"), POD, ACTION_DENY, GROUP_FORM,
                                STR_INIT("the policies add up to more groups than an interface takes") },
    [CHECK_POD_BRANCH_MISSING] = { STR_INIT("pod-branch-missing"), POD, ACTION_DENY, GROUP_FORM,
                                   STR_INIT("a policy selects the pod, but no container requests a branch interface") },
    [CHECK_POD_BRANCH_COUNT] = { STR_INIT("pod-branch-count"), POD, ACTION_WARN, GROUP_FORM,
                                 STR_INIT("a pod requests another number of branch interfaces than one") },
    [CHECK_POD_BRANCH_UNSELECTED] = { STR_INIT("pod-branch-unselected"), POD, ACTION_WARN, GROUP_PLACEMENT,
                                      STR_INIT("a branch interface is requested, but no policy selects the pod") },
    [CHECK_POD_ANNOTATION] = { STR_INIT("pod-annotation"), POD, ACTION_DENY, GROUP_PROTECTION,
                               STR_INIT("a protected annotation is written by somebody who may not") },
    [CHECK_POD_LABELS_CHANGED] = { STR_INIT("pod-labels-changed"), POD, ACTION_WARN, GROUP_FORM,
                                   STR_INIT("an update changes which policies select a running pod") },
    [CHECK_POD_ACCOUNT_UNKNOWN] = { STR_INIT("pod-account-unknown"), POD, ACTION_WARN, GROUP_FORM,
                                    STR_INIT("a policy selects by service account, and the pod's is not known") },
    [CHECK_POD_HOST_NETWORK] = { STR_INIT("pod-host-network"), POD, ACTION_WARN, GROUP_PLACEMENT,
                                 STR_INIT("a policy selects a host-network pod, which cannot have groups") },
    [CHECK_POD_WINDOWS] = { STR_INIT("pod-windows"), POD, ACTION_WARN, GROUP_PLACEMENT,
                            STR_INIT("a policy selects a Windows pod, which cannot have groups") },
    [CHECK_POD_FARGATE] = { STR_INIT("pod-fargate"), POD, ACTION_ANNOTATE, GROUP_FORM,
                            STR_INIT("a policy selects a Fargate pod") },
    [CHECK_POD_INSTANCE_TYPE] = { STR_INIT("pod-instance-type"), POD, ACTION_WARN, GROUP_PLACEMENT,
                                  STR_INIT("only instance types without branch interfaces are allowed for the pod") },
    [CHECK_POD_GRACE_PERIOD] = { STR_INIT("pod-grace-period"), POD, ACTION_WARN, GROUP_FORM,
                                 STR_INIT("terminationGracePeriodSeconds is 0, which leaks the interface") },
    [CHECK_POD_LINK_LOCAL] = { STR_INIT("pod-link-local"), POD, ACTION_WARN, GROUP_CONNECTIVITY,
                               STR_INIT("strict mode cannot reach a link-local address that the pod needs") },
    [CHECK_NODE_AWS_NODE] = { STR_INIT("node-aws-node"), NODE, ACTION_DENY, GROUP_PROTECTION,
                              STR_INIT("aws-node changes more of a node than its two labels") },
};

const struct check_row *check_row(enum check check)
{
    return &rows[check];
}

bool check_find(struct str id, enum check *out)
{
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        if (str_equal(rows[i].id, id)) {
            *out = (enum check)i;
            return true;
        }
    }
    return false;
}

const char *action_name(enum action action)
{
    static const char *const names[] = {
        [ACTION_IGNORE] = "ignore", [ACTION_WARN] = "warn", [ACTION_DENY] = "deny", [ACTION_ANNOTATE] = "annotate"
    };
    return names[action];
}

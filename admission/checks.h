/* admission/checks.h - the catalogue: one row for every check, its id, its default action, the sentence it enforces. */
#ifndef SGP_ADMISSION_CHECKS_H
#define SGP_ADMISSION_CHECKS_H

#include "base/str.h"

enum check {
    CHECK_POLICY_SELECTOR_MISSING,
    CHECK_POLICY_SELECTOR_BOTH,
    CHECK_POLICY_SELECTOR_INVALID,
    CHECK_POLICY_SELECTS_ALL,
    CHECK_POLICY_GROUP_COUNT,
    CHECK_POLICY_GROUP_ID,
    CHECK_POLICY_GROUP_DUPLICATE,
    CHECK_POLICY_NOT_RETROACTIVE,
    CHECK_POD_GROUP_COUNT,
    CHECK_POD_BRANCH_MISSING,
    CHECK_POD_BRANCH_COUNT,
    CHECK_POD_BRANCH_UNSELECTED,
    CHECK_POD_ANNOTATION,
    CHECK_POD_LABELS_CHANGED,
    CHECK_POD_ACCOUNT_UNKNOWN,
    CHECK_POD_HOST_NETWORK,
    CHECK_POD_WINDOWS,
    CHECK_POD_FARGATE,
    CHECK_POD_INSTANCE_TYPE,
    CHECK_POD_GRACE_PERIOD,
    CHECK_POD_LINK_LOCAL,
    CHECK_NODE_AWS_NODE,
    CHECK_COUNT,
};

enum action {
    ACTION_IGNORE,
    ACTION_WARN,
    ACTION_DENY,
    ACTION_ANNOTATE, /* pod-fargate only: the mutation does it, nothing is reported */
};

/* What `profile: strict` and the namespace label `enforce` raise from warn to deny. */
enum check_group { GROUP_FORM, GROUP_PLACEMENT, GROUP_CONNECTIVITY, GROUP_PROTECTION };

struct check_row {
    struct str id;
    struct str subject; /* "policy", "pod" or "node" */
    enum action action; /* the default */
    enum check_group group;
    struct str sentence; /* when it refuses or warns, for documents and help */
};

/* The row of `check`; static. */
const struct check_row *check_row(enum check check);
/* Finds the check with this id; false when there is none. */
bool check_find(struct str id, enum check *out);
/* "deny", "warn", "ignore", "annotate". */
const char *action_name(enum action action);

#endif

/* policy/policy.h - the SecurityGroupPolicies of one namespace, and which of them select a pod. */
#ifndef SGP_POLICY_POLICY_H
#define SGP_POLICY_POLICY_H

#include "policy/selector.h"

/* As written, nothing checked. A selector that is not given is NULL. */
struct policy_spec {
    struct str name;
    struct str namespace;
    const struct selector_spec *pod_selector;
    const struct selector_spec *account_selector;
    struct str_list groups;
};

struct policy {
    struct str name;
    const struct selector *pod_selector;     /* NULL: not given */
    const struct selector *account_selector; /* NULL: not given */
    struct str_list groups;                  /* as written, duplicates and all */
};

/* Sorted by name, so that answers repeat; EKS itself takes policies in no fixed order. Immutable. */
struct policy_set {
    const struct policy *policies;
    size_t count;
    bool by_account; /* some policy selects by service account */
};

/* What is known of a pod's service account. */
struct account {
    struct str name;
    struct str_map labels;
};

/* Why a stored policy can select nothing; NULL when it can. Static text. Source: EKS matching: neither selector or no
 * groups is ignored, an invalid selector matches nothing. */
const char *policy_inert(const struct policy *policy);

/* Builds a set in the arena from specs in any order. */
result policy_set_build(const struct policy_spec *specs, size_t count, struct arena *arena, struct policy_set **out,
                        struct err *err);

enum policy_match {
    MATCH_YES,
    MATCH_NO,
    MATCH_UNKNOWN, /* hangs on the labels of a service account that is not known */
};

/* Both selectors must match where both are given. `account` is NULL when the service account is not known: then an
 * empty serviceAccountSelector still matches, any other is MATCH_UNKNOWN. Allocates nothing. */
enum policy_match policy_matches(const struct policy *policy, const struct str_map *pod_labels,
                                 const struct account *account);

#endif

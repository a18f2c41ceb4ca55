#include "policy/policy.h"

#include <stdlib.h>

/* R37, R59 (product design, facts: EKS matching): ignored as in EKS, but not without a word. */
const char *policy_inert(const struct policy *policy)
{
    if (!policy->pod_selector && !policy->account_selector)
        return "neither podSelector nor serviceAccountSelector is given";
    if (policy->pod_selector && !selector_valid(policy->pod_selector))
        return "its podSelector is invalid";
    if (policy->account_selector && !selector_valid(policy->account_selector))
        return "its serviceAccountSelector is invalid";
    return policy->groups.count == 0 ? "it names no security groups" : NULL;
}

static result build_selector(const struct selector_spec *spec, struct arena *arena, const struct selector **out,
                             struct err *err)
{
    return spec ? selector_build(spec, arena, out, err) : DONE;
}

static result build_policy(const struct policy_spec *spec, struct arena *arena, struct policy *out, struct err *err)
{
    GUARD(arena_copy(arena, spec->name, &out->name, err));
    GUARD(build_selector(spec->pod_selector, arena, &out->pod_selector, err));
    GUARD(build_selector(spec->account_selector, arena, &out->account_selector, err));
    GUARD(arena_take_array(arena, spec->groups.count, sizeof *out->groups.items, &out->groups.items, err));
    for (; out->groups.count < spec->groups.count; out->groups.count++)
        GUARD(arena_copy(arena, spec->groups.items[out->groups.count], &out->groups.items[out->groups.count], err));
    return DONE;
}

/* R38 (product design, facts: groups of a pod): EKS takes policies in no fixed order; by name, answers repeat. */
static int name_order(const void *a, const void *b)
{
    return str_compare(((const struct policy *)a)->name, ((const struct policy *)b)->name);
}

result policy_set_build(const struct policy_spec *specs, size_t count, struct arena *arena, struct policy_set **out,
                        struct err *err)
{
    struct policy_set *set = NULL;
    struct policy *policies = NULL;
    GUARD(arena_take(arena, sizeof *set, &set, err));
    GUARD(arena_take_array(arena, count, sizeof *policies, &policies, err));
    for (size_t i = 0; i < count; i++) {
        GUARD(build_policy(&specs[i], arena, &policies[i], err));
        set->by_account |= policies[i].account_selector != NULL && !policy_inert(&policies[i]);
    }
    if (count)
        qsort(policies, count, sizeof *policies, name_order);
    set->policies = policies;
    set->count = count;
    *out = set;
    return DONE;
}

static enum policy_match account_matches(const struct selector *selector, const struct account *account)
{
    if (account)
        return selector_matches(selector, &account->labels) ? MATCH_YES : MATCH_NO;
    return selector_empty(selector) ? MATCH_YES : MATCH_UNKNOWN;
}

/* R36 (product design, facts: EKS matching): both selectors have to match, where both are given. */
enum policy_match policy_matches(const struct policy *policy, const struct str_map *pod_labels,
                                 const struct account *account)
{
    if (policy_inert(policy))
        return MATCH_NO;
    if (policy->pod_selector && !selector_matches(policy->pod_selector, pod_labels))
        return MATCH_NO;
    return policy->account_selector ? account_matches(policy->account_selector, account) : MATCH_YES;
}

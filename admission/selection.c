#include "admission/selection.h"

/* The upper bounds of what selection_of may find, so that each list is one allocation. */
static result make_room(const struct policy_set *set, struct arena *arena, struct selection *out, struct err *err)
{
    size_t groups = 0;
    for (size_t i = 0; i < set->count; i++)
        groups += set->policies[i].groups.count;
    *out = (struct selection){ 0 };
    GUARD(arena_take_array(arena, set->count, sizeof(struct str), &out->policies.items, err));
    GUARD(arena_take_array(arena, set->count, sizeof(struct str), &out->unknown.items, err));
    return arena_take_array(arena, groups, sizeof(struct str), &out->groups.items, err);
}

/* R38 (product design, facts: groups of a pod): in the order first seen, none twice. */
static void add_groups(struct str_list *all, const struct str_list *more)
{
    for (size_t i = 0; i < more->count; i++)
        if (!str_list_has(all, more->items[i]))
            all->items[all->count++] = more->items[i];
}

/* R53 (product design, what EKS's own webhook gets wrong): the service account matters only where a policy selects by
 * one. */
result selection_of(const struct namespace_view *view, const struct pod *pod, struct arena *arena,
                    struct selection *out, struct err *err)
{
    const struct policy_set *set = view->policies;
    const struct account *account = set->by_account ? namespace_account(view, pod_account_name(pod)) : NULL;
    GUARD(make_room(set, arena, out, err));
    for (size_t i = 0; i < set->count; i++) {
        const struct policy *policy = &set->policies[i];
        switch (policy_matches(policy, pod_labels(pod), account)) {
        case MATCH_YES:
            out->policies.items[out->policies.count++] = policy->name;
            add_groups(&out->groups, &policy->groups);
            break;
        case MATCH_UNKNOWN: out->unknown.items[out->unknown.count++] = policy->name; break;
        case MATCH_NO: break;
        }
    }
    return DONE;
}

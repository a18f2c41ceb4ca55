/* pod-instance-type: only types without branch interfaces are allowed for the pod. */
#include "admission/pod_checks.h"

static bool is_type_key(struct str key)
{
    return str_is(key, "node.kubernetes.io/instance-type") || str_is(key, "beta.kubernetes.io/instance-type");
}

/* R6 (EKS guide, "Considerations"): most Nitro-based types, no t family. A type that the table does not know may be
 * newer than the table, so nothing is said of it. */
static bool has_no_branches(const struct rules *rules, struct str type)
{
    const struct instance_type *known = instance_types_find(rules->instance_types, type);
    return known && (!known->trunking || known->branch_interfaces == 0);
}

static bool all_without_branches(const struct rules *rules, const struct str_list *types)
{
    for (size_t i = 0; i < types->count; i++)
        if (!has_no_branches(rules, types->items[i]))
            return false;
    return types->count > 0;
}

/* A term's expressions are all required: one that leaves only such types is enough. */
static bool term_excludes_branches(const struct rules *rules, const struct node_selector_term *term)
{
    for (size_t i = 0; i < term->expressions.count; i++) {
        const struct requirement_spec *expression = &term->expressions.items[i];
        if (is_type_key(expression->key) && str_is(expression->op, "In") &&
            all_without_branches(rules, &expression->values))
            return true;
    }
    return false;
}

/* Terms are alternatives: each has to leave only such types. */
static bool terms_exclude_branches(const struct rules *rules, const struct node_selector_terms *terms)
{
    for (size_t i = 0; i < terms->count; i++)
        if (!term_excludes_branches(rules, &terms->items[i]))
            return false;
    return terms->count > 0;
}

static result report_selector(const struct pod_subject *subject, const struct str_pair *pair, struct err *err)
{
    struct str field = { 0 };
    GUARD(arena_print(subject->findings->arena, &field, err, "spec.nodeSelector[%.*s]", STR_ARGS(pair->key)));
    return pod_report(subject, CHECK_POD_INSTANCE_TYPE, field.ptr, (struct str){ 0 }, err,
                      "%.*s has no branch interfaces, the pod would stay Pending", STR_ARGS(pair->value));
}

result pod_check_instance_type(const struct pod_subject *subject, struct err *err)
{
    const struct pod_spec *spec = &subject->pod->spec;
    if (!pod_wants_branch(subject))
        return DONE;
    for (size_t i = 0; i < spec->node_selector.count; i++) {
        const struct str_pair *pair = &spec->node_selector.items[i];
        if (is_type_key(pair->key) && has_no_branches(subject->rules, pair->value))
            return report_selector(subject, pair, err);
    }
    if (!terms_exclude_branches(subject->rules, &spec->required_terms))
        return DONE;
    return pod_report(subject, CHECK_POD_INSTANCE_TYPE, "spec.affinity.nodeAffinity", (struct str){ 0 }, err,
                      "requires instance types without branch interfaces; allow others");
}

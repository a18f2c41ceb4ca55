/* POST /validate-v1beta1-securitygrouppolicy: whether a policy can work at all. */
#include "admission/decide.h"

#include <stdarg.h>

struct policy_subject {
    const struct policy_body *spec;
    const struct decide_context *context;
    struct findings *findings;
};

/* R35 (product design, facts: API): this kind of this API group. */
bool concerns_policy(const struct review *review)
{
    return str_is(review->request->kind.kind, "SecurityGroupPolicy") &&
           str_is(review->request->kind.group, "vpcresources.k8s.aws") && review->request->sub_resource.len == 0;
}

/* Adds a finding with the action of the check, but no more than `most`. */
__attribute__((format(printf, 6, 7))) static result report(const struct policy_subject *subject, enum check check,
                                                           enum action most, struct str field, struct err *err,
                                                           const char *format, ...)
{
    struct finding finding = { .check = check, .field = field };
    va_list args;
    va_start(args, format);
    struct outcome printed = arena_vprint(subject->findings->arena, MESSAGE_MAX, &finding.message, err, format, args);
    va_end(args);
    GUARD(printed);
    finding.action = rules_action(subject->context->rules, check, subject->context->view->mode);
    if (finding.action == ACTION_DENY && most == ACTION_WARN)
        finding.action = ACTION_WARN;
    return findings_append(subject->findings, &finding, err);
}

/* R2 (EKS guide, "Deploy security groups for pods"): one selector or the other must be given. */
static result check_selectors_given(const struct policy_subject *subject, struct err *err)
{
    bool by_pod = subject->spec->pod_selector != NULL, by_account = subject->spec->account_selector != NULL;
    if (!by_pod && !by_account)
        return report(subject, CHECK_POLICY_SELECTOR_MISSING, ACTION_DENY, STR("spec"), err,
                      "selects nothing; give podSelector or serviceAccountSelector ({} selects all)");
    if (by_pod && by_account)
        return report(subject, CHECK_POLICY_SELECTOR_BOTH, ACTION_DENY, STR("spec"), err,
                      "podSelector and serviceAccountSelector are both given; keep one");
    return DONE;
}

static bool spec_is_empty(const struct selector_spec *selector)
{
    return !selector || (selector->match_labels.count == 0 && selector->expressions.count == 0);
}

/* R3 (EKS guide, the same place): an empty selector selects everything in the namespace. */
static result check_selects_all(const struct policy_subject *subject, struct err *err)
{
    const struct policy_body *spec = subject->spec;
    if ((!spec->pod_selector && !spec->account_selector) || !spec_is_empty(spec->pod_selector) ||
        !spec_is_empty(spec->account_selector))
        return DONE;
    return report(subject, CHECK_POLICY_SELECTS_ALL, ACTION_WARN,
                  spec->pod_selector ? STR("spec.podSelector") : STR("spec.serviceAccountSelector"), err,
                  "is empty and selects every pod of the namespace");
}

struct selector_place {
    const struct policy_subject *subject;
    const char *path;
};

static result report_invalid(void *ctx, struct str path, struct str message, struct err *err)
{
    const struct selector_place *place = ctx;
    struct str field = { 0 };
    GUARD(arena_print(place->subject->findings->arena, &field, err, "%s.%.*s", place->path, STR_ARGS(path)));
    return report(place->subject, CHECK_POLICY_SELECTOR_INVALID, ACTION_DENY, field, err, "%.*s", STR_ARGS(message));
}

/* R11 (Kubernetes, LabelSelector): EKS ignores a policy whose selector is invalid, without a word. */
static result check_selector(const struct policy_subject *subject, const struct selector_spec *selector,
                             const char *path, struct err *err)
{
    struct selector_place place = { subject, path };
    const struct selector_reporter reporter = { report_invalid, &place };
    return selector ? selector_diagnose(selector, subject->findings->arena, &reporter, err) : DONE;
}

/* R9 (EKS guide, the same place): 1 to 5 security group ids. */
static result check_group_count(const struct policy_subject *subject, struct err *err)
{
    size_t count = subject->spec->groups.count, max = subject->context->rules->groups_per_policy;
    if (count >= 1 && count <= max)
        return DONE;
    size_t before = subject->findings->count;
    GUARD(report(subject, CHECK_POLICY_GROUP_COUNT, ACTION_DENY, STR("spec.securityGroups.groupIds"), err,
                 "%zu security groups, 1 to %zu are allowed", count, max));
    if (subject->findings->count > before)
        subject->findings->items[before].amount = count;
    return DONE;
}

static bool all_of(struct str text, const char *set)
{
    for (size_t i = 0; i < text.len; i++)
        if (!text.ptr[i] || !strchr(set, text.ptr[i]))
            return false;
    return text.len > 0;
}

/* R15 (EC2 API, security group ids): sg- and 8 digits, or 17 since the longer format. */
static result check_group_id(const struct policy_subject *subject, size_t index, struct err *err)
{
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    struct str id = subject->spec->groups.items[index], field = { 0 };
    bool prefixed = str_starts_with(id, STR("sg-"));
    struct str digits = prefixed ? (struct str){ id.ptr + 3, id.len - 3 } : (struct str){ 0 };
    if ((digits.len == 8 || digits.len == 17) && all_of(digits, "0123456789abcdef"))
        return DONE;
    /* What looks like an id may be a placeholder, as in the guide's own example, which has to load. */
    enum action most = all_of(digits, letters) ? ACTION_WARN : ACTION_DENY;
    GUARD(arena_print(subject->findings->arena, &field, err, "spec.securityGroups.groupIds[%zu]", index));
    return report(subject, CHECK_POLICY_GROUP_ID, most, field, err, "'%.*s' is not sg- and 8 or 17 hex digits",
                  STR_ARGS(id));
}

/* R39 (product design, checks: policy-group-duplicate): no effect, but another id may be meant. */
static result check_group_twice(const struct policy_subject *subject, size_t index, struct err *err)
{
    const struct str_list before = { subject->spec->groups.items, index };
    struct str id = subject->spec->groups.items[index], field = { 0 };
    if (!str_list_has(&before, id))
        return DONE;
    GUARD(arena_print(subject->findings->arena, &field, err, "spec.securityGroups.groupIds[%zu]", index));
    return report(subject, CHECK_POLICY_GROUP_DUPLICATE, ACTION_WARN, field, err, "%.*s stands there already",
                  STR_ARGS(id));
}

/* More ids than any quota allows are refused by their number; saying something of each would help nobody. */
static result check_group_ids(const struct policy_subject *subject, struct err *err)
{
    enum { LOOKED_AT = 32 };
    for (size_t i = 0; i < subject->spec->groups.count && i < LOOKED_AT; i++) {
        GUARD(check_group_id(subject, i, err));
        GUARD(check_group_twice(subject, i, err));
    }
    return DONE;
}

static result check_policy(const struct policy_subject *subject, struct err *err)
{
    GUARD(check_selectors_given(subject, err));
    GUARD(check_selector(subject, subject->spec->pod_selector, "spec.podSelector", err));
    GUARD(check_selector(subject, subject->spec->account_selector, "spec.serviceAccountSelector", err));
    GUARD(check_selects_all(subject, err));
    GUARD(check_group_count(subject, err));
    return check_group_ids(subject, err);
}

static bool maps_equal(const struct str_map *a, const struct str_map *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!str_equal(a->items[i].key, b->items[i].key) || !str_equal(a->items[i].value, b->items[i].value))
            return false;
    return true;
}

static bool selectors_equal(const struct selector_spec *a, const struct selector_spec *b)
{
    if (!a || !b)
        return a == b;
    if (!maps_equal(&a->match_labels, &b->match_labels) || a->expressions.count != b->expressions.count)
        return false;
    for (size_t i = 0; i < a->expressions.count; i++) {
        const struct requirement_spec *x = &a->expressions.items[i], *y = &b->expressions.items[i];
        if (!str_equal(x->key, y->key) || !str_equal(x->op, y->op) || !str_list_equal(&x->values, &y->values))
            return false;
    }
    return true;
}

static bool specs_equal(const struct policy_body *a, const struct policy_body *b)
{
    return selectors_equal(a->pod_selector, b->pod_selector) &&
           selectors_equal(a->account_selector, b->account_selector) && str_list_equal(&a->groups, &b->groups);
}

/* R12 (product design, checks: policy-not-retroactive): groups are given when a pod is created and stay. */
static result warn_not_retroactive(const struct policy_subject *subject, struct str namespace, struct err *err)
{
    size_t before = subject->findings->count;
    GUARD(report(subject, CHECK_POLICY_NOT_RETROACTIVE, ACTION_DENY, STR("spec"), err,
                 "running pods keep their security groups until they are recreated"));
    if (subject->findings->count == before)
        return DONE;
    return arena_print(subject->findings->arena, &subject->findings->items[before].remedy, err,
                       "kubectl rollout restart deployment,statefulset,daemonset -n %.*s", STR_ARGS(namespace));
}

result inspect_policy(const struct decide_context *context, const struct policy_body *policy, struct decision *out,
                      struct err *err)
{
    const struct policy_subject subject = { policy, context, &out->findings };
    out->groups = policy->groups;
    return check_policy(&subject, err);
}

/* The stored object is checked the same way, so that an update is not refused for what was wrong already. */
static result ratchet(const struct decide_context *context, const struct policy_body *stored, struct findings *findings,
                      struct err *err)
{
    struct findings old = { .arena = findings->arena };
    const struct policy_subject subject = { stored, context, &old };
    GUARD(check_policy(&subject, err));
    findings_ratchet(findings, &old);
    return DONE;
}

result decide_policy(const struct decide_context *context, const struct review *review, struct decision *out,
                     struct err *err)
{
    const struct policy_object *object = review->request->object.policy,
                               *old = review->object_err[1].kind ? NULL : review->request->old_object.policy;
    const struct policy_object *subject_of = object ? object : old;
    if (!subject_of)
        return DONE;
    const struct policy_subject subject = { &subject_of->spec, context, &out->findings };
    if (review->operation == OPERATION_DELETE)
        return warn_not_retroactive(&subject, review->request->namespace, err);
    GUARD(inspect_policy(context, &subject_of->spec, out, err));
    if (review->operation != OPERATION_UPDATE || !old)
        return DONE;
    GUARD(ratchet(context, &old->spec, &out->findings, err));
    return specs_equal(&subject_of->spec, &old->spec) ? DONE
                                                      : warn_not_retroactive(&subject, review->request->namespace, err);
}

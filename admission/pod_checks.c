#include "admission/pod_checks.h"

#include "base/buf.h"

#include <stdio.h>

/* R50 (product design, facts: limit per interface): whatever the quota is. */
enum { FARGATE_GROUPS_MAX = 5 };

struct pod_subject pod_subject_of(const struct decide_context *context, const struct pod *pod, struct str path,
                                  const struct selection *selection, struct decision *out)
{
    return (struct pod_subject){
        .pod = pod,
        .view = context->view,
        .rules = context->rules,
        .selection = selection,
        .namespace = context->namespace,
        .path = path,
        .findings = &out->findings,
    };
}

result pod_select(const struct decide_context *context, const struct pod *pod, struct selection *selection,
                  struct decision *out, struct err *err)
{
    GUARD(selection_of(context->view, pod, context->arena, selection, err));
    const struct pod_subject subject = pod_subject_of(context, pod, (struct str){ 0 }, selection, out);
    out->policies = selection->policies;
    if (pod_wants_branch(&subject) || pod_is_fargate(pod))
        out->groups = selection->groups;
    return DONE;
}

result pod_report(const struct pod_subject *subject, enum check check, const char *field, struct str remedy,
                  struct err *err, const char *format, ...)
{
    struct finding finding = { .check = check, .remedy = remedy };
    struct arena *arena = subject->findings->arena;
    va_list args;
    finding.action = rules_action(subject->rules, check, subject->view->mode);
    if (finding.action != ACTION_WARN && finding.action != ACTION_DENY)
        return DONE;
    va_start(args, format);
    struct outcome printed = arena_vprint(arena, MESSAGE_MAX, &finding.message, err, format, args);
    va_end(args);
    GUARD(printed);
    GUARD(arena_print(arena, &finding.field, err, "%.*s%s%s", STR_ARGS(subject->path), subject->path.len ? "." : "",
                      field));
    return findings_append(subject->findings, &finding, err);
}

/* "policy web has" or "policies db, web have", with the verb in the number that is needed. */
static result policies_that(const struct pod_subject *subject, const struct str_list *names, const char *one,
                            const char *many, struct str *out, struct err *err)
{
    struct buf text = buf_in(subject->findings->arena);
    buf_put(&text, names->count == 1 ? STR("policy ") : STR("policies "));
    for (size_t i = 0; i < names->count; i++)
        buf_print(&text, "%s%.*s", i ? ", " : "", STR_ARGS(names->items[i]));
    buf_put(&text, str_of(names->count == 1 ? one : many));
    return buf_finish(&text, out, err);
}

static bool is_selected(const struct pod_subject *subject)
{
    return subject->selection->groups.count > 0;
}

bool pod_wants_branch(const struct pod_subject *subject)
{
    const struct pod *pod = subject->pod;
    return is_selected(subject) && !pod->spec.host_network && !pod_windows_field(pod).ptr && !pod_is_fargate(pod);
}

/* R30 (product design, facts: who may write): nobody, when a pod is created. */
static result check_branch_annotation(const struct pod_subject *subject, struct err *err)
{
    if (!labels_get(pod_annotations(subject->pod), STR(BRANCH_ANNOTATION)))
        return DONE;
    return pod_report(subject, CHECK_POD_ANNOTATION, "metadata.annotations[" BRANCH_ANNOTATION "]", (struct str){ 0 },
                      err, "is written by the VPC resource controller only; remove it");
}

/* R31 (product design, facts: who may write): it is for Fargate pods; what it says there, the mutation settles. */
static result check_stray_annotation(const struct pod_subject *subject, struct err *err)
{
    if (pod_is_fargate(subject->pod) || !labels_get(pod_annotations(subject->pod), STR(FARGATE_ANNOTATION)))
        return DONE;
    return pod_report(subject, CHECK_POD_ANNOTATION, "metadata.annotations[" FARGATE_ANNOTATION "]", (struct str){ 0 },
                      err, "is for Fargate pods only; remove it");
}

/* R10 (EKS guide, "Deploy security groups for pods"): 1 to 5 groups, the combination of all policies is effective. */
static result check_group_count(const struct pod_subject *subject, struct err *err)
{
    bool fargate = pod_is_fargate(subject->pod);
    size_t max = subject->rules->groups_per_interface;
    struct str names = { 0 };
    if (fargate && max > FARGATE_GROUPS_MAX)
        max = FARGATE_GROUPS_MAX;
    if (subject->selection->groups.count <= max || !(fargate || pod_wants_branch(subject)))
        return DONE;
    GUARD(policies_that(subject, &subject->selection->policies, "", "", &names, err));
    size_t before = subject->findings->count;
    GUARD(pod_report(subject, CHECK_POD_GROUP_COUNT, "metadata.labels", (struct str){ 0 }, err,
                     "%zu security groups by %.*s, an interface takes %zu; select it by fewer policies",
                     subject->selection->groups.count, STR_ARGS(names), max));
    if (subject->findings->count > before)
        subject->findings->items[before].amount = subject->selection->groups.count;
    return DONE;
}

/* R20 (product design, facts: branch resource): what is selected has to run where a branch interface is free. */
static result check_branch_missing(const struct pod_subject *subject, struct err *err)
{
    struct str names = { 0 };
    if (!subject->final || !pod_wants_branch(subject) ||
        pod_requests_resource(subject->pod, STR(BRANCH_RESOURCE)) < subject->pod->spec.containers.count)
        return DONE;
    GUARD(policies_that(subject, &subject->selection->policies, " selects", " select", &names, err));
    return pod_report(subject, CHECK_POD_BRANCH_MISSING, "spec.containers[0].resources.limits", (struct str){ 0 }, err,
                      "%.*s the pod, but no container requests " BRANCH_RESOURCE
                      ": create it again once the mutating webhook answers, or set \"1\" yourself",
                      STR_ARGS(names));
}

/* The count that a container asks for, in limits or requests, and if one of the two is not 1, that one; else NULL. */
static const struct str *branch_count(const struct container *container)
{
    const struct resources *resources = container->resources;
    const struct str *limit = resources ? labels_get(&resources->limits, STR(BRANCH_RESOURCE)) : NULL;
    const struct str *request = resources ? labels_get(&resources->requests, STR(BRANCH_RESOURCE)) : NULL;
    return limit && (!request || !str_is(*limit, "1")) ? limit : request;
}

/* R42 (product design, what EKS's own webhook gets wrong): a count other than 1, in the container that asks for it or
 * in several, is not rewritten in silence: a pod has one branch interface. */
result pod_check_branch_count(const struct pod_subject *subject, struct err *err)
{
    const struct pod_spec *spec = &subject->pod->spec;
    size_t requesting = pod_requests_resource(subject->pod, STR(BRANCH_RESOURCE));
    size_t index = requesting < spec->containers.count ? requesting : 0;
    struct str field = { 0 };
    for (size_t i = index; i < spec->containers.count; i++) {
        const struct str *count = branch_count(&spec->containers.items[i]);
        if (!count || count->len == 0 || str_is(*count, i == index ? "1" : "0"))
            continue;
        GUARD(arena_print(subject->findings->arena, &field, err, "spec.containers[%zu].resources", i));
        GUARD(pod_report(subject, CHECK_POD_BRANCH_COUNT, field.ptr, (struct str){ 0 }, err,
                         i == index ? "%.*s branch interfaces requested, a pod gets 1"
                                    : "%.*s more branch interfaces requested, a pod gets 1; remove it",
                         STR_ARGS(*count)));
    }
    return DONE;
}

static result check_branch_count(const struct pod_subject *subject, struct err *err)
{
    return pod_wants_branch(subject) ? pod_check_branch_count(subject, err) : DONE;
}

static result check_branch_unselected(const struct pod_subject *subject, struct err *err)
{
    const struct pod *pod = subject->pod;
    char field[96];
    size_t index = pod_requests_resource(pod, STR(BRANCH_RESOURCE));
    if (is_selected(subject) || subject->selection->unknown.count > 0 || index == pod->spec.containers.count)
        return DONE;
    (void)snprintf(field, sizeof field, "spec.containers[%zu].resources", index);
    return pod_report(subject, CHECK_POD_BRANCH_UNSELECTED, field, (struct str){ 0 }, err,
                      "requests a branch interface, but no policy selects the pod");
}

/* R52 (product design, what EKS's own webhook gets wrong): a pod is not refused for what is not known yet. */
static result check_account_unknown(const struct pod_subject *subject, struct err *err)
{
    struct str names = { 0 };
    if (subject->selection->unknown.count == 0)
        return DONE;
    GUARD(policies_that(subject, &subject->selection->unknown, " was", " were", &names, err));
    return pod_report(subject, CHECK_POD_ACCOUNT_UNKNOWN, "spec.serviceAccountName", (struct str){ 0 }, err,
                      "'%.*s' is not known, so %.*s left out", STR_ARGS(pod_account_name(subject->pod)),
                      STR_ARGS(names));
}

/* R21 (product design, facts: host network): no interface of its own, so no groups of its own. */
static result check_host_network(const struct pod_subject *subject, struct err *err)
{
    struct str names = { 0 };
    if (!is_selected(subject) || !subject->pod->spec.host_network)
        return DONE;
    GUARD(policies_that(subject, &subject->selection->policies, " has", " have", &names, err));
    return pod_report(subject, CHECK_POD_HOST_NETWORK, "spec.hostNetwork", (struct str){ 0 }, err,
                      "%.*s no effect, the pod uses its node's groups", STR_ARGS(names));
}

/* R5 (EKS guide, "Considerations"): not with Windows nodes. */
static result check_windows(const struct pod_subject *subject, struct err *err)
{
    struct str names = { 0 }, field = pod_windows_field(subject->pod);
    if (!is_selected(subject) || !field.ptr)
        return DONE;
    GUARD(policies_that(subject, &subject->selection->policies, " has", " have", &names, err));
    return pod_report(subject, CHECK_POD_WINDOWS, field.ptr, (struct str){ 0 }, err, "%.*s no effect on a Windows pod",
                      STR_ARGS(names));
}

/* R4 (EKS guide, "Considerations"): not with Fargate. It is possible since; by default such a pod is annotated. */
static result check_fargate(const struct pod_subject *subject, struct err *err)
{
    struct str names = { 0 };
    if (!is_selected(subject) || !pod_is_fargate(subject->pod))
        return DONE;
    GUARD(policies_that(subject, &subject->selection->policies, " selects", " select", &names, err));
    return pod_report(subject, CHECK_POD_FARGATE, "metadata.labels[" FARGATE_LABEL "]", (struct str){ 0 }, err,
                      "%.*s a Fargate pod, which is configured not to have groups", STR_ARGS(names));
}

/* R24 (product design, facts: not supported together): the interface leaks. */
static result check_grace_period(const struct pod_subject *subject, struct err *err)
{
    const struct integer *grace = &subject->pod->spec.grace_period_s;
    if (!pod_wants_branch(subject) || !grace->present || grace->value != 0)
        return DONE;
    return pod_report(subject, CHECK_POD_GRACE_PERIOD, "spec.terminationGracePeriodSeconds", (struct str){ 0 }, err,
                      "0 may leak the branch interface; use 1 or more");
}

typedef result (*pod_check)(const struct pod_subject *subject, struct err *err);

result pod_check_all(const struct pod_subject *subject, struct err *err)
{
    static const pod_check checks[] = {
        check_group_count,       check_branch_missing, check_branch_count,   check_branch_unselected,
        check_account_unknown,   check_host_network,   check_windows,        check_fargate,
        pod_check_instance_type, check_grace_period,   pod_check_link_local,
    };
    GUARD(check_branch_annotation(subject, err));
    GUARD(check_stray_annotation(subject, err));
    /* A pod of a namespace without policies is answered at once. */
    for (size_t i = 0; subject->view->policies->count > 0 && i < sizeof checks / sizeof checks[0]; i++)
        GUARD(checks[i](subject, err));
    return DONE;
}

result fargate_annotation(const struct selection *selection, struct arena *arena, struct str *out, struct err *err)
{
    struct buf text = buf_in(arena);
    for (size_t i = 0; i < selection->groups.count; i++) {
        buf_put(&text, i ? STR(",") : STR(""));
        buf_put(&text, selection->groups.items[i]);
    }
    return buf_finish(&text, out, err);
}

/* Whether `id` is one of the parts between commas. */
static bool list_text_has(struct str text, struct str id)
{
    while (text.len >= id.len) {
        const char *comma = memchr(text.ptr, ',', text.len);
        size_t part = comma ? (size_t)(comma - text.ptr) : text.len;
        if (str_equal((struct str){ text.ptr, part }, id))
            return true;
        if (!comma)
            return false;
        text = (struct str){ comma + 1, text.len - part - 1 };
    }
    return false;
}

bool fargate_annotation_names(struct str annotation, const struct str_list *groups)
{
    size_t parts = 1; /* as many as groups, and each group among them: then nothing is named besides or twice */
    for (size_t i = 0; i < annotation.len; i++)
        parts += annotation.ptr[i] == ',';
    for (size_t i = 0; i < groups->count; i++)
        if (!list_text_has(annotation, groups->items[i]))
            return false;
    return parts == groups->count;
}

result inspect_pod(const struct decide_context *context, const struct pod *pod, struct str path, struct decision *out,
                   struct err *err)
{
    struct selection selection = { 0 };
    const struct pod_subject subject = pod_subject_of(context, pod, path, &selection, out);
    GUARD(pod_select(context, pod, &selection, out, err));
    return pod_check_all(&subject, err);
}

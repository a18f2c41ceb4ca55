/* POST /validate-v1-pod: the final state of a pod, after all mutations. */
#include "admission/decide.h"
#include "admission/pod_checks.h"
#include "base/buf.h"

/* R30 (product design, facts: who may write): the VPC resource controller, by the names that EKS has given it. */
static bool is_resource_controller(struct str user)
{
    static const struct str names[] = {
        STR_INIT("system:serviceaccount:kube-system:vpc-resource-controller"),
        STR_INIT("system:serviceaccount:kube-system:eks-vpc-resource-controller"),
        STR_INIT("eks:vpc-resource-controller"),
    };
    const struct str_list controllers = { (struct str *)names, sizeof names / sizeof names[0] };
    return str_list_has(&controllers, user);
}

/* Absent and empty differ. */
static bool same_annotation(const struct pod *a, const struct pod *b, struct str key)
{
    const struct str *in_a = labels_get(pod_annotations(a), key), *in_b = labels_get(pod_annotations(b), key);
    return in_a && in_b ? str_equal(*in_a, *in_b) : in_a == in_b;
}

static result report_annotation(const struct pod_subject *subject, const char *field, const char *message,
                                struct err *err)
{
    return pod_report(subject, CHECK_POD_ANNOTATION, field, (struct str){ 0 }, err, "%s", message);
}

static const char branch_field[] = "metadata.annotations[" BRANCH_ANNOTATION "]";
static const char fargate_field[] = "metadata.annotations[" FARGATE_ANNOTATION "]";

/* R31 (product design, facts: who may write): on a Fargate pod what the policies add up to. */
static result check_fargate_annotation(const struct pod_subject *subject, struct err *err)
{
    const struct str *is = labels_get(pod_annotations(subject->pod), STR(FARGATE_ANNOTATION));
    const struct str_list *groups = &subject->selection->groups;
    struct str wanted = { 0 };
    if (!pod_is_fargate(subject->pod) || subject->rules->actions[CHECK_POD_FARGATE] == ACTION_IGNORE)
        return DONE;
    if (is ? fargate_annotation_names(*is, groups) : groups->count == 0)
        return DONE;
    if (groups->count == 0)
        return report_annotation(subject, fargate_field, "no policy selects the pod, so it has none; remove it", err);
    GUARD(fargate_annotation(subject->selection, subject->findings->arena, &wanted, err));
    if (!is)
        return pod_report(subject, CHECK_POD_ANNOTATION, fargate_field, (struct str){ 0 }, err,
                          "is missing; create the pod again once the mutating webhook answers, which sets '%.*s'",
                          STR_ARGS(wanted));
    return pod_report(subject, CHECK_POD_ANNOTATION, fargate_field, (struct str){ 0 }, err,
                      "'%.*s' instead of '%.*s', which the policies add up to; leave it to the mutating webhook",
                      STR_ARGS(*is), STR_ARGS(wanted));
}

static result check_created(const struct pod_subject *subject, struct err *err)
{
    GUARD(check_fargate_annotation(subject, err));
    return pod_check_all(subject, err);
}

enum { POLICIES_NAMED = 4 };

/* The policies in `a` that are not in `b`, each with `sign` before it; the first few by name. */
static void put_lost(struct buf *text, const struct str_list *a, const struct str_list *b, const char *sign,
                     size_t *count)
{
    for (size_t i = 0; i < a->count; i++) {
        if (str_list_has(b, a->items[i]) || ++*count > POLICIES_NAMED)
            continue;
        buf_print(text, "%s%s%.*s", *count > 1 ? " " : "", sign, STR_ARGS(a->items[i]));
    }
}

/* R12 (product design, checks: pod-labels-changed): groups are given when a pod is created and stay. */
static result check_labels_changed(const struct pod_subject *subject, const struct pod *old, struct err *err)
{
    struct arena *arena = subject->findings->arena;
    struct selection before = { 0 };
    struct str changes = { 0 }, remedy = { 0 };
    struct buf text = buf_in(arena);
    size_t count = 0;
    GUARD(selection_of(subject->view, old, arena, &before, err));
    put_lost(&text, &subject->selection->policies, &before.policies, "+", &count);
    put_lost(&text, &before.policies, &subject->selection->policies, "-", &count);
    if (count > POLICIES_NAMED)
        buf_print(&text, " and %zu more", count - POLICIES_NAMED);
    GUARD(buf_finish(&text, &changes, err));
    if (count == 0)
        return DONE;
    if (subject->pod->meta && subject->pod->meta->name.len)
        GUARD(arena_print(arena, &remedy, err, "kubectl delete pod %.*s -n %.*s", STR_ARGS(subject->pod->meta->name),
                          STR_ARGS(subject->namespace)));
    return pod_report(subject, CHECK_POD_LABELS_CHANGED, "metadata.labels", remedy, err,
                      "its policies change (%.*s), a running pod keeps its groups", STR_ARGS(changes));
}

/* R46 (product design, facts: where annotations can be written): a binding's annotations become the pod's. */
static result check_binding(const struct pod_subject *subject, struct str user, struct err *err)
{
    const struct str_map *annotations = pod_annotations(subject->pod);
    if (labels_get(annotations, STR(BRANCH_ANNOTATION)) && !is_resource_controller(user))
        GUARD(report_annotation(subject, branch_field, "only the VPC resource controller may set it; leave it", err));
    if (labels_get(annotations, STR(FARGATE_ANNOTATION)))
        GUARD(report_annotation(subject, fargate_field, "is set when the pod is created; leave it", err));
    return DONE;
}

static result check_updated(const struct pod_subject *subject, const struct pod *old, struct str user, struct err *err)
{
    if (!same_annotation(subject->pod, old, STR(BRANCH_ANNOTATION)) && !is_resource_controller(user))
        GUARD(
            report_annotation(subject, branch_field, "only the VPC resource controller may change it; leave it", err));
    if (!same_annotation(subject->pod, old, STR(FARGATE_ANNOTATION)))
        GUARD(report_annotation(subject, fargate_field, "is set when the pod is created and stays; leave it", err));
    return subject->view->policies->count ? check_labels_changed(subject, old, err) : DONE;
}

static bool is_binding(const struct review *review)
{
    return str_is(review->request->kind.kind, "Binding") && review->request->kind.group.len == 0 &&
           review->operation == OPERATION_CREATE;
}

bool concerns_pod_or_binding(const struct review *review)
{
    return concerns_pod(review) || is_binding(review);
}

result decide_validate_pod(const struct decide_context *context, const struct review *review, struct decision *out,
                           struct err *err)
{
    const struct request *request = review->request;
    const struct pod *pod = request->object.pod, *old = request->old_object.pod;
    struct selection selection = { 0 };
    struct pod_subject subject = pod_subject_of(context, pod, (struct str){ 0 }, &selection, out);
    subject.final = true;
    if (!pod || pod_is_mirror(old ? old : pod)) /* an update must not make a mirror pod to slip through */
        return DONE;
    if (is_binding(review))
        return check_binding(&subject, request->user, err);
    GUARD(pod_select(context, pod, &selection, out, err));
    if (review->operation == OPERATION_CREATE)
        return request->sub_resource.len ? DONE : check_created(&subject, err);
    return check_updated(&subject, old, request->user, err);
}

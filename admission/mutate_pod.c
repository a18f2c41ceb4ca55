/* POST /mutate-v1-pod: a selected pod requests its branch interface; a Fargate pod gets its groups as an annotation. */
#include "admission/decide.h"
#include "admission/patch.h"
#include "admission/pod_checks.h"

/* R46 (product design, facts: where annotations can be written): pods/status is a way to the annotations too. */
bool concerns_pod(const struct review *review)
{
    return str_is(review->request->kind.kind, "Pod") && review->request->kind.group.len == 0 &&
           (review->operation == OPERATION_CREATE || review->operation == OPERATION_UPDATE);
}

/* R56 (product design, what EKS's own webhook gets wrong): an update is never patched. */
bool concerns_pod_create(const struct review *review)
{
    return concerns_pod(review) && review->operation == OPERATION_CREATE && review->request->sub_resource.len == 0;
}

/* R43 (product design, facts: Fargate pod): an annotation of the user's own is replaced, or removed. */
static result annotate_fargate(const struct pod_subject *subject, struct patch *patch, struct err *err)
{
    const struct selection *selection = subject->selection;
    const struct str *is = labels_get(pod_annotations(subject->pod), STR(FARGATE_ANNOTATION));
    struct str value = { 0 };
    if (subject->rules->actions[CHECK_POD_FARGATE] == ACTION_IGNORE)
        return DONE;
    if (selection->groups.count == 0) {
        patch_remove_annotation(patch, subject->pod, STR(FARGATE_ANNOTATION));
        return DONE;
    }
    if (is && fargate_annotation_names(*is, &selection->groups))
        return DONE;
    GUARD(fargate_annotation(selection, subject->findings->arena, &value, err));
    patch_set_annotation(patch, subject->pod, STR(FARGATE_ANNOTATION), value);
    return DONE;
}

/* R54 (product design, what EKS's own webhook gets wrong): a pod may be without containers. */
static result request_branch(const struct pod_subject *subject, struct patch *patch, struct err *err)
{
    const struct pod *pod = subject->pod;
    size_t index = pod_requests_resource(pod, STR(BRANCH_RESOURCE));
    if (pod->spec.containers.count == 0)
        return DONE;
    if (index == pod->spec.containers.count)
        index = 0;
    GUARD(pod_check_branch_count(subject, err));
    patch_request_resource(patch, pod, index, STR(BRANCH_RESOURCE));
    return DONE;
}

/* R44 (product design, facts: Windows pod): with Windows IPAM, an address takes the place of the interface. */
static void request_ipv4(const struct pod *pod, struct patch *patch)
{
    size_t index = pod_requests_resource(pod, STR(IPV4_RESOURCE));
    if (pod->spec.containers.count > 0)
        patch_request_resource(patch, pod, index < pod->spec.containers.count ? index : 0, STR(IPV4_RESOURCE));
}

static result patch_pod(const struct pod_subject *subject, struct str *out, struct err *err)
{
    const struct pod *pod = subject->pod;
    struct patch patch = patch_in(subject->findings->arena);
    if (pod_is_fargate(pod))
        GUARD(annotate_fargate(subject, &patch, err));
    else if (pod_windows_field(pod).ptr && subject->rules->windows_ipam && !pod->spec.host_network)
        request_ipv4(pod, &patch);
    else if (pod_wants_branch(subject))
        GUARD(request_branch(subject, &patch, err));
    return patch_finish(&patch, out, err);
}

result inspect_mutation(const struct decide_context *context, const struct pod *pod, struct decision *out,
                        struct err *err)
{
    struct selection selection = { 0 };
    const struct pod_subject subject = pod_subject_of(context, pod, (struct str){ 0 }, &selection, out);
    GUARD(pod_select(context, pod, &selection, out, err));
    return patch_pod(&subject, &out->patch, err);
}

/* The mutation never denies for a finding: the validation refuses. */
result decide_mutate_pod(const struct decide_context *context, const struct review *review, struct decision *out,
                         struct err *err)
{
    const struct pod *pod = review->request->object.pod;
    if (!pod || pod_is_mirror(pod))
        return DONE;
    GUARD(inspect_mutation(context, pod, out, err));
    findings_only_warn(&out->findings);
    return DONE;
}

/* POST /validate-workload: what the pods of a template will run into, said before any of them exists. */
#include "admission/decide.h"
#include "admission/pod_checks.h"

bool concerns_workload(const struct review *review)
{
    const struct request *request = review->request;
    return workload_kind(request->kind.group, request->kind.kind) && request->sub_resource.len == 0 &&
           (review->operation == OPERATION_CREATE || review->operation == OPERATION_UPDATE);
}

static result inspect_template(const struct decide_context *context, const struct workload *workload, struct str kind,
                               struct decision *out, struct err *err)
{
    struct str path = { 0 };
    const struct pod *template = workload ? workload_template(workload, kind, &path) : NULL;
    return template ? inspect_pod(context, template, path, out, err) : DONE;
}

result decide_workload(const struct decide_context *context, const struct review *review, struct decision *out,
                       struct err *err)
{
    const struct request *request = review->request;
    struct decision stored = { .findings.arena = context->arena };
    if (!request->object.workload || workload_is_owned(request->object.workload, request->kind.kind))
        return DONE;
    GUARD(inspect_template(context, request->object.workload, request->kind.kind, out, err));
    if (!review->object_err[1].kind)
        GUARD(inspect_template(context, request->old_object.workload, request->kind.kind, &stored, err));
    findings_ratchet(&out->findings, &stored.findings);
    /* A workload is not its pods: unless configured otherwise, what they would be refused for is a warning here. */
    if (!context->rules->workloads_deny)
        findings_only_warn(&out->findings);
    return DONE;
}

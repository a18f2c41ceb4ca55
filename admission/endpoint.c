#include "admission/endpoint.h"

#include "admission/decide.h"

struct endpoint {
    struct str path;
    enum object_type object;
    concerns_fn concerns;
    decide_fn decide;
    bool guards; /* what may be changed: the object before is needed */
};

static const struct endpoint endpoints[] = {
    { STR_INIT("/mutate-v1-pod"), OBJECT_POD, concerns_pod_create, decide_mutate_pod, false },
    { STR_INIT("/validate-v1-pod"), OBJECT_POD, concerns_pod_or_binding, decide_validate_pod, true },
    { STR_INIT("/validate-v1beta1-securitygrouppolicy"), OBJECT_POLICY, concerns_policy, decide_policy, false },
    { STR_INIT("/validate-v1-node"), OBJECT_RAW, concerns_node, decide_node, true },
    { STR_INIT("/validate-workload"), OBJECT_WORKLOAD, concerns_workload, decide_workload, false },
};

size_t endpoint_count(void)
{
    return sizeof endpoints / sizeof endpoints[0];
}

const struct endpoint *endpoint_at(size_t index)
{
    return &endpoints[index];
}

const struct endpoint *endpoint_find(struct str path)
{
    for (size_t i = 0; i < endpoint_count(); i++)
        if (str_equal(endpoints[i].path, path))
            return &endpoints[i];
    return NULL;
}

struct str endpoint_path(const struct endpoint *endpoint)
{
    return endpoint->path;
}

struct str endpoint_name(const struct endpoint *endpoint)
{
    return (struct str){ endpoint->path.ptr + 1, endpoint->path.len - 1 };
}

size_t endpoint_index(const struct endpoint *endpoint)
{
    return (size_t)(endpoint - endpoints);
}

/* What cannot be decoded is refused, where the decision is about it at all. Of the stored object, where it is only
 * compared with, nothing is held against the one that may mend it. */
static result decide(const struct endpoint *endpoint, const struct decide_context *context, const struct review *review,
                     struct decision *out, struct err *err)
{
    if (!endpoint->concerns(review))
        return DONE;
    bool update = review->operation == OPERATION_UPDATE;
    if (review->object_err[0].kind)
        out->bad_object = review->object_err[0].msg;
    else if (endpoint->guards && review->object_err[1].kind)
        out->bad_object = review->object_err[1].msg;
    else if (endpoint->guards && update && !review->request->old_object.pod && !review->request->old_raw.ptr)
        out->bad_object = "request.oldObject: missing, an update cannot be judged without it";
    return out->bad_object ? DONE : endpoint->decide(context, review, out, err);
}

/* A pod that a workload makes has no name yet when it is created. */
static struct str object_name(const struct endpoint *endpoint, const struct request *request)
{
    const union object *object = &request->object;
    if (request->name.len)
        return request->name;
    switch (endpoint->object) {
    case OBJECT_POD: return object->pod && object->pod->meta ? object->pod->meta->generate_name : request->name;
    case OBJECT_POLICY: return object->policy ? object->policy->meta.generate_name : request->name;
    case OBJECT_WORKLOAD: return object->workload ? object->workload->meta.generate_name : request->name;
    case OBJECT_RAW: return request->name;
    }
    return request->name;
}

result endpoint_answer(const struct endpoint *endpoint, struct store *store, const struct rules *rules, struct str body,
                       struct arena *arena, struct answer *out, struct err *err)
{
    struct review review = { 0 };
    struct namespace_view view = { 0 };
    struct decision decision = { .findings.arena = arena };
    GUARD(review_decode(body, endpoint->object, arena, &review, err));
    STORE_READ_SCOPE();
    store_view(store, review.request->namespace, &view);
    struct decide_context context = { &view, rules, arena, review.request->namespace };
    GUARD(decide(endpoint, &context, &review, &decision, err));
    GUARD(review_encode(&review, &decision, arena, out, err));
    out->name = object_name(endpoint, review.request);
    return DONE;
}

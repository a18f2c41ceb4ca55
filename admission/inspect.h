/* admission/inspect.h - the same decisions for objects that come without a review: manifests on a command line. */
#ifndef SGP_ADMISSION_INSPECT_H
#define SGP_ADMISSION_INSPECT_H

#include "admission/findings.h"
#include "admission/rules.h"
#include "admission/workload.h"

struct decide_context {
    const struct namespace_view *view; /* of the object's namespace */
    const struct rules *rules;
    struct arena *arena;
    struct str namespace;
};

/* What was decided. Texts may point into the object, the store or the arena. */
struct decision {
    struct findings findings; /* with the arena set; one that denies refuses the object */
    struct str patch;         /* JSONPatch; absent: none */
    struct str_list policies; /* that select the pod */
    struct str_list groups;   /* that it gets, or the policy gives */
    const char *bad_object;   /* why the object cannot be judged: refused with code 400; NULL: it can */
};

/* All checks on a pod that is not created yet, or on the template that stands at `path` of a workload (absent: a pod).
 * Within a read scope, as all of these. */
result inspect_pod(const struct decide_context *context, const struct pod *pod, struct str path, struct decision *out,
                   struct err *err);
/* What the mutation makes of a pod: policies, groups and patch, and what it warns of. */
result inspect_mutation(const struct decide_context *context, const struct pod *pod, struct decision *out,
                        struct err *err);
/* All checks on a policy. */
result inspect_policy(const struct decide_context *context, const struct policy_body *policy, struct decision *out,
                      struct err *err);

#endif

/* admission/decide.h - the decisions, one per endpoint. Each sees a decoded review and a snapshot: no JSON, socket or
 * clock. */
#ifndef SGP_ADMISSION_DECIDE_H
#define SGP_ADMISSION_DECIDE_H

#include "admission/review.h"

/* Fills `out`, whose findings have their arena already. Fails only when we could not do our work. Within a read scope.
 */
typedef result (*decide_fn)(const struct decide_context *context, const struct review *review, struct decision *out,
                            struct err *err);

/* Whether this decision is about the object of the review at all: what is not, is allowed and never looked at. */
typedef bool (*concerns_fn)(const struct review *review);

bool concerns_pod_create(const struct review *review);
bool concerns_pod(const struct review *review);
bool concerns_pod_or_binding(const struct review *review);
bool concerns_policy(const struct review *review);
bool concerns_node(const struct review *review);
bool concerns_workload(const struct review *review);

result decide_mutate_pod(const struct decide_context *context, const struct review *review, struct decision *out,
                         struct err *err);
result decide_validate_pod(const struct decide_context *context, const struct review *review, struct decision *out,
                           struct err *err);
result decide_policy(const struct decide_context *context, const struct review *review, struct decision *out,
                     struct err *err);
result decide_node(const struct decide_context *context, const struct review *review, struct decision *out,
                   struct err *err);
result decide_workload(const struct decide_context *context, const struct review *review, struct decision *out,
                       struct err *err);

#endif

/* server/metrics.h - what is counted, and its text for Prometheus. Relaxed atomics: any thread, no lock. */
#ifndef SGP_SERVER_METRICS_H
#define SGP_SERVER_METRICS_H

#include "admission/endpoint.h"
#include "base/buf.h"
#include "server/rejection.h"

struct metrics;

enum decision { DECISION_ALLOWED, DECISION_PATCHED, DECISION_DENIED, DECISION_COUNT };

enum metrics_source { METRICS_SOURCE_FILES, METRICS_SOURCE_COUNT };

/* Owner: the caller, metrics_free(). */
result metrics_new(struct metrics **out, struct err *err);
/* Safe on NULL. */
void metrics_free(struct metrics *metrics);
static inline void metrics_freep(struct metrics **metrics)
{
    metrics_free(*metrics);
}

/* What an answer amounts to. */
enum decision decision_of(const struct answer *answer);
/* An answered review: its decision, its findings, and how long the answer took once the body was there. */
void metrics_review(struct metrics *metrics, const struct endpoint *endpoint, const struct answer *answer,
                    int64_t duration_ns);
/* An HTTP request that got no review. */
void metrics_rejected(struct metrics *metrics, enum rejection rejection);
void metrics_connection_opened(struct metrics *metrics);
void metrics_connection_closed(struct metrics *metrics);

/* A source was read now, with so many objects. Its series exist from the first of these two calls. */
void metrics_source_loaded(struct metrics *metrics, enum metrics_source source, size_t objects);
/* It could not be read; what it said before is still in force. */
void metrics_source_failed(struct metrics *metrics, enum metrics_source source);
/* The configuration was read now; or could not be. */
void metrics_configuration_loaded(struct metrics *metrics);
void metrics_configuration_failed(struct metrics *metrics);
/* When the certificate in force ends, in seconds since 1970. */
void metrics_certificate_expiry(struct metrics *metrics, int64_t expiry_s);
void metrics_certificate_failed(struct metrics *metrics);
void metrics_store(struct metrics *metrics, const struct store_counts *counts);
void metrics_ready(struct metrics *metrics, bool ready);

/* All of it in the text format 0.0.4, with what /proc/self says of the process. */
void metrics_put(struct metrics *metrics, struct buf *out);

#endif

/* admission/endpoint.h - the admission endpoints: a body in, a body out, and what an observer may want to know. */
#ifndef SGP_ADMISSION_ENDPOINT_H
#define SGP_ADMISSION_ENDPOINT_H

#include "admission/findings.h"
#include "admission/rules.h"
#include "policy/store.h"

struct endpoint; /* a row of a static table */

/* How much memory the work on a review may take, as a multiple of the largest body: the ceiling of its arena. */
enum { ENDPOINT_ARENA_PER_BODY = 8 };

enum operation { OPERATION_CREATE, OPERATION_UPDATE, OPERATION_DELETE, OPERATION_CONNECT, OPERATION_COUNT };

/* Slices of the request's body and arena: valid until the arena is flushed. */
struct answer {
    struct str body; /* an AdmissionReview, JSON, no newline at its end */
    struct str uid;
    struct str kind;
    struct str namespace;
    struct str name; /* of the object, or its generateName */
    struct str user;
    enum operation operation;
    bool dry_run;
    bool allowed;
    bool patched;
    struct str reason;        /* of a refusal: the sentence a person sees */
    struct findings findings; /* also those that only warn */
    struct str groups;        /* ids joined by commas; empty when none */
};

size_t endpoint_count(void);
const struct endpoint *endpoint_at(size_t index);
/* NULL when no endpoint has exactly this path. */
const struct endpoint *endpoint_find(struct str path);
struct str endpoint_path(const struct endpoint *endpoint);
/* A word for metrics: "mutate-v1-pod". */
struct str endpoint_name(const struct endpoint *endpoint);
/* The position in the table, below endpoint_count(). */
size_t endpoint_index(const struct endpoint *endpoint);
/* "CREATE" and so on. */
const char *operation_name(enum operation operation);

/* Answers one AdmissionReview (admission.k8s.io/v1 or v1beta1). `body` stays readable and unchanged until the arena is
 * flushed. Any thread; takes no lock and has no side effect, so that dryRun needs no care.
 * ERR_INPUT: no AdmissionReview (HTTP 400). ERR_TOO_LARGE: needs more memory than the arena's ceiling (HTTP 413).
 * An object that cannot be decoded is no error: the answer refuses it with code 400. */
result endpoint_answer(const struct endpoint *endpoint, struct store *store, const struct rules *rules, struct str body,
                       struct arena *arena, struct answer *out, struct err *err);

#endif

/* admission/review.h - AdmissionReview on the wire (admission.k8s.io/v1, v1beta1): what reads it and what writes it. */
#ifndef SGP_ADMISSION_REVIEW_H
#define SGP_ADMISSION_REVIEW_H

#include "admission/endpoint.h"
#include "admission/inspect.h"

/* What an endpoint takes `object` and `oldObject` for. */
enum object_type { OBJECT_POD, OBJECT_POLICY, OBJECT_WORKLOAD, OBJECT_RAW };

struct group_kind {
    struct str group;
    struct str kind;
};

struct request {
    struct str uid;
    struct group_kind kind;
    struct str sub_resource;
    struct str name;
    struct str namespace;
    struct str operation_text;
    struct str user;
    bool dry_run;
    /* By object_type; NULL: absent or null. */
    union object {
        const struct pod *pod;
        const struct policy_object *policy;
        const struct workload *workload;
    } object, old_object;
    struct str raw, old_raw; /* OBJECT_RAW: the JSON text of both; ptr NULL: absent or null */
};

struct review {
    struct str api_version;
    struct str kind;
    const struct request *request;
    enum operation operation;
    struct err object_err[2]; /* object and oldObject cannot be decoded: kind is not ERR_NONE; the rest is good */
};

/* Reads a body. Slices of it, so it has to stay. ERR_INPUT: no AdmissionReview that could be answered; what is wrong
 * only within the objects is `out->object_err`. */
result review_decode(struct str body, enum object_type type, struct arena *arena, struct review *out, struct err *err);

/* Writes the answer for `out->body` and what an observer may want to know. */
result review_encode(const struct review *review, const struct decision *decision, struct arena *arena,
                     struct answer *out, struct err *err);

#endif

/* tests/fuzz/reference.h - a second reader of reviews, slow and plain, to compare review_decode with: Jansson says what
 * is JSON and what its strings and numbers mean. */
#ifndef SGP_TESTS_FUZZ_REFERENCE_H
#define SGP_TESTS_FUZZ_REFERENCE_H

#include "admission/review.h"

/* The same contract as review_decode, but for the words of its errors. It leaves maps in the order of the text, and
 * what stands in an object that it refuses is half filled. */
result reference_decode(struct str body, enum object_type type, struct arena *arena, struct review *out,
                        struct err *err);

/* Whether `read`, by review_decode, holds what `reference` holds: the same kind of object_err, and every field alike;
 * those of the objects when object_err is not set. Raw values must be the same bytes of the same body. */
bool reference_equal(const struct review *read, const struct review *reference, enum object_type type);

#endif

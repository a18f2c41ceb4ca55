/* tests/unit/fixtures.h - a small cluster to ask, and its answers taken apart. Failures end the test.
 * JSON in tests is written with ' for ", to be read by people: quoted() puts it right. */
#ifndef SGP_TESTS_UNIT_FIXTURES_H
#define SGP_TESTS_UNIT_FIXTURES_H

#include <check.h>

#include "admission/endpoint.h"
#include "admission/inspect.h"

struct json_t; /* Jansson's; this header does without its own, which has names in common with base/json.h */

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

void expect_done(struct outcome outcome, const struct err *err);
void expect_text(struct str is, const char *expected);

/* Text with ' replaced by ", in the arena. */
struct str quoted(struct arena *arena, const char *text);
/* An exact copy with nothing behind it, so that a sanitizer sees an overrun. Owner: the caller, free(). */
char *exact_copy(struct str text);
/* A file below tests/data, e.g. "reviews/011-….json". */
struct str data_file(struct arena *arena, const char *name);

/* A pod, read as a review reads it. */
const struct pod *pod_of(struct arena *arena, const char *pod_json);

/* What the endpoints are asked with. Starts empty; owner: the caller, world_free(). */
struct world {
    struct arena arena;
    struct store *store;
    struct instance_types types;
    struct rules rules;
};
struct world world_new(void);
void world_free(struct world *world);
/* Publishes one namespace: {'name', 'labels', 'policies': [objects], 'accounts': [objects]}. */
void world_put(struct world *world, const char *namespace_json);
/* Namespace "shop" with policies web (role=web: sg-0000000a, sg-0000000b), all-of-account (account label team=pay:
 * sg-0000000c) and service accounts default and pay. */
struct world world_of_shop(void);

/* One request; what is not set is absent. */
struct ask {
    const char *path; /* "/mutate-v1-pod" */
    const char *operation;
    const char *group, *kind;
    const char *object, *old_object; /* JSON with ' for " */
    const char *user;
    const char *namespace; /* NULL: shop */
    const char *sub_resource;
};
/* The AdmissionReview that asks it. */
struct str review_of(struct arena *arena, const struct ask *ask);

/* An answer, checked to be an AdmissionReview that repeats the uid. Owner: the caller, reply_free(). */
struct reply {
    struct answer answer;
    struct json_t *json;
    struct json_t *response; /* within json */
};
struct reply reply_to(struct world *world, const char *path, struct str body);
struct reply ask(struct world *world, const struct ask *question);
void reply_free(struct reply *reply);

/* Whether Jansson reads the text, duplicate keys refused and NUL allowed. */
bool jansson_accepts(struct str text);

/* "check-id=action@field" of all findings, separated by blanks. */
const char *findings_line(struct arena *arena, const struct findings *findings);
/* The JSONPatch as text, or "" when there is none. */
const char *patch_text(struct arena *arena, const struct reply *reply);
/* The object after the patch; RFC 6902 add, replace and remove. Refuses what RFC 6902 refuses. */
struct json_t *patched(struct json_t *object, const char *patch);
/* Whether the reply warns of something that contains `part`. */
bool warns_of(const struct reply *reply, const char *part);

#endif

/* policy/selector.h - label selectors as metav1.LabelSelector defines them. */
#ifndef SGP_POLICY_SELECTOR_H
#define SGP_POLICY_SELECTOR_H

#include "policy/labels.h"

/* As written, nothing checked. */
struct requirement_spec {
    struct str key;
    struct str op;
    struct str_list values;
};

struct requirement_list {
    struct requirement_spec *items;
    size_t count;
};

struct selector_spec {
    struct str_map match_labels;
    struct requirement_list expressions;
};

/* Whether `name` is one of the four operators, and whether that takes values. */
bool selector_operator(struct str name, bool *takes_values);

struct selector; /* immutable once built, in the arena it was built in: any thread may match */

/* Builds from `spec`, copying what it keeps into the arena. `*out` is written on success only. An invalid selector is
 * built too: it matches nothing, as in EKS. Fails for want of memory only. */
result selector_build(const struct selector_spec *spec, struct arena *arena, const struct selector **out,
                      struct err *err);
/* Whether it was valid. */
bool selector_valid(const struct selector *selector);
/* Whether it has no requirement: it selects everything. */
bool selector_empty(const struct selector *selector);
/* Every requirement holds; an empty selector selects everything. NotIn holds where the key is absent. Allocates
 * nothing. */
bool selector_matches(const struct selector *selector, const struct str_map *labels);
/* The first requirement that does not hold, in words ("role in (a, b)"); absent when all hold. */
result selector_unmet(const struct selector *selector, const struct str_map *labels, struct arena *arena,
                      struct str *out, struct err *err);
/* The selector in kubectl's syntax: "role=web,tier notin (a, b),!x"; "everything" when empty. */
result selector_text(const struct selector *selector, struct arena *arena, struct str *out, struct err *err);

/* Told of each thing wrong with a selector: a path relative to it, e.g. matchExpressions[1].operator, and what. */
struct selector_reporter {
    result (*report)(void *ctx, struct str path, struct str message, struct err *err);
    void *ctx;
};
/* Reports what makes `spec` invalid, in the order of the fields, up to some hundred things; nothing for a valid one.
 * Texts live in the arena. Source: Kubernetes API, LabelSelectorRequirement; apimachinery's labels.NewRequirement. */
result selector_diagnose(const struct selector_spec *spec, struct arena *arena,
                         const struct selector_reporter *reporter, struct err *err);

#endif

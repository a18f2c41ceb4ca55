/* policy/labels.h - labels: lookup and syntax. */
#ifndef SGP_POLICY_LABELS_H
#define SGP_POLICY_LABELS_H

#include "base/arena.h"
#include "base/shape.h"

/* The value, or NULL when the key is absent. The labels are sorted by key, as a shape's FIELD_MAP delivers them. */
const struct str *labels_get(const struct str_map *labels, struct str key);
/* A deep copy owned by the arena. */
result labels_copy(struct arena *arena, const struct str_map *labels, struct str_map *out, struct err *err);

/* A label key: [prefix/]name; prefix a DNS subdomain of at most 253, name at most 63 characters.
 * Source: Kubernetes, "Labels and Selectors", syntax and character set. */
bool label_key_valid(struct str key);
/* A label value: empty, or at most 63 of [A-Za-z0-9_.-] that start and end with a letter or digit. Source: the same. */
bool label_value_valid(struct str value);

#endif

/* sources/cluster_objects.h - the objects of manifests that count in a cluster of ours. For sources/cluster.c. */
#ifndef SGP_SOURCES_CLUSTER_OBJECTS_H
#define SGP_SOURCES_CLUSTER_OBJECTS_H

#include "policy/policy.h"
#include "sources/manifests.h"

/* In the order in which the objects of a namespace are sorted. */
enum object_kind { OBJECT_NAMESPACE, OBJECT_POLICY, OBJECT_ACCOUNT, OBJECT_NODE, OBJECT_KINDS };

struct object {
    const struct manifest *manifest;
    enum object_kind kind;
    struct str namespace; /* that it tells something of; empty for a node */
    struct str name;
    struct str_map labels;
    struct policy_spec policy;
};

struct objects {
    struct object *items;
    size_t count;
};

/* Whether the manifest is of one of these kinds, in its group and version. */
bool object_known(const struct manifest *manifest);
/* "SecurityGroupPolicy my-namespace/my-policy", in the arena. */
result object_title(const struct object *object, struct arena *arena, struct str *out, struct err *err);
/* Decodes the objects of known kinds and sorts them by namespace, kind and name. They live in the arena and share
 * slices with the manifests. ERR_INPUT: one cannot be decoded, has no name, or occurs twice, which names both places.
 */
result objects_decode(const struct manifest_list *manifests, struct str default_namespace, struct arena *arena,
                      struct objects *out, struct err *err);

#endif

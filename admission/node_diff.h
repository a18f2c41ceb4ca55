/* admission/node_diff.h - which fields differ between two objects, by their JSON text. */
#ifndef SGP_ADMISSION_NODE_DIFF_H
#define SGP_ADMISSION_NODE_DIFF_H

#include "base/arena.h"

struct node_diff {
    struct arena *arena;
    /* Whether a field may differ: its path, e.g. metadata.labels[a/b] or spec.taints. Asked of every path on the way
     * down. */
    bool (*may_differ)(const void *ctx, struct str path);
    const void *ctx;
    struct str first[8]; /* out: the paths of the first differences */
    size_t count;        /* out: of all, up to 64 */
    unsigned depth;      /* of the values being compared; starts at 0 */
};

/* Compares two JSON values, valid already; an absent slice is an absent value. The order of members does not matter.
 * Absent, null and an empty object or list are the same: another encoder may leave them out. */
result node_compare(struct node_diff *diff, struct str old_value, struct str new_value, struct err *err);

#endif

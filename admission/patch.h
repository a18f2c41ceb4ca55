/* admission/patch.h - JSONPatch (RFC 6902) with only the operations that are needed. */
#ifndef SGP_ADMISSION_PATCH_H
#define SGP_ADMISSION_PATCH_H

#include "admission/pod.h"
#include "base/buf.h"

struct patch {
    struct buf json; /* the operations, without the brackets around them */
};

static inline struct patch patch_in(struct arena *arena)
{
    return (struct patch){ buf_in(arena) };
}

/* Makes container `index` request exactly one `resource` in limits and in requests; adds nothing where it does already.
 */
void patch_request_resource(struct patch *patch, const struct pod *pod, size_t index, struct str resource);
/* Sets an annotation; adds nothing where it has the value already. */
void patch_set_annotation(struct patch *patch, const struct pod *pod, struct str key, struct str value);
/* Removes an annotation where it stands. */
void patch_remove_annotation(struct patch *patch, const struct pod *pod, struct str key);
/* The patch as JSON; absent when no operation is needed. */
result patch_finish(struct patch *patch, struct str *out, struct err *err);

#endif

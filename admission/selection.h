/* admission/selection.h - which policies of its namespace select a pod, and the groups it gets from them. */
#ifndef SGP_ADMISSION_SELECTION_H
#define SGP_ADMISSION_SELECTION_H

#include "admission/pod.h"
#include "policy/store.h"

/* Texts belong to the snapshot, lists to the arena: valid within the read scope. */
struct selection {
    struct str_list policies; /* that match, by name */
    struct str_list groups;   /* union over them, in the order first seen, none twice */
    struct str_list unknown;  /* policies that hang on a service account which is not known */
};

result selection_of(const struct namespace_view *view, const struct pod *pod, struct arena *arena,
                    struct selection *out, struct err *err);

#endif

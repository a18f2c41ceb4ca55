/* admission/workload.h - what makes pods: Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob,
 * ReplicationController. */
#ifndef SGP_ADMISSION_WORKLOAD_H
#define SGP_ADMISSION_WORKLOAD_H

#include "admission/pod.h"

struct workload_spec {
    const struct pod *template;     /* NULL: absent */
    const struct pod *job_template; /* jobTemplate.spec.template of a CronJob; NULL: absent */
};

struct workload {
    struct object_meta meta;
    struct workload_spec spec;
};

extern const struct shape workload_shape;

/* Whether the kind of this API group is one of the seven. An apiVersion such as apps/v1 is no group. */
bool workload_kind(struct str group, struct str kind);
/* The pod template, or NULL when there is none. `*path` is where it stands, e.g. "spec.template". */
const struct pod *workload_template(const struct workload *workload, struct str kind, struct str *path);
/* Made by another workload, which was looked at in its place; a ReplicationController: made by anything. */
bool workload_is_owned(const struct workload *workload, struct str kind);

#endif

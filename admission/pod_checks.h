/* admission/pod_checks.h - the checks on a pod, or on a pod template of a workload. */
#ifndef SGP_ADMISSION_POD_CHECKS_H
#define SGP_ADMISSION_POD_CHECKS_H

#include "admission/inspect.h"
#include "admission/selection.h"

/* What a check looks at. */
struct pod_subject {
    const struct pod *pod;
    const struct namespace_view *view;
    const struct rules *rules;
    const struct selection *selection;
    struct str namespace;
    struct str path; /* where the template stands, e.g. "spec.template"; absent for a pod itself */
    bool final;      /* the mutation is done */
    struct findings *findings;
};

/* The subject of a decision; `selection` is filled by pod_select, later. */
struct pod_subject pod_subject_of(const struct decide_context *context, const struct pod *pod, struct str path,
                                  const struct selection *selection, struct decision *out);
/* Finds the policies of the pod and notes them in the decision. */
result pod_select(const struct decide_context *context, const struct pod *pod, struct selection *selection,
                  struct decision *out, struct err *err);

/* Adds a finding with the action that the rules and the namespace's mode give to the check. `field` is a path within
 * the pod, the message printf. */
__attribute__((format(printf, 6, 7))) result pod_report(const struct pod_subject *subject, enum check check,
                                                        const char *field, struct str remedy, struct err *err,
                                                        const char *format, ...);
/* Selected, and of a kind that gets a branch interface: not host-network, Windows or Fargate. */
bool pod_wants_branch(const struct pod_subject *subject);
/* Runs all checks that need no comparison with an older object. */
result pod_check_all(const struct pod_subject *subject, struct err *err);

/* Another number of branch interfaces than one, for a pod that gets one. */
result pod_check_branch_count(const struct pod_subject *subject, struct err *err);
/* Two more, in files of their own. */
result pod_check_instance_type(const struct pod_subject *subject, struct err *err);
result pod_check_link_local(const struct pod_subject *subject, struct err *err);

/* The annotation that a Fargate pod gets: the groups joined by commas. */
result fargate_annotation(const struct selection *selection, struct arena *arena, struct str *out, struct err *err);
/* Whether an annotation names exactly these groups; their order does not matter, since EKS itself has none. */
bool fargate_annotation_names(struct str annotation, const struct str_list *groups);

#endif

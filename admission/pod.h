/* admission/pod.h - what the checks want to know of a pod, or of the template of a workload. */
#ifndef SGP_ADMISSION_POD_H
#define SGP_ADMISSION_POD_H

#include "policy/objects.h"

#define BRANCH_RESOURCE "vpc.amazonaws.com/pod-eni"
#define IPV4_RESOURCE "vpc.amazonaws.com/PrivateIPv4Address"
#define BRANCH_ANNOTATION "vpc.amazonaws.com/pod-eni"
#define FARGATE_ANNOTATION "fargate.amazonaws.com/pod-sg"
#define FARGATE_LABEL "eks.amazonaws.com/fargate-profile"
#define MIRROR_ANNOTATION "kubernetes.io/config.mirror"

struct resources {
    struct str_map limits;
    struct str_map requests;
};

struct env_variable {
    struct str name;
    struct str value;
};

struct container {
    struct str name;
    const struct resources *resources; /* NULL: absent */
    struct {
        struct env_variable *items;
        size_t count;
    } env;
};

struct node_selector_term {
    struct requirement_list expressions;
};

struct node_selector_terms {
    struct node_selector_term *items;
    size_t count;
};

struct pod_spec {
    struct str service_account_name;
    struct str service_account; /* its older name */
    bool host_network;
    struct str os_name;
    struct integer grace_period_s;
    struct str_map node_selector;
    struct node_selector_terms required_terms; /* affinity.nodeAffinity.requiredDuringScheduling… */
    struct str_list nameservers;               /* dnsConfig.nameservers */
    struct {
        struct container *items;
        size_t count;
    } containers;
};

/* A pod, or a pod template. */
struct pod {
    const struct object_meta *meta; /* NULL: absent */
    struct pod_spec spec;
};

extern const struct shape pod_shape;

/* The labels and annotations; empty ones for a pod without metadata. */
const struct str_map *pod_labels(const struct pod *pod);
const struct str_map *pod_annotations(const struct pod *pod);
/* A copy of a static pod, made by a kubelet: never patched or refused. */
bool pod_is_mirror(const struct pod *pod);
bool pod_is_fargate(const struct pod *pod);
/* Where the pod says that it is for Windows (a field path), or absent. */
struct str pod_windows_field(const struct pod *pod);
/* The service account; "default" when none is named. */
struct str pod_account_name(const struct pod *pod);
/* The index of the first container that requests the resource, in limits or requests, or how many containers there are
 * when none does; a count of "0" requests nothing. Init containers do not count: the VPC resource controller adds up
 * the requests of the others only. */
size_t pod_requests_resource(const struct pod *pod, struct str resource);

#endif

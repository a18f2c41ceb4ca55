/* sources/cluster.h - from manifests to the store: what a cluster with just these objects would know. */
#ifndef SGP_SOURCES_CLUSTER_H
#define SGP_SOURCES_CLUSTER_H

#include "policy/store.h"
#include "sources/manifests.h"

/* What somebody should hear of; texts live in the manifests' arena. */
struct cluster_report {
    struct str_list unknown_kinds; /* each once, "apps/v1 Deployment", in the order met */
    struct str_list remarks; /* "FILE:LINE: SecurityGroupPolicy ns/name: …, it selects nothing"; unknown mode labels */
    struct store_counts counts;
    size_t object_count; /* manifests of kinds that are known */
};

/* Publishes SecurityGroupPolicies, ServiceAccounts and Namespaces; what the store has besides is forgotten. An object
 * without a namespace belongs to `default_namespace`. The service account "default" exists in every namespace, without
 * labels when no manifest says otherwise. Node is known and left alone. Other kinds are listed.
 * ERR_INPUT: an object that cannot be decoded, has no name, or occurs twice (both places are named): nothing is
 * published. */
result cluster_publish(const struct manifest_list *manifests, struct str default_namespace, struct store *store,
                       struct cluster_report *report, struct err *err);

#endif

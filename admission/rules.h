/* admission/rules.h - what the operator decided: actions per check, limits, exceptions. Immutable while it is in use.
 */
#ifndef SGP_ADMISSION_RULES_H
#define SGP_ADMISSION_RULES_H

#include "admission/checks.h"
#include "policy/instance_types.h"
#include "policy/store.h"

struct rules {
    enum action actions[CHECK_COUNT];
    size_t groups_per_policy;    /* 1 to 16; the guide says 5 */
    size_t groups_per_interface; /* 1 to 16; the EC2 quota, 5 until it is raised */
    bool strict_mode;            /* POD_SECURITY_GROUP_ENFORCING_MODE of aws-node is strict, its default */
    bool windows_ipam;           /* Windows IPAM is on: Windows pods request an IPv4 address */
    bool workloads_deny;         /* workloads are refused for what their pods would be refused for */
    struct str_list node_fields; /* field paths, by prefix, that aws-node may change besides its two labels */
    const struct instance_types *instance_types;
};

/* The defaults of the catalogue and of the EKS guide. `types` is kept, not owned. */
struct rules rules_default(const struct instance_types *types);
/* `profile: strict`: what the placement and connectivity checks warn of is refused. */
void rules_make_strict(struct rules *rules);
/* What a check does in a namespace of this mode. No mode lowers the checks that protect the cluster. */
enum action rules_action(const struct rules *rules, enum check check, enum namespace_mode mode);

#endif

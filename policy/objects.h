/* policy/objects.h - the Kubernetes objects that policies and selection need, and the shapes that readers fill them by.
 */
#ifndef SGP_POLICY_OBJECTS_H
#define SGP_POLICY_OBJECTS_H

#include "policy/policy.h"

struct owner_reference {
    struct str api_version;
    struct str kind;
    struct str name;
    bool controller;
};

struct object_meta {
    struct str name;
    struct str generate_name;
    struct str namespace;
    struct str_map labels;
    struct str_map annotations;
    struct {
        struct owner_reference *items;
        size_t count;
    } owners;
};

/* A ServiceAccount, a Namespace, a Node, or anything else of which the metadata is enough. */
struct meta_object {
    struct str api_version;
    struct str kind;
    struct object_meta meta;
};

/* The spec of a SecurityGroupPolicy. */
struct policy_body {
    const struct selector_spec *pod_selector;     /* NULL: not given */
    const struct selector_spec *account_selector; /* NULL: not given */
    struct str_list groups;                       /* securityGroups.groupIds */
};

/* A SecurityGroupPolicy of vpcresources.k8s.aws/v1beta1. */
struct policy_object {
    struct object_meta meta;
    struct policy_body spec;
};

extern const struct shape object_meta_shape;
extern const struct shape meta_object_shape;
extern const struct shape policy_object_shape;
extern const struct shape requirement_shape; /* of a struct requirement_spec */

/* The same policy as matching wants it; slices and pointers are shared, nothing is copied. */
struct policy_spec policy_object_spec(const struct policy_object *object);

#endif

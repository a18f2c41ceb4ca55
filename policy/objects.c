#include "policy/objects.h"

static const struct field owner_fields[] = {
    { STR_INIT("apiVersion"), FIELD_STRING, offsetof(struct owner_reference, api_version), NULL, false },
    { STR_INIT("kind"), FIELD_STRING, offsetof(struct owner_reference, kind), NULL, false },
    { STR_INIT("name"), FIELD_STRING, offsetof(struct owner_reference, name), NULL, false },
    { STR_INIT("controller"), FIELD_BOOL, offsetof(struct owner_reference, controller), NULL, false },
};
static const struct shape owner_shape = SHAPE_INIT(owner_fields, struct owner_reference);

static const struct field meta_fields[] = {
    { STR_INIT("name"), FIELD_STRING, offsetof(struct object_meta, name), NULL, false },
    { STR_INIT("generateName"), FIELD_STRING, offsetof(struct object_meta, generate_name), NULL, false },
    { STR_INIT("namespace"), FIELD_STRING, offsetof(struct object_meta, namespace), NULL, false },
    { STR_INIT("labels"), FIELD_MAP, offsetof(struct object_meta, labels), NULL, false },
    { STR_INIT("annotations"), FIELD_MAP, offsetof(struct object_meta, annotations), NULL, false },
    { STR_INIT("ownerReferences"), FIELD_LIST, offsetof(struct object_meta, owners), &owner_shape, false },
};
const struct shape object_meta_shape = SHAPE_INIT(meta_fields, struct object_meta);

static const struct field meta_object_fields[] = {
    { STR_INIT("apiVersion"), FIELD_STRING, offsetof(struct meta_object, api_version), NULL, false },
    { STR_INIT("kind"), FIELD_STRING, offsetof(struct meta_object, kind), NULL, false },
    { STR_INIT("metadata"), FIELD_OBJECT, offsetof(struct meta_object, meta), &object_meta_shape, false },
};
const struct shape meta_object_shape = SHAPE_INIT(meta_object_fields, struct meta_object);

static const struct field requirement_fields[] = {
    { STR_INIT("key"), FIELD_STRING, offsetof(struct requirement_spec, key), NULL, false },
    { STR_INIT("operator"), FIELD_STRING, offsetof(struct requirement_spec, op), NULL, false },
    { STR_INIT("values"), FIELD_STRINGS, offsetof(struct requirement_spec, values), NULL, false },
};
const struct shape requirement_shape = CLOSED_SHAPE_INIT(requirement_fields, struct requirement_spec);

static const struct field selector_fields[] = {
    { STR_INIT("matchLabels"), FIELD_MAP, offsetof(struct selector_spec, match_labels), NULL, false },
    { STR_INIT("matchExpressions"), FIELD_LIST, offsetof(struct selector_spec, expressions), &requirement_shape,
      false },
};
static const struct shape selector_shape = CLOSED_SHAPE_INIT(selector_fields, struct selector_spec);

static const struct field groups_fields[] = {
    { STR_INIT("groupIds"), FIELD_STRINGS, 0, NULL, false },
};
static const struct shape groups_shape = CLOSED_SHAPE_INIT(groups_fields, struct str_list);

static const struct field spec_fields[] = {
    { STR_INIT("podSelector"), FIELD_POINTER, offsetof(struct policy_body, pod_selector), &selector_shape, false },
    { STR_INIT("serviceAccountSelector"), FIELD_POINTER, offsetof(struct policy_body, account_selector),
      &selector_shape, false },
    { STR_INIT("securityGroups"), FIELD_OBJECT, offsetof(struct policy_body, groups), &groups_shape, false },
};
static const struct shape spec_shape = CLOSED_SHAPE_INIT(spec_fields, struct policy_body);

static const struct field policy_fields[] = {
    { STR_INIT("metadata"), FIELD_OBJECT, offsetof(struct policy_object, meta), &object_meta_shape, false },
    { STR_INIT("spec"), FIELD_OBJECT, offsetof(struct policy_object, spec), &spec_shape, false },
};
const struct shape policy_object_shape = SHAPE_INIT(policy_fields, struct policy_object);

struct policy_spec policy_object_spec(const struct policy_object *object)
{
    return (struct policy_spec){
        .name = object->meta.name,
        .namespace = object->meta.namespace,
        .pod_selector = object->spec.pod_selector,
        .account_selector = object->spec.account_selector,
        .groups = object->spec.groups,
    };
}

#include "admission/pod.h"

#include "base/shape.h"

#define FIELD(type, member, name, kind, shape)                                                                         \
    {                                                                                                                  \
        STR_INIT(name), kind, offsetof(type, member), shape, false                                                     \
    }

static const struct field resources_fields[] = {
    FIELD(struct resources, limits, "limits", FIELD_QUANTITIES, NULL),
    FIELD(struct resources, requests, "requests", FIELD_QUANTITIES, NULL),
};
static const struct shape resources_shape = SHAPE_INIT(resources_fields, struct resources);

static const struct field env_fields[] = {
    FIELD(struct env_variable, name, "name", FIELD_STRING, NULL),
    FIELD(struct env_variable, value, "value", FIELD_STRING, NULL),
};
static const struct shape env_shape = SHAPE_INIT(env_fields, struct env_variable);

static const struct field container_fields[] = {
    FIELD(struct container, name, "name", FIELD_STRING, NULL),
    FIELD(struct container, resources, "resources", FIELD_POINTER, &resources_shape),
    FIELD(struct container, env, "env", FIELD_LIST, &env_shape),
};
static const struct shape container_shape = SHAPE_INIT(container_fields, struct container);

static const struct field term_fields[] = {
    FIELD(struct node_selector_term, expressions, "matchExpressions", FIELD_LIST, &requirement_shape),
};
static const struct shape term_shape = SHAPE_INIT(term_fields, struct node_selector_term);

/* Objects of which one member matters are read straight into the struct around them. */
static const struct field required_fields[] = {
    { STR_INIT("nodeSelectorTerms"), FIELD_LIST, 0, &term_shape, false },
};
static const struct shape required_shape = SHAPE_INIT(required_fields, struct node_selector_terms);
static const struct field node_affinity_fields[] = {
    { STR_INIT("requiredDuringSchedulingIgnoredDuringExecution"), FIELD_OBJECT, 0, &required_shape, false },
};
static const struct shape node_affinity_shape = SHAPE_INIT(node_affinity_fields, struct node_selector_terms);
static const struct field affinity_fields[] = {
    { STR_INIT("nodeAffinity"), FIELD_OBJECT, 0, &node_affinity_shape, false },
};
static const struct shape affinity_shape = SHAPE_INIT(affinity_fields, struct node_selector_terms);
static const struct field os_fields[] = { { STR_INIT("name"), FIELD_STRING, 0, NULL, false } };
static const struct shape os_shape = SHAPE_INIT(os_fields, struct str);
static const struct field dns_config_fields[] = { { STR_INIT("nameservers"), FIELD_STRINGS, 0, NULL, false } };
static const struct shape dns_config_shape = SHAPE_INIT(dns_config_fields, struct str_list);

static const struct field spec_fields[] = {
    FIELD(struct pod_spec, service_account_name, "serviceAccountName", FIELD_STRING, NULL),
    FIELD(struct pod_spec, service_account, "serviceAccount", FIELD_STRING, NULL),
    FIELD(struct pod_spec, host_network, "hostNetwork", FIELD_BOOL, NULL),
    FIELD(struct pod_spec, os_name, "os", FIELD_OBJECT, &os_shape),
    FIELD(struct pod_spec, grace_period_s, "terminationGracePeriodSeconds", FIELD_INTEGER, NULL),
    FIELD(struct pod_spec, node_selector, "nodeSelector", FIELD_MAP, NULL),
    FIELD(struct pod_spec, required_terms, "affinity", FIELD_OBJECT, &affinity_shape),
    FIELD(struct pod_spec, nameservers, "dnsConfig", FIELD_OBJECT, &dns_config_shape),
    FIELD(struct pod_spec, containers, "containers", FIELD_LIST, &container_shape),
};
static const struct shape spec_shape = SHAPE_INIT(spec_fields, struct pod_spec);

static const struct field pod_fields[] = {
    FIELD(struct pod, meta, "metadata", FIELD_POINTER, &object_meta_shape),
    FIELD(struct pod, spec, "spec", FIELD_OBJECT, &spec_shape),
};
const struct shape pod_shape = SHAPE_INIT(pod_fields, struct pod);

static const struct str_map no_map = { 0 };

const struct str_map *pod_labels(const struct pod *pod)
{
    return pod->meta ? &pod->meta->labels : &no_map;
}

const struct str_map *pod_annotations(const struct pod *pod)
{
    return pod->meta ? &pod->meta->annotations : &no_map;
}

/* R45 (product design, facts: mirror pods): never patched or refused. */
bool pod_is_mirror(const struct pod *pod)
{
    return labels_get(pod_annotations(pod), STR(MIRROR_ANNOTATION)) != NULL;
}

bool pod_is_fargate(const struct pod *pod)
{
    return labels_get(pod_labels(pod), STR(FARGATE_LABEL)) != NULL;
}

/* R5 (product design, facts: Windows pod): either key, or the name. */
struct str pod_windows_field(const struct pod *pod)
{
    static const struct {
        struct str key;
        struct str field;
    } places[] = {
        { STR_INIT("kubernetes.io/os"), STR_INIT("spec.nodeSelector[kubernetes.io/os]") },
        { STR_INIT("beta.kubernetes.io/os"), STR_INIT("spec.nodeSelector[beta.kubernetes.io/os]") },
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const struct str *os = labels_get(&pod->spec.node_selector, places[i].key);
        if (os && str_is(*os, "windows"))
            return places[i].field;
    }
    return str_is(pod->spec.os_name, "windows") ? STR("spec.os.name") : (struct str){ 0 };
}

struct str pod_account_name(const struct pod *pod)
{
    if (pod->spec.service_account_name.len)
        return pod->spec.service_account_name;
    return pod->spec.service_account.len ? pod->spec.service_account : STR("default");
}

/* null is 0, as in Kubernetes. */
static bool asks_for(const struct str_map *quantities, struct str resource)
{
    const struct str *count = labels_get(quantities, resource);
    return count && count->len > 0 && !str_is(*count, "0");
}

size_t pod_requests_resource(const struct pod *pod, struct str resource)
{
    size_t i = 0;
    for (; i < pod->spec.containers.count; i++) {
        const struct resources *resources = pod->spec.containers.items[i].resources;
        if (resources && (asks_for(&resources->limits, resource) || asks_for(&resources->requests, resource)))
            break;
    }
    return i;
}

/* pod-link-local: in strict mode all traffic of the pod leaves by its branch interface, which link-local addresses are
 * not behind. */
#include "admission/pod_checks.h"

#include <stdio.h>

#define POD_IDENTITY_LABEL "eks.amazonaws.com/pod-identity"
#define AMBIENT_LABEL "istio.io/dataplane-mode"

static bool is_link_local(struct str address)
{
    return str_starts_with(address, STR("169.254.")) || str_starts_with(address, STR("fe80:"));
}

/* R25 (product design, facts: not supported together): NodeLocal DNSCache. */
static result check_nameservers(const struct pod_subject *subject, struct err *err)
{
    const struct str_list *nameservers = &subject->pod->spec.nameservers;
    char field[64];
    for (size_t i = 0; i < nameservers->count; i++) {
        if (!is_link_local(nameservers->items[i]))
            continue;
        (void)snprintf(field, sizeof field, "spec.dnsConfig.nameservers[%zu]", i);
        return pod_report(subject, CHECK_POD_LINK_LOCAL, field, (struct str){ 0 }, err,
                          "%.*s (NodeLocal DNSCache) is out of reach in strict mode", STR_ARGS(nameservers->items[i]));
    }
    return DONE;
}

static bool has_label(const struct str_map *labels, const char *key, const char *value)
{
    const struct str *is = labels_get(labels, str_of(key));
    return is && str_is(*is, value);
}

/* The agent's address is put into the environment by EKS's own webhook, or the pod is labelled before that. */
static result check_pod_identity(const struct pod_subject *subject, struct err *err)
{
    static const char message[] = "the EKS Pod Identity agent is out of reach in strict mode; use IRSA";
    const struct pod_spec *spec = &subject->pod->spec;
    char field[64];
    if (has_label(pod_labels(subject->pod), POD_IDENTITY_LABEL, "enabled"))
        return pod_report(subject, CHECK_POD_LINK_LOCAL, "metadata.labels[" POD_IDENTITY_LABEL "]", (struct str){ 0 },
                          err, "%s", message);
    for (size_t i = 0; i < spec->containers.count; i++) {
        for (size_t j = 0; j < spec->containers.items[i].env.count; j++) {
            const struct env_variable *variable = &spec->containers.items[i].env.items[j];
            if (!str_is(variable->name, "AWS_CONTAINER_CREDENTIALS_FULL_URI") ||
                !str_contains(variable->value, STR("//169.254.170.23")))
                continue;
            (void)snprintf(field, sizeof field, "spec.containers[%zu].env[%zu]", i, j);
            return pod_report(subject, CHECK_POD_LINK_LOCAL, field, (struct str){ 0 }, err, "%s", message);
        }
    }
    return DONE;
}

/* The kubelet's probes come from 169.254.7.127 there. A pod says for itself, or its namespace for all. */
static result check_ambient(const struct pod_subject *subject, struct err *err)
{
    const struct str *own = labels_get(pod_labels(subject->pod), STR(AMBIENT_LABEL));
    bool ambient = own ? str_is(*own, "ambient") : has_label(subject->view->labels, AMBIENT_LABEL, "ambient");
    if (!ambient)
        return DONE;
    return pod_report(subject, CHECK_POD_LINK_LOCAL, "metadata.labels[" AMBIENT_LABEL "]", (struct str){ 0 }, err,
                      "Istio ambient probes are out of reach in strict mode; set it to none");
}

result pod_check_link_local(const struct pod_subject *subject, struct err *err)
{
    if (!subject->rules->strict_mode || !pod_wants_branch(subject))
        return DONE;
    GUARD(check_nameservers(subject, err));
    GUARD(check_pod_identity(subject, err));
    return check_ambient(subject, err);
}

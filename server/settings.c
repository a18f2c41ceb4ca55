#include "server/settings.h"

#include "server/config.h"
#include "server/spelling.h"

#define FIELD(name) offsetof(struct config, name)
#define CHOICES(list)                                                                                                  \
    {                                                                                                                  \
        (struct str *)(list), sizeof(list) / sizeof((list)[0])                                                         \
    }

static const struct str profiles[] = { STR_INIT("baseline"), STR_INIT("strict") };
static const struct str enforcing_modes[] = { STR_INIT("strict"), STR_INIT("standard") };
static const struct str workload_modes[] = { STR_INIT("warn"), STR_INIT("deny") };
static const struct str log_levels[] = { STR_INIT("error"), STR_INIT("warn"), STR_INIT("info"), STR_INIT("debug") };
static const struct str log_formats[] = { STR_INIT("auto"), STR_INIT("json"), STR_INIT("text") };

static const struct setting rows[] = {
    { .path = STR_INIT("listen"),
      .type = SETTING_TEXT,
      .offset = FIELD(listen),
      .fallback = STR_INIT(":9443"),
      .help = STR_INIT("ADDRESS:PORT of the admission port (HTTPS); without an address, all of them."),
      .restart = true },
    { .path = STR_INIT("healthListen"),
      .type = SETTING_TEXT,
      .offset = FIELD(health_listen),
      .fallback = STR_INIT(":8080"),
      .help = STR_INIT("ADDRESS:PORT of the plain port: /healthz, /readyz and /metrics."),
      .restart = true },
    { .path = STR_INIT("tls.certFile"),
      .type = SETTING_TEXT,
      .offset = FIELD(tls.cert_file),
      .help = STR_INIT("PEM file of the serving certificate and its chain; read again when it changes."),
      .restart = true },
    { .path = STR_INIT("tls.keyFile"),
      .type = SETTING_TEXT,
      .offset = FIELD(tls.key_file),
      .help = STR_INIT("PEM file of the certificate's private key; read again when it changes."),
      .restart = true },
    { .path = STR_INIT("tls.clientCAFile"),
      .type = SETTING_TEXT,
      .offset = FIELD(tls.client_ca_file),
      .help = STR_INIT("PEM file of certificate authorities; only clients with a certificate of theirs are answered."),
      .restart = true },
    { .path = STR_INIT("tls.selfSigned"),
      .type = SETTING_TEXT,
      .offset = FIELD(tls.self_signed),
      .help = STR_INIT("A directory in which a certificate and its authority are made, and renewed in time."),
      .restart = true },
    { .path = STR_INIT("policies.paths"),
      .type = SETTING_TEXTS,
      .offset = FIELD(policies),
      .help = STR_INIT("Files and directories with SecurityGroupPolicies, ServiceAccounts and Namespaces.") },
    { .path = STR_INIT("instanceTypesFile"),
      .type = SETTING_TEXT,
      .offset = FIELD(instance_types_file),
      .help = STR_INIT("A table of instance types, tab-separated, in place of the one that is compiled in.") },
    { .path = STR_INIT("profile"),
      .type = SETTING_ONE_OF,
      .offset = FIELD(profile),
      .fallback = STR_INIT("baseline"),
      .choices = CHOICES(profiles),
      .help = STR_INIT("strict refuses what the checks of placement and connectivity would only warn of.") },
    { .path = STR_INIT("checks"),
      .type = SETTING_ACTIONS,
      .offset = FIELD(actions),
      .help = STR_INIT("What each check does, by its id; stronger than the profile.") },
    { .path = STR_INIT("limits.groupsPerPolicy"),
      .type = SETTING_INTEGER,
      .offset = FIELD(groups_per_policy),
      .fallback = STR_INIT("5"),
      .min = 1,
      .max = 16,
      .help = STR_INIT("Security groups that one policy may name.") },
    { .path = STR_INIT("limits.groupsPerInterface"),
      .type = SETTING_INTEGER,
      .offset = FIELD(groups_per_interface),
      .fallback = STR_INIT("5"),
      .min = 1,
      .max = 16,
      .help = STR_INIT("Security groups that one interface may have: the account's quota in EC2.") },
    { .path = STR_INIT("limits.bodyBytes"),
      .type = SETTING_INTEGER,
      .offset = FIELD(body_bytes),
      .fallback = STR_INIT("8388608"),
      .min = 1024,
      .max = 64 * INT64_C(1024) * 1024,
      .unit = STR_INIT("bytes"),
      .help = STR_INIT("The largest request body; a larger one is answered with 413."),
      .restart = true },
    { .path = STR_INIT("limits.connections"),
      .type = SETTING_INTEGER,
      .offset = FIELD(connections),
      .fallback = STR_INIT("1024"),
      .min = 8,
      .max = 100000,
      .help = STR_INIT("Connections to the admission port at a time; further ones wait."),
      .restart = true },
    { .path = STR_INIT("threads"),
      .type = SETTING_INTEGER,
      .offset = FIELD(threads),
      .fallback = STR_INIT("0"),
      .max = 256,
      .help = STR_INIT("Threads that serve the admission port; 0 is one per core."),
      .restart = true },
    { .path = STR_INIT("timeouts.headersSeconds"),
      .type = SETTING_INTEGER,
      .offset = FIELD(headers_s),
      .fallback = STR_INIT("10"),
      .min = 1,
      .max = 300,
      .unit = STR_INIT("seconds"),
      .help = STR_INIT("For the TLS handshake, and for the headers of a request."),
      .restart = true },
    { .path = STR_INIT("timeouts.requestSeconds"),
      .type = SETTING_INTEGER,
      .offset = FIELD(request_s),
      .fallback = STR_INIT("30"),
      .min = 1,
      .max = 300,
      .unit = STR_INIT("seconds"),
      .help = STR_INIT("From the headers of a request to the end of its answer."),
      .restart = true },
    { .path = STR_INIT("timeouts.idleSeconds"),
      .type = SETTING_INTEGER,
      .offset = FIELD(idle_s),
      .fallback = STR_INIT("120"),
      .min = 1,
      .max = 3600,
      .unit = STR_INIT("seconds"),
      .help = STR_INIT("Between two requests; longer than the 90 seconds after which the API server closes."),
      .restart = true },
    { .path = STR_INIT("timeouts.shutdownDelaySeconds"),
      .type = SETTING_INTEGER,
      .offset = FIELD(shutdown_delay_s),
      .fallback = STR_INIT("10"),
      .max = 600,
      .unit = STR_INIT("seconds"),
      .help = STR_INIT("How long new requests are still answered after SIGTERM, until the cluster has taken notice.") },
    { .path = STR_INIT("podSecurityGroupEnforcingMode"),
      .type = SETTING_ONE_OF,
      .offset = FIELD(enforcing_mode),
      .fallback = STR_INIT("strict"),
      .choices = CHOICES(enforcing_modes),
      .help = STR_INIT("What aws-node has as POD_SECURITY_GROUP_ENFORCING_MODE.") },
    { .path = STR_INIT("windowsIpam"),
      .type = SETTING_BOOL,
      .offset = FIELD(windows_ipam),
      .fallback = STR_INIT("false"),
      .help = STR_INIT("Whether Windows IPAM is on: Windows pods then request a private IPv4 address.") },
    { .path = STR_INIT("workloads"),
      .type = SETTING_ONE_OF,
      .offset = FIELD(workloads),
      .fallback = STR_INIT("warn"),
      .choices = CHOICES(workload_modes),
      .help = STR_INIT("What happens to a Deployment and the like whose pods would be refused.") },
    { .path = STR_INIT("nodes.awsNodeMayChange"),
      .type = SETTING_FIELDS,
      .offset = FIELD(node_fields),
      .help = STR_INIT("Paths of node fields, by prefix, that aws-node may change besides its two labels.") },
    { .path = STR_INIT("log.level"),
      .type = SETTING_ONE_OF,
      .offset = FIELD(log_level),
      .fallback = STR_INIT("info"),
      .choices = CHOICES(log_levels),
      .help = STR_INIT("The least important events that are logged; denials and patches are info."),
      .restart = true },
    { .path = STR_INIT("log.format"),
      .type = SETTING_ONE_OF,
      .offset = FIELD(log_format),
      .fallback = STR_INIT("auto"),
      .choices = CHOICES(log_formats),
      .help = STR_INIT("Lines of JSON or of text; auto is text on a terminal."),
      .restart = true },
};

struct settings settings_all(void)
{
    return (struct settings){ rows, sizeof rows / sizeof rows[0] };
}

const struct setting *setting_find(struct str path)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (str_equal(rows[i].path, path))
            return &rows[i];
    return NULL;
}

/* What stands behind `section` and its dot; all of the path behind the empty section. Absent: it is not below it. */
static struct str below(struct str path, struct str section)
{
    if (section.len == 0)
        return path;
    if (path.len <= section.len || !str_starts_with(path, section) || path.ptr[section.len] != '.')
        return (struct str){ 0 };
    return (struct str){ path.ptr + section.len + 1, path.len - section.len - 1 };
}

bool setting_is_section(struct str path)
{
    for (size_t i = 0; path.len > 0 && i < sizeof rows / sizeof rows[0]; i++)
        if (below(rows[i].path, path).ptr)
            return true;
    return false;
}

static struct str first_part(struct str path)
{
    const char *dot = path.len ? memchr(path.ptr, '.', path.len) : NULL;
    return (struct str){ path.ptr, dot ? (size_t)(dot - path.ptr) : path.len };
}

static struct str last_part(struct str path)
{
    size_t start = path.len;
    while (start > 0 && path.ptr[start - 1] != '.')
        start--;
    return (struct str){ path.ptr + start, path.len - start };
}

struct str setting_nearest(struct str section, struct str key)
{
    struct str nearest = { 0 };
    size_t fewest = SPELLING_FAR;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str candidate = first_part(below(rows[i].path, section));
        size_t slips = candidate.ptr ? spelling_slips(key, candidate) : SPELLING_FAR;
        if (slips < fewest) {
            fewest = slips;
            nearest = (struct str){ rows[i].path.ptr, (size_t)(candidate.ptr + candidate.len - rows[i].path.ptr) };
        }
    }
    for (size_t i = 0; !nearest.ptr && i < sizeof rows / sizeof rows[0]; i++)
        if (spelling_slips(key, last_part(rows[i].path)) == 0)
            nearest = rows[i].path;
    return nearest;
}

struct str setting_nearest_check(struct str id)
{
    struct str nearest = { 0 };
    size_t fewest = SPELLING_FAR;
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        struct str candidate = check_row((enum check)i)->id;
        size_t slips = spelling_slips(id, candidate);
        if (slips < fewest) {
            fewest = slips;
            nearest = candidate;
        }
    }
    return nearest;
}

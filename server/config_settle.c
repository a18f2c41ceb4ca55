/* From settings to what decisions go by. */
#include "server/config.h"
#include "server/socket.h"
#include "server/text_file.h"

/* The table that is compiled in has 60 KiB. */
enum { MAX_TABLE_BYTES = 4 * 1024 * 1024 };

static result read_table(struct config *config, struct str path, struct err *err)
{
    CLEANUP(arena_free) struct arena scratch = { 0 };
    struct str text = { 0 };
    GUARD(text_file_read(path.ptr, MAX_TABLE_BYTES, &scratch, &text, err));
    if (instance_types_parse(text, &config->arena, &config->instance_types, err).ok)
        return DONE;
    return err_prefix(err, "%s:%s", path.ptr, err->kind == ERR_INPUT ? "" : " ");
}

static result settle_types(struct config *config, struct err *err)
{
    if (config->instance_types_file.ptr)
        return read_table(config, config->instance_types_file, err);
    return instance_types_parse(instance_types_builtin(), &config->arena, &config->instance_types, err);
}

/* What an action of its own says is stronger than the profile. */
static void settle_actions(const struct config *config, struct rules *rules)
{
    if (str_is(config->profile, "strict"))
        rules_make_strict(rules);
    for (size_t i = 0; i < CHECK_COUNT; i++)
        if (config->action_set[i])
            rules->actions[i] = config->actions[i];
}

static result check_address(const char *setting, struct str address, struct err *err)
{
    return socket_check(address, err).ok ? DONE : err_prefix(err, "%s: ", setting);
}

static result check_pairs(const struct config *config, struct err *err)
{
    const char *missing = config->tls.cert_file.ptr ? "tls.keyFile" : "tls.certFile";
    ENSURE(!config->tls.cert_file.ptr == !config->tls.key_file.ptr, err, ERR_INPUT,
           "%s is missing: a certificate and its key belong together", missing);
    ENSURE(!config->tls.cert_file.ptr || !config->tls.self_signed.ptr, err, ERR_INPUT,
           "tls.certFile and tls.selfSigned are both given; keep one");
    GUARD(check_address("listen", config->listen, err));
    GUARD(check_address("healthListen", config->health_listen, err));
    ENSURE(config->connections >= config->threads, err, ERR_INPUT,
           "limits.connections: %lld are less than one for each of %lld threads", (long long)config->connections,
           (long long)config->threads);
    return DONE;
}

result config_settle(struct config *config, struct err *err)
{
    if (!check_pairs(config, err).ok)
        return config->file.ptr ? err_prefix(err, "%.*s: ", STR_ARGS(config->file)) : FAILED;
    GUARD(settle_types(config, err));
    config->rules = rules_default(&config->instance_types);
    settle_actions(config, &config->rules);
    config->rules.groups_per_policy = (size_t)config->groups_per_policy;
    config->rules.groups_per_interface = (size_t)config->groups_per_interface;
    config->rules.strict_mode = str_is(config->enforcing_mode, "strict");
    config->rules.windows_ipam = config->windows_ipam;
    config->rules.workloads_deny = str_is(config->workloads, "deny");
    config->rules.node_fields = config->node_fields;
    return DONE;
}

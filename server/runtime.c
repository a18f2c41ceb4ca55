#include "server/runtime.h"
#include "certs/generate.h"
#include "server/clock.h"
#include "sources/files.h"

#include <malloc.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MS = 1000, SELF_SIGNED_DAYS = 90 };

static const struct str default_namespace = STR_INIT("default");

/* What the command line says goes over what the file says. */
static result apply_flags(struct config *config, const struct serve_flags *flags, struct err *err)
{
    const struct {
        const char *flag;
        struct str *setting;
    } texts[] = {
        { flags->listen, &config->listen },
        { flags->health_listen, &config->health_listen },
        { flags->tls_cert, &config->tls.cert_file },
        { flags->tls_key, &config->tls.key_file },
        { flags->self_signed, &config->tls.self_signed },
    };
    if (flags->tls_cert || flags->tls_key)
        config->tls.self_signed = (struct str){ 0 };
    if (flags->self_signed)
        config->tls.cert_file = config->tls.key_file = (struct str){ 0 };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].flag)
            *texts[i].setting = str_of(texts[i].flag);
    if (flags->policies.count == 0)
        return DONE;
    config->policies = (struct str_list){ 0 };
    GUARD(arena_take_array(&config->arena, flags->policies.count, sizeof(struct str), &config->policies.items, err));
    for (; config->policies.count < flags->policies.count; config->policies.count++)
        config->policies.items[config->policies.count] = str_of(flags->policies.items[config->policies.count]);
    return DONE;
}

static result read_config(const struct serve_flags *flags, struct config **out, struct err *err)
{
    CLEANUP(config_freep) struct config *config = NULL;
    GUARD(flags->config ? config_load(flags->config, &config, err) : config_new(&config, err));
    GUARD(apply_flags(config, flags, err));
    GUARD(config_settle(config, err));
    *out = MOVE(config);
    return DONE;
}

static struct log log_for(const struct config *config)
{
    struct log log = log_to_stderr(LOG_INFO);
    (void)log_level_find(config->log_level, &log.level); /* the settings allow its names only */
    if (!str_is(config->log_format, "auto"))
        log.text = str_is(config->log_format, "text");
    return log;
}

/* A path of the configuration, whose texts end with a NUL; NULL when it is not set. */
static const char *path_of(struct str setting)
{
    return setting.len ? setting.ptr : NULL;
}

static result ensure_self_signed(const struct config *config, struct err *err)
{
    static const char *const dns[] = { "localhost" }, *const ips[] = { "127.0.0.1", "::1" };
    const struct cert_request request = { dns, 1, ips, 2, SELF_SIGNED_DAYS };
    return config->tls.self_signed.len ? certs_ensure(config->tls.self_signed.ptr, &request, err) : DONE;
}

static result load_certificate(struct runtime *runtime, struct err *err)
{
    const struct config *config = runtime->started;
    const char *client_ca = path_of(config->tls.client_ca_file);
    struct cert_paths paths;
    ENSURE(config->tls.self_signed.len || (config->tls.cert_file.len && config->tls.key_file.len), err, ERR_INPUT,
           "no certificate: give --tls-cert FILE and --tls-key FILE, or --self-signed DIR for local use");
    if (!config->tls.self_signed.len)
        return serving_new(config->tls.cert_file.ptr, config->tls.key_file.ptr, client_ca, &runtime->serving, err);
    GUARD(ensure_self_signed(config, err));
    GUARD(cert_paths_in(config->tls.self_signed.ptr, &paths, err));
    return serving_new(paths.cert, paths.key, client_ca, &runtime->serving, err);
}

static void note_certificate(struct runtime *runtime)
{
    int64_t expiry_s = (int64_t)serving_expiry(runtime->serving);
    atomic_store(&runtime->expiry_s, expiry_s);
    metrics_certificate_expiry(runtime->metrics, expiry_s);
    log_event(&runtime->log, EVENT_CERTIFICATE_LOADED, log_number("expiresUnixSeconds", expiry_s));
}

static const struct rules *current_rules(void *ctx)
{
    struct runtime *runtime = ctx;
    return &atomic_load_explicit(&runtime->config, memory_order_acquire)->rules;
}

static int64_t certificate_left_s(struct runtime *runtime)
{
    return atomic_load(&runtime->expiry_s) - clock_wall_ms() / MS;
}

static void conditions(void *ctx, struct health_report *report)
{
    struct runtime *runtime = ctx;
    int64_t left_s = certificate_left_s(runtime);
    bool synced = atomic_load(&runtime->synced), stopping = atomic_load(&runtime->stopping);
    health_condition(report, "source files", synced, "%s", synced ? "read" : "not read yet, see the log");
    health_condition(report, "certificate", left_s > 0, "%s for %lld s", left_s > 0 ? "valid" : "expired",
                     (long long)(left_s > 0 ? left_s : -left_s));
    health_condition(report, "serving", !stopping, "%s", stopping ? "shutting down" : "not shutting down");
}

static void refresh(void *ctx, struct metrics *metrics)
{
    struct runtime *runtime = ctx;
    struct store_counts counts = store_counts(runtime->store);
    metrics_store(metrics, &counts);
    metrics_ready(metrics,
                  atomic_load(&runtime->synced) && !atomic_load(&runtime->stopping) && certificate_left_s(runtime) > 0);
}

static unsigned thread_count(const struct config *config)
{
    long cores = config->threads ? (long)config->threads : sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (unsigned)cores : 1;
}

static result start_ports(struct runtime *runtime, struct err *err)
{
    const struct config *config = runtime->started;
    unsigned threads = thread_count(config);
    const struct health_hooks health = { conditions, refresh, runtime };
    const struct http_settings settings = {
        .listen = config->listen,
        .threads = threads,
        .max_connections = (unsigned)config->connections > threads ? (unsigned)config->connections : threads,
        .body_bytes = (size_t)config->body_bytes,
        .headers_ms = config->headers_s * MS,
        .request_ms = config->request_s * MS,
        .idle_ms = config->idle_s * MS,
        .client_certificates = config->tls.client_ca_file.len > 0,
    };
    const struct http_context context = {
        runtime->store, runtime->serving, { current_rules, runtime }, &runtime->log, runtime->metrics
    };
    GUARD(health_new(config->health_listen, &health, &runtime->log, runtime->metrics, &runtime->health, err));
    return http_new(&settings, &context, &runtime->http, err);
}

/* Without inotify the server works all the same; it only misses changes until SIGHUP. */
static void start_watch(struct runtime *runtime)
{
    struct err err = { 0 };
    if (!watch_new(&runtime->watch, &err).ok)
        log_event(&runtime->log, EVENT_SOURCE_FAILED, log_text("source", STR("files")),
                  log_text("error", str_of(err.msg)));
}

static void watch_directory(struct runtime *runtime, struct str directory, enum watch_tag tag)
{
    struct err err = { 0 };
    if (runtime->watch && !watch_add(runtime->watch, directory, tag, &err).ok)
        log_event(&runtime->log, EVENT_SOURCE_REMARK, log_text("remark", str_of(err.msg)));
}

static void watch_paths(struct runtime *runtime, const struct str_list *paths, enum watch_tag tag)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct str_list directories = { 0 };
    struct err err = { 0 };
    if (!files_directories(paths, &arena, &directories, &err).ok)
        log_event(&runtime->log, EVENT_SOURCE_REMARK, log_text("remark", str_of(err.msg)));
    for (size_t i = 0; i < directories.count; i++)
        watch_directory(runtime, directories.items[i], tag);
}

static void watch_certificate(struct runtime *runtime)
{
    const struct config *config = runtime->started;
    struct str files[] = { config->tls.cert_file, config->tls.key_file, config->tls.client_ca_file };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        const struct str_list one = { &files[i], 1 };
        if (files[i].len)
            watch_paths(runtime, &one, WATCH_CERTIFICATE);
    }
}

/* One connection is one descriptor: as many as the system lets the process have. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* glibc would learn to keep the memory of large reviews; what an ordinary one needs is far below this. */
static void give_memory_back(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, 256 * 1024);
}

result runtime_start(struct runtime *runtime, const struct serve_flags *flags, struct err *err)
{
    runtime->flags = flags;
    runtime->log = log_to_stderr(LOG_INFO);
    GUARD(read_config(flags, &runtime->started, err));
    runtime->config = runtime->started;
    runtime->log = log_for(runtime->started);
    raise_file_limit();
    give_memory_back();
    GUARD(store_new(&runtime->store, err));
    GUARD(metrics_new(&runtime->metrics, err));
    GUARD(load_certificate(runtime, err));
    note_certificate(runtime);
    metrics_configuration_loaded(runtime->metrics);
    start_watch(runtime);
    watch_certificate(runtime);
    runtime_reload_policies(runtime);
    return start_ports(runtime, err);
}

void runtime_stop(struct runtime *runtime)
{
    http_free(runtime->http);
    health_free(runtime->health);
    watch_free(runtime->watch);
    serving_free(runtime->serving);
    metrics_free(runtime->metrics);
    store_free(runtime->store);
    if (runtime->config != runtime->started)
        config_free(runtime->config);
    config_free(runtime->started);
}

static void log_report(struct runtime *runtime, const struct cluster_report *report)
{
    struct store_counts counts = store_counts(runtime->store);
    log_event(&runtime->log, EVENT_SOURCE_LOADED, log_text("source", STR("files")),
              log_number("policies", (int64_t)counts.policies), log_number("namespaces", (int64_t)counts.namespaces));
    if (report->unknown_kinds.count)
        log_event(&runtime->log, EVENT_KINDS_IGNORED, log_list("kinds", report->unknown_kinds));
    for (size_t i = 0; i < report->remarks.count; i++)
        log_event(&runtime->log, EVENT_SOURCE_REMARK, log_text("remark", report->remarks.items[i]));
}

static void publish_ready(struct runtime *runtime)
{
    bool was = atomic_exchange(&runtime->synced, true);
    if (!was)
        log_event(&runtime->log, EVENT_READY, log_text("source", STR("files")));
}

void runtime_reload_policies(struct runtime *runtime)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct cluster_report report = { 0 };
    struct err err = { 0 };
    const struct str_list *paths = &runtime->config->policies;
    /* Watched before they are read: a change in between is read twice rather than missed. */
    watch_paths(runtime, paths, WATCH_POLICIES);
    if (!files_load(paths, default_namespace, runtime->store, &arena, &report, &err).ok) {
        metrics_source_failed(runtime->metrics, METRICS_SOURCE_FILES);
        log_event(&runtime->log, EVENT_SOURCE_FAILED, log_text("source", STR("files")),
                  log_text("error", str_of(err.msg)));
        return;
    }
    metrics_source_loaded(runtime->metrics, METRICS_SOURCE_FILES, report.object_count);
    log_report(runtime, &report);
    publish_ready(runtime);
    arena_free(&arena);
    (void)malloc_trim(0); /* reading takes many times what is kept */
}

void runtime_reload_certificate(struct runtime *runtime)
{
    struct err err = { 0 };
    bool changed = false;
    watch_certificate(runtime);
    if (!ensure_self_signed(runtime->started, &err).ok || !serving_reload(runtime->serving, &changed, &err).ok) {
        metrics_certificate_failed(runtime->metrics);
        if (strcmp(err.msg, runtime->certificate_err.msg) != 0) /* tried each minute, said once */
            log_event(&runtime->log, EVENT_CERTIFICATE_REFUSED, log_text("error", str_of(err.msg)));
        runtime->certificate_err = err;
        return;
    }
    runtime->certificate_err = (struct err){ 0 };
    if (changed)
        note_certificate(runtime);
}

static void release_config(void *config)
{
    config_free(config);
}

static result replace_config(struct runtime *runtime, struct err *err)
{
    CLEANUP(config_freep) struct config *next = NULL;
    struct str later = { 0 };
    GUARD(read_config(runtime->flags, &next, err));
    GUARD(config_restart_needed(runtime->started, next, &later, err));
    struct config *old = atomic_exchange(&runtime->config, next);
    metrics_configuration_loaded(runtime->metrics);
    log_event(&runtime->log, EVENT_CONFIGURATION_LOADED, log_text("file", next->file),
              log_text("takesEffectAtNextStart", later.len ? later : (struct str){ 0 }));
    next = NULL; /* in force */
    if (old != runtime->started)
        store_retire(release_config, old);
    return DONE;
}

void runtime_reload_config(struct runtime *runtime)
{
    struct err err = { 0 };
    if (!replace_config(runtime, &err).ok) {
        metrics_configuration_failed(runtime->metrics);
        log_event(&runtime->log, EVENT_CONFIGURATION_REFUSED, log_text("error", str_of(err.msg)));
        return;
    }
    runtime_reload_policies(runtime);
}

#include "server/metrics.h"

#include "server/clock.h"
#include "server/process.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef _Atomic uint64_t counter;

/* 10 µs to 10 s: an answer takes tens of microseconds, the API server gives up after at most 30 s. */
static const int64_t bucket_ns[] = {
    10000,    25000,    50000,     100000,    250000,    500000,     1000000,    2500000,    5000000,     10000000,
    25000000, 50000000, 100000000, 250000000, 500000000, 1000000000, 2500000000, 5000000000, 10000000000,
};
enum { BUCKET_COUNT = sizeof bucket_ns / sizeof bucket_ns[0] };

static const char *const decision_names[DECISION_COUNT] = {
    [DECISION_ALLOWED] = "allowed",
    [DECISION_PATCHED] = "patched",
    [DECISION_DENIED] = "denied",
};

static const char *const source_names[METRICS_SOURCE_COUNT] = {
    [METRICS_SOURCE_FILES] = "files",
};

struct endpoint_metrics {
    counter reviews[OPERATION_COUNT][DECISION_COUNT][2];
    counter buckets[BUCKET_COUNT + 1]; /* each on its own; the last is beyond all bounds */
    counter duration_ns;
};

struct source_metrics {
    counter attempts;
    counter errors;
    counter objects;
    counter last_success_ms;
    counter succeeded; /* the last attempt: 0 or 1 */
};

struct metrics {
    counter findings[CHECK_COUNT][ACTION_DENY + 1];
    counter rejections[REJECTION_COUNT];
    counter connections_opened;
    counter connections_open;
    struct source_metrics sources[METRICS_SOURCE_COUNT];
    struct source_metrics configuration;
    counter certificate_expiry_s;
    counter certificate_errors;
    counter policies;
    counter policies_inert;
    counter namespaces;
    counter accounts;
    counter ready;
    struct endpoint_metrics endpoints[]; /* endpoint_count() of them */
};

static void add(counter *value, uint64_t amount)
{
    atomic_fetch_add_explicit(value, amount, memory_order_relaxed);
}

static void set(counter *value, uint64_t now)
{
    atomic_store_explicit(value, now, memory_order_relaxed);
}

result metrics_new(struct metrics **out, struct err *err)
{
    struct metrics *metrics = calloc(1, sizeof *metrics + endpoint_count() * sizeof metrics->endpoints[0]);
    ENSURE(metrics, err, ERR_INTERNAL, "out of memory: metrics");
    *out = metrics;
    return DONE;
}

void metrics_free(struct metrics *metrics)
{
    free(metrics);
}

enum decision decision_of(const struct answer *answer)
{
    if (!answer->allowed)
        return DECISION_DENIED;
    return answer->patched ? DECISION_PATCHED : DECISION_ALLOWED;
}

static size_t bucket_of(int64_t duration_ns)
{
    size_t i = 0;
    while (i < BUCKET_COUNT && duration_ns > bucket_ns[i])
        i++;
    return i;
}

void metrics_review(struct metrics *metrics, const struct endpoint *endpoint, const struct answer *answer,
                    int64_t duration_ns)
{
    struct endpoint_metrics *of = &metrics->endpoints[endpoint_index(endpoint)];
    add(&of->reviews[answer->operation][decision_of(answer)][answer->dry_run], 1);
    add(&of->buckets[bucket_of(duration_ns)], 1);
    add(&of->duration_ns, (uint64_t)duration_ns);
    for (size_t i = 0; i < answer->findings.count; i++) {
        const struct finding *finding = &answer->findings.items[i];
        assert(finding->action == ACTION_WARN || finding->action == ACTION_DENY);
        add(&metrics->findings[finding->check][finding->action], 1);
    }
}

void metrics_rejected(struct metrics *metrics, enum rejection rejection)
{
    assert(rejection < REJECTION_COUNT);
    add(&metrics->rejections[rejection], 1);
}

void metrics_connection_opened(struct metrics *metrics)
{
    add(&metrics->connections_opened, 1);
    add(&metrics->connections_open, 1);
}

void metrics_connection_closed(struct metrics *metrics)
{
    atomic_fetch_sub_explicit(&metrics->connections_open, 1, memory_order_relaxed);
}

static void source_loaded(struct source_metrics *source, size_t objects)
{
    set(&source->objects, objects);
    set(&source->last_success_ms, (uint64_t)clock_wall_ms());
    set(&source->succeeded, 1);
    add(&source->attempts, 1);
}

static void source_failed(struct source_metrics *source)
{
    add(&source->errors, 1);
    set(&source->succeeded, 0);
    add(&source->attempts, 1);
}

void metrics_source_loaded(struct metrics *metrics, enum metrics_source source, size_t objects)
{
    source_loaded(&metrics->sources[source], objects);
}

void metrics_source_failed(struct metrics *metrics, enum metrics_source source)
{
    source_failed(&metrics->sources[source]);
}

void metrics_configuration_loaded(struct metrics *metrics)
{
    source_loaded(&metrics->configuration, 0);
}

void metrics_configuration_failed(struct metrics *metrics)
{
    source_failed(&metrics->configuration);
}

void metrics_certificate_expiry(struct metrics *metrics, int64_t expiry_s)
{
    set(&metrics->certificate_expiry_s, (uint64_t)expiry_s);
}

void metrics_certificate_failed(struct metrics *metrics)
{
    add(&metrics->certificate_errors, 1);
}

void metrics_store(struct metrics *metrics, const struct store_counts *counts)
{
    set(&metrics->policies, counts->policies);
    set(&metrics->policies_inert, counts->inert);
    set(&metrics->namespaces, counts->namespaces);
    set(&metrics->accounts, counts->accounts);
}

void metrics_ready(struct metrics *metrics, bool ready)
{
    set(&metrics->ready, ready);
}

static uint64_t get(const counter *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

struct metric {
    const char *name; /* without its prefix */
    const char *type;
    const char *help;
    void (*put)(const struct metrics *metrics, const struct metric *metric, struct buf *out);
    size_t offset; /* for put_number: of the counter in struct metrics; for put_source…: in struct source_metrics */
};

#define PREFIX "sgp_webhook_"

static const counter *counter_at(const void *base, size_t offset)
{
    return (const counter *)(const void *)((const char *)base + offset);
}

static void put_number(const struct metrics *metrics, const struct metric *metric, struct buf *out)
{
    buf_print(out, PREFIX "%s %" PRIu64 "\n", metric->name, get(counter_at(metrics, metric->offset)));
}

/* A time that was never set is no time. */
static void put_expiry(const struct metrics *metrics, const struct metric *metric, struct buf *out)
{
    if (get(counter_at(metrics, metric->offset)))
        put_number(metrics, metric, out);
}

/* Milliseconds become seconds, other values are as they are. */
static void put_source_value(const struct source_metrics *source, const struct metric *metric, struct buf *out)
{
    uint64_t value = get(counter_at(source, metric->offset));
    if (metric->offset == offsetof(struct source_metrics, last_success_ms))
        buf_print(out, " %" PRIu64 ".%03u\n", value / 1000, (unsigned)(value % 1000));
    else
        buf_print(out, " %" PRIu64 "\n", value);
}

static void put_sources(const struct metrics *metrics, const struct metric *metric, struct buf *out)
{
    for (size_t i = 0; i < METRICS_SOURCE_COUNT; i++) {
        if (get(&metrics->sources[i].attempts) == 0)
            continue;
        buf_print(out, PREFIX "%s{source=\"%s\"}", metric->name, source_names[i]);
        put_source_value(&metrics->sources[i], metric, out);
    }
}

static void put_configuration(const struct metrics *metrics, const struct metric *metric, struct buf *out)
{
    if (get(&metrics->configuration.attempts) == 0)
        return;
    buf_print(out, PREFIX "%s", metric->name);
    put_source_value(&metrics->configuration, metric, out);
}

/* Only what has occurred: most combinations never do. */
static void put_reviews_of(const struct metrics *metrics, const struct metric *metric, size_t endpoint,
                           enum operation operation, struct buf *out)
{
    const counter(*counts)[2] = metrics->endpoints[endpoint].reviews[operation];
    for (size_t decision = 0; decision < DECISION_COUNT; decision++) {
        for (size_t dry_run = 0; dry_run < 2; dry_run++) {
            uint64_t count = get(&counts[decision][dry_run]);
            if (count == 0)
                continue;
            buf_print(out, PREFIX "%s{endpoint=\"%.*s\",operation=\"%s\",decision=\"%s\",dry_run=\"%s\"} %" PRIu64 "\n",
                      metric->name, STR_ARGS(endpoint_name(endpoint_at(endpoint))), operation_name(operation),
                      decision_names[decision], dry_run ? "true" : "false", count);
        }
    }
}

static void put_reviews(const struct metrics *metrics, const struct metric *metric, struct buf *out)
{
    for (size_t endpoint = 0; endpoint < endpoint_count(); endpoint++)
        for (size_t operation = 0; operation < OPERATION_COUNT; operation++)
            put_reviews_of(metrics, metric, endpoint, (enum operation)operation, out);
}

static void put_histogram(const struct endpoint_metrics *of, const struct metric *metric, struct str endpoint,
                          struct buf *out)
{
    uint64_t total = 0;
    for (size_t i = 0; i < BUCKET_COUNT; i++) {
        total += get(&of->buckets[i]);
        buf_print(out, PREFIX "%s_bucket{endpoint=\"%.*s\",le=\"%g\"} %" PRIu64 "\n", metric->name, STR_ARGS(endpoint),
                  (double)bucket_ns[i] / 1e9, total);
    }
    total += get(&of->buckets[BUCKET_COUNT]);
    buf_print(out, PREFIX "%s_bucket{endpoint=\"%.*s\",le=\"+Inf\"} %" PRIu64 "\n", metric->name, STR_ARGS(endpoint),
              total);
    buf_print(out, PREFIX "%s_sum{endpoint=\"%.*s\"} %.9f\n", metric->name, STR_ARGS(endpoint),
              (double)get(&of->duration_ns) / 1e9);
    buf_print(out, PREFIX "%s_count{endpoint=\"%.*s\"} %" PRIu64 "\n", metric->name, STR_ARGS(endpoint), total);
}

static void put_durations(const struct metrics *metrics, const struct metric *metric, struct buf *out)
{
    for (size_t i = 0; i < endpoint_count(); i++)
        put_histogram(&metrics->endpoints[i], metric, endpoint_name(endpoint_at(i)), out);
}

static void put_findings(const struct metrics *metrics, const struct metric *metric, struct buf *out)
{
    for (size_t check = 0; check < CHECK_COUNT; check++)
        for (enum action action = ACTION_WARN; action <= ACTION_DENY; action++)
            buf_print(out, PREFIX "%s{check=\"%.*s\",action=\"%s\"} %" PRIu64 "\n", metric->name,
                      STR_ARGS(check_row((enum check)check)->id), action_name(action),
                      get(&metrics->findings[check][action]));
}

static void put_rejections(const struct metrics *metrics, const struct metric *metric, struct buf *out)
{
    for (size_t i = 0; i < REJECTION_COUNT; i++)
        buf_print(out, PREFIX "%s{reason=\"%.*s\"} %" PRIu64 "\n", metric->name,
                  STR_ARGS(rejection_row((enum rejection)i)->name), get(&metrics->rejections[i]));
}

static void put_build(const struct metrics *metrics, const struct metric *metric, struct buf *out)
{
    (void)metrics;
    buf_print(out, PREFIX "%s{version=\"%s\"} 1\n", metric->name, SGP_VERSION);
}

#define OF_SERVER(field) offsetof(struct metrics, field)
#define OF_SOURCE(field) offsetof(struct source_metrics, field)

static const struct metric metric_rows[] = {
    { "reviews_total", "counter", "AdmissionReviews answered.", put_reviews, 0 },
    { "review_duration_seconds", "histogram", "Time from the complete body of a review to its answer.", put_durations,
      0 },
    { "findings_total", "counter", "What checks found, by what was done about it.", put_findings, 0 },
    { "requests_rejected_total", "counter", "HTTP requests that got no review, by reason.", put_rejections, 0 },
    { "open_connections", "gauge", "TLS connections that are open.", put_number, OF_SERVER(connections_open) },
    { "connections_total", "counter", "TLS connections that were accepted.", put_number,
      OF_SERVER(connections_opened) },
    { "policies", "gauge", "SecurityGroupPolicies that are known.", put_number, OF_SERVER(policies) },
    { "policies_inert", "gauge", "SecurityGroupPolicies that can select nothing.", put_number,
      OF_SERVER(policies_inert) },
    { "namespaces", "gauge", "Namespaces of which anything is known.", put_number, OF_SERVER(namespaces) },
    { "service_accounts", "gauge", "Service accounts that are known.", put_number, OF_SERVER(accounts) },
    { "source_last_reload_success", "gauge", "Whether the last attempt to read the source succeeded.", put_sources,
      OF_SOURCE(succeeded) },
    { "source_last_success_timestamp_seconds", "gauge", "When the source was last read.", put_sources,
      OF_SOURCE(last_success_ms) },
    { "source_reload_errors_total", "counter", "Attempts to read the source that failed.", put_sources,
      OF_SOURCE(errors) },
    { "source_objects", "gauge", "Objects that the source had when it was last read.", put_sources,
      OF_SOURCE(objects) },
    { "config_last_reload_success", "gauge", "Whether the last attempt to read the configuration succeeded.",
      put_configuration, OF_SOURCE(succeeded) },
    { "config_last_success_timestamp_seconds", "gauge", "When the configuration was last read.", put_configuration,
      OF_SOURCE(last_success_ms) },
    { "config_reload_errors_total", "counter", "Attempts to read the configuration that failed.", put_configuration,
      OF_SOURCE(errors) },
    { "certificate_expiry_timestamp_seconds", "gauge", "When the serving certificate ends.", put_expiry,
      OF_SERVER(certificate_expiry_s) },
    { "certificate_reload_errors_total", "counter", "Certificates that were refused while an older one stayed in use.",
      put_number, OF_SERVER(certificate_errors) },
    { "ready", "gauge", "Whether /readyz says so.", put_number, OF_SERVER(ready) },
    { "build_info", "gauge", "The version that runs.", put_build, 0 },
};

void metrics_put(struct metrics *metrics, struct buf *out)
{
    for (size_t i = 0; i < sizeof metric_rows / sizeof metric_rows[0]; i++) {
        const struct metric *row = &metric_rows[i];
        buf_print(out, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", row->name, row->help, row->name, row->type);
        row->put(metrics, row, out);
    }
    process_metrics_put(out);
}

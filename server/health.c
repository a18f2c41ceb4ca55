#include "server/health.h"

#include "server/listener.h"
#include "server/reply.h"

#include <stdio.h>
#include <stdlib.h>

#define METRICS_TEXT "text/plain; version=0.0.4; charset=utf-8"

enum { MAX_CONNECTIONS = 64, HEADERS_MS = 5000, REQUEST_MS = 10000, IDLE_MS = 60000, ARENA_BYTES = 4 * 1024 * 1024 };

struct health {
    struct listener listener;
    struct health_hooks hooks;
    struct metrics *metrics;
};

void health_condition(struct health_report *report, const char *name, bool holds, const char *format, ...)
{
    char remark[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(remark, sizeof remark, format, args);
    va_end(args);
    report->ready = report->ready && holds;
    buf_print(&report->lines, "[%c]%s: %s\n", holds ? '+' : '-', name, remark);
}

/* Fills `reply`; a failure is a 500. */
typedef result fill_page(struct health *health, struct connection *connection, struct reply *reply, struct err *err);

static result page_healthz(struct health *health, struct connection *connection, struct reply *reply, struct err *err)
{
    (void)health;
    (void)connection;
    (void)err;
    reply->body = STR("ok");
    return DONE;
}

/* R58 (product design, what EKS's own webhook gets wrong): ready only when it is. */
static result page_readyz(struct health *health, struct connection *connection, struct reply *reply, struct err *err)
{
    struct health_report report = { .lines = buf_in(&connection->arena), .ready = true };
    bool verbose = MHD_lookup_connection_value_n(connection->http, MHD_GET_ARGUMENT_KIND, "verbose", strlen("verbose"),
                                                 NULL, NULL) == MHD_YES;
    health->hooks.conditions(health->hooks.ctx, &report);
    buf_print(&report.lines, "readyz check %s\n", report.ready ? "passed" : "failed");
    reply->status = report.ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
    reply->body = STR("ok");
    if (report.ready && !verbose)
        return DONE;
    return buf_finish(&report.lines, &reply->body, err);
}

static result page_metrics(struct health *health, struct connection *connection, struct reply *reply, struct err *err)
{
    struct buf text = buf_in(&connection->arena);
    health->hooks.refresh(health->hooks.ctx, health->metrics);
    metrics_put(health->metrics, &text);
    reply->content_type = METRICS_TEXT;
    return buf_finish(&text, &reply->body, err);
}

static const struct page_row {
    const char *path;
    fill_page *fill;
} pages[] = {
    { "/healthz", page_healthz },
    { "/readyz", page_readyz },
    { "/metrics", page_metrics },
};

static fill_page *find_page(const char *path)
{
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        if (strcmp(pages[i].path, path) == 0)
            return pages[i].fill;
    return NULL;
}

static enum MHD_Result answer(struct health *health, struct connection *connection, const char *path,
                              const char *method)
{
    struct reply reply = { .status = MHD_HTTP_OK, .content_type = REPLY_TEXT };
    struct err err = { 0 };
    fill_page *fill = find_page(path);
    bool is_read = strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    if (!fill) {
        reply.status = MHD_HTTP_NOT_FOUND;
        reply.body = STR("there is nothing at this path, but at /healthz, /readyz and /metrics\n");
    } else if (!is_read) {
        reply.status = MHD_HTTP_METHOD_NOT_ALLOWED;
        reply.allow = "GET, HEAD";
        reply.body = STR("use GET or HEAD\n");
    } else if (!fill(health, connection, &reply, &err).ok) {
        reply.status = MHD_HTTP_INTERNAL_SERVER_ERROR;
        reply.content_type = REPLY_TEXT;
        reply.body = STR("out of memory\n");
    }
    connection->request.answered = true;
    return reply_send(connection->http, &reply);
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *http, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **request_context)
{
    (void)http;
    (void)version;
    (void)data;
    struct connection *connection = *request_context;
    if (!connection)
        return MHD_NO;
    if (connection->request.begun && *size == 0)
        return answer(cls, connection, url, method);
    if (!connection->request.begun)
        connection_headers_done(connection);
    connection->request.begun = true;
    /* no path takes a body: it is read away */
    *size = 0;
    return MHD_YES;
}

result health_new(struct str listen, const struct health_hooks *hooks, const struct log *log, struct metrics *metrics,
                  struct health **out, struct err *err)
{
    CLEANUP(health_freep) struct health *health = calloc(1, sizeof *health);
    ENSURE(health, err, ERR_INTERNAL, "out of memory: health port");
    *health = (struct health){ .listener = { .socket_fd = -1 }, .hooks = *hooks, .metrics = metrics };
    const struct listener_spec spec = {
        .address = listen,
        .name = "health",
        .threads = 1,
        .max_connections = MAX_CONNECTIONS,
        .limits = { HEADERS_MS, REQUEST_MS, IDLE_MS, ARENA_BYTES },
        .log = log,
        .handler = handle,
        .ctx = health,
    };
    GUARD(listener_start(&health->listener, &spec, err));
    *out = MOVE(health);
    return DONE;
}

void health_free(struct health *health)
{
    if (!health)
        return;
    listener_stop(&health->listener);
    free(health);
}

unsigned health_port(const struct health *health)
{
    return health->listener.port;
}

size_t health_sweep(struct health *health, int64_t now_ms)
{
    return connections_sweep(&health->listener.connections, now_ms);
}

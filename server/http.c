#include "server/http.h"

#include "server/listener.h"

#include <stdlib.h>

struct http {
    struct listener listener;
    struct admission admission;
};

static struct listener_spec spec_of(const struct http_settings *settings, const struct http_context *context,
                                    struct http *http)
{
    return (struct listener_spec){
        .address = settings->listen,
        .name = "admission",
        .threads = settings->threads,
        .max_connections = settings->max_connections,
        .limits = { .headers_ms = settings->headers_ms,
                    .request_ms = settings->request_ms,
                    .idle_ms = settings->idle_ms,
                    .arena_bytes = ENDPOINT_ARENA_PER_BODY * settings->body_bytes },
        .serving = context->serving,
        .log = context->log,
        .metrics = context->metrics,
        .handler = request_handle,
        .ctx = &http->admission,
    };
}

result http_new(const struct http_settings *settings, const struct http_context *context, struct http **out,
                struct err *err)
{
    CLEANUP(http_freep) struct http *http = calloc(1, sizeof *http);
    ENSURE(http, err, ERR_INTERNAL, "out of memory: admission port");
    http->listener.socket_fd = -1;
    http->admission.context = *context;
    http->admission.body_bytes = settings->body_bytes;
    http->admission.client_certificates = settings->client_certificates;
    const struct listener_spec spec = spec_of(settings, context, http);
    GUARD(listener_start(&http->listener, &spec, err));
    *out = MOVE(http);
    return DONE;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    listener_stop(&http->listener);
    free(http);
}

unsigned http_port(const struct http *http)
{
    return http->listener.port;
}

size_t http_sweep(struct http *http, int64_t now_ms)
{
    return connections_sweep(&http->listener.connections, now_ms);
}

void http_say_goodbye(struct http *http)
{
    atomic_store_explicit(&http->admission.leaving, true, memory_order_relaxed);
}

void http_quiesce(struct http *http)
{
    listener_quiesce(&http->listener);
}

size_t http_busy(struct http *http)
{
    return connections_busy(&http->listener.connections);
}

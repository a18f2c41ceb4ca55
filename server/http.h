/* server/http.h - the admission port: TLS, bounded in connections, bodies and time. */
#ifndef SGP_SERVER_HTTP_H
#define SGP_SERVER_HTTP_H

#include "certs/serving.h"
#include "policy/store.h"
#include "server/log.h"
#include "server/metrics.h"

struct http;

struct http_settings {
    struct str listen;        /* as for socket_listen() */
    unsigned threads;         /* at least 1; one per core is right */
    unsigned max_connections; /* at least `threads`; further ones wait to be accepted */
    size_t body_bytes;        /* a larger body is refused; the work on it may take eight times as much memory */
    int64_t headers_ms;       /* for the TLS handshake with the first headers, and for the headers of each request */
    int64_t request_ms;       /* from the headers to the end of the answer */
    int64_t idle_ms;          /* between requests; the API server keeps a connection for 90 s */
    bool client_certificates; /* who shows none of the pair's client CA gets 403 */
};

/* What can change while the server runs; called by the serving threads. */
struct http_hooks {
    /* The rules in force. Called within a read section of the store, used only there. */
    const struct rules *(*rules)(void *ctx);
    void *ctx;
};

/* What requests are answered from. All of it outlives the server. */
struct http_context {
    struct store *store;
    struct serving *serving;
    struct http_hooks hooks;
    const struct log *log;
    struct metrics *metrics;
};

/* Listens, starts the threads and logs the address. Owner: the caller, http_free(). `*out` is written on success only.
 * ERR_INPUT, ERR_UNAVAILABLE: the address. ERR_INTERNAL: the library would not start. */
result http_new(const struct http_settings *settings, const struct http_context *context, struct http **out,
                struct err *err);
/* Closes all connections, also those with a request, and waits for the threads. Safe on NULL. */
void http_free(struct http *http);
static inline void http_freep(struct http **http)
{
    http_free(*http);
}

/* The port listened at, also where the settings said 0. */
unsigned http_port(const struct http *http);
/* Ends connections that are past their deadline: to be called each second, by one thread, with clock_ms(). How many. */
size_t http_sweep(struct http *http, int64_t now_ms);
/* The end is near: requests are answered as before, but with Connection: close. */
void http_say_goodbye(struct http *http);
/* No connection is accepted any more. Those that exist are served: wait until http_busy() is 0, but not for ever. */
void http_quiesce(struct http *http);
/* How many requests are not answered to their end. */
size_t http_busy(struct http *http);

#endif

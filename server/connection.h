/* server/connection.h - what a connection owns, and the deadlines that end slow and silent clients. */
#ifndef SGP_SERVER_CONNECTION_H
#define SGP_SERVER_CONNECTION_H

#include "certs/serving.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/request.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

/* How long a client may take. */
struct connection_limits {
    int64_t headers_ms; /* the TLS handshake and the first headers; the headers after a request line */
    int64_t request_ms; /* from the headers to the end of the answer */
    int64_t idle_ms;    /* between requests; longer than the client's own, which is to be the one to close */
    size_t arena_bytes; /* memory that one request may take */
};

enum connection_phase { CONNECTION_OPENING, CONNECTION_IDLE, CONNECTION_BUSY };

/* Belongs to the thread that serves it, but for the three atomics, and the links, which the list's lock guards. */
struct connection {
    struct connection_list *list;
    struct connection *previous, *next;
    struct MHD_Connection *http;
    struct gnutls_session_int *tls; /* NULL without TLS */
    int socket_fd;
    struct keypair *keypair; /* NULL without TLS */
    struct arena arena;      /* of the request; flushed after each */
    struct request request;
    enum { CLIENT_UNKNOWN, CLIENT_VERIFIED, CLIENT_STRANGER } client;
    _Atomic int64_t deadline_ms; /* by clock_ms() */
    _Atomic enum connection_phase phase;
    atomic_bool overdue; /* the deadline has passed and the socket was shut down */
};

/* The open connections of one listener. */
struct connection_list {
    pthread_mutex_t lock;
    struct connection *first;
    struct connection_limits limits;
    struct serving *serving; /* NULL: no TLS */
    const struct log *log;
    struct metrics *metrics; /* NULL: not counted */
};

/* `out` stays where it is until connections_end(). */
result connections_begin(struct connection_list *out, const struct connection_limits *limits, struct serving *serving,
                         const struct log *log, struct metrics *metrics, struct err *err);
/* No connection is left. */
void connections_end(struct connection_list *list);
/* Shuts down what is past its deadline; the serving thread then closes it. Returns how many. Any one thread. */
size_t connections_sweep(struct connection_list *list, int64_t now_ms);
/* How many have a request that is not answered to its end. */
size_t connections_busy(struct connection_list *list);

/* libmicrohttpd's notifications; `cls` is the list. */
void connection_notify(void *cls, struct MHD_Connection *http, void **socket_context,
                       enum MHD_ConnectionNotificationCode code);
/* The request line is there: returns the connection, which becomes the request's context. */
void *connection_request_line(void *cls, const char *uri, struct MHD_Connection *http);
void connection_completed(void *cls, struct MHD_Connection *http, void **request_context,
                          enum MHD_RequestTerminationCode code);

/* All headers are there. */
void connection_headers_done(struct connection *connection);
/* The last answer of this connection, sent before its request has arrived in full; what still comes is read away, for a
 * client that is writing would lose the answer when the socket is closed under it. False: close the connection. */
bool connection_answer_ahead(struct connection *connection, struct str text);
/* Whether the peer showed a certificate of the client CA. Asked once, then remembered. */
bool connection_client_verified(struct connection *connection);

#endif

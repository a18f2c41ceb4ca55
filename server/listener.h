/* server/listener.h - a listening socket with its threads and connections: what both ports have in common. */
#ifndef SGP_SERVER_LISTENER_H
#define SGP_SERVER_LISTENER_H

#include "server/connection.h"

struct listener_spec {
    struct str address; /* as for socket_listen() */
    const char *name;   /* for the log: "admission", "health" */
    unsigned threads;   /* at least 1 */
    unsigned max_connections;
    struct connection_limits limits;
    struct serving *serving; /* NULL: no TLS */
    const struct log *log;
    struct metrics *metrics; /* NULL: connections are not counted */
    MHD_AccessHandlerCallback handler;
    void *ctx; /* the handler's first argument */
};

/* Starts as { .socket_fd = -1 }, stays where it is. */
struct listener {
    struct connection_list connections;
    struct MHD_Daemon *daemon;
    int socket_fd;
    unsigned port;
};

/* Listens and serves. On failure nothing is left behind. ERR_INPUT, ERR_UNAVAILABLE: as socket_listen(). */
result listener_start(struct listener *out, const struct listener_spec *spec, struct err *err);
/* Refuses new connections from now on; those that exist are served. */
void listener_quiesce(struct listener *listener);
/* Closes all connections and waits for the threads. Safe on one that did not start. */
void listener_stop(struct listener *listener);

#endif

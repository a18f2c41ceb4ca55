#include "server/connection.h"

#include "server/clock.h"
#include "server/tls.h"

#include <stdlib.h>
#include <sys/socket.h>

result connections_begin(struct connection_list *out, const struct connection_limits *limits, struct serving *serving,
                         const struct log *log, struct metrics *metrics, struct err *err)
{
    *out = (struct connection_list){ .limits = *limits, .serving = serving, .log = log, .metrics = metrics };
    ENSURE(pthread_mutex_init(&out->lock, NULL) == 0, err, ERR_INTERNAL, "cannot make a lock");
    return DONE;
}

void connections_end(struct connection_list *list)
{
    (void)pthread_mutex_destroy(&list->lock);
}

static void enlist(struct connection *connection)
{
    struct connection_list *list = connection->list;
    (void)pthread_mutex_lock(&list->lock);
    connection->next = list->first;
    if (list->first)
        list->first->previous = connection;
    list->first = connection;
    (void)pthread_mutex_unlock(&list->lock);
}

static void delist(struct connection *connection)
{
    struct connection_list *list = connection->list;
    (void)pthread_mutex_lock(&list->lock);
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        list->first = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    (void)pthread_mutex_unlock(&list->lock);
}

static void set_deadline(struct connection *connection, int64_t from_now_ms)
{
    atomic_store_explicit(&connection->deadline_ms, clock_ms() + from_now_ms, memory_order_relaxed);
}

static void set_phase(struct connection *connection, enum connection_phase phase)
{
    atomic_store_explicit(&connection->phase, phase, memory_order_relaxed);
}

/* Without credentials of its own the session has none at all, so that its handshake fails. */
static result present_keypair(struct connection *connection, struct err *err)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection->http, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    ENSURE(info && info->tls_session, err, ERR_INTERNAL, "a connection has no TLS session");
    connection->tls = info->tls_session;
    connection->keypair = serving_acquire(connection->list->serving);
    return keypair_use(connection->keypair, connection->tls, err);
}

static void opened(struct connection_list *list, struct MHD_Connection *http, void **socket_context)
{
    struct err err = { 0 };
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(http, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection || !info) {
        free(connection);
        return;
    }
    connection->list = list;
    connection->http = http;
    connection->socket_fd = info->connect_fd;
    connection->arena.ceiling_bytes = list->limits.arena_bytes;
    set_deadline(connection, list->limits.headers_ms);
    if (list->serving && !present_keypair(connection, &err).ok)
        log_event(list->log, EVENT_HTTP_NOTE, log_text("error", str_of(err.msg)));
    *socket_context = connection;
    if (list->metrics)
        metrics_connection_opened(list->metrics);
    enlist(connection);
}

/* The library closes the socket after this notification, so that the list never holds a stranger's descriptor. */
static void closed(struct connection *connection)
{
    delist(connection);
    if (connection->list->metrics)
        metrics_connection_closed(connection->list->metrics);
    keypair_unref(connection->keypair);
    arena_free(&connection->arena);
    free(connection);
}

void connection_notify(void *cls, struct MHD_Connection *http, void **socket_context,
                       enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        opened(cls, http, socket_context);
    else if (*socket_context)
        closed(*socket_context);
}

void *connection_request_line(void *cls, const char *uri, struct MHD_Connection *http)
{
    (void)uri;
    const struct connection_list *list = cls;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(http, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct connection *connection = info->socket_context;
    if (connection) {
        set_phase(connection, CONNECTION_BUSY);
        set_deadline(connection, list->limits.headers_ms);
    }
    return connection;
}

void connection_headers_done(struct connection *connection)
{
    set_deadline(connection, connection->list->limits.request_ms);
}

bool connection_answer_ahead(struct connection *connection, struct str text)
{
    /* nobody waits for this request any more */
    set_phase(connection, CONNECTION_IDLE);
    return tls_send_last(connection->tls, connection->socket_fd, text);
}

/* Answers of the library's own, to headers it could not read, never reach our handler. */
static void count_failure(const struct connection *connection, enum MHD_RequestTerminationCode code)
{
    bool by_deadline = atomic_load_explicit(&connection->overdue, memory_order_relaxed);
    if (!connection->list->metrics || code == MHD_REQUEST_TERMINATED_COMPLETED_OK || by_deadline ||
        connection->request.answered_ahead)
        return;
    bool malformed = code == MHD_REQUEST_TERMINATED_WITH_ERROR && !connection->request.answered;
    metrics_rejected(connection->list->metrics, malformed ? REJECTED_MALFORMED : REJECTED_ABORTED);
}

void connection_completed(void *cls, struct MHD_Connection *http, void **request_context,
                          enum MHD_RequestTerminationCode code)
{
    (void)cls;
    (void)http;
    struct connection *connection = *request_context;
    if (!connection)
        return;
    count_failure(connection, code);
    connection->request = (struct request){ 0 };
    arena_flush(&connection->arena);
    set_phase(connection, CONNECTION_IDLE);
    set_deadline(connection, connection->list->limits.idle_ms);
}

static bool shut_down(struct connection *connection)
{
    /* An idle client was not slow: nobody waited for it. Read first: the serving thread ends what is shut down. */
    bool slow = atomic_load_explicit(&connection->phase, memory_order_relaxed) != CONNECTION_IDLE;
    atomic_store_explicit(&connection->overdue, true, memory_order_relaxed);
    atomic_store_explicit(&connection->deadline_ms, INT64_MAX, memory_order_relaxed);
    (void)shutdown(connection->socket_fd, SHUT_RDWR);
    return slow;
}

size_t connections_sweep(struct connection_list *list, int64_t now_ms)
{
    size_t count = 0, slow = 0;
    (void)pthread_mutex_lock(&list->lock);
    for (struct connection *connection = list->first; connection; connection = connection->next) {
        if (atomic_load_explicit(&connection->deadline_ms, memory_order_relaxed) > now_ms)
            continue;
        slow += shut_down(connection);
        count++;
    }
    (void)pthread_mutex_unlock(&list->lock);
    for (size_t i = 0; list->metrics && i < slow; i++)
        metrics_rejected(list->metrics, REJECTED_TIMEOUT);
    if (slow > 0)
        log_event(list->log, EVENT_CLIENTS_SLOW, log_number("connections", (int64_t)slow));
    return count;
}

size_t connections_busy(struct connection_list *list)
{
    size_t busy = 0;
    (void)pthread_mutex_lock(&list->lock);
    for (struct connection *connection = list->first; connection; connection = connection->next)
        busy += atomic_load_explicit(&connection->phase, memory_order_relaxed) == CONNECTION_BUSY;
    (void)pthread_mutex_unlock(&list->lock);
    return busy;
}

bool connection_client_verified(struct connection *connection)
{
    struct err err = { 0 };
    bool verified = false;
    if (connection->client == CLIENT_UNKNOWN) {
        bool known = keypair_client_verified(connection->tls, &verified, &err).ok && verified;
        connection->client = known ? CLIENT_VERIFIED : CLIENT_STRANGER;
    }
    return connection->client == CLIENT_VERIFIED;
}

#include "server/listener.h"

#include "server/socket.h"
#include "server/tls.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* Headers have to fit in; bodies pass through it in pieces of at least half of it. */
enum { CONNECTION_BUFFER_BYTES = 32 * 1024, MAX_OPTIONS = 16 };

struct options {
    struct MHD_OptionItem items[MAX_OPTIONS];
    size_t count;
};

static void add_option(struct options *options, enum MHD_OPTION option, intptr_t value, const void *pointer)
{
    /* the library takes void *, also for what it only reads */
    options->items[options->count++] = (struct MHD_OptionItem){ option, value, (void *)pointer };
}

/* Paths are compared as they were sent: an escaped NUL must not end one early. */
static size_t keep_escapes(void *cls, struct MHD_Connection *http, char *text)
{
    (void)cls;
    (void)http;
    return strlen(text);
}

__attribute__((format(printf, 2, 0))) static void take_note(void *cls, const char *format, va_list args)
{
    const struct log *log = cls;
    char text[256];
    if (!log_wants(log, EVENT_HTTP_NOTE))
        return;
    (void)vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    log_event(log, EVENT_HTTP_NOTE, log_text("note", str_of(text)));
}

static void set_options(struct options *options, struct listener *listener, const struct listener_spec *spec)
{
    add_option(options, MHD_OPTION_LISTEN_SOCKET, listener->socket_fd, NULL);
    add_option(options, MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL);
    add_option(options, MHD_OPTION_CONNECTION_LIMIT, spec->max_connections, NULL);
    add_option(options, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BUFFER_BYTES, NULL);
    add_option(options, MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)connection_notify, &listener->connections);
    add_option(options, MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)connection_request_line, &listener->connections);
    add_option(options, MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_escapes, NULL);
    add_option(options, MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)connection_completed, &listener->connections);
    /* a pool of one is refused: no pool is one thread */
    if (spec->threads > 1)
        add_option(options, MHD_OPTION_THREAD_POOL_SIZE, spec->threads, NULL);
    if (spec->serving) {
        add_option(options, MHD_OPTION_HTTPS_PRIORITIES, 0, tls_priorities());
        add_option(options, MHD_OPTION_HTTPS_CERT_CALLBACK, 0, tls_certificate_function());
    }
    add_option(options, MHD_OPTION_END, 0, NULL);
}

static result start_daemon(struct listener *listener, const struct listener_spec *spec, struct err *err)
{
    struct options options = { 0 };
    unsigned flags =
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG | (spec->serving ? MHD_USE_TLS : 0);
    set_options(&options, listener, spec);
    /* the logger first, so that it hears of the other options' troubles */
    listener->daemon = MHD_start_daemon(flags, 0, NULL, NULL, spec->handler, spec->ctx, MHD_OPTION_EXTERNAL_LOGGER,
                                        take_note, (void *)spec->log, MHD_OPTION_ARRAY, options.items, MHD_OPTION_END);
    ENSURE(listener->daemon, err, ERR_INTERNAL, "cannot start the threads of the %s port", spec->name);
    return DONE;
}

static result announce(struct listener *listener, const struct listener_spec *spec, struct arena *arena,
                       struct err *err)
{
    struct str address = { 0 };
    GUARD(socket_address(listener->socket_fd, arena, &address, &listener->port, err));
    log_event(spec->log, EVENT_LISTENING, log_text("listener", str_of(spec->name)), log_text("address", address),
              log_flag("tls", spec->serving != NULL));
    return DONE;
}

static result start_on_socket(struct listener *listener, const struct listener_spec *spec, struct err *err)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    GUARD(connections_begin(&listener->connections, &spec->limits, spec->serving, spec->log, spec->metrics, err));
    struct outcome started = start_daemon(listener, spec, err);
    if (!started.ok) {
        connections_end(&listener->connections);
        return started;
    }
    return announce(listener, spec, &arena, err);
}

result listener_start(struct listener *out, const struct listener_spec *spec, struct err *err)
{
    *out = (struct listener){ .socket_fd = -1 };
    GUARD(socket_listen(spec->address, &out->socket_fd, err));
    struct outcome started = start_on_socket(out, spec, err);
    if (!started.ok)
        listener_stop(out);
    return started;
}

/* The socket stays open until the end: its number must not become another file's while a thread may still accept. */
void listener_quiesce(struct listener *listener)
{
    (void)MHD_quiesce_daemon(listener->daemon);
    (void)shutdown(listener->socket_fd, SHUT_RDWR);
}

void listener_stop(struct listener *listener)
{
    if (listener->daemon) {
        /* also keeps the library from closing the socket */
        (void)MHD_quiesce_daemon(listener->daemon);
        MHD_stop_daemon(listener->daemon);
        connections_end(&listener->connections);
    }
    if (listener->socket_fd >= 0)
        (void)close(listener->socket_fd);
    *listener = (struct listener){ .socket_fd = -1 };
}

/* ceiling LISTEN CERT KEY ANSWER - the fastest that libmicrohttpd and GnuTLS let an admission server be: reads the body
 * of every request into memory and answers the same bytes. Set up as the admission port is. Ends with SIGTERM. */
#include "server/socket.h"
#include "server/text_file.h"
#include "server/tls.h"

#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* As server/listener.c and the settings' defaults have them. */
enum { CONNECTION_BUFFER_BYTES = 32 * 1024, MAX_CONNECTIONS = 1024, MAX_FILE_BYTES = 1024 * 1024 };

/* The request's context. */
struct body {
    char *data;
    size_t len, capacity;
};

static enum MHD_Result begin(struct MHD_Connection *http, void **context)
{
    const char *length = MHD_lookup_connection_value(http, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    struct body *body = calloc(1, sizeof *body);
    if (!body)
        return MHD_NO;
    *context = body;
    body->capacity = length ? strtoull(length, NULL, 10) : 0;
    body->data = malloc(body->capacity + 1);
    return body->data ? MHD_YES : MHD_NO;
}

static enum MHD_Result keep(struct body *body, const char *data, size_t *size)
{
    if (*size > body->capacity - body->len)
        return MHD_NO;
    memcpy(body->data + body->len, data, *size);
    body->len += *size;
    *size = 0;
    return MHD_YES;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *http, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **context)
{
    (void)url;
    (void)method;
    (void)version;
    if (!*context)
        return begin(http, context);
    if (*size > 0)
        return keep(*context, data, size);
    return MHD_queue_response(http, MHD_HTTP_OK, cls);
}

static void completed(void *cls, struct MHD_Connection *http, void **context, enum MHD_RequestTerminationCode code)
{
    (void)cls;
    (void)http;
    (void)code;
    struct body *body = *context;
    if (!body)
        return;
    free(body->data);
    free(body);
}

static result make_response(struct str answer, struct MHD_Response **out, struct err *err)
{
    *out = MHD_create_response_from_buffer(answer.len, (void *)answer.ptr, MHD_RESPMEM_PERSISTENT);
    ENSURE(*out && MHD_add_response_header(*out, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json") == MHD_YES, err,
           ERR_INTERNAL, "no answer can be made");
    return DONE;
}

static result start(int socket_fd, struct str cert, struct str key, struct MHD_Response *response, struct err *err)
{
    const struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG | MHD_USE_TLS, 0, NULL, NULL,
                         handle, response, MHD_OPTION_LISTEN_SOCKET, socket_fd, MHD_OPTION_CONNECTION_LIMIT,
                         (unsigned)MAX_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BUFFER_BYTES,
                         MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_HTTPS_PRIORITIES, tls_priorities(),
                         MHD_OPTION_HTTPS_MEM_CERT, cert.ptr, MHD_OPTION_HTTPS_MEM_KEY, key.ptr, MHD_OPTION_END);
    ENSURE(daemon, err, ERR_INTERNAL, "the server does not start");
    return DONE;
}

static result serve(char **paths, struct arena *arena, struct err *err)
{
    struct MHD_Response *response = NULL;
    struct str cert = { 0 }, key = { 0 }, answer = { 0 }, address = { 0 };
    unsigned port = 0;
    int socket_fd = -1;
    GUARD(text_file_read(paths[1], MAX_FILE_BYTES, arena, &cert, err));
    GUARD(text_file_read(paths[2], MAX_FILE_BYTES, arena, &key, err));
    GUARD(text_file_read(paths[3], MAX_FILE_BYTES, arena, &answer, err));
    GUARD(make_response(answer, &response, err));
    GUARD(socket_listen(str_of(paths[0]), &socket_fd, err));
    GUARD(start(socket_fd, cert, key, response, err));
    GUARD(socket_address(socket_fd, arena, &address, &port, err));
    printf("%u\n", port);
    ENSURE(fflush(stdout) == 0, err, ERR_INTERNAL, "standard output cannot be written");
    return DONE;
}

int main(int argc, char **argv)
{
    struct arena arena = { 0 };
    struct err err = { 0 };
    sigset_t set;
    int which = 0;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (argc != 5 || !serve(argv + 1, &arena, &err).ok) {
        fprintf(stderr, "ceiling: %s\n", argc == 5 ? err.msg : "LISTEN CERT KEY ANSWER");
        return EXIT_FAILURE;
    }
    (void)sigwait(&set, &which);
    _exit(EXIT_SUCCESS); /* the thread may be in the middle of an answer */
}

/* server/request.h - one HTTP request on its way: headers judged, body collected, review answered or refused. */
#ifndef SGP_SERVER_REQUEST_H
#define SGP_SERVER_REQUEST_H

#include "admission/endpoint.h"
#include "server/http.h"
#include "server/rejection.h"

#include <microhttpd.h>
#include <stdatomic.h>

/* What every request is answered from. */
struct admission {
    struct http_context context;
    size_t body_bytes;        /* the limit */
    bool client_certificates; /* are asked for */
    atomic_bool leaving;      /* the server is about to end */
};

/* Starts as { 0 } with each request. Its memory is the connection's arena. */
struct request {
    bool begun;          /* the headers were judged */
    bool answered;       /* an answer was handed to the library */
    bool answered_ahead; /* the answer was sent; the rest of the request is read away */
    enum rejection rejection;
    const struct endpoint *endpoint;
    size_t announced; /* Content-Length; 0: none */
    char *body;
    size_t body_len;
    size_t body_capacity;
};

/* libmicrohttpd's access handler of the admission listener; `cls` is a struct admission. Called for the headers, for
 * each piece of the body, and once more when all is there. */
enum MHD_Result request_handle(void *cls, struct MHD_Connection *http, const char *url, const char *method,
                               const char *version, const char *data, size_t *size, void **request_context);

#endif

/* server/rejection.h - why an HTTP request got no review: one row each, with its word for metrics and its status. */
#ifndef SGP_SERVER_REJECTION_H
#define SGP_SERVER_REJECTION_H

#include "server/log.h"

enum rejection {
    REJECTED_CLIENT_CERTIFICATE,
    REJECTED_PATH,
    REJECTED_METHOD,
    REJECTED_FRAMING,
    REJECTED_MEDIA_TYPE,
    REJECTED_TOO_LARGE,
    REJECTED_EMPTY,
    REJECTED_BAD_REQUEST,
    REJECTED_MALFORMED, /* no HTTP, as the library has told the client; or the connection was reset */
    REJECTED_INTERNAL,
    REJECTED_TIMEOUT, /* the client was too slow */
    REJECTED_ABORTED, /* the client went away before its answer */
    REJECTION_COUNT,
    REJECTED_NOT = REJECTION_COUNT,
};

struct rejection_row {
    struct str name;
    unsigned status;     /* 0: we do not answer */
    enum event event;    /* for the log */
    bool at_once;        /* before the body, and the connection is closed: it could not be read away */
    struct str sentence; /* what would be right; absent when it depends on the request */
};

/* Static. */
const struct rejection_row *rejection_row(enum rejection rejection);

#endif

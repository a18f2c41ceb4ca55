/* server/reply.h - an HTTP answer. */
#ifndef SGP_SERVER_REPLY_H
#define SGP_SERVER_REPLY_H

#include "base/str.h"

#include <microhttpd.h>

#define REPLY_TEXT "text/plain; charset=utf-8"

struct reply {
    unsigned status;
    const char *content_type;
    const char *allow; /* the methods that the path has; NULL: no such header */
    bool close;        /* the connection is not to be used again */
    struct str body;   /* stays valid until the request is completed: the request's arena, or static */
};

/* Hands the answer over; MHD_NO, which closes the connection, when it cannot be. */
enum MHD_Result reply_send(struct MHD_Connection *http, const struct reply *reply);

#endif

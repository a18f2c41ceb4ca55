/* server/reply.h - an HTTP answer. */
#ifndef SGP_SERVER_REPLY_H
#define SGP_SERVER_REPLY_H

#include "base/buf.h"

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
/* The same answer as it goes over the wire, for a connection that ends with it. */
result reply_text(const struct reply *reply, struct arena *arena, struct str *out, struct err *err);

#endif

#include "server/reply.h"

static bool add_headers(struct MHD_Response *response, const struct reply *reply)
{
    const struct {
        const char *name;
        const char *value;
    } headers[] = {
        { MHD_HTTP_HEADER_CONTENT_TYPE, reply->content_type },
        { MHD_HTTP_HEADER_ALLOW, reply->allow },
        { MHD_HTTP_HEADER_CONNECTION, reply->close ? "close" : NULL },
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        if (headers[i].value && MHD_add_response_header(response, headers[i].name, headers[i].value) != MHD_YES)
            return false;
    return true;
}

enum MHD_Result reply_send(struct MHD_Connection *http, const struct reply *reply)
{
    /* the library takes void *, but only reads what is persistent */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->body.len, (void *)(uintptr_t)reply->body.ptr, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    enum MHD_Result queued = add_headers(response, reply) ? MHD_queue_response(http, reply->status, response) : MHD_NO;
    MHD_destroy_response(response);
    return queued;
}

#include "server/reply.h"

#include <time.h>

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
        MHD_create_response_from_buffer(reply->body.len, (void *)reply->body.ptr, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    enum MHD_Result queued = add_headers(response, reply) ? MHD_queue_response(http, reply->status, response) : MHD_NO;
    MHD_destroy_response(response);
    return queued;
}

/* RFC 9110, 5.6.7. */
static void put_date(struct buf *text)
{
    char date[sizeof "Sun, 06 Nov 1994 08:49:37 GMT"];
    time_t now = time(NULL);
    struct tm parts = { 0 };
    (void)gmtime_r(&now, &parts);
    (void)strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    buf_print(text, "Date: %s\r\n", date);
}

result reply_text(const struct reply *reply, struct arena *arena, struct str *out, struct err *err)
{
    struct buf text = buf_in(arena);
    buf_print(&text, "HTTP/1.1 %u %s\r\n", reply->status, MHD_get_reason_phrase_for(reply->status));
    put_date(&text);
    buf_print(&text, "Connection: close\r\nContent-Type: %s\r\n", reply->content_type);
    if (reply->allow)
        buf_print(&text, "Allow: %s\r\n", reply->allow);
    buf_print(&text, "Content-Length: %zu\r\n\r\n", reply->body.len);
    buf_put(&text, reply->body);
    return buf_finish(&text, out, err);
}

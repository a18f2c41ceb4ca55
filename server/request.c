#include "server/request.h"

#include "server/clock.h"
#include "server/connection.h"
#include "server/observe.h"
#include "server/reply.h"

#include <stdlib.h>
#include <strings.h>

#define TOO_LARGE_FORMAT "the body is too large: at most %zu bytes are read"

enum { FIRST_BYTES_ANNOUNCED = 64 * 1024, FIRST_BYTES_CHUNKED = 8 * 1024 };

/* The headers that matter here. */
struct headers {
    const char *content_type;
    const char *content_length;
    const char *transfer_encoding;
    const char *expect;
    bool repeated; /* one of them stood there twice */
};

static const struct header_row {
    const char *name;
    size_t offset;
} header_rows[] = {
    { MHD_HTTP_HEADER_CONTENT_TYPE, offsetof(struct headers, content_type) },
    { MHD_HTTP_HEADER_CONTENT_LENGTH, offsetof(struct headers, content_length) },
    { MHD_HTTP_HEADER_TRANSFER_ENCODING, offsetof(struct headers, transfer_encoding) },
    { MHD_HTTP_HEADER_EXPECT, offsetof(struct headers, expect) },
};

static enum MHD_Result keep_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    struct headers *headers = cls;
    for (size_t i = 0; i < sizeof header_rows / sizeof header_rows[0]; i++) {
        if (strcasecmp(name, header_rows[i].name) != 0)
            continue;
        const char **slot = (const char **)(void *)((char *)headers + header_rows[i].offset);
        headers->repeated = headers->repeated || *slot;
        *slot = value ? value : "";
    }
    return MHD_YES;
}

/* What the gates look at. */
struct inquiry {
    const struct admission *admission;
    struct connection *connection;
    struct headers headers;
    const char *method;
};

static bool lacks_certificate(const struct inquiry *inquiry)
{
    return inquiry->admission->client_certificates && !connection_client_verified(inquiry->connection);
}

/* RFC 9112, 6.3: two statements of the length are how requests are smuggled; an encoding of another name has no end. */
static bool is_framed_badly(const struct inquiry *inquiry)
{
    const struct headers *headers = &inquiry->headers;
    const char *encoding = headers->transfer_encoding;
    return headers->repeated || (encoding && (headers->content_length || strcasecmp(encoding, "chunked") != 0));
}

static bool has_no_endpoint(const struct inquiry *inquiry)
{
    return !inquiry->connection->request.endpoint;
}

static bool is_other_method(const struct inquiry *inquiry)
{
    return strcmp(inquiry->method, MHD_HTTP_METHOD_POST) != 0;
}

static bool is_other_media(const struct inquiry *inquiry)
{
    const char json[] = "application/json";
    const char *type = inquiry->headers.content_type;
    if (!type || strncasecmp(type, json, sizeof json - 1) != 0)
        return true;
    type += sizeof json - 1;
    type += strspn(type, " \t");
    return *type != '\0' && *type != ';';
}

static bool is_announced_too_large(const struct inquiry *inquiry)
{
    return inquiry->connection->request.announced > inquiry->admission->body_bytes;
}

/* In this order; the first that holds refuses. */
static const struct gate {
    bool (*holds)(const struct inquiry *inquiry);
    enum rejection rejection;
} gates[] = {
    { lacks_certificate, REJECTED_CLIENT_CERTIFICATE },
    { is_framed_badly, REJECTED_FRAMING },
    { has_no_endpoint, REJECTED_PATH },
    { is_other_method, REJECTED_METHOD },
    { is_announced_too_large, REJECTED_TOO_LARGE },
    { is_other_media, REJECTED_MEDIA_TYPE },
};

static enum rejection judge(const struct inquiry *inquiry)
{
    for (size_t i = 0; i < sizeof gates / sizeof gates[0]; i++)
        if (gates[i].holds(inquiry))
            return gates[i].rejection;
    return REJECTED_NOT;
}

static enum MHD_Result send_reply(const struct admission *admission, struct connection *connection, struct reply *reply)
{
    reply->close = reply->close || atomic_load_explicit(&admission->leaving, memory_order_relaxed);
    connection->request.answered = true;
    return reply_send(connection->http, reply);
}

static void put_endpoints(struct buf *text)
{
    buf_put(text, STR("there is nothing at this path; AdmissionReviews are answered at"));
    for (size_t i = 0; i < endpoint_count(); i++)
        buf_print(text, "%s %.*s", i ? "," : "", STR_ARGS(endpoint_path(endpoint_at(i))));
}

/* `detail` says what is wrong where the row cannot. */
static struct str sentence_of(const struct admission *admission, enum rejection rejection, struct str detail,
                              struct arena *arena)
{
    const struct rejection_row *row = rejection_row(rejection);
    struct buf text = buf_in(arena);
    struct str sentence = { 0 };
    struct err err = { 0 };
    if (rejection == REJECTED_PATH)
        put_endpoints(&text);
    else if (row->sentence.ptr || detail.ptr)
        buf_put(&text, row->sentence.ptr ? row->sentence : detail);
    else
        buf_print(&text, TOO_LARGE_FORMAT, admission->body_bytes);
    buf_put_char(&text, '\n');
    /* without memory, the status alone has to do */
    return buf_finish(&text, &sentence, &err).ok ? sentence : STR("refused\n");
}

/* The library takes an answer before the body or after it, and closes a connection under a client that is still
 * writing, which then may never see the answer: such a one is sent ahead, and the rest of the request is read away. */
static enum MHD_Result send_ahead(struct connection *connection, const struct reply *reply)
{
    struct str text = { 0 };
    struct err err = { 0 };
    connection->request.answered_ahead = true;
    bool sent = reply_text(reply, &connection->arena, &text, &err).ok && connection_answer_ahead(connection, text);
    arena_flush(&connection->arena);
    return sent ? MHD_YES : MHD_NO;
}

/* `detail` may be absent; `ahead`: while the client is writing the body. */
static enum MHD_Result refuse(const struct admission *admission, struct connection *connection,
                              enum rejection rejection, struct str detail, bool ahead)
{
    const struct rejection_row *row = rejection_row(rejection);
    struct reply reply = {
        .status = row->status,
        .content_type = REPLY_TEXT,
        .allow = rejection == REJECTED_METHOD ? MHD_HTTP_METHOD_POST : NULL,
        .close = row->at_once,
    };
    /* what the body took is of no use any more, and the sentence needs little */
    connection->request.body = NULL;
    connection->request.rejection = rejection;
    arena_flush(&connection->arena);
    reply.body = sentence_of(admission, rejection, detail, &connection->arena);
    metrics_rejected(admission->context.metrics, rejection);
    observe_rejection(admission->context.log, connection->http, rejection, detail);
    return ahead ? send_ahead(connection, &reply) : send_reply(admission, connection, &reply);
}

/* Refused for good before the body: also when the client waits for our word to send it, or would send too much. */
static bool is_refused_at_once(const struct inquiry *inquiry, enum rejection rejection)
{
    return rejection_row(rejection)->at_once || inquiry->headers.expect || is_announced_too_large(inquiry);
}

/* An answer to HEAD has no body, which the library knows. */
static bool is_body_coming(const struct inquiry *inquiry)
{
    return !inquiry->headers.expect && strcmp(inquiry->method, MHD_HTTP_METHOD_HEAD) != 0 &&
           (inquiry->connection->request.announced > 0 || inquiry->headers.transfer_encoding);
}

static enum MHD_Result begin(const struct admission *admission, struct connection *connection, const char *path,
                             const char *method)
{
    struct request *request = &connection->request;
    struct inquiry inquiry = { .admission = admission, .connection = connection, .method = method };
    connection_headers_done(connection);
    (void)MHD_get_connection_values(connection->http, MHD_HEADER_KIND, keep_header, &inquiry.headers);
    request->begun = true;
    request->endpoint = endpoint_find(str_of(path));
    /* digits only, and no overflow: the library has answered others */
    if (inquiry.headers.content_length)
        request->announced = strtoull(inquiry.headers.content_length, NULL, 10);
    request->rejection = judge(&inquiry);
    if (request->rejection != REJECTED_NOT && is_refused_at_once(&inquiry, request->rejection))
        return refuse(admission, connection, request->rejection, (struct str){ 0 }, is_body_coming(&inquiry));
    return MHD_YES;
}

/* A small body is taken at its word; of a large one, nothing is reserved that has not nearly arrived. */
static size_t next_capacity(const struct request *request, size_t needed, size_t limit)
{
    size_t end = request->announced ? request->announced : limit;
    size_t first = request->announced ? FIRST_BYTES_ANNOUNCED : FIRST_BYTES_CHUNKED;
    size_t capacity = request->body_capacity ? request->body_capacity * 2 : first;
    if (capacity < needed)
        capacity = needed;
    return capacity < end ? capacity : end;
}

static result append(struct request *request, struct arena *arena, size_t limit, struct str piece, struct err *err)
{
    size_t needed = request->body_len + piece.len;
    ENSURE(needed <= limit, err, ERR_TOO_LARGE, TOO_LARGE_FORMAT, limit);
    if (needed > request->body_capacity) {
        char *bigger = NULL;
        size_t capacity = next_capacity(request, needed, limit);
        GUARD(arena_take(arena, capacity, &bigger, err));
        if (request->body_len)
            memcpy(bigger, request->body, request->body_len);
        request->body = bigger;
        request->body_capacity = capacity;
    }
    memcpy(request->body + request->body_len, piece.ptr, piece.len);
    request->body_len = needed;
    return DONE;
}

static enum rejection rejection_of(const struct err *err)
{
    switch (err->kind) {
    case ERR_INPUT: return REJECTED_BAD_REQUEST;
    case ERR_TOO_LARGE: return REJECTED_TOO_LARGE;
    case ERR_NONE:
    case ERR_UNAVAILABLE:
    case ERR_INTERNAL: break;
    }
    return REJECTED_INTERNAL;
}

/* Of a request that is refused, the body is read away, so that the connection can be used again. */
static enum MHD_Result take_piece(const struct admission *admission, struct connection *connection, struct str piece)
{
    struct request *request = &connection->request;
    struct err err = { 0 };
    if (request->rejection != REJECTED_NOT ||
        append(request, &connection->arena, admission->body_bytes, piece, &err).ok)
        return MHD_YES;
    return refuse(admission, connection, rejection_of(&err), str_of(err.msg), true);
}

static result answer_from(const struct admission *admission, struct connection *connection, struct answer *out,
                          struct err *err)
{
    const struct http_context *context = &admission->context;
    const struct request *request = &connection->request;
    const struct str body = { request->body, request->body_len };
    STORE_READ_SCOPE();
    return endpoint_answer(request->endpoint, context->store, context->hooks.rules(context->hooks.ctx), body,
                           &connection->arena, out, err);
}

static enum MHD_Result finish(const struct admission *admission, struct connection *connection)
{
    struct request *request = &connection->request;
    struct answer answer = { 0 };
    struct err err = { 0 };
    if (request->answered_ahead)
        return MHD_NO;
    if (request->rejection != REJECTED_NOT)
        return refuse(admission, connection, request->rejection, (struct str){ 0 }, false);
    if (request->body_len == 0)
        return refuse(admission, connection, REJECTED_EMPTY, (struct str){ 0 }, false);
    int64_t start_ns = clock_ns();
    if (!answer_from(admission, connection, &answer, &err).ok)
        return refuse(admission, connection, rejection_of(&err), str_of(err.msg), false);
    int64_t duration_ns = clock_ns() - start_ns;
    metrics_review(admission->context.metrics, request->endpoint, &answer, duration_ns);
    observe_answer(admission->context.log, request->endpoint, &answer, duration_ns, &connection->arena);
    struct reply reply = { .status = MHD_HTTP_OK, .content_type = "application/json", .body = answer.body };
    return send_reply(admission, connection, &reply);
}

enum MHD_Result request_handle(void *cls, struct MHD_Connection *http, const char *url, const char *method,
                               const char *version, const char *data, size_t *size, void **request_context)
{
    (void)http;
    (void)version;
    const struct admission *admission = cls;
    struct connection *connection = *request_context;
    /* there was no memory for the connection */
    if (!connection)
        return MHD_NO;
    if (!connection->request.begun)
        return begin(admission, connection, url, method);
    if (*size == 0)
        return finish(admission, connection);
    struct str piece = { data, *size };
    *size = 0;
    return take_piece(admission, connection, piece);
}

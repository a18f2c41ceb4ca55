#include "server/rejection.h"

#include <assert.h>
#include <microhttpd.h>

static const struct rejection_row rows[REJECTION_COUNT] = {
    [REJECTED_CLIENT_CERTIFICATE] = { STR_INIT("client_certificate"), MHD_HTTP_FORBIDDEN, EVENT_CLIENT_REFUSED, true,
                                      STR_INIT("show a certificate that the configured client CA has signed") },
    [REJECTED_PATH] = { STR_INIT("path"), MHD_HTTP_NOT_FOUND, EVENT_REQUEST_REFUSED, false, { 0 } },
    [REJECTED_METHOD] = { STR_INIT("method"), MHD_HTTP_METHOD_NOT_ALLOWED, EVENT_REQUEST_REFUSED, false,
                          STR_INIT("send an AdmissionReview with POST") },
    [REJECTED_FRAMING] = { STR_INIT("framing"), MHD_HTTP_BAD_REQUEST, EVENT_REQUEST_REFUSED, true,
                           STR_INIT("give the length of the body once, by Content-Length or by "
                                    "Transfer-Encoding: chunked") },
    [REJECTED_MEDIA_TYPE] = { STR_INIT("media_type"), MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, EVENT_REQUEST_REFUSED, false,
                              STR_INIT("send JSON, with Content-Type: application/json") },
    [REJECTED_TOO_LARGE] = { STR_INIT("too_large"), MHD_HTTP_CONTENT_TOO_LARGE, EVENT_REQUEST_REFUSED, true, { 0 } },
    [REJECTED_EMPTY] = { STR_INIT("empty"), MHD_HTTP_BAD_REQUEST, EVENT_REQUEST_REFUSED, false,
                         STR_INIT("the body is empty: send an AdmissionReview") },
    [REJECTED_BAD_REQUEST] = { STR_INIT("bad_request"), MHD_HTTP_BAD_REQUEST, EVENT_REVIEW_UNREADABLE, false, { 0 } },
    [REJECTED_MALFORMED] = { STR_INIT("malformed"), 0, EVENT_REQUEST_REFUSED, true, { 0 } },
    [REJECTED_INTERNAL] = { STR_INIT("internal"), MHD_HTTP_INTERNAL_SERVER_ERROR, EVENT_REVIEW_FAILED, false,
                            STR_INIT("the review could not be answered; the log of the webhook says why") },
    [REJECTED_TIMEOUT] = { STR_INIT("timeout"), 0, EVENT_REQUEST_REFUSED, true, { 0 } },
    [REJECTED_ABORTED] = { STR_INIT("aborted"), 0, EVENT_REQUEST_REFUSED, true, { 0 } },
};

const struct rejection_row *rejection_row(enum rejection rejection)
{
    assert(rejection < REJECTION_COUNT);
    return &rows[rejection];
}

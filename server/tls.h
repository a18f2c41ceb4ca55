/* server/tls.h - what the admission port wants of GnuTLS besides the certificates. */
#ifndef SGP_SERVER_TLS_H
#define SGP_SERVER_TLS_H

#include "base/str.h"

/* GnuTLS's own: a gnutls_session_t is a pointer to it. */
struct gnutls_session_int;

/* Forward secrecy and authenticated encryption only: TLS 1.3, and of TLS 1.2 what is as good. */
const char *tls_priorities(void);
/* A gnutls_certificate_retrieve_function2 that has no certificate, as libmicrohttpd wants its options: with it, the
 * library does not ask for a pair of its own. Each connection brings the one that was in force when it was opened. */
const void *tls_certificate_function(void);
/* Sends `text` and closes our direction, so that the peer sees its end while we go on reading. False: it could not all
 * be sent without waiting. By the session's own thread. */
bool tls_send_last(struct gnutls_session_int *session, int socket_fd, struct str text);

#endif

/* certs/keypair.h - one certificate with its private key, as a TLS session wants it. */
#ifndef SGP_CERTS_KEYPAIR_H
#define SGP_CERTS_KEYPAIR_H

#include "base/err.h"

#include <time.h>

/* Immutable once loaded, counted by reference: any thread may use it. Lives until its last reference is given back. */
struct keypair;

/* GnuTLS's own: what it calls gnutls_session_t, and libmicrohttpd a connection's tls_session, is a pointer to it. */
struct gnutls_session_int;

/* Reads a PEM chain (leaf first), the leaf's unencrypted private key, and the CAs that client certificates must come
 * from (NULL: clients are not asked for one). Owner: the caller, keypair_unref(). `*out` is written on success only.
 * ERR_INPUT names the file: unreadable, not PEM, the key of another certificate, expired (since when), not yet valid
 * (until when; five minutes of clock skew are forgiven). */
result keypair_load(const char *cert_path, const char *key_path, const char *client_ca_path, struct keypair **out,
                    struct err *err);

/* Another reference to the same pair. */
struct keypair *keypair_ref(struct keypair *keypair);
/* Gives a reference back. Safe on NULL. */
void keypair_unref(struct keypair *keypair);
/* For CLEANUP(). */
void keypair_freep(struct keypair **keypair);

/* When the leaf certificate ends, in seconds since 1970. */
time_t keypair_not_after(const struct keypair *keypair);
/* Whether both were loaded from the same bytes, file by file. */
bool keypair_same(const struct keypair *a, const struct keypair *b);

/* Makes a server's session present this pair, and ask for a client certificate when there is a client CA; a client
 * without one is let in, see keypair_client_verified(). Before the handshake, and the caller keeps a reference until
 * the session has ended. ERR_INTERNAL: the session cannot serve. */
result keypair_use(struct keypair *keypair, struct gnutls_session_int *session, struct err *err);
/* `*verified`: the peer presented a certificate for client authentication that the client CA of the session's pair
 * vouches for. False without certificate or client CA. After the handshake, by the session's own thread.
 * ERR_INTERNAL: it cannot be said; `*verified` is false. */
result keypair_client_verified(struct gnutls_session_int *session, bool *verified, struct err *err);

#endif

#include "server/tls.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <sys/socket.h>

const char *tls_priorities(void)
{
    return "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
           ":-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:-MAC-ALL:+AEAD"
           ":-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:-SIGN-DSA-SHA1";
}

/* Only asked for a connection that could not be given its pair: the handshake has to fail. */
static int no_certificate(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count,
                          const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **chain,
                          unsigned *chain_length, gnutls_privkey_t *key)
{
    (void)session;
    (void)authorities;
    (void)authority_count;
    (void)algorithms;
    (void)algorithm_count;
    *chain = NULL;
    *chain_length = 0;
    *key = NULL;
    return -1;
}

const void *tls_certificate_function(void)
{
    gnutls_certificate_retrieve_function2 *const function = no_certificate;
    return (const void *)function;
}

bool tls_send_last(struct gnutls_session_int *session, int socket_fd, struct str text)
{
    if (gnutls_record_send(session, text.ptr, text.len) != (ssize_t)text.len)
        return false;
    (void)gnutls_bye(session, GNUTLS_SHUT_WR);
    return shutdown(socket_fd, SHUT_WR) == 0;
}

/* certs/generate.h - a certificate authority and one serving certificate of it, for use without cert-manager. */
#ifndef SGP_CERTS_GENERATE_H
#define SGP_CERTS_GENERATE_H

#include "base/arena.h"

#include <time.h>

/* What the serving certificate is for. The caller's; nothing is kept. */
struct cert_request {
    const char *const *dns; /* host names; "*." may stand in front */
    size_t dns_count;
    const char *const *ips; /* IPv4 or IPv6 */
    size_t ip_count;
    unsigned days; /* lifetime, 1 to CERT_MAX_DAYS */
};

enum { CERT_MAX_DAYS = 3650, CERT_PATH_BYTES = 4096 };

/* Where a directory holds what: ca.crt, tls.crt, tls.key, named as in a Secret of type kubernetes.io/tls. */
struct cert_paths {
    char ca[CERT_PATH_BYTES];
    char cert[CERT_PATH_BYTES];
    char key[CERT_PATH_BYTES];
};

/* ERR_INPUT: the path is too long. */
result cert_paths_in(const char *dir, struct cert_paths *out, struct err *err);

/* Makes a CA and a serving certificate (ECDSA P-256), valid from a few minutes before `issued_at` (now, as a rule) for
 * request->days after it, and writes them into `dir`, replacing older ones. `dir` is created with mode 0700 when
 * missing, its parent is not; the key gets mode 0600. The CA's private key is never written: nothing else can be signed
 * with it. Each file is replaced in one step; the three are complete before the first is replaced.
 * ERR_INPUT: a name, address or day count at fault, or a path that cannot be written. Any thread; one at a time per
 * `dir`. */
result certs_generate(const char *dir, const struct cert_request *request, time_t issued_at, struct err *err);

/* certs_generate() when the files in `dir` are missing, unusable, do not belong together, lack a name of the request,
 * or are past two thirds of their lifetime; else leaves them alone. With a new CA, caBundle is another one. Errors and
 * threads: as certs_generate(). */
result certs_ensure(const char *dir, const struct cert_request *request, struct err *err);

/* What a webhook configuration wants as clientConfig.caBundle: the base64 of `dir`/ca.crt in one line. Lives in the
 * arena. ERR_INPUT names the file that cannot be read or holds no certificate. */
result certs_ca_bundle(const char *dir, struct arena *arena, struct str *out, struct err *err);

#endif

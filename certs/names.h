/* certs/names.h - the names a serving certificate is for. For this folder's own files. */
#ifndef SGP_CERTS_NAMES_H
#define SGP_CERTS_NAMES_H

#include "certs/generate.h"
#include "certs/gnutls.h"

/* At least one name, and each of them well-formed: DNS names as RFC 1123 has them, with "*." in front at most;
 * addresses without prefix length or zone. ERR_INPUT quotes the one that is not. */
result cert_names_check(const struct cert_request *request, struct err *err);
/* Adds the checked names of `request` to the subject alternative names of `certificate`. */
result cert_names_add(const struct cert_request *request, gnutls_x509_crt_t certificate, struct err *err);
/* Whether `certificate` has every name of `request`, letter by letter; more are no harm. */
bool cert_names_cover(const struct cert_request *request, gnutls_x509_crt_t certificate);

#endif

/* certs/gnutls.h - GnuTLS for this folder's own files: its headers, and its return codes in this code's error
 * convention. */
#ifndef SGP_CERTS_GNUTLS_H
#define SGP_CERTS_GNUTLS_H

#include "base/err.h"

/* GnuTLS calls parameters `result`, which is a macro of ours. */
#pragma push_macro("result")
#undef result
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#pragma pop_macro("result")

/* `code` as GnuTLS returned it: negative is ERR_INTERNAL, named by what was being done. For calls that no input fails.
 */
static inline result gnutls_result(int code, const char *task, struct err *err)
{
    ENSURE(code >= 0, err, ERR_INTERNAL, "%s: %s", task, gnutls_strerror(code));
    return DONE;
}

#endif

/* certs/pem_file.h - files of certificates and keys: read whole, replaced whole. For this folder's own files. */
#ifndef SGP_CERTS_PEM_FILE_H
#define SGP_CERTS_PEM_FILE_H

#include "certs/gnutls.h"

#include <limits.h>
#include <sys/types.h>

/* Chains and bundles of clusters stay far below; a wrong path must not fill the memory. */
enum { PEM_FILE_MAX_BYTES = 1024 * 1024 };

/* The bytes of the regular file at `path`, 1 to PEM_FILE_MAX_BYTES. Owner: the caller, pem_free(). ERR_INPUT names the
 * path; ERR_INTERNAL: out of memory. `*out` is written on success only. */
result pem_read(const char *path, gnutls_datum_t *out, struct err *err);
/* Wipes, then frees what GnuTLS or pem_read() allocated. Safe on { 0 }, leaves { 0 }. */
void pem_free(gnutls_datum_t *pem);

/* A file that is complete, but not yet under its name. Starts as { 0 }. */
struct pem_draft {
    char path[PATH_MAX];
    char temporary[PATH_MAX]; /* beside `path`; empty: nothing to remove */
};

/* Writes `pem` with `mode` to a new file beside `path`, readable by nobody else in the meantime. ERR_INPUT names the
 * path. */
result pem_draft_write(struct pem_draft *draft, const char *path, const gnutls_datum_t *pem, mode_t mode,
                       struct err *err);
/* Gives the draft its name, replacing what bore it. ERR_INPUT names the path. */
result pem_draft_publish(struct pem_draft *draft, struct err *err);
/* Removes a draft that was not published. Safe on { 0 }. */
void pem_draft_discard(struct pem_draft *draft);

#endif

/* certs/serving.h - the pair that new connections are served with, exchanged while the server runs. */
#ifndef SGP_CERTS_SERVING_H
#define SGP_CERTS_SERVING_H

#include "certs/keypair.h"

/* Always holds a pair that loaded. Any thread may call its functions; a lock is held for an exchange of pointers only.
 */
struct serving;

/* Loads the first pair from these files, see keypair_load(); the paths are copied. Owner: the caller, serving_free().
 * `*out` is written on success only. Errors: as keypair_load(). */
result serving_new(const char *cert_path, const char *key_path, const char *client_ca_path, struct serving **out,
                   struct err *err);
/* No other thread uses it any more; pairs that were acquired live on. Safe on NULL. */
void serving_free(struct serving *serving);
/* For CLEANUP(). */
void serving_freep(struct serving **serving);

/* Reads the files again and takes what they hold for new connections; those that exist keep theirs. `*changed`: the
 * pair in force is another now; false when the bytes are the same. On failure the old pair stays in force, `*changed`
 * is false and the error, as of keypair_load(), says why; files seen in the middle of their replacement fail once as
 * well, so ask again. A pair in force that has expired in the meantime is such a failure. */
result serving_reload(struct serving *serving, bool *changed, struct err *err);

/* The pair in force, with a reference for the caller: keypair_unref(). Never NULL. Once per connection, not per
 * request. */
struct keypair *serving_acquire(struct serving *serving);
/* When the certificate in force ends, in seconds since 1970. */
time_t serving_expiry(struct serving *serving);

#endif

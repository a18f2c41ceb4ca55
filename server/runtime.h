/* server/runtime.h - the running server: what it serves from, and how each part of that is replaced while it runs. */
#ifndef SGP_SERVER_RUNTIME_H
#define SGP_SERVER_RUNTIME_H

#include "server/config.h"
#include "server/health.h"
#include "server/http.h"
#include "server/options.h"
#include "server/watch.h"

#include <stdatomic.h>

/* Of the command line; they override the configuration file, also when that is read again. */
struct serve_flags {
    const char *config;
    const char *listen;
    const char *health_listen;
    const char *tls_cert;
    const char *tls_key;
    const char *self_signed;
    struct option_texts policies;
};

/* Written by the main thread only; the serving threads read the atomics, the configuration within a read section of the
 * store. */
struct runtime {
    const struct serve_flags *flags;
    struct config *started; /* what the process was started with: settings that need a restart are taken from here */
    struct config *_Atomic config; /* in force, read again by SIGHUP; freed when no reader has it any more */
    struct log log;
    struct store *store;
    struct serving *serving;
    struct metrics *metrics;
    struct watch *watch;
    struct http *http;
    struct health *health;
    struct err certificate_err; /* why it could not be read the last time */
    atomic_bool synced;         /* every configured source was read once */
    atomic_bool stopping;       /* leaving: not ready */
    _Atomic int64_t expiry_s;   /* of the certificate in force */
};

/* Reads the configuration and the certificate, starts both ports, and reads the sources. `runtime` is zeroed; also
 * after a failure runtime_stop() is to be called. ERR_INPUT: what the operator has to mend. */
result runtime_start(struct runtime *runtime, const struct serve_flags *flags, struct err *err);
/* Ends the threads and releases everything. */
void runtime_stop(struct runtime *runtime);
/* Reads the policies again. On failure the last good state stays in force; both is logged and counted. */
void runtime_reload_policies(struct runtime *runtime);
/* Takes a changed certificate; makes a new one where it is self-signed and due. A broken pair is logged and counted. */
void runtime_reload_certificate(struct runtime *runtime);
/* Reads the configuration file again (SIGHUP). A broken one changes nothing. */
void runtime_reload_config(struct runtime *runtime);

#endif

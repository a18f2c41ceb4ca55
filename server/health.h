/* server/health.h - the plain port: /healthz, /readyz and /metrics. */
#ifndef SGP_SERVER_HEALTH_H
#define SGP_SERVER_HEALTH_H

#include "base/buf.h"
#include "server/log.h"
#include "server/metrics.h"

struct health;

/* What /readyz has to say; filled by health_condition(). */
struct health_report {
    struct buf lines;
    bool ready; /* all conditions hold */
};

/* Adds a condition: its name, whether it holds, and a remark in a few words. */
__attribute__((format(printf, 4, 5))) void health_condition(struct health_report *report, const char *name, bool holds,
                                                            const char *format, ...);

/* Called by the serving thread. */
struct health_hooks {
    /* Adds every condition there is. */
    void (*conditions)(void *ctx, struct health_report *report);
    /* Brings the gauges up to date, just before they are read. */
    void (*refresh)(void *ctx, struct metrics *metrics);
    void *ctx;
};

/* Listens at `listen`, see socket_listen(), starts its one thread and logs the address. Hooks, log and metrics outlive
 * it. Owner: the caller, health_free(). `*out` is written on success only. Errors: as http_new(). */
result health_new(struct str listen, const struct health_hooks *hooks, const struct log *log, struct metrics *metrics,
                  struct health **out, struct err *err);
/* Safe on NULL. */
void health_free(struct health *health);
static inline void health_freep(struct health **health)
{
    health_free(*health);
}

/* The port listened at, also where `listen` said 0. */
unsigned health_port(const struct health *health);
/* Ends connections that are past their deadline: as http_sweep(). */
size_t health_sweep(struct health *health, int64_t now_ms);

#endif

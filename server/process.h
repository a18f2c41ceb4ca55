/* server/process.h - the process_* metrics that every Prometheus client library has. */
#ifndef SGP_SERVER_PROCESS_H
#define SGP_SERVER_PROCESS_H

#include "base/buf.h"

/* From /proc/self; what cannot be read there is left out. */
void process_metrics_put(struct buf *out);

#endif

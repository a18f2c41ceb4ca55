/* server/observe.h - what the log says of a request: one line at most. */
#ifndef SGP_SERVER_OBSERVE_H
#define SGP_SERVER_OBSERVE_H

#include "admission/endpoint.h"
#include "server/log.h"
#include "server/rejection.h"

struct MHD_Connection;

/* A denial or a patch, or, for who debugs, any other answer. The arena takes the texts of the line. */
void observe_answer(const struct log *log, const struct endpoint *endpoint, const struct answer *answer,
                    int64_t duration_ns, struct arena *arena);
/* A request that got no review; `detail` may be absent. */
void observe_rejection(const struct log *log, struct MHD_Connection *http, enum rejection rejection, struct str detail);

#endif

/* server/watch.h - directories watched with inotify; what changes in them is told by tag, once things are quiet again.
 */
#ifndef SGP_SERVER_WATCH_H
#define SGP_SERVER_WATCH_H

#include "base/err.h"
#include "base/str.h"

enum watch_tag { WATCH_POLICIES = 1, WATCH_CERTIFICATE = 2 };

struct watch;

/* Owner: the caller, watch_free(). ERR_UNAVAILABLE: the system's limit of inotify instances. */
result watch_new(struct watch **out, struct err *err);
/* Safe on NULL. */
void watch_free(struct watch *watch);
/* Watches a directory; again is fine, and needed after it was removed and made anew. ERR_UNAVAILABLE: it cannot be. */
result watch_add(struct watch *watch, struct str directory, enum watch_tag tag, struct err *err);
/* For poll(): readable when something happened. */
int watch_fd(const struct watch *watch);
/* Takes in what happened, at this time. Which tags have news is watch_due()'s to say. */
void watch_read(struct watch *watch, int64_t now_ms);
/* The tags, or-ed, in whose directories something changed and then nothing for a moment: files are written in several
 * steps. They are due once. */
unsigned watch_due(struct watch *watch, int64_t now_ms);
/* Until watch_due() may have something: milliseconds, or -1. */
int watch_wait_ms(const struct watch *watch, int64_t now_ms);

#endif

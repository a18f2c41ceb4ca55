/* base/buf.h - text that grows in an arena. A failure sticks: append freely, ask once at the end. */
#ifndef SGP_BASE_BUF_H
#define SGP_BASE_BUF_H

#include "base/arena.h"

struct buf {
    struct arena *arena;
    char *data;
    size_t len;
    size_t capacity;
    struct err failure; /* the first one; nothing is appended after it */
};

static inline struct buf buf_in(struct arena *arena)
{
    return (struct buf){ .arena = arena };
}

void buf_put(struct buf *buf, struct str text);
void buf_put_char(struct buf *buf, char c);
__attribute__((format(printf, 2, 3))) void buf_print(struct buf *buf, const char *format, ...);
/* `text` as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD, so that the output is always JSON.
 */
void buf_put_json_string(struct buf *buf, struct str text);
/* `text` in base64 (RFC 4648, section 4), padded. */
void buf_put_base64(struct buf *buf, struct str text);
/* What was written, or the first failure. The text is NUL-terminated behind its end and lives in the arena. */
result buf_finish(struct buf *buf, struct str *out, struct err *err);

#endif

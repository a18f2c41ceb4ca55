/* base/json_scan.h - the tokens of JSON (RFC 8259), validated as they are passed. For base/json.c. */
#ifndef SGP_BASE_JSON_SCAN_H
#define SGP_BASE_JSON_SCAN_H

#include "base/json.h"

struct json_scan {
    const char *start;
    const char *at; /* after a failure: the byte at fault */
    const char *end;
    struct arena *arena; /* takes strings that had escapes */
    unsigned depth;
};

static inline struct json_scan json_scan_of(struct str text, struct arena *arena)
{
    return (struct json_scan){ .start = text.ptr, .at = text.ptr, .end = text.ptr + text.len, .arena = arena };
}

/* Passes white space and tells what kind of value starts here. ERR_INPUT: none does, or it would be nested too deep. */
result json_scan_type(struct json_scan *scan, enum json_type *out, struct err *err);
/* Passes a string. `out` (may be NULL: only validate) gets a slice of the text, or a copy when it had escapes. */
result json_scan_string(struct json_scan *scan, struct str *out, struct err *err);
/* Passes a number. Like Jansson, refuses integers beyond 64 bits and reals beyond a double. `out` gets its text. */
result json_scan_number(struct json_scan *scan, struct str *out, struct err *err);
/* Passes true, false or null. */
result json_scan_word(struct json_scan *scan, enum json_type type, struct err *err);
/* Passes the { or [ that json_scan_type has seen. */
void json_scan_enter(struct json_scan *scan);
/* Within { or [: whether another member follows. Passes the comma, or the closing bracket when none does.
 * `first`: none was read yet. */
result json_scan_more(struct json_scan *scan, char close, bool first, bool *more, struct err *err);
/* Passes a member's name and its colon. */
result json_scan_key(struct json_scan *scan, struct str *out, struct err *err);
/* Passes any value. */
result json_scan_skip(struct json_scan *scan, struct err *err);
/* Nothing but white space is left. */
result json_scan_end(struct json_scan *scan, struct err *err);

#endif

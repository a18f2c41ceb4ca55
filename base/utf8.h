/* base/utf8.h - UTF-8 as RFC 3629 defines it: no surrogates, no overlong forms, nothing above U+10FFFF. */
#ifndef SGP_BASE_UTF8_H
#define SGP_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Length in bytes (1 to 4) of the valid sequence at `at`, or 0 when there is none before `end`. Needs at < end. */
size_t utf8_sequence(const char *at, const char *end);
/* Writes `code_point` (no surrogate, at most U+10FFFF) to `out`; returns the bytes written, 1 to 4. */
size_t utf8_encode(uint32_t code_point, char out[4]);
/* The largest length at most `max` at which `text` of `len` bytes can be cut without splitting a character. */
size_t utf8_cut(const char *text, size_t len, size_t max);

#endif

/* base/arena.h - memory that is taken piece by piece and given back at once. */
#ifndef SGP_BASE_ARENA_H
#define SGP_BASE_ARENA_H

#include "base/err.h"
#include "base/str.h"

struct arena_chunk;

/* The owner's; starts as { 0 } or with a ceiling set. One thread at a time. */
struct arena {
    struct arena_chunk *chunks; /* newest first */
    size_t used_bytes;          /* asked for since the last flush */
    size_t ceiling_bytes;       /* a request beyond it fails; 0: no ceiling */
    size_t first_chunk_bytes;   /* 0: 16 KiB, what an ordinary review with its structs fits in */
};

/* `bytes` of zeroed memory, aligned for any type, into `*(T **)out`; lives until flush or free.
 * ERR_TOO_LARGE: the ceiling is reached. ERR_INTERNAL: out of memory. `*out` is written on success only. */
result arena_take(struct arena *arena, size_t bytes, void *out, struct err *err);
/* The same for `count` elements of `size` bytes; an overflow is ERR_TOO_LARGE. */
result arena_take_array(struct arena *arena, size_t count, size_t size, void *out, struct err *err);
/* A copy of `text` that the arena owns; an absent slice stays absent. */
result arena_copy(struct arena *arena, struct str text, struct str *out, struct err *err);
/* printf into the arena. */
__attribute__((format(printf, 4, 5))) result arena_print(struct arena *arena, struct str *out, struct err *err,
                                                         const char *format, ...);
/* The same for a function that takes the arguments itself, cut before the character that would exceed `max` bytes. */
__attribute__((format(printf, 5, 0))) result arena_vprint(struct arena *arena, size_t max, struct str *out,
                                                          struct err *err, const char *format, va_list args);
/* Gives all pieces back but keeps the first chunk, so that a steady load allocates nothing. */
void arena_flush(struct arena *arena);
/* Gives everything back; the arena is empty and usable. Safe on { 0 }. */
void arena_free(struct arena *arena);

#endif

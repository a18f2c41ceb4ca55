#include "base/arena.h"

#include "base/utf8.h"

#include <assert.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_CHUNK_BYTES = 16 * 1024, MAX_CHUNK_BYTES = 1024 * 1024 };

/* Under a sanitizer each piece is an allocation of its own, so that an overrun shows. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ONE_PIECE_PER_CHUNK 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define ONE_PIECE_PER_CHUNK 1
#endif
#endif
#ifndef ONE_PIECE_PER_CHUNK
#define ONE_PIECE_PER_CHUNK 0
#endif

struct arena_chunk {
    struct arena_chunk *next;
    size_t used;
    size_t capacity;
    alignas(max_align_t) char data[];
};

static size_t round_up(size_t bytes)
{
    return (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

static size_t first_capacity(const struct arena *arena)
{
    return arena->first_chunk_bytes ? arena->first_chunk_bytes : FIRST_CHUNK_BYTES;
}

static size_t next_capacity(const struct arena *arena, size_t bytes)
{
    size_t capacity = arena->chunks ? arena->chunks->capacity * 2 : first_capacity(arena);
    if (ONE_PIECE_PER_CHUNK)
        return bytes;
    if (capacity > MAX_CHUNK_BYTES)
        capacity = MAX_CHUNK_BYTES;
    return bytes > capacity ? bytes : capacity;
}

static result add_chunk(struct arena *arena, size_t bytes, struct err *err)
{
    size_t capacity = next_capacity(arena, bytes);
    struct arena_chunk *chunk = malloc(sizeof *chunk + capacity);
    ENSURE(chunk, err, ERR_INTERNAL, "out of memory: %zu bytes", capacity);
    *chunk = (struct arena_chunk){ .next = arena->chunks, .capacity = capacity };
    arena->chunks = chunk;
    return DONE;
}

result arena_take(struct arena *arena, size_t bytes, void *out, struct err *err)
{
    ENSURE(bytes < SIZE_MAX / 4, err, ERR_TOO_LARGE, "needs %zu bytes of working memory", bytes);
    size_t needed = ONE_PIECE_PER_CHUNK ? bytes : round_up(bytes);
    ENSURE(!arena->ceiling_bytes || needed <= arena->ceiling_bytes - arena->used_bytes, err, ERR_TOO_LARGE,
           "needs more than %zu bytes of working memory", arena->ceiling_bytes);
    if (ONE_PIECE_PER_CHUNK || !arena->chunks || needed > arena->chunks->capacity - arena->chunks->used)
        GUARD(add_chunk(arena, needed, err));
    struct arena_chunk *chunk = arena->chunks;
    assert(chunk);
    char *piece = chunk->data + chunk->used;
    chunk->used += needed;
    arena->used_bytes += needed;
    memset(piece, 0, bytes);
    memcpy(out, &piece, sizeof piece);
    return DONE;
}

result arena_take_array(struct arena *arena, size_t count, size_t size, void *out, struct err *err)
{
    size_t bytes = 0;
    ENSURE(!__builtin_mul_overflow(count, size, &bytes), err, ERR_TOO_LARGE, "needs %zu elements of %zu bytes", count,
           size);
    return arena_take(arena, bytes, out, err);
}

result arena_copy(struct arena *arena, struct str text, struct str *out, struct err *err)
{
    char *copy = NULL;
    if (!text.ptr) {
        *out = text;
        return DONE;
    }
    GUARD(arena_take(arena, text.len + 1, &copy, err));
    assert(copy);
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    *out = (struct str){ copy, text.len };
    return DONE;
}

result arena_vprint(struct arena *arena, size_t max, struct str *out, struct err *err, const char *format, va_list args)
{
    char *text = NULL;
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    ENSURE(len >= 0, err, ERR_INTERNAL, "cannot format text");
    GUARD(arena_take(arena, (size_t)len + 1, &text, err));
    assert(text);
    (void)vsnprintf(text, (size_t)len + 1, format, args);
    size_t kept = utf8_cut(text, (size_t)len, max);
    text[kept] = '\0';
    *out = (struct str){ text, kept };
    return DONE;
}

result arena_print(struct arena *arena, struct str *out, struct err *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct outcome printed = arena_vprint(arena, SIZE_MAX, out, err, format, args);
    va_end(args);
    return printed;
}

static void free_chunks_until(struct arena *arena, const struct arena_chunk *kept)
{
    while (arena->chunks != kept) {
        struct arena_chunk *next = arena->chunks->next;
        free(arena->chunks);
        arena->chunks = next;
    }
}

void arena_flush(struct arena *arena)
{
    struct arena_chunk *first = arena->chunks;
    while (first && first->next)
        first = first->next;
    bool keep = first && !ONE_PIECE_PER_CHUNK && first->capacity == first_capacity(arena);
    free_chunks_until(arena, keep ? first : NULL);
    if (keep)
        first->used = 0;
    arena->used_bytes = 0;
}

void arena_free(struct arena *arena)
{
    free_chunks_until(arena, NULL);
    arena->used_bytes = 0;
}

/* base/str.h - a slice of text that somebody else owns: not NUL-terminated, may hold any byte. */
#ifndef SGP_BASE_STR_H
#define SGP_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *ptr; /* NULL: absent, which is not the same as empty */
    size_t len;
};

struct str_list {
    struct str *items;
    size_t count;
};

/* A string literal as a slice, also in static tables. */
#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_INIT(literal)                                                                                              \
    {                                                                                                                  \
        "" literal, sizeof(literal) - 1                                                                                \
    }
/* For printf: "%.*s", STR_ARGS(s). */
#define STR_ARGS(s) (int)(s).len, (s).ptr ? (s).ptr : ""

/* `text` up to its NUL; NULL gives the absent slice. */
static inline struct str str_of(const char *text)
{
    return (struct str){ text, text ? strlen(text) : 0 };
}

static inline bool str_equal(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool str_is(struct str s, const char *text)
{
    return str_equal(s, str_of(text));
}

static inline bool str_starts_with(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline bool str_ends_with(struct str s, struct str suffix)
{
    return s.len >= suffix.len && (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

/* Byte order, as strcmp: below, equal to or above 0. */
static inline int str_compare(struct str a, struct str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.ptr, b.ptr, shorter) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Whether `needle` stands somewhere in `s`; an empty needle does. */
bool str_contains(struct str s, struct str needle);

static inline bool str_list_has(const struct str_list *list, struct str item)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_equal(list->items[i], item))
            return true;
    return false;
}

/* The same items in the same order. */
static inline bool str_list_equal(const struct str_list *a, const struct str_list *b)
{
    for (size_t i = 0; i < a->count && a->count == b->count; i++)
        if (!str_equal(a->items[i], b->items[i]))
            return false;
    return a->count == b->count;
}

#endif

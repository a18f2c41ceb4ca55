/* sources/names.h - a growing table from names to whatever the caller keeps under them. */
#ifndef SGP_SOURCES_NAMES_H
#define SGP_SOURCES_NAMES_H

#include "base/arena.h"

struct name_slot {
    struct str name;
    void *value;
};

/* Starts as { .arena = … }. The names must stay readable; the table itself lives in the arena. */
struct names {
    struct arena *arena;
    struct name_slot *slots;
    size_t capacity; /* 0 or a power of two */
    size_t count;
};

/* What is kept under `name`, or NULL. */
void *names_get(const struct names *names, struct str name);
/* Keeps `value`, which is not NULL, under `name`; what was there before is forgotten. */
result names_put(struct names *names, struct str name, void *value, struct err *err);

#endif

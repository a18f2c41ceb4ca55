/* base/shape.h - tables that say which member of a Kubernetes object goes to which field of a C struct. Plain data. */
#ifndef SGP_BASE_SHAPE_H
#define SGP_BASE_SHAPE_H

#include "base/str.h"

/* null is read as absent everywhere, as Kubernetes itself does. */
enum field_type {
    FIELD_STRING,     /* struct str; ptr NULL when absent */
    FIELD_BOOL,       /* bool; false when absent */
    FIELD_INTEGER,    /* struct integer */
    FIELD_STRINGS,    /* struct str_list */
    FIELD_MAP,        /* struct str_map: text to text, sorted by key */
    FIELD_QUANTITIES, /* struct str_map: text to text or number, which is kept as its text */
    FIELD_OBJECT,     /* a struct within the struct, described by `shape` */
    FIELD_POINTER,    /* a pointer to such a struct; NULL when absent */
    FIELD_LIST,       /* struct list of such structs */
    FIELD_RAW,        /* struct str: the value's JSON text; ptr NULL when absent */
};

struct integer {
    int64_t value;
    bool present;
};

struct str_pair {
    struct str key;
    struct str value;
};

struct str_map {
    struct str_pair *items; /* sorted by key, no key twice */
    size_t count;
    bool present; /* the map stood in the object, perhaps empty */
};

/* The layout of every list: a struct { struct thing *items; size_t count; } is read as one. */
struct list {
    void *items;
    size_t count;
};

struct shape;

struct field {
    struct str name; /* exactly, as in Kubernetes: case matters */
    enum field_type type;
    size_t offset;
    const struct shape *shape; /* FIELD_OBJECT, FIELD_POINTER, FIELD_LIST */
    unsigned char
        aside; /* from 1: a mismatch in here is kept in the reader's aside[aside - 1] and does not end the reading */
};

/* At most 64 fields. Members that no field names are skipped, but for `closed`. */
struct shape {
    const struct field *fields;
    size_t field_count;
    size_t size; /* of the struct */
    bool closed; /* the API has no other members: where readers are strict, one is a mismatch */
};

#define SHAPE_INIT(fields, type)                                                                                       \
    {                                                                                                                  \
        (fields), sizeof(fields) / sizeof((fields)[0]), sizeof(type), false                                            \
    }
#define CLOSED_SHAPE_INIT(fields, type)                                                                                \
    {                                                                                                                  \
        (fields), sizeof(fields) / sizeof((fields)[0]), sizeof(type), true                                             \
    }

#endif

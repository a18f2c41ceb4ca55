/* server/setting_value.h - from a value of the configuration file to its field of struct config, by the row. */
#ifndef SGP_SERVER_SETTING_VALUE_H
#define SGP_SERVER_SETTING_VALUE_H

#include "base/json.h"
#include "server/config.h"
#include "server/settings.h"

struct value_reader {
    struct arena *scratch; /* for what is of no use once the file was read */
    struct config *config; /* takes the values; their texts are copied to its arena */
    const char *at;        /* what is being looked at; after a failure what is at fault: a byte of the JSON text */
};

/* Sets the row's field to its default. */
result setting_default(const struct setting *row, struct config *config, struct err *err);
/* Sets the row's field to `value`, valid JSON; null leaves the default. ERR_INPUT: "limits.connections: 4 is out of
 * range, 8 to 100000". */
result setting_read(const struct setting *row, struct str value, struct value_reader *reader, struct err *err);
/* Whether both have the same value. */
bool setting_equal(const struct setting *row, const struct config *a, const struct config *b);

/* The members of an object; on a key that occurs twice, setting_walk_next() fails. */
struct setting_walk {
    struct json_members members;
    size_t next;
    const char *passed; /* the end of what was visited; the next key starts behind it */
};
/* Begins with a mapping, or with null, which is an empty one. ERR_INPUT: "limits: a number where a mapping belongs". */
result setting_walk_begin(struct setting_walk *walk, struct str path, struct str value, struct value_reader *reader,
                          struct err *err);
/* The next member, or NULL; reader->at is its key. */
const struct json_member *setting_walk_next(struct setting_walk *walk, struct value_reader *reader);
/* Whether an earlier member had the key of the one visited last. */
bool setting_walk_repeats(const struct setting_walk *walk);

/* A text from the file as a message may show it: short, and of one line. In scratch; empty when there is no memory. */
struct str value_shown(struct str text, struct value_reader *reader);

#endif

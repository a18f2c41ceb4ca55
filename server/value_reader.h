/* server/value_reader.h - looks at values of the configuration file and remembers where. For server/config.c. */
#ifndef SGP_SERVER_VALUE_READER_H
#define SGP_SERVER_VALUE_READER_H

#include "base/json.h"

struct value_reader {
    struct arena *scratch; /* for what is of no use once the file was read */
    const char *at;        /* the key or value being looked at, after a failure the one at fault: a byte of the text */
};

/* Looks at `value`, valid JSON. ERR_INPUT: "limits: a number where a mapping belongs". */
result value_expect(struct value_reader *reader, struct str path, struct str value, enum json_type type,
                    const char *expected, struct err *err);
/* Words from the file for a message: of one line, cut when they are long. In scratch. */
struct str value_shown(struct value_reader *reader, struct str text);

/* The members of a mapping, one after the other. No key occurs twice: the YAML would have been refused. */
struct value_walk {
    struct json_members members;
    size_t next;
    const char *passed; /* the next key starts somewhere behind it */
};

/* null is a mapping with all its members commented out. ERR_INPUT: it is something else. `path` is for the message. */
result value_walk_begin(struct value_reader *reader, struct str path, struct str value, struct value_walk *out,
                        struct err *err);
/* The next member, its key now looked at; NULL at the end. */
const struct json_member *value_walk_next(struct value_reader *reader, struct value_walk *walk);

#endif

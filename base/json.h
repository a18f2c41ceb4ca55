/* base/json.h - reads JSON (RFC 8259) in one pass into structs that a shape describes, and validates all of it. */
#ifndef SGP_BASE_JSON_H
#define SGP_BASE_JSON_H

#include "base/arena.h"
#include "base/shape.h"

/* As deep as Jansson reads; a value counts as a level. */
enum { JSON_MAX_DEPTH = 2048 };

struct json_input {
    struct str text;     /* must stay readable and unchanged as long as what was read from it is in use */
    struct arena *arena; /* takes lists, maps and strings that had escapes; other strings are slices of the text */
    bool strict;         /* a member that a closed shape does not name is a mismatch: for what people write by hand */
    struct err *aside; /* array: where the first mismatch in a field marked `aside` goes; NULL: these are like others */
    size_t error_offset; /* out, on failure and on a mismatch kept aside: the byte of the text at fault */
};

/* Reads the one object that `input->text` must hold into `out`, a zeroed struct of `shape`. ERR_INPUT: "expected , or ]
 * at byte 12" for broken JSON, "spec.containers[0].name: a number where a string belongs" for a mismatch. A member that
 * the shape names and that occurs twice is a mismatch too. Duplicate keys of maps likewise; of skipped objects they are
 * not looked for. On failure `out` is half filled. */
result json_read(struct json_input *input, const struct shape *shape, void *out, struct err *err);

/* Line and column, in characters, from 1, of a byte of the text. */
void json_position(struct str text, size_t offset, size_t *line, size_t *column);

/* Walking a value that FIELD_RAW delivered, which is valid already. Strings of keys and values come unescaped. */
enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };
enum json_type json_type_of(struct str value);
struct json_member {
    struct str key; /* unescaped; absent in an array */
    struct str value;
};
struct json_members {
    struct json_member *items;
    size_t count;
};
/* The members of an object or array, in their order, in the arena. */
result json_members(struct str value, struct arena *arena, struct json_members *out, struct err *err);
/* The text of a JSON string. */
result json_unescape(struct str value, struct arena *arena, struct str *out, struct err *err);

#endif

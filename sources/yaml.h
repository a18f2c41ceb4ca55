/* sources/yaml.h - YAML turned into JSON text, with the place in the YAML that each value came from. */
#ifndef SGP_SOURCES_YAML_H
#define SGP_SOURCES_YAML_H

#include "base/arena.h"

/* The value at this byte of the JSON text starts here in the YAML. */
struct yaml_mark {
    uint32_t offset;
    uint32_t line; /* from 1, as the column, which counts characters */
    uint32_t column;
};

struct yaml_json {
    struct str text;         /* one JSON value per document, each on a line of its own; an empty document is null */
    struct yaml_mark *marks; /* in the order of their offsets */
    size_t mark_count;
};

/* Resolves the YAML as kubectl does (sigs.k8s.io/yaml over go-yaml v2): YAML 1.1 words and numbers, aliases, merge
 * keys, keys that are no text. Numbers that are JSON already keep their digits. Stricter than that: a key that occurs
 * twice in a mapping is an error. `text` is UTF-8 without byte order mark and at most 256 MiB; the result lives in the
 * arena. ERR_INPUT: "LINE:COLUMN: what is wrong", also for aliases that expand beyond 16 MiB and eight times the text.
 */
result yaml_to_json(struct str text, struct arena *arena, struct yaml_json *out, struct err *err);
/* Where the key or value that holds this byte of the JSON text starts in the YAML. */
void yaml_position(const struct yaml_json *json, size_t offset, size_t *line, size_t *column);

#endif

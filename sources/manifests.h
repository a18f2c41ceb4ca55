/* sources/manifests.h - Kubernetes manifests as people have them: YAML or JSON, many documents to a file, kind: List.
 */
#ifndef SGP_SOURCES_MANIFESTS_H
#define SGP_SOURCES_MANIFESTS_H

#include "base/arena.h"
#include "base/shape.h"

/* The largest text that is read. */
enum { MANIFEST_MAX_BYTES = 256 * 1024 * 1024 };

struct manifest_file; /* knows which byte of the JSON text came from which line and column */

/* One object. Slices live in the arena of the list. */
struct manifest {
    const struct manifest_file *file;
    struct str json;  /* the object as JSON text; quantities and other numbers as written */
    size_t json_base; /* where `json` starts in the file's JSON text */
    struct str api_version;
    struct str kind;
    struct str name; /* metadata.name, or metadata.generateName */
    struct str namespace;
    size_t line; /* where the object starts, from 1 */
    size_t column;
};

struct manifest_list {
    struct arena *arena;
    struct manifest *items;
    size_t count;
    size_t capacity;
};

/* Appends the objects of one text; `file_name` is for messages ("-" is standard input). YAML is resolved as Kubernetes
 * resolves it (YAML 1.1 booleans, anchors, merge keys). A text that starts with { is JSON, also several values after
 * another, or else YAML in flow style; a file whose name ends in .json is JSON only. Empty documents are skipped; the
 * items of kind: List (and of any ...List with items) are objects of their own, of the kind and apiVersion of the list
 * where they do not say otherwise. ERR_INPUT: "FILE:LINE:COLUMN: what is wrong". On failure nothing is appended. */
result manifests_parse(struct manifest_list *list, struct str text, struct str file_name, struct err *err);
/* The same for a file, for every .yaml, .yml and .json file below a directory (names with a leading dot are left out,
 * in byte order of their paths), and for "-", standard input. A path that cannot be read is ERR_INPUT. */
result manifests_read(struct manifest_list *list, const char *path, struct err *err);
/* Reads one object into the struct of `shape`. ERR_INPUT: "FILE:LINE:COLUMN: field: a number where a string belongs".
 * Members that the API does not have are refused, where the shape is closed. */
result manifest_decode(const struct manifest *manifest, const struct shape *shape, struct arena *arena, void *out,
                       struct err *err);
/* Name of the file that the manifest came from. */
struct str manifest_file_name(const struct manifest *manifest);

#endif

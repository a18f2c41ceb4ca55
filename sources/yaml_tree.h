/* sources/yaml_tree.h - the documents of a YAML text as trees. For sources/yaml.c.
 * Built from libyaml's events and not by its own loader, which refuses an anchor that is defined anew, takes quadratic
 * time on many anchors and nests without bound. */
#ifndef SGP_SOURCES_YAML_TREE_H
#define SGP_SOURCES_YAML_TREE_H

#include "base/arena.h"

/* As deep as a document may be nested; also keeps libyaml, whose time grows with depth, fast. */
enum { YAML_MAX_DEPTH = 256 };

enum node_type { NODE_SCALAR, NODE_SEQUENCE, NODE_MAPPING };

/* The explicit tags that mean something to us. */
enum node_tag { TAG_NONE, TAG_STR, TAG_BOOL, TAG_INT, TAG_FLOAT, TAG_NULL, TAG_BINARY, TAG_MERGE, TAG_OTHER };

struct yaml_node;

/* A member of a mapping, or an element of a sequence, which has no key. */
struct yaml_item {
    const struct yaml_node *key;
    const struct yaml_node *value;
    struct yaml_item *previous;
    struct yaml_item *next;
};

/* An alias is the node that it stands for: a tree that shares branches, but never a loop. */
struct yaml_node {
    struct str text; /* of a scalar, NUL-terminated */
    struct yaml_item *first;
    struct yaml_item *last;
    uint32_t line; /* from 1 */
    uint32_t column;
    enum node_type type;
    enum node_tag tag;
    bool plain; /* a scalar without quotes */
    bool open;  /* while it is read */
};

struct yaml_reader;

/* `text` must stay readable. Owner: the caller, yaml_reader_free(). */
result yaml_reader_new(struct str text, struct yaml_reader **out, struct err *err);
void yaml_reader_free(struct yaml_reader *reader); /* safe on NULL */
static inline void yaml_reader_freep(struct yaml_reader **reader)
{
    yaml_reader_free(*reader);
}
/* The next document, in the arena; NULL after the last. ERR_INPUT: "LINE:COLUMN: what is wrong"; then do not go on. */
result yaml_reader_next(struct yaml_reader *reader, struct arena *arena, const struct yaml_node **root,
                        struct err *err);

#endif

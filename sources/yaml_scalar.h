/* sources/yaml_scalar.h - what a YAML scalar means, as kubectl resolves it. For sources/yaml.c. */
#ifndef SGP_SOURCES_YAML_SCALAR_H
#define SGP_SOURCES_YAML_SCALAR_H

#include "sources/yaml_tree.h"

enum scalar_type {
    SCALAR_TEXT,
    SCALAR_NULL,
    SCALAR_FALSE,
    SCALAR_TRUE,
    SCALAR_INT,
    SCALAR_FLOAT,
    SCALAR_NOT_FINITE, /* .inf, .nan: no JSON says that */
    SCALAR_MERGE,      /* <<, which is a text where it is no key */
};

struct scalar {
    enum scalar_type type;
    struct str text; /* as JSON writes it, without quotes; a number that is JSON already is kept to the digit */
};

/* ERR_INPUT, without a place: the scalar is not what its tag says. Source: sigs.k8s.io/yaml, goyaml.v2/resolve.go: YAML
 * 1.1 words, integers with 0b, 0o, 0x, a leading zero or underscores, floats; what has quotes is text. */
result scalar_resolve(const struct yaml_node *node, struct arena *arena, struct scalar *out, struct err *err);
/* The same as a mapping's key, which is a text in JSON: true for True, 16 for 0x10. ERR_INPUT for null, .inf, .nan. */
result scalar_key(const struct scalar *scalar, struct arena *arena, struct str *out, struct err *err);

#endif

/* policy/instance_types.h - how many branch network interfaces an EC2 instance type has. */
#ifndef SGP_POLICY_INSTANCE_TYPES_H
#define SGP_POLICY_INSTANCE_TYPES_H

#include "base/arena.h"

struct instance_type {
    struct str name;
    bool trunking;              /* can have a trunk interface, and so branches */
    unsigned branch_interfaces; /* 0 when it cannot */
};

/* Sorted by name. Immutable. */
struct instance_types {
    const struct instance_type *items;
    size_t count;
};

/* The table that is compiled in (policy/instance-types.tsv); tab-separated with a heading line. Static text. */
struct str instance_types_builtin(void);
/* Reads a table: heading line, then instance_type, trunking_compatible (true or false), branch_interfaces; further
 * columns are left alone, # starts a comment line. Copies into the arena. ERR_INPUT starts with the line number, "12:
 * ". */
result instance_types_parse(struct str text, struct arena *arena, struct instance_types *out, struct err *err);
/* The row, or NULL for a type that the table does not know. */
const struct instance_type *instance_types_find(const struct instance_types *types, struct str name);

#endif

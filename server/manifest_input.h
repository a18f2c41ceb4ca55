/* server/manifest_input.h - what check and explain read: manifests, the cluster that they would make, the rules. */
#ifndef SGP_SERVER_MANIFEST_INPUT_H
#define SGP_SERVER_MANIFEST_INPUT_H

#include "admission/workload.h"
#include "server/config.h"
#include "server/options.h"
#include "sources/cluster.h"

struct input_options {
    struct option_texts policies;
    const char *namespace; /* of objects that name none; NULL or empty: "default" */
    const char *config;    /* NULL: defaults */
};

/* Their rows in the option table of a command, whose struct holds them at `offset`. */
#define INPUT_POLICIES_ROW(offset)                                                                                     \
    {                                                                                                                  \
        "policies", 0, "PATH", "file or directory of what the cluster has already (repeatable)", OPTION_TEXTS,         \
            (offset) + offsetof(struct input_options, policies), 0, 0                                                  \
    }
#define INPUT_NAMESPACE_ROW(offset)                                                                                    \
    {                                                                                                                  \
        "namespace", 'n', "NAME", "namespace of objects that name none (default: default)", OPTION_TEXT,               \
            (offset) + offsetof(struct input_options, namespace), 0, 0                                                 \
    }
#define INPUT_CONFIG_ROW(offset)                                                                                       \
    {                                                                                                                  \
        "config", 0, "FILE", "configuration file of the server, for its checks and limits", OPTION_TEXT,               \
            (offset) + offsetof(struct input_options, config), 0, 0                                                    \
    }

/* Starts as { 0 }. */
struct input {
    struct arena arena; /* of everything the command needs */
    struct manifest_list manifests;
    size_t operand_count; /* the first of them are the operands', the rest was given by --policies only */
    struct str namespace; /* of objects that name none */
    struct store *store;
    struct config *config; /* settled: its rules are in force */
    struct cluster_report report;
};

/* Reads the operands and --policies, each file once however often it is named, and publishes all of it. Without
 * operands: ERR_INPUT with a hint. ERR_INPUT otherwise: "FILE:LINE:COLUMN: what is wrong". */
result input_read(const struct input_options *options, const struct option_texts *operands, struct input *input,
                  struct err *err);
/* What stands in the manifests but is not looked at, and what is odd in them: notes on standard error. */
void input_print_notes(struct input *input);
/* Safe on { 0 }. */
void input_free(struct input *input);

/* One manifest as far as it matters here. */
struct input_object {
    const struct manifest *manifest;
    struct str file;
    struct str namespace;
    const struct policy_object *policy; /* of a SecurityGroupPolicy, else NULL */
    const struct pod *pod;              /* a Pod, or the template of a workload, else NULL */
    struct str path;                    /* where the template stands; absent for a Pod */
};

/* Decodes the operands' manifest at `index`. Neither policy nor pod: it is of another kind, or a workload that another
 * workload made, which is looked at in its place. */
result input_object_read(struct input *input, size_t index, struct input_object *out, struct err *err);

#endif

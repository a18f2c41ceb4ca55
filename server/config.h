/* server/config.h - the configuration file: YAML, one row of a table for every setting. */
#ifndef SGP_SERVER_CONFIG_H
#define SGP_SERVER_CONFIG_H

#include "admission/rules.h"
#include "base/arena.h"
#include "server/log.h"

/* All settings, with their defaults or as the file says: server/settings.h describes each. Immutable once settled.
 * Texts live in the arena or are static, and end in a NUL. */
struct config {
    struct arena arena;
    struct str file;          /* the path it was read from; absent: defaults only */
    struct str listen;        /* ADDRESS:PORT of the admission port, ":9443" is every address */
    struct str health_listen; /* of the plain port */
    struct {
        struct str cert_file;
        struct str key_file;
        struct str client_ca_file; /* only clients with a certificate of it are answered */
        struct str self_signed;    /* a directory where a pair is made, and made again before it expires */
    } tls;
    struct str_list policies;       /* files and directories */
    struct str instance_types_file; /* replaces the table that is compiled in */
    struct str profile;             /* baseline or strict */
    struct str enforcing_mode;      /* strict or standard */
    bool windows_ipam;
    struct str workloads; /* warn or deny */
    struct str_list node_fields;
    int64_t groups_per_policy;
    int64_t groups_per_interface;
    int64_t body_bytes;
    int64_t connections;
    int64_t threads; /* 0: one per core */
    int64_t headers_s, request_s, idle_s, shutdown_delay_s;
    struct str log_level;
    struct str log_format;            /* auto, json or text */
    enum action actions[CHECK_COUNT]; /* valid where set */
    bool action_set[CHECK_COUNT];
    struct instance_types instance_types;
    struct rules rules; /* what decisions go by; points into this struct */
};

/* Defaults. Owner: the caller, config_free(). */
result config_new(struct config **out, struct err *err);
/* Defaults and the text over them; `file_name` is for messages. ERR_INPUT: "FILE:LINE:COLUMN: what is wrong", also for
 * unknown keys and wrong types. `*out` is written on success only. */
result config_parse(struct str text, struct str file_name, struct config **out, struct err *err);
/* The same for a file. ERR_INPUT: it cannot be read, too. */
result config_load(const char *path, struct config **out, struct err *err);
/* Reads the instance type file, where one is set, and fills `rules` from the settings: after the command line had its
 * say too. ERR_INPUT: "FILE:LINE: what is wrong" with the table, or two settings that do not go together. */
result config_settle(struct config *config, struct err *err);
/* Safe on NULL. */
void config_free(struct config *config);
static inline void config_freep(struct config **config)
{
    config_free(*config);
}
/* Names of the settings that differ and take effect only at the next start, joined by commas; empty: none. In the arena
 * of `next`. */
result config_restart_needed(const struct config *now, struct config *next, struct str *out, struct err *err);

#endif

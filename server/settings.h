/* server/settings.h - the schema of the configuration file: one row for every setting. */
#ifndef SGP_SERVER_SETTINGS_H
#define SGP_SERVER_SETTINGS_H

#include "base/str.h"

/* The field of struct config that a row's offset leads to. */
enum setting_type {
    SETTING_TEXT,    /* struct str; absent when the file leaves it empty, which a row with a default does not allow */
    SETTING_ONE_OF,  /* struct str, one of `choices` */
    SETTING_BOOL,    /* bool */
    SETTING_INTEGER, /* int64_t, `min` to `max` */
    SETTING_TEXTS,   /* struct str_list; no text is empty */
    SETTING_FIELDS,  /* struct str_list of paths into a Kubernetes object, e.g. metadata.labels[example.com/ */
    SETTING_ACTIONS, /* a mapping from ids of checks to actions: config.actions and config.action_set */
};

struct setting {
    struct str path; /* dotted: "limits.bodyBytes" is bodyBytes below limits */
    enum setting_type type;
    size_t offset;
    struct str fallback; /* the default, as the file would say it; absent: none, an empty list, the catalogue's */
    struct str_list choices;
    int64_t min, max;
    struct str unit; /* of a number; absent: it is a count */
    struct str help; /* one sentence for operators */
    bool restart;    /* a change takes effect at the next start only */
};

struct settings {
    const struct setting *rows;
    size_t count;
};

/* All of them, in the order of the documentation; static. */
struct settings settings_all(void);
/* The row with this dotted path, or NULL. */
const struct setting *setting_find(struct str path);
/* Whether the path is a mapping that settings stand below, such as "limits". */
bool setting_is_section(struct str path);
/* The dotted path of the setting or section that `key`, which is none, probably means: a similar key of the same
 * section (empty: the top), else the same key elsewhere. Absent: nothing is close. Static text. */
struct str setting_nearest(struct str section, struct str key);
/* The id of the check that `id`, which is none, probably means. Absent: nothing is close. */
struct str setting_nearest_check(struct str id);

#endif

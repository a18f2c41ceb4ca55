/* server/log.h - one line per event: its name from one table, its fields, nothing else. JSON, or text for a person. */
#ifndef SGP_SERVER_LOG_H
#define SGP_SERVER_LOG_H

#include "base/str.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Immutable once built; passed on; any thread. */
struct log {
    int fd;               /* a line is one write() to it */
    enum log_level level; /* events below it are not written */
    bool text;            /* lines for a terminal instead of JSON */
};

enum event {
    EVENT_LISTENING,
    EVENT_READY,
    EVENT_STOPPING,
    EVENT_STOPPED,
    EVENT_DENIED,
    EVENT_PATCHED,
    EVENT_ALLOWED,
    EVENT_REVIEW_UNREADABLE,
    EVENT_REVIEW_FAILED,
    EVENT_REQUEST_REFUSED,
    EVENT_CLIENT_REFUSED,
    EVENT_CLIENTS_SLOW,
    EVENT_HTTP_NOTE,
    EVENT_CONFIGURATION_LOADED,
    EVENT_CONFIGURATION_REFUSED,
    EVENT_SOURCE_LOADED,
    EVENT_SOURCE_FAILED,
    EVENT_SOURCE_REMARK,
    EVENT_KINDS_IGNORED,
    EVENT_CERTIFICATE_LOADED,
    EVENT_CERTIFICATE_REFUSED,
    EVENT_COUNT,
};

enum log_type { LOG_TYPE_TEXT, LOG_TYPE_LIST, LOG_TYPE_NUMBER, LOG_TYPE_FLAG };

struct log_field {
    const char *name;
    enum log_type type;
    struct str text; /* absent: the field is left out. Cut when it is very long */
    struct str_list list;
    int64_t number;
    bool flag;
};

static inline struct log_field log_text(const char *name, struct str text)
{
    return (struct log_field){ .name = name, .type = LOG_TYPE_TEXT, .text = text };
}

static inline struct log_field log_list(const char *name, struct str_list list)
{
    return (struct log_field){ .name = name, .type = LOG_TYPE_LIST, .list = list };
}

static inline struct log_field log_number(const char *name, int64_t number)
{
    return (struct log_field){ .name = name, .type = LOG_TYPE_NUMBER, .number = number };
}

static inline struct log_field log_flag(const char *name, bool flag)
{
    return (struct log_field){ .name = name, .type = LOG_TYPE_FLAG, .flag = flag };
}

/* Standard error: text when it is a terminal. */
struct log log_to_stderr(enum log_level level);
/* Whether the event would be written: for callers whose fields cost something. */
bool log_wants(const struct log *log, enum event event);
/* Writes the line; a line that cannot be written is lost. `fields` may be NULL when count is 0. */
void log_write(const struct log *log, enum event event, const struct log_field *fields, size_t count);
/* "error", "warn", "info", "debug"; false when it is none of them. */
bool log_level_find(struct str name, enum log_level *out);

/* log_event(log, EVENT_DENIED, log_text("uid", uid), log_flag("dryRun", dry_run)); */
#define log_event(log, event, ...)                                                                                     \
    log_write((log), (event), (const struct log_field[]){ __VA_ARGS__ },                                               \
              sizeof((const struct log_field[]){ __VA_ARGS__ }) / sizeof(struct log_field))

#endif

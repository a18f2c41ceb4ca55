#include "server/log.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "server/clock.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

/* Clients choose names and sentences: a line stays a line. */
enum { MAX_TEXT_BYTES = 1024, MAX_LIST_ITEMS = 32, MAX_LINE_MEMORY = 1024 * 1024 };

struct event_row {
    const char *name;
    enum log_level level;
    const char *sentence;
};

static const struct event_row events[EVENT_COUNT] = {
    [EVENT_LISTENING] = { "listening", LOG_INFO, "accepting connections" },
    [EVENT_READY] = { "ready", LOG_INFO, "every source was read and the certificate is valid" },
    [EVENT_STOPPING] = { "stopping", LOG_INFO, "not ready any more; requests are still answered for a while" },
    [EVENT_STOPPED] = { "stopped", LOG_INFO, "the server has ended" },
    [EVENT_DENIED] = { "denied", LOG_INFO, "a request was refused" },
    [EVENT_PATCHED] = { "patched", LOG_INFO, "a pod was changed" },
    [EVENT_ALLOWED] = { "allowed", LOG_DEBUG, "a request was allowed as it is" },
    [EVENT_REVIEW_UNREADABLE] = { "review-unreadable", LOG_INFO, "a body was no AdmissionReview" },
    [EVENT_REVIEW_FAILED] = { "review-failed", LOG_ERROR, "a review could not be answered" },
    [EVENT_REQUEST_REFUSED] = { "request-refused", LOG_DEBUG, "an HTTP request was refused" },
    [EVENT_CLIENT_REFUSED] = { "client-refused", LOG_WARN, "a client showed no certificate of the client CA" },
    [EVENT_CLIENTS_SLOW] = { "clients-slow", LOG_DEBUG, "connections were closed because their deadline had passed" },
    [EVENT_HTTP_NOTE] = { "http-note", LOG_DEBUG, "a remark of the HTTP library" },
    [EVENT_CONFIGURATION_LOADED] = { "configuration-loaded", LOG_INFO, "the configuration is in force" },
    [EVENT_CONFIGURATION_REFUSED] = { "configuration-refused", LOG_ERROR, "the configuration before stays in force" },
    [EVENT_SOURCE_LOADED] = { "source-loaded", LOG_INFO, "a source was read" },
    [EVENT_SOURCE_FAILED] = { "source-failed", LOG_ERROR, "a source could not be read; what it said before stays" },
    [EVENT_SOURCE_REMARK] = { "source-remark", LOG_WARN, "an object will not do what it looks like" },
    [EVENT_KINDS_IGNORED] = { "kinds-ignored", LOG_INFO, "objects of these kinds were left alone" },
    [EVENT_CERTIFICATE_LOADED] = { "certificate-loaded", LOG_INFO, "new connections get this certificate" },
    [EVENT_CERTIFICATE_REFUSED] = { "certificate-refused", LOG_ERROR, "the certificate before stays in use" },
};

static const struct level_row {
    struct str name;
    const char *padded;
} levels[] = {
    [LOG_ERROR] = { STR_INIT("error"), "ERROR" },
    [LOG_WARN] = { STR_INIT("warn"), "WARN " },
    [LOG_INFO] = { STR_INIT("info"), "INFO " },
    [LOG_DEBUG] = { STR_INIT("debug"), "DEBUG" },
};

struct log log_to_stderr(enum log_level level)
{
    return (struct log){ .fd = STDERR_FILENO, .level = level, .text = isatty(STDERR_FILENO) == 1 };
}

bool log_level_find(struct str name, enum log_level *out)
{
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        if (str_equal(levels[i].name, name)) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

bool log_wants(const struct log *log, enum event event)
{
    return events[event].level <= log->level;
}

/* RFC 3339, with milliseconds, in UTC. */
static void put_time(struct buf *line)
{
    char text[sizeof "2006-01-02T15:04:05"];
    int64_t now_ms = clock_wall_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm parts = { 0 };
    (void)gmtime_r(&seconds, &parts);
    (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    buf_print(line, "%s.%03dZ", text, (int)(now_ms % 1000));
}

static void put_text(struct buf *line, struct str text)
{
    bool cut = text.len > MAX_TEXT_BYTES;
    if (cut)
        text.len = utf8_cut(text.ptr, text.len, MAX_TEXT_BYTES);
    buf_put_json_string(line, text);
    if (cut) {
        /* the mark belongs inside of the quotes */
        line->len -= line->len > 0;
        buf_put(line, STR("…\""));
    }
}

static void put_list(struct buf *line, struct str_list list)
{
    buf_put_char(line, '[');
    for (size_t i = 0; i < list.count && i < MAX_LIST_ITEMS; i++) {
        if (i > 0)
            buf_put_char(line, ',');
        put_text(line, list.items[i]);
    }
    buf_put_char(line, ']');
}

static void put_value(struct buf *line, const struct log_field *field)
{
    switch (field->type) {
    case LOG_TYPE_TEXT: put_text(line, field->text); break;
    case LOG_TYPE_LIST: put_list(line, field->list); break;
    case LOG_TYPE_NUMBER: buf_print(line, "%" PRId64, field->number); break;
    case LOG_TYPE_FLAG: buf_put(line, str_of(field->flag ? "true" : "false")); break;
    }
}

static bool is_present(const struct log_field *field)
{
    return (field->type != LOG_TYPE_TEXT || field->text.ptr) && (field->type != LOG_TYPE_LIST || field->list.count);
}

static void put_fields(struct buf *line, const char *before, const char *between, const struct log_field *fields,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_present(&fields[i]))
            continue;
        buf_print(line, "%s%s%s", before, fields[i].name, between);
        put_value(line, &fields[i]);
    }
}

static void put_json(struct buf *line, const struct event_row *row, const struct log_field *fields, size_t count)
{
    buf_put(line, STR("{\"time\":\""));
    put_time(line);
    buf_print(line, "\",\"level\":\"%s\",\"event\":\"%s\",\"message\":\"%s\"", levels[row->level].name.ptr, row->name,
              row->sentence);
    put_fields(line, ",\"", "\":", fields, count);
    buf_put(line, STR("}\n"));
}

static void put_words(struct buf *line, const struct event_row *row, const struct log_field *fields, size_t count)
{
    put_time(line);
    buf_print(line, " %s %s: %s", levels[row->level].padded, row->name, row->sentence);
    put_fields(line, " ", "=", fields, count);
    buf_put_char(line, '\n');
}

/* In one call, so that the lines of several threads stay apart. */
static void write_line(int fd, struct str text)
{
    ssize_t written = 0;
    do {
        written = write(fd, text.ptr, text.len);
    } while (written < 0 && errno == EINTR);
}

void log_write(const struct log *log, enum event event, const struct log_field *fields, size_t count)
{
    struct arena arena = { .ceiling_bytes = MAX_LINE_MEMORY };
    struct buf line = buf_in(&arena);
    struct str text = { 0 };
    struct err err = { 0 };
    assert(event < EVENT_COUNT);
    if (!log_wants(log, event))
        return;
    if (log->text)
        put_words(&line, &events[event], fields, count);
    else
        put_json(&line, &events[event], fields, count);
    if (buf_finish(&line, &text, &err).ok)
        write_line(log->fd, text);
    arena_free(&arena);
}

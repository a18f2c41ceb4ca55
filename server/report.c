#include "server/report.h"

#include "base/utf8.h"
#include "server/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BOLD "\033[1m"
#define RED "\033[31m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"
#define REPLACEMENT STR("\xEF\xBF\xBD")

/* The length of what stands at `at`. `plain`: a character that every terminal and XML 1.0 can show; not the control
 * characters below U+0020 and from U+007F to U+009F, nor U+FFFE and U+FFFF. */
static size_t next_character(const char *at, const char *end, bool *plain)
{
    const unsigned char *c = (const unsigned char *)at;
    size_t len = utf8_sequence(at, end);
    *plain = len > 0 && c[0] >= 0x20 && c[0] != 0x7F && !(len == 2 && c[0] == 0xC2 && c[1] < 0xA0) &&
             !(len == 3 && c[0] == 0xEF && c[1] == 0xBF && c[2] >= 0xBE);
    return len ? len : 1;
}

void report_put_plain(struct buf *out, struct str text)
{
    const char *at = text.ptr ? text.ptr : "", *end = at + text.len;
    bool plain = false;
    while (at < end) {
        size_t len = next_character(at, end, &plain);
        buf_put(out, plain ? (struct str){ at, len } : REPLACEMENT);
        at += len;
    }
}

static void put_colour(struct buf *out, bool colour, const char *code)
{
    if (colour)
        buf_put(out, str_of(code));
}

/* "Deployment shop/web". */
static void put_object(const struct report_object *object, struct buf *out)
{
    report_put_plain(out, object->kind);
    buf_put_char(out, ' ');
    report_put_plain(out, object->namespace);
    buf_put_char(out, '/');
    report_put_plain(out, object->name);
}

void report_put_heading(const struct report_object *object, bool colour, struct buf *out)
{
    put_colour(out, colour, BOLD);
    report_put_plain(out, object->file);
    buf_print(out, ":%zu: ", object->line);
    put_object(object, out);
    put_colour(out, colour, PLAIN);
}

/* "spec.hostNetwork: what is wrong [pod-host-network]". */
static void put_sentence(const struct finding *finding, struct buf *out)
{
    report_put_plain(out, finding->field);
    buf_put(out, STR(": "));
    report_put_plain(out, finding->message);
    buf_put(out, STR(" ["));
    buf_put(out, check_row(finding->check)->id);
    buf_put_char(out, ']');
}

void report_put_finding(const struct finding *finding, bool colour, struct buf *out)
{
    buf_put(out, STR("  "));
    put_colour(out, colour, finding->action == ACTION_DENY ? RED : YELLOW);
    buf_put(out, str_of(action_name(finding->action)));
    put_colour(out, colour, PLAIN);
    buf_put(out, STR("  "));
    put_sentence(finding, out);
    buf_put_char(out, '\n');
    if (finding->remedy.len == 0)
        return;
    buf_put(out, STR("        remedy: "));
    report_put_plain(out, finding->remedy);
    buf_put_char(out, '\n');
}

bool report_object_fails(const struct report *report, const struct report_object *object)
{
    return findings_with(&object->findings, ACTION_DENY) > 0 || (report->fail_on_warn && object->findings.count > 0);
}

static size_t count_findings(const struct report *report, enum action action)
{
    size_t count = 0;
    for (size_t i = 0; i < report->count; i++)
        count += findings_with(&report->objects[i].findings, action);
    return count;
}

static void put_count(struct buf *out, size_t count, const char *noun)
{
    if (count)
        buf_print(out, "%zu %s%s", count, noun, count == 1 ? "" : "s");
    else
        buf_print(out, "no %ss", noun);
}

static void put_summary(const struct report *report, struct buf *out)
{
    size_t refused = 0, warned = count_findings(report, ACTION_WARN);
    for (size_t i = 0; i < report->count; i++)
        refused += findings_with(&report->objects[i].findings, ACTION_DENY) > 0;
    if (refused || warned) {
        put_count(out, refused, "object");
        buf_put(out, STR(" refused, "));
        put_count(out, warned, "warning");
        buf_put(out, STR(" in "));
        put_count(out, report->count, "object");
    } else {
        put_count(out, report->count, "object");
        buf_put(out, STR(", no findings"));
    }
    buf_put_char(out, '\n');
}

static void put_text(const struct report *report, struct buf *out)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct report_object *object = &report->objects[i];
        if (object->findings.count == 0)
            continue;
        report_put_heading(object, report->colour, out);
        buf_put_char(out, '\n');
        for (size_t j = 0; j < object->findings.count; j++)
            report_put_finding(&object->findings.items[j], report->colour, out);
        buf_put_char(out, '\n');
    }
    put_summary(report, out);
}

static void put_json_finding(const struct report_object *object, const struct finding *finding, struct buf *out)
{
    const struct {
        const char *name;
        struct str value;
    } members[] = {
        { "check", check_row(finding->check)->id },
        { "action", str_of(action_name(finding->action)) },
        { "kind", object->kind },
        { "namespace", object->namespace },
        { "name", object->name },
        { "field", finding->field },
        { "message", finding->message },
        { "remedy", finding->remedy },
        { "file", object->file },
    };
    buf_put_char(out, '{');
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        buf_print(out, "\"%s\":", members[i].name);
        buf_put_json_string(out, members[i].value);
        buf_put_char(out, ',');
    }
    buf_print(out, "\"line\":%zu}", object->line);
}

static void put_json(const struct report *report, struct buf *out)
{
    size_t written = 0;
    buf_put(out, STR("{\"findings\":["));
    for (size_t i = 0; i < report->count; i++) {
        for (size_t j = 0; j < report->objects[i].findings.count; j++) {
            buf_put(out, written++ ? STR(",") : STR(""));
            put_json_finding(&report->objects[i], &report->objects[i].findings.items[j], out);
        }
    }
    buf_print(out, "],\"denied\":%zu,\"warned\":%zu}\n", count_findings(report, ACTION_DENY),
              count_findings(report, ACTION_WARN));
}

/* For the content of elements and for attributes in double quotes. */
static void put_xml(struct buf *out, struct str text)
{
    static const struct {
        char character;
        struct str entity;
    } entities[] = {
        { '&', STR_INIT("&amp;") }, { '<', STR_INIT("&lt;") }, { '>', STR_INIT("&gt;") }, { '"', STR_INIT("&quot;") }
    };
    struct buf plain = buf_in(out->arena);
    report_put_plain(&plain, text);
    if (plain.failure.kind)
        out->failure = plain.failure;
    for (size_t i = 0; i < plain.len; i++) {
        struct str piece = { plain.data + i, 1 };
        for (size_t j = 0; j < sizeof entities / sizeof entities[0]; j++)
            if (plain.data[i] == entities[j].character)
                piece = entities[j].entity;
        buf_put(out, piece);
    }
}

/* What was written aside, escaped. */
static void put_xml_buf(struct buf *out, struct buf *text)
{
    struct str written = { 0 };
    struct err err = { 0 };
    if (buf_finish(text, &written, &err).ok)
        put_xml(out, written);
    else
        out->failure = err;
}

static void put_xml_sentence(struct buf *out, const struct finding *finding)
{
    struct buf sentence = buf_in(out->arena);
    put_sentence(finding, &sentence);
    put_xml_buf(out, &sentence);
}

static bool finding_fails(const struct report *report, const struct finding *finding)
{
    return finding->action == ACTION_DENY || report->fail_on_warn;
}

/* A line for each finding that fails, or for each that does not. */
static void put_xml_lines(const struct report *report, const struct findings *findings, bool failing, struct buf *out)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        if (finding_fails(report, finding) != failing)
            continue;
        buf_print(out, "%s: ", action_name(finding->action));
        put_xml_sentence(out, finding);
        buf_put(out, finding->remedy.len ? STR("\n  remedy: ") : STR(""));
        put_xml(out, finding->remedy);
        buf_put_char(out, '\n');
    }
}

/* One failure with all its findings: most readers of the format show only the first of several. */
static void put_xml_failure(const struct report *report, const struct findings *findings, struct buf *out)
{
    size_t first = 0;
    while (!finding_fails(report, &findings->items[first]))
        first++;
    buf_put(out, STR("    <failure type=\""));
    put_xml(out, check_row(findings->items[first].check)->id);
    buf_put(out, STR("\" message=\""));
    put_xml_sentence(out, &findings->items[first]);
    buf_put(out, STR("\">"));
    put_xml_lines(report, findings, true, out);
    buf_put(out, STR("</failure>\n"));
}

static void put_test_case(const struct report *report, const struct report_object *object, struct buf *out)
{
    struct buf name = buf_in(out->arena);
    put_object(object, &name);
    buf_put(out, STR("  <testcase classname=\""));
    put_xml(out, object->file);
    buf_put(out, STR("\" name=\""));
    put_xml_buf(out, &name);
    buf_put(out, STR("\" file=\""));
    put_xml(out, object->file);
    buf_print(out, "\" line=\"%zu\">\n", object->line);
    if (report_object_fails(report, object))
        put_xml_failure(report, &object->findings, out);
    if (!report->fail_on_warn && findings_with(&object->findings, ACTION_WARN)) {
        buf_put(out, STR("    <system-out>"));
        put_xml_lines(report, &object->findings, false, out);
        buf_put(out, STR("</system-out>\n"));
    }
    buf_put(out, STR("  </testcase>\n"));
}

static void put_junit(const struct report *report, struct buf *out)
{
    size_t failures = 0;
    for (size_t i = 0; i < report->count; i++)
        failures += report_object_fails(report, &report->objects[i]);
    buf_put(out, STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
    buf_print(out, "<testsuite name=\"sgp-webhook check\" tests=\"%zu\" failures=\"%zu\" errors=\"0\">\n",
              report->count, failures);
    for (size_t i = 0; i < report->count; i++)
        put_test_case(report, &report->objects[i], out);
    buf_put(out, STR("</testsuite>\n"));
}

void report_put(const struct report *report, enum report_format format, struct buf *out)
{
    static void (*const put[])(const struct report *, struct buf *) = {
        [REPORT_TEXT] = put_text,
        [REPORT_JSON] = put_json,
        [REPORT_JUNIT] = put_junit,
    };
    put[format](report, out);
}

bool report_colour(void)
{
    const char *unwanted = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && !(unwanted && *unwanted);
}

result report_choice(const char *option, const char *text, const char *const *choices, size_t *out, struct err *err)
{
    char list[80] = "";
    for (size_t i = 0; choices[i]; i++) {
        if (strcmp(choices[i], text) == 0) {
            *out = i;
            return DONE;
        }
        size_t len = strlen(list);
        (void)snprintf(list + len, sizeof list - len, "%s%s", i == 0 ? "" : choices[i + 1] ? ", " : " or ", choices[i]);
    }
    return err_set(err, ERR_INPUT, "%s: '%s' is not %s", option, text, list);
}

result report_print(struct str text, struct err *err)
{
    size_t written = text.len ? fwrite(text.ptr, 1, text.len, stdout) : 0;
    ENSURE(written == text.len && fflush(stdout) == 0, err, ERR_INTERNAL, "standard output: %s", strerror(errno));
    return DONE;
}

void report_note(struct str text, struct arena *arena)
{
    struct buf line = buf_in(arena);
    report_put_plain(&line, text);
    fprintf(stderr, "sgp-webhook: note: %.*s\n", (int)line.len, line.len ? line.data : "");
}

int report_failure(const struct err *err)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct buf line = buf_in(&arena);
    report_put_plain(&line, str_of(err->msg));
    fprintf(stderr, "sgp-webhook: %.*s\n", (int)line.len, line.len ? line.data : "");
    return EXIT_UNUSABLE;
}

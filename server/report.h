/* server/report.h - how the commands for people and for CI print: findings in three formats, notes, failures. */
#ifndef SGP_SERVER_REPORT_H
#define SGP_SERVER_REPORT_H

#include "admission/findings.h"
#include "base/buf.h"

enum report_format { REPORT_TEXT, REPORT_JSON, REPORT_JUNIT };

/* An object that was checked, found fault with or not. */
struct report_object {
    struct str file; /* "-": standard input */
    size_t line;
    struct str kind;
    struct str namespace;
    struct str name;
    struct findings findings;
};

struct report {
    const struct report_object *objects;
    size_t count;
    bool fail_on_warn; /* warnings are failures, too */
    bool colour;       /* text only */
};

/* Whether the object fails a run: it is refused, or warned of where warnings fail. */
bool report_object_fails(const struct report *report, const struct report_object *object);
/* The whole report, ending with a newline.
 * Text: for people, only objects with findings, and a last line with the counts.
 * JSON: { findings: [{ check, action, kind, namespace, name, field, message, remedy, file, line }], denied, warned }.
 * JUnit: a test suite with one test case per object, XML 1.0. */
void report_put(const struct report *report, enum report_format format, struct buf *out);

/* "web.yaml:12: Deployment shop/web". */
void report_put_heading(const struct report_object *object, bool colour, struct buf *out);
/* One finding as text, indented below its object's heading, with its remedy on a line of its own. */
void report_put_finding(const struct finding *finding, bool colour, struct buf *out);
/* Text from a manifest for a terminal: what is no character, or could steer it, line ends too, becomes U+FFFD. */
void report_put_plain(struct buf *out, struct str text);

/* Whether standard output is a terminal that wants colour. Source: no-color.org. */
bool report_colour(void);
/* The index of `text` in `choices`, which NULL ends. ERR_INPUT names the option and the choices. */
result report_choice(const char *option, const char *text, const char *const *choices, size_t *out, struct err *err);
/* Writes all of it to standard output. */
result report_print(struct str text, struct err *err);
/* "sgp-webhook: note: …" on standard error. */
void report_note(struct str text, struct arena *arena);
/* "sgp-webhook: …" on standard error, and the exit code for it. */
int report_failure(const struct err *err);

#endif

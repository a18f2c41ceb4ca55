#include "admission/inspect.h"
#include "server/commands.h"
#include "server/manifest_input.h"
#include "server/report.h"

#include <stdio.h>

struct check_options {
    struct input_options input;
    const char *output;
    const char *fail_on;
};

static const struct option_row rows[] = {
    INPUT_POLICIES_ROW(offsetof(struct check_options, input)),
    INPUT_NAMESPACE_ROW(offsetof(struct check_options, input)),
    INPUT_CONFIG_ROW(offsetof(struct check_options, input)),
    { "output", 'o', "FORMAT", "text, json or junit (default: text)", OPTION_TEXT,
      offsetof(struct check_options, output), 0, 0 },
    { "fail-on", 0, "ACTION", "what makes the exit code 1: deny or warn (default: deny)", OPTION_TEXT,
      offsetof(struct check_options, fail_on), 0, 0 },
};

static const struct command_help help = {
    .name = "check",
    .operands = "FILE|DIR|-...",
    .summary =
        "Checks SecurityGroupPolicies, pods and the pod templates of workloads as the webhooks would, without a\n"
        "cluster: helm template . | sgp-webhook check -",
    .epilogue =
        "Policies and service accounts of the same files count, and those of --policies, which are not checked.\n"
        "Exit codes: 0 clean, 1 refused (or warned of, with --fail-on warn), 2 unusable input or options.",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
};

static result check_object(const struct input_object *object, struct input *input, struct decision *out,
                           struct err *err)
{
    struct namespace_view view = { 0 };
    const struct decide_context context = { &view, &input->config->rules, &input->arena, object->namespace };
    store_view(input->store, object->namespace, &view);
    if (object->policy)
        return inspect_policy(&context, &object->policy->spec, out, err);
    return pod_is_mirror(object->pod) ? DONE : inspect_pod(&context, object->pod, object->path, out, err);
}

static struct report_object reported(const struct input_object *object, const struct findings *findings)
{
    return (struct report_object){
        .file = object->file,
        .line = object->manifest->line,
        .kind = object->manifest->kind,
        .namespace = object->namespace,
        .name = object->manifest->name,
        .findings = *findings,
    };
}

/* Within a read scope, in which the report has to be written, too: it cites the store. */
static result check_objects(struct input *input, struct report *report, struct err *err)
{
    struct report_object *objects = NULL;
    GUARD(arena_take_array(&input->arena, input->operand_count, sizeof *objects, &objects, err));
    report->objects = objects;
    for (size_t i = 0; i < input->operand_count; i++) {
        struct input_object object = { 0 };
        struct decision decision = { .findings.arena = &input->arena };
        GUARD(input_object_read(input, i, &object, err));
        if (!object.policy && !object.pod)
            continue;
        GUARD(check_object(&object, input, &decision, err));
        objects[report->count++] = reported(&object, &decision.findings);
    }
    return DONE;
}

static result write_report(struct input *input, struct report *report, enum report_format format, struct str *out,
                           struct err *err)
{
    struct buf text = buf_in(&input->arena);
    STORE_READ_SCOPE();
    GUARD(check_objects(input, report, err));
    report_put(report, format, &text);
    return buf_finish(&text, out, err);
}

static result choose(const struct check_options *options, size_t *format, bool *fail_on_warn, struct err *err)
{
    static const char *const formats[] = { "text", "json", "junit", NULL }; /* as enum report_format */
    static const char *const actions[] = { "deny", "warn", NULL };
    size_t action = 0;
    GUARD(report_choice("--output", options->output, formats, format, err));
    GUARD(report_choice("--fail-on", options->fail_on, actions, &action, err));
    *fail_on_warn = action == 1;
    return DONE;
}

static result check(const struct check_options *options, const struct option_texts *operands, struct input *input,
                    bool *failed, struct err *err)
{
    struct report report = { .colour = report_colour() };
    struct str text = { 0 };
    size_t format = REPORT_TEXT;
    GUARD(choose(options, &format, &report.fail_on_warn, err));
    GUARD(input_read(&options->input, operands, input, err));
    GUARD(write_report(input, &report, (enum report_format)format, &text, err));
    input_print_notes(input);
    for (size_t i = 0; i < report.count; i++)
        *failed |= report_object_fails(&report, &report.objects[i]);
    if (report.count == 0)
        report_note(STR("no policy, pod or workload to check"), &input->arena);
    return report_print(text, err);
}

int command_check(int argc, char **argv)
{
    CLEANUP(input_free) struct input input = { 0 };
    struct check_options options = { .output = "text", .fail_on = "deny" };
    struct option_texts operands = { 0 };
    struct err err = { 0 };
    bool failed = false;
    switch (options_read(&help, argc, argv, &input.arena, &options, &operands)) {
    case OPTIONS_WRONG: return EXIT_UNUSABLE;
    case OPTIONS_HELP_PRINTED: return EXIT_CLEAN;
    case OPTIONS_READ: break;
    }
    if (!check(&options, &operands, &input, &failed, &err).ok)
        return report_failure(&err);
    return failed ? EXIT_REFUSED : EXIT_CLEAN;
}

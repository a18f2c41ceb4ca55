#include "admission/inspect.h"
#include "base/json.h"
#include "server/commands.h"
#include "server/manifest_input.h"
#include "server/report.h"

struct explain_options {
    struct input_options input;
    const char *output;
};

static const struct option_row rows[] = {
    INPUT_POLICIES_ROW(offsetof(struct explain_options, input)),
    INPUT_NAMESPACE_ROW(offsetof(struct explain_options, input)),
    INPUT_CONFIG_ROW(offsetof(struct explain_options, input)),
    { "output", 'o', "FORMAT", "text or json (default: text)", OPTION_TEXT, offsetof(struct explain_options, output), 0,
      0 },
};

static const struct command_help help = {
    .name = "explain",
    .operands = "FILE|DIR|-...",
    .summary = "Says of each pod, and of each pod template, which policies of its namespace select it and why, which\n"
               "do not and why not, the security groups it gets, and how the mutating webhook patches it.",
    .epilogue = "Exit codes: 0 explained, 2 unusable input or options.",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
};

enum verdict { VERDICT_MATCHES, VERDICT_DIFFERS, VERDICT_IGNORED, VERDICT_UNKNOWN };

static const char *const verdict_words[] = {
    [VERDICT_MATCHES] = "matches",
    [VERDICT_DIFFERS] = "does not match",
    [VERDICT_IGNORED] = "ignored",
    [VERDICT_UNKNOWN] = "unknown",
};

/* What one policy makes of the pod. */
struct opinion {
    const struct policy *policy;
    enum verdict verdict;
    struct str reason;
};

struct explanation {
    struct input_object object;
    struct namespace_view view;
    const struct account *account; /* the pod's; NULL: not known */
    struct opinion *opinions;      /* one per policy of the namespace */
    struct decision decision;      /* of the mutation */
    const char *unpatched;         /* why there is no patch; NULL: there is one */
};

/* "podSelector role=web" */
static result put_selector(const char *field, const struct selector *selector, struct buf *out, struct err *err)
{
    struct str text = { 0 };
    if (!selector)
        return DONE;
    GUARD(selector_text(selector, out->arena, &text, err));
    buf_print(out, "%s%s ", out->len ? " and " : "", field);
    buf_put(out, selector_empty(selector) ? STR("{}, everything") : text);
    return DONE;
}

static result explain_match(const struct policy *policy, struct arena *arena, struct str *out, struct err *err)
{
    struct buf text = buf_in(arena);
    GUARD(put_selector("podSelector", policy->pod_selector, &text, err));
    GUARD(put_selector("serviceAccountSelector", policy->account_selector, &text, err));
    return buf_finish(&text, out, err);
}

static result explain_difference(const struct explanation *explanation, const struct policy *policy,
                                 struct arena *arena, struct str *out, struct err *err)
{
    struct buf text = buf_in(arena);
    struct str unmet = { 0 };
    if (policy->pod_selector)
        GUARD(selector_unmet(policy->pod_selector, pod_labels(explanation->object.pod), arena, &unmet, err));
    if (!unmet.ptr && policy->account_selector && explanation->account) {
        buf_put(&text, STR("serviceAccountSelector wants "));
        GUARD(selector_unmet(policy->account_selector, &explanation->account->labels, arena, &unmet, err));
    } else {
        buf_put(&text, STR("podSelector wants "));
    }
    buf_put(&text, unmet);
    return buf_finish(&text, out, err);
}

static result form_opinion(const struct explanation *explanation, const struct policy *policy, struct arena *arena,
                           struct opinion *out, struct err *err)
{
    const struct pod *pod = explanation->object.pod;
    struct str account = pod_account_name(pod);
    out->policy = policy;
    out->reason = str_of(policy_inert(policy));
    out->verdict = VERDICT_IGNORED;
    if (out->reason.ptr)
        return DONE;
    switch (policy_matches(policy, pod_labels(pod), explanation->account)) {
    case MATCH_YES: out->verdict = VERDICT_MATCHES; return explain_match(policy, arena, &out->reason, err);
    case MATCH_NO:
        out->verdict = VERDICT_DIFFERS;
        return explain_difference(explanation, policy, arena, &out->reason, err);
    case MATCH_UNKNOWN: out->verdict = VERDICT_UNKNOWN; break;
    }
    return arena_print(arena, &out->reason, err, "service account %.*s is not in the manifests", STR_ARGS(account));
}

static bool of_mirror(const struct explanation *explanation)
{
    return pod_is_mirror(explanation->object.pod);
}

static bool of_undecided(const struct explanation *explanation)
{
    bool unknown = false;
    for (size_t i = 0; i < explanation->view.policies->count; i++)
        unknown |= explanation->opinions[i].verdict == VERDICT_UNKNOWN;
    return unknown && explanation->decision.policies.count == 0;
}

static bool of_unselected(const struct explanation *explanation)
{
    return explanation->decision.policies.count == 0;
}

static bool of_fargate(const struct explanation *explanation)
{
    return pod_is_fargate(explanation->object.pod);
}

static bool of_host_network(const struct explanation *explanation)
{
    return explanation->object.pod->spec.host_network;
}

static bool of_windows(const struct explanation *explanation)
{
    return pod_windows_field(explanation->object.pod).ptr != NULL;
}

static bool without_containers(const struct explanation *explanation)
{
    return explanation->object.pod->spec.containers.count == 0;
}

static const char *why_unpatched(const struct explanation *explanation)
{
    static const struct {
        bool (*holds)(const struct explanation *explanation);
        const char *reason;
    } reasons[] = {
        { of_mirror, "the copy of a static pod is left alone" },
        { of_undecided, "no policy is known to select the pod" },
        { of_unselected, "no policy selects the pod" },
        { of_fargate, "a Fargate pod that has its annotation already, or Fargate pods are to be left alone" },
        { of_host_network, "hostNetwork: the pod has its node's security groups" },
        { of_windows, "a Windows pod has no security groups of its own" },
        { without_containers, "the pod has no containers" },
    };
    if (explanation->decision.patch.ptr)
        return NULL;
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].holds(explanation))
            return reasons[i].reason;
    return "the pod requests " BRANCH_RESOURCE " already";
}

/* What the checks find, and the patch; what the mutation warns of is among the findings already. */
static result decide(const struct decide_context *context, struct explanation *out, struct err *err)
{
    struct decision mutation = { .findings.arena = context->arena };
    GUARD(inspect_pod(context, out->object.pod, out->object.path, &out->decision, err));
    GUARD(inspect_mutation(context, out->object.pod, &mutation, err));
    out->decision.patch = mutation.patch;
    return DONE;
}

static result explain_pod(struct input *input, struct explanation *out, struct err *err)
{
    static const struct account default_account = { .name = STR_INIT("default") };
    const struct pod *pod = out->object.pod;
    const struct decide_context context = { &out->view, &input->config->rules, &input->arena, out->object.namespace };
    store_view(input->store, out->object.namespace, &out->view);
    const struct policy_set *set = out->view.policies;
    out->account = namespace_account(&out->view, pod_account_name(pod));
    if (!out->account && str_is(pod_account_name(pod), "default"))
        out->account = &default_account; /* exists in a namespace of which no manifest speaks, too */
    out->decision.findings.arena = &input->arena;
    GUARD(arena_take_array(&input->arena, set->count, sizeof *out->opinions, &out->opinions, err));
    for (size_t i = 0; i < set->count; i++)
        GUARD(form_opinion(out, &set->policies[i], &input->arena, &out->opinions[i], err));
    if (!pod_is_mirror(pod))
        GUARD(decide(&context, out, err));
    out->unpatched = why_unpatched(out);
    return DONE;
}

static void put_labels(const struct str_map *labels, struct buf *out)
{
    for (size_t i = 0; i < labels->count; i++) {
        buf_put(out, i ? STR(", ") : STR(""));
        report_put_plain(out, labels->items[i].key);
        buf_put_char(out, '=');
        report_put_plain(out, labels->items[i].value);
    }
    if (labels->count == 0)
        buf_put(out, STR("none"));
}

static void put_text_subject(const struct explanation *explanation, bool colour, struct buf *out)
{
    const struct input_object *object = &explanation->object;
    const struct report_object heading = { .file = object->file,
                                           .line = object->manifest->line,
                                           .kind = object->manifest->kind,
                                           .namespace = object->namespace,
                                           .name = object->manifest->name };
    report_put_heading(&heading, colour, out);
    if (object->path.len)
        buf_print(out, " (%.*s)", STR_ARGS(object->path));
    buf_put(out, STR("\n  labels: "));
    put_labels(pod_labels(object->pod), out);
    buf_put(out, STR("\n  service account: "));
    report_put_plain(out, pod_account_name(object->pod));
    buf_put(out, explanation->account ? STR(", labels: ") : STR(", not in the manifests"));
    if (explanation->account)
        put_labels(&explanation->account->labels, out);
    buf_put_char(out, '\n');
}

static void put_text_opinions(const struct explanation *explanation, struct buf *out)
{
    size_t count = explanation->view.policies->count;
    buf_put(out, count ? STR("  policies:") : STR("  policies: none in namespace "));
    report_put_plain(out, count ? STR("") : explanation->object.namespace);
    buf_put_char(out, '\n');
    for (size_t i = 0; i < count; i++) {
        const struct opinion *opinion = &explanation->opinions[i];
        buf_print(out, "    %-14s  ", verdict_words[opinion->verdict]);
        report_put_plain(out, opinion->policy->name);
        buf_put(out, STR(": "));
        report_put_plain(out, opinion->reason);
        buf_put_char(out, '\n');
    }
}

/* Calls `put` for the name of each matching policy that names the group. */
static void put_givers(const struct explanation *explanation, struct str group,
                       void (*put)(struct buf *out, struct str text), const char *separator, struct buf *out)
{
    size_t written = 0;
    for (size_t i = 0; i < explanation->view.policies->count; i++) {
        const struct opinion *opinion = &explanation->opinions[i];
        if (opinion->verdict != VERDICT_MATCHES || !str_list_has(&opinion->policy->groups, group))
            continue;
        buf_put(out, str_of(written++ ? separator : ""));
        put(out, opinion->policy->name);
    }
}

static void put_text_groups(const struct explanation *explanation, struct buf *out)
{
    const struct str_list *groups = &explanation->decision.groups;
    buf_put(out, groups->count ? STR("  security groups:\n") : STR("  security groups: none of its own\n"));
    for (size_t i = 0; i < groups->count; i++) {
        buf_put(out, STR("    "));
        report_put_plain(out, groups->items[i]);
        buf_put(out, STR(", by "));
        put_givers(explanation, groups->items[i], report_put_plain, ", ", out);
        buf_put_char(out, '\n');
    }
}

struct operation_text {
    struct str op;
    struct str path;
    struct str value; /* JSON; absent for "remove" */
};

static result put_operation(struct str json, struct buf *out, struct err *err)
{
    static const struct field fields[] = {
        { STR_INIT("op"), FIELD_STRING, offsetof(struct operation_text, op), NULL, false },
        { STR_INIT("path"), FIELD_STRING, offsetof(struct operation_text, path), NULL, false },
        { STR_INIT("value"), FIELD_RAW, offsetof(struct operation_text, value), NULL, false },
    };
    static const struct shape shape = SHAPE_INIT(fields, struct operation_text);
    struct operation_text operation = { 0 };
    struct json_input input = { .text = json, .arena = out->arena };
    GUARD(json_read(&input, &shape, &operation, err));
    buf_print(out, "    %.*s ", STR_ARGS(operation.op));
    report_put_plain(out, operation.path);
    buf_put(out, operation.value.ptr ? STR(" ") : STR(""));
    report_put_plain(out, operation.value);
    buf_put_char(out, '\n');
    return DONE;
}

static result put_text_patch(const struct explanation *explanation, struct buf *out, struct err *err)
{
    struct json_members operations = { 0 };
    if (explanation->unpatched) {
        buf_print(out, "  patch: none, %s\n", explanation->unpatched);
        return DONE;
    }
    GUARD(json_members(explanation->decision.patch, out->arena, &operations, err));
    buf_put(out, STR("  patch:\n"));
    for (size_t i = 0; i < operations.count; i++)
        GUARD(put_operation(operations.items[i].value, out, err));
    return DONE;
}

static result put_text(const struct explanation *explanation, size_t index, struct buf *out, struct err *err)
{
    buf_put(out, index ? STR("\n") : STR(""));
    put_text_subject(explanation, report_colour(), out);
    put_text_opinions(explanation, out);
    put_text_groups(explanation, out);
    GUARD(put_text_patch(explanation, out, err));
    for (size_t i = 0; i < explanation->decision.findings.count; i++)
        report_put_finding(&explanation->decision.findings.items[i], report_colour(), out);
    return DONE;
}

static void put_json_member(struct buf *out, const char *name, struct str value)
{
    buf_print(out, "\"%s\":", name);
    buf_put_json_string(out, value);
    buf_put_char(out, ',');
}

static void put_json_opinion(const struct opinion *opinion, struct buf *out)
{
    buf_put_char(out, '{');
    put_json_member(out, "name", opinion->policy->name);
    put_json_member(out, "verdict", str_of(verdict_words[opinion->verdict]));
    put_json_member(out, "reason", opinion->reason);
    buf_put(out, STR("\"groups\":["));
    for (size_t i = 0; i < opinion->policy->groups.count; i++) {
        buf_put(out, i ? STR(",") : STR(""));
        buf_put_json_string(out, opinion->policy->groups.items[i]);
    }
    buf_put(out, STR("]}"));
}

static void put_json_groups(const struct explanation *explanation, struct buf *out)
{
    const struct str_list *groups = &explanation->decision.groups;
    for (size_t i = 0; i < groups->count; i++) {
        buf_put(out, i ? STR(",{") : STR("{"));
        put_json_member(out, "id", groups->items[i]);
        buf_put(out, STR("\"policies\":["));
        put_givers(explanation, groups->items[i], buf_put_json_string, ",", out);
        buf_put(out, STR("]}"));
    }
}

static result put_json(const struct explanation *explanation, size_t index, struct buf *out, struct err *err)
{
    const struct input_object *object = &explanation->object;
    (void)err;
    buf_put(out, index ? STR(",{") : STR("{"));
    put_json_member(out, "kind", object->manifest->kind);
    put_json_member(out, "namespace", object->namespace);
    put_json_member(out, "name", object->manifest->name);
    put_json_member(out, "file", object->file);
    buf_print(out, "\"line\":%zu,", object->manifest->line);
    put_json_member(out, "template", object->path);
    put_json_member(out, "serviceAccount", pod_account_name(object->pod));
    buf_put(out, STR("\"policies\":["));
    for (size_t i = 0; i < explanation->view.policies->count; i++) {
        buf_put(out, i ? STR(",") : STR(""));
        put_json_opinion(&explanation->opinions[i], out);
    }
    buf_put(out, STR("],\"groups\":["));
    put_json_groups(explanation, out);
    buf_put(out, STR("],\"patch\":"));
    buf_put(out, explanation->unpatched ? STR("[]") : explanation->decision.patch);
    buf_put(out, STR(",\"unpatched\":"));
    buf_put_json_string(out, str_of(explanation->unpatched));
    buf_put_char(out, '}');
    return DONE;
}

static const struct output {
    struct str before;
    result (*put)(const struct explanation *explanation, size_t index, struct buf *out, struct err *err);
    struct str after;
} outputs[] = {
    { STR_INIT(""), put_text, STR_INIT("") },
    { STR_INIT("{\"pods\":["), put_json, STR_INIT("]}\n") },
};

static result explain_all(struct input *input, const struct output *output, size_t *count, struct str *out,
                          struct err *err)
{
    struct buf text = buf_in(&input->arena);
    STORE_READ_SCOPE();
    buf_put(&text, output->before);
    for (size_t i = 0; i < input->operand_count; i++) {
        struct explanation explanation = { 0 };
        GUARD(input_object_read(input, i, &explanation.object, err));
        if (!explanation.object.pod)
            continue;
        GUARD(explain_pod(input, &explanation, err));
        GUARD(output->put(&explanation, (*count)++, &text, err));
    }
    buf_put(&text, output->after);
    return buf_finish(&text, out, err);
}

static result explain(const struct explain_options *options, const struct option_texts *operands, struct input *input,
                      struct err *err)
{
    static const char *const formats[] = { "text", "json", NULL }; /* the rows of outputs */
    struct str text = { 0 };
    size_t format = 0, count = 0;
    GUARD(report_choice("--output", options->output, formats, &format, err));
    GUARD(input_read(&options->input, operands, input, err));
    GUARD(explain_all(input, &outputs[format], &count, &text, err));
    input_print_notes(input);
    if (count == 0)
        report_note(STR("no pod or workload to explain"), &input->arena);
    return report_print(text, err);
}

int command_explain(int argc, char **argv)
{
    CLEANUP(input_free) struct input input = { 0 };
    struct explain_options options = { .output = "text" };
    struct option_texts operands = { 0 };
    struct err err = { 0 };
    switch (options_read(&help, argc, argv, &input.arena, &options, &operands)) {
    case OPTIONS_WRONG: return EXIT_UNUSABLE;
    case OPTIONS_HELP_PRINTED: return EXIT_CLEAN;
    case OPTIONS_READ: break;
    }
    return explain(&options, &operands, &input, &err).ok ? EXIT_CLEAN : report_failure(&err);
}

/* What makes a label selector invalid, in words. The same rules by which EKS ignores such a policy. */
#include "policy/selector.h"

enum {
    MESSAGE_MAX = 400, /* bytes; what is longer is cut */
    REPORTS_MAX = 100, /* more of them would help nobody */
};

struct diagnosis {
    struct arena *arena;
    const struct selector_reporter *reporter;
    size_t reported;
};

__attribute__((format(printf, 4, 5))) static result report(struct diagnosis *diagnosis, struct str path,
                                                           struct err *err, const char *format, ...)
{
    struct str text = { 0 };
    va_list args;
    diagnosis->reported++;
    va_start(args, format);
    struct outcome printed = arena_vprint(diagnosis->arena, MESSAGE_MAX, &text, err, format, args);
    va_end(args);
    GUARD(printed);
    return diagnosis->reporter->report(diagnosis->reporter->ctx, path, text, err);
}

static const char key_syntax[] = "use an optional DNS prefix and /, then at most 63 letters, digits, '-', '_' or '.'";
static const char value_syntax[] =
    "use at most 63 letters, digits, '-', '_' or '.', with a letter or digit at both ends";

static result diagnose_label(struct diagnosis *diagnosis, const struct str_pair *label, struct err *err)
{
    struct str path = { 0 };
    if (label_key_valid(label->key) && label_value_valid(label->value))
        return DONE;
    GUARD(arena_print(diagnosis->arena, &path, err, "matchLabels[%.*s]", STR_ARGS(label->key)));
    if (!label_key_valid(label->key))
        GUARD(report(diagnosis, path, err, "is no label key; %s", key_syntax));
    if (!label_value_valid(label->value))
        GUARD(report(diagnosis, path, err, "'%.*s' is no label value; %s", STR_ARGS(label->value), value_syntax));
    return DONE;
}

static result diagnose_values(struct diagnosis *diagnosis, const struct requirement_spec *written, size_t index,
                              bool takes, struct err *err)
{
    struct str path = { 0 };
    GUARD(arena_print(diagnosis->arena, &path, err, "matchExpressions[%zu].values", index));
    if (takes && written->values.count == 0)
        return report(diagnosis, path, err, "missing; %.*s needs at least one value", STR_ARGS(written->op));
    if (!takes && written->values.count > 0)
        return report(diagnosis, path, err, "superfluous; %.*s takes no values, remove them", STR_ARGS(written->op));
    for (size_t i = 0; i < written->values.count && diagnosis->reported < REPORTS_MAX; i++) {
        if (label_value_valid(written->values.items[i]))
            continue;
        GUARD(arena_print(diagnosis->arena, &path, err, "matchExpressions[%zu].values[%zu]", index, i));
        GUARD(report(diagnosis, path, err, "'%.*s' is no label value; %s", STR_ARGS(written->values.items[i]),
                     value_syntax));
    }
    return DONE;
}

static result diagnose_expression(struct diagnosis *diagnosis, const struct requirement_spec *written, size_t index,
                                  struct err *err)
{
    struct str path = { 0 };
    bool takes_values = false;
    if (!label_key_valid(written->key)) {
        GUARD(arena_print(diagnosis->arena, &path, err, "matchExpressions[%zu].key", index));
        GUARD(report(diagnosis, path, err, "'%.*s' is no label key; %s", STR_ARGS(written->key), key_syntax));
    }
    if (!selector_operator(written->op, &takes_values)) {
        GUARD(arena_print(diagnosis->arena, &path, err, "matchExpressions[%zu].operator", index));
        return report(diagnosis, path, err, "'%.*s' is no operator; use In, NotIn, Exists or DoesNotExist",
                      STR_ARGS(written->op));
    }
    return diagnose_values(diagnosis, written, index, takes_values, err);
}

result selector_diagnose(const struct selector_spec *spec, struct arena *arena,
                         const struct selector_reporter *reporter, struct err *err)
{
    struct diagnosis diagnosis = { .arena = arena, .reporter = reporter };
    for (size_t i = 0; i < spec->match_labels.count && diagnosis.reported < REPORTS_MAX; i++)
        GUARD(diagnose_label(&diagnosis, &spec->match_labels.items[i], err));
    for (size_t i = 0; i < spec->expressions.count && diagnosis.reported < REPORTS_MAX; i++)
        GUARD(diagnose_expression(&diagnosis, &spec->expressions.items[i], i, err));
    return DONE;
}

#include "policy/selector.h"

#include "base/buf.h"

enum selector_operator { OPERATOR_IN, OPERATOR_NOT_IN, OPERATOR_EXISTS, OPERATOR_DOES_NOT_EXIST, OPERATOR_COUNT };

static const struct {
    struct str name;
    bool takes_values;
} operators[OPERATOR_COUNT] = {
    [OPERATOR_IN] = { STR_INIT("In"), true },
    [OPERATOR_NOT_IN] = { STR_INIT("NotIn"), true },
    [OPERATOR_EXISTS] = { STR_INIT("Exists"), false },
    [OPERATOR_DOES_NOT_EXIST] = { STR_INIT("DoesNotExist"), false },
};

struct requirement {
    struct str key;
    enum selector_operator op;
    struct str_list values;
};

struct selector {
    bool valid;
    struct requirement *requirements; /* matchLabels first: each is an In with one value */
    size_t count;
};

static bool operator_find(struct str name, enum selector_operator *out)
{
    for (size_t i = 0; i < OPERATOR_COUNT; i++) {
        if (str_equal(operators[i].name, name)) {
            *out = (enum selector_operator)i;
            return true;
        }
    }
    return false;
}

bool selector_operator(struct str name, bool *takes_values)
{
    enum selector_operator op = OPERATOR_IN;
    bool known = operator_find(name, &op);
    *takes_values = known && operators[op].takes_values;
    return known;
}

static result copy_values(struct arena *arena, const struct str_list *values, struct str_list *out, struct err *err)
{
    struct str_list copy = { .count = values->count };
    GUARD(arena_take_array(arena, values->count, sizeof *copy.items, &copy.items, err));
    for (size_t i = 0; i < values->count; i++)
        GUARD(arena_copy(arena, values->items[i], &copy.items[i], err));
    *out = copy;
    return DONE;
}

static result add_requirement(struct selector *selector, struct arena *arena, struct str key, enum selector_operator op,
                              const struct str_list *values, struct err *err)
{
    struct requirement *requirement = &selector->requirements[selector->count++];
    requirement->op = op;
    GUARD(arena_copy(arena, key, &requirement->key, err));
    return copy_values(arena, values, &requirement->values, err);
}

static result add_all(struct selector *selector, const struct selector_spec *spec, struct arena *arena, struct err *err)
{
    for (size_t i = 0; i < spec->match_labels.count; i++) {
        struct str_pair *pair = &spec->match_labels.items[i];
        struct str_list value = { &pair->value, 1 };
        GUARD(add_requirement(selector, arena, pair->key, OPERATOR_IN, &value, err));
    }
    for (size_t i = 0; i < spec->expressions.count; i++) {
        const struct requirement_spec *written = &spec->expressions.items[i];
        enum selector_operator op = OPERATOR_IN;
        (void)operator_find(written->op, &op); /* selector_diagnose has refused what is unknown */
        GUARD(add_requirement(selector, arena, written->key, op, &written->values, err));
    }
    return DONE;
}

static result note_invalid(void *ctx, struct str path, struct str message, struct err *err)
{
    (void)path;
    (void)message;
    (void)err;
    *(bool *)ctx = false;
    return DONE;
}

result selector_build(const struct selector_spec *spec, struct arena *arena, const struct selector **out,
                      struct err *err)
{
    struct selector *selector = NULL;
    CLEANUP(arena_free) struct arena scratch = { 0 }; /* what is said of an invalid one is not kept */
    GUARD(arena_take(arena, sizeof *selector, &selector, err));
    selector->valid = true;
    struct selector_reporter reporter = { note_invalid, &selector->valid };
    GUARD(selector_diagnose(spec, &scratch, &reporter, err));
    if (selector->valid) {
        GUARD(arena_take_array(arena, spec->match_labels.count + spec->expressions.count,
                               sizeof *selector->requirements, &selector->requirements, err));
        GUARD(add_all(selector, spec, arena, err));
    }
    *out = selector;
    return DONE;
}

bool selector_valid(const struct selector *selector)
{
    return selector->valid;
}

bool selector_empty(const struct selector *selector)
{
    return selector->valid && selector->count == 0;
}

static bool requirement_holds(const struct requirement *requirement, const struct str_map *labels)
{
    const struct str *value = labels_get(labels, requirement->key);
    switch (requirement->op) {
    case OPERATOR_IN: return value && str_list_has(&requirement->values, *value);
    case OPERATOR_NOT_IN: return !value || !str_list_has(&requirement->values, *value);
    case OPERATOR_EXISTS: return value != NULL;
    case OPERATOR_DOES_NOT_EXIST: return value == NULL;
    case OPERATOR_COUNT: break;
    }
    return false;
}

static const struct requirement *first_unmet(const struct selector *selector, const struct str_map *labels)
{
    for (size_t i = 0; i < selector->count; i++)
        if (!requirement_holds(&selector->requirements[i], labels))
            return &selector->requirements[i];
    return NULL;
}

bool selector_matches(const struct selector *selector, const struct str_map *labels)
{
    return selector->valid && !first_unmet(selector, labels);
}

static void put_requirement(struct buf *text, const struct requirement *requirement)
{
    bool in = requirement->op == OPERATOR_IN;
    if (requirement->op == OPERATOR_DOES_NOT_EXIST)
        buf_put_char(text, '!');
    buf_put(text, requirement->key);
    if (!operators[requirement->op].takes_values)
        return;
    if (in && requirement->values.count == 1) {
        buf_put_char(text, '=');
        buf_put(text, requirement->values.items[0]);
        return;
    }
    buf_put(text, in ? STR(" in (") : STR(" notin ("));
    for (size_t i = 0; i < requirement->values.count; i++)
        buf_print(text, "%s%.*s", i ? ", " : "", STR_ARGS(requirement->values.items[i]));
    buf_put_char(text, ')');
}

result selector_unmet(const struct selector *selector, const struct str_map *labels, struct arena *arena,
                      struct str *out, struct err *err)
{
    const struct requirement *unmet = first_unmet(selector, labels);
    struct buf text = buf_in(arena);
    *out = (struct str){ 0 };
    if (!unmet)
        return DONE;
    put_requirement(&text, unmet);
    return buf_finish(&text, out, err);
}

result selector_text(const struct selector *selector, struct arena *arena, struct str *out, struct err *err)
{
    struct buf text = buf_in(arena);
    if (selector->count == 0)
        buf_put(&text, selector->valid ? STR("everything") : STR("invalid"));
    for (size_t i = 0; i < selector->count; i++) {
        if (i)
            buf_put_char(&text, ',');
        put_requirement(&text, &selector->requirements[i]);
    }
    return buf_finish(&text, out, err);
}

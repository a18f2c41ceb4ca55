#include "admission/findings.h"

result findings_append(struct findings *findings, const struct finding *finding, struct err *err)
{
    struct finding *bigger = NULL;
    if (finding->action != ACTION_WARN && finding->action != ACTION_DENY)
        return DONE;
    if (findings->count == findings->capacity) {
        size_t capacity = findings->capacity ? findings->capacity * 2 : 4;
        GUARD(arena_take_array(findings->arena, capacity, sizeof *bigger, &bigger, err));
        if (findings->count)
            memcpy(bigger, findings->items, findings->count * sizeof *bigger);
        findings->items = bigger;
        findings->capacity = capacity;
    }
    findings->items[findings->count++] = *finding;
    return DONE;
}

void findings_only_warn(struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        findings->items[i].action = ACTION_WARN;
}

size_t findings_with(const struct findings *findings, enum action action)
{
    size_t count = 0;
    for (size_t i = 0; i < findings->count; i++)
        count += findings->items[i].action == action;
    return count;
}

/* The same violation: the same check says the same of the same field. */
static bool finding_stands_in(const struct findings *stored, const struct finding *finding)
{
    for (size_t i = 0; i < stored->count; i++) {
        const struct finding *other = &stored->items[i];
        if (other->check == finding->check && str_equal(other->field, finding->field) &&
            str_equal(other->message, finding->message))
            return true;
    }
    return false;
}

void findings_ratchet(struct findings *findings, const struct findings *stored)
{
    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].action == ACTION_DENY && finding_stands_in(stored, &findings->items[i]))
            findings->items[i].action = ACTION_WARN;
}

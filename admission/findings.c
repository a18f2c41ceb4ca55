#include "admission/findings.h"

static result make_room(struct findings *findings, struct err *err)
{
    struct finding *bigger = NULL;
    if (findings->count < findings->capacity)
        return DONE;
    size_t capacity = findings->capacity ? findings->capacity * 2 : 4;
    GUARD(arena_take_array(findings->arena, capacity, sizeof *bigger, &bigger, err));
    if (findings->count)
        memcpy(bigger, findings->items, findings->count * sizeof *bigger);
    findings->items = bigger;
    findings->capacity = capacity;
    return DONE;
}

result findings_append(struct findings *findings, const struct finding *finding, struct err *err)
{
    if (finding->action != ACTION_WARN && finding->action != ACTION_DENY)
        return DONE;
    if (findings->count == FINDINGS_MAX) {
        findings->omitted++;
        if (finding->action == ACTION_DENY && findings_with(findings, ACTION_DENY) == 0)
            findings->items[FINDINGS_MAX - 1] = *finding;
        return DONE;
    }
    GUARD(make_room(findings, err));
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

/* The position behind the digits of an index, "[12", or the same position. */
static size_t pass_index(struct str field, size_t at)
{
    size_t i = at;
    if (i == 0 || field.ptr[i - 1] != '[')
        return at;
    while (i < field.len && field.ptr[i] >= '0' && field.ptr[i] <= '9')
        i++;
    return i < field.len && field.ptr[i] == ']' ? i : at;
}

/* The same path, but for the indexes in it: what stood second may stand first now. */
static bool fields_alike(struct str a, struct str b)
{
    size_t i = 0, j = 0;
    while (i < a.len && j < b.len) {
        size_t past_i = pass_index(a, i), past_j = pass_index(b, j);
        bool indexes = past_i > i && past_j > j;
        if (!indexes && a.ptr[i] != b.ptr[j])
            return false;
        i = indexes ? past_i : i + 1;
        j = indexes ? past_j : j + 1;
    }
    return i == a.len && j == b.len;
}

/* The same check says the same of the same field, or there was more of it. */
static bool is_no_worse(const struct finding *finding, const struct finding *stored)
{
    if (finding->check != stored->check || !fields_alike(finding->field, stored->field))
        return false;
    return str_equal(finding->message, stored->message) || (finding->amount && finding->amount <= stored->amount);
}

static bool finding_stands_in(const struct findings *stored, const struct finding *finding)
{
    for (size_t i = 0; i < stored->count; i++)
        if (is_no_worse(finding, &stored->items[i]))
            return true;
    return false;
}

void findings_ratchet(struct findings *findings, const struct findings *stored)
{
    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].action == ACTION_DENY && finding_stands_in(stored, &findings->items[i]))
            findings->items[i].action = ACTION_WARN;
}

#include "admission/rules.h"

enum { GROUPS_DEFAULT = 5 };

struct rules rules_default(const struct instance_types *types)
{
    struct rules rules = {
        .groups_per_policy = GROUPS_DEFAULT,
        .groups_per_interface = GROUPS_DEFAULT,
        .strict_mode = true,
        .instance_types = types,
    };
    for (size_t i = 0; i < CHECK_COUNT; i++)
        rules.actions[i] = check_row((enum check)i)->action;
    return rules;
}

static enum action raised(enum check check, enum action action)
{
    enum check_group group = check_row(check)->group;
    bool rises = group == GROUP_PLACEMENT || group == GROUP_CONNECTIVITY;
    return rises && action == ACTION_WARN ? ACTION_DENY : action;
}

void rules_make_strict(struct rules *rules)
{
    for (size_t i = 0; i < CHECK_COUNT; i++)
        rules->actions[i] = raised((enum check)i, rules->actions[i]);
}

enum action rules_action(const struct rules *rules, enum check check, enum namespace_mode mode)
{
    enum action action = rules->actions[check];
    if (check_row(check)->group == GROUP_PROTECTION)
        return action;
    switch (mode) {
    case MODE_DEFAULT: return action;
    case MODE_OFF: return ACTION_IGNORE;
    case MODE_WARN: return action == ACTION_DENY ? ACTION_WARN : action;
    case MODE_ENFORCE: return raised(check, action);
    }
    return action;
}

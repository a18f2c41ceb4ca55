#include "policy/instance_types.h"
#include "server/commands.h"
#include "server/options.h"
#include "server/report.h"

#include <stdio.h>

struct limits_options {
    const char *output;
};

static const struct option_row rows[] = {
    { "output", 'o', "FORMAT", "text or json (default: text)", OPTION_TEXT, offsetof(struct limits_options, output), 0,
      0 },
};

static const struct command_help help = {
    .name = "limits",
    .operands = "[TYPE...]",
    .summary =
        "Prints how many branch network interfaces EC2 instance types have: as many pods with security groups of\n"
        "their own fit on a node. A TYPE is one type (m5.large) or a family (m5); without any, all are printed.",
    .epilogue = "Exit codes: 0 done, 1 a TYPE is not known, 2 unusable options.",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
};

/* "m5.large" is itself, "m5" is all of m5. */
static bool type_is(const struct instance_type *type, struct str wanted)
{
    return str_starts_with(type->name, wanted) &&
           (type->name.len == wanted.len || (type->name.ptr[wanted.len] == '.' && wanted.len > 0));
}

static bool is_wanted(const struct instance_type *type, const struct option_texts *wanted)
{
    for (size_t i = 0; i < wanted->count; i++)
        if (type_is(type, str_of(wanted->items[i])))
            return true;
    return wanted->count == 0;
}

static bool is_known(const struct instance_types *types, struct str wanted)
{
    for (size_t i = 0; i < types->count; i++)
        if (type_is(&types->items[i], wanted))
            return true;
    return false;
}

/* Those that are wanted, in the order of the table: each once. */
static result pick(const struct instance_types *types, const struct option_texts *wanted, struct arena *arena,
                   struct instance_types *out, struct err *err)
{
    struct instance_type *picked = NULL;
    size_t count = 0;
    GUARD(arena_take_array(arena, types->count, sizeof *picked, &picked, err));
    for (size_t i = 0; i < types->count; i++)
        if (is_wanted(&types->items[i], wanted))
            picked[count++] = types->items[i];
    *out = (struct instance_types){ picked, count };
    return DONE;
}

static void put_text(const struct instance_types *types, struct buf *out)
{
    static const struct str heading = STR_INIT("INSTANCE TYPE");
    size_t width = heading.len;
    for (size_t i = 0; i < types->count; i++)
        width = types->items[i].name.len > width ? types->items[i].name.len : width;
    if (types->count)
        buf_print(out, "%-*s  BRANCH INTERFACES  NOTE\n", (int)width, heading.ptr);
    for (size_t i = 0; i < types->count; i++) {
        const struct instance_type *type = &types->items[i];
        buf_print(out, "%-*.*s  %17u%s\n", (int)width, STR_ARGS(type->name), type->branch_interfaces,
                  type->branch_interfaces ? "" : "  no branch interfaces");
    }
}

static void put_json(const struct instance_types *types, struct buf *out)
{
    buf_put(out, STR("{\"types\":["));
    for (size_t i = 0; i < types->count; i++) {
        buf_put(out, i ? STR(",{\"type\":") : STR("{\"type\":"));
        buf_put_json_string(out, types->items[i].name);
        buf_print(out, ",\"branchInterfaces\":%u}", types->items[i].branch_interfaces);
    }
    buf_put(out, STR("]}\n"));
}

static result limits(const char *output, const struct option_texts *wanted, struct arena *arena, bool *all_known,
                     struct err *err)
{
    static const char *const formats[] = { "text", "json", NULL };
    static void (*const put[])(const struct instance_types *, struct buf *) = { put_text, put_json };
    struct instance_types types = { 0 }, picked = { 0 };
    struct buf text = buf_in(arena);
    struct str printed = { 0 };
    size_t format = 0;
    GUARD(report_choice("--output", output, formats, &format, err));
    GUARD(instance_types_parse(instance_types_builtin(), arena, &types, err));
    GUARD(pick(&types, wanted, arena, &picked, err));
    put[format](&picked, &text);
    GUARD(buf_finish(&text, &printed, err));
    for (size_t i = 0; i < wanted->count; i++) {
        if (is_known(&types, str_of(wanted->items[i])))
            continue;
        *all_known = false;
        fprintf(stderr, "sgp-webhook: limits: no instance type or family '%s' in the table\n", wanted->items[i]);
    }
    return report_print(printed, err);
}

int command_limits(int argc, char **argv)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct limits_options options = { .output = "text" };
    struct option_texts operands = { 0 };
    struct err err = { 0 };
    bool all_known = true;
    switch (options_read(&help, argc, argv, &arena, &options, &operands)) {
    case OPTIONS_WRONG: return EXIT_UNUSABLE;
    case OPTIONS_HELP_PRINTED: return EXIT_CLEAN;
    case OPTIONS_READ: break;
    }
    if (!limits(options.output, &operands, &arena, &all_known, &err).ok)
        return report_failure(&err);
    return all_known ? EXIT_CLEAN : EXIT_REFUSED;
}

/* The example and the document say what the tables say. */
#include "server/setting_value.h"

#include "base/buf.h"
#include "server/text_file.h"
#include "tests/unit/config_scratch.h"

#include <check.h>
#include <inttypes.h>

#define EXAMPLE SOURCE_DIR "/examples/sgp-webhook.yaml"
#define DOCUMENT SOURCE_DIR "/docs/configuration.md"

TCase *document_cases(void); /* test_config.c */

static struct str file_text(const char *path, struct arena *arena)
{
    struct str text = { 0 };
    struct err err = { 0 };
    ck_assert_msg(text_file_read(path, 1000000, arena, &text, &err).ok, "%s", err.msg);
    return text;
}

static void put_choices(struct buf *out, const struct str_list *choices)
{
    for (size_t i = 0; i < choices->count; i++)
        buf_print(out, "%s%.*s", i ? ", " : "", STR_ARGS(choices->items[i]));
}

static void put_type(struct buf *out, const struct setting *row)
{
    switch (row->type) {
    case SETTING_TEXT: buf_put(out, STR("text")); return;
    case SETTING_ONE_OF: put_choices(out, &row->choices); return;
    case SETTING_BOOL: buf_put(out, STR("true, false")); return;
    case SETTING_INTEGER:
        buf_print(out, "%" PRId64 " to %" PRId64 "%s%.*s", row->min, row->max, row->unit.len ? " " : "",
                  STR_ARGS(row->unit));
        return;
    case SETTING_TEXTS: buf_put(out, STR("list of texts")); return;
    case SETTING_FIELDS: buf_put(out, STR("list of field paths")); return;
    case SETTING_ACTIONS: buf_put(out, STR("mapping, see below")); return;
    }
}

/* The line of docs/configuration.md that describes a setting. */
static void put_row(struct buf *out, const struct setting *row)
{
    buf_print(out, "| `%.*s` | ", STR_ARGS(row->path));
    put_type(out, row);
    buf_print(out, row->fallback.ptr ? " | `%.*s` | " : " | %.*s | ", STR_ARGS(row->fallback));
    buf_print(out, "%s | %.*s |\n", row->restart ? "restart" : "", STR_ARGS(row->help));
}

START_TEST(document_has_every_setting)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct str document = file_text(DOCUMENT, &arena), line = { 0 };
    const struct settings settings = settings_all();
    struct err err = { 0 };
    for (size_t i = 0; i < settings.count; i++) {
        struct buf out = buf_in(&arena);
        put_row(&out, &settings.rows[i]);
        ck_assert(buf_finish(&out, &line, &err).ok);
        ck_assert_msg(str_contains(document, line), DOCUMENT " lacks: %s", line.ptr);
    }
}
END_TEST

START_TEST(document_has_every_check)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct rules strict = rules_default(NULL);
    struct str document = file_text(DOCUMENT, &arena), line = { 0 };
    struct err err = { 0 };
    rules_make_strict(&strict);
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        const struct check_row *row = check_row((enum check)i);
        bool rises = strict.actions[i] != row->action;
        ck_assert(arena_print(&arena, &line, &err, "| `%s` | %s | %s | %s |\n", row->id.ptr, action_name(row->action),
                              rises ? action_name(strict.actions[i]) : "", row->sentence.ptr)
                      .ok);
        ck_assert_msg(str_contains(document, line), DOCUMENT " lacks: %s", line.ptr);
    }
}
END_TEST

/* Its lines that are settings commented out count as well. */
START_TEST(example_has_every_setting)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct str example = file_text(EXAMPLE, &arena), key = { 0 };
    const struct settings settings = settings_all();
    struct err err = { 0 };
    for (size_t i = 0; i < settings.count; i++) {
        const char *path = settings.rows[i].path.ptr, *dot = strrchr(path, '.');
        ck_assert(arena_print(&arena, &key, &err, "%s%s:", dot ? "  " : "\n", dot ? dot + 1 : path).ok);
        bool found = str_contains(example, key);
        ck_assert(arena_print(&arena, &key, &err, "# %s:", dot ? dot + 1 : path).ok);
        ck_assert_msg(found || str_contains(example, key), EXAMPLE " lacks %s", path);
    }
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        const struct check_row *row = check_row((enum check)i);
        ck_assert(arena_print(&arena, &key, &err, " %s: %s\n", row->id.ptr, action_name(row->action)).ok);
        ck_assert_msg(str_contains(example, key), EXAMPLE " lacks %s", key.ptr);
    }
}
END_TEST

/* What the example says of the checks must not weaken a profile that is set in it later. */
START_TEST(example_is_the_defaults)
{
    static const char *const profiles[] = { "baseline", "strict" };
    const struct settings settings = settings_all();
    CLEANUP(config_freep) struct config *example = NULL;
    CLEANUP(config_freep) struct config *defaults = config_settled("");
    struct err err = { 0 };
    ck_assert_msg(config_load(EXAMPLE, &example, &err).ok, "%s", err.msg);
    for (size_t i = 0; i < settings.count; i++)
        if (settings.rows[i].type != SETTING_ACTIONS)
            ck_assert_msg(setting_equal(&settings.rows[i], example, defaults), "%s", settings.rows[i].path.ptr);
    example->profile = defaults->profile = str_of(profiles[_i]);
    ck_assert(config_settle(example, &err).ok);
    ck_assert(config_settle(defaults, &err).ok);
    for (size_t i = 0; i < CHECK_COUNT; i++)
        ck_assert_msg(example->rules.actions[i] == defaults->rules.actions[i], "%s", check_row((enum check)i)->id.ptr);
}
END_TEST

TCase *document_cases(void)
{
    TCase *cases = tcase_create("documents");
    tcase_add_test(cases, document_has_every_setting);
    tcase_add_test(cases, document_has_every_check);
    tcase_add_test(cases, example_has_every_setting);
    tcase_add_loop_test(cases, example_is_the_defaults, 0, 2);
    return cases;
}

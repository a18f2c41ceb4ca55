#include "server/setting_value.h"

#include "base/buf.h"

/* One value on its way to its field. */
struct target {
    const struct setting *row;
    struct config *config;
    struct value_reader *reader;
    void *field;
};

/* More digits are out of every range, fewer fit in 64 bits. */
enum { MAX_DIGITS = 18 };

static bool is_whole(struct str number)
{
    size_t sign = number.len > 0 && number.ptr[0] == '-';
    for (size_t i = sign; i < number.len; i++)
        if (number.ptr[i] < '0' || number.ptr[i] > '9')
            return false;
    return number.len > sign;
}

/* Clamped to 64 bits. */
static int64_t whole_value(struct str number)
{
    bool negative = number.ptr[0] == '-';
    int64_t value = 0;
    if (number.len - negative > MAX_DIGITS)
        return negative ? INT64_MIN : INT64_MAX;
    for (size_t i = negative; i < number.len; i++)
        value = value * 10 + (number.ptr[i] - '0');
    return negative ? -value : value;
}

void setting_reset(const struct setting *row, struct config *config)
{
    void *field = (char *)config + row->offset;
    switch (row->type) {
    case SETTING_TEXT:
    case SETTING_ONE_OF: *(struct str *)field = row->fallback; return;
    case SETTING_BOOL: *(bool *)field = str_is(row->fallback, "true"); return;
    case SETTING_INTEGER: *(int64_t *)field = whole_value(row->fallback); return;
    case SETTING_TEXTS:
    case SETTING_FIELDS: *(struct str_list *)field = (struct str_list){ 0 }; return;
    case SETTING_ACTIONS: memset(config->action_set, 0, sizeof config->action_set); return;
    }
}

static result read_text(const struct target *to, struct str value, struct str *out, struct err *err)
{
    struct str path = to->row->path, text = { 0 };
    GUARD(value_expect(to->reader, path, value, JSON_STRING, "a text", err));
    GUARD(json_unescape(value, to->reader->scratch, &text, err));
    /* paths and addresses go to the system as C strings */
    ENSURE(!memchr(text.ptr, '\0', text.len), err, ERR_INPUT, "%.*s: a NUL character in it", STR_ARGS(path));
    return arena_copy(&to->config->arena, text, out, err);
}

static result read_optional_text(const struct target *to, struct str value, struct err *err)
{
    struct str text = { 0 };
    GUARD(read_text(to, value, &text, err));
    ENSURE(text.len > 0 || !to->row->fallback.ptr, err, ERR_INPUT, "%.*s: must not be empty", STR_ARGS(to->row->path));
    *(struct str *)to->field = text.len > 0 ? text : (struct str){ 0 };
    return DONE;
}

/* "one of strict, standard" */
static result name_choices(const struct str_list *choices, struct arena *arena, struct str *out, struct err *err)
{
    struct buf text = buf_in(arena);
    for (size_t i = 0; i < choices->count; i++)
        buf_print(&text, "%s%.*s", i ? ", " : "one of ", STR_ARGS(choices->items[i]));
    return buf_finish(&text, out, err);
}

/* A bare off or 1 is no text in YAML: the complaint about its type names the choices too. */
static result read_choice(struct value_reader *reader, struct str path, const struct str_list *choices,
                          struct str value, struct str *out, struct err *err)
{
    struct str expected = { 0 }, text = { 0 };
    GUARD(name_choices(choices, reader->scratch, &expected, err));
    GUARD(value_expect(reader, path, value, JSON_STRING, expected.ptr, err));
    GUARD(json_unescape(value, reader->scratch, &text, err));
    for (size_t i = 0; i < choices->count; i++) {
        if (str_equal(choices->items[i], text)) {
            *out = choices->items[i];
            return DONE;
        }
    }
    return err_set(err, ERR_INPUT, "%.*s: '%.*s' is not %.*s", STR_ARGS(path), STR_ARGS(value_shown(reader, text)),
                   STR_ARGS(expected));
}

static result read_bool(const struct target *to, struct str value, struct err *err)
{
    bool is_true = json_type_of(value) == JSON_TRUE;
    if (!is_true)
        GUARD(value_expect(to->reader, to->row->path, value, JSON_FALSE, "true or false", err));
    *(bool *)to->field = is_true;
    return DONE;
}

static result read_integer(const struct target *to, struct str value, struct err *err)
{
    const struct setting *row = to->row;
    struct str shown = value_shown(to->reader, value);
    GUARD(value_expect(to->reader, row->path, value, JSON_NUMBER, "a number", err));
    ENSURE(is_whole(value), err, ERR_INPUT, "%.*s: %.*s is no whole number", STR_ARGS(row->path), STR_ARGS(shown));
    int64_t number = whole_value(value);
    ENSURE(number >= row->min && number <= row->max, err, ERR_INPUT, "%.*s: %.*s is out of range, %lld to %lld",
           STR_ARGS(row->path), STR_ARGS(shown), (long long)row->min, (long long)row->max);
    *(int64_t *)to->field = number;
    return DONE;
}

/* Starts with a field that a Kubernetes object has: a path from anywhere else would never match. */
static bool is_field_path(struct str path)
{
    static const struct str tops[] = { STR_INIT("metadata"), STR_INIT("spec"), STR_INIT("status") };
    for (size_t i = 0; i < sizeof tops / sizeof tops[0]; i++)
        if (str_starts_with(path, tops[i]))
            return path.len == tops[i].len || path.ptr[tops[i].len] == '.' || path.ptr[tops[i].len] == '[';
    return false;
}

static result read_item(const struct target *to, struct str value, struct str *out, struct err *err)
{
    GUARD(read_text(to, value, out, err));
    ENSURE(out->len > 0, err, ERR_INPUT, "%.*s: an empty text in the list", STR_ARGS(to->row->path));
    ENSURE(to->row->type != SETTING_FIELDS || is_field_path(*out), err, ERR_INPUT,
           "%.*s: '%.*s' does not start with metadata, spec or status", STR_ARGS(to->row->path),
           STR_ARGS(value_shown(to->reader, *out)));
    return DONE;
}

static result read_texts(const struct target *to, struct str value, struct err *err)
{
    struct json_members members = { 0 };
    struct str_list list = { 0 };
    GUARD(value_expect(to->reader, to->row->path, value, JSON_ARRAY, "a list of texts", err));
    GUARD(json_members(value, to->reader->scratch, &members, err));
    GUARD(arena_take_array(&to->config->arena, members.count, sizeof *list.items, &list.items, err));
    for (; list.count < members.count; list.count++)
        GUARD(read_item(to, members.items[list.count].value, &list.items[list.count], err));
    *(struct str_list *)to->field = list;
    return DONE;
}

/* Annotating is what the mutation of Fargate pods does; a warning would come on top of pods that work. */
static struct str_list actions_of(enum check check)
{
    static const struct str usual[] = { STR_INIT("deny"), STR_INIT("warn"), STR_INIT("ignore") };
    static const struct str fargate[] = { STR_INIT("annotate"), STR_INIT("deny"), STR_INIT("ignore") };
    return (struct str_list){ (struct str *)(check == CHECK_POD_FARGATE ? fargate : usual), 3 };
}

static enum action action_named(struct str name)
{
    enum action action = ACTION_IGNORE;
    while (!str_is(name, action_name(action)))
        action++;
    return action;
}

static result read_action(const struct target *to, const struct json_member *member, struct err *err)
{
    struct str id = value_shown(to->reader, member->key), path = { 0 }, action = { 0 };
    enum check check = CHECK_COUNT;
    if (!check_find(member->key, &check)) {
        struct str meant = setting_nearest_check(member->key);
        return err_set(err, ERR_INPUT, "%.*s: there is no check '%.*s'%s%.*s%s", STR_ARGS(to->row->path), STR_ARGS(id),
                       meant.ptr ? ", is " : "", STR_ARGS(meant), meant.ptr ? " meant?" : "");
    }
    if (json_type_of(member->value) == JSON_NULL)
        return DONE;
    const struct str_list choices = actions_of(check);
    GUARD(arena_print(to->reader->scratch, &path, err, "%.*s.%.*s", STR_ARGS(to->row->path), STR_ARGS(id)));
    GUARD(read_choice(to->reader, path, &choices, member->value, &action, err));
    to->config->actions[check] = action_named(action);
    to->config->action_set[check] = true;
    return DONE;
}

static result read_actions(const struct target *to, struct str value, struct err *err)
{
    const struct json_member *member = NULL;
    struct value_walk walk = { 0 };
    GUARD(value_walk_begin(to->reader, to->row->path, value, &walk, err));
    while ((member = value_walk_next(to->reader, &walk)))
        GUARD(read_action(to, member, err));
    return DONE;
}

result setting_read(const struct setting *row, struct str value, struct value_reader *reader, struct config *config,
                    struct err *err)
{
    const struct target to = { row, config, reader, (char *)config + row->offset };
    if (json_type_of(value) == JSON_NULL)
        return DONE;
    switch (row->type) {
    case SETTING_TEXT: return read_optional_text(&to, value, err);
    case SETTING_ONE_OF: return read_choice(reader, row->path, &row->choices, value, to.field, err);
    case SETTING_BOOL: return read_bool(&to, value, err);
    case SETTING_INTEGER: return read_integer(&to, value, err);
    case SETTING_TEXTS:
    case SETTING_FIELDS: return read_texts(&to, value, err);
    case SETTING_ACTIONS: return read_actions(&to, value, err);
    }
    return err_set(err, ERR_INTERNAL, "%.*s: a row of no type", STR_ARGS(row->path));
}

static bool same_actions(const struct config *a, const struct config *b)
{
    for (size_t i = 0; i < CHECK_COUNT; i++)
        if (a->action_set[i] != b->action_set[i] || (a->action_set[i] && a->actions[i] != b->actions[i]))
            return false;
    return true;
}

bool setting_equal(const struct setting *row, const struct config *a, const struct config *b)
{
    const void *in_a = (const char *)a + row->offset, *in_b = (const char *)b + row->offset;
    switch (row->type) {
    case SETTING_TEXT:
    case SETTING_ONE_OF: return str_equal(*(const struct str *)in_a, *(const struct str *)in_b);
    case SETTING_BOOL: return *(const bool *)in_a == *(const bool *)in_b;
    case SETTING_INTEGER: return *(const int64_t *)in_a == *(const int64_t *)in_b;
    case SETTING_TEXTS:
    case SETTING_FIELDS: return str_list_equal(in_a, in_b);
    case SETTING_ACTIONS: return same_actions(a, b);
    }
    return false;
}

/* The configuration file: any text is refused with its place, or gives settings that are within their rows. */
#include "server/setting_value.h"

#include <assert.h>
#include <stdlib.h>

#define FILE_NAME "c.yaml"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_choice(const struct setting *row, const void *field)
{
    return str_list_has(&row->choices, *(const struct str *)field);
}

/* Texts are handed to the system as C strings. */
static bool is_c_string(struct str text)
{
    return !text.ptr || strlen(text.ptr) == text.len;
}

static bool are_c_strings(const struct str_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].len == 0 || !is_c_string(list->items[i]))
            return false;
    return true;
}

static bool is_within(const struct setting *row, const struct config *config)
{
    const void *field = (const char *)config + row->offset;
    int64_t number = 0;
    switch (row->type) {
    case SETTING_TEXT: return is_c_string(*(const struct str *)field);
    case SETTING_ONE_OF: return is_choice(row, field);
    case SETTING_BOOL:
    case SETTING_ACTIONS: return true;
    case SETTING_INTEGER: number = *(const int64_t *)field; return number >= row->min && number <= row->max;
    case SETTING_TEXTS:
    case SETTING_FIELDS: return are_c_strings(field);
    }
    return false;
}

static void check_accepted(struct config *config)
{
    const struct settings settings = settings_all();
    struct str names = { 0 };
    struct err err = { 0 };
    for (size_t i = 0; i < settings.count; i++)
        assert(is_within(&settings.rows[i], config));
    assert(config_restart_needed(config, config, &names, &err).ok && names.len == 0);
    /* no file is opened whose name the fuzzer has made up */
    config->instance_types_file = (struct str){ 0 };
    if (!config_settle(config, &err).ok)
        assert(strncmp(err.msg, FILE_NAME ": ", strlen(FILE_NAME ": ")) == 0);
}

/* FILE:LINE:COLUMN: and a word; when the memory is at its end there is no place. */
static void check_refused(const struct err *err)
{
    char *rest = NULL;
    assert(err->kind == ERR_INPUT || err->kind == ERR_TOO_LARGE);
    assert(strncmp(err->msg, FILE_NAME ":", strlen(FILE_NAME ":")) == 0);
    if (err->kind == ERR_TOO_LARGE)
        return;
    assert(strtoul(err->msg + strlen(FILE_NAME ":"), &rest, 10) > 0 && *rest == ':');
    assert(strtoul(rest + 1, &rest, 10) > 0 && rest[0] == ':' && rest[1] == ' ' && rest[2] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *config = NULL;
    struct err err = { 0 };
    char *text = malloc(size); /* no spare byte to overread */
    if (size > 0 && !text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    bool accepted = config_parse((struct str){ text, size }, STR(FILE_NAME), &config, &err).ok;
    free(text);
    assert(accepted == (config != NULL));
    if (accepted)
        check_accepted(config);
    else
        check_refused(&err);
    config_free(config);
    return 0;
}

#include "server/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { HELP_VALUE = 1000, MAX_ROWS = 32 };

static void print_row(const struct option_row *row)
{
    char left[64];
    int len = snprintf(left, sizeof left, "  %c%c%s --%s %s", row->letter ? '-' : ' ', row->letter ? row->letter : ' ',
                       row->letter ? "," : " ", row->name, row->argument ? row->argument : "");
    printf("%-36s%s%s\n", left, len > 35 ? "\n                                    " : "", row->help);
}

static void print_help(const struct command_help *help)
{
    static const struct option_row help_row = { .name = "help", .letter = 'h', .help = "print this and leave" };
    printf("Usage: sgp-webhook %s [OPTION]... %s\n\n%s\n\nOptions:\n", help->name, help->operands, help->summary);
    for (size_t i = 0; i < help->row_count; i++)
        print_row(&help->rows[i]);
    print_row(&help_row);
    if (help->epilogue)
        printf("\n%s\n", help->epilogue);
}

static bool add_text(struct arena *arena, struct option_texts *texts, const char *text)
{
    const char **bigger = NULL;
    struct err err = { 0 };
    if (!arena_take_array(arena, texts->count + 1, sizeof *bigger, &bigger, &err).ok)
        return false;
    if (texts->count)
        memcpy(bigger, texts->items, texts->count * sizeof *bigger);
    bigger[texts->count++] = text;
    texts->items = bigger;
    return true;
}

static bool store_number(const struct option_row *row, const char *argument, long *out)
{
    char *end = NULL;
    *out = strtol(argument, &end, 10);
    if (*argument && !*end && *out >= row->min && *out <= row->max)
        return true;
    fprintf(stderr, "sgp-webhook: --%s: '%s' is no number from %ld to %ld\n", row->name, argument, row->min, row->max);
    return false;
}

static bool store_option(const struct option_row *row, const char *argument, struct arena *arena, void *out)
{
    void *field = (char *)out + row->offset;
    switch (row->type) {
    case OPTION_TEXT: *(const char **)field = argument; return true;
    case OPTION_TEXTS: return add_text(arena, field, argument);
    case OPTION_FLAG: *(bool *)field = true; return true;
    case OPTION_NUMBER: return store_number(row, argument, field);
    }
    return false;
}

/* getopt's two tables, from ours. Values are row indexes from 1, so that they differ from letters. */
struct getopt_tables {
    char letters[2 * MAX_ROWS + 4];
    struct option rows[MAX_ROWS + 2];
};

static void fill_tables(const struct command_help *help, struct getopt_tables *tables)
{
    size_t letter = 0;
    tables->letters[letter++] = ':'; /* a missing argument is told from an unknown option */
    tables->letters[letter++] = 'h';
    for (size_t i = 0; i < help->row_count && i < MAX_ROWS; i++) {
        const struct option_row *row = &help->rows[i];
        tables->rows[i] = (struct option){ row->name, row->argument ? required_argument : no_argument, NULL,
                                           HELP_VALUE + 1 + (int)i };
        if (!row->letter)
            continue;
        tables->letters[letter++] = row->letter;
        if (row->argument)
            tables->letters[letter++] = ':';
    }
    tables->rows[help->row_count] = (struct option){ "help", no_argument, NULL, HELP_VALUE };
}

static const struct option_row *row_of(const struct command_help *help, int value)
{
    if (value > HELP_VALUE)
        return &help->rows[value - HELP_VALUE - 1];
    for (size_t i = 0; i < help->row_count; i++)
        if (help->rows[i].letter && help->rows[i].letter == value)
            return &help->rows[i];
    return NULL;
}

static enum options_outcome wrong(const struct command_help *help, char **argv, int value)
{
    fprintf(stderr, "sgp-webhook: %s: %s; see sgp-webhook %s --help\n", argv[optind - 1],
            value == ':' ? "its argument is missing" : "no such option", help->name);
    return OPTIONS_WRONG;
}

enum options_outcome options_read(const struct command_help *help, int argc, char **argv, struct arena *arena,
                                  void *out, struct option_texts *operands)
{
    struct getopt_tables tables = { 0 };
    int value = 0;
    fill_tables(help, &tables);
    optind = 1;
    while ((value = getopt_long(argc, argv, tables.letters, tables.rows, NULL)) != -1) {
        if (value == HELP_VALUE || value == 'h') {
            print_help(help);
            return OPTIONS_HELP_PRINTED;
        }
        const struct option_row *row = row_of(help, value);
        if (!row)
            return wrong(help, argv, value);
        if (!store_option(row, optarg, arena, out))
            return OPTIONS_WRONG;
    }
    while (optind < argc)
        if (!add_text(arena, operands, argv[optind++]))
            return OPTIONS_WRONG;
    return OPTIONS_READ;
}

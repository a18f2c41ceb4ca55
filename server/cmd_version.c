#include "server/commands.h"
#include "server/options.h"

#include <stdio.h>

int command_version(int argc, char **argv)
{
    static const struct command_help help = { .name = "version", .operands = "", .summary = "Prints the version." };
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct option_texts operands = { 0 };
    switch (options_read(&help, argc, argv, &arena, NULL, &operands)) {
    case OPTIONS_WRONG: return EXIT_UNUSABLE;
    case OPTIONS_HELP_PRINTED: return EXIT_CLEAN;
    case OPTIONS_READ: break;
    }
    printf("sgp-webhook %s\n", SGP_VERSION);
    return EXIT_CLEAN;
}

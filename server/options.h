/* server/options.h - command line options as rows of a table; getopt reads them, --help comes from them. */
#ifndef SGP_SERVER_OPTIONS_H
#define SGP_SERVER_OPTIONS_H

#include "base/arena.h"

enum option_type { OPTION_TEXT, OPTION_TEXTS, OPTION_FLAG, OPTION_NUMBER };

/* Fills a field at `offset` of the command's struct: const char *, struct option_texts, bool or long. */
struct option_row {
    const char *name;     /* "policies", for --policies */
    char letter;          /* 'o' for -o, or 0 */
    const char *argument; /* "PATH"; NULL for a flag */
    const char *help;
    enum option_type type;
    size_t offset;
    long min, max; /* OPTION_NUMBER */
};

/* Of an option that may be given more than once; in the arena. */
struct option_texts {
    const char **items;
    size_t count;
};

struct command_help {
    const char *name;     /* "check" */
    const char *operands; /* "FILE|-..." or "" */
    const char *summary;  /* one sentence */
    const char *epilogue; /* exit codes and the like; may be NULL */
    const struct option_row *rows;
    size_t row_count;
};

enum options_outcome { OPTIONS_READ, OPTIONS_HELP_PRINTED, OPTIONS_WRONG };

/* Reads argv[1..] into `out`, a struct of zeros or defaults; operands (argv without options) into `operands`. --help
 * prints to standard output. OPTIONS_WRONG: said on standard error what is wrong and how to get help; exit with 2. */
enum options_outcome options_read(const struct command_help *help, int argc, char **argv, struct arena *arena,
                                  void *out, struct option_texts *operands);

#endif

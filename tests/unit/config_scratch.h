/* tests/unit/config_scratch.h - configurations for the tests of the configuration. */
#ifndef SGP_TESTS_UNIT_CONFIG_SCRATCH_H
#define SGP_TESTS_UNIT_CONFIG_SCRATCH_H

#include "server/config.h"

/* A configuration that has to be accepted, from a file named c.yaml. */
struct config *config_parsed(struct str text);
/* The same with its rules. */
struct config *config_settled(const char *text);

/* A file with some content: CLEANUP(scratch_file_remove). */
struct scratch_file {
    char path[32];
};
struct scratch_file scratch_file_new(const char *text);
void scratch_file_remove(struct scratch_file *file);

#endif

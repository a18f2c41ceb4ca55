#include "tests/unit/config_scratch.h"

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

struct config *config_parsed(struct str text)
{
    struct config *config = NULL;
    struct err err = { 0 };
    ck_assert_msg(config_parse(text, STR("c.yaml"), &config, &err).ok, "%s", err.msg);
    ck_assert_ptr_nonnull(config);
    return config;
}

struct config *config_settled(const char *text)
{
    struct config *config = config_parsed(str_of(text));
    struct err err = { 0 };
    ck_assert_msg(config_settle(config, &err).ok, "%s", err.msg);
    return config;
}

struct scratch_file scratch_file_new(const char *text)
{
    struct scratch_file file = { "/tmp/test_config.XXXXXX" };
    int fd = mkstemp(file.path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(close(fd), 0);
    return file;
}

void scratch_file_remove(struct scratch_file *file)
{
    (void)unlink(file->path);
}

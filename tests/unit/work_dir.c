#include "tests/unit/work_dir.h"

#include "tests/unit/certs_scratch.h"

#include <check.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void work_dir_enter(struct work_dir *dir)
{
    *dir = (struct work_dir){ "/tmp/test_sources.XXXXXX" };
    ck_assert_ptr_nonnull(mkdtemp(dir->path));
    ck_assert_int_eq(chdir(dir->path), 0);
}

void work_dir_leave(struct work_dir *dir)
{
    ck_assert_int_eq(chdir("/"), 0);
    remove_tree(dir->path);
}

void write_text(const char *path, const char *text)
{
    file_write(path, text, strlen(text));
}

void make_dir(const char *path)
{
    ck_assert_int_eq(mkdir(path, S_IRWXU), 0);
}

void make_link(const char *target, const char *path)
{
    ck_assert_int_eq(symlink(target, path), 0);
}

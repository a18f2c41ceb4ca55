/* tests/unit/work_dir.h - a directory to work in, for tests of what reads files. Failures end the test. */
#ifndef SGP_TESTS_UNIT_WORK_DIR_H
#define SGP_TESTS_UNIT_WORK_DIR_H

struct work_dir {
    char path[32];
};

/* A new and empty one becomes the current directory. CLEANUP(work_dir_leave) removes it. */
void work_dir_enter(struct work_dir *dir);
void work_dir_leave(struct work_dir *dir);

void write_text(const char *path, const char *text);
/* Directories and symbolic links that must not exist yet. */
void make_dir(const char *path);
void make_link(const char *target, const char *path);

#endif

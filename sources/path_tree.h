/* sources/path_tree.h - the manifest files below a directory. */
#ifndef SGP_SOURCES_PATH_TREE_H
#define SGP_SOURCES_PATH_TREE_H

#include "base/arena.h"

struct path_tree {
    struct str_list files;       /* .yaml, .yml and .json, in byte order of their paths */
    struct str_list directories; /* the directory itself and all below, each once */
};

/* Lists what is below the directory `path`. Names with a leading dot are left out; symbolic links are followed, but a
 * directory is entered only once. Paths start with `path`, are NUL-terminated and live in the arena.
 * ERR_INPUT: "PATH: cannot be read: …", of a directory; `out` then has what was found so far. */
result path_tree_list(const char *path, struct arena *arena, struct path_tree *out, struct err *err);
/* Appends to a list that only this function appends to. */
result path_add(struct str_list *list, struct str path, struct arena *arena, struct err *err);

#endif

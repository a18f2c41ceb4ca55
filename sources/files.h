/* sources/files.h - the files source: paths in, the store kept as they say. */
#ifndef SGP_SOURCES_FILES_H
#define SGP_SOURCES_FILES_H

#include "sources/cluster.h"

/* Reads all paths (files, directories) and publishes them at once. On failure the store is as before: the last good
 * state stays in force. `arena` holds the report's texts. */
result files_load(const struct str_list *paths, struct str default_namespace, struct store *store, struct arena *arena,
                  struct cluster_report *report, struct err *err);
/* The directories whose changes may change what files_load reads: of each path itself, of the file or its parent, of
 * what symbolic links lead to, and all directories below. For a watcher. Paths that do not exist yet give their nearest
 * parent. */
result files_directories(const struct str_list *paths, struct arena *arena, struct str_list *out, struct err *err);

#endif

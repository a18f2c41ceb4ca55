/* server/text_file.h - small files, read whole. */
#ifndef SGP_SERVER_TEXT_FILE_H
#define SGP_SERVER_TEXT_FILE_H

#include "base/arena.h"

/* All of the file at `path`, also of a pipe, into the arena. ERR_INPUT: "PATH: cannot be opened: …", or it has more
 * than `max_bytes`. */
result text_file_read(const char *path, size_t max_bytes, struct arena *arena, struct str *out, struct err *err);

#endif

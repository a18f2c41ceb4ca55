#include "server/text_file.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void fd_close(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

result text_file_read(const char *path, size_t max_bytes, struct arena *arena, struct str *out, struct err *err)
{
    struct buf text = buf_in(arena);
    char piece[16 * 1024];
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ENSURE(fd >= 0, err, ERR_INPUT, "%s: cannot be opened: %s", path, strerror(errno));
    for (;;) {
        ssize_t got = read(fd, piece, sizeof piece);
        if (got < 0 && errno == EINTR)
            continue;
        ENSURE(got >= 0, err, ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
        if (got == 0)
            return buf_finish(&text, out, err);
        ENSURE((size_t)got <= max_bytes - text.len, err, ERR_INPUT, "%s: larger than %zu bytes, is it the right file?",
               path, max_bytes);
        buf_put(&text, (struct str){ piece, (size_t)got });
    }
}

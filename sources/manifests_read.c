#include "sources/manifests.h"
#include "sources/path_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than fits into a pipe at once. */
enum { FIRST_CAPACITY = 128 * 1024 };

/* Standard input is not ours to close. */
static void fd_closep(const int *fd)
{
    if (*fd > STDIN_FILENO)
        (void)close(*fd);
}

static result read_some(int fd, char *at, size_t room, size_t *got, const char *path, struct err *err)
{
    for (;;) {
        ssize_t count = read(fd, at, room);
        if (count < 0 && errno == EINTR)
            continue;
        ENSURE(count >= 0, err, ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
        *got = (size_t)count;
        return DONE;
    }
}

/* `capacity` is a guess: the file may grow while it is read, and a pipe has no size. */
static result read_all(int fd, const char *path, size_t capacity, struct arena *arena, struct str *out, struct err *err)
{
    char *text = NULL;
    size_t len = 0, got = 1;
    GUARD(arena_take(arena, capacity, &text, err));
    while (got > 0) {
        if (len == capacity) {
            char *bigger = NULL;
            ENSURE(len <= MANIFEST_MAX_BYTES, err, ERR_INPUT, "%s: larger than %d bytes", path, MANIFEST_MAX_BYTES);
            GUARD(arena_take_array(arena, capacity, 2, &bigger, err));
            memcpy(bigger, text, len);
            text = bigger;
            capacity *= 2;
        }
        GUARD(read_some(fd, text + len, capacity - len, &got, path, err));
        len += got;
    }
    *out = (struct str){ text, len };
    return DONE;
}

static result read_file(struct manifest_list *list, const char *path, struct err *err)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    CLEANUP(fd_closep) const int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct stat status = { 0 };
    struct str text = { 0 };
    ENSURE(fd >= 0 && fstat(fd, &status) == 0, err, ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    ENSURE(status.st_size <= MANIFEST_MAX_BYTES, err, ERR_INPUT, "%s: larger than %d bytes", path, MANIFEST_MAX_BYTES);
    size_t capacity =
        S_ISREG(status.st_mode) ? (size_t)status.st_size + 1 : FIRST_CAPACITY; /* one more to see its end */
    GUARD(read_all(fd, path, capacity, &arena, &text, err));
    return manifests_parse(list, text, str_of(path), err);
}

/* A pipe would hold us up. */
static result check_regular(const char *path, struct err *err)
{
    struct stat status = { 0 };
    ENSURE(stat(path, &status) == 0, err, ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    ENSURE(S_ISREG(status.st_mode), err, ERR_INPUT, "%s: is not a file", path);
    return DONE;
}

static result read_directory(struct manifest_list *list, const char *path, struct err *err)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct path_tree tree = { 0 };
    size_t count = list->count;
    GUARD(path_tree_list(path, &arena, &tree, err));
    for (size_t i = 0; i < tree.files.count; i++) {
        const char *file = tree.files.items[i].ptr;
        if (check_regular(file, err).ok && read_file(list, file, err).ok)
            continue;
        list->count = count;
        return FAILED;
    }
    return DONE;
}

result manifests_read(struct manifest_list *list, const char *path, struct err *err)
{
    struct stat status = { 0 };
    bool directory = strcmp(path, "-") != 0 && stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    return directory ? read_directory(list, path, err) : read_file(list, path, err);
}

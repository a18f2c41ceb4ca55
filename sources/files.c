#include "sources/files.h"

#include "sources/path_tree.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* As many as Linux itself follows in one path. */
enum { MAX_LINKS = 40 };

static result copy_texts(struct str_list *texts, struct arena *arena, struct err *err)
{
    struct str *copies = NULL;
    GUARD(arena_take_array(arena, texts->count, sizeof *copies, &copies, err));
    for (size_t i = 0; i < texts->count; i++)
        GUARD(arena_copy(arena, texts->items[i], &copies[i], err));
    texts->items = copies;
    return DONE;
}

/* Reading a pipe would wait for whoever writes it; what does not exist, the reader names. */
static result check_readable(const char *path, struct err *err)
{
    struct stat status;
    bool exists = stat(path, &status) == 0;
    ENSURE(!exists || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode), err, ERR_INPUT,
           "%s: neither a file nor a directory", path);
    return DONE;
}

result files_load(const struct str_list *paths, struct str default_namespace, struct store *store, struct arena *arena,
                  struct cluster_report *report, struct err *err)
{
    CLEANUP(arena_free) struct arena scratch = { 0 };
    struct manifest_list manifests = { .arena = &scratch };
    struct cluster_report found = { 0 };
    for (size_t i = 0; i < paths->count; i++) {
        struct str path = { 0 };
        GUARD(arena_copy(&scratch, paths->items[i], &path, err));
        GUARD(check_readable(path.ptr, err));
        GUARD(manifests_read(&manifests, path.ptr, err));
    }
    GUARD(cluster_publish(&manifests, default_namespace, store, &found, err));
    GUARD(copy_texts(&found.unknown_kinds, arena, err));
    GUARD(copy_texts(&found.remarks, arena, err));
    *report = found;
    return DONE;
}

/* A path on its way to where it leads. */
struct trace {
    char reached[PATH_MAX]; /* a directory, without symbolic links in what was walked so far */
    char rest[PATH_MAX];    /* still to be walked */
    unsigned links;
};

struct watch_list {
    struct arena *arena;
    struct str_list directories;
};

static result watch(struct watch_list *list, const char *directory, struct err *err)
{
    char real[PATH_MAX];
    struct str path = { 0 };
    if (!realpath(directory, real))
        return DONE;
    GUARD(arena_copy(list->arena, str_of(real), &path, err));
    return path_add(&list->directories, path, list->arena, err);
}

/* Whether it fits; a path that does not, no call of the system would take. */
static bool join(char out[PATH_MAX], const char *first, const char *second)
{
    int len = snprintf(out, PATH_MAX, "%s/%s", first, second);
    return len >= 0 && len < PATH_MAX;
}

/* Cuts the first name off the rest of the way; false when there is none. */
static bool next_name(struct trace *trace, char name[PATH_MAX])
{
    char *start = trace->rest + strspn(trace->rest, "/");
    size_t len = strcspn(start, "/");
    memcpy(name, start, len);
    name[len] = '\0';
    memmove(trace->rest, start + len, strlen(start + len) + 1);
    return len > 0;
}

/* Goes on at what the symbolic link says. */
static bool follow_link(struct trace *trace, const char *link)
{
    char target[PATH_MAX], rest[PATH_MAX];
    ssize_t len = readlink(link, target, sizeof target - 1);
    if (len <= 0 || ++trace->links > MAX_LINKS)
        return false;
    target[len] = '\0';
    if (!join(rest, target, trace->rest))
        return false;
    memcpy(trace->rest, rest, sizeof rest);
    if (target[0] == '/')
        memcpy(trace->reached, "/", sizeof "/");
    return true;
}

/* Watches every directory that decides where the path leads: those that hold its symbolic links, and the one where it
 * ends, or where it cannot be followed any more. */
static result watch_way(struct watch_list *list, const char *path, struct err *err)
{
    struct trace trace = { .reached = "" };
    char name[PATH_MAX], next[PATH_MAX];
    memcpy(trace.reached, path[0] == '/' ? "/" : ".", 2);
    if (snprintf(trace.rest, sizeof trace.rest, "%s", path) >= PATH_MAX)
        return DONE;
    while (next_name(&trace, name)) {
        struct stat status = { 0 };
        if (!join(next, trace.reached, name) || lstat(next, &status) != 0)
            break;
        if (S_ISLNK(status.st_mode)) {
            GUARD(watch(list, trace.reached, err));
            if (!follow_link(&trace, next))
                return DONE;
        } else if (S_ISDIR(status.st_mode)) {
            memcpy(trace.reached, next, sizeof next);
        } else {
            break;
        }
    }
    return watch(list, trace.reached, err);
}

/* What cannot be listed is watched as far as that goes: files_load says what is wrong with it. */
static result watch_below(struct watch_list *list, const char *path, struct err *err)
{
    struct path_tree tree = { 0 };
    struct err unlisted = { 0 };
    struct outcome listed = path_tree_list(path, list->arena, &tree, &unlisted);
    if (!listed.ok && unlisted.kind != ERR_INPUT) {
        *err = unlisted;
        return FAILED;
    }
    for (size_t i = 0; i < tree.directories.count; i++)
        GUARD(watch_way(list, tree.directories.items[i].ptr, err));
    for (size_t i = 0; i < tree.files.count; i++) {
        struct stat status = { 0 };
        if (lstat(tree.files.items[i].ptr, &status) == 0 && S_ISLNK(status.st_mode))
            GUARD(watch_way(list, tree.files.items[i].ptr, err));
    }
    return DONE;
}

static int path_order(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static void drop_repeated(struct str_list *list)
{
    size_t kept = 0;
    if (list->count)
        qsort(list->items, list->count, sizeof *list->items, path_order);
    for (size_t i = 0; i < list->count; i++)
        if (kept == 0 || !str_equal(list->items[kept - 1], list->items[i]))
            list->items[kept++] = list->items[i];
    list->count = kept;
}

result files_directories(const struct str_list *paths, struct arena *arena, struct str_list *out, struct err *err)
{
    struct watch_list list = { .arena = arena };
    for (size_t i = 0; i < paths->count; i++) {
        struct str path = { 0 };
        struct stat status = { 0 };
        if (str_is(paths->items[i], "-"))
            continue;
        GUARD(arena_copy(arena, paths->items[i], &path, err));
        GUARD(watch_way(&list, path.ptr, err));
        if (stat(path.ptr, &status) == 0 && S_ISDIR(status.st_mode))
            GUARD(watch_below(&list, path.ptr, err));
    }
    drop_repeated(&list.directories);
    *out = list.directories;
    return DONE;
}

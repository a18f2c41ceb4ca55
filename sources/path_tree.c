#include "sources/path_tree.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

struct walk {
    struct arena *arena;
    struct path_tree *tree;
    struct stat *entered; /* of each directory, to know it by another name */
    size_t entered_count;
};

static void dir_closep(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

/* Capacities are powers of two. */
static bool is_full(size_t count)
{
    return (count & (count - 1)) == 0;
}

static result bigger_array(struct arena *arena, const void *items, size_t count, size_t size, void *out,
                           struct err *err)
{
    void *bigger = NULL;
    GUARD(arena_take_array(arena, count ? count * 2 : 1, size, &bigger, err));
    if (count)
        memcpy(bigger, items, count * size);
    memcpy(out, &bigger, sizeof bigger);
    return DONE;
}

result path_add(struct str_list *list, struct str path, struct arena *arena, struct err *err)
{
    if (is_full(list->count))
        GUARD(bigger_array(arena, list->items, list->count, sizeof *list->items, &list->items, err));
    list->items[list->count++] = path;
    return DONE;
}

static bool was_entered(const struct walk *walk, const struct stat *status)
{
    for (size_t i = 0; i < walk->entered_count; i++)
        if (walk->entered[i].st_dev == status->st_dev && walk->entered[i].st_ino == status->st_ino)
            return true;
    return false;
}

static result add_directory(struct walk *walk, struct str path, const struct stat *status, struct err *err)
{
    if (was_entered(walk, status))
        return DONE;
    if (is_full(walk->entered_count))
        GUARD(
            bigger_array(walk->arena, walk->entered, walk->entered_count, sizeof *walk->entered, &walk->entered, err));
    walk->entered[walk->entered_count++] = *status;
    return path_add(&walk->tree->directories, path, walk->arena, err);
}

static bool is_manifest_name(struct str name)
{
    static const struct str suffixes[] = { STR_INIT(".yaml"), STR_INIT(".yml"), STR_INIT(".json") };
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
        if (str_ends_with(name, suffixes[i]))
            return true;
    return false;
}

static result add_entry(struct walk *walk, struct str directory, struct str name, struct err *err)
{
    struct str path = { 0 };
    struct stat status = { 0 };
    if (str_starts_with(name, STR(".")))
        return DONE;
    const char *separator = str_ends_with(directory, STR("/")) ? "" : "/";
    GUARD(arena_print(walk->arena, &path, err, "%s%s%s", directory.ptr, separator, name.ptr));
    if (stat(path.ptr, &status) == 0 && S_ISDIR(status.st_mode))
        return add_directory(walk, path, &status, err);
    if (!is_manifest_name(name))
        return DONE;
    return path_add(&walk->tree->files, path, walk->arena, err);
}

static int path_order(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

/* Sorted before they are entered, so that of two ways to one directory it is always the same that counts. */
static result list_names(struct str directory, struct arena *arena, struct str_list *out, struct err *err)
{
    CLEANUP(dir_closep) DIR *dir = opendir(directory.ptr);
    ENSURE(dir, err, ERR_INPUT, "%s: cannot be read: %s", directory.ptr, strerror(errno));
    for (;;) {
        struct str name = { 0 };
        errno = 0;
        const struct dirent *entry = readdir(dir);
        ENSURE(entry || errno == 0, err, ERR_INPUT, "%s: cannot be read: %s", directory.ptr, strerror(errno));
        if (!entry)
            break;
        GUARD(arena_copy(arena, str_of(entry->d_name), &name, err));
        GUARD(path_add(out, name, arena, err));
    }
    if (out->count)
        qsort(out->items, out->count, sizeof *out->items, path_order);
    return DONE;
}

result path_tree_list(const char *path, struct arena *arena, struct path_tree *out, struct err *err)
{
    struct walk walk = { .arena = arena, .tree = out };
    struct stat status = { 0 };
    *out = (struct path_tree){ 0 };
    ENSURE(stat(path, &status) == 0, err, ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    GUARD(add_directory(&walk, str_of(path), &status, err));
    for (size_t i = 0; i < out->directories.count; i++) {
        struct str directory = out->directories.items[i];
        struct str_list names = { 0 };
        GUARD(list_names(directory, arena, &names, err));
        for (size_t n = 0; n < names.count; n++)
            GUARD(add_entry(&walk, directory, names.items[n], err));
    }
    if (out->files.count)
        qsort(out->files.items, out->files.count, sizeof *out->files.items, path_order);
    return DONE;
}

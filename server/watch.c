#include "server/watch.h"

#include <errno.h>
#include <limits.h>
#include <stdalign.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

/* Quiet for this long, but not put off for longer than that by a stream of changes. */
enum { QUIET_MS = 100, PUT_OFF_MS = 1000, TAG_COUNT = 2, EVENTS_BYTES = 16 * 1024 };

struct watched {
    int descriptor;
    unsigned tags;
};

struct watch {
    int fd;
    struct watched *watched;
    size_t count;
    int64_t first_ms[TAG_COUNT]; /* of the change that is not due yet; 0: none */
    int64_t last_ms[TAG_COUNT];
};

result watch_new(struct watch **out, struct err *err)
{
    struct watch *watch = calloc(1, sizeof *watch);
    ENSURE(watch, err, ERR_INTERNAL, "out of memory");
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->fd < 0) {
        free(watch);
        return err_set(err, ERR_UNAVAILABLE, "inotify: %s; changed files will not be noticed", strerror(errno));
    }
    *out = watch;
    return DONE;
}

void watch_free(struct watch *watch)
{
    if (!watch)
        return;
    (void)close(watch->fd);
    free(watch->watched);
    free(watch);
}

static result note(struct watch *watch, int descriptor, enum watch_tag tag, struct err *err)
{
    for (size_t i = 0; i < watch->count; i++) {
        if (watch->watched[i].descriptor == descriptor) {
            watch->watched[i].tags |= tag;
            return DONE;
        }
    }
    struct watched *bigger = realloc(watch->watched, (watch->count + 1) * sizeof *bigger);
    ENSURE(bigger, err, ERR_INTERNAL, "out of memory");
    watch->watched = bigger;
    watch->watched[watch->count++] = (struct watched){ descriptor, tag };
    return DONE;
}

result watch_add(struct watch *watch, struct str directory, enum watch_tag tag, struct err *err)
{
    char path[PATH_MAX];
    ENSURE(directory.len < sizeof path, err, ERR_INPUT, "%.*s: the path is too long", STR_ARGS(directory));
    memcpy(path, directory.ptr, directory.len);
    path[directory.len] = '\0';
    int descriptor = inotify_add_watch(watch->fd, path,
                                       IN_CREATE | IN_CLOSE_WRITE | IN_MOVE | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF |
                                           IN_MOVE_SELF | IN_ONLYDIR);
    ENSURE(descriptor >= 0, err, ERR_UNAVAILABLE, "%s: cannot be watched: %s", path, strerror(errno));
    return note(watch, descriptor, tag, err);
}

int watch_fd(const struct watch *watch)
{
    return watch->fd;
}

static void touch(struct watch *watch, unsigned tags, int64_t now_ms)
{
    for (unsigned i = 0; i < TAG_COUNT; i++) {
        if (!(tags & 1U << i))
            continue;
        if (watch->first_ms[i] == 0)
            watch->first_ms[i] = now_ms;
        watch->last_ms[i] = now_ms;
    }
}

static void forget(struct watch *watch, size_t index)
{
    watch->watched[index] = watch->watched[--watch->count];
}

static void take_event(struct watch *watch, const struct inotify_event *event, int64_t now_ms)
{
    if (event->mask & IN_Q_OVERFLOW)
        touch(watch, WATCH_POLICIES | WATCH_CERTIFICATE, now_ms);
    for (size_t i = 0; i < watch->count; i++) {
        if (watch->watched[i].descriptor != event->wd)
            continue;
        touch(watch, watch->watched[i].tags, now_ms);
        if (event->mask & IN_IGNORED)
            forget(watch, i);
        return;
    }
}

void watch_read(struct watch *watch, int64_t now_ms)
{
    alignas(struct inotify_event) char events[EVENTS_BYTES];
    ssize_t len = 0;
    while ((len = read(watch->fd, events, sizeof events)) > 0) {
        for (const char *at = events; at < events + len;) {
            struct inotify_event event;
            memcpy(&event, at, sizeof event);
            take_event(watch, &event, now_ms);
            at += sizeof event + event.len;
        }
    }
}

static int64_t due_at(const struct watch *watch, unsigned tag)
{
    int64_t quiet = watch->last_ms[tag] + QUIET_MS, latest = watch->first_ms[tag] + PUT_OFF_MS;
    return quiet < latest ? quiet : latest;
}

unsigned watch_due(struct watch *watch, int64_t now_ms)
{
    unsigned due = 0;
    for (unsigned i = 0; i < TAG_COUNT; i++) {
        if (watch->first_ms[i] == 0 || due_at(watch, i) > now_ms)
            continue;
        watch->first_ms[i] = 0;
        due |= 1U << i;
    }
    return due;
}

int watch_wait_ms(const struct watch *watch, int64_t now_ms)
{
    int64_t wait = INT_MAX;
    for (unsigned i = 0; i < TAG_COUNT; i++)
        if (watch->first_ms[i] && due_at(watch, i) - now_ms < wait)
            wait = due_at(watch, i) - now_ms;
    if (wait == INT_MAX)
        return -1;
    return wait < 0 ? 0 : (int)wait;
}

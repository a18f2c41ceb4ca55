/* base/err.h - the one error convention: a function that can fail returns `result` and takes `struct err *` last. */
#ifndef SGP_BASE_ERR_H
#define SGP_BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>

enum err_kind {
    ERR_NONE,
    ERR_INPUT,       /* what came from outside is wrong: mend it */
    ERR_TOO_LARGE,   /* what came from outside needs more memory than it may have */
    ERR_UNAVAILABLE, /* cannot be said now: ask later */
    ERR_INTERNAL,    /* ours */
};

/* The caller's, starts as { 0 }; nothing to free. `msg` is for the person who must act: where, what, what instead. */
struct err {
    enum err_kind kind;
    char msg[240];
};

struct outcome {
    bool ok;
};

/* A struct, so that no int or bool passes for it; unused results are errors. */
#define result __attribute__((warn_unused_result)) struct outcome
#define DONE ((struct outcome){ true })
#define FAILED ((struct outcome){ false })

/* The only two hidden returns of this code. */
#define GUARD(call)                                                                                                    \
    do {                                                                                                               \
        if (!(call).ok)                                                                                                \
            return FAILED;                                                                                             \
    } while (0)
#define ENSURE(cond, err, kind, ...)                                                                                   \
    do {                                                                                                               \
        if (!(cond))                                                                                                   \
            return err_set((err), (kind), __VA_ARGS__);                                                                \
    } while (0)

/* Sets kind and message (cut at the buffer's end) and returns FAILED. */
__attribute__((format(printf, 3, 4))) result err_set(struct err *err, enum err_kind kind, const char *format, ...);
/* Puts the place in front of the message, on the way up; returns FAILED. */
__attribute__((format(printf, 2, 3))) result err_prefix(struct err *err, const char *format, ...);

/* Declares the cleanup with the variable: CLEANUP(file_closep) struct file *file = NULL; */
#define CLEANUP(function) __attribute__((cleanup(function)))
/* Hands a pointer over and leaves NULL behind. */
#define MOVE(pointer)                                                                                                  \
    __extension__({                                                                                                    \
        __typeof__(pointer) moved_ = (pointer);                                                                        \
        (pointer) = NULL;                                                                                              \
        moved_;                                                                                                        \
    })

#endif

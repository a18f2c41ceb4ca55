#include "base/err.h"

#include <stdio.h>
#include <string.h>

result err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
    va_list args;
    err->kind = kind;
    va_start(args, format);
    (void)vsnprintf(err->msg, sizeof err->msg, format, args);
    va_end(args);
    return FAILED;
}

result err_prefix(struct err *err, const char *format, ...)
{
    char tail[sizeof err->msg];
    va_list args;
    memcpy(tail, err->msg, sizeof tail);
    va_start(args, format);
    int len = vsnprintf(err->msg, sizeof err->msg, format, args);
    va_end(args);
    if (len >= 0 && (size_t)len < sizeof err->msg)
        (void)snprintf(err->msg + len, sizeof err->msg - (size_t)len, "%.*s", (int)(sizeof err->msg - (size_t)len - 1),
                       tail);
    return FAILED;
}

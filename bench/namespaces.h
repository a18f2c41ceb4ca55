/* bench/namespaces.h - the namespaces that bench/generate.py makes: a recorded review is sent for one after another. */
#ifndef SGP_BENCH_NAMESPACES_H
#define SGP_BENCH_NAMESPACES_H

#include "base/err.h"
#include "base/str.h"

/* All names have one length, that of the recorded one. The stride is a prime: neighbours in time are not neighbours in
 * memory. */
enum { NAMESPACE_BYTES = 12, NAMESPACE_STRIDE = 7919 };

/* Where the recorded name stands in `text`, which can be written to. */
static inline result namespace_find(struct str text, char **out, struct err *err)
{
    *out = memmem(text.ptr, text.len, "my-namespace", NAMESPACE_BYTES);
    ENSURE(*out, err, ERR_INPUT, "the review is not of namespace my-namespace");
    return DONE;
}

/* Writes the name of the one of `count` namespaces whose turn it is. */
static inline void namespace_write(char *at, size_t turn, size_t count)
{
    size_t index = turn * NAMESPACE_STRIDE % count;
    memcpy(at, "ns-", 3);
    for (size_t i = NAMESPACE_BYTES; i > 3; i--, index /= 10)
        at[i - 1] = (char)('0' + index % 10);
}

#endif

/* Any bytes as the body of a review. The first byte chooses what its objects are taken for; a reference that reads with
 * Jansson must come to the same verdict and the same values. */
#include <assert.h>
#include <stdlib.h>

#include "tests/fuzz/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A refusal says why; only memory, which is not limited here, could be another reason. */
static void check_said(bool refused, const struct err *err)
{
    assert(refused ? err->kind == ERR_INPUT && err->msg[0] != '\0' : err->kind == ERR_NONE);
}

static void compare(struct str body, enum object_type type)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct review read = { 0 }, reference = { 0 };
    struct err err = { 0 }, reference_err = { 0 };
    bool accepted = review_decode(body, type, &arena, &read, &err).ok;
    assert(accepted == reference_decode(body, type, &arena, &reference, &reference_err).ok);
    check_said(!accepted, &err);
    if (!accepted)
        return;
    for (size_t i = 0; i < sizeof read.object_err / sizeof read.object_err[0]; i++)
        check_said(read.object_err[i].kind != ERR_NONE, &read.object_err[i]);
    assert(reference_equal(&read, &reference, type));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *body = malloc(size - 1); /* no spare byte to overread: what is read are slices of it */
    if (!body)
        return 0;
    memcpy(body, data + 1, size - 1);
    compare((struct str){ body, size - 1 }, (enum object_type)(data[0] % (OBJECT_RAW + 1)));
    free(body);
    return 0;
}

/* Manifests: any text is refused with its place and leaves the list alone, or gives objects that can be decoded. */
#include "policy/objects.h"
#include "sources/manifests.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* FILE:LINE:COLUMN: and a word. */
static void check_refused(const struct err *err, const char *name)
{
    size_t len = strlen(name);
    char *rest = NULL;
    assert(err->kind == ERR_INPUT);
    assert(strncmp(err->msg, name, len) == 0 && err->msg[len] == ':');
    assert(strtoul(err->msg + len + 1, &rest, 10) > 0 && *rest == ':');
    assert(strtoul(rest + 1, &rest, 10) > 0 && rest[0] == ':' && rest[1] == ' ' && rest[2] != '\0');
}

static void check_manifest(const struct manifest *manifest, const char *name, struct arena *arena)
{
    struct policy_object policy = { 0 };
    struct err err = { 0 };
    assert(manifest->kind.len > 0 && manifest->api_version.len > 0);
    assert(manifest->line > 0 && manifest->column > 0);
    assert(manifest->json.len >= 2 && manifest->json.ptr[0] == '{');
    assert(str_is(manifest_file_name(manifest), name));
    if (!manifest_decode(manifest, &policy_object_shape, arena, &policy, &err).ok)
        check_refused(&err, name);
}

/* Returns how many objects there are, or -1 when the text is refused. */
static long parse(struct str text, const char *name)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct manifest_list list = { .arena = &arena };
    struct err err = { 0 };
    assert(manifests_parse(&list, STR("{kind: A, apiVersion: v1}"), STR("first"), &err).ok && list.count == 1);
    if (!manifests_parse(&list, text, str_of(name), &err).ok) {
        check_refused(&err, name);
        assert(list.count == 1);
        return -1;
    }
    for (size_t i = 1; i < list.count; i++)
        check_manifest(&list.items[i], name, &arena);
    return (long)list.count - 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size); /* no spare byte to overread */
    if (size > 0 && !text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    long as_json = parse((struct str){ text, size }, "f.json");
    long as_either = parse((struct str){ text, size }, "-");
    assert(size == 0 || text[0] != '{' || as_json < 0 || as_json == as_either);
    free(text);
    return 0;
}

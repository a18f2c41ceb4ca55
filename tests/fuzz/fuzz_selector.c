/* Any bytes as a policy's selector: read, diagnosed, built, matched and put in words. */
#include <assert.h>
#include <stdlib.h>

#include "base/json.h"
#include "policy/objects.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static result note(void *ctx, struct str path, struct str message, struct err *err)
{
    (void)err;
    assert(path.len > 0 && message.len > 0);
    ++*(size_t *)ctx;
    return DONE;
}

/* An invalid selector matches nothing, and what does not match has a requirement that does not hold. */
static void check_match(const struct selector *selector, const struct str_map *labels, struct arena *arena)
{
    struct str unmet = { 0 };
    struct err err = { 0 };
    bool matches = selector_matches(selector, labels);
    bool said = selector_unmet(selector, labels, arena, &unmet, &err).ok;
    assert(said);
    assert(selector_valid(selector) ? matches == (unmet.ptr == NULL) : !matches);
    assert(!selector_empty(selector) || matches);
}

/* Against no labels, and against its own matchLabels, which it can only fail by its expressions. */
static void check_selector(const struct selector_spec *spec, struct arena *arena)
{
    const struct selector *selector = NULL;
    const struct str_map none = { 0 };
    struct str text = { 0 };
    struct err err = { 0 };
    size_t reported = 0;
    const struct selector_reporter reporter = { note, &reported };
    bool done = selector_diagnose(spec, arena, &reporter, &err).ok && selector_build(spec, arena, &selector, &err).ok &&
                selector_text(selector, arena, &text, &err).ok;
    assert(done && text.len > 0);
    assert(selector_valid(selector) == (reported == 0));
    check_match(selector, &none, arena);
    check_match(selector, &spec->match_labels, arena);
    assert(reported || spec->expressions.count || selector_matches(selector, &spec->match_labels));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct policy_object object = { 0 };
    struct err err = { 0 };
    char *text = malloc(size ? size : 1);
    assert(text);
    if (size)
        memcpy(text, data, size);
    struct json_input input = { .text = { text, size }, .arena = &arena };
    bool read = json_read(&input, &policy_object_shape, &object, &err).ok;
    assert(read || (err.msg[0] != '\0' && input.error_offset <= size));
    if (read && object.spec.pod_selector)
        check_selector(object.spec.pod_selector, &arena);
    if (read && object.spec.account_selector)
        check_selector(object.spec.account_selector, &arena);
    free(text);
    return 0;
}

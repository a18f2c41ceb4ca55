/* Any bytes as an AdmissionReview. The first byte chooses the endpoint; Jansson says what is JSON. */
#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

#include "admission/endpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CEILING_BYTES = 64 * 1024 * 1024 };

static struct str_pair role[] = { { STR_INIT("role"), STR_INIT("my-role") } };
static struct str_pair team[] = { { STR_INIT("team"), STR_INIT("payments") } };
static struct str teams[] = { STR_INIT("payments"), STR_INIT("billing") };
static struct requirement_spec of_team[] = { { STR_INIT("team"), STR_INIT("In"), { teams, 2 } } };
static const struct selector_spec by_label = { .match_labels = { role, 1, true } };
static const struct selector_spec by_team = { .expressions = { of_team, 1 } };
static struct str groups[] = { STR_INIT("sg-0123456789abcdef0"), STR_INIT("sg-0aaaaaaa"), STR_INIT("sg-0bbbbbbb") };

/* Policies by label, by expression and by account, in the namespace of the recorded reviews. */
static const struct policy_spec policies[] = {
    { .name = STR_INIT("by-label"), .pod_selector = &by_label, .groups = { groups, 2 } },
    { .name = STR_INIT("by-expression"), .pod_selector = &by_team, .groups = { groups, 1 } },
    { .name = STR_INIT("by-account"), .account_selector = &by_team, .groups = { groups + 1, 2 } },
};
static const struct account accounts[] = {
    { .name = STR_INIT("default") },
    { .name = STR_INIT("payments"), .labels = { team, 1, true } },
};
static const struct namespace_spec shop = { STR_INIT("my-namespace"), policies, 3, accounts, 2, { role, 1, true } };
static const struct instance_type rows[] = { { STR_INIT("m5.large"), true, 9 }, { STR_INIT("t3.large"), false, 0 } };
static const struct instance_types types = { rows, 2 };

static struct store *store_made(void)
{
    struct store *store = NULL;
    struct err err = { 0 };
    bool made = store_new(&store, &err).ok && store_replace(store, &shop, &err).ok;
    assert(made);
    return store;
}

/* What we accept Jansson accepts; what it refuses we refuse. It cannot read a NUL in a key, which is JSON though. */
static void compare_with_jansson(const char *body, size_t size, bool answered, const struct err *err)
{
    json_error_t error;
    json_t *json = json_loadb(body, size, JSON_ALLOW_NUL, &error);
    assert(answered || err->msg[0] != '\0');
    assert(answered || err->kind == ERR_INPUT || err->kind == ERR_TOO_LARGE);
    assert(!answered || json || json_error_code(&error) == json_error_null_byte_in_key);
    json_decref(json);
}

/* No byte of the answer depends on luck: it is JSON, and repeats the uid. */
static void check_answer(const struct answer *answer)
{
    json_t *json = json_loadb(answer->body.ptr, answer->body.len, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
    json_t *response = json_object_get(json, "response");
    const json_t *uid = json_object_get(response, "uid");
    assert(uid && str_equal((struct str){ json_string_value(uid), json_string_length(uid) }, answer->uid));
    assert(json_is_true(json_object_get(response, "allowed")) == answer->allowed);
    assert((json_object_get(response, "status") == NULL) == answer->allowed);
    assert(answer->allowed || !answer->patched);
    size_t index = 0;
    json_t *warning = NULL;
    json_array_foreach(json_object_get(response, "warnings"), index, warning)
        assert(json_string_length(warning) <= 120);
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct store *store; /* made once: a store takes longer than a review */
    CLEANUP(arena_free) struct arena arena = { .ceiling_bytes = CEILING_BYTES };
    struct rules rules = rules_default(&types);
    struct answer answer = { 0 };
    struct err err = { 0 };
    if (size == 0)
        return 0;
    if (!store)
        store = store_made();
    char *body = malloc(size > 1 ? size - 1 : 1); /* no spare byte to overread */
    assert(body);
    memcpy(body, data + 1, size - 1);
    rules.windows_ipam = (data[0] & 32) != 0;
    rules.workloads_deny = (data[0] & 64) != 0;
    const struct endpoint *endpoint = endpoint_at(data[0] % endpoint_count());
    bool answered = endpoint_answer(endpoint, store, &rules, (struct str){ body, size - 1 }, &arena, &answer, &err).ok;
    compare_with_jansson(body, size - 1, answered, &err);
    if (answered)
        check_answer(&answer);
    free(body);
    return 0;
}

/* What the tests have Jansson for. Apart from fixtures.c: Jansson and base/json.h have names in common. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/fixtures.h"

#include "base/buf.h"

bool jansson_accepts(struct str text)
{
    json_t *json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    json_decref(json);
    return json != NULL;
}

static json_t *parsed(struct str text)
{
    json_error_t error;
    json_t *json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    ck_assert_msg(json != NULL, "no JSON: %s at %d in %.*s", error.text, error.position, STR_ARGS(text));
    return json;
}

/* Warnings are shown by kubectl one to a line. */
static void expect_good_warnings(json_t *response)
{
    size_t index = 0;
    json_t *warning = NULL;
    json_array_foreach(json_object_get(response, "warnings"), index, warning)
    {
        ck_assert_uint_le(json_string_length(warning), 120);
        ck_assert_ptr_null(strstr(json_string_value(warning), "\xEF\xBF\xBD"));
    }
}

struct reply reply_to(struct world *world, const char *path, struct str body)
{
    struct reply reply = { 0 };
    struct err err = { 0 };
    const struct endpoint *endpoint = endpoint_find(str_of(path));
    ck_assert_ptr_nonnull(endpoint);
    world->rules.instance_types = &world->types; /* a world may have been copied since it was made */
    expect_done(endpoint_answer(endpoint, world->store, &world->rules, body, &world->arena, &reply.answer, &err), &err);
    reply.json = parsed(reply.answer.body);
    reply.response = json_object_get(reply.json, "response");
    ck_assert_str_eq(json_string_value(json_object_get(reply.json, "kind")), "AdmissionReview");
    ck_assert(json_is_object(reply.response));
    json_t *uid = json_object_get(reply.response, "uid");
    ck_assert(str_equal((struct str){ json_string_value(uid), json_string_length(uid) }, reply.answer.uid));
    ck_assert_int_eq(json_is_true(json_object_get(reply.response, "allowed")), reply.answer.allowed);
    ck_assert_int_eq(json_object_get(reply.response, "patch") != NULL, reply.answer.patched);
    ck_assert_int_eq(json_object_get(reply.response, "status") == NULL, reply.answer.allowed);
    expect_good_warnings(reply.response);
    return reply;
}

struct reply ask(struct world *world, const struct ask *question)
{
    return reply_to(world, question->path, review_of(&world->arena, question));
}

void reply_free(struct reply *reply)
{
    json_decref(reply->json);
    *reply = (struct reply){ 0 };
}

const char *findings_line(struct arena *arena, const struct findings *findings)
{
    struct buf text = buf_in(arena);
    struct str out = { 0 };
    struct err err = { 0 };
    for (size_t i = 0; i < findings->count; i++)
        buf_print(&text, "%s%.*s=%s@%.*s", i ? " " : "", STR_ARGS(check_row(findings->items[i].check)->id),
                  action_name(findings->items[i].action), STR_ARGS(findings->items[i].field));
    expect_done(buf_finish(&text, &out, &err), &err);
    return out.ptr;
}

static unsigned base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(digits, c);
    ck_assert_ptr_nonnull(at);
    return (unsigned)(at - digits);
}

const char *patch_text(struct arena *arena, const struct reply *reply)
{
    struct buf text = buf_in(arena);
    struct str out = { 0 };
    struct err err = { 0 };
    json_t *patch = json_object_get(reply->response, "patch");
    if (!patch)
        return "";
    ck_assert_str_eq(json_string_value(json_object_get(reply->response, "patchType")), "JSONPatch");
    const char *at = json_string_value(patch);
    ck_assert_uint_eq(json_string_length(patch) % 4, 0);
    for (unsigned bits = 0, count = 0; *at && *at != '='; at++) {
        bits = bits << 6 | base64_digit(*at);
        count += 6;
        if (count >= 8) {
            count -= 8;
            buf_put_char(&text, (char)(bits >> count & 255));
        }
    }
    expect_done(buf_finish(&text, &out, &err), &err);
    return out.ptr;
}

/* A token of a JSON pointer, unescaped in place; ~1 first, then ~0, as RFC 6901, section 4 orders. */
static void token_unescape(char *token)
{
    char *to = token;
    for (char *at = token; *at; at++) {
        if (*at == '~')
            *to++ = *++at == '1' ? '/' : '~';
        else
            *to++ = *at;
    }
    *to = '\0';
}

static json_t *child_of(json_t *parent, const char *token)
{
    return json_is_array(parent) ? json_array_get(parent, (size_t)strtoul(token, NULL, 10))
                                 : json_object_get(parent, token);
}

static void apply(json_t *object, json_t *operation)
{
    char path[512];
    json_t *parent = object, *value = json_object_get(operation, "value");
    const char *op = json_string_value(json_object_get(operation, "op"));
    (void)snprintf(path, sizeof path, "%s", json_string_value(json_object_get(operation, "path")));
    ck_assert_int_eq(path[0], '/');
    char *token = path + 1, *slash = NULL;
    for (; (slash = strchr(token, '/')); token = slash + 1) {
        *slash = '\0';
        token_unescape(token);
        parent = child_of(parent, token);
        ck_assert_msg(parent != NULL, "no parent at %s", token);
    }
    token_unescape(token);
    ck_assert_msg(json_is_object(parent), "the parent of %s is no object", token);
    ck_assert(strcmp(op, "add") == 0 || json_object_get(parent, token));
    if (strcmp(op, "remove") == 0)
        ck_assert_int_eq(json_object_del(parent, token), 0);
    else
        ck_assert_int_eq(json_object_set(parent, token, value), 0);
}

json_t *patched(json_t *object, const char *patch)
{
    size_t index = 0;
    json_t *operation = NULL, *operations = parsed(str_of(patch)), *copy = json_deep_copy(object);
    ck_assert_uint_gt(json_array_size(operations), 0);
    json_array_foreach(operations, index, operation) apply(copy, operation);
    json_decref(operations);
    return copy;
}

bool warns_of(const struct reply *reply, const char *part)
{
    size_t index = 0;
    json_t *warning = NULL;
    json_array_foreach(json_object_get(reply->response, "warnings"), index,
                       warning) if (strstr(json_string_value(warning), part)) return true;
    return false;
}

#include "tests/unit/fixtures.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/utf8.h"
#include "policy/objects.h"

void expect_done(struct outcome outcome, const struct err *err)
{
    ck_assert_msg(outcome.ok, "failed: %s", err->msg);
}

void expect_text(struct str is, const char *expected)
{
    ck_assert_msg(str_is(is, expected), "'%.*s' is not '%s'", STR_ARGS(is), expected);
}

struct str quoted(struct arena *arena, const char *text)
{
    struct str copy = { 0 };
    struct err err = { 0 };
    expect_done(arena_copy(arena, str_of(text), &copy, &err), &err);
    for (char *at = (char *)copy.ptr; at < copy.ptr + copy.len; at++)
        if (*at == '\'')
            *at = '"';
    return copy;
}

char *exact_copy(struct str text)
{
    char *copy = malloc(text.len ? text.len : 1);
    ck_assert_ptr_nonnull(copy);
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    return copy;
}

struct str data_file(struct arena *arena, const char *name)
{
    struct str path = { 0 };
    struct err err = { 0 };
    char *bytes = NULL;
    expect_done(arena_print(arena, &path, &err, "%s/%s", TEST_DATA_DIR, name), &err);
    FILE *file = fopen(path.ptr, "rb");
    ck_assert_msg(file != NULL, "%s: cannot be opened", path.ptr);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(file);
    rewind(file);
    expect_done(arena_take(arena, size + 1, &bytes, &err), &err);
    ck_assert_uint_eq(fread(bytes, 1, size, file), size);
    (void)fclose(file);
    return (struct str){ bytes, size };
}

struct world world_new(void)
{
    struct world world = { 0 };
    struct err err = { 0 };
    static const char table[] = "instance_type\ttrunking_compatible\tbranch_interfaces\n"
                                "m5.large\ttrue\t9\nt3.medium\tfalse\t0\nt3.large\tfalse\t0\n";
    expect_done(store_new(&world.store, &err), &err);
    expect_done(instance_types_parse(STR(table), &world.arena, &world.types, &err), &err);
    world.rules = rules_default(NULL);
    return world;
}

void world_free(struct world *world)
{
    store_free(world->store);
    arena_free(&world->arena);
    *world = (struct world){ 0 };
}

struct namespace_json {
    struct str name;
    struct str_map labels;
    struct {
        struct policy_object *items;
        size_t count;
    } policies;
    struct {
        struct meta_object *items;
        size_t count;
    } accounts;
};

static const struct namespace_json *namespace_read(struct arena *arena, const char *text)
{
    const struct field fields[] = {
        { STR("name"), FIELD_STRING, offsetof(struct namespace_json, name), NULL, false },
        { STR("labels"), FIELD_MAP, offsetof(struct namespace_json, labels), NULL, false },
        { STR("policies"), FIELD_LIST, offsetof(struct namespace_json, policies), &policy_object_shape, false },
        { STR("accounts"), FIELD_LIST, offsetof(struct namespace_json, accounts), &meta_object_shape, false },
    };
    const struct shape shape = SHAPE_INIT(fields, struct namespace_json);
    struct json_input input = { .text = quoted(arena, text), .arena = arena };
    struct namespace_json *out = NULL;
    struct err err = { 0 };
    expect_done(arena_take(arena, sizeof *out, &out, &err), &err);
    expect_done(json_read(&input, &shape, out, &err), &err);
    return out;
}

void world_put(struct world *world, const char *namespace_json)
{
    const struct namespace_json *read = namespace_read(&world->arena, namespace_json);
    struct policy_spec *policies = NULL;
    struct account *accounts = NULL;
    struct err err = { 0 };
    expect_done(arena_take_array(&world->arena, read->policies.count, sizeof *policies, &policies, &err), &err);
    expect_done(arena_take_array(&world->arena, read->accounts.count, sizeof *accounts, &accounts, &err), &err);
    for (size_t i = 0; i < read->policies.count; i++)
        policies[i] = policy_object_spec(&read->policies.items[i]);
    for (size_t i = 0; i < read->accounts.count; i++)
        accounts[i] = (struct account){ read->accounts.items[i].meta.name, read->accounts.items[i].meta.labels };
    const struct namespace_spec spec = { read->name,           policies,    read->policies.count, accounts,
                                         read->accounts.count, read->labels };
    expect_done(store_replace(world->store, &spec, &err), &err);
}

struct world world_of_shop(void)
{
    struct world world = world_new();
    world_put(&world, "{'name':'shop','policies':["
                      "{'metadata':{'name':'web'},'spec':{'podSelector':{'matchLabels':{'role':'web'}},"
                      "'securityGroups':{'groupIds':['sg-0000000a','sg-0000000b']}}},"
                      "{'metadata':{'name':'by-account'},'spec':{'serviceAccountSelector':{'matchLabels':"
                      "{'team':'pay'}},'securityGroups':{'groupIds':['sg-0000000c']}}}],"
                      "'accounts':[{'metadata':{'name':'default'}},"
                      "{'metadata':{'name':'pay','labels':{'team':'pay'}}}]}");
    return world;
}

struct str review_of(struct arena *arena, const struct ask *ask)
{
    struct str text = { 0 };
    struct err err = { 0 };
    expect_done(arena_print(arena, &text, &err,
                            "{'kind':'AdmissionReview','apiVersion':'admission.k8s.io/v1','request':{"
                            "'uid':'7e1c','kind':{'group':'%s','version':'v1','kind':'%s'},'subResource':'%s',"
                            "'name':'thing','namespace':'%s','operation':'%s','userInfo':{'username':'%s'},"
                            "'object':%s,'oldObject':%s,'dryRun':false}}",
                            ask->group ? ask->group : "", ask->kind, ask->sub_resource ? ask->sub_resource : "",
                            ask->namespace ? ask->namespace : "shop", ask->operation, ask->user ? ask->user : "admin",
                            ask->object ? ask->object : "null", ask->old_object ? ask->old_object : "null"),
                &err);
    return quoted(arena, text.ptr);
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

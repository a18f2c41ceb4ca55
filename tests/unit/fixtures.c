#include "tests/unit/fixtures.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
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

const struct pod *pod_of(struct arena *arena, const char *pod_json)
{
    struct json_input input = { .text = quoted(arena, pod_json), .arena = arena };
    struct pod *pod = NULL;
    struct err err = { 0 };
    expect_done(arena_take(arena, sizeof *pod, &pod, &err), &err);
    expect_done(json_read(&input, &pod_shape, pod, &err), &err);
    return pod;
}

struct world world_new(void)
{
    struct world world = { 0 };
    struct err err = { 0 };
    static const char table[] = "instance_type\ttrunking_compatible\tbranch_interfaces\n"
                                "m5.large\ttrue\t9\nt3.medium\tfalse\t0\nt3.large\tfalse\t0\n";
    expect_done(store_new(&world.store, &err), &err);
    expect_done(instance_types_parse(str_of(table), &world.arena, &world.types, &err), &err);
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

/* POST /mutate-v1-pod, in the namespace of world_of_shop. */
#include <jansson.h>

#include "tests/unit/fixtures.h"
#include "tests/unit/suites.h"

#include "admission/pod.h"

#define ENI "'vpc.amazonaws.com/pod-eni'"
#define IPV4 "'vpc.amazonaws.com/PrivateIPv4Address'"
#define SG "'fargate.amazonaws.com/pod-sg'"
#define WEB "'metadata':{'labels':{'role':'web'}}"
#define FARGATE "'labels':{'role':'web','eks.amazonaws.com/fargate-profile':'fp'}"
#define FARGATE_ALONE "'labels':{'eks.amazonaws.com/fargate-profile':'fp'}"
#define C0 "'spec':{'containers':[{'name':'c'}]}"
#define ONE "{'limits':{" ENI ":'1'},'requests':{" ENI ":'1'}}"

static struct ask create(const char *pod)
{
    return (struct ask){ .path = "/mutate-v1-pod", .operation = "CREATE", .kind = "Pod", .object = pod };
}

static const char *object_text(struct arena *arena, json_t *object)
{
    struct str copy = { 0 };
    struct err err = { 0 };
    char *text = json_dumps(object, JSON_COMPACT);
    expect_done(arena_copy(arena, str_of(text), &copy, &err), &err);
    free(text);
    return copy.ptr;
}

static json_t *loaded(struct arena *arena, const char *text)
{
    json_t *json = json_loads(quoted(arena, text).ptr, 0, NULL);
    ck_assert_msg(json != NULL, "%s", text);
    return json;
}

/* A pod before and after; none of the findings denies. */
static const struct {
    const char *before, *after; /* NULL: left alone */
    const char *findings;
} pods[] = {
    { "{" WEB "," C0 "}", "{" WEB ",'spec':{'containers':[{'name':'c','resources':" ONE "}]}}", "" },
    { "{" WEB ",'spec':{'containers':[{'resources':null}]}}", "{" WEB ",'spec':{'containers':[{'resources':" ONE "}]}}",
      "" },
    { "{" WEB ",'spec':{'containers':[{'resources':{}}]}}", "{" WEB ",'spec':{'containers':[{'resources':" ONE "}]}}",
      "" },
    { "{" WEB ",'spec':{'containers':[{'resources':{'limits':{},'requests':null}}]}}",
      "{" WEB ",'spec':{'containers':[{'resources':" ONE "}]}}", "" },
    { "{" WEB ",'spec':{'containers':[{'resources':{'limits':{'cpu':'0.10'},'claims':[{'name':'x'}]}}]}}",
      "{" WEB ",'spec':{'containers':[{'resources':{'limits':{'cpu':'0.10'," ENI ":'1'},'requests':{" ENI
      ":'1'},'claims':[{'name':'x'}]}}]}}",
      "" },
    { "{" WEB ",'spec':{'containers':[{'resources':{'limits':{" ENI ":'1'}}}]}}",
      "{" WEB ",'spec':{'containers':[{'resources':" ONE "}]}}", "" },
    { "{" WEB ",'spec':{'containers':[{'resources':" ONE "}]}}", NULL, "" },
    { "{" WEB ",'spec':{'containers':[{'resources':{'limits':{" ENI ":'3'},'requests':{" ENI ":'3'}}}]}}",
      "{" WEB ",'spec':{'containers':[{'resources':" ONE "}]}}", "pod-branch-count=warn@spec.containers[0].resources" },
    { "{" WEB ",'spec':{'containers':[{'resources':{'limits':{" ENI ":'1'},'requests':{" ENI ":'2'}}}]}}",
      "{" WEB ",'spec':{'containers':[{'resources':" ONE "}]}}", "pod-branch-count=warn@spec.containers[0].resources" },
    { "{" WEB ",'spec':{'containers':[{'resources':{'limits':{" ENI ":'0'}}}]}}",
      "{" WEB ",'spec':{'containers':[{'resources':" ONE "}]}}", "pod-branch-count=warn@spec.containers[0].resources" },
    /* One of the containers asks already: it, and no other. */
    { "{" WEB ",'spec':{'containers':[{},{'resources':" ONE "}]}}", NULL, "" },
    { "{" WEB ",'spec':{'containers':[{},{'resources':{'requests':{" ENI ":'1'}}}]}}",
      "{" WEB ",'spec':{'containers':[{},{'resources':" ONE "}]}}", "" },
    { "{" WEB ",'spec':{'containers':[{'resources':" ONE "},{'resources':" ONE "}]}}", NULL,
      "pod-branch-count=warn@spec.containers[1].resources" },
    /* Not by an init container: those do not count. */
    { "{" WEB ",'spec':{'initContainers':[{'resources':" ONE "}],'containers':[{}]}}",
      "{" WEB ",'spec':{'initContainers':[{'resources':" ONE "}],'containers':[{'resources':" ONE "}]}}", "" },
    /* By service account. */
    { "{'spec':{'serviceAccountName':'pay','containers':[{}]}}",
      "{'spec':{'serviceAccountName':'pay','containers':[{'resources':" ONE "}]}}", "" },
    { "{'metadata':null,'spec':{'serviceAccount':'pay','containers':[{}]}}",
      "{'metadata':null,'spec':{'serviceAccount':'pay','containers':[{'resources':" ONE "}]}}", "" },
    { "{'spec':{'serviceAccountName':'default','containers':[{}]}}", NULL, "" },
    { "{'spec':{'serviceAccountName':'unknown','containers':[{}]}}", NULL, "" },
    /* Not selected, or not able to. */
    { "{'metadata':{'labels':{'role':'db'}}," C0 "}", NULL, "" },
    { "{}", NULL, "" },
    { "{'metadata':null,'spec':null}", NULL, "" },
    { "{" WEB "}", NULL, "" },
    { "{" WEB ",'spec':{}}", NULL, "" },
    { "{" WEB ",'spec':{'containers':[]}}", NULL, "" },
    { "{" WEB ",'spec':{'containers':null}}", NULL, "" },
    { "{" WEB ",'spec':{'hostNetwork':true,'containers':[{}]}}", NULL, "" },
    { "{" WEB ",'spec':{'nodeSelector':{'kubernetes.io/os':'windows'},'containers':[{}]}}", NULL, "" },
    { "{" WEB ",'spec':{'os':{'name':'windows'},'containers':[{}]}}", NULL, "" },
    { "{'metadata':{'labels':{'role':'web'},'annotations':{'kubernetes.io/config.mirror':'x'}}," C0 "}", NULL, "" },
    /* Fargate. */
    { "{'metadata':{" FARGATE "}," C0 "}",
      "{'metadata':{" FARGATE ",'annotations':{" SG ":'sg-0000000a,sg-0000000b'}}," C0 "}", "" },
    { "{'metadata':{" FARGATE ",'annotations':null}," C0 "}",
      "{'metadata':{" FARGATE ",'annotations':{" SG ":'sg-0000000a,sg-0000000b'}}," C0 "}", "" },
    { "{'metadata':{" FARGATE ",'annotations':{'a':'b'}}," C0 "}",
      "{'metadata':{" FARGATE ",'annotations':{'a':'b'," SG ":'sg-0000000a,sg-0000000b'}}," C0 "}", "" },
    { "{'metadata':{" FARGATE ",'annotations':{" SG ":'sg-mine'}}," C0 "}",
      "{'metadata':{" FARGATE ",'annotations':{" SG ":'sg-0000000a,sg-0000000b'}}," C0 "}", "" },
    { "{'metadata':{" FARGATE ",'annotations':{" SG ":''}}," C0 "}",
      "{'metadata':{" FARGATE ",'annotations':{" SG ":'sg-0000000a,sg-0000000b'}}," C0 "}", "" },
    { "{'metadata':{" FARGATE ",'annotations':{" SG ":'sg-0000000a'}}," C0 "}",
      "{'metadata':{" FARGATE ",'annotations':{" SG ":'sg-0000000a,sg-0000000b'}}," C0 "}", "" },
    { "{'metadata':{" FARGATE ",'annotations':{" SG ":'sg-0000000a,sg-0000000a'}}," C0 "}",
      "{'metadata':{" FARGATE ",'annotations':{" SG ":'sg-0000000a,sg-0000000b'}}," C0 "}", "" },
    { "{'metadata':{" FARGATE ",'annotations':{" SG ":'sg-0000000a,sg-0000000b,sg-0000000a'}}," C0 "}",
      "{'metadata':{" FARGATE ",'annotations':{" SG ":'sg-0000000a,sg-0000000b'}}," C0 "}", "" },
    { "{'metadata':{" FARGATE ",'annotations':{" SG ":'sg-0000000a,sg-0000000b,'}}," C0 "}",
      "{'metadata':{" FARGATE ",'annotations':{" SG ":'sg-0000000a,sg-0000000b'}}," C0 "}", "" },
    { "{'metadata':{" FARGATE ",'annotations':{" SG ":'sg-0000000b,sg-0000000a'}}," C0 "}", NULL, "" },
    { "{'metadata':{" FARGATE_ALONE ",'annotations':{" SG ":'sg-mine','a':'b'}}," C0 "}",
      "{'metadata':{" FARGATE_ALONE ",'annotations':{'a':'b'}}," C0 "}", "" },
    { "{'metadata':{" FARGATE_ALONE "}," C0 "}", NULL, "" },
};

START_TEST(mutates)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    struct ask question = create(pods[_i].before);
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert(reply.answer.allowed);
    ck_assert_str_eq(findings_line(&world.arena, &reply.answer.findings), pods[_i].findings);
    ck_assert_int_eq(reply.answer.patched, pods[_i].after != NULL);
    if (!pods[_i].after)
        return;
    json_t *before = loaded(&world.arena, pods[_i].before), *after = loaded(&world.arena, pods[_i].after);
    json_t *is = patched(before, patch_text(&world.arena, &reply));
    ck_assert_msg(json_equal(is, after), "%s", object_text(&world.arena, is));
    struct ask again = create(object_text(&world.arena, is));
    CLEANUP(reply_free) struct reply second = ask(&world, &again);
    ck_assert_str_eq(patch_text(&world.arena, &second), ""); /* on its own output it adds nothing */
    json_decref(before);
    json_decref(after);
    json_decref(is);
}
END_TEST

START_TEST(windows_with_ipam_gets_an_address)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    world.rules.windows_ipam = true;
    struct ask question = create("{" WEB ",'spec':{'os':{'name':'windows'},'containers':[{}]}}");
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert_str_eq(patch_text(&world.arena, &reply),
                     quoted(&world.arena, "[{'op':'add','path':'/spec/containers/0/resources','value':{'limits':{" IPV4
                                          ":'1'},'requests':{" IPV4 ":'1'}}}]")
                         .ptr);
    struct ask again = create("{" WEB ",'spec':{'os':{'name':'windows'},'containers':[{},{'resources':{'limits':{" IPV4
                              ":'1'},'requests':{" IPV4 ":'1'}}}]}}");
    CLEANUP(reply_free) struct reply second = ask(&world, &again);
    ck_assert_str_eq(patch_text(&world.arena, &second), "");
}
END_TEST

static const char *const no_address[] = {
    "{" WEB ",'spec':{'os':{'name':'windows'},'hostNetwork':true,'containers':[{}]}}",
    "{" WEB ",'spec':{'os':{'name':'windows'},'containers':[]}}",
    "{'spec':{'containers':[{}]}}",
};

START_TEST(windows_without_its_own_network_gets_none)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    world.rules.windows_ipam = true;
    struct ask question = create(no_address[_i]);
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert_str_eq(patch_text(&world.arena, &reply), "");
}
END_TEST

/* Anything but the creation of a pod itself. */
static const struct {
    const char *operation, *group, *kind, *sub_resource;
} others[] = {
    { "UPDATE", "", "Pod", "" },
    { "DELETE", "", "Pod", "" },
    { "CONNECT", "", "Pod", "" },
    { "CREATE", "", "Pod", "status" },
    { "CREATE", "apps", "Pod", "" },
    { "CREATE", "", "Binding", "binding" },
    { "CREATE", "apps", "Deployment", "" },
};

START_TEST(others_are_allowed_and_never_patched)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    struct ask question = create("{" WEB "," C0 "}");
    question.operation = others[_i].operation;
    question.group = others[_i].group;
    question.kind = others[_i].kind;
    question.sub_resource = others[_i].sub_resource;
    question.old_object = question.object;
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert(reply.answer.allowed && !reply.answer.patched);
    ck_assert_uint_eq(reply.answer.findings.count, 0);
}
END_TEST

START_TEST(null_object_is_allowed)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    struct ask question = create(NULL);
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert(reply.answer.allowed && !reply.answer.patched);
}
END_TEST

START_TEST(other_namespaces_are_left_alone)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    struct ask question = create("{" WEB "," C0 "}");
    question.namespace = "other";
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert(reply.answer.allowed && !reply.answer.patched);
    expect_text(reply.answer.groups, "");
}
END_TEST

static const struct {
    enum action action;
    const char *annotations;
    bool patched;
} fargate[] = {
    { ACTION_ANNOTATE, "{}", true },
    { ACTION_DENY, "{}", true },
    { ACTION_IGNORE, "{}", false },
    { ACTION_IGNORE, "{" SG ":'sg-mine'}", false },
};

START_TEST(fargate_as_configured)
{
    CLEANUP(world_free) struct world world = world_of_shop();
    struct str text = { 0 };
    struct err err = { 0 };
    world.rules.actions[CHECK_POD_FARGATE] = fargate[_i].action;
    expect_done(
        arena_print(&world.arena, &text, &err, "{'metadata':{" FARGATE ",'annotations':%s}}", fargate[_i].annotations),
        &err);
    struct ask question = create(text.ptr);
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert(reply.answer.allowed);
    ck_assert_int_eq(reply.answer.patched, fargate[_i].patched);
}
END_TEST

START_TEST(groups_are_the_union_in_order_of_names)
{
    CLEANUP(world_free) struct world world = world_new();
    world_put(&world,
              "{'name':'shop','policies':["
              "{'metadata':{'name':'z'},'spec':{'podSelector':{},'securityGroups':{'groupIds':['sg-1','sg-2']}}},"
              "{'metadata':{'name':'b'},'spec':{'podSelector':{},'securityGroups':{'groupIds':['sg-3','sg-2',"
              "'sg-3']}}},"
              "{'metadata':{'name':'a'},'spec':{'podSelector':{'matchLabels':{'x':'y'}},"
              "'securityGroups':{'groupIds':['sg-9']}}},"
              "{'metadata':{'name':'both'},'spec':{'podSelector':{},'serviceAccountSelector':{},"
              "'securityGroups':{'groupIds':['sg-4']}}},"
              "{'metadata':{'name':'inert'},'spec':{'securityGroups':{'groupIds':['sg-8']}}}]}");
    struct ask question = create("{" C0 "}");
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    expect_text(reply.answer.groups, "sg-3,sg-2,sg-4,sg-1");
    json_t *audit = json_object_get(reply.response, "auditAnnotations");
    ck_assert_str_eq(json_string_value(json_object_get(audit, "policies")), "b,both,z");
    ck_assert_str_eq(json_string_value(json_object_get(audit, "security-groups")), "sg-3,sg-2,sg-4,sg-1");
}
END_TEST

Suite *mutate_pod_suite(void)
{
    Suite *suite = suite_create("mutate_pod");
    TCase *cases = tcase_create("mutate_pod");
    tcase_add_loop_test(cases, mutates, 0, ROWS(pods));
    tcase_add_test(cases, windows_with_ipam_gets_an_address);
    tcase_add_loop_test(cases, windows_without_its_own_network_gets_none, 0, ROWS(no_address));
    tcase_add_loop_test(cases, others_are_allowed_and_never_patched, 0, ROWS(others));
    tcase_add_test(cases, null_object_is_allowed);
    tcase_add_test(cases, other_namespaces_are_left_alone);
    tcase_add_loop_test(cases, fargate_as_configured, 0, ROWS(fargate));
    tcase_add_test(cases, groups_are_the_union_in_order_of_names);
    suite_add_tcase(suite, cases);
    return suite;
}

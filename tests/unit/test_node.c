/* POST /validate-v1-node, and the comparison it rests on. */
#include <jansson.h>

#include "tests/unit/fixtures.h"
#include "tests/unit/suites.h"

#include "admission/node_diff.h"
#include "base/buf.h"

#define AWS_NODE "system:serviceaccount:kube-system:aws-node"

static bool may_differ(const void *ctx, struct str path)
{
    return str_list_has(ctx, path);
}

/* The paths that differ, separated by blanks; "free" and "labels[free]" may. */
static const struct {
    const char *old, *new, *differences;
} compared[] = {
    { "{}", "{}", "" },
    { "{'a':1,'b':'x'}", "{'b':'x','a':1}", "" },
    { "{'a':{'b':1,'c':[1,2]}}", "{ 'a' : { 'c' : [ 1 , 2 ] , 'b' : 1 } }", "" },
    { "{'a':'\\u0041\\/'}", "{'a':'A/'}", "" },
    { "{'\\u0061':1}", "{'a':1}", "" },
    { "{'a':{'\\u0062':[{'c':'\\u0044'}]}}", "{'a':{'b':[{'c':'D'}]}}", "" },
    /* Absent, null and empty are the same to another encoder. */
    { "{'a':null}", "{}", "" },
    { "{'a':{}}", "{}", "" },
    { "{'a':[]}", "{}", "" },
    { "{'a':{}}", "{'a':null}", "" },
    { "{'a':[]}", "{'a':null}", "" },
    { "{'a':{'b':null,'c':{'d':[]}}}", "{}", "" },
    { "{'a':[]}", "{'a':{}}", "a" },
    { "{'a':''}", "{}", "a" },
    { "{'a':0}", "{}", "a" },
    { "{'a':false}", "{}", "a" },
    { "{'a':[null]}", "{}", "a" },
    { "{'a':[{}]}", "{'a':[null]}", "" },
    /* Values. */
    { "{'a':1}", "{'a':2}", "a" },
    { "{'a':true}", "{'a':false}", "a" },
    { "{'a':'1'}", "{'a':1}", "a" },
    { "{'a':'x'}", "{'a':['x']}", "a" },
    { "{'a':{'b':1}}", "{'a':{'b':1,'c':2}}", "a.c" },
    { "{'a':{'b':1,'c':2}}", "{'a':{'b':1}}", "a.c" },
    { "{'a':{'b':1}}", "{}", "a.b" },
    { "{'a':1,'b':2,'c':3}", "{'a':2,'c':4}", "a b c" },
    { "{'b':1}", "{'a':1}", "a b" },
    { "{'a':[1,2,3]}", "{'a':[1,9,3]}", "a[1]" },
    { "{'a':[1,2]}", "{'a':[1,2,3]}", "a" },
    { "{'a':[2,1]}", "{'a':[1,2]}", "a[0] a[1]" },
    { "{'a':[{'b':1}]}", "{'a':[{'b':2}]}", "a[0].b" },
    { "1", "2",
      ""
      " " },
    /* Keys in brackets, and what may differ. */
    { "{'labels':{'a':'1'}}", "{'labels':{'a':'2'}}", "labels.a" },
    { "{'m':{'labels':{'a':'1'}}}", "{'m':{'labels':{'a':'2'}}}", "m.labels[a]" },
    { "{'m':{'annotations':{}}}", "{'m':{'annotations':{'a':'2'}}}", "m.annotations[a]" },
    { "{'m':{'x.y/z':1}}", "{'m':{}}", "m[x.y/z]" },
    { "{'free':1}", "{'free':{'a':[2]}}", "" },
    { "{'free':1}", "{}", "" },
    { "{'free':1,'a':1}", "{'a':2}", "a" },
    { "{'m':{'free':1}}", "{}", "m.free" },
    { "{'m':{'labels':{'free':'1'}}}", "{'m':{'labels':{'free':'2'}}}", "" },
    { "{'m':{'labels':{'free\\u0000':'1'}}}", "{'m':{}}", "m.labels[free" },
    { "{'m':{'labels':{'free]':'1'}}}", "{'m':{}}", "m.labels[free]]" },
    { "{'free\\u0000x':1}", "{}", "free" },
};

START_TEST(compares)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct str free_paths[] = { STR("free"), STR("m.labels[free]") };
    const struct str_list free_list = { free_paths, 2 };
    struct node_diff diff = { .arena = &arena, .may_differ = may_differ, .ctx = &free_list };
    struct buf text = buf_in(&arena);
    struct str paths = { 0 };
    struct err err = { 0 };
    expect_done(node_compare(&diff, quoted(&arena, compared[_i].old), quoted(&arena, compared[_i].new), &err), &err);
    for (size_t i = 0; i < diff.count; i++) {
        buf_put(&text, i ? STR(" ") : STR(""));
        buf_put(&text, diff.first[i]);
    }
    expect_done(buf_finish(&text, &paths, &err), &err);
    if (compared[_i].differences[0] == ' ') /* the value itself differs: its path is empty */
        ck_assert(diff.count == 1 && paths.len == 0);
    else
        ck_assert_str_eq(paths.ptr, compared[_i].differences);
    ck_assert_int_eq(diff.count == 0, compared[_i].differences[0] == '\0');
}
END_TEST

START_TEST(counts_all_and_keeps_the_first)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    const struct str_list none = { 0 };
    struct node_diff diff = { .arena = &arena, .may_differ = may_differ, .ctx = &none };
    struct err err = { 0 };
    expect_done(node_compare(&diff, STR("[0,0,0,0,0,0,0,0,0,0,0]"), STR("[1,1,1,1,1,1,1,1,1,1,1]"), &err), &err);
    ck_assert_uint_eq(diff.count, 11);
    expect_text(diff.first[7], "[7]");
}
END_TEST

START_TEST(absent_values)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    const struct str_list none = { 0 };
    struct node_diff diff = { .arena = &arena, .may_differ = may_differ, .ctx = &none };
    struct err err = { 0 };
    expect_done(node_compare(&diff, (struct str){ 0 }, (struct str){ 0 }, &err), &err);
    expect_done(node_compare(&diff, (struct str){ 0 }, STR("{}"), &err), &err);
    ck_assert_uint_eq(diff.count, 0);
    expect_done(node_compare(&diff, STR("{\"a\":1}"), (struct str){ 0 }, &err), &err);
    ck_assert_uint_eq(diff.count, 1);
}
END_TEST

static struct ask question_of(const char *old, const char *new)
{
    return (struct ask){ .path = "/validate-v1-node",
                         .operation = "UPDATE",
                         .kind = "Node",
                         .user = AWS_NODE,
                         .namespace = "",
                         .object = new,
                         .old_object = old };
}

#define LABELS(labels) "{'metadata':{'name':'n','labels':{" labels "}}}"
#define TRUNK "'vpc.amazonaws.com/has-trunk-attached'"

/* What aws-node may do and may not. */
static const struct {
    const char *old, *new;
    const char *field; /* NULL: allowed */
} updates[] = {
    { LABELS(""), LABELS(""), NULL },
    { LABELS(""), LABELS(TRUNK ":'true'"), NULL },
    { LABELS(TRUNK ":'false'"), LABELS(TRUNK ":'true'"), NULL },
    { LABELS(TRUNK ":'false'"), LABELS(""), NULL },
    { "{'metadata':{'name':'n'}}", LABELS(TRUNK ":'true'"), NULL },
    { LABELS("'a':'b'"), LABELS("'a':'b','vpc.amazonaws.com/eniConfig':'az1'"), NULL },
    { "{'metadata':{'managedFields':[{'a':1}],'selfLink':'x'}}", "{'metadata':{'managedFields':[]}}", NULL },
    { "{'spec':{'taints':null},'status':{}}", "{'status':{},'spec':{}}", NULL },
    { LABELS("'a':'b'"), LABELS("'a':'c'"), "metadata.labels[a]" },
    { LABELS(""), LABELS("'vpc.amazonaws.com/other':'x'"), "metadata.labels[vpc.amazonaws.com/other]" },
    { LABELS(""), LABELS("'vpc.amazonaws.com/has-trunk-attached2':'x'"),
      "metadata.labels[vpc.amazonaws.com/has-trunk-attached2]" },
    { LABELS("'a':'b'"), LABELS(TRUNK ":'true'"), "metadata.labels[a]" },
    { LABELS("'a':'b'"), "{'metadata':{'name':'n','labels':{}}}", "metadata.labels[a]" },
    { "{'metadata':{'annotations':{" TRUNK ":'x'}}}", "{'metadata':{'annotations':{}}}",
      "metadata.annotations[vpc.amazonaws.com/has-trunk-attached]" },
    { "{'spec':{}}", "{'spec':{'unschedulable':true}}", "spec.unschedulable" },
    { "{'spec':{'taints':[]}}", "{'spec':{'taints':[{'key':'k'}]}}", "spec.taints" },
    { "{'spec':{'podCIDR':'10.0.0.0/24'}}", "{'spec':null}", "spec.podCIDR" },
    { "{'status':{'capacity':{'vpc.amazonaws.com/pod-eni':'9'}}}", "{'status':{'capacity':{}}}",
      "status.capacity[vpc.amazonaws.com/pod-eni]" },
    { "{'kind':'Node'}", "{'kind':'Other'}", "kind" },
};

START_TEST(aws_node)
{
    CLEANUP(world_free) struct world world = world_new();
    struct ask question = question_of(updates[_i].old, updates[_i].new);
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert_int_eq(reply.answer.allowed, updates[_i].field == NULL);
    if (!updates[_i].field)
        return;
    ck_assert_uint_eq(reply.answer.findings.count, 1);
    expect_text(reply.answer.findings.items[0].field, updates[_i].field);
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(reply.response, "status"), "code")), 403);
    ck_assert(str_contains(reply.answer.reason, STR("[node-aws-node]")));
}
END_TEST

/* Everybody else, and everything else: not looked at. */
static const struct {
    const char *user, *operation, *group, *kind;
} others[] = {
    { "admin", "UPDATE", "", "Node" },
    { "system:node:n", "UPDATE", "", "Node" },
    { "system:serviceaccount:default:aws-node", "UPDATE", "", "Node" },
    { AWS_NODE, "CREATE", "", "Node" },
    { AWS_NODE, "DELETE", "", "Node" },
    { AWS_NODE, "UPDATE", "metrics.k8s.io", "Node" },
    { AWS_NODE, "UPDATE", "", "Pod" },
};

START_TEST(others_are_allowed)
{
    CLEANUP(world_free) struct world world = world_new();
    struct ask question = question_of("{'spec':{}}", "{'spec':{'unschedulable':true}}");
    question.user = others[_i].user;
    question.operation = others[_i].operation;
    question.group = others[_i].group;
    question.kind = others[_i].kind;
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert(reply.answer.allowed);
}
END_TEST

START_TEST(status_is_looked_at_too)
{
    CLEANUP(world_free) struct world world = world_new();
    struct ask question = question_of(LABELS("'a':'b'"), LABELS("'a':'c'"));
    question.sub_resource = "status";
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert(!reply.answer.allowed);
}
END_TEST

START_TEST(more_may_be_configured)
{
    CLEANUP(world_free) struct world world = world_new();
    struct str fields[] = { STR("spec.taints"), STR("metadata.annotations[example.com/") };
    world.rules.node_fields = (struct str_list){ fields, 2 };
    struct ask question = question_of("{'spec':{},'metadata':{}}",
                                      "{'spec':{'taints':[{'key':'k'}]},'metadata':{'annotations':{'example.com/a':'b'"
                                      "}}}");
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert(reply.answer.allowed);
    struct ask more = question_of("{'spec':{}}", "{'spec':{'taints':[1],'taintsToo':true}}");
    CLEANUP(reply_free) struct reply refused = ask(&world, &more);
    expect_text(refused.answer.findings.items[0].field,
                "spec.taintsToo"); /* a path ends with a field, not within one */
}
END_TEST

START_TEST(names_three_fields_and_counts_the_rest)
{
    CLEANUP(world_free) struct world world = world_new();
    struct ask question = question_of("{}", "{'a':1,'b':2,'c':3,'d':4,'e':5}");
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert(str_contains(reply.answer.reason, STR("a, b, c and 2 more")));
}
END_TEST

START_TEST(no_mode_lowers_it)
{
    CLEANUP(world_free) struct world world = world_new();
    world_put(&world, "{'name':'','labels':{'sgp-webhook.io/mode':'off'}}");
    struct ask question = question_of(LABELS("'a':'b'"), LABELS("'a':'c'"));
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert(!reply.answer.allowed);
}
END_TEST

/* Without the node before, an update cannot be judged. */
static const struct {
    const char *old, *new;
    bool allowed;
} absent[] = { { NULL, "{}", false }, { "{}", NULL, true }, { NULL, NULL, false } };

START_TEST(null_objects)
{
    CLEANUP(world_free) struct world world = world_new();
    struct ask question = question_of(absent[_i].old, absent[_i].new);
    CLEANUP(reply_free) struct reply reply = ask(&world, &question);
    ck_assert_int_eq(reply.answer.allowed, absent[_i].allowed);
}
END_TEST

START_TEST(ceiling_is_an_error)
{
    CLEANUP(world_free) struct world world = world_new();
    struct answer answer = { 0 };
    struct err err = { 0 };
    struct ask question = question_of("{'a':{'b':{'c':{'d':1}}}}", "{'a':{'b':{'c':{'d':2}}}}");
    struct str body = review_of(&world.arena, &question);
    for (size_t ceiling = 1; ceiling < 100000; ceiling += 97) {
        CLEANUP(arena_free) struct arena arena = { .ceiling_bytes = ceiling };
        if (endpoint_answer(endpoint_find(STR("/validate-v1-node")), world.store, &world.rules, body, &arena, &answer,
                            &err)
                .ok)
            return;
        ck_assert_int_eq(err.kind, ERR_TOO_LARGE);
    }
    ck_abort_msg("never answered");
}
END_TEST

Suite *node_suite(void)
{
    Suite *suite = suite_create("node");
    TCase *cases = tcase_create("node");
    tcase_add_loop_test(cases, compares, 0, ROWS(compared));
    tcase_add_test(cases, counts_all_and_keeps_the_first);
    tcase_add_test(cases, absent_values);
    tcase_add_loop_test(cases, aws_node, 0, ROWS(updates));
    tcase_add_loop_test(cases, others_are_allowed, 0, ROWS(others));
    tcase_add_test(cases, status_is_looked_at_too);
    tcase_add_test(cases, more_may_be_configured);
    tcase_add_test(cases, names_three_fields_and_counts_the_rest);
    tcase_add_test(cases, no_mode_lowers_it);
    tcase_add_loop_test(cases, null_objects, 0, ROWS(absent));
    tcase_add_test(cases, ceiling_is_an_error);
    suite_add_tcase(suite, cases);
    return suite;
}

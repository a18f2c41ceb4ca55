#include "admission/patch.h"

#include "tests/unit/fixtures.h"
#include "tests/unit/suites.h"

#define ENI "'vpc.amazonaws.com/pod-eni'"
#define ENI1 "{" ENI ":'1'}"
#define AT0 "'path':'/spec/containers/0/resources"

static void expect_patch(struct arena *arena, struct patch *patch, const char *expected)
{
    struct str text = STR("before");
    struct err err = { 0 };
    expect_done(patch_finish(patch, &text, &err), &err);
    if (expected)
        expect_text(text, quoted(arena, expected).ptr);
    else
        ck_assert_ptr_null(text.ptr);
}

/* What stands in the first container's resources, and what it takes to request one branch interface. */
static const struct {
    const char *container;
    const char *patch; /* NULL: none */
} requests[] = {
    { "{}", "[{'op':'add'," AT0 "','value':{'limits':" ENI1 ",'requests':" ENI1 "}}]" },
    { "{'resources':null}", "[{'op':'add'," AT0 "','value':{'limits':" ENI1 ",'requests':" ENI1 "}}]" },
    { "{'resources':{}}",
      "[{'op':'add'," AT0 "/limits','value':" ENI1 "},{'op':'add'," AT0 "/requests','value':" ENI1 "}]" },
    { "{'resources':{'limits':null,'requests':null}}",
      "[{'op':'add'," AT0 "/limits','value':" ENI1 "},{'op':'add'," AT0 "/requests','value':" ENI1 "}]" },
    { "{'resources':{'limits':{},'requests':{}}}",
      "[{'op':'add'," AT0 "/limits/vpc.amazonaws.com~1pod-eni','value':'1'},{'op':'add'," AT0
      "/requests/vpc.amazonaws.com~1pod-eni','value':'1'}]" },
    { "{'resources':{'limits':{'memory':'64Mi'},'requests':{'cpu':'100m','memory':'64Mi'}}}",
      "[{'op':'add'," AT0 "/limits/vpc.amazonaws.com~1pod-eni','value':'1'},{'op':'add'," AT0
      "/requests/vpc.amazonaws.com~1pod-eni','value':'1'}]" },
    { "{'resources':{'limits':{'memory':'64Mi'}}}",
      "[{'op':'add'," AT0 "/limits/vpc.amazonaws.com~1pod-eni','value':'1'},{'op':'add'," AT0 "/requests','value':" ENI1
      "}]" },
    { "{'resources':{'limits':" ENI1 "}}", "[{'op':'add'," AT0 "/requests','value':" ENI1 "}]" },
    { "{'resources':{'requests':" ENI1 "}}", "[{'op':'add'," AT0 "/limits','value':" ENI1 "}]" },
    { "{'resources':{'limits':{" ENI ":'2'},'requests':" ENI1 "}}",
      "[{'op':'replace'," AT0 "/limits/vpc.amazonaws.com~1pod-eni','value':'1'}]" },
    { "{'resources':{'limits':{" ENI ":'0'},'requests':{" ENI ":'5'}}}",
      "[{'op':'replace'," AT0 "/limits/vpc.amazonaws.com~1pod-eni','value':'1'},{'op':'replace'," AT0
      "/requests/vpc.amazonaws.com~1pod-eni','value':'1'}]" },
    { "{'resources':{'limits':{" ENI ":null},'requests':" ENI1 "}}",
      "[{'op':'replace'," AT0 "/limits/vpc.amazonaws.com~1pod-eni','value':'1'}]" },
    { "{'resources':{'limits':" ENI1 ",'requests':" ENI1 "}}", NULL },
    { "{'resources':{'limits':{" ENI ":1},'requests':{" ENI ":1}}}", NULL },
};

START_TEST(requests_a_resource)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct patch patch = patch_in(&arena);
    struct str text = { 0 };
    struct err err = { 0 };
    expect_done(arena_print(&arena, &text, &err, "{'spec':{'containers':[%s]}}", requests[_i].container), &err);
    patch_request_resource(&patch, pod_of(&arena, text.ptr), 0, STR(BRANCH_RESOURCE));
    expect_patch(&arena, &patch, requests[_i].patch);
}
END_TEST

START_TEST(requests_in_the_container_named)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct patch patch = patch_in(&arena);
    patch_request_resource(&patch, pod_of(&arena, "{'spec':{'containers':[{},{},{'resources':{}}]}}"), 2,
                           STR(IPV4_RESOURCE));
    expect_patch(&arena, &patch,
                 "[{'op':'add','path':'/spec/containers/2/resources/limits','value':"
                 "{'vpc.amazonaws.com/PrivateIPv4Address':'1'}},"
                 "{'op':'add','path':'/spec/containers/2/resources/requests','value':"
                 "{'vpc.amazonaws.com/PrivateIPv4Address':'1'}}]");
}
END_TEST

static const struct {
    const char *pod, *key, *value;
    const char *patch;
} annotations[] = {
    { "{}", "k", "v", "[{'op':'add','path':'/metadata','value':{'annotations':{'k':'v'}}}]" },
    { "{'metadata':null}", "k", "v", "[{'op':'add','path':'/metadata','value':{'annotations':{'k':'v'}}}]" },
    { "{'metadata':{}}", "k", "v", "[{'op':'add','path':'/metadata/annotations','value':{'k':'v'}}]" },
    { "{'metadata':{'annotations':null}}", "k", "v",
      "[{'op':'add','path':'/metadata/annotations','value':{'k':'v'}}]" },
    { "{'metadata':{'annotations':{}}}", "k", "v", "[{'op':'add','path':'/metadata/annotations/k','value':'v'}]" },
    { "{'metadata':{'annotations':{'a':'b'}}}", "k", "v",
      "[{'op':'add','path':'/metadata/annotations/k','value':'v'}]" },
    { "{'metadata':{'annotations':{'k':''}}}", "k", "v",
      "[{'op':'replace','path':'/metadata/annotations/k','value':'v'}]" },
    { "{'metadata':{'annotations':{'k':'v'}}}", "k", "v", NULL },
    { "{'metadata':{'annotations':{}}}", "a/b~c~1d", "v",
      "[{'op':'add','path':'/metadata/annotations/a~1b~0c~01d','value':'v'}]" },
    { "{'metadata':{'annotations':{}}}", "\"\n", "\\\t",
      "[{'op':'add','path':'/metadata/annotations/\\'\\n','value':'\\\\\\t'}]" },
};

START_TEST(sets_an_annotation)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct patch patch = patch_in(&arena);
    patch_set_annotation(&patch, pod_of(&arena, annotations[_i].pod), str_of(annotations[_i].key),
                         str_of(annotations[_i].value));
    expect_patch(&arena, &patch, annotations[_i].patch);
}
END_TEST

static const struct {
    const char *pod, *patch;
} removals[] = {
    { "{}", NULL },
    { "{'metadata':{}}", NULL },
    { "{'metadata':{'annotations':{'a':'b'}}}", NULL },
    { "{'metadata':{'annotations':{'a/b':''}}}", "[{'op':'remove','path':'/metadata/annotations/a~1b'}]" },
};

START_TEST(removes_an_annotation)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct patch patch = patch_in(&arena);
    patch_remove_annotation(&patch, pod_of(&arena, removals[_i].pod), STR("a/b"));
    expect_patch(&arena, &patch, removals[_i].patch);
}
END_TEST

START_TEST(failure_sticks)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    CLEANUP(arena_free) struct arena small = { .ceiling_bytes = 300 };
    struct patch patch = patch_in(&small);
    struct str text = { 0 };
    struct err err = { 0 };
    const struct pod *pod = pod_of(&arena, "{'spec':{'containers':[{}]}}");
    patch_request_resource(&patch, pod, 0, STR(BRANCH_RESOURCE));
    patch_set_annotation(&patch, pod, STR("k"), STR("v"));
    ck_assert(!patch_finish(&patch, &text, &err).ok);
    ck_assert_int_eq(err.kind, ERR_TOO_LARGE);
    ck_assert_ptr_null(text.ptr);
}
END_TEST

Suite *patch_suite(void)
{
    Suite *suite = suite_create("patch");
    TCase *cases = tcase_create("patch");
    tcase_add_loop_test(cases, requests_a_resource, 0, ROWS(requests));
    tcase_add_test(cases, requests_in_the_container_named);
    tcase_add_loop_test(cases, sets_an_annotation, 0, ROWS(annotations));
    tcase_add_loop_test(cases, removes_an_annotation, 0, ROWS(removals));
    tcase_add_test(cases, failure_sticks);
    suite_add_tcase(suite, cases);
    return suite;
}

#include "sources/cluster.h"

#include "sources/files.h"
#include "tests/unit/suites.h"
#include "tests/unit/work_dir.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

#define POLICY "apiVersion: vpcresources.k8s.aws/v1beta1\nkind: SecurityGroupPolicy\n"
#define ACCOUNT "apiVersion: v1\nkind: ServiceAccount\n"
#define NAMESPACE "apiVersion: v1\nkind: Namespace\n"
#define NODE "apiVersion: v1\nkind: Node\n"
#define WEB "spec: {podSelector: {matchLabels: {role: web}}, securityGroups: {groupIds: [sg-1]}}\n"

/* A store, and what was last said about what went into it. */
struct world {
    struct arena arena;
    struct store *store;
    struct cluster_report report;
    struct err err;
};

static struct world world_new(void)
{
    struct world world = { 0 };
    ck_assert(store_new(&world.store, &world.err).ok);
    return world;
}

static void world_free(struct world *world)
{
    store_free(world->store);
    arena_free(&world->arena);
}

static bool publish(struct world *world, const char *text)
{
    struct manifest_list manifests = { .arena = &world->arena };
    world->err = (struct err){ 0 };
    ck_assert_msg(manifests_parse(&manifests, str_of(text), STR("a.yaml"), &world->err).ok, "%s", world->err.msg);
    return cluster_publish(&manifests, STR("default"), world->store, &world->report, &world->err).ok;
}

static void must_publish(struct world *world, const char *text)
{
    bool ok = publish(world, text);
    ck_assert_msg(ok, "%s", world->err.msg);
}

/* The items with "; " between them. */
static void joined(const struct str_list *list, char *out, size_t size)
{
    out[0] = '\0';
    for (size_t i = 0; i < list->count; i++) {
        size_t len = strlen(out);
        (void)snprintf(out + len, size - len, "%s%.*s", i ? "; " : "", STR_ARGS(list->items[i]));
    }
}

static void assert_list(const struct str_list *list, const char *expected)
{
    char text[1000];
    joined(list, text, sizeof text);
    ck_assert_str_eq(text, expected);
}

/* "policy policy …; account account …; mode" of a namespace. */
static void assert_namespace(struct world *world, const char *name, const char *expected)
{
    static const char *const modes[] = {
        [MODE_DEFAULT] = "default", [MODE_OFF] = "off", [MODE_WARN] = "warn", [MODE_ENFORCE] = "enforce"
    };
    struct namespace_view view;
    char text[400] = "";
    STORE_READ_SCOPE();
    store_view(world->store, str_of(name), &view);
    for (size_t i = 0; i < view.policies->count; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%.*s ",
                       STR_ARGS(view.policies->policies[i].name));
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), "; ");
    for (size_t i = 0; i < view.account_count; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%.*s ", STR_ARGS(view.accounts[i].name));
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), "; %s", modes[view.mode]);
    ck_assert_str_eq(text, expected);
}

START_TEST(cluster_gathers_by_namespace)
{
    CLEANUP(world_free) struct world world = world_new();
    must_publish(&world,
                 POLICY "metadata: {name: z, namespace: b}\n" WEB "---\n" ACCOUNT
                        "metadata: {name: pay, namespace: b, labels: {team: pay}}\n---\n" POLICY
                        "metadata: {name: yy}\n" WEB "---\n" POLICY "metadata: {name: a, namespace: b}\n" WEB
                        "---\n" NAMESPACE "metadata: {name: b, labels: {" MODE_LABEL ": warn, team: x}}\n---\n" NODE
                        "metadata: {name: node}\n---\n" NAMESPACE "metadata: {name: empty}\n---\n" ACCOUNT
                        "metadata: {name: default, namespace: own, labels: {a: b}}\n");
    assert_namespace(&world, "b", "a z ; default pay ; warn");
    assert_namespace(&world, "default", "yy ; default ; default");
    assert_namespace(&world, "empty", "; default ; default");
    assert_namespace(&world, "own", "; default ; default");
    assert_namespace(&world, "none", "; ; default");
    ck_assert_uint_eq(world.report.counts.namespaces, 4);
    ck_assert_uint_eq(world.report.counts.policies, 3);
    ck_assert_uint_eq(world.report.counts.inert, 0);
    ck_assert_uint_eq(world.report.counts.accounts, 5);
    assert_list(&world.report.unknown_kinds, "");
    assert_list(&world.report.remarks, "");
}
END_TEST

START_TEST(cluster_copies_what_it_keeps)
{
    CLEANUP(world_free) struct world world = world_new();
    const struct str_pair web = { STR_INIT("role"), STR_INIT("web") };
    const struct str_map labels = { (struct str_pair *)&web, 1, true };
    struct namespace_view view;
    must_publish(&world, POLICY "metadata: {name: p, namespace: b}\n" WEB "---\n" ACCOUNT
                                "metadata: {name: default, namespace: b, labels: {a: \"c\\x41\"}}\n");
    arena_free(&world.arena);
    STORE_READ_SCOPE();
    store_view(world.store, STR("b"), &view);
    const struct account *account = namespace_account(&view, STR("default"));
    ck_assert_int_eq(policy_matches(&view.policies->policies[0], &labels, account), MATCH_YES);
    ck_assert(str_is(view.policies->policies[0].groups.items[0], "sg-1"));
    ck_assert(str_is(*labels_get(&account->labels, STR("a")), "cA"));
}
END_TEST

START_TEST(cluster_forgets_what_is_gone)
{
    CLEANUP(world_free) struct world world = world_new();
    must_publish(&world, POLICY "metadata: {name: p, namespace: a}\n" WEB "---\n" POLICY
                                "metadata: {name: p, namespace: b}\n" WEB);
    must_publish(&world, POLICY "metadata: {name: q, namespace: b}\n" WEB);
    assert_namespace(&world, "a", "; ; default");
    assert_namespace(&world, "b", "q ; default ; default");
    must_publish(&world, "");
    assert_namespace(&world, "b", "; ; default");
    ck_assert_uint_eq(world.report.counts.namespaces, 0);
    ck_assert_uint_eq(world.report.counts.policies, 0);
}
END_TEST

static const struct {
    const char *text;
    const char *unknown_kinds;
    const char *remarks;
} reports[] = {
    { "{apiVersion: apps/v1, kind: Deployment}\n---\n{apiVersion: a/v1, kind: B}\n---\n{apiVersion: apps/v1, kind: "
      "Deployment}\n",
      "apps/v1 Deployment; a/v1 B", "" },
    { "{apiVersion: x/v1, kind: SecurityGroupPolicy}\n---\n{apiVersion: x/v1, kind: Node}\n",
      "x/v1 SecurityGroupPolicy; x/v1 Node", "" },
    { NODE "metadata: {name: node}\n---\n" POLICY "metadata: {name: p}\nspec: {podSelector: {}}\n", "",
      "a.yaml:5: SecurityGroupPolicy default/p: it names no security groups, it selects nothing" },
    { POLICY "metadata: {name: p, namespace: s}\nspec: {securityGroups: {groupIds: [sg-1]}}\n", "",
      "a.yaml:1: SecurityGroupPolicy s/p: neither podSelector nor serviceAccountSelector is given, it selects "
      "nothing" },
    { NAMESPACE "metadata: {name: s}\n---\n" POLICY "metadata: {name: a, namespace: s}\n" WEB "---\n" POLICY
                "metadata: {name: b, namespace: s}\nspec: {podSelector: {matchLabels: {'a b': c}}, securityGroups: "
                "{groupIds: [sg-1]}}\n",
      "", "a.yaml:10: SecurityGroupPolicy s/b: its podSelector is invalid, it selects nothing" },
    { NAMESPACE "metadata: {name: s, labels: {" MODE_LABEL ": 'no'}}\n", "",
      "a.yaml:1: Namespace s: label " MODE_LABEL " is neither off nor warn nor enforce, it has no effect" },
    { NAMESPACE "metadata: {name: s, labels: {" MODE_LABEL ": 'off'}}\n", "", "" },
};

START_TEST(cluster_reports)
{
    CLEANUP(world_free) struct world world = world_new();
    must_publish(&world, reports[_i].text);
    assert_list(&world.report.unknown_kinds, reports[_i].unknown_kinds);
    assert_list(&world.report.remarks, reports[_i].remarks);
}
END_TEST

static const struct {
    const char *text;
    const char *message;
} refused[] = {
    { "apiVersion: vpcresources.k8s.aws/v1\nkind: SecurityGroupPolicy\nmetadata: {name: p}\n",
      "a.yaml:1:1: apiVersion: vpcresources.k8s.aws/v1 is not served; write vpcresources.k8s.aws/v1beta1" },
    { POLICY "metadata: {name: p}\nspec:\n  podSelector: {matchLabel: {a: b}}\n",
      "a.yaml:5:29: spec.podSelector.matchLabel: no such field; there are matchLabels, matchExpressions" },
    { POLICY "metadata: {name: p}\nspec: {podSelectr: {}}\n",
      "a.yaml:4:20: spec.podSelectr: no such field; there are podSelector, serviceAccountSelector, securityGroups" },
    { NODE "---\n" NODE "metadata: {name: node}\n", "a.yaml:1:1: metadata.name: missing" },
    { "---\n" POLICY "metadata: {generateName: p-}\n" WEB, "a.yaml:2:1: metadata.name: missing" },
    { POLICY "metadata: {name: p}\nspec:\n  podSelector: {matchLabels: {a: 1}}\n",
      "a.yaml:5:34: spec.podSelector.matchLabels[a]: a number where a string belongs" },
    { ACCOUNT "metadata:\n  name: p\n  labels: {a: null, b: off}\n",
      "a.yaml:5:24: metadata.labels[b]: a boolean where a string belongs" },
    { POLICY "metadata: {name: p}\n---\n" ACCOUNT "metadata: {name: p}\n---\n" POLICY
             "metadata: {name: p, namespace: default}\n",
      "a.yaml:9:1: SecurityGroupPolicy default/p occurs twice, first in a.yaml:1:1" },
    { NAMESPACE "metadata: {name: p}\n---\n{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Namespace, "
                "metadata: {name: p}}]}\n",
      "a.yaml:5:38: Namespace p occurs twice, first in a.yaml:1:1" },
    { NODE "metadata: {name: p}\n---\n" NODE "metadata: {name: p}\n",
      "a.yaml:5:1: Node p occurs twice, first in a.yaml:1:1" },
};

START_TEST(cluster_refuses)
{
    CLEANUP(world_free) struct world world = world_new();
    must_publish(&world, POLICY "metadata: {name: before, namespace: b}\n" WEB);
    ck_assert(!publish(&world, refused[_i].text));
    ck_assert_int_eq(world.err.kind, ERR_INPUT);
    ck_assert_str_eq(world.err.msg, refused[_i].message);
    assert_namespace(&world, "b", "before ; default ; default");
    assert_namespace(&world, "default", "; ; default");
}
END_TEST

enum { MANY_NAMESPACES = 1000, MANY_POLICIES = 20000 };

/* No step takes quadratic time. */
START_TEST(cluster_publishes_many)
{
    CLEANUP(world_free) struct world world = world_new();
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(stream);
    for (int i = 0; i < MANY_POLICIES; i++)
        ck_assert_int_ge(
            fprintf(stream, "---\n" POLICY "metadata: {name: p%d, namespace: n%d}\n" WEB, i, i % MANY_NAMESPACES), 0);
    for (int i = 0; i < MANY_POLICIES; i++)
        ck_assert_int_ge(fprintf(stream, "---\n{apiVersion: v1, kind: K%d}\n", i), 0);
    ck_assert_int_eq(fclose(stream), 0);
    must_publish(&world, text);
    free(text);
    ck_assert_uint_eq(world.report.counts.policies, MANY_POLICIES);
    ck_assert_uint_eq(world.report.counts.namespaces, MANY_NAMESPACES);
    ck_assert_uint_eq(world.report.unknown_kinds.count, MANY_POLICIES);
}
END_TEST

static bool load(struct world *world, const struct str_list *paths)
{
    world->err = (struct err){ 0 };
    return files_load(paths, STR("default"), world->store, &world->arena, &world->report, &world->err).ok;
}

START_TEST(files_load_keeps_the_last_good_state)
{
    CLEANUP(world_free) struct world world = world_new();
    CLEANUP(work_dir_leave) struct work_dir dir = { "" };
    struct str items[] = { STR("d"), STR("b.yaml") };
    const struct str_list paths = { items, 2 };
    work_dir_enter(&dir);
    make_dir("d");
    write_text("d/a.yaml", POLICY "metadata: {name: p}\nspec: {podSelector: {}}\n");
    write_text("b.yaml", POLICY "metadata: {name: q}\n" WEB "---\n{apiVersion: x/v1, kind: K}\n");
    ck_assert_msg(load(&world, &paths), "%s", world.err.msg);
    assert_list(&world.report.unknown_kinds, "x/v1 K");
    assert_list(&world.report.remarks,
                "d/a.yaml:1: SecurityGroupPolicy default/p: it names no security groups, it selects nothing");
    write_text("b.yaml", POLICY "metadata: {name: p}\n" WEB);
    ck_assert(!load(&world, &paths));
    ck_assert_str_eq(world.err.msg, "b.yaml:1:1: SecurityGroupPolicy default/p occurs twice, first in d/a.yaml:1:1");
    write_text("b.yaml", POLICY "metadata: [\n");
    ck_assert(!load(&world, &paths));
    ck_assert(str_starts_with(str_of(world.err.msg), STR("b.yaml:4:1: ")));
    ck_assert_int_eq(unlink("b.yaml"), 0);
    ck_assert(!load(&world, &paths));
    ck_assert_str_eq(world.err.msg, "b.yaml: cannot be read: No such file or directory");
    assert_namespace(&world, "default", "p q ; default ; default");
}
END_TEST

/* What is to be watched, relative to the directory that the test works in. */
static const struct {
    const char *path;
    const char *directories;
} watched[] = {
    { "-", "" },
    { "plain/a.yaml", "plain" },
    { "plain/missing.yaml", "plain" },
    { "plain/missing/below/a.yaml", "plain" },
    { "plain", "plain; plain/sub" },
    { "./plain/../plain//", "plain; plain/sub" },
    { "mounted", "mounted; mounted/..1" },
    { "mounted/a.yaml", "mounted; mounted/..1" },
    { "links/file.yaml", "links; plain" },
    { "links/directory", "links; plain; plain/sub" },
    { "links/dangling.yaml", "links; plain" },
    { "links/endless.yaml", "links" },
    { "links", "links; plain; plain/sub" },
    { "links/absolute", "links; plain; plain/sub" },
    { "linked.yaml", ".; links; plain" },
};

static void make_links(const struct work_dir *dir)
{
    static const char *const directories[] = { "plain", "plain/sub", "plain/.git", "mounted", "mounted/..1", "links" };
    static const struct {
        const char *target, *path;
    } links[] = {
        { "..1", "mounted/..data" },
        { "..data/a.yaml", "mounted/a.yaml" },
        { "../plain/a.yaml", "links/file.yaml" },
        { "../plain", "links/directory" },
        { "../plain/none/x", "links/dangling.yaml" },
        { "endless.yaml", "links/endless.yaml" },
        { "links/file.yaml", "linked.yaml" },
    };
    char target[64];
    for (int i = 0; i < ROWS(directories); i++)
        make_dir(directories[i]);
    for (int i = 0; i < ROWS(links); i++)
        make_link(links[i].target, links[i].path);
    (void)snprintf(target, sizeof target, "%s/plain", dir->path);
    make_link(target, "links/absolute");
    write_text("plain/a.yaml", "");
    write_text("mounted/..1/a.yaml", "");
}

START_TEST(files_directories_are_watched)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    CLEANUP(work_dir_leave) struct work_dir dir = { "" };
    struct str path = str_of(watched[_i].path);
    const struct str_list paths = { &path, 1 };
    struct str_list directories = { 0 };
    struct err err = { 0 };
    char root[PATH_MAX];
    work_dir_enter(&dir);
    make_links(&dir);
    ck_assert_ptr_nonnull(realpath(dir.path, root));
    ck_assert_msg(files_directories(&paths, &arena, &directories, &err).ok, "%s", err.msg);
    for (size_t i = 0; i < directories.count; i++) {
        struct str *directory = &directories.items[i];
        ck_assert(str_starts_with(*directory, str_of(root)));
        bool is_root = directory->len == strlen(root);
        *directory = is_root ? STR(".") : str_of(directory->ptr + strlen(root) + 1);
    }
    assert_list(&directories, watched[_i].directories);
}
END_TEST

Suite *cluster_suite(void)
{
    Suite *suite = suite_create("cluster");
    TCase *tests = tcase_create("cluster");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, cluster_gathers_by_namespace);
    tcase_add_test(tests, cluster_copies_what_it_keeps);
    tcase_add_test(tests, cluster_forgets_what_is_gone);
    tcase_add_loop_test(tests, cluster_reports, 0, ROWS(reports));
    tcase_add_loop_test(tests, cluster_refuses, 0, ROWS(refused));
    tcase_add_test(tests, cluster_publishes_many);
    tcase_add_test(tests, files_load_keeps_the_last_good_state);
    tcase_add_loop_test(tests, files_directories_are_watched, 0, ROWS(watched));
    suite_add_tcase(suite, tests);
    return suite;
}

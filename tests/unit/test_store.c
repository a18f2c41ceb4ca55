#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "policy/store.h"

#include "tests/unit/fixtures.h"
#include "tests/unit/suites.h"

/* A policy that selects every pod of its namespace, with one group. */
static struct policy_spec policy_named(struct str name, struct str *group)
{
    static const struct selector_spec all = { 0 };
    return (struct policy_spec){ .name = name, .pod_selector = &all, .groups = { group, 1 } };
}

static void put(struct store *store, struct str name, const struct policy_spec *policies, size_t count)
{
    const struct namespace_spec spec = { .name = name, .policies = policies, .policy_count = count };
    struct err err = { 0 };
    expect_done(store_replace(store, &spec, &err), &err);
}

static void expect_counts(struct store *store, size_t namespaces, size_t policies, size_t inert, size_t accounts)
{
    struct store_counts counts = store_counts(store);
    ck_assert_uint_eq(counts.namespaces, namespaces);
    ck_assert_uint_eq(counts.policies, policies);
    ck_assert_uint_eq(counts.inert, inert);
    ck_assert_uint_eq(counts.accounts, accounts);
}

static struct store *store_made(void)
{
    struct store *store = NULL;
    struct err err = { 0 };
    expect_done(store_new(&store, &err), &err);
    return store;
}

START_TEST(unknown_namespace_is_empty)
{
    CLEANUP(store_freep) struct store *store = store_made();
    static const struct str names[] = { STR_INIT("shop"), STR_INIT(""), { NULL, 0 } };
    struct namespace_view view = { 0 };
    STORE_READ_SCOPE();
    for (size_t i = 0; i < 3; i++) {
        store_view(store, names[i], &view);
        ck_assert_uint_eq(view.policies->count, 0);
        ck_assert_uint_eq(view.labels->count, 0);
        ck_assert_uint_eq(view.account_count, 0);
        ck_assert_int_eq(view.mode, MODE_DEFAULT);
        ck_assert_ptr_null(namespace_account(&view, STR("default")));
    }
}
END_TEST

START_TEST(free_takes_null)
{
    store_free(NULL);
}
END_TEST

START_TEST(keeps_copies)
{
    CLEANUP(store_freep) struct store *store = store_made();
    char name[] = "shop", policy[] = "web", group[] = "sg-1", label[] = "team", value[] = "pay", account[] = "robot";
    struct str group_id = str_of(group);
    const struct policy_spec policies[] = { policy_named(str_of(policy), &group_id) };
    struct str_pair pair = { str_of(label), str_of(value) };
    const struct account accounts[] = { { str_of(account), { &pair, 1, true } } };
    const struct namespace_spec spec = { str_of(name), policies, 1, accounts, 1, { &pair, 1, true } };
    struct namespace_view view = { 0 };
    struct err err = { 0 };
    expect_done(store_replace(store, &spec, &err), &err);
    memset(name, 'x', 4);
    memset(policy, 'x', 3);
    memset(group, 'x', 4);
    memset(label, 'x', 4);
    memset(value, 'x', 3);
    memset(account, 'x', 5);
    STORE_READ_SCOPE();
    store_view(store, STR("shop"), &view);
    expect_text(view.policies->policies[0].name, "web");
    expect_text(view.policies->policies[0].groups.items[0], "sg-1");
    expect_text(*labels_get(view.labels, STR("team")), "pay");
    const struct account *found = namespace_account(&view, STR("robot"));
    ck_assert_ptr_nonnull(found);
    expect_text(*labels_get(&found->labels, STR("team")), "pay");
}
END_TEST

START_TEST(accounts_are_found_by_name)
{
    CLEANUP(store_freep) struct store *store = store_made();
    const struct account accounts[] = { { .name = STR("c") }, { .name = STR("a") }, { .name = STR("ab") } };
    const struct namespace_spec spec = { .name = STR("shop"), .accounts = accounts, .account_count = 3 };
    struct namespace_view view = { 0 };
    struct err err = { 0 };
    expect_done(store_replace(store, &spec, &err), &err);
    STORE_READ_SCOPE();
    store_view(store, STR("shop"), &view);
    for (size_t i = 0; i < 3; i++)
        ck_assert_ptr_nonnull(namespace_account(&view, accounts[i].name));
    ck_assert_ptr_null(namespace_account(&view, STR("b")));
    ck_assert_ptr_null(namespace_account(&view, STR("")));
}
END_TEST

static const struct {
    const char *label;
    enum namespace_mode mode;
} modes[] = {
    { NULL, MODE_DEFAULT },  { "off", MODE_OFF },  { "warn", MODE_WARN },    { "enforce", MODE_ENFORCE },
    { "OFF", MODE_DEFAULT }, { "", MODE_DEFAULT }, { "deny", MODE_DEFAULT },
};

START_TEST(mode_of_the_label)
{
    CLEANUP(store_freep) struct store *store = store_made();
    struct str_pair pair = { STR(MODE_LABEL), str_of(modes[_i].label) };
    const struct namespace_spec spec = { .name = STR("shop"), .labels = { &pair, modes[_i].label ? 1 : 0, true } };
    struct namespace_view view = { 0 };
    struct err err = { 0 };
    expect_done(store_replace(store, &spec, &err), &err);
    STORE_READ_SCOPE();
    store_view(store, STR("shop"), &view);
    ck_assert_int_eq(view.mode, modes[_i].mode);
}
END_TEST

START_TEST(counts_follow)
{
    CLEANUP(store_freep) struct store *store = store_made();
    struct str group = STR("sg-1");
    const struct policy_spec policies[] = { policy_named(STR("a"), &group),
                                            policy_named(STR("b"), &group),
                                            { .name = STR("inert") } };
    const struct account account = { .name = STR("default") };
    const struct namespace_spec spec = { .name = STR("two"), .accounts = &account, .account_count = 1 };
    struct err err = { 0 };
    expect_counts(store, 0, 0, 0, 0);
    put(store, STR("one"), policies, 3);
    expect_counts(store, 1, 3, 1, 0);
    expect_done(store_replace(store, &spec, &err), &err);
    expect_counts(store, 2, 3, 1, 1);
    put(store, STR("one"), policies, 2);
    expect_counts(store, 2, 2, 0, 1);
    store_remove(store, STR("unknown"));
    expect_counts(store, 2, 2, 0, 1);
    store_remove(store, STR("one"));
    expect_counts(store, 1, 0, 0, 1);
    store_remove(store, STR("one"));
    store_remove(store, STR("two"));
    expect_counts(store, 0, 0, 0, 0);
}
END_TEST

START_TEST(a_view_outlives_its_replacement)
{
    CLEANUP(store_freep) struct store *store = store_made();
    struct str first = STR("sg-1"), second = STR("sg-2");
    const struct policy_spec before = policy_named(STR("a"), &first), after = policy_named(STR("a"), &second);
    struct namespace_view old = { 0 }, new = { 0 }, gone = { 0 };
    put(store, STR("shop"), &before, 1);
    STORE_READ_SCOPE();
    store_view(store, STR("shop"), &old);
    put(store, STR("shop"), &after, 1);
    store_view(store, STR("shop"), &new);
    store_remove(store, STR("shop"));
    store_view(store, STR("shop"), &gone);
    expect_text(old.policies->policies[0].groups.items[0], "sg-1");
    expect_text(new.policies->policies[0].groups.items[0], "sg-2");
    ck_assert_uint_eq(gone.policies->count, 0);
}
END_TEST

struct visits {
    struct store *store;
    size_t count;
};

static void remove_even(void *ctx, struct str name)
{
    struct visits *visits = ctx;
    visits->count++;
    if ((name.ptr[name.len - 1] - '0') % 2 == 0)
        store_remove(visits->store, name);
}

START_TEST(ten_thousand_namespaces)
{
    CLEANUP(store_freep) struct store *store = store_made();
    enum { NAMESPACES = 10000 };
    struct str group = STR("sg-1");
    struct visits visits = { store, 0 };
    char name[32];
    size_t wrong = 0;
    for (int i = 0; i < NAMESPACES; i++) {
        (void)snprintf(name, sizeof name, "ns-%d", i);
        const struct policy_spec policy = policy_named(str_of(name), &group);
        put(store, str_of(name), &policy, 1);
    }
    expect_counts(store, NAMESPACES, NAMESPACES, 0, 0);
    store_each(store, remove_even, &visits);
    ck_assert_uint_eq(visits.count, NAMESPACES);
    expect_counts(store, NAMESPACES / 2, NAMESPACES / 2, 0, 0);
    STORE_READ_SCOPE();
    for (int i = 0; i < NAMESPACES; i++) {
        struct namespace_view view = { 0 };
        (void)snprintf(name, sizeof name, "ns-%d", i);
        store_view(store, str_of(name), &view);
        wrong += view.policies->count != (size_t)(i % 2);
        wrong += i % 2 && !str_is(view.policies->policies[0].name, name);
    }
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

enum { SHARED = 8, ROUNDS = 400, READERS = 6 };

struct race {
    struct store *store;
    atomic_bool over;
    atomic_size_t reads, torn;
};

/* A version of a namespace has as many policies as its number says, all with the group of that version. */
static bool is_whole(const struct namespace_view *view)
{
    const struct policy_set *set = view->policies;
    for (size_t i = 0; i < set->count; i++)
        if (!str_equal(set->policies[i].groups.items[0], set->policies[0].groups.items[0]))
            return false;
    return set->count == 0 || set->count == (size_t)(set->policies[0].groups.items[0].ptr[3] - '0');
}

static void *read_on(void *ctx)
{
    struct race *race = ctx;
    char name[8];
    for (unsigned i = 0; !atomic_load(&race->over); i++) {
        struct namespace_view view = { 0 };
        (void)snprintf(name, sizeof name, "ns-%u", i % SHARED);
        STORE_READ_SCOPE();
        store_view(race->store, str_of(name), &view);
        if (!is_whole(&view))
            atomic_fetch_add(&race->torn, 1);
        atomic_fetch_add(&race->reads, 1);
    }
    return NULL;
}

static void write_versions(struct store *store)
{
    char name[8], group[8];
    for (unsigned round = 0; round < ROUNDS * SHARED; round++) {
        unsigned count = 1 + round / SHARED % 8;
        (void)snprintf(name, sizeof name, "ns-%u", round % SHARED);
        (void)snprintf(group, sizeof group, "sg-%u", count);
        struct str group_id = str_of(group);
        struct policy_spec policies[8];
        for (unsigned i = 0; i < count; i++)
            policies[i] = policy_named(STR("p"), &group_id);
        put(store, str_of(name), policies, count);
        if (round % 37 == 0)
            store_remove(store, str_of(name));
    }
}

START_TEST(readers_see_whole_versions)
{
    struct race race = { .store = store_made() };
    pthread_t readers[READERS];
    for (size_t i = 0; i < READERS; i++)
        ck_assert_int_eq(pthread_create(&readers[i], NULL, read_on, &race), 0);
    while (atomic_load(&race.reads) == 0)
        ;
    write_versions(race.store);
    atomic_store(&race.over, true);
    for (size_t i = 0; i < READERS; i++)
        ck_assert_int_eq(pthread_join(readers[i], NULL), 0);
    ck_assert_uint_eq(atomic_load(&race.torn), 0);
    ck_assert_uint_gt(atomic_load(&race.reads), READERS);
    store_free(race.store);
}
END_TEST

Suite *store_suite(void)
{
    Suite *suite = suite_create("store");
    TCase *cases = tcase_create("store");
    tcase_set_timeout(cases, 60); /* sanitizers on a busy machine */
    tcase_add_test(cases, unknown_namespace_is_empty);
    tcase_add_test(cases, free_takes_null);
    tcase_add_test(cases, keeps_copies);
    tcase_add_test(cases, accounts_are_found_by_name);
    tcase_add_loop_test(cases, mode_of_the_label, 0, ROWS(modes));
    tcase_add_test(cases, counts_follow);
    tcase_add_test(cases, a_view_outlives_its_replacement);
    tcase_add_test(cases, ten_thousand_namespaces);
    tcase_add_test(cases, readers_see_whole_versions);
    suite_add_tcase(suite, cases);
    return suite;
}

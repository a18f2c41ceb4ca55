#include <stdatomic.h>
#include <stdlib.h>

/* Before our own headers: liburcu and the sanitizer have variables named as our `result`. */
#include <urcu-bp.h>

#include <urcu/rculfhash.h>

/* liburcu is not instrumented: these tell the thread sanitizer what its barriers order, and are nothing otherwise. */
#if defined(__SANITIZE_THREAD__)
#define TELLS_ORDER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TELLS_ORDER 1
#endif
#endif
#ifdef TELLS_ORDER
#include <sanitizer/tsan_interface.h>
#define ORDER_BEFORE(address) __tsan_release((void *)(address))
#define ORDER_AFTER(address) __tsan_acquire((void *)(address))
#else
#define ORDER_BEFORE(address) (void)(address)
#define ORDER_AFTER(address) (void)(address)
#endif

#include "policy/store.h"

static const char grace_period; /* by its address: what readers did comes before what is freed */

enum { FIRST_BUCKETS = 64, NAMESPACE_CHUNK_BYTES = 1024 };

/* One version of one namespace. Everything it points to lives in its arena. */
struct namespace_state {
    struct cds_lfht_node node;
    struct rcu_head rcu;
    struct arena arena;
    struct str name;
    struct namespace_view view;
    size_t inert;
};

struct store {
    struct cds_lfht *namespaces;
    atomic_size_t namespace_count, policies, inert, accounts;
};

/* FNV-1a: namespaces are named by those who may create them, not by those who send reviews. */
static unsigned long hash_name(struct str name)
{
    uint64_t hash = 14695981039346656037ULL;
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.ptr[i]) * 1099511628211ULL;
    return (unsigned long)(hash ^ hash >> 32);
}

static struct namespace_state *state_of(struct cds_lfht_node *node)
{
    struct namespace_state *state = caa_container_of(node, struct namespace_state, node);
    ORDER_AFTER(state);
    return state;
}

static int name_matches(struct cds_lfht_node *node, const void *key)
{
    return str_equal(state_of(node)->name, *(const struct str *)key);
}

static void state_free(struct namespace_state *state)
{
    if (!state)
        return;
    arena_free(&state->arena);
    free(state);
}

static void state_freep(struct namespace_state **state)
{
    state_free(*state);
}

static void state_reclaim(struct rcu_head *head)
{
    struct namespace_state *state = caa_container_of(head, struct namespace_state, rcu);
    ORDER_AFTER(state);
    ORDER_AFTER(&grace_period);
    state_free(state);
}

result store_new(struct store **out, struct err *err)
{
    struct store *store = calloc(1, sizeof *store);
    ENSURE(store, err, ERR_INTERNAL, "out of memory");
    store->namespaces = cds_lfht_new(FIRST_BUCKETS, FIRST_BUCKETS, 0, CDS_LFHT_AUTO_RESIZE, NULL);
    if (!store->namespaces) {
        free(store);
        return err_set(err, ERR_INTERNAL, "out of memory");
    }
    *out = store;
    return DONE;
}

static void count_state(struct store *store, const struct namespace_state *state, size_t sign)
{
    atomic_fetch_add_explicit(&store->namespace_count, sign, memory_order_relaxed);
    atomic_fetch_add_explicit(&store->policies, sign * state->view.policies->count, memory_order_relaxed);
    atomic_fetch_add_explicit(&store->inert, sign * state->inert, memory_order_relaxed);
    atomic_fetch_add_explicit(&store->accounts, sign * state->view.account_count, memory_order_relaxed);
}

static void retire(struct store *store, struct namespace_state *state)
{
    count_state(store, state, (size_t)-1);
    ORDER_BEFORE(state);
    call_rcu(&state->rcu, state_reclaim);
}

void store_each(struct store *store, void (*visit)(void *ctx, struct str name), void *ctx)
{
    struct cds_lfht_iter iter;
    struct cds_lfht_node *node = NULL;
    STORE_READ_SCOPE();
    cds_lfht_for_each(store->namespaces, &iter, node) visit(ctx, state_of(node)->name);
}

static void remove_visited(void *ctx, struct str name)
{
    store_remove(ctx, name);
}

void store_free(struct store *store)
{
    if (!store)
        return;
    store_each(store, remove_visited, store);
    rcu_barrier();
    (void)cds_lfht_destroy(store->namespaces, NULL);
    free(store);
}

static enum namespace_mode mode_of(const struct str_map *labels)
{
    static const struct {
        struct str word;
        enum namespace_mode mode;
    } modes[] = { { STR_INIT("off"), MODE_OFF },
                  { STR_INIT("warn"), MODE_WARN },
                  { STR_INIT("enforce"), MODE_ENFORCE } };
    const struct str *value = labels_get(labels, STR(MODE_LABEL));
    for (size_t i = 0; value && i < sizeof modes / sizeof modes[0]; i++)
        if (str_equal(modes[i].word, *value))
            return modes[i].mode;
    return MODE_DEFAULT;
}

static int account_order(const void *a, const void *b)
{
    return str_compare(((const struct account *)a)->name, ((const struct account *)b)->name);
}

static result copy_accounts(struct namespace_state *state, const struct namespace_spec *spec, struct err *err)
{
    struct account *accounts = NULL;
    GUARD(arena_take_array(&state->arena, spec->account_count, sizeof *accounts, &accounts, err));
    for (size_t i = 0; i < spec->account_count; i++) {
        GUARD(arena_copy(&state->arena, spec->accounts[i].name, &accounts[i].name, err));
        GUARD(labels_copy(&state->arena, &spec->accounts[i].labels, &accounts[i].labels, err));
    }
    if (spec->account_count)
        qsort(accounts, spec->account_count, sizeof *accounts, account_order);
    state->view.accounts = accounts;
    state->view.account_count = spec->account_count;
    return DONE;
}

static result fill_state(struct namespace_state *state, const struct namespace_spec *spec, struct err *err)
{
    struct policy_set *policies = NULL;
    struct str_map *labels = NULL;
    state->arena.first_chunk_bytes = NAMESPACE_CHUNK_BYTES;
    GUARD(arena_copy(&state->arena, spec->name, &state->name, err));
    GUARD(policy_set_build(spec->policies, spec->policy_count, &state->arena, &policies, err));
    GUARD(arena_take(&state->arena, sizeof *labels, &labels, err));
    GUARD(labels_copy(&state->arena, &spec->labels, labels, err));
    GUARD(copy_accounts(state, spec, err));
    for (size_t i = 0; i < policies->count; i++)
        state->inert += policy_inert(&policies->policies[i]) != NULL;
    state->view.policies = policies;
    state->view.labels = labels;
    state->view.mode = mode_of(labels);
    return DONE;
}

result store_replace(struct store *store, const struct namespace_spec *spec, struct err *err)
{
    CLEANUP(state_freep) struct namespace_state *state = calloc(1, sizeof *state);
    ENSURE(state, err, ERR_INTERNAL, "out of memory");
    GUARD(fill_state(state, spec, err));
    count_state(store, state, 1);
    ORDER_BEFORE(state);
    STORE_READ_SCOPE();
    struct cds_lfht_node *old =
        cds_lfht_add_replace(store->namespaces, hash_name(state->name), name_matches, &state->name, &state->node);
    if (old)
        retire(store, state_of(old));
    state = NULL; /* the table's now */
    return DONE;
}

static struct namespace_state *find_state(struct store *store, struct str name)
{
    struct cds_lfht_iter iter;
    cds_lfht_lookup(store->namespaces, hash_name(name), name_matches, &name, &iter);
    struct cds_lfht_node *node = cds_lfht_iter_get_node(&iter);
    return node ? state_of(node) : NULL;
}

void store_remove(struct store *store, struct str name)
{
    STORE_READ_SCOPE();
    struct namespace_state *state = find_state(store, name);
    if (state && cds_lfht_del(store->namespaces, &state->node) == 0)
        retire(store, state);
}

struct store_counts store_counts(struct store *store)
{
    return (struct store_counts){
        .namespaces = atomic_load_explicit(&store->namespace_count, memory_order_relaxed),
        .policies = atomic_load_explicit(&store->policies, memory_order_relaxed),
        .inert = atomic_load_explicit(&store->inert, memory_order_relaxed),
        .accounts = atomic_load_explicit(&store->accounts, memory_order_relaxed),
    };
}

void store_read_begin(void)
{
    rcu_read_lock();
}

void store_read_end(void)
{
    ORDER_BEFORE(&grace_period);
    rcu_read_unlock();
}

/* Something of another room that readers may still be looking at. */
struct retired {
    struct rcu_head rcu;
    void (*release)(void *what);
    void *what;
};

static void release_retired(struct rcu_head *head)
{
    struct retired *retired = caa_container_of(head, struct retired, rcu);
    ORDER_AFTER(&grace_period);
    ORDER_AFTER(retired);
    retired->release(retired->what);
    free(retired);
}

void store_retire(void (*release)(void *what), void *what)
{
    struct retired *retired = malloc(sizeof *retired);
    if (!retired) {
        synchronize_rcu();
        release(what);
        return;
    }
    *retired = (struct retired){ .release = release, .what = what };
    ORDER_BEFORE(retired);
    call_rcu(&retired->rcu, release_retired);
}

void store_view(struct store *store, struct str name, struct namespace_view *out)
{
    static const struct policy_set no_policies = { 0 };
    static const struct str_map no_labels = { 0 };
    const struct namespace_state *state = find_state(store, name);
    *out = state ? state->view : (struct namespace_view){ .policies = &no_policies, .labels = &no_labels };
}

const struct account *namespace_account(const struct namespace_view *view, struct str name)
{
    struct account key = { .name = name };
    return view->account_count ? bsearch(&key, view->accounts, view->account_count, sizeof key, account_order) : NULL;
}

/* policy/store.h - what is known of the cluster, by namespace: read without locks, replaced a namespace at a time. */
#ifndef SGP_POLICY_STORE_H
#define SGP_POLICY_STORE_H

#include "policy/policy.h"

struct store;

/* The label by which a namespace lowers or raises its own checks. */
enum namespace_mode { MODE_DEFAULT, MODE_OFF, MODE_WARN, MODE_ENFORCE };
#define MODE_LABEL "sgp-webhook.io/mode"

/* One namespace as it is at one moment; borrowed within a read scope. Never NULL inside. */
struct namespace_view {
    const struct policy_set *policies;
    const struct account *accounts; /* sorted by name */
    size_t account_count;
    const struct str_map *labels; /* of the namespace */
    enum namespace_mode mode;
};

/* Everything to be known of one namespace: the input of store_replace. */
struct namespace_spec {
    struct str name;
    const struct policy_spec *policies;
    size_t policy_count;
    const struct account *accounts;
    size_t account_count;
    struct str_map labels;
};

struct store_counts {
    size_t namespaces; /* with anything known of them */
    size_t policies;
    size_t inert; /* policies that can select nothing */
    size_t accounts;
};

/* Owner: the caller, store_free(). */
result store_new(struct store **out, struct err *err);
/* No reader may be left. Waits for deferred frees. Safe on NULL. */
void store_free(struct store *store);
static inline void store_freep(struct store **store)
{
    store_free(*store);
}

/* Publishes the next version of one namespace, copying all it keeps. One writer at a time. A failure changes nothing.
 */
result store_replace(struct store *store, const struct namespace_spec *spec, struct err *err);
/* Forgets a namespace. One writer at a time. */
void store_remove(struct store *store, struct str name);
/* Calls `visit` for the name of every namespace; the writer may remove the one it is told of. By the writer. */
void store_each(struct store *store, void (*visit)(void *ctx, struct str name), void *ctx);
/* By any thread. */
struct store_counts store_counts(struct store *store);

/* Enters a read section (liburcu-bp); store_read_end leaves it. What a view shows stays valid in between. No waiting
 * inside. */
void store_read_begin(void);
void store_read_end(void);
/* Calls `release` once all read sections that have begun are left: for what was exchanged for something newer. Waits
 * itself only when memory is short. Not within a read section. */
void store_retire(void (*release)(void *what), void *what);
static inline void store_read_endp(const int *scope)
{
    (void)scope;
    store_read_end();
}
/* Left on every way out, by cleanup attribute. */
#define STORE_READ_SCOPE()                                                                                             \
    store_read_begin();                                                                                                \
    CLEANUP(store_read_endp) __attribute__((unused)) const int store_read_scope_ = 0

/* The namespace, or an empty one when nothing is known of it. */
void store_view(struct store *store, struct str name, struct namespace_view *out);
/* The service account `name` of the namespace, or NULL. */
const struct account *namespace_account(const struct namespace_view *view, struct str name);

#endif

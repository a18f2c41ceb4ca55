#include "sources/cluster.h"

#include "sources/cluster_objects.h"

#include <stdlib.h>

#define DEFAULT_ACCOUNT "default"

/* Kinds that stand beside each other as text, and the manifest that is first of it. */
struct unknown {
    struct str text;
    const struct manifest *manifest;
};

static int unknown_order(const void *a, const void *b)
{
    const struct unknown *first = a, *second = b;
    int order = str_compare(first->text, second->text);
    return order ? order : (first->manifest > second->manifest) - (first->manifest < second->manifest);
}

static int manifest_order(const void *a, const void *b)
{
    const struct manifest *first = ((const struct unknown *)a)->manifest,
                          *second = ((const struct unknown *)b)->manifest;
    return (first > second) - (first < second);
}

/* Leaves of each text the first. */
static size_t drop_repeated(struct unknown *items, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || !str_equal(items[kept - 1].text, items[i].text))
            items[kept++] = items[i];
    return kept;
}

static result list_unknown(const struct manifest_list *manifests, struct arena *scratch, struct str_list *out,
                           struct err *err)
{
    struct unknown *items = NULL;
    size_t count = 0;
    GUARD(arena_take_array(scratch, manifests->count, sizeof *items, &items, err));
    for (size_t i = 0; i < manifests->count; i++) {
        const struct manifest *manifest = &manifests->items[i];
        if (object_known(manifest))
            continue;
        items[count].manifest = manifest;
        GUARD(arena_print(scratch, &items[count++].text, err, "%.*s %.*s", STR_ARGS(manifest->api_version),
                          STR_ARGS(manifest->kind)));
    }
    if (count)
        qsort(items, count, sizeof *items, unknown_order);
    count = drop_repeated(items, count);
    if (count)
        qsort(items, count, sizeof *items, manifest_order);
    GUARD(arena_take_array(manifests->arena, count, sizeof *out->items, &out->items, err));
    for (; out->count < count; out->count++)
        GUARD(arena_copy(manifests->arena, items[out->count].text, &out->items[out->count], err));
    return DONE;
}

/* What becomes of the objects from `first` on. */
struct group {
    const struct object *first;
    struct namespace_spec spec;
};

struct groups {
    struct group *items;
    size_t count;
};

/* Objects of one namespace, which are sorted by kind. */
static void fill_group(struct group *group, const struct object *end, struct policy_spec *policies,
                       struct account *accounts)
{
    struct namespace_spec *spec = &group->spec;
    bool has_default = false;
    for (const struct object *object = group->first; object < end; object++) {
        if (object->kind == OBJECT_NAMESPACE)
            spec->labels = object->labels;
        if (object->kind == OBJECT_POLICY)
            policies[spec->policy_count++] = object->policy;
        if (object->kind != OBJECT_ACCOUNT)
            continue;
        accounts[spec->account_count++] = (struct account){ object->name, object->labels };
        has_default |= str_is(object->name, DEFAULT_ACCOUNT);
    }
    if (!has_default)
        accounts[spec->account_count++] = (struct account){ .name = STR(DEFAULT_ACCOUNT) };
    spec->policies = policies;
    spec->accounts = accounts;
}

static result make_groups(const struct objects *objects, struct arena *arena, struct groups *out, struct err *err)
{
    const struct object *at = objects->items, *end = at + objects->count;
    struct policy_spec *policies = NULL;
    struct account *accounts = NULL;
    GUARD(arena_take_array(arena, objects->count, sizeof *out->items, &out->items, err));
    GUARD(arena_take_array(arena, objects->count, sizeof *policies, &policies, err));
    GUARD(
        arena_take_array(arena, objects->count * 2, sizeof *accounts, &accounts, err)); /* room for the default ones */
    while (at < end) {
        struct group *group = &out->items[out->count];
        *group = (struct group){ .first = at, .spec.name = at->namespace };
        while (at < end && str_equal(at->namespace, group->spec.name))
            at++;
        if (group->spec.name.len == 0) /* nodes */
            continue;
        fill_group(group, at, policies, accounts);
        policies += group->spec.policy_count;
        accounts += group->spec.account_count;
        out->count++;
    }
    return DONE;
}

struct leftovers {
    const struct groups *groups;
    struct store *store;
};

static int group_order(const void *a, const void *b)
{
    return str_compare(((const struct group *)a)->spec.name, ((const struct group *)b)->spec.name);
}

static void remove_leftover(void *ctx, struct str name)
{
    const struct leftovers *leftovers = ctx;
    const struct groups *groups = leftovers->groups;
    struct group key = { .spec.name = name };
    if (groups->count == 0 || !bsearch(&key, groups->items, groups->count, sizeof key, group_order))
        store_remove(leftovers->store, name);
}

static result add_remark(const struct object *object, const char *what, struct arena *arena, struct str_list *remarks,
                         struct err *err)
{
    struct str title = { 0 };
    GUARD(object_title(object, arena, &title, err));
    return arena_print(arena, &remarks->items[remarks->count++], err, "%.*s:%zu: %.*s: %s",
                       STR_ARGS(manifest_file_name(object->manifest)), object->manifest->line, STR_ARGS(title), what);
}

/* What the store made of a namespace tells what is wrong with its objects; its policies are sorted by name, too. */
static result remark_group(const struct group *group, const struct namespace_view *view, struct arena *arena,
                           struct str_list *remarks, struct err *err)
{
    const struct object *object = group->first;
    if (view->mode == MODE_DEFAULT && labels_get(view->labels, STR(MODE_LABEL)))
        GUARD(add_remark(object, "label " MODE_LABEL " is neither off nor warn nor enforce, it has no effect", arena,
                         remarks, err));
    if (object->kind == OBJECT_NAMESPACE)
        object++;
    for (size_t i = 0; i < view->policies->count; i++) {
        struct str what = { 0 };
        const char *inert = policy_inert(&view->policies->policies[i]);
        if (!inert)
            continue;
        GUARD(arena_print(arena, &what, err, "%s, it selects nothing", inert));
        GUARD(add_remark(&object[i], what.ptr, arena, remarks, err));
    }
    return DONE;
}

static result list_remarks(const struct groups *groups, struct store *store, struct arena *arena,
                           struct str_list *remarks, struct err *err)
{
    size_t most = groups->count + store_counts(store).inert;
    GUARD(arena_take_array(arena, most, sizeof *remarks->items, &remarks->items, err));
    for (size_t i = 0; i < groups->count; i++) {
        struct namespace_view view;
        STORE_READ_SCOPE();
        store_view(store, groups->items[i].spec.name, &view);
        GUARD(remark_group(&groups->items[i], &view, arena, remarks, err));
    }
    return DONE;
}

static result publish(const struct groups *groups, struct store *store, struct err *err)
{
    struct leftovers leftovers = { groups, store };
    for (size_t i = 0; i < groups->count; i++)
        GUARD(store_replace(store, &groups->items[i].spec, err));
    store_each(store, remove_leftover, &leftovers);
    return DONE;
}

result cluster_publish(const struct manifest_list *manifests, struct str default_namespace, struct store *store,
                       struct cluster_report *report, struct err *err)
{
    CLEANUP(arena_free) struct arena scratch = { 0 };
    struct objects objects = { 0 };
    struct groups groups = { 0 };
    *report = (struct cluster_report){ 0 };
    GUARD(objects_decode(manifests, default_namespace, &scratch, &objects, err));
    GUARD(make_groups(&objects, &scratch, &groups, err));
    GUARD(list_unknown(manifests, &scratch, &report->unknown_kinds, err));
    GUARD(publish(&groups, store, err));
    report->counts = store_counts(store);
    report->object_count = objects.count;
    return list_remarks(&groups, store, manifests->arena, &report->remarks, err);
}

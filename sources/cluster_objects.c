#include "sources/cluster_objects.h"

#include "policy/objects.h"

#include <stdlib.h>

static const struct object_row {
    struct str api_version;
    struct str kind;
    bool namespaced;
} object_rows[OBJECT_KINDS] = {
    [OBJECT_NAMESPACE] = { STR_INIT("v1"), STR_INIT("Namespace"), false },
    [OBJECT_POLICY] = { STR_INIT("vpcresources.k8s.aws/v1beta1"), STR_INIT("SecurityGroupPolicy"), true },
    [OBJECT_ACCOUNT] = { STR_INIT("v1"), STR_INIT("ServiceAccount"), true },
    [OBJECT_NODE] = { STR_INIT("v1"), STR_INIT("Node"), false },
};

static const struct object_row *row_of(const struct manifest *manifest)
{
    for (size_t i = 0; i < OBJECT_KINDS; i++)
        if (str_equal(object_rows[i].api_version, manifest->api_version) &&
            str_equal(object_rows[i].kind, manifest->kind))
            return &object_rows[i];
    return NULL;
}

bool object_known(const struct manifest *manifest)
{
    return row_of(manifest) != NULL;
}

result object_title(const struct object *object, struct arena *arena, struct str *out, struct err *err)
{
    const struct object_row *row = &object_rows[object->kind];
    if (!row->namespaced)
        return arena_print(arena, out, err, "%.*s %.*s", STR_ARGS(row->kind), STR_ARGS(object->name));
    return arena_print(arena, out, err, "%.*s %.*s/%.*s", STR_ARGS(row->kind), STR_ARGS(object->namespace),
                       STR_ARGS(object->name));
}

static result decode_policy(struct object *object, struct object_meta *meta, struct arena *arena, struct err *err)
{
    struct policy_object policy = { 0 };
    GUARD(manifest_decode(object->manifest, &policy_object_shape, arena, &policy, err));
    object->policy = policy_object_spec(&policy);
    *meta = policy.meta;
    return DONE;
}

static result decode_other(const struct object *object, struct object_meta *meta, struct arena *arena, struct err *err)
{
    struct meta_object other = { 0 };
    GUARD(manifest_decode(object->manifest, &meta_object_shape, arena, &other, err));
    *meta = other.meta;
    return DONE;
}

static result check_name(const struct object_meta *meta, struct err *err)
{
    ENSURE(meta->name.len > 0, err, ERR_INPUT, "metadata.name: missing");
    return DONE;
}

/* "FILE:LINE:COLUMN: " in front of the message. */
static result at_manifest(const struct manifest *manifest, struct err *err)
{
    return err_prefix(err, "%.*s:%zu:%zu: ", STR_ARGS(manifest_file_name(manifest)), manifest->line, manifest->column);
}

static result decode_object(struct object *object, struct str default_namespace, struct arena *arena, struct err *err)
{
    struct object_meta meta = { 0 };
    GUARD(object->kind == OBJECT_POLICY ? decode_policy(object, &meta, arena, err)
                                        : decode_other(object, &meta, arena, err));
    if (!check_name(&meta, err).ok)
        return at_manifest(object->manifest, err);
    object->name = meta.name;
    object->labels = meta.labels;
    if (object_rows[object->kind].namespaced)
        object->namespace = meta.namespace.len ? meta.namespace : default_namespace;
    else if (object->kind == OBJECT_NAMESPACE)
        object->namespace = meta.name;
    object->policy.namespace = object->namespace;
    return DONE;
}

static int object_order(const void *a, const void *b)
{
    const struct object *first = a, *second = b;
    int order = str_compare(first->namespace, second->namespace);
    if (order == 0)
        order = (first->kind > second->kind) - (first->kind < second->kind);
    if (order == 0)
        order = str_compare(first->name, second->name);
    return order ? order : (first->manifest > second->manifest) - (first->manifest < second->manifest);
}

static bool same_object(const struct object *first, const struct object *second)
{
    return first->kind == second->kind && str_equal(first->namespace, second->namespace) &&
           str_equal(first->name, second->name);
}

static result check_different(const struct object *first, const struct object *second, struct arena *arena,
                              struct err *err)
{
    struct str title = { 0 };
    if (!same_object(first, second))
        return DONE;
    GUARD(object_title(second, arena, &title, err));
    return err_set(err, ERR_INPUT, "%.*s occurs twice, first in %.*s:%zu:%zu", STR_ARGS(title),
                   STR_ARGS(manifest_file_name(first->manifest)), first->manifest->line, first->manifest->column);
}

/* A policy of another version is no policy to the cluster, which would not take it. */
static result check_served(const struct manifest *manifest, struct err *err)
{
    const struct object_row *policy = &object_rows[OBJECT_POLICY];
    if (!str_equal(manifest->kind, policy->kind) ||
        !str_starts_with(manifest->api_version, STR("vpcresources.k8s.aws/")))
        return DONE;
    struct outcome refused = err_set(err, ERR_INPUT, "apiVersion: %.*s is not served; write %.*s",
                                     STR_ARGS(manifest->api_version), STR_ARGS(policy->api_version));
    return refused.ok ? DONE : at_manifest(manifest, err);
}

result objects_decode(const struct manifest_list *manifests, struct str default_namespace, struct arena *arena,
                      struct objects *out, struct err *err)
{
    GUARD(arena_take_array(arena, manifests->count, sizeof *out->items, &out->items, err));
    for (size_t i = 0; i < manifests->count; i++) {
        const struct object_row *row = row_of(&manifests->items[i]);
        if (!row) {
            GUARD(check_served(&manifests->items[i], err));
            continue;
        }
        struct object *object = &out->items[out->count++];
        *object = (struct object){ .manifest = &manifests->items[i],
                                   .kind = (enum object_kind)(row - object_rows),
                                   .namespace = STR("") };
        GUARD(decode_object(object, default_namespace, arena, err));
    }
    if (out->count)
        qsort(out->items, out->count, sizeof *out->items, object_order);
    for (size_t i = 1; i < out->count; i++)
        if (!check_different(&out->items[i - 1], &out->items[i], arena, err).ok)
            return at_manifest(out->items[i].manifest, err);
    return DONE;
}

#include "admission/patch.h"

/* A key as a token of a JSON pointer. R41 (RFC 6901, section 3): ~ is written ~0 and / is written ~1. */
static void put_token(struct buf *path, struct str key)
{
    for (size_t i = 0; i < key.len; i++) {
        if (key.ptr[i] == '~')
            buf_put(path, STR("~0"));
        else if (key.ptr[i] == '/')
            buf_put(path, STR("~1"));
        else
            buf_put_char(path, key.ptr[i]);
    }
}

/* Appends one operation; `value` is JSON, absent for "remove". R55 (product design, what EKS's own webhook gets wrong):
 * only what has to change is written, so that nothing else is lost or written anew. */
static void put_operation(struct patch *patch, const char *operation, struct buf *path, struct str value)
{
    struct str path_text = { 0 };
    struct err err = { 0 };
    if (!buf_finish(path, &path_text, &err).ok) {
        patch->json.failure = err;
        return;
    }
    buf_print(&patch->json, "%s{\"op\":\"%s\",\"path\":", patch->json.len ? "," : "", operation);
    buf_put_json_string(&patch->json, path_text);
    if (value.ptr) {
        buf_put(&patch->json, STR(",\"value\":"));
        buf_put(&patch->json, value);
    }
    buf_put_char(&patch->json, '}');
}

/* {"key":"value"}. */
static struct str object_json(struct patch *patch, struct str key, struct str value)
{
    struct buf json = buf_in(patch->json.arena);
    struct str text = { 0 };
    struct err err = { 0 };
    buf_put_char(&json, '{');
    buf_put_json_string(&json, key);
    buf_put_char(&json, ':');
    buf_put_json_string(&json, value);
    buf_put_char(&json, '}');
    if (!buf_finish(&json, &text, &err).ok)
        patch->json.failure = err;
    return text;
}

static struct str string_json(struct patch *patch, struct str value)
{
    struct buf json = buf_in(patch->json.arena);
    struct str text = { 0 };
    struct err err = { 0 };
    buf_put_json_string(&json, value);
    if (!buf_finish(&json, &text, &err).ok)
        patch->json.failure = err;
    return text;
}

/* Sets a member of a map that may not be there yet. R40 (RFC 6902, 4.1): "add" needs its parent to exist, so the map
 * is added with its first member. */
static void put_map_member(struct patch *patch, struct buf *map_path, const struct str_map *map, struct str key,
                           struct str value)
{
    const struct str *is = labels_get(map, key);
    if (is && str_equal(*is, value))
        return;
    if (!map->present) {
        put_operation(patch, "add", map_path, object_json(patch, key, value));
        return;
    }
    buf_put_char(map_path, '/');
    put_token(map_path, key);
    put_operation(patch, is ? "replace" : "add", map_path, string_json(patch, value));
}

static struct buf container_path(struct patch *patch, size_t index, const char *rest)
{
    struct buf path = buf_in(patch->json.arena);
    buf_print(&path, "/spec/containers/%zu/resources%s", index, rest);
    return path;
}

static void add_resources(struct patch *patch, size_t index, struct str resource)
{
    struct buf path = container_path(patch, index, ""), json = buf_in(patch->json.arena);
    struct str map = object_json(patch, resource, STR("1")), text = { 0 };
    buf_print(&json, "{\"limits\":%.*s,\"requests\":%.*s}", STR_ARGS(map), STR_ARGS(map));
    if (buf_finish(&json, &text, &patch->json.failure).ok)
        put_operation(patch, "add", &path, text);
}

void patch_request_resource(struct patch *patch, const struct pod *pod, size_t index, struct str resource)
{
    const struct resources *resources = pod->spec.containers.items[index].resources;
    if (!resources) {
        add_resources(patch, index, resource);
        return;
    }
    struct buf limits = container_path(patch, index, "/limits");
    struct buf requests = container_path(patch, index, "/requests");
    put_map_member(patch, &limits, &resources->limits, resource, STR("1"));
    put_map_member(patch, &requests, &resources->requests, resource, STR("1"));
}

void patch_set_annotation(struct patch *patch, const struct pod *pod, struct str key, struct str value)
{
    struct buf path = buf_in(patch->json.arena), json = buf_in(patch->json.arena);
    struct str text = { 0 };
    if (pod->meta) {
        buf_put(&path, STR("/metadata/annotations"));
        put_map_member(patch, &path, &pod->meta->annotations, key, value);
        return;
    }
    struct str map = object_json(patch, key, value);
    buf_put(&path, STR("/metadata"));
    buf_print(&json, "{\"annotations\":%.*s}", STR_ARGS(map));
    if (buf_finish(&json, &text, &patch->json.failure).ok)
        put_operation(patch, "add", &path, text);
}

void patch_remove_annotation(struct patch *patch, const struct pod *pod, struct str key)
{
    struct buf path = buf_in(patch->json.arena);
    if (!labels_get(pod_annotations(pod), key))
        return;
    buf_put(&path, STR("/metadata/annotations/"));
    put_token(&path, key);
    put_operation(patch, "remove", &path, (struct str){ 0 });
}

result patch_finish(struct patch *patch, struct str *out, struct err *err)
{
    struct buf json = buf_in(patch->json.arena);
    struct str operations = { 0 };
    *out = (struct str){ 0 };
    GUARD(buf_finish(&patch->json, &operations, err));
    if (operations.len == 0)
        return DONE;
    buf_put_char(&json, '[');
    buf_put(&json, operations);
    buf_put_char(&json, ']');
    return buf_finish(&json, out, err);
}

#include "server/manifest_input.h"

#include "server/report.h"

#include <stdlib.h>

/* A file that manifests came from, the first time or again. */
struct seen_file {
    const struct manifest_file *file;
    const char *identity; /* its real path */
    size_t first;         /* index of its first manifest */
    bool again;
};

static result identify(const struct manifest *manifest, size_t index, struct arena *arena, struct seen_file *out,
                       struct err *err)
{
    struct str name = { 0 }, real = { 0 };
    GUARD(arena_copy(arena, manifest_file_name(manifest), &name, err));
    char *path = str_is(name, "-") ? NULL : realpath(name.ptr, NULL);
    bool copied = arena_copy(arena, path ? str_of(path) : name, &real, err).ok;
    free(path);
    *out = (struct seen_file){ manifest->file, real.ptr, index, false };
    return copied ? DONE : FAILED;
}

static int identity_order(const void *a, const void *b)
{
    const struct seen_file *x = a, *y = b;
    int order = strcmp(x->identity, y->identity);
    return order ? order : (x->first > y->first) - (x->first < y->first);
}

static int first_order(const void *a, const void *b)
{
    const struct seen_file *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

/* The files of all manifests in the order of reading, those marked that were read before. */
static result list_files(const struct manifest_list *list, struct arena *arena, struct seen_file **out, struct err *err)
{
    struct seen_file *files = NULL;
    size_t count = 0;
    GUARD(arena_take_array(arena, list->count, sizeof *files, &files, err));
    for (size_t i = 0; i < list->count; i++)
        if (i == 0 || list->items[i].file != list->items[i - 1].file)
            GUARD(identify(&list->items[i], i, arena, &files[count++], err));
    if (count)
        qsort(files, count, sizeof *files, identity_order);
    for (size_t i = 1; i < count; i++)
        files[i].again = strcmp(files[i - 1].identity, files[i].identity) == 0;
    if (count)
        qsort(files, count, sizeof *files, first_order);
    *out = files;
    return DONE;
}

/* "check . web.yaml" means web.yaml once: its objects are no duplicates of themselves. */
static result drop_files_read_again(struct input *input, struct err *err)
{
    struct manifest_list *list = &input->manifests;
    struct seen_file *files = NULL;
    size_t kept = 0, kept_operands = 0;
    GUARD(list_files(list, &input->arena, &files, err));
    for (size_t i = 0; i < list->count; i++) {
        files += i > 0 && list->items[i].file != list->items[i - 1].file;
        if (files->again)
            continue;
        kept_operands += i < input->operand_count;
        list->items[kept++] = list->items[i];
    }
    list->count = kept;
    input->operand_count = kept_operands;
    return DONE;
}

static result read_paths(struct manifest_list *list, const struct option_texts *paths, struct err *err)
{
    for (size_t i = 0; i < paths->count; i++)
        GUARD(manifests_read(list, paths->items[i], err));
    return DONE;
}

result input_read(const struct input_options *options, const struct option_texts *operands, struct input *input,
                  struct err *err)
{
    bool named = options->namespace && *options->namespace;
    input->namespace = named ? str_of(options->namespace) : STR("default");
    input->manifests.arena = &input->arena;
    ENSURE(operands->count > 0, err, ERR_INPUT, "no manifests: name files or directories, or - for standard input");
    GUARD(options->config ? config_load(options->config, &input->config, err) : config_new(&input->config, err));
    GUARD(config_settle(input->config, err));
    GUARD(read_paths(&input->manifests, operands, err));
    input->operand_count = input->manifests.count;
    GUARD(read_paths(&input->manifests, &options->policies, err));
    GUARD(drop_files_read_again(input, err));
    GUARD(store_new(&input->store, err));
    return cluster_publish(&input->manifests, input->namespace, input->store, &input->report, err);
}

/* "apps" of apps/v1, nothing of v1. */
static struct str group_of(struct str api_version)
{
    const char *slash = api_version.len ? memchr(api_version.ptr, '/', api_version.len) : NULL;
    return slash ? (struct str){ api_version.ptr, (size_t)(slash - api_version.ptr) } : STR("");
}

static result decode_policy(struct input *input, struct input_object *out, struct err *err)
{
    struct policy_object *policy = NULL;
    GUARD(arena_take(&input->arena, sizeof *policy, &policy, err));
    GUARD(manifest_decode(out->manifest, &policy_object_shape, &input->arena, policy, err));
    out->policy = policy;
    return DONE;
}

static result decode_pod(struct input *input, struct input_object *out, struct err *err)
{
    struct pod *pod = NULL;
    GUARD(arena_take(&input->arena, sizeof *pod, &pod, err));
    GUARD(manifest_decode(out->manifest, &pod_shape, &input->arena, pod, err));
    out->pod = pod;
    return DONE;
}

static result decode_workload(struct input *input, struct input_object *out, struct err *err)
{
    struct workload *workload = NULL;
    GUARD(arena_take(&input->arena, sizeof *workload, &workload, err));
    GUARD(manifest_decode(out->manifest, &workload_shape, &input->arena, workload, err));
    if (!workload_is_owned(workload, out->manifest->kind))
        out->pod = workload_template(workload, out->manifest->kind, &out->path);
    return DONE;
}

static bool is_policy(struct str group, struct str kind)
{
    return str_is(group, "vpcresources.k8s.aws") && str_is(kind, "SecurityGroupPolicy");
}

static bool is_pod(struct str group, struct str kind)
{
    return group.len == 0 && str_is(kind, "Pod");
}

static const struct object_kind {
    bool (*is)(struct str group, struct str kind);
    result (*decode)(struct input *input, struct input_object *out, struct err *err);
} object_kinds[] = {
    { is_policy, decode_policy },
    { is_pod, decode_pod },
    { workload_kind, decode_workload },
};

static const struct object_kind *object_kind_find(struct str api_version, struct str kind)
{
    for (size_t i = 0; i < sizeof object_kinds / sizeof object_kinds[0]; i++)
        if (object_kinds[i].is(group_of(api_version), kind))
            return &object_kinds[i];
    return NULL;
}

result input_object_read(struct input *input, size_t index, struct input_object *out, struct err *err)
{
    const struct manifest *manifest = &input->manifests.items[index];
    const struct object_kind *kind = object_kind_find(manifest->api_version, manifest->kind);
    *out = (struct input_object){
        .manifest = manifest,
        .file = manifest_file_name(manifest),
        .namespace = manifest->namespace.len ? manifest->namespace : input->namespace,
    };
    return kind ? kind->decode(input, out, err) : DONE;
}

/* Whether "apps/v1 Deployment" is a kind that only the cluster's reader does not know. */
static bool is_looked_at(struct str kind)
{
    const char *space = kind.len ? memchr(kind.ptr, ' ', kind.len) : NULL;
    if (!space)
        return false;
    struct str api_version = { kind.ptr, (size_t)(space - kind.ptr) };
    struct str name = { space + 1, kind.len - api_version.len - 1 };
    return object_kind_find(api_version, name) != NULL;
}

void input_print_notes(struct input *input)
{
    const struct cluster_report *report = &input->report;
    struct buf kinds = buf_in(&input->arena);
    struct str list = { 0 };
    struct err err = { 0 };
    for (size_t i = 0; i < report->unknown_kinds.count; i++) {
        if (is_looked_at(report->unknown_kinds.items[i]))
            continue;
        buf_put(&kinds, kinds.len ? STR(", ") : STR("not looked at: "));
        buf_put(&kinds, report->unknown_kinds.items[i]);
    }
    if (buf_finish(&kinds, &list, &err).ok && list.len)
        report_note(list, &input->arena);
    for (size_t i = 0; i < report->remarks.count; i++)
        report_note(report->remarks.items[i], &input->arena);
}

void input_free(struct input *input)
{
    store_free(input->store);
    config_free(input->config);
    arena_free(&input->arena);
    *input = (struct input){ 0 };
}

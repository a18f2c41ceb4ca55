#include "admission/workload.h"

#include "base/shape.h"

static const struct field job_spec_fields[] = { { STR_INIT("template"), FIELD_POINTER, 0, &pod_shape, false } };
static const struct shape job_spec_shape = SHAPE_INIT(job_spec_fields, const struct pod *);
static const struct field job_template_fields[] = { { STR_INIT("spec"), FIELD_OBJECT, 0, &job_spec_shape, false } };
static const struct shape job_template_shape = SHAPE_INIT(job_template_fields, const struct pod *);

static const struct field spec_fields[] = {
    { STR_INIT("template"), FIELD_POINTER, offsetof(struct workload_spec, template), &pod_shape, false },
    { STR_INIT("jobTemplate"), FIELD_OBJECT, offsetof(struct workload_spec, job_template), &job_template_shape, false },
};
static const struct shape spec_shape = SHAPE_INIT(spec_fields, struct workload_spec);

static const struct field workload_fields[] = {
    { STR_INIT("metadata"), FIELD_OBJECT, offsetof(struct workload, meta), &object_meta_shape, false },
    { STR_INIT("spec"), FIELD_OBJECT, offsetof(struct workload, spec), &spec_shape, false },
};
const struct shape workload_shape = SHAPE_INIT(workload_fields, struct workload);

static const struct kind {
    struct str group;
    struct str kind;
    bool of_jobs; /* the template stands in a job template */
} kinds[] = {
    { STR_INIT("apps"), STR_INIT("Deployment"), false },
    { STR_INIT("apps"), STR_INIT("StatefulSet"), false },
    { STR_INIT("apps"), STR_INIT("DaemonSet"), false },
    { STR_INIT("apps"), STR_INIT("ReplicaSet"), false },
    { STR_INIT("batch"), STR_INIT("Job"), false },
    { STR_INIT("batch"), STR_INIT("CronJob"), true },
    { STR_INIT(""), STR_INIT("ReplicationController"), false },
};

static const struct kind *kind_find(struct str kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (str_equal(kinds[i].kind, kind))
            return &kinds[i];
    return NULL;
}

bool workload_kind(struct str group, struct str kind)
{
    const struct kind *known = kind_find(kind);
    return known && str_equal(known->group, group);
}

const struct pod *workload_template(const struct workload *workload, struct str kind, struct str *path)
{
    const struct kind *known = kind_find(kind);
    if (known && known->of_jobs) {
        *path = STR("spec.jobTemplate.spec.template");
        return workload->spec.job_template;
    }
    *path = STR("spec.template");
    return workload->spec.template;
}

/* "apps" of "apps/v1"; "v1" has none. */
static struct str group_of(struct str api_version)
{
    const char *slash = api_version.len ? memchr(api_version.ptr, '/', api_version.len) : NULL;
    return slash ? (struct str){ api_version.ptr, (size_t)(slash - api_version.ptr) } : STR("");
}

bool workload_is_owned(const struct workload *workload, struct str kind)
{
    for (size_t i = 0; i < workload->meta.owners.count; i++) {
        const struct owner_reference *owner = &workload->meta.owners.items[i];
        if (owner->controller &&
            (workload_kind(group_of(owner->api_version), owner->kind) || str_is(kind, "ReplicationController")))
            return true;
    }
    return false;
}

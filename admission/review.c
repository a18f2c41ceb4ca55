#include "admission/review.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/utf8.h"

enum { WARNING_MAX = 120, FIELD_MIN = 36, OTHERS_MAX = 4 };

static const struct field kind_fields[] = {
    { STR_INIT("group"), FIELD_STRING, offsetof(struct group_kind, group), NULL, false },
    { STR_INIT("kind"), FIELD_STRING, offsetof(struct group_kind, kind), NULL, false },
};
static const struct shape kind_shape = SHAPE_INIT(kind_fields, struct group_kind);

static const struct field user_fields[] = { { STR_INIT("username"), FIELD_STRING, 0, NULL, false } };
static const struct shape user_shape = SHAPE_INIT(user_fields, struct str);

/* The members of a request, the same for every endpoint but for the type of its objects. */
#define REQUEST_FIELDS(type, new_object, old, shape)                                                                   \
    {                                                                                                                  \
        { STR_INIT("uid"), FIELD_STRING, offsetof(struct request, uid), NULL, false },                                 \
            { STR_INIT("kind"), FIELD_OBJECT, offsetof(struct request, kind), &kind_shape, false },                    \
            { STR_INIT("subResource"), FIELD_STRING, offsetof(struct request, sub_resource), NULL, false },            \
            { STR_INIT("name"), FIELD_STRING, offsetof(struct request, name), NULL, false },                           \
            { STR_INIT("namespace"), FIELD_STRING, offsetof(struct request, namespace), NULL, false },                 \
            { STR_INIT("operation"), FIELD_STRING, offsetof(struct request, operation_text), NULL, false },            \
            { STR_INIT("userInfo"), FIELD_OBJECT, offsetof(struct request, user), &user_shape, false },                \
            { STR_INIT("dryRun"), FIELD_BOOL, offsetof(struct request, dry_run), NULL, false },                        \
            { STR_INIT("object"), type, offsetof(struct request, new_object), shape, 1 },                              \
            { STR_INIT("oldObject"), type, offsetof(struct request, old), shape, 2 },                                  \
    }

static const struct field pod_request_fields[] = REQUEST_FIELDS(FIELD_POINTER, object, old_object, &pod_shape);
static const struct field policy_request_fields[] =
    REQUEST_FIELDS(FIELD_POINTER, object, old_object, &policy_object_shape);
static const struct field workload_request_fields[] =
    REQUEST_FIELDS(FIELD_POINTER, object, old_object, &workload_shape);
static const struct field raw_request_fields[] = REQUEST_FIELDS(FIELD_RAW, raw, old_raw, NULL);

static const struct shape request_shapes[] = {
    [OBJECT_POD] = SHAPE_INIT(pod_request_fields, struct request),
    [OBJECT_POLICY] = SHAPE_INIT(policy_request_fields, struct request),
    [OBJECT_WORKLOAD] = SHAPE_INIT(workload_request_fields, struct request),
    [OBJECT_RAW] = SHAPE_INIT(raw_request_fields, struct request),
};

#define REVIEW_FIELDS(type)                                                                                            \
    {                                                                                                                  \
        { STR_INIT("apiVersion"), FIELD_STRING, offsetof(struct review, api_version), NULL, false },                   \
            { STR_INIT("kind"), FIELD_STRING, offsetof(struct review, kind), NULL, false },                            \
            { STR_INIT("request"), FIELD_POINTER, offsetof(struct review, request), &request_shapes[type], false },    \
    }

static const struct field review_fields[][3] = {
    [OBJECT_POD] = REVIEW_FIELDS(OBJECT_POD),
    [OBJECT_POLICY] = REVIEW_FIELDS(OBJECT_POLICY),
    [OBJECT_WORKLOAD] = REVIEW_FIELDS(OBJECT_WORKLOAD),
    [OBJECT_RAW] = REVIEW_FIELDS(OBJECT_RAW),
};

static const struct str operations[OPERATION_COUNT] = {
    [OPERATION_CREATE] = STR_INIT("CREATE"),
    [OPERATION_UPDATE] = STR_INIT("UPDATE"),
    [OPERATION_DELETE] = STR_INIT("DELETE"),
    [OPERATION_CONNECT] = STR_INIT("CONNECT"),
};

const char *operation_name(enum operation operation)
{
    return operations[operation].ptr;
}

static result check_envelope(const struct review *review, struct err *err)
{
    ENSURE(str_is(review->api_version, "admission.k8s.io/v1") ||
               str_is(review->api_version, "admission.k8s.io/v1beta1"),
           err, ERR_INPUT, "apiVersion: '%.*s' is neither admission.k8s.io/v1 nor admission.k8s.io/v1beta1",
           STR_ARGS(review->api_version));
    ENSURE(str_is(review->kind, "AdmissionReview"), err, ERR_INPUT, "kind: '%.*s' is not AdmissionReview",
           STR_ARGS(review->kind));
    ENSURE(review->request, err, ERR_INPUT, "request: missing");
    ENSURE(review->request->uid.len > 0, err, ERR_INPUT, "request.uid: missing, the answer has to repeat it");
    ENSURE(review->request->kind.kind.len > 0, err, ERR_INPUT, "request.kind.kind: missing");
    return DONE;
}

static result read_operation(struct review *review, struct err *err)
{
    for (size_t i = 0; i < OPERATION_COUNT; i++) {
        if (str_equal(operations[i], review->request->operation_text)) {
            review->operation = (enum operation)i;
            return DONE;
        }
    }
    return err_set(err, ERR_INPUT, "request.operation: '%.*s' is not CREATE, UPDATE, DELETE or CONNECT",
                   STR_ARGS(review->request->operation_text));
}

/* What is kept as text has not been compared with a shape. */
static void check_raw(struct str raw, const char *field, struct err *object_err)
{
    if (!raw.ptr || json_type_of(raw) == JSON_OBJECT || object_err->kind)
        return;
    struct outcome said = err_set(object_err, ERR_INPUT, "%s: not an object", field);
    (void)said; /* kept, not returned: the review itself is good */
}

result review_decode(struct str body, enum object_type type, struct arena *arena, struct review *out, struct err *err)
{
    const struct shape shape = { .fields = review_fields[type],
                                 .field_count = sizeof review_fields[type] / sizeof review_fields[type][0],
                                 .size = sizeof *out };
    *out = (struct review){ 0 };
    struct json_input input = { .text = body, .arena = arena, .aside = out->object_err };
    GUARD(json_read(&input, &shape, out, err));
    GUARD(check_envelope(out, err));
    check_raw(out->request->raw, "request.object", &out->object_err[0]);
    check_raw(out->request->old_raw, "request.oldObject", &out->object_err[1]);
    return read_operation(out, err);
}

static void put_member(struct buf *json, struct str name, struct str value, bool *first)
{
    if (!*first)
        buf_put_char(json, ',');
    *first = false;
    buf_put_json_string(json, name);
    buf_put_char(json, ':');
    buf_put_json_string(json, value);
}

static result join(const struct str_list *list, struct arena *arena, struct str *out, struct err *err)
{
    struct buf text = buf_in(arena);
    for (size_t i = 0; i < list->count; i++) {
        buf_put(&text, i ? STR(",") : STR(""));
        buf_put(&text, list->items[i]);
    }
    return buf_finish(&text, out, err);
}

/* "field: message; mend it with: remedy [check-id]" */
static result sentence(const struct finding *finding, bool with_remedy, struct arena *arena, struct str *out,
                       struct err *err)
{
    struct buf text = buf_in(arena);
    buf_put(&text, finding->field); /* not printed: that would stop at a NUL */
    buf_put(&text, STR(": "));
    buf_put(&text, finding->message);
    if (with_remedy && finding->remedy.ptr)
        buf_print(&text, "; mend it with: %.*s", STR_ARGS(finding->remedy));
    buf_print(&text, " [%.*s]", STR_ARGS(check_row(finding->check)->id));
    return buf_finish(&text, out, err);
}

static const struct finding *first_denial(const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].action == ACTION_DENY)
            return &findings->items[i];
    return NULL;
}

/* The first refusal as a sentence, and which others there are: kubectl shows this text alone. */
static result refusal(const struct findings *findings, struct arena *arena, struct str *out, struct err *err)
{
    const struct finding *first = first_denial(findings);
    struct buf text = buf_in(arena);
    struct finding whole = *first;
    buf_put(&text, first->message);
    size_t named = 0, denials = findings_with(findings, ACTION_DENY) + findings->omitted;
    for (const struct finding *other = first + 1; other < findings->items + findings->count && named < OTHERS_MAX;
         other++)
        if (other->action == ACTION_DENY && ++named)
            buf_print(&text, " (also %.*s: %.*s)", STR_ARGS(other->field), STR_ARGS(check_row(other->check)->id));
    if (denials > named + 1)
        buf_print(&text, " (and %zu more)", denials - named - 1);
    GUARD(buf_finish(&text, &whole.message, err));
    return sentence(&whole, true, arena, out, err);
}

static void put_cause(struct buf *json, const struct finding *finding, struct str message)
{
    bool first = true;
    buf_put_char(json, '{');
    put_member(json, STR("reason"), check_row(finding->check)->id, &first);
    put_member(json, STR("message"), message, &first);
    put_member(json, STR("field"), finding->field, &first);
    buf_put_char(json, '}');
}

static result put_causes(struct buf *json, const struct findings *findings, struct arena *arena, struct err *err)
{
    struct str message = { 0 };
    buf_put(json, STR(",\"causes\":["));
    bool first = true;
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        if (finding->action != ACTION_DENY)
            continue;
        if (!first)
            buf_put_char(json, ',');
        first = false;
        message = finding->message;
        if (finding->remedy.ptr)
            GUARD(arena_print(arena, &message, err, "%.*s; mend it with: %.*s", STR_ARGS(finding->message),
                              STR_ARGS(finding->remedy)));
        put_cause(json, finding, message);
    }
    buf_put_char(json, ']');
    return DONE;
}

/* A metav1.Status, as the API server passes it on to whoever sent the object. */
static result put_status(struct buf *json, const struct review *review, const struct decision *decision,
                         struct str message, struct arena *arena, struct err *err)
{
    const struct request *request = review->request;
    bool first = true, first_detail = true;
    buf_put(json, STR(",\"status\":{\"metadata\":{},"));
    put_member(json, STR("status"), STR("Failure"), &first);
    put_member(json, STR("message"), message, &first);
    put_member(json, STR("reason"), decision->bad_object ? STR("BadRequest") : STR("Forbidden"), &first);
    buf_put(json, STR(",\"details\":{"));
    if (request->name.len)
        put_member(json, STR("name"), request->name, &first_detail);
    if (request->kind.group.len)
        put_member(json, STR("group"), request->kind.group, &first_detail);
    put_member(json, STR("kind"), request->kind.kind, &first_detail);
    if (!decision->bad_object)
        GUARD(put_causes(json, &decision->findings, arena, err));
    buf_print(json, "},\"code\":%d}", decision->bad_object ? 400 : 403);
    return DONE;
}

static const struct str dots = STR_INIT("...");

/* `text` when it has at most `max` bytes, else its start and dots. */
static result shortened(struct str text, size_t max, struct arena *arena, struct str *out, struct err *err)
{
    *out = text;
    if (text.len <= max)
        return DONE;
    struct buf cut = buf_in(arena);
    buf_put(&cut, (struct str){ text.ptr, utf8_cut(text.ptr, text.len, max - dots.len) });
    buf_put(&cut, dots);
    return buf_finish(&cut, out, err);
}

/* `field` when it has at most `max` bytes, else dots and its tail, which says most. */
static result shortened_field(struct str field, size_t max, struct arena *arena, struct str *out, struct err *err)
{
    *out = field;
    if (field.len <= max)
        return DONE;
    struct buf cut = buf_in(arena);
    size_t start = field.len - (max - dots.len);
    while (start < field.len && ((unsigned char)field.ptr[start] & 0xC0) == 0x80)
        start++;
    buf_put(&cut, dots);
    buf_put(&cut, (struct str){ field.ptr + start, field.len - start });
    return buf_finish(&cut, out, err);
}

/* At most WARNING_MAX bytes: of a longer one the front of the field goes first, then the end of the message. */
static result warning_text(const struct finding *finding, struct arena *arena, struct str *out, struct err *err)
{
    struct finding cut = *finding;
    GUARD(sentence(finding, false, arena, out, err));
    if (out->len <= WARNING_MAX)
        return DONE;
    size_t room = WARNING_MAX - (out->len - finding->field.len - finding->message.len);
    size_t for_field = finding->message.len + FIELD_MIN < room ? room - finding->message.len : FIELD_MIN;
    GUARD(shortened_field(finding->field, for_field, arena, &cut.field, err));
    GUARD(shortened(finding->message, room - cut.field.len, arena, &cut.message, err));
    return sentence(&cut, false, arena, out, err);
}

static result put_warnings(struct buf *json, const struct findings *findings, struct arena *arena, struct err *err)
{
    struct str text = { 0 };
    const char *separator = "";
    if (findings_with(findings, ACTION_WARN) == 0)
        return DONE;
    buf_put(json, STR(",\"warnings\":["));
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->items[i].action != ACTION_WARN)
            continue;
        GUARD(warning_text(&findings->items[i], arena, &text, err));
        buf_print(json, "%s", separator);
        buf_put_json_string(json, text);
        separator = ",";
        if (findings->items[i].remedy.len == 0 || findings->items[i].remedy.len > WARNING_MAX)
            continue;
        buf_put_char(json, ',');
        buf_put_json_string(json, findings->items[i].remedy);
    }
    buf_put_char(json, ']');
    return DONE;
}

static result findings_text(const struct findings *findings, struct arena *arena, struct str *out, struct err *err)
{
    struct buf text = buf_in(arena);
    for (size_t i = 0; i < findings->count; i++)
        buf_print(&text, "%s%.*s=%s", i ? "," : "", STR_ARGS(check_row(findings->items[i].check)->id),
                  action_name(findings->items[i].action));
    return buf_finish(&text, out, err);
}

static result put_audit(struct buf *json, const struct decision *decision, struct str groups, struct arena *arena,
                        struct err *err)
{
    struct str policies = { 0 }, findings = { 0 };
    bool first = true;
    GUARD(join(&decision->policies, arena, &policies, err));
    GUARD(findings_text(&decision->findings, arena, &findings, err));
    if (!groups.len && !policies.len && !findings.len)
        return DONE;
    buf_put(json, STR(",\"auditAnnotations\":{"));
    if (groups.len)
        put_member(json, STR("security-groups"), groups, &first);
    if (policies.len)
        put_member(json, STR("policies"), policies, &first);
    if (findings.len)
        put_member(json, STR("findings"), findings, &first);
    buf_put_char(json, '}');
    return DONE;
}

static void put_patch(struct buf *json, struct str patch)
{
    buf_put(json, STR(",\"patchType\":\"JSONPatch\",\"patch\":\""));
    buf_put_base64(json, patch);
    buf_put_char(json, '"');
}

static result put_response(struct buf *json, const struct review *review, const struct decision *decision,
                           struct arena *arena, struct answer *out, struct err *err)
{
    buf_put(json, STR("{\"kind\":\"AdmissionReview\",\"apiVersion\":"));
    buf_put_json_string(json, review->api_version);
    buf_put(json, STR(",\"response\":{\"uid\":"));
    buf_put_json_string(json, review->request->uid);
    buf_print(json, ",\"allowed\":%s", out->allowed ? "true" : "false");
    if (!out->allowed)
        GUARD(put_status(json, review, decision, out->reason, arena, err));
    if (out->patched)
        put_patch(json, decision->patch);
    GUARD(put_warnings(json, &decision->findings, arena, err));
    GUARD(put_audit(json, decision, out->groups, arena, err));
    buf_put(json, STR("}}"));
    return DONE;
}

result review_encode(const struct review *review, const struct decision *decision, struct arena *arena,
                     struct answer *out, struct err *err)
{
    const struct request *request = review->request;
    struct buf json = buf_in(arena);
    *out = (struct answer){
        .uid = request->uid,
        .kind = request->kind.kind,
        .namespace = request->namespace,
        .name = request->name,
        .user = request->user,
        .operation = review->operation,
        .dry_run = request->dry_run,
        .allowed = !decision->bad_object && !first_denial(&decision->findings),
        .findings = decision->findings,
    };
    out->patched = out->allowed && decision->patch.len > 0;
    GUARD(join(&decision->groups, arena, &out->groups, err));
    if (decision->bad_object)
        GUARD(arena_copy(arena, str_of(decision->bad_object), &out->reason, err));
    else if (!out->allowed)
        GUARD(refusal(&decision->findings, arena, &out->reason, err));
    GUARD(put_response(&json, review, decision, arena, out, err));
    return buf_finish(&json, &out->body, err);
}

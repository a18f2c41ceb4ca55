/* Where the two could differ, and what holds there:
 *
 * Duplicate members. Jansson with JSON_REJECT_DUPLICATES refuses them anywhere; review_decode refuses those it reads
 * (members that a shape names, and keys of maps) and passes over the rest, as the API server has dropped duplicates
 * before it calls. Jansson's tree shows neither, so members are walked in the text: a duplicate of what a shape
 * describes is refused here too, exactly; any other is not looked for. Where one was refused, Jansson must refuse too.
 * NUL in a name. Jansson cannot hold one and refuses it; RFC 8259 allows it, and so does review_decode. For the syntax,
 * Jansson gets a copy in which \u0000 is \u0001; strings are decoded from the body itself, where names, read as values,
 * may hold a NUL.
 * NUL as a byte. No JSON has one. Jansson's buffer takes it for its own end when it stands right behind a number or a
 * word, and passes over it: [1<NUL>] is a list to it. So a body with a NUL is refused without asking it.
 * Text of numbers. Jansson keeps an integer or a double; a quantity keeps its text. It is taken from the text here.
 * Order of errors. Jansson reads all of the text before a shape is looked at; review_decode stops at whichever comes
 * first, so that only the kind of a refusal is compared, not its place. A refused object ends no reading of the rest.
 *
 * Depth (2048), ranges of numbers (64 bits, a finite double), escapes, surrogates and UTF-8 have no exception: what
 * Jansson says holds. */
#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

#include "tests/fuzz/reference.h"

#include "admission/pod.h"
#include "admission/workload.h"

/* The envelope, in our own words: review.c keeps its shapes to itself. */
enum { REQUEST_FIELDS = 10, REVIEW_FIELDS = 3, SHAPE_FIELDS_MAX = 64 };

static const struct field kind_fields[] = {
    { STR_INIT("kind"), FIELD_STRING, offsetof(struct group_kind, kind), NULL, 0 },
    { STR_INIT("group"), FIELD_STRING, offsetof(struct group_kind, group), NULL, 0 },
};
static const struct shape kind_shape = SHAPE_INIT(kind_fields, struct group_kind);
static const struct field user_fields[] = { { STR_INIT("username"), FIELD_STRING, 0, NULL, 0 } };
static const struct shape user_shape = SHAPE_INIT(user_fields, struct str);

static const struct field request_fields[REQUEST_FIELDS - 2] = {
    { STR_INIT("uid"), FIELD_STRING, offsetof(struct request, uid), NULL, 0 },
    { STR_INIT("kind"), FIELD_OBJECT, offsetof(struct request, kind), &kind_shape, 0 },
    { STR_INIT("subResource"), FIELD_STRING, offsetof(struct request, sub_resource), NULL, 0 },
    { STR_INIT("name"), FIELD_STRING, offsetof(struct request, name), NULL, 0 },
    { STR_INIT("namespace"), FIELD_STRING, offsetof(struct request, namespace), NULL, 0 },
    { STR_INIT("operation"), FIELD_STRING, offsetof(struct request, operation_text), NULL, 0 },
    { STR_INIT("userInfo"), FIELD_OBJECT, offsetof(struct request, user), &user_shape, 0 },
    { STR_INIT("dryRun"), FIELD_BOOL, offsetof(struct request, dry_run), NULL, 0 },
};

static const struct shape *const object_shapes[] = {
    [OBJECT_POD] = &pod_shape,
    [OBJECT_POLICY] = &policy_object_shape,
    [OBJECT_WORKLOAD] = &workload_shape,
    [OBJECT_RAW] = NULL,
};

struct envelope {
    struct field request_fields[REQUEST_FIELDS];
    struct shape request;
    struct field review_fields[REVIEW_FIELDS];
    struct shape review;
};

static void envelope_describe(enum object_type type, struct envelope *out)
{
    const struct shape *shape = object_shapes[type];
    enum field_type field = shape ? FIELD_POINTER : FIELD_RAW;
    size_t new_object = shape ? offsetof(struct request, object) : offsetof(struct request, raw);
    size_t old_object = shape ? offsetof(struct request, old_object) : offsetof(struct request, old_raw);
    const struct field objects[] = {
        { STR_INIT("object"), field, new_object, shape, 1 },
        { STR_INIT("oldObject"), field, old_object, shape, 2 },
    };
    const struct field review_fields[] = {
        { STR_INIT("apiVersion"), FIELD_STRING, offsetof(struct review, api_version), NULL, 0 },
        { STR_INIT("kind"), FIELD_STRING, offsetof(struct review, kind), NULL, 0 },
        { STR_INIT("request"), FIELD_POINTER, offsetof(struct review, request), &out->request, 0 },
    };
    memcpy(out->request_fields, objects, sizeof objects);
    memcpy(out->request_fields + 2, request_fields, sizeof request_fields);
    memcpy(out->review_fields, review_fields, sizeof review_fields);
    out->request =
        (struct shape){ .fields = out->request_fields, .field_count = REQUEST_FIELDS, .size = sizeof(struct request) };
    out->review =
        (struct shape){ .fields = out->review_fields, .field_count = REVIEW_FIELDS, .size = sizeof(struct review) };
}

/* Whether `body` is JSON for Jansson, with or without duplicates as `flags` say. */
static bool jansson_accepts(struct str body, size_t flags)
{
    static const struct str nul = STR_INIT("\\u0000");
    if (memchr(body.ptr, '\0', body.len))
        return false;
    char *copy = malloc(body.len + 1);
    assert(copy);
    memcpy(copy, body.ptr, body.len);
    for (char *at = copy; (at = memmem(at, body.len - (size_t)(at - copy), nul.ptr, nul.len));)
        at[nul.len - 1] = '1';
    json_t *json = json_loadb(copy, body.len, flags, NULL);
    free(copy);
    json_decref(json);
    return json != NULL;
}

/* What is left of a text that Jansson has accepted: it needs no second check, only to be taken apart. */
struct cursor {
    const char *at;
    const char *end;
};

static void pass(struct cursor *cursor, const char *these)
{
    while (cursor->at < cursor->end && strchr(these, *cursor->at))
        cursor->at++;
}

static void pass_string(struct cursor *cursor)
{
    for (cursor->at++; *cursor->at != '"'; cursor->at++)
        cursor->at += *cursor->at == '\\';
    cursor->at++;
}

/* The next value, without the space and the comma or colon before it. */
static struct str next_value(struct cursor *cursor)
{
    pass(cursor, " \t\r\n,:");
    const char *start = cursor->at;
    size_t depth = 0;
    while (cursor->at < cursor->end && (depth > 0 || !strchr(" \t\r\n,:]}", *cursor->at))) {
        if (*cursor->at == '"') {
            pass_string(cursor);
            continue;
        }
        depth += *cursor->at == '{' || *cursor->at == '[';
        depth -= *cursor->at == '}' || *cursor->at == ']';
        cursor->at++;
    }
    return (struct str){ start, (size_t)(cursor->at - start) };
}

/* Between the brackets of an object or a list. */
static struct cursor members_of(struct str value)
{
    return (struct cursor){ value.ptr + 1, value.ptr + value.len - 1 };
}

static bool next_element(struct cursor *cursor, struct str *value)
{
    *value = next_value(cursor);
    return value->len > 0;
}

static bool next_member(struct cursor *cursor, struct str *name, struct str *value)
{
    return next_element(cursor, name) && next_element(cursor, value);
}

static json_t *scalar(struct str text)
{
    json_t *json = json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert(json);
    return json;
}

static result read_string(struct str text, struct arena *arena, struct str *out, struct err *err)
{
    json_t *json = scalar(text);
    struct outcome copied =
        arena_copy(arena, (struct str){ json_string_value(json), json_string_length(json) }, out, err);
    json_decref(json);
    return copied;
}

static result read_integer(struct str text, struct integer *out, struct err *err)
{
    json_t *json = scalar(text);
    bool whole = json_is_integer(json);
    *out = (struct integer){ json_integer_value(json), true };
    json_decref(json);
    ENSURE(whole, err, ERR_INPUT, "%.*s is no integer", STR_ARGS(text));
    return DONE;
}

struct reading {
    struct str body;
    struct arena *arena;
    struct err *object_err; /* array: takes what is wrong within the objects */
};

static result refuse_twice(const struct reading *reading, struct str name, struct err *err)
{
    assert(!jansson_accepts(reading->body, JSON_REJECT_DUPLICATES));
    return err_set(err, ERR_INPUT, "%.*s occurs twice", STR_ARGS(name));
}

static result read_value(struct reading *reading, const struct field *field, struct str text, void *out,
                         struct err *err);

static bool starts_with_one_of(struct str text, const char *these)
{
    return strchr(these, *text.ptr) != NULL;
}

/* null is the empty string here. */
static result read_map_value(struct reading *reading, bool numbers, struct str text, struct str *out, struct err *err)
{
    static const struct field string = { .type = FIELD_STRING };
    *out = starts_with_one_of(text, "n") ? STR("") : text;
    if (numbers && starts_with_one_of(text, "-0123456789"))
        return DONE;
    return read_value(reading, &string, text, out, err);
}

static bool map_has(const struct str_map *map, struct str key)
{
    for (size_t i = 0; i < map->count; i++)
        if (str_equal(map->items[i].key, key))
            return true;
    return false;
}

static size_t count_elements(struct str value)
{
    struct cursor elements = members_of(value);
    size_t count = 0;
    while (next_value(&elements).len > 0)
        count++;
    return count;
}

static result read_map(struct reading *reading, bool numbers, struct str text, struct str_map *map, struct err *err)
{
    struct cursor members = members_of(text);
    struct str name, value, key;
    map->present = true;
    GUARD(arena_take_array(reading->arena, count_elements(text) / 2, sizeof *map->items, &map->items, err));
    while (next_member(&members, &name, &value)) {
        GUARD(read_string(name, reading->arena, &key, err));
        if (map_has(map, key))
            return refuse_twice(reading, key, err);
        map->items[map->count].key = key;
        GUARD(read_map_value(reading, numbers, value, &map->items[map->count++].value, err));
    }
    return DONE;
}

static result read_strings(struct reading *reading, struct str text, struct str_list *list, struct err *err)
{
    struct cursor elements = members_of(text);
    struct str value;
    GUARD(arena_take_array(reading->arena, count_elements(text), sizeof *list->items, &list->items, err));
    while (next_element(&elements, &value))
        GUARD(read_map_value(reading, false, value, &list->items[list->count++], err));
    return DONE;
}

static result read_list(struct reading *reading, const struct shape *shape, struct str text, struct list *list,
                        struct err *err)
{
    struct field element = { .type = FIELD_OBJECT, .shape = shape };
    struct cursor elements = members_of(text);
    struct str value;
    GUARD(arena_take_array(reading->arena, count_elements(text), shape->size, &list->items, err));
    while (next_element(&elements, &value))
        GUARD(read_value(reading, &element, value, (char *)list->items + list->count++ * shape->size, err));
    return DONE;
}

/* What is wrong within an object is kept, and the rest is read all the same. */
static result read_member(struct reading *reading, const struct field *field, bool twice, struct str text, void *out,
                          struct err *err)
{
    struct err *target = field->aside ? &reading->object_err[field->aside - 1] : err;
    struct outcome read = twice ? refuse_twice(reading, field->name, target)
                                : read_value(reading, field, text, (char *)out + field->offset, target);
    return field->aside ? DONE : read;
}

static result read_struct(struct reading *reading, const struct shape *shape, struct str text, void *out,
                          struct err *err)
{
    bool seen[SHAPE_FIELDS_MAX] = { false };
    struct cursor members = members_of(text);
    struct str name, value, key;
    while (next_member(&members, &name, &value)) {
        GUARD(read_string(name, reading->arena, &key, err));
        for (size_t i = 0; i < shape->field_count; i++) {
            if (!str_equal(shape->fields[i].name, key))
                continue;
            GUARD(read_member(reading, &shape->fields[i], seen[i], value, out, err));
            seen[i] = true;
        }
    }
    return DONE;
}

static result read_pointer(struct reading *reading, const struct shape *shape, struct str text, void **out,
                           struct err *err)
{
    GUARD(arena_take(reading->arena, shape->size, out, err));
    return read_struct(reading, shape, text, *out, err);
}

static result read_value(struct reading *reading, const struct field *field, struct str text, void *out,
                         struct err *err)
{
    static const char *const starts[] = {
        [FIELD_STRING] = "\"", [FIELD_BOOL] = "tf",   [FIELD_INTEGER] = "-0123456789",
        [FIELD_STRINGS] = "[", [FIELD_MAP] = "{",     [FIELD_QUANTITIES] = "{",
        [FIELD_OBJECT] = "{",  [FIELD_POINTER] = "{", [FIELD_LIST] = "[",
        [FIELD_RAW] = "{",
    };
    if (starts_with_one_of(text, "n"))
        return DONE;
    ENSURE(starts_with_one_of(text, starts[field->type]), err, ERR_INPUT, "%.*s of the wrong type", STR_ARGS(text));
    switch (field->type) {
    case FIELD_STRING: return read_string(text, reading->arena, out, err);
    case FIELD_BOOL: *(bool *)out = starts_with_one_of(text, "t"); return DONE;
    case FIELD_INTEGER: return read_integer(text, out, err);
    case FIELD_STRINGS: return read_strings(reading, text, out, err);
    case FIELD_MAP: return read_map(reading, false, text, out, err);
    case FIELD_QUANTITIES: return read_map(reading, true, text, out, err);
    case FIELD_OBJECT: return read_struct(reading, field->shape, text, out, err);
    case FIELD_POINTER: return read_pointer(reading, field->shape, text, out, err);
    case FIELD_LIST: return read_list(reading, field->shape, text, out, err);
    case FIELD_RAW: *(struct str *)out = text; return DONE;
    }
    return FAILED;
}

static result check_envelope(struct review *review, struct err *err)
{
    static const struct str operations[OPERATION_COUNT] = {
        [OPERATION_CREATE] = STR_INIT("CREATE"),
        [OPERATION_UPDATE] = STR_INIT("UPDATE"),
        [OPERATION_DELETE] = STR_INIT("DELETE"),
        [OPERATION_CONNECT] = STR_INIT("CONNECT"),
    };
    bool versioned =
        str_is(review->api_version, "admission.k8s.io/v1") || str_is(review->api_version, "admission.k8s.io/v1beta1");
    ENSURE(versioned && str_is(review->kind, "AdmissionReview"), err, ERR_INPUT, "no AdmissionReview");
    ENSURE(review->request && review->request->uid.len && review->request->kind.kind.len, err, ERR_INPUT,
           "without request, uid or kind");
    for (size_t i = 0; i < OPERATION_COUNT; i++) {
        review->operation = (enum operation)i;
        if (str_equal(operations[i], review->request->operation_text))
            return DONE;
    }
    return err_set(err, ERR_INPUT, "no such operation");
}

result reference_decode(struct str body, enum object_type type, struct arena *arena, struct review *out,
                        struct err *err)
{
    struct envelope envelope;
    struct reading reading = { body, arena, out->object_err };
    struct cursor cursor = { body.ptr, body.ptr + body.len };
    *out = (struct review){ 0 };
    ENSURE(jansson_accepts(body, 0), err, ERR_INPUT, "no JSON");
    struct str root = next_value(&cursor);
    ENSURE(starts_with_one_of(root, "{"), err, ERR_INPUT, "no object");
    envelope_describe(type, &envelope);
    GUARD(read_struct(&reading, &envelope.review, root, out, err));
    return check_envelope(out, err);
}

static bool structs_equal(const struct shape *shape, const struct err *object_err, const void *a, const void *b);

static bool strings_equal(struct str a, struct str b)
{
    return str_equal(a, b) && !a.ptr == !b.ptr;
}

static bool string_lists_equal(const struct str_list *a, const struct str_list *b)
{
    bool equal = a->count == b->count;
    for (size_t i = 0; equal && i < a->count; i++)
        equal = strings_equal(a->items[i], b->items[i]);
    return equal;
}

static bool map_is_sorted(const struct str_map *map)
{
    for (size_t i = 1; i < map->count; i++)
        if (str_compare(map->items[i - 1].key, map->items[i].key) >= 0)
            return false;
    return true;
}

/* No key occurs twice in either, so that as many pairs, all found, are the same map. */
static bool maps_equal(const struct str_map *sorted, const struct str_map *map)
{
    bool equal = map_is_sorted(sorted) && sorted->count == map->count && sorted->present == map->present;
    for (size_t i = 0; equal && i < map->count; i++) {
        const struct str *value = labels_get(sorted, map->items[i].key);
        equal = value && strings_equal(*value, map->items[i].value);
    }
    return equal;
}

static bool integers_equal(const struct integer *a, const struct integer *b)
{
    return a->present == b->present && a->value == b->value;
}

static bool pointers_equal(const struct shape *shape, const struct err *object_err, const void *const *a,
                           const void *const *b)
{
    return *a && *b ? structs_equal(shape, object_err, *a, *b) : *a == *b;
}

static bool lists_equal(const struct shape *shape, const struct err *object_err, const struct list *a,
                        const struct list *b)
{
    const char *a_items = a->items, *b_items = b->items;
    bool equal = a->count == b->count;
    for (size_t i = 0; equal && i < a->count; i++)
        equal = structs_equal(shape, object_err, a_items + i * shape->size, b_items + i * shape->size);
    return equal;
}

static bool raw_equal(const struct str *a, const struct str *b)
{
    return a->ptr == b->ptr && a->len == b->len;
}

static bool fields_equal(const struct field *field, const struct err *object_err, const void *a, const void *b)
{
    switch (field->type) {
    case FIELD_STRING: return strings_equal(*(const struct str *)a, *(const struct str *)b);
    case FIELD_BOOL: return *(const bool *)a == *(const bool *)b;
    case FIELD_INTEGER: return integers_equal(a, b);
    case FIELD_STRINGS: return string_lists_equal(a, b);
    case FIELD_MAP:
    case FIELD_QUANTITIES: return maps_equal(a, b);
    case FIELD_OBJECT: return structs_equal(field->shape, object_err, a, b);
    case FIELD_POINTER: return pointers_equal(field->shape, object_err, a, b);
    case FIELD_LIST: return lists_equal(field->shape, object_err, a, b);
    case FIELD_RAW: return raw_equal(a, b);
    }
    return false;
}

static bool structs_equal(const struct shape *shape, const struct err *object_err, const void *a, const void *b)
{
    for (size_t i = 0; i < shape->field_count; i++) {
        const struct field *field = &shape->fields[i];
        if (field->aside && object_err[field->aside - 1].kind)
            continue;
        if (!fields_equal(field, object_err, (const char *)a + field->offset, (const char *)b + field->offset))
            return false;
    }
    return true;
}

bool reference_equal(const struct review *read, const struct review *reference, enum object_type type)
{
    struct envelope envelope;
    envelope_describe(type, &envelope);
    bool equal = read->operation == reference->operation;
    for (size_t i = 0; i < sizeof read->object_err / sizeof read->object_err[0]; i++)
        equal = equal && read->object_err[i].kind == reference->object_err[i].kind;
    return equal && structs_equal(&envelope.review, read->object_err, read, reference);
}

#include "admission/node_diff.h"

#include "base/buf.h"
#include "base/json.h"

#include <assert.h>
#include <stdlib.h>

/* Each level reads what is in it again, so what is nested deeper than any node is a difference as a whole. */
enum { DEPTH_MAX = 16, DIFFERENCES_MAX = 64 };

static result compare(struct node_diff *diff, struct str path, struct str a, struct str b, struct err *err);

static result add_difference(struct node_diff *diff, struct str path)
{
    if (diff->count < sizeof diff->first / sizeof diff->first[0])
        diff->first[diff->count] = path;
    diff->count++;
    return DONE;
}

static int member_order(const void *a, const void *b)
{
    return str_compare(((const struct json_member *)a)->key, ((const struct json_member *)b)->key);
}

/* The members by name; an absent or null value has none. */
static result sorted_members(struct node_diff *diff, struct str value, struct json_members *out, struct err *err)
{
    *out = (struct json_members){ 0 };
    if (!value.ptr || json_type_of(value) == JSON_NULL)
        return DONE;
    GUARD(json_members(value, diff->arena, out, err));
    if (out->count)
        qsort(out->items, out->count, sizeof *out->items, member_order);
    return DONE;
}

/* Equal to the letter, as nearly all of a node is: no path is made and nothing within is looked at. */
static bool is_same(struct str a, struct str b)
{
    return a.ptr && b.ptr && str_equal(a, b);
}

/* Dots separate fields; keys of labels and the like, which have dots themselves, stand in brackets. */
static result member_path(struct node_diff *diff, struct str parent, struct str key, struct str *out, struct err *err)
{
    bool brackets = memchr(key.ptr, '.', key.len) || memchr(key.ptr, '/', key.len) ||
                    str_ends_with(parent, STR(".labels")) || str_ends_with(parent, STR(".annotations"));
    struct buf path = buf_in(diff->arena); /* not printed: a NUL in a key must not make it another key's path */
    buf_put(&path, parent);
    if (brackets || parent.len)
        buf_put_char(&path, brackets ? '[' : '.');
    buf_put(&path, key);
    if (brackets)
        buf_put_char(&path, ']');
    return buf_finish(&path, out, err);
}

static result compare_member(struct node_diff *diff, struct str parent, struct str key, struct str a, struct str b,
                             struct err *err)
{
    struct str path = { 0 };
    if (is_same(a, b))
        return DONE;
    GUARD(member_path(diff, parent, key, &path, err));
    return compare(diff, path, a, b, err);
}

/* Merges the two sorted lists of members. */
static result compare_objects(struct node_diff *diff, struct str path, struct str a, struct str b, struct err *err)
{
    struct json_members in_a = { 0 }, in_b = { 0 };
    const struct str absent = { 0 };
    GUARD(sorted_members(diff, a, &in_a, err));
    GUARD(sorted_members(diff, b, &in_b, err));
    size_t i = 0, j = 0;
    while (i < in_a.count || j < in_b.count) {
        const struct json_member *x = i < in_a.count ? &in_a.items[i] : NULL;
        const struct json_member *y = j < in_b.count ? &in_b.items[j] : NULL;
        bool in_x = x && (!y || str_compare(x->key, y->key) <= 0), in_y = y && (!x || str_compare(x->key, y->key) >= 0);
        assert(in_x || in_y);
        GUARD(compare_member(diff, path, in_x ? x->key : y->key, in_x ? x->value : absent, in_y ? y->value : absent,
                             err));
        i += in_x;
        j += in_y;
    }
    return DONE;
}

static result element_path(struct node_diff *diff, struct str parent, size_t index, struct str *out, struct err *err)
{
    struct buf path = buf_in(diff->arena);
    buf_put(&path, parent);
    buf_print(&path, "[%zu]", index);
    return buf_finish(&path, out, err);
}

/* Lists are compared in order; one that grew or shrank differs as a whole. */
static result compare_lists(struct node_diff *diff, struct str path, struct str a, struct str b, struct err *err)
{
    struct json_members in_a = { 0 }, in_b = { 0 };
    struct str element = { 0 };
    if (a.ptr && json_type_of(a) != JSON_NULL)
        GUARD(json_members(a, diff->arena, &in_a, err));
    if (b.ptr && json_type_of(b) != JSON_NULL)
        GUARD(json_members(b, diff->arena, &in_b, err));
    if (in_a.count != in_b.count)
        return add_difference(diff, path);
    for (size_t i = 0; i < in_a.count; i++) {
        if (is_same(in_a.items[i].value, in_b.items[i].value))
            continue;
        GUARD(element_path(diff, path, i, &element, err));
        GUARD(compare(diff, element, in_a.items[i].value, in_b.items[i].value, err));
    }
    return DONE;
}

static result compare_strings(struct node_diff *diff, struct str path, struct str a, struct str b, struct err *err)
{
    struct str text_a = { 0 }, text_b = { 0 };
    GUARD(json_unescape(a, diff->arena, &text_a, err));
    GUARD(json_unescape(b, diff->arena, &text_b, err));
    return str_equal(text_a, text_b) ? DONE : add_difference(diff, path);
}

/* R57 (product design, what EKS's own webhook gets wrong): what is absent is as null, and as an empty map or list. */
static enum json_type type_of(struct str value)
{
    return value.ptr ? json_type_of(value) : JSON_NULL;
}

typedef result (*compare_fn)(struct node_diff *diff, struct str path, struct str a, struct str b, struct err *err);

static result within(struct node_diff *diff, struct str path, struct str a, struct str b, compare_fn compare_kind,
                     struct err *err)
{
    diff->depth++;
    GUARD(compare_kind(diff, path, a, b, err));
    diff->depth--;
    return DONE;
}

static result compare(struct node_diff *diff, struct str path, struct str a, struct str b, struct err *err)
{
    enum json_type type_a = type_of(a), type_b = type_of(b);
    enum json_type either = type_a == JSON_NULL ? type_b : type_a;
    if (diff->count >= DIFFERENCES_MAX || diff->may_differ(diff->ctx, path) || is_same(a, b))
        return DONE;
    if (diff->depth >= DEPTH_MAX || (type_a != type_b && type_a != JSON_NULL && type_b != JSON_NULL))
        return add_difference(diff, path);
    switch (either) {
    case JSON_OBJECT: return within(diff, path, a, b, compare_objects, err);
    case JSON_ARRAY: return within(diff, path, a, b, compare_lists, err);
    case JSON_STRING: return type_a == type_b ? compare_strings(diff, path, a, b, err) : add_difference(diff, path);
    case JSON_NULL: return DONE;
    case JSON_FALSE:
    case JSON_TRUE:
    case JSON_NUMBER: return add_difference(diff, path); /* their texts differ */
    }
    return DONE;
}

result node_compare(struct node_diff *diff, struct str old_value, struct str new_value, struct err *err)
{
    return compare(diff, STR(""), old_value, new_value, err);
}

/* POST /validate-v1-node: what aws-node may change of a node. */
#include "admission/decide.h"
#include "admission/node_diff.h"
#include "base/buf.h"

#define AWS_NODE_USER "system:serviceaccount:kube-system:aws-node"

/* R46 (product design, facts: where annotations can be written): nodes/status is a way to the labels too. */
bool concerns_node(const struct review *review)
{
    return str_is(review->request->kind.kind, "Node") && review->request->kind.group.len == 0 &&
           review->operation == OPERATION_UPDATE && str_is(review->request->user, AWS_NODE_USER);
}

/* The field itself or one within it; a setting that ends within a key, as in metadata.labels[example.com/, is a prefix.
 */
static bool is_at_or_below(struct str path, struct str setting)
{
    if (!str_starts_with(path, setting))
        return false;
    return path.len == setting.len || memchr(".[", path.ptr[setting.len], 2) ||
           (setting.len && memchr(".[/", setting.ptr[setting.len - 1], 3));
}

/* R32 (product design, facts: what aws-node may change): its two labels; what the API server keeps is not compared. */
static bool may_differ(const void *ctx, struct str path)
{
    static const struct str always[] = {
        STR_INIT("metadata.labels[vpc.amazonaws.com/has-trunk-attached]"),
        STR_INIT("metadata.labels[vpc.amazonaws.com/eniConfig]"),
        STR_INIT("metadata.managedFields"),
        STR_INIT("metadata.selfLink"),
    };
    const struct str_list fixed = { (struct str *)always, sizeof always / sizeof always[0] };
    const struct str_list *configured = ctx;
    for (size_t i = 0; i < configured->count; i++)
        if (is_at_or_below(path, configured->items[i]))
            return true;
    return str_list_has(&fixed, path);
}

static result name_fields(const struct node_diff *diff, struct str *out, struct err *err)
{
    struct buf text = buf_in(diff->arena);
    size_t named = diff->count < 3 ? diff->count : 3;
    for (size_t i = 0; i < named; i++)
        buf_print(&text, "%s%.*s", i ? ", " : "", STR_ARGS(diff->first[i]));
    if (diff->count > named)
        buf_print(&text, " and %zu more", diff->count - named);
    return buf_finish(&text, out, err);
}

result decide_node(const struct decide_context *context, const struct review *review, struct decision *out,
                   struct err *err)
{
    const struct request *request = review->request;
    struct node_diff diff = { .arena = context->arena, .may_differ = may_differ, .ctx = &context->rules->node_fields };
    struct finding finding = { .check = CHECK_NODE_AWS_NODE };
    struct str fields = { 0 };
    if (!request->raw.ptr || !request->old_raw.ptr)
        return DONE;
    GUARD(node_compare(&diff, request->old_raw, request->raw, err));
    if (diff.count == 0)
        return DONE;
    finding.action = rules_action(context->rules, finding.check, context->view->mode);
    finding.field = diff.first[0];
    GUARD(name_fields(&diff, &fields, err));
    GUARD(arena_print(context->arena, &finding.message, err,
                      "aws-node may change only its two labels of a node, it changes %.*s", STR_ARGS(fields)));
    return findings_append(&out->findings, &finding, err);
}

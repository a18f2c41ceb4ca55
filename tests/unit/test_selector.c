#include "policy/selector.h"

#include "base/buf.h"
#include "base/json.h"
#include "policy/objects.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/suites.h"

/* The podSelector of a policy, as the shapes read it. */
static const struct selector_spec *spec_of(struct arena *arena, const char *selector)
{
    struct str text = { 0 };
    struct policy_object *object = NULL;
    struct err err = { 0 };
    expect_done(arena_print(arena, &text, &err, "{'spec':{'podSelector':%s}}", selector), &err);
    struct json_input input = { .text = quoted(arena, text.ptr), .arena = arena };
    expect_done(arena_take(arena, sizeof *object, &object, &err), &err);
    expect_done(json_read(&input, &policy_object_shape, object, &err), &err);
    ck_assert_ptr_nonnull(object->spec.pod_selector);
    return object->spec.pod_selector;
}

static const struct selector *selector_of(struct arena *arena, const char *text)
{
    const struct selector *selector = NULL;
    struct err err = { 0 };
    expect_done(selector_build(spec_of(arena, text), arena, &selector, &err), &err);
    ck_assert_ptr_nonnull(selector);
    return selector;
}

static const struct str_map *labels_of(struct arena *arena, const char *labels)
{
    struct str text = { 0 };
    struct err err = { 0 };
    expect_done(arena_print(arena, &text, &err, "{'matchLabels':%s}", labels), &err);
    return &spec_of(arena, text.ptr)->match_labels;
}

static const struct {
    const char *name;
    bool known, takes_values;
} operators[] = {
    { "In", true, true },   { "NotIn", true, true }, { "Exists", true, false },  { "DoesNotExist", true, false },
    { "in", false, false }, { "IN", false, false },  { "Equals", false, false }, { "NotExists", false, false },
    { "Gt", false, false }, { "Lt", false, false },  { "", false, false },       { "In ", false, false },
};

START_TEST(knows_operators)
{
    bool takes_values = true;
    ck_assert_int_eq(selector_operator(str_of(operators[_i].name), &takes_values), operators[_i].known);
    ck_assert_int_eq(takes_values, operators[_i].takes_values);
}
END_TEST

#define ROLE(op, values) "{'matchExpressions':[{'key':'role','operator':'" op "','values':" values "}]}"

static const struct {
    const char *selector, *labels;
    bool matches;
} matching[] = {
    { "{}", "{}", true },
    { "{}", "{'a':'b'}", true },
    { "{'matchLabels':{},'matchExpressions':[]}", "{}", true },
    { "{'matchLabels':null,'matchExpressions':null}", "{'a':'b'}", true },
    { "{'matchLabels':{'role':'web'}}", "{'role':'web'}", true },
    { "{'matchLabels':{'role':'web'}}", "{'role':'web','x':'y'}", true },
    { "{'matchLabels':{'role':'web'}}", "{'role':'db'}", false },
    { "{'matchLabels':{'role':'web'}}", "{'role':'Web'}", false },
    { "{'matchLabels':{'role':'web'}}", "{'Role':'web'}", false },
    { "{'matchLabels':{'role':'web'}}", "{'role':'web2'}", false },
    { "{'matchLabels':{'role':'web'}}", "{}", false },
    { "{'matchLabels':{'role':''}}", "{'role':''}", true },
    { "{'matchLabels':{'role':''}}", "{}", false },
    { "{'matchLabels':{'role':null}}", "{'role':''}", true },
    { "{'matchLabels':{'a':'1','b':'2'}}", "{'a':'1','b':'2'}", true },
    { "{'matchLabels':{'a':'1','b':'2'}}", "{'a':'1'}", false },
    { "{'matchLabels':{'b':'2','a':'1'}}", "{'b':'2','a':'1'}", true },
    { ROLE("In", "['web','db']"), "{'role':'db'}", true },
    { ROLE("In", "['web','db']"), "{'role':'x'}", false },
    { ROLE("In", "['web','db']"), "{}", false },
    { ROLE("In", "['']"), "{'role':''}", true },
    { ROLE("In", "['web','web']"), "{'role':'web'}", true },
    { ROLE("NotIn", "['web','db']"), "{'role':'x'}", true },
    { ROLE("NotIn", "['web','db']"), "{'role':'web'}", false },
    { ROLE("NotIn", "['web','db']"), "{}", true },
    { ROLE("NotIn", "['web','db']"), "{'other':'web'}", true },
    { ROLE("NotIn", "['']"), "{'role':''}", false },
    { ROLE("NotIn", "['']"), "{}", true },
    { ROLE("Exists", "[]"), "{'role':''}", true },
    { ROLE("Exists", "null"), "{'role':'x'}", true },
    { ROLE("Exists", "[]"), "{}", false },
    { ROLE("DoesNotExist", "[]"), "{}", true },
    { ROLE("DoesNotExist", "[]"), "{'role':''}", false },
    { "{'matchLabels':{'a':'1'},'matchExpressions':[{'key':'b','operator':'Exists'}]}", "{'a':'1','b':''}", true },
    { "{'matchLabels':{'a':'1'},'matchExpressions':[{'key':'b','operator':'Exists'}]}", "{'a':'1'}", false },
    { "{'matchLabels':{'a':'1'},'matchExpressions':[{'key':'b','operator':'Exists'}]}", "{'b':''}", false },
    { "{'matchExpressions':[{'key':'a','operator':'Exists'},{'key':'a','operator':'NotIn','values':['x']}]}",
      "{'a':'y'}", true },
    { "{'matchExpressions':[{'key':'a','operator':'Exists'},{'key':'a','operator':'NotIn','values':['x']}]}", "{}",
      false },
    { "{'matchExpressions':[{'key':'a','operator':'Exists'},{'key':'a','operator':'DoesNotExist'}]}", "{'a':''}",
      false },
    { "{'matchLabels':{'a':'1'},'matchExpressions':[{'key':'a','operator':'In','values':['2']}]}", "{'a':'1'}", false },
};

START_TEST(matches)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    const struct selector *selector = selector_of(&arena, matching[_i].selector);
    const struct str_map *labels = labels_of(&arena, matching[_i].labels);
    struct str unmet = { 0 };
    struct err err = { 0 };
    ck_assert(selector_valid(selector));
    ck_assert_int_eq(selector_matches(selector, labels), matching[_i].matches);
    expect_done(selector_unmet(selector, labels, &arena, &unmet, &err), &err);
    ck_assert_int_eq(unmet.ptr == NULL, matching[_i].matches);
}
END_TEST

static const struct {
    const char *selector;
    bool empty;
} emptiness[] = {
    { "{}", true },
    { "{'matchLabels':{},'matchExpressions':[]}", true },
    { "{'matchLabels':{'a':''}}", false },
    { "{'matchExpressions':[{'key':'a','operator':'Exists'}]}", false },
    { "{'matchExpressions':[{'key':'a','operator':'Nope'}]}", false }, /* invalid: selects nothing, not everything */
};

START_TEST(tells_emptiness)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    ck_assert_int_eq(selector_empty(selector_of(&arena, emptiness[_i].selector)), emptiness[_i].empty);
}
END_TEST

#define LONG64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define KEY_SYNTAX "use an optional DNS prefix and /, then at most 63 letters, digits, '-', '_' or '.'"
#define VALUE_SYNTAX "use at most 63 letters, digits, '-', '_' or '.', with a letter or digit at both ends"

/* All that is said, as "path: message", separated by newlines. */
static const struct {
    const char *selector, *said;
} diagnosed[] = {
    { "{}", "" },
    { "{'matchLabels':{'a.b/c':'d'}}", "" },
    { ROLE("In", "['web','']"), "" },
    { "{'matchLabels':{'':'a'}}", "matchLabels[]: is no label key; " KEY_SYNTAX "\n" },
    { "{'matchLabels':{'a b':'c'}}", "matchLabels[a b]: is no label key; " KEY_SYNTAX "\n" },
    { "{'matchLabels':{'a/b/c':'d'}}", "matchLabels[a/b/c]: is no label key; " KEY_SYNTAX "\n" },
    { "{'matchLabels':{'a':'b c'}}", "matchLabels[a]: 'b c' is no label value; " VALUE_SYNTAX "\n" },
    { "{'matchLabels':{'a':'" LONG64 "'}}", "matchLabels[a]: '" LONG64 "' is no label value; " VALUE_SYNTAX "\n" },
    { "{'matchLabels':{'-':'-'}}", "matchLabels[-]: is no label key; " KEY_SYNTAX "\n"
                                   "matchLabels[-]: '-' is no label value; " VALUE_SYNTAX "\n" },
    { "{'matchExpressions':[{}]}",
      "matchExpressions[0].key: '' is no label key; " KEY_SYNTAX "\n"
      "matchExpressions[0].operator: '' is no operator; use In, NotIn, Exists or DoesNotExist\n" },
    { "{'matchExpressions':[null]}",
      "matchExpressions[0].key: '' is no label key; " KEY_SYNTAX "\n"
      "matchExpressions[0].operator: '' is no operator; use In, NotIn, Exists or DoesNotExist\n" },
    { "{'matchExpressions':[{'key':'a','operator':'Exists'},{'key':'b','operator':'Equals','values':['c']}]}",
      "matchExpressions[1].operator: 'Equals' is no operator; use In, NotIn, Exists or DoesNotExist\n" },
    { ROLE("in", "['web']"),
      "matchExpressions[0].operator: 'in' is no operator; use In, NotIn, Exists or DoesNotExist\n" },
    { ROLE("In", "[]"), "matchExpressions[0].values: missing; In needs at least one value\n" },
    { ROLE("NotIn", "null"), "matchExpressions[0].values: missing; NotIn needs at least one value\n" },
    { ROLE("Exists", "['a']"), "matchExpressions[0].values: superfluous; Exists takes no values, remove them\n" },
    { ROLE("DoesNotExist", "['']"),
      "matchExpressions[0].values: superfluous; DoesNotExist takes no values, remove them\n" },
    { ROLE("In", "['a','b c','-']"), "matchExpressions[0].values[1]: 'b c' is no label value; " VALUE_SYNTAX "\n"
                                     "matchExpressions[0].values[2]: '-' is no label value; " VALUE_SYNTAX "\n" },
    { "{'matchExpressions':[{'key':'a b','operator':'In','values':[]}]}",
      "matchExpressions[0].key: 'a b' is no label key; " KEY_SYNTAX "\n"
      "matchExpressions[0].values: missing; In needs at least one value\n" },
    { "{'matchLabels':{'a b':''},'matchExpressions':[{'key':'c','operator':'Is'}]}",
      "matchLabels[a b]: is no label key; " KEY_SYNTAX "\n"
      "matchExpressions[0].operator: 'Is' is no operator; use In, NotIn, Exists or DoesNotExist\n" },
};

static result collect(void *ctx, struct str path, struct str message, struct err *err)
{
    (void)err;
    buf_print(ctx, "%.*s: %.*s\n", STR_ARGS(path), STR_ARGS(message));
    return DONE;
}

START_TEST(diagnoses)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    const struct selector_spec *spec = spec_of(&arena, diagnosed[_i].selector);
    const struct str_map *web = labels_of(&arena, "{'role':'web','a':'b'}");
    struct buf said = buf_in(&arena);
    const struct selector_reporter reporter = { collect, &said };
    struct str text = { 0 };
    struct err err = { 0 };
    expect_done(selector_diagnose(spec, &arena, &reporter, &err), &err);
    expect_done(buf_finish(&said, &text, &err), &err);
    expect_text(text, diagnosed[_i].said);
    const struct selector *selector = selector_of(&arena, diagnosed[_i].selector);
    ck_assert_int_eq(selector_valid(selector), text.len == 0);
    ck_assert(text.len == 0 || !selector_matches(selector, web)); /* an invalid selector matches nothing */
}
END_TEST

static result refuse(void *ctx, struct str path, struct str message, struct err *err)
{
    (void)path;
    (void)message;
    ++*(size_t *)ctx;
    return err_set(err, ERR_UNAVAILABLE, "enough");
}

START_TEST(diagnosis_stops_with_its_reporter)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    size_t calls = 0;
    const struct selector_reporter reporter = { refuse, &calls };
    struct err err = { 0 };
    const struct selector_spec *spec = spec_of(&arena, "{'matchExpressions':[{},{}]}");
    ck_assert(!selector_diagnose(spec, &arena, &reporter, &err).ok);
    ck_assert_int_eq(err.kind, ERR_UNAVAILABLE);
    ck_assert_uint_eq(calls, 1);
}
END_TEST

static const struct {
    const char *selector, *text;
} texts[] = {
    { "{}", "everything" },
    { "{'matchLabels':{'role':'web'}}", "role=web" },
    { "{'matchLabels':{'role':''}}", "role=" },
    { "{'matchLabels':{'b':'2','a':'1'}}", "a=1,b=2" },
    { ROLE("In", "['a']"), "role=a" },
    { ROLE("In", "['a','b']"), "role in (a, b)" },
    { ROLE("NotIn", "['a']"), "role notin (a)" },
    { ROLE("NotIn", "['a','b']"), "role notin (a, b)" },
    { ROLE("Exists", "[]"), "role" },
    { ROLE("DoesNotExist", "[]"), "!role" },
    { "{'matchLabels':{'a':'1'},'matchExpressions':[{'key':'x','operator':'DoesNotExist'}]}", "a=1,!x" },
    { ROLE("Nope", "[]"), "invalid" },
};

START_TEST(in_words)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct str text = { 0 };
    struct err err = { 0 };
    expect_done(selector_text(selector_of(&arena, texts[_i].selector), &arena, &text, &err), &err);
    expect_text(text, texts[_i].text);
}
END_TEST

static const struct {
    const char *selector, *labels, *unmet;
} unmets[] = {
    { "{'matchLabels':{'a':'1','b':'2'}}", "{'a':'1'}", "b=2" },
    { "{'matchLabels':{'a':'1','b':'2'}}", "{}", "a=1" },
    { ROLE("In", "['a','b']"), "{'role':'c'}", "role in (a, b)" },
    { ROLE("NotIn", "['a','b']"), "{'role':'a'}", "role notin (a, b)" },
    { ROLE("Exists", "[]"), "{}", "role" },
    { ROLE("DoesNotExist", "[]"), "{'role':''}", "!role" },
};

START_TEST(unmet_requirement)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct str text = { 0 };
    struct err err = { 0 };
    const struct selector *selector = selector_of(&arena, unmets[_i].selector);
    expect_done(selector_unmet(selector, labels_of(&arena, unmets[_i].labels), &arena, &text, &err), &err);
    expect_text(text, unmets[_i].unmet);
}
END_TEST

START_TEST(keeps_nothing_of_its_spec)
{
    CLEANUP(arena_free) struct arena kept = { 0 };
    struct arena passing = { 0 };
    const struct selector *selector = NULL;
    struct err err = { 0 };
    expect_done(selector_build(spec_of(&passing, ROLE("In", "['a','b']")), &kept, &selector, &err), &err);
    arena_free(&passing);
    ck_assert(selector_matches(selector, labels_of(&kept, "{'role':'b'}")));
}
END_TEST

START_TEST(build_fails_for_want_of_memory_only)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    CLEANUP(arena_free) struct arena small = { .ceiling_bytes = 64 };
    const struct selector *selector = NULL;
    struct err err = { 0 };
    ck_assert(!selector_build(spec_of(&arena, ROLE("In", "['a','b']")), &small, &selector, &err).ok);
    ck_assert_int_eq(err.kind, ERR_TOO_LARGE);
    ck_assert_ptr_null(selector);
}
END_TEST

Suite *selector_suite(void)
{
    Suite *suite = suite_create("selector");
    TCase *cases = tcase_create("selector");
    tcase_add_loop_test(cases, knows_operators, 0, ROWS(operators));
    tcase_add_loop_test(cases, matches, 0, ROWS(matching));
    tcase_add_loop_test(cases, tells_emptiness, 0, ROWS(emptiness));
    tcase_add_loop_test(cases, diagnoses, 0, ROWS(diagnosed));
    tcase_add_test(cases, diagnosis_stops_with_its_reporter);
    tcase_add_loop_test(cases, in_words, 0, ROWS(texts));
    tcase_add_loop_test(cases, unmet_requirement, 0, ROWS(unmets));
    tcase_add_test(cases, keeps_nothing_of_its_spec);
    tcase_add_test(cases, build_fails_for_want_of_memory_only);
    suite_add_tcase(suite, cases);
    return suite;
}

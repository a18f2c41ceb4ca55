#include "sources/manifests.h"

#include "policy/objects.h"
#include "tests/unit/suites.h"
#include "tests/unit/work_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define HEAD "apiVersion: v1\nkind: A\n"

static struct manifest_list list_in(struct arena *arena)
{
    return (struct manifest_list){ .arena = arena };
}

static void must_parse(struct manifest_list *list, const char *name, struct str text)
{
    struct err err = { 0 };
    bool ok = manifests_parse(list, text, str_of(name), &err).ok;
    ck_assert_msg(ok, "%s", err.msg);
}

static void assert_str(struct str is, const char *expected)
{
    ck_assert_msg(str_is(is, expected), "'%.*s' is not '%s'", STR_ARGS(is), expected);
}

/* Expected: "apiVersion kind namespace name line:column" of each object, joined by "; ". */
static const struct {
    const char *file;
    const char *text;
    const char *objects;
} texts[] = {
    { "a.yaml", "", "" },
    { "a.json", " \n", "" },
    { "a.yaml", "# nothing\n---\n# here\n---\n...\n", "" },
    { "a.yaml", "~", "" },
    { "a.json", "null null", "" },
    { "a.yaml", HEAD, "v1 A   1:1" },
    { "a.yaml", "kind: A\napiVersion: v1\nmetadata: {name: a, namespace: s}", "v1 A s a 1:1" },
    { "a.yaml", HEAD "metadata: {generateName: n-}", "v1 A  n- 1:1" },
    { "a.yaml", HEAD "metadata: null", "v1 A   1:1" },
    { "a.yaml", "\xEF\xBB\xBF" HEAD, "v1 A   1:1" },
    { "a.yaml", "apiVersion: v1\r\nkind: A\r\n---\r\napiVersion: v1\r\nkind: B", "v1 A   1:1; v1 B   4:1" },
    { "a.yaml", "%YAML 1.1\n---\n" HEAD "...\n--- # two\n" HEAD "---\n", "v1 A   3:1; v1 A   7:1" },
    { "a.yaml", "--- {apiVersion: v1, kind: A}\n", "v1 A   1:5" },
    { "-", "{apiVersion: v1, kind: A}\n---\n{apiVersion: v1, kind: B}", "v1 A   1:1; v1 B   3:1" },
    { "-", "{\"apiVersion\": \"v1\", \"kind\": \"A\",}", "v1 A   1:1" },
    { "-",
      "{\"apiVersion\":\"v1\",\"kind\":\"A\"}{\"apiVersion\":\"v1\",\"kind\":\"B\"}\n\n  "
      "{\"apiVersion\":\"v1\",\"kind\":"
      "\"C\"}",
      "v1 A   1:1; v1 B   1:31; v1 C   3:3" },
    { "a.json", "\xEF\xBB\xBF{\"apiVersion\":\"v1\",\"kind\":\"A\",\"metadata\":{\"name\":\"\\u00e9\"}}",
      "v1 A  é 1:1" },
    { "a.yaml", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: A\n- apiVersion: v1\n  kind: B\n",
      "v1 A   4:3; v1 B   6:3" },
    { "a.yaml", "apiVersion: v1\nkind: List\n", "" },
    { "a.yaml", "apiVersion: v1\nkind: List\nitems: []\n", "" },
    { "a.json",
      "{\"apiVersion\":\"g/v1\",\"kind\":\"AList\",\"items\":[{\"metadata\":{\"name\":\"x\"}},\n{\"kind\":\"B\"}]}",
      "g/v1 A  x 1:46; g/v1 B   2:1" },
    { "a.yaml", "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: A}]}]",
      "v1 A   3:46" },
    { "a.yaml", "apiVersion: g/v1\nkind: AllowList\nspec: {items: [1]}\n", "g/v1 AllowList   1:1" },
    { "a.yaml", "apiVersion: g/v1\nkind: AllowList\nitems: {a: b}\n", "g/v1 AllowList   1:1" },
    { "a.yaml", "a: &a {apiVersion: v1}\n<<: *a\nkind: A\n", "v1 A   1:1" },
};

START_TEST(manifests_are_found)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct manifest_list list = list_in(&arena);
    char found[400] = "";
    must_parse(&list, texts[_i].file, str_of(texts[_i].text));
    for (size_t i = 0; i < list.count; i++) {
        const struct manifest *manifest = &list.items[i];
        size_t len = strlen(found);
        (void)snprintf(found + len, sizeof found - len, "%s%.*s %.*s %.*s %.*s %zu:%zu", i ? "; " : "",
                       STR_ARGS(manifest->api_version), STR_ARGS(manifest->kind), STR_ARGS(manifest->namespace),
                       STR_ARGS(manifest->name), manifest->line, manifest->column);
        assert_str(manifest_file_name(manifest), texts[_i].file);
    }
    ck_assert_str_eq(found, texts[_i].objects);
}
END_TEST

/* What the value of x becomes; checked against kubectl 1.32. */
static const struct {
    const char *yaml;
    const char *json;
} values[] = {
    { "true", "true" },
    { "Yes", "true" },
    { "on", "true" },
    { "y", "true" },
    { "False", "false" },
    { "NO", "false" },
    { "off", "false" },
    { "tRUE", "\"tRUE\"" },
    { "", "null" },
    { "~", "null" },
    { "Null", "null" },
    { "nULL", "\"nULL\"" },
    { "'true'", "\"true\"" },
    { "\"12\"", "\"12\"" },
    { "''", "\"\"" },
    { "1", "1" },
    { "+12", "12" },
    { "-0", "-0" },
    { "1_000", "1000" },
    { "_1", "\"_1\"" },
    { "0b11", "3" },
    { "-0b11", "-3" },
    { "0b2", "\"0b2\"" },
    { "0o17", "15" },
    { "017", "15" },
    { "-017", "-15" },
    { "018", "18" },
    { "0o8", "\"0o8\"" },
    { "0x1F", "31" },
    { "0x", "\"0x\"" },
    { "0x1FFFFFFFFFFFFFFFFFF", "\"0x1FFFFFFFFFFFFFFFFFF\"" },
    { "9223372036854775807", "9223372036854775807" },
    { "9223372036854775808", "9.2233720368547758e+18" },
    { "0xffffffffffffffff", "1.8446744073709552e+19" },
    { "0.5", "0.5" },
    { "1.10", "1.10" },
    { ".5", "0.5" },
    { "5.", "5" },
    { "-.5e2", "-0.5e2" },
    { "1e3", "1e3" },
    { "01e3", "1e3" },
    { "017.5", "17.5" },
    { "1e400", "\"1e400\"" },
    { ".", "\".\"" },
    { "e3", "\"e3\"" },
    { "1:30", "\"1:30\"" },
    { "2001-01-01", "\"2001-01-01\"" },
    { "100m", "\"100m\"" },
    { "<<", "\"<<\"" },
    { "!!str 12", "\"12\"" },
    { "!!int '12'", "12" },
    { "!!float 3", "3" },
    { "!!bool 'yes'", "true" },
    { "!!null ''", "null" },
    { "!!timestamp 2001-01-01", "\"2001-01-01\"" },
    { "!own 12", "\"12\"" },
    { "!own {a: 1}", "{\"a\":1}" },
    { "!!set {a, b}", "{\"a\":null,\"b\":null}" },
    { "|\n  a\n   b\n", "\"a\\n b\\n\"" },
    { "\"\\x41\\u00e9\\t\"", "\"Aé\\t\"" },
    { "{1: a, 0x10: b, 1.10: c, 123456789.5: d, 1e3: e}",
      "{\"1\":\"a\",\"16\":\"b\",\"1.1\":\"c\",\"1.2345679e+08\":\"d\",\"1000\":\"e\"}" },
    { "{True: a, off: b, 2001-01-01: c, \"<<\": d}",
      "{\"true\":\"a\",\"false\":\"b\",\"2001-01-01\":\"c\",\"<<\":\"d\"}" },
    { "[&a 1, *a, &a 2, *a]", "[1,1,2,2]" },
    { "{<<: {a: 1, b: 2}, a: 3}", "{\"b\":2,\"a\":3}" },
    { "{a: 3, <<: {a: 1, b: 2}}", "{\"a\":1,\"b\":2}" },
    { "{<<: [{a: 1}, {a: 2, b: 3}]}", "{\"b\":3,\"a\":1}" },
    { "{<<: {<<: {a: 1}, b: 2}}", "{\"a\":1,\"b\":2}" },
    { "{!!merge '<<': {a: 1}}", "{\"a\":1}" },
    { "{<<: {}, a: 1}", "{\"a\":1}" },
    { "[[], {}]", "[[],{}]" },
};

START_TEST(yaml_is_resolved_as_kubectl_does)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct manifest_list list = list_in(&arena);
    char yaml[200], json[200];
    (void)snprintf(yaml, sizeof yaml, "%sx: %s", HEAD, values[_i].yaml);
    (void)snprintf(json, sizeof json, "{\"apiVersion\":\"v1\",\"kind\":\"A\",\"x\":%s}", values[_i].json);
    must_parse(&list, "a.yaml", str_of(yaml));
    ck_assert_uint_eq(list.count, 1);
    assert_str(list.items[0].json, json);
}
END_TEST

#define BOMB_HEAD "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
#define BOMB                                                                                                           \
    BOMB_HEAD "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"                         \
              "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"                         \
              "g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]\n"
#define MERGE_BOMB                                                                                                     \
    "a: &a {k: 1}\nb: &b {<<: [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]}\nc: &c {<<: [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]}\n"         \
    "d: &d {<<: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]}\ne: &e {<<: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]}\n"                       \
    "f: &f {<<: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]}\ng: &g {<<: [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]}\n"

static const struct {
    const char *file;
    const char *text;
    const char *message; /* how it starts */
} refused[] = {
    { "a.yaml", "- a\n", "a.yaml:1:1: a list where an object belongs" },
    { "a.yaml", "---\ntext\n", "a.yaml:2:1: a string where an object belongs" },
    { "a.json", "[{}]", "a.json:1:1: a list where an object belongs" },
    { "a.yaml", "# none\nkind: A\n", "a.yaml:2:1: apiVersion: missing" },
    { "a.yaml", HEAD "---\napiVersion: v1\n", "a.yaml:4:1: kind: missing" },
    { "a.json", "{}\n", "a.json:1:1: kind: missing" },
    { "a.yaml", "apiVersion: v1\nkind:  3\n", "a.yaml:2:8: kind: a number where a string belongs" },
    { "a.yaml", HEAD "metadata:\n  name: on\n", "a.yaml:4:9: metadata.name: a boolean where a string belongs" },
    { "a.yaml", HEAD "metadata: [a]\n", "a.yaml:3:11: metadata: a list where an object belongs" },
    { "a.json", "{\"kind\":\"A\",\n\"apiVersion\":1}", "a.json:2:14: apiVersion: a number where a string belongs" },
    { "a.json", "{\"kind\":\"A\",\n\"kind\":\"B\"}", "a.json:2:8: kind: occurs twice" },
    { "a.json", "{\"kind\":\"A\",\n  }", "a.json:2:3: expected a member's name in quotes" },
    { "a.json", "{\"kind\":\"A\",\"apiVersion\":\"v1\"} x", "a.json:1:32: expected a value" },
    { "a.json", "{kind: A, apiVersion: v1}", "a.json:1:2: expected a member's name in quotes" },
    { "-", "{kind: A, apiVersion: [}", "-:1:24: did not find expected node content" },
    { "a.yaml", HEAD "x: {a: 1,\n    b: 2, a: 3}\n", "a.yaml:4:11: key 'a' occurs twice, first in line 3" },
    { "a.yaml", HEAD "x:\n  1: a\n  \"1\": b\n", "a.yaml:5:3: key '1' occurs twice, first in line 4" },
    { "a.yaml", HEAD "kind: B\n", "a.yaml:3:1: key 'kind' occurs twice, first in line 2" },
    { "a.yaml", HEAD "x: {<<: {a: 1}, a: 2, a: 3}\n", "a.yaml:3:23: key 'a' occurs twice, first in line 3" },
    { "a.yaml", HEAD "x: [1\ny: 2\n",
      "a.yaml:4:2: did not find expected ',' or ']' (while parsing a flow sequence that "
      "starts in line 3)" },
    { "a.yaml", HEAD "x: \"a\n",
      "a.yaml:4:1: found unexpected end of stream (while scanning a quoted scalar that starts "
      "in line 3)" },
    { "a.yaml", HEAD "\tx: 1\n", "a.yaml:3:1: found a tab character that violates indentation" },
    { "a.yaml", HEAD "x: a: b\n", "a.yaml:3:5: mapping values are not allowed in this context" },
    { "a.yaml", HEAD "x: \x01\n", "a.yaml:3:4: character U+0001: control characters are not allowed" },
    { "a.yaml", HEAD "x: \"\xC3\xA9\xFF\"\n", "a.yaml:3:" },
    { "a.yaml",
      "\xFF\xFE"
      "a",
      "a.yaml:1:1: not UTF-8" },
    { "a.json", "{\"a\":\"\xED\xA0\x80\"}", "a.json:1:7: not UTF-8" },
    { "a.yaml", HEAD "x: .inf\n", "a.yaml:3:4: .inf is not a finite number" },
    { "a.yaml", HEAD "x: {.nan: 1}\n", "a.yaml:3:5: .nan cannot be a key" },
    { "a.yaml", HEAD "x: {~: 1}\n", "a.yaml:3:5: null cannot be a key" },
    { "a.yaml", HEAD "x: {? [a] : 1}\n", "a.yaml:3:7: a list or mapping cannot be a key" },
    { "a.yaml", HEAD "x: !!int 1.5\n", "a.yaml:3:4: '1.5' is not what its tag !!int says" },
    { "a.yaml", HEAD "x: !!bool foo\n", "a.yaml:3:4: 'foo' is not what its tag !!bool says" },
    { "a.yaml", HEAD "x: !!binary aGk=\n", "a.yaml:3:4: !!binary is not supported" },
    { "a.yaml", HEAD "x: {<<: 3}\n", "a.yaml:3:9: << needs a mapping or a list of mappings" },
    { "a.yaml", HEAD "x: {<<: [[{a: 1}]]}\n", "a.yaml:3:10: << needs a mapping or a list of mappings" },
    { "a.yaml", HEAD "x: *a\n", "a.yaml:3:4: no anchor &a for this alias" },
    { "a.yaml", HEAD "x: &a 1\n---\nx: *a\n", "a.yaml:5:4: no anchor &a for this alias" },
    { "a.yaml", HEAD "x: &a [*a]\n", "a.yaml:3:8: anchor &a contains itself" },
    { "a.yaml", HEAD "x: &a {<<: *a}\n", "a.yaml:3:12: anchor &a contains itself" },
    { "a.yaml", BOMB, "a.yaml:1:" },
    { "a.yaml", MERGE_BOMB, "a.yaml:1:" },
    { "a.yaml", "apiVersion: v1\nkind: List\nitems:\n- kind: A\n  apiVersion: v1\n- kind: B\n",
      "a.yaml:6:3: apiVersion: missing" },
    { "a.yaml", "apiVersion: v1\nkind: List\nitems: [{kind: A, apiVersion: v1}, a]\n",
      "a.yaml:3:36: a string where an object belongs" },
    { "a.yaml", "apiVersion: v1\nkind: List\nitems: {}\n", "a.yaml:3:8: items: not a list" },
};

START_TEST(manifests_refuse)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct manifest_list list = list_in(&arena);
    struct err err = { 0 };
    must_parse(&list, "before.yaml", STR(HEAD));
    ck_assert(!manifests_parse(&list, str_of(refused[_i].text), str_of(refused[_i].file), &err).ok);
    ck_assert_int_eq(err.kind, ERR_INPUT);
    ck_assert_msg(str_starts_with(str_of(err.msg), str_of(refused[_i].message)), "%s", err.msg);
    ck_assert_uint_eq(list.count, 1);
}
END_TEST

/* `count` times `piece`, between head and tail. */
static struct str repeated(struct arena *arena, const char *head, const char *piece, size_t count, const char *tail)
{
    struct err err = { 0 };
    char *text = NULL;
    size_t len = strlen(head), step = strlen(piece);
    ck_assert(arena_take(arena, len + count * step + strlen(tail) + 1, &text, &err).ok);
    memcpy(text, head, len);
    for (size_t i = 0; i < count; i++, len += step)
        memcpy(text + len, piece, step);
    memcpy(text + len, tail, strlen(tail));
    return (struct str){ text, len + strlen(tail) };
}

static const struct {
    const char *head, *piece;
    size_t count;
    const char *message;
} too_deep[] = {
    { "", "[", 1000000, "a.yaml:1:257: nested more than 256 levels deep" },
    { "", "- ", 100000, "a.yaml:1:513: nested more than 256 levels deep" },
    { "{", "\"a\":{", 3000, "a.yaml:1:" },
    { "kind: List\napiVersion: v1\nitems: ", "[{kind: List, apiVersion: v1, items: ", 9, "a.yaml:1:" },
};

START_TEST(manifests_refuse_depth)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct manifest_list list = list_in(&arena);
    struct err err = { 0 };
    struct str text = repeated(&arena, too_deep[_i].head, too_deep[_i].piece, too_deep[_i].count, "");
    ck_assert(!manifests_parse(&list, text, STR("a.yaml"), &err).ok);
    ck_assert_int_eq(err.kind, ERR_INPUT);
    ck_assert_uint_eq(list.count, 0);
}
END_TEST

START_TEST(manifests_refuse_lists_in_lists)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct manifest_list list = list_in(&arena);
    struct err err = { 0 };
    struct str text =
        repeated(&arena, "kind: List\napiVersion: v1\nitems: ", "[{kind: List, apiVersion: v1, items: ", 9,
                 "[]}]}]}]}]}]}]}]}]}]");
    ck_assert(!manifests_parse(&list, text, STR("a.yaml"), &err).ok);
    ck_assert_msg(strstr(err.msg, "a.yaml:3:"), "%s", err.msg);
    ck_assert_msg(strstr(err.msg, "lists within lists"), "%s", err.msg);
}
END_TEST

/* Neither many anchors nor many keys take quadratic time. */
START_TEST(manifests_are_many)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct manifest_list list = list_in(&arena);
    must_parse(&list, "a.yaml", repeated(&arena, "", HEAD "x: &a [&b 1, *b]\ny: *a\n---\n", 20000, ""));
    ck_assert_uint_eq(list.count, 20000);
    ck_assert_uint_eq(list.items[19999].line, 19999 * 5 + 1);
    must_parse(&list, "a.json",
               repeated(&arena, "{\"kind\":\"AList\",\"apiVersion\":\"v1\",\"items\":[\n{}", ",\n{}", 100000, "]}"));
    ck_assert_uint_eq(list.count, 120001);
    ck_assert_uint_eq(list.items[120000].line, 100002);
}
END_TEST

#define POLICY_HEAD "apiVersion: vpcresources.k8s.aws/v1beta1\nkind: SecurityGroupPolicy\nmetadata: {name: a}\nspec:\n"

static const struct {
    const char *file;
    const char *text;
    const char *message; /* NULL: is decoded */
} policies[] = {
    { "a.yaml", POLICY_HEAD "  podSelector: {matchLabels: {role: web}}\n  securityGroups: {groupIds: [sg-1]}\n", NULL },
    { "a.yaml", POLICY_HEAD "  podSelector:\n    matchLabels:\n      role: on\n",
      "a.yaml:7:13: spec.podSelector.matchLabels[role]: a boolean where a string belongs" },
    { "a.yaml", POLICY_HEAD "  securityGroups:\n    groupIds:\n    - sg-1\n    - 0x12\n",
      "a.yaml:8:7: spec.securityGroups.groupIds[1]: a number where a string belongs" },
    { "a.yaml", "---\n" HEAD "---\n" POLICY_HEAD "  securityGroups: {groupIds: sg-1}\n",
      "a.yaml:9:30: spec.securityGroups.groupIds: a string where a list belongs" },
    { "a.yaml", "x: &x [1]\n" POLICY_HEAD "  securityGroups: {groupIds: *x}\n",
      "a.yaml:1:8: spec.securityGroups.groupIds[0]: a number where a string belongs" },
    { "a.json", "{\"kind\":\"AList\",\"apiVersion\":\"v1\",\"items\":[{},\n {\"spec\":\n   {\"podSelector\": \"x\"}}]}",
      "a.json:3:20: spec.podSelector: a string where an object belongs" },
};

START_TEST(manifests_decode)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct manifest_list list = list_in(&arena);
    struct policy_object policy = { 0 };
    struct err err = { 0 };
    must_parse(&list, "before.yaml", STR(HEAD "x: y\n"));
    must_parse(&list, policies[_i].file, str_of(policies[_i].text));
    bool ok = manifest_decode(&list.items[list.count - 1], &policy_object_shape, &arena, &policy, &err).ok;
    ck_assert_str_eq(err.msg, policies[_i].message ? policies[_i].message : "");
    ck_assert_int_eq(ok, policies[_i].message == NULL);
    if (!ok)
        return;
    assert_str(policy.meta.name, "a");
    assert_str(policy.spec.pod_selector->match_labels.items[0].value, "web");
    assert_str(policy.spec.groups.items[0], "sg-1");
}
END_TEST

START_TEST(manifests_read_directories)
{
    static const char *const files[] = { "d/a-b.yaml", "d/a/x.yml", "d/b.json", "d/mounted.yaml" };
    CLEANUP(arena_free) struct arena arena = { 0 };
    CLEANUP(work_dir_leave) struct work_dir dir = { "" };
    struct manifest_list list = list_in(&arena);
    struct err err = { 0 };
    work_dir_enter(&dir);
    make_dir("d");
    make_dir("d/a");
    make_dir("d/..1");
    make_dir("d/empty.yaml");
    make_link("..", "d/a/loop");
    make_link("..1", "d/..data");
    make_link("..data/mounted.yaml", "d/mounted.yaml");
    write_text("d/b.json", "{\"apiVersion\":\"v1\",\"kind\":\"A\"}");
    write_text("d/a-b.yaml", HEAD);
    write_text("d/a/x.yml", HEAD);
    write_text("d/..1/mounted.yaml", HEAD);
    write_text("d/.hidden.yaml", "[");
    write_text("d/README.md", "[");
    ck_assert_msg(manifests_read(&list, "d", &err).ok, "%s", err.msg);
    ck_assert_uint_eq(list.count, sizeof files / sizeof files[0]);
    for (size_t i = 0; i < list.count; i++)
        assert_str(manifest_file_name(&list.items[i]), files[i]);
    ck_assert(manifests_read(&list, "d/", &err).ok);
    assert_str(manifest_file_name(&list.items[list.count - 1]), "d/mounted.yaml");
}
END_TEST

START_TEST(manifests_read_refuses)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    CLEANUP(work_dir_leave) struct work_dir dir = { "" };
    struct manifest_list list = list_in(&arena);
    struct err err = { 0 };
    work_dir_enter(&dir);
    make_dir("link");
    make_dir("pipe");
    make_dir("bad");
    make_link("nowhere", "link/a.yaml");
    ck_assert_int_eq(mkfifo("pipe/a.yaml", 0600), 0);
    write_text("bad/a.yaml", HEAD);
    write_text("bad/b.yaml", HEAD "---\n[\n");
    write_text("large.yaml", "");
    ck_assert_int_eq(truncate("large.yaml", (off_t)MANIFEST_MAX_BYTES + 1), 0);
    const struct {
        const char *path, *message;
    } rows[] = {
        { "none.yaml", "none.yaml: cannot be read: No such file or directory" },
        { "large.yaml/x", "large.yaml/x: cannot be read: Not a directory" },
        { "link", "link/a.yaml: cannot be read: No such file or directory" },
        { "pipe", "pipe/a.yaml: is not a file" },
        { "bad", "bad/b.yaml:5:1: did not find expected node content" },
        { "large.yaml", "large.yaml: larger than 268435456 bytes" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert(!manifests_read(&list, rows[i].path, &err).ok);
        ck_assert_int_eq(err.kind, ERR_INPUT);
        ck_assert_str_eq(err.msg, rows[i].message);
        ck_assert_uint_eq(list.count, 0);
    }
}
END_TEST

START_TEST(manifests_read_pipes)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct manifest_list list = list_in(&arena);
    struct err err = { 0 };
    struct str text = repeated(&arena, "", HEAD "---\n", 2000, "");
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], text.ptr, text.len), (ssize_t)text.len);
    ck_assert_int_eq(close(ends[1]), 0);
    ck_assert_int_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    ck_assert_msg(manifests_read(&list, "-", &err).ok, "%s", err.msg);
    ck_assert_uint_eq(list.count, 2000);
    assert_str(manifest_file_name(&list.items[0]), "-");
    ck_assert_int_eq(close(ends[0]), 0);
}
END_TEST

Suite *manifests_suite(void)
{
    Suite *suite = suite_create("manifests");
    TCase *tests = tcase_create("manifests");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, manifests_are_found, 0, ROWS(texts));
    tcase_add_loop_test(tests, yaml_is_resolved_as_kubectl_does, 0, ROWS(values));
    tcase_add_loop_test(tests, manifests_refuse, 0, ROWS(refused));
    tcase_add_loop_test(tests, manifests_refuse_depth, 0, ROWS(too_deep));
    tcase_add_test(tests, manifests_refuse_lists_in_lists);
    tcase_add_test(tests, manifests_are_many);
    tcase_add_loop_test(tests, manifests_decode, 0, ROWS(policies));
    tcase_add_test(tests, manifests_read_directories);
    tcase_add_test(tests, manifests_read_refuses);
    tcase_add_test(tests, manifests_read_pipes);
    suite_add_tcase(suite, tests);
    return suite;
}

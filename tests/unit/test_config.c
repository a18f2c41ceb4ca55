#include "server/config.h"

#include "base/buf.h"
#include "server/setting_value.h"
#include "tests/unit/config_scratch.h"
#include "tests/unit/suites.h"

#include <inttypes.h>
#include <stdio.h>

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

TCase *settling_cases(void); /* test_config_settle.c */
TCase *document_cases(void); /* test_config_documents.c */

static void put_actions(struct buf *out, const struct config *config)
{
    for (size_t i = 0; i < CHECK_COUNT; i++)
        if (config->action_set[i])
            buf_print(out, "%s%.*s=%s", out->len ? "," : "", STR_ARGS(check_row((enum check)i)->id),
                      action_name(config->actions[i]));
}

static void put_list(struct buf *out, const struct str_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        buf_print(out, "%s%.*s", i ? "," : "", STR_ARGS(list->items[i]));
}

/* The value of a setting in words: nothing for one that is not set. */
static const char *value_of(struct config *config, const char *path)
{
    const struct setting *row = setting_find(str_of(path));
    ck_assert_ptr_nonnull(row);
    const void *field = (const char *)config + row->offset;
    struct buf out = buf_in(&config->arena);
    struct str text = { 0 };
    struct err err = { 0 };
    switch (row->type) {
    case SETTING_TEXT:
    case SETTING_ONE_OF: buf_put(&out, *(const struct str *)field); break;
    case SETTING_BOOL: buf_print(&out, "%s", *(const bool *)field ? "true" : "false"); break;
    case SETTING_INTEGER: buf_print(&out, "%" PRId64, *(const int64_t *)field); break;
    case SETTING_TEXTS:
    case SETTING_FIELDS: put_list(&out, field); break;
    case SETTING_ACTIONS: put_actions(&out, config); break;
    }
    ck_assert(buf_finish(&out, &text, &err).ok);
    return text.ptr;
}

static const struct {
    const char *text;
    const char *path;
    const char *value;
} read_rows[] = {
    { "listen: 127.0.0.1:8443", "listen", "127.0.0.1:8443" },
    { "listen: '[::1]:8443'", "listen", "[::1]:8443" },
    { "healthListen: :9", "healthListen", ":9" },
    { "tls: {certFile: a.crt, keyFile: a.key}", "tls.certFile", "a.crt" },
    { "tls: {certFile: a.crt, keyFile: a.key}", "tls.keyFile", "a.key" },
    { "tls:\n  clientCAFile: ca.crt\n", "tls.clientCAFile", "ca.crt" },
    { "tls:\n  selfSigned: /var/lib/x\n", "tls.selfSigned", "/var/lib/x" },
    { "tls:\n  selfSigned: ''\n", "tls.selfSigned", "" },
    { "tls:\n  # selfSigned: x\n", "tls.selfSigned", "" },
    { "policies:\n  paths: [a, b/c]\n", "policies.paths", "a,b/c" },
    { "policies:\n  paths:\n  # - a\n", "policies.paths", "" },
    { "policies: {paths: []}", "policies.paths", "" },
    { "instanceTypesFile: t.tsv", "instanceTypesFile", "t.tsv" },
    { "profile: strict", "profile", "strict" },
    { "profile: \"s\\u0074rict\"", "profile", "strict" },
    { "profile:", "profile", "baseline" },
    { "checks: {}", "checks", "" },
    { "checks:\n", "checks", "" },
    { "checks: {pod-windows: deny}", "checks", "pod-windows=deny" },
    { "checks: {pod-windows: warn}", "checks", "pod-windows=warn" },
    { "checks: {pod-windows: ignore}", "checks", "pod-windows=ignore" },
    { "checks: {pod-windows: ~, pod-fargate: deny}", "checks", "pod-fargate=deny" },
    { "checks: {pod-fargate: annotate}", "checks", "pod-fargate=annotate" },
    { "checks: {pod-fargate: ignore}", "checks", "pod-fargate=ignore" },
    { "checks: {pod-annotation: warn, node-aws-node: ignore}", "checks", "pod-annotation=warn,node-aws-node=ignore" },
    { "limits: {groupsPerPolicy: 1}", "limits.groupsPerPolicy", "1" },
    { "limits: {groupsPerPolicy: 16}", "limits.groupsPerPolicy", "16" },
    { "limits: {groupsPerInterface: 16}", "limits.groupsPerInterface", "16" },
    { "limits: {bodyBytes: 1024}", "limits.bodyBytes", "1024" },
    { "limits: {bodyBytes: 67108864}", "limits.bodyBytes", "67108864" },
    { "limits: {bodyBytes: 0x100000}", "limits.bodyBytes", "1048576" },
    { "limits: {connections: 100000}", "limits.connections", "100000" },
    { "threads: 256", "threads", "256" },
    { "timeouts: {headersSeconds: 1}", "timeouts.headersSeconds", "1" },
    { "timeouts: {requestSeconds: 300}", "timeouts.requestSeconds", "300" },
    { "timeouts: {idleSeconds: 3600}", "timeouts.idleSeconds", "3600" },
    { "timeouts: {shutdownDelaySeconds: 0}", "timeouts.shutdownDelaySeconds", "0" },
    { "podSecurityGroupEnforcingMode: standard", "podSecurityGroupEnforcingMode", "standard" },
    { "windowsIpam: true", "windowsIpam", "true" },
    { "windowsIpam: yes", "windowsIpam", "true" },
    { "workloads: deny", "workloads", "deny" },
    { "nodes: {awsNodeMayChange: ['metadata.labels[a/', spec.taints]}", "nodes.awsNodeMayChange",
      "metadata.labels[a/,spec.taints" },
    { "nodes: {awsNodeMayChange: [spec]}", "nodes.awsNodeMayChange", "spec" },
    { "log: {level: debug}", "log.level", "debug" },
    { "log: {format: json}", "log.format", "json" },
    { "{\"log\": {\"format\": \"text\"}, \"threads\": 2}", "log.format", "text" },
    { "\xEF\xBB\xBFthreads: 3\n", "threads", "3" },
    { "---\nthreads: 4\n---\n", "threads", "4" },
    { "---\n# nothing\n---\nthreads: 5\n", "threads", "5" },
    { "log: {<<: {level: error, format: text}, format: json}", "log.level", "error" },
    { "log:\r\n  level: warn\r\n", "log.level", "warn" },
};

START_TEST(config_reads)
{
    CLEANUP(config_freep) struct config *config = config_parsed(str_of(read_rows[_i].text));
    ck_assert_str_eq(value_of(config, read_rows[_i].path), read_rows[_i].value);
    ck_assert(str_is(config->file, "c.yaml"));
}
END_TEST

/* Every byte of it, so that a reader that looks one further is found out. */
static struct str exact_text(struct arena *arena, const char *text)
{
    struct str copy = { NULL, strlen(text) };
    struct err err = { 0 };
    char *bytes = NULL;
    ck_assert(arena_take(arena, copy.len, &bytes, &err).ok);
    memcpy(bytes, text, copy.len);
    copy.ptr = bytes;
    return copy;
}

/* Cut where messages show it. */
#define A_LONG_WORD "a-long-word-a-long-word-a-long-word-a-long-word-a-long-word-cut-off-here"

static const struct {
    const char *text;
    const char *place; /* LINE:COLUMN */
    const char *message;
} refused[] = {
    /* keys */
    { "a: 1", "1:1", "there is no setting a" },
    { "profile: strict\n\nportfolio: x\n", "3:1", "there is no setting portfolio" },
    { "health_listen: ':1'", "1:1", "there is no setting health_listen, is healthListen meant?" },
    { "LISTEN: ':1'", "1:1", "is listen meant?" },
    { "tsl:\n  certFile: x\n", "1:1", "there is no setting tsl, is tls meant?" },
    { "tls:\n  keyFile: x\n  certfile: x\n", "3:3", "there is no setting tls.certfile, is tls.certFile meant?" },
    { "tls: {keyFile: x, cretFile: y}", "1:19", "is tls.certFile meant?" },
    { "limits: {groups-per-policy: 5}", "1:10", "is limits.groupsPerPolicy meant?" },
    { "limits:\n  groupsPerPod: 5\n", "2:3", "there is no setting limits.groupsPerPod" },
    { "certFile: x", "1:1", "there is no setting certFile, is tls.certFile meant?" },
    { "timeouts: {shutdownDelay: 1}", "1:12", "there is no setting timeouts.shutdownDelay" },
    { "tls.certFile: x", "1:1", "'tls.certFile': a dot leads nowhere" },
    { "tls:\n  certFile.x: y\n", "2:3", "there is no setting tls.certFile.x" },
    { "tls:\n  listen: x\n", "2:3", "there is no setting tls.listen, is listen meant?" },
    { "tls: {limits.bodyBytes: 1}", "1:7", "'limits.bodyBytes': a dot leads nowhere" },
    { "'': 1", "1:1", "there is no setting" },
    { "tls: {'': 1}", "1:7", "there is no setting tls." },
    { "\"a\\nb\": 1", "1:1", "there is no setting a?b" },
    { "threads: 1\n\"a\\\"b\": 1", "2:1", "there is no setting a\"b" },
    { "1: 2", "1:1", "there is no setting 1" },
    { A_LONG_WORD ": 1", "1:1", "there is no setting a-long" },
    { "profile: " A_LONG_WORD, "1:10", "a-long-word-' is not one of baseline, strict" },
    { "paths: [a]", "1:1", "is policies.paths meant?" },
    { "threads: 1\nthreads: 1\n", "2:1", "'threads' occurs twice, first in line 1" },
    { "tls:\n  keyFile: a\n  keyFile: a\n", "3:3", "'keyFile' occurs twice" },
    { "checks:\n  pod-windows: deny\n  pod-windows: deny\n", "3:3", "'pod-windows' occurs twice" },
    /* the whole file */
    { "- a", "1:1", "a list where a mapping belongs" },
    { "just words", "1:1", "a text where a mapping belongs" },
    { "# a comment\n42\n", "2:1", "a number where a mapping belongs" },
    { "threads: 1\n---\nthreads: 2\n", "3:1", "a second document" },
    { "---\n---\nthreads: 1\n---\n---\n- a\n", "6:1", "a second document" },
    { "tls: {", "2:1", "did not find expected" },
    { "tls:\n\tkeyFile: a\n", "2:1", "cannot start any token" },
    { "listen: *a", "1:9", "no anchor &a" },
    { "listen: \"\xff\"", "1:10", "" },
    /* types */
    { "tls: 5", "1:6", "tls: a number where a mapping belongs" },
    { "log: info", "1:6", "log: a text where a mapping belongs" },
    { "limits: []", "1:9", "limits: a list where a mapping belongs" },
    { "listen: 8443", "1:9", "listen: a number where a text belongs" },
    { "listen: [':1']", "1:9", "listen: a list where a text belongs" },
    { "listen: ''", "1:9", "listen: must not be empty" },
    { "healthListen:   ''", "1:17", "healthListen: must not be empty" },
    { "listen: \"a\\0b\"", "1:9", "listen: a NUL character in it" },
    { "tls:\n  certFile:\n    name: x\n", "3:5", "tls.certFile: a mapping where a text belongs" },
    { "instanceTypesFile: true", "1:20", "instanceTypesFile: true where a text belongs" },
    { "windowsIpam: 'true'", "1:14", "windowsIpam: a text where true or false belongs" },
    { "windowsIpam: 1", "1:14", "windowsIpam: a number where true or false belongs" },
    { "threads: four", "1:10", "threads: a text where a number belongs" },
    { "threads: '4'", "1:10", "threads: a text where a number belongs" },
    { "limits: {bodyBytes: 8Mi}", "1:21", "limits.bodyBytes: a text where a number belongs" },
    { "threads: 1.5", "1:10", "threads: 1.5 is no whole number" },
    { "threads: 1e2", "1:10", "is no whole number" },
    { "threads: 99999999999999999999", "1:10", "is no whole number" },
    { "policies: {paths: a}", "1:19", "policies.paths: a text where a list of texts belongs" },
    { "policies: [a]", "1:11", "policies: a list where a mapping belongs" },
    { "policies: {paths: [a, 5]}", "1:23", "policies.paths: a number where a text belongs" },
    { "policies:\n  paths:\n    - a\n    -\n", "4:6", "policies.paths: nothing where a text belongs" },
    { "policies: {paths: [a, '']}", "1:23", "policies.paths: an empty text in the list" },
    { "nodes: {awsNodeMayChange: [a]}", "1:28", "'a' does not start with metadata, spec or status" },
    { "nodes: {awsNodeMayChange: [spec.x, specs]}", "1:36", "'specs' does not start with" },
    { "nodes: {awsNodeMayChange: ['']}", "1:28", "an empty text in the list" },
    /* ranges and words */
    { "limits: {groupsPerPolicy: 0}", "1:27", "limits.groupsPerPolicy: 0 is out of range, 1 to 16" },
    { "limits: {groupsPerPolicy: 17}", "1:27", "17 is out of range, 1 to 16" },
    { "limits: {groupsPerInterface: -1}", "1:30", "limits.groupsPerInterface: -1 is out of range, 1 to 16" },
    { "limits:\n  bodyBytes: 1023\n", "2:14", "1023 is out of range, 1024 to 67108864" },
    { "limits:\n  bodyBytes: 67108865\n", "2:14", "67108865 is out of range" },
    { "limits: {connections: 7}", "1:23", "limits.connections: 7 is out of range, 8 to 100000" },
    { "limits: {connections: 100001}", "1:23", "100001 is out of range" },
    { "threads: 257", "1:10", "threads: 257 is out of range, 0 to 256" },
    { "threads: 9223372036854775807", "1:10", "9223372036854775807 is out of range, 0 to 256" },
    { "threads: -9223372036854775808", "1:10", "-9223372036854775808 is out of range, 0 to 256" },
    { "timeouts: {headersSeconds: 0}", "1:28", "0 is out of range, 1 to 300" },
    { "timeouts: {shutdownDelaySeconds: 601}", "1:34", "601 is out of range, 0 to 600" },
    { "profile: Strict", "1:10", "profile: 'Strict' is not one of baseline, strict" },
    { "profile: ''", "1:10", "profile: '' is not one of baseline, strict" },
    { "workloads: ignore", "1:12", "workloads: 'ignore' is not one of warn, deny" },
    { "podSecurityGroupEnforcingMode: on", "1:32", "true where one of strict, standard belongs" },
    { "log: {level: off}", "1:14", "log.level: false where one of error, warn, info, debug belongs" },
    { "log: {format: yaml}", "1:15", "log.format: 'yaml' is not one of auto, json, text" },
    /* checks */
    { "checks: deny", "1:9", "checks: a text where a mapping belongs" },
    { "checks: [pod-windows]", "1:9", "checks: a list where a mapping belongs" },
    { "checks: {pod-window: deny}", "1:10", "there is no check 'pod-window', is pod-windows meant?" },
    { "checks:\n  pod-windows: deny\n  podAnnotation: warn\n", "3:3", "'podAnnotation', is pod-annotation meant?" },
    { "checks: {everything: deny}", "1:10", "checks: there is no check 'everything'" },
    { "checks: {pod-windows: annotate}", "1:23", "checks.pod-windows: 'annotate' is not one of deny, warn, ignore" },
    { "checks: {pod-fargate: warn}", "1:23", "checks.pod-fargate: 'warn' is not one of annotate, deny, ignore" },
    { "checks: {pod-windows: no}", "1:23", "checks.pod-windows: false where one of deny, warn, ignore belongs" },
    { "checks: {pod-windows: {action: deny}}", "1:23", "a mapping where one of deny, warn, ignore belongs" },
};

START_TEST(config_refuses)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct config *config = NULL;
    struct err err = { 0 };
    char place[32];
    (void)snprintf(place, sizeof place, "c.yaml:%s: ", refused[_i].place);
    ck_assert(!config_parse(exact_text(&arena, refused[_i].text), STR("c.yaml"), &config, &err).ok);
    ck_assert_ptr_null(config);
    ck_assert_int_eq(err.kind, ERR_INPUT);
    ck_assert_msg(strncmp(err.msg, place, strlen(place)) == 0, "%s: %s", refused[_i].text, err.msg);
    ck_assert_msg(strstr(err.msg, refused[_i].message) != NULL, "%s: %s", refused[_i].text, err.msg);
    /* a word for the user is more than its place */
    ck_assert_uint_gt(strlen(err.msg), strlen(place));
}
END_TEST

static const char *const empty_texts[] = { "",     "\n", "# nothing\n", "---\n",       "---\n---\n",
                                           "null", "{}", "~\n",         "\xEF\xBB\xBF" };

START_TEST(config_of_nothing_is_the_defaults)
{
    const struct settings settings = settings_all();
    CLEANUP(config_freep) struct config *config = config_parsed(str_of(empty_texts[_i]));
    CLEANUP(config_freep) struct config *defaults = NULL;
    struct err err = { 0 };
    ck_assert(config_new(&defaults, &err).ok);
    for (size_t i = 0; i < settings.count; i++)
        ck_assert_msg(setting_equal(&settings.rows[i], config, defaults), "%s", settings.rows[i].path.ptr);
}
END_TEST

START_TEST(config_new_has_the_defaults_of_the_rows)
{
    const struct settings settings = settings_all();
    CLEANUP(config_freep) struct config *config = NULL;
    struct err err = { 0 };
    ck_assert(config_new(&config, &err).ok);
    for (size_t i = 0; i < settings.count; i++) {
        const char *fallback = settings.rows[i].fallback.ptr;
        ck_assert_str_eq(value_of(config, settings.rows[i].path.ptr), fallback ? fallback : "");
    }
    ck_assert_ptr_null(config->file.ptr);
    ck_assert_ptr_null(config->tls.cert_file.ptr);
}
END_TEST

/* Copied out of the text, which need not live on. */
START_TEST(config_keeps_its_texts)
{
    char text[] = "listen: a:1\npolicies: {paths: [b]}\n";
    CLEANUP(config_freep) struct config *config = config_parsed(str_of(text));
    memset(text, 'x', sizeof text - 1);
    ck_assert_str_eq(config->listen.ptr, "a:1");
    ck_assert_str_eq(config->policies.items[0].ptr, "b");
}
END_TEST

START_TEST(load_reads_a_file)
{
    const char *text = "threads: 7\n";
    CLEANUP(scratch_file_remove) struct scratch_file file = scratch_file_new(text);
    CLEANUP(config_freep) struct config *config = NULL;
    struct err err = { 0 };
    ck_assert_msg(config_load(file.path, &config, &err).ok, "%s", err.msg);
    ck_assert_int_eq(config->threads, 7);
    ck_assert(str_is(config->file, file.path));
}
END_TEST

START_TEST(load_names_the_file)
{
    const char *text = "threads: 7\nthread: 7\n";
    CLEANUP(scratch_file_remove) struct scratch_file file = scratch_file_new(text);
    struct config *config = NULL;
    struct err err = { 0 };
    char start[128];
    (void)snprintf(start, sizeof start, "%s:2:1: there is no setting thread, is threads meant?", file.path);
    ck_assert(!config_load(file.path, &config, &err).ok);
    ck_assert_str_eq(err.msg, start);
    ck_assert_ptr_null(config);
}
END_TEST

static const struct {
    const char *path;
    const char *message;
} unreadable[] = {
    { "/nonexistent/c.yaml", "/nonexistent/c.yaml: cannot be opened: No such file or directory" },
    { "/", "/: cannot be read: Is a directory" },
    { "/dev/zero", "/dev/zero: larger than 1048576 bytes, is it the right file?" },
};

START_TEST(load_refuses)
{
    struct config *config = NULL;
    struct err err = { 0 };
    ck_assert(!config_load(unreadable[_i].path, &config, &err).ok);
    ck_assert_str_eq(err.msg, unreadable[_i].message);
    ck_assert_int_eq(err.kind, ERR_INPUT);
    ck_assert_ptr_null(config);
}
END_TEST

START_TEST(load_bounds_what_aliases_expand_to)
{
    CLEANUP(config_freep) struct config *config = NULL;
    struct err err = { 0 };
    char text[2048];
    int len = snprintf(text, sizeof text, "- &a [x,x,x,x,x,x,x,x]\n");
    for (int c = 'a'; c < 'i'; c++)
        len += snprintf(text + len, sizeof text - (size_t)len, "- &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n",
                        c + 1, c, c, c, c, c, c, c, c, c, c);
    ck_assert(!config_parse(str_of(text), STR("c.yaml"), &config, &err).ok);
    ck_assert_msg(strncmp(err.msg, "c.yaml: needs more than", 23) == 0, "%s", err.msg);
    ck_assert_int_eq(err.kind, ERR_TOO_LARGE);
}
END_TEST

static TCase *reading_cases(void)
{
    TCase *cases = tcase_create("reading");
    tcase_add_loop_test(cases, config_reads, 0, ROWS(read_rows));
    tcase_add_loop_test(cases, config_refuses, 0, ROWS(refused));
    tcase_add_loop_test(cases, config_of_nothing_is_the_defaults, 0, ROWS(empty_texts));
    tcase_add_test(cases, config_new_has_the_defaults_of_the_rows);
    tcase_add_test(cases, config_keeps_its_texts);
    tcase_add_test(cases, load_reads_a_file);
    tcase_add_test(cases, load_names_the_file);
    tcase_add_loop_test(cases, load_refuses, 0, ROWS(unreadable));
    tcase_add_test(cases, load_bounds_what_aliases_expand_to);
    return cases;
}

Suite *config_suite(void)
{
    Suite *suite = suite_create("config");
    suite_add_tcase(suite, reading_cases());
    suite_add_tcase(suite, settling_cases());
    suite_add_tcase(suite, document_cases());
    return suite;
}

#include "server/config.h"

#include "server/setting_value.h"
#include "tests/unit/config_scratch.h"

#include <check.h>

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

TCase *settling_cases(void); /* test_config.c */

START_TEST(settle_gives_the_default_rules)
{
    CLEANUP(config_freep) struct config *config = config_settled("");
    const struct rules *rules = &config->rules;
    for (size_t i = 0; i < CHECK_COUNT; i++)
        ck_assert_int_eq(rules->actions[i], check_row((enum check)i)->action);
    ck_assert_uint_eq(rules->groups_per_policy, 5);
    ck_assert_uint_eq(rules->groups_per_interface, 5);
    ck_assert(rules->strict_mode);
    ck_assert(!rules->windows_ipam);
    ck_assert(!rules->workloads_deny);
    ck_assert_uint_eq(rules->node_fields.count, 0);
    ck_assert_ptr_eq(rules->instance_types, &config->instance_types);
    ck_assert_ptr_nonnull(instance_types_find(rules->instance_types, STR("m5.large")));
}
END_TEST

START_TEST(settle_takes_every_setting)
{
    CLEANUP(config_freep)
    struct config *config =
        config_settled("limits: {groupsPerPolicy: 6, groupsPerInterface: 16}\npodSecurityGroupEnforcingMode: standard\n"
                       "windowsIpam: true\nworkloads: deny\nnodes: {awsNodeMayChange: [spec.taints]}\n");
    const struct rules *rules = &config->rules;
    ck_assert_uint_eq(rules->groups_per_policy, 6);
    ck_assert_uint_eq(rules->groups_per_interface, 16);
    ck_assert(!rules->strict_mode);
    ck_assert(rules->windows_ipam);
    ck_assert(rules->workloads_deny);
    ck_assert_uint_eq(rules->node_fields.count, 1);
    ck_assert(str_is(rules->node_fields.items[0], "spec.taints"));
}
END_TEST

static const struct {
    const char *text;
    enum check check;
    enum action action;
} settled_actions[] = {
    { "profile: strict", CHECK_POD_WINDOWS, ACTION_DENY },
    { "profile: strict", CHECK_POD_LINK_LOCAL, ACTION_DENY },
    { "profile: strict", CHECK_POLICY_SELECTS_ALL, ACTION_WARN },
    { "profile: strict", CHECK_POD_FARGATE, ACTION_ANNOTATE },
    { "profile: strict\nchecks: {pod-windows: warn}", CHECK_POD_WINDOWS, ACTION_WARN },
    { "checks: {pod-windows: ignore}\nprofile: strict", CHECK_POD_WINDOWS, ACTION_IGNORE },
    { "checks: {pod-windows: ignore}\nprofile: strict", CHECK_POD_HOST_NETWORK, ACTION_DENY },
    { "checks: {policy-group-count: warn}", CHECK_POLICY_GROUP_COUNT, ACTION_WARN },
    { "checks: {pod-fargate: deny}", CHECK_POD_FARGATE, ACTION_DENY },
    { "checks: {pod-annotation: ignore}", CHECK_POD_ANNOTATION, ACTION_IGNORE },
};

START_TEST(settle_ranks_checks_over_the_profile)
{
    CLEANUP(config_freep) struct config *config = config_settled(settled_actions[_i].text);
    ck_assert_int_eq(config->rules.actions[settled_actions[_i].check], settled_actions[_i].action);
}
END_TEST

#define TABLE_HEADING "instance_type\ttrunking_compatible\tbranch_interfaces\n"

START_TEST(settle_reads_a_table)
{
    const char *text = TABLE_HEADING "x9.large\ttrue\t3\n";
    CLEANUP(scratch_file_remove) struct scratch_file file = scratch_file_new(text);
    CLEANUP(config_freep) struct config *config = config_parsed(STR(""));
    struct err err = { 0 };
    config->instance_types_file = str_of(file.path);
    ck_assert_msg(config_settle(config, &err).ok, "%s", err.msg);
    ck_assert_uint_eq(config->instance_types.count, 1);
    ck_assert_uint_eq(instance_types_find(config->rules.instance_types, STR("x9.large"))->branch_interfaces, 3);
}
END_TEST

static const struct {
    const char *table;
    const char *message; /* behind the path */
} refused_tables[] = {
    { "", ":1: no instance type" },
    { "m5.large\ttrue\t9\n", ":1: the heading" },
    { TABLE_HEADING "m5.large\ttrue\t9\nm5.xlarge\tmaybe\t9\n", ":3: trunking_compatible: 'maybe'" },
    { TABLE_HEADING "m5.large\ttrue\tnine\n", ":2: branch_interfaces: 'nine'" },
};

START_TEST(settle_refuses_a_table)
{
    const char *table = refused_tables[_i].table;
    CLEANUP(scratch_file_remove) struct scratch_file file = scratch_file_new(table);
    CLEANUP(config_freep) struct config *config = config_parsed(STR(""));
    struct err err = { 0 };
    config->instance_types_file = str_of(file.path);
    ck_assert(!config_settle(config, &err).ok);
    ck_assert_msg(strncmp(err.msg, file.path, strlen(file.path)) == 0, "%s", err.msg);
    ck_assert_msg(strstr(err.msg, refused_tables[_i].message) == err.msg + strlen(file.path), "%s", err.msg);
}
END_TEST

static const struct {
    const char *text;
    const char *message;
} refused_pairs[] = {
    { "tls: {certFile: a}", "c.yaml: tls.keyFile is missing: a certificate and its key belong together" },
    { "tls: {keyFile: a}", "c.yaml: tls.certFile is missing: a certificate and its key belong together" },
    { "threads: 9\nlimits: {connections: 8}", "c.yaml: limits.connections: 8 are less than one for each of 9 threads" },
    { "instanceTypesFile: /nonexistent/t", "/nonexistent/t: cannot be opened: No such file or directory" },
    { "instanceTypesFile: /dev/zero", "/dev/zero: larger than 4194304 bytes, is it the right file?" },
};

START_TEST(settle_refuses)
{
    CLEANUP(config_freep) struct config *config = config_parsed(str_of(refused_pairs[_i].text));
    struct err err = { 0 };
    ck_assert(!config_settle(config, &err).ok);
    ck_assert_str_eq(err.msg, refused_pairs[_i].message);
    ck_assert_int_eq(err.kind, ERR_INPUT);
}
END_TEST

static const struct {
    const char *now;
    const char *next;
    const char *names;
} restarts[] = {
    { "", "", "" },
    { "", "listen: ':9443'", "" },
    { "", "listen: ':9444'", "listen" },
    { "listen: ':9444'\nthreads: 2\n", "", "listen, threads" },
    { "tls: {selfSigned: a}", "tls: {selfSigned: ''}", "tls.selfSigned" },
    { "log: {level: warn}", "log: {level: error, format: text}", "log.level, log.format" },
    { "", "profile: strict\nworkloads: deny\nwindowsIpam: true\nchecks: {pod-windows: deny}\n", "" },
    { "", "limits: {groupsPerPolicy: 6, bodyBytes: 2048, connections: 9}", "limits.bodyBytes, limits.connections" },
    { "", "policies: {paths: [a]}\nnodes: {awsNodeMayChange: [spec]}\ntimeouts: {shutdownDelaySeconds: 0}", "" },
};

START_TEST(restart_needed_names_settings)
{
    CLEANUP(config_freep) struct config *now = config_parsed(str_of(restarts[_i].now));
    CLEANUP(config_freep) struct config *next = config_parsed(str_of(restarts[_i].next));
    struct str names = { 0 };
    struct err err = { 0 };
    ck_assert(config_restart_needed(now, next, &names, &err).ok);
    ck_assert_msg(str_is(names, restarts[_i].names), "%.*s", STR_ARGS(names));
}
END_TEST

static const struct {
    const char *text;
    const char *other;
    const char *path;
    bool equal;
} compared[] = {
    { "policies: {paths: [a, b]}", "policies: {paths: [a, b]}", "policies.paths", true },
    { "policies: {paths: [a, b]}", "policies: {paths: [b, a]}", "policies.paths", false },
    { "policies: {paths: [a, b]}", "policies: {paths: [a]}", "policies.paths", false },
    { "checks: {pod-windows: deny}", "checks: {pod-windows: deny}", "checks", true },
    { "checks: {pod-windows: deny}", "checks: {pod-windows: warn}", "checks", false },
    { "checks: {pod-windows: warn}", "", "checks", false },
    { "windowsIpam: true", "windowsIpam: false", "windowsIpam", false },
    { "threads: 1", "threads: 2", "threads", false },
    { "profile: strict", "profile: strict", "profile", true },
};

START_TEST(setting_equal_compares)
{
    CLEANUP(config_freep) struct config *config = config_parsed(str_of(compared[_i].text));
    CLEANUP(config_freep) struct config *other = config_parsed(str_of(compared[_i].other));
    const struct setting *row = setting_find(str_of(compared[_i].path));
    ck_assert_int_eq(setting_equal(row, config, other), compared[_i].equal);
    ck_assert_int_eq(setting_equal(row, other, config), compared[_i].equal);
}
END_TEST

TCase *settling_cases(void)
{
    TCase *cases = tcase_create("settling");
    tcase_add_test(cases, settle_gives_the_default_rules);
    tcase_add_test(cases, settle_takes_every_setting);
    tcase_add_loop_test(cases, settle_ranks_checks_over_the_profile, 0, ROWS(settled_actions));
    tcase_add_test(cases, settle_reads_a_table);
    tcase_add_loop_test(cases, settle_refuses_a_table, 0, ROWS(refused_tables));
    tcase_add_loop_test(cases, settle_refuses, 0, ROWS(refused_pairs));
    tcase_add_loop_test(cases, restart_needed_names_settings, 0, ROWS(restarts));
    tcase_add_loop_test(cases, setting_equal_compares, 0, ROWS(compared));
    return cases;
}

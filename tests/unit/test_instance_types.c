#include "policy/instance_types.h"

#include "tests/unit/fixtures.h"
#include "tests/unit/suites.h"

#define HEADING "instance_type\ttrunking_compatible\tbranch_interfaces\n"

static const struct {
    const char *name;
    bool known, trunking;
    unsigned branches;
} builtin[] = {
    { "m5.large", true, true, 9 },    { "a1.medium", true, true, 10 }, { "t3.medium", true, false, 0 },
    { "t2.nano", true, false, 0 },    { "m5.Large", false, false, 0 }, { "m5.larg", false, false, 0 },
    { "m5.large ", false, false, 0 }, { "", false, false, 0 },         { "zz9.huge", false, false, 0 },
};

START_TEST(builtin_table)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct instance_types types = { 0 };
    struct err err = { 0 };
    expect_done(instance_types_parse(instance_types_builtin(), &arena, &types, &err), &err);
    ck_assert_uint_eq(types.count, 1164);
    const struct instance_type *type = instance_types_find(&types, str_of(builtin[_i].name));
    ck_assert_int_eq(type != NULL, builtin[_i].known);
    if (!type)
        return;
    ck_assert_int_eq(type->trunking, builtin[_i].trunking);
    ck_assert_uint_eq(type->branch_interfaces, builtin[_i].branches);
}
END_TEST

START_TEST(every_builtin_type_is_found)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct instance_types types = { 0 };
    struct err err = { 0 };
    size_t trunking = 0;
    expect_done(instance_types_parse(instance_types_builtin(), &arena, &types, &err), &err);
    for (size_t i = 0; i < types.count; i++) {
        ck_assert_ptr_eq(instance_types_find(&types, types.items[i].name), &types.items[i]);
        trunking += types.items[i].trunking;
    }
    ck_assert_uint_eq(trunking, 1060);
}
END_TEST

static const struct {
    const char *text;
    size_t count;
} accepted[] = {
    { HEADING "a\ttrue\t1\n", 1 },
    { HEADING "a\ttrue\t1", 1 },
    { HEADING "a\ttrue\t1\r\nb\tfalse\t0\r\n", 2 },
    { HEADING "\n# a comment\nb\tfalse\t0\n\n", 1 },
    { HEADING "a\ttrue\t9999\tnitro\tfalse\textra\n", 1 },
    { "instance_type\twhatever\n" HEADING "z\ttrue\t1\na\ttrue\t2\n", 2 },
};

START_TEST(accepts)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct instance_types types = { 0 };
    struct err err = { 0 };
    expect_done(instance_types_parse(str_of(accepted[_i].text), &arena, &types, &err), &err);
    ck_assert_uint_eq(types.count, accepted[_i].count);
    for (size_t i = 1; i < types.count; i++)
        ck_assert_int_lt(str_compare(types.items[i - 1].name, types.items[i].name), 0);
}
END_TEST

static const struct {
    const char *text, *message;
} refused[] = {
    { "", "1: no instance type in the table" },
    { HEADING, "1: no instance type in the table" },
    { HEADING "# none\n", "1: no instance type in the table" },
    { "a\ttrue\t1\n", "1: the heading" },
    { "\n" HEADING "a\ttrue\t1\n", "1: the heading" },
    { HEADING "a\n", "2: trunking_compatible: '' is neither true nor false" },
    { HEADING "a\tyes\t1\n", "2: trunking_compatible: 'yes' is neither true nor false" },
    { HEADING "a\ttrue\n", "2: branch_interfaces: '' is no number from 0 to 9999" },
    { HEADING "a\ttrue\t-1\n", "2: branch_interfaces: '-1' is no number from 0 to 9999" },
    { HEADING "a\ttrue\t1.5\n", "2: branch_interfaces: '1.5' is no number from 0 to 9999" },
    { HEADING "a\ttrue\t10000\n", "2: branch_interfaces: '10000' is no number from 0 to 9999" },
    { HEADING "a\ttrue\t1\n\n\ttrue\t1\n", "4: instance_type: missing" },
    { HEADING "a\ttrue\t1\nb\ttrue\t1\na\ttrue\t1\n", "instance type a occurs twice" },
};

START_TEST(refuses)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct instance_types types = { 0 };
    struct err err = { 0 };
    ck_assert(!instance_types_parse(str_of(refused[_i].text), &arena, &types, &err).ok);
    ck_assert_int_eq(err.kind, ERR_INPUT);
    ck_assert_msg(strstr(err.msg, refused[_i].message) != NULL, "%s", err.msg);
    ck_assert_ptr_null(types.items);
    ck_assert_uint_eq(types.count, 0);
}
END_TEST

START_TEST(empty_table_knows_nothing)
{
    const struct instance_types none = { 0 };
    ck_assert_ptr_null(instance_types_find(&none, STR("m5.large")));
}
END_TEST

Suite *instance_types_suite(void)
{
    Suite *suite = suite_create("instance_types");
    TCase *cases = tcase_create("instance_types");
    tcase_add_loop_test(cases, builtin_table, 0, ROWS(builtin));
    tcase_add_test(cases, every_builtin_type_is_found);
    tcase_add_loop_test(cases, accepts, 0, ROWS(accepted));
    tcase_add_loop_test(cases, refuses, 0, ROWS(refused));
    tcase_add_test(cases, empty_table_knows_nothing);
    suite_add_tcase(suite, cases);
    return suite;
}

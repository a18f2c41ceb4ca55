#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/fixtures.h"
#include "tests/unit/suites.h"

TCase *json_text_cases(void); /* test_json_text.c */

/* One field of every type. */
struct part {
    struct str name;
    struct integer count;
};

struct thing {
    struct str text;
    bool flag;
    struct integer number;
    struct str_list words;
    struct str_map map;
    struct str_map amounts;
    struct part part;
    struct part *pointer;
    struct {
        struct part *items;
        size_t count;
    } parts;
    struct str raw;
    struct part *aside;
};

static const struct field part_fields[] = {
    { STR_INIT("name"), FIELD_STRING, offsetof(struct part, name), NULL, false },
    { STR_INIT("count"), FIELD_INTEGER, offsetof(struct part, count), NULL, false },
};
static const struct shape part_shape = SHAPE_INIT(part_fields, struct part);

static const struct field thing_fields[] = {
    { STR_INIT("text"), FIELD_STRING, offsetof(struct thing, text), NULL, false },
    { STR_INIT("flag"), FIELD_BOOL, offsetof(struct thing, flag), NULL, false },
    { STR_INIT("number"), FIELD_INTEGER, offsetof(struct thing, number), NULL, false },
    { STR_INIT("words"), FIELD_STRINGS, offsetof(struct thing, words), NULL, false },
    { STR_INIT("map"), FIELD_MAP, offsetof(struct thing, map), NULL, false },
    { STR_INIT("amounts"), FIELD_QUANTITIES, offsetof(struct thing, amounts), NULL, false },
    { STR_INIT("part"), FIELD_OBJECT, offsetof(struct thing, part), &part_shape, false },
    { STR_INIT("pointer"), FIELD_POINTER, offsetof(struct thing, pointer), &part_shape, false },
    { STR_INIT("parts"), FIELD_LIST, offsetof(struct thing, parts), &part_shape, false },
    { STR_INIT("raw"), FIELD_RAW, offsetof(struct thing, raw), NULL, false },
    { STR_INIT("aside"), FIELD_POINTER, offsetof(struct thing, aside), &part_shape, true },
};
static const struct shape thing_shape = SHAPE_INIT(thing_fields, struct thing);

struct reading {
    struct arena arena;
    struct json_input input;
    struct thing thing;
    struct err err, aside;
    bool ok;
};

static void read_text(struct reading *reading, struct str text)
{
    reading->input = (struct json_input){ .text = text, .arena = &reading->arena, .aside = &reading->aside };
    reading->ok = json_read(&reading->input, &thing_shape, &reading->thing, &reading->err).ok;
}

static void read_quoted(struct reading *reading, const char *text)
{
    read_text(reading, quoted(&reading->arena, text));
}

static void reading_free(struct reading *reading)
{
    arena_free(&reading->arena);
}

START_TEST(reads_every_type)
{
    CLEANUP(reading_free) struct reading reading = { 0 };
    const struct thing *thing = &reading.thing;
    read_quoted(&reading, "{'text':'a','flag':true,'number':-7,'words':['x','y'],'map':{'b':'2','a':'1'},"
                          "'amounts':{'cpu':1.5,'memory':'1Gi'},'part':{'name':'p','count':0},"
                          "'pointer':{'name':'q'},'parts':[{'name':'r'},{'count':3}],'raw': [1, {}] ,'other':{}}");
    expect_done((struct outcome){ reading.ok }, &reading.err);
    expect_text(thing->text, "a");
    ck_assert(thing->flag);
    ck_assert(thing->number.present && thing->number.value == -7);
    ck_assert_uint_eq(thing->words.count, 2);
    expect_text(thing->words.items[1], "y");
    ck_assert_uint_eq(thing->map.count, 2);
    expect_text(thing->map.items[0].key, "a");
    expect_text(thing->map.items[1].value, "2");
    expect_text(thing->amounts.items[0].value, "1.5");
    expect_text(thing->amounts.items[1].value, "1Gi");
    expect_text(thing->part.name, "p");
    ck_assert(thing->part.count.present && thing->part.count.value == 0);
    expect_text(thing->pointer->name, "q");
    ck_assert(!thing->pointer->count.present);
    ck_assert_uint_eq(thing->parts.count, 2);
    ck_assert_int_eq(thing->parts.items[1].count.value, 3);
    expect_text(thing->raw, "[1, {}]");
}
END_TEST

START_TEST(null_is_absent_everywhere)
{
    CLEANUP(reading_free) struct reading reading = { 0 };
    const struct thing none = { 0 };
    read_quoted(&reading, "{'text':null,'flag':null,'number':null,'words':null,'map':null,'amounts':null,"
                          "'part':null,'pointer':null,'parts':null,'raw':null,'aside':null}");
    expect_done((struct outcome){ reading.ok }, &reading.err);
    ck_assert_mem_eq(&reading.thing, &none, sizeof none);
}
END_TEST

START_TEST(null_in_lists_and_maps)
{
    CLEANUP(reading_free) struct reading reading = { 0 };
    const struct thing *thing = &reading.thing;
    read_quoted(&reading, "{'words':[null,'x'],'map':{'a':null},'amounts':{'a':null},'parts':[null,{}]}");
    expect_done((struct outcome){ reading.ok }, &reading.err);
    expect_text(thing->words.items[0], "");
    ck_assert_ptr_nonnull(thing->words.items[0].ptr);
    expect_text(thing->map.items[0].value, "");
    expect_text(thing->amounts.items[0].value, "");
    ck_assert_uint_eq(thing->parts.count, 2);
    ck_assert_ptr_null(thing->parts.items[0].name.ptr);
}
END_TEST

START_TEST(empty_is_not_absent)
{
    CLEANUP(reading_free) struct reading reading = { 0 };
    const struct thing *thing = &reading.thing;
    read_quoted(&reading, "{'text':'','map':{},'amounts':{},'pointer':{},'raw':''}");
    expect_done((struct outcome){ reading.ok }, &reading.err);
    ck_assert_ptr_nonnull(thing->text.ptr);
    ck_assert(thing->map.present && thing->map.count == 0);
    ck_assert(thing->amounts.present);
    ck_assert_ptr_nonnull(thing->pointer);
    expect_text(thing->raw, "\"\"");
}
END_TEST

START_TEST(strings_are_unescaped)
{
    CLEANUP(reading_free) struct reading reading = { 0 };
    static const char text[] = "{\"text\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20ac\\ud83d\\ude00\\u0000z\","
                               "\"t\\u0065xt2\":1,\"m\\u0061p\":{\"\\u006b\":\"v\"}}";
    read_text(&reading, (struct str){ text, sizeof text - 1 });
    expect_done((struct outcome){ reading.ok }, &reading.err);
    ck_assert(str_equal(reading.thing.text, STR("\"\\/\b\f\n\r\tA\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\0z")));
    expect_text(reading.thing.map.items[0].key, "k");
}
END_TEST

START_TEST(names_of_members_are_compared_exactly)
{
    CLEANUP(reading_free) struct reading reading = { 0 };
    read_quoted(&reading, "{'Text':'a','TEXT':5,'text ':[],'tex':{}}");
    expect_done((struct outcome){ reading.ok }, &reading.err);
    ck_assert_ptr_null(reading.thing.text.ptr);
}
END_TEST

/* What is wrong with a type, with the path to it and the byte. */
static const struct {
    const char *text, *message;
    size_t offset;
} mismatches[] = {
    { "{'text':5}", "text: a number where a string belongs", 8 },
    { "{'text':true}", "text: a boolean where a string belongs", 8 },
    { "{'text':{}}", "text: an object where a string belongs", 8 },
    { "{'text':[ 'a' ]}", "text: a list where a string belongs", 8 },
    { "{'flag':'true'}", "flag: a string where true or false belongs", 8 },
    { "{'flag':1}", "flag: a number where true or false belongs", 8 },
    { "{'number':'1'}", "number: a string where an integer belongs", 10 },
    { "{'number':1.5}", "number: a fraction where an integer belongs", 10 },
    { "{'number':1e2}", "number: a fraction where an integer belongs", 10 },
    { "{'number':1.00000000000000000000000000}", "number: a fraction where an integer belongs", 10 },
    { "{'words':'a'}", "words: a string where a list belongs", 9 },
    { "{'words':{}}", "words: an object where a list belongs", 9 },
    { "{'words':['a',2]}", "words[1]: a number where a string belongs", 14 },
    { "{'map':[]}", "map: a list where an object belongs", 7 },
    { "{'map':'a'}", "map: a string where an object belongs", 7 },
    { "{'map':{'a/b':1}}", "map[a/b]: a number where a string belongs", 14 },
    { "{'map':{'a':'1','b':false}}", "map[b]: a boolean where a string belongs", 20 },
    { "{'amounts':{'cpu':true}}", "amounts[cpu]: a boolean where a string belongs", 18 },
    { "{'part':[]}", "part: a list where an object belongs", 8 },
    { "{'part':{'name':1}}", "part.name: a number where a string belongs", 16 },
    { "{'pointer':'x'}", "pointer: a string where an object belongs", 11 },
    { "{'pointer':{'count':'x'}}", "pointer.count: a string where an integer belongs", 20 },
    { "{'parts':{}}", "parts: an object where a list belongs", 9 },
    { "{'parts':[{},{'name':[]}]}", "parts[1].name: a list where a string belongs", 21 },
    { "{'parts':['x']}", "parts[0]: a string where an object belongs", 10 },
    { "{'text':'a','text':'b'}", "text: occurs twice", 19 },
    { "{'text':null,'text':'b'}", "text: occurs twice", 20 },
    { "{'part':{'name':'a','name':'a'}}", "part.name: occurs twice", 27 },
    { "{'map':{'a':'1','a':'1'}}", "map[a]: occurs twice", 7 },
    { "{'map':{'b':'1','a':'1','b':'2'}}", "map[b]: occurs twice", 7 },
    { "{'raw':1,'raw':2}", "raw: occurs twice", 15 },
};

START_TEST(mismatch_names_the_path)
{
    CLEANUP(reading_free) struct reading reading = { 0 };
    read_quoted(&reading, mismatches[_i].text);
    ck_assert(!reading.ok);
    ck_assert_int_eq(reading.err.kind, ERR_INPUT);
    ck_assert_str_eq(reading.err.msg, mismatches[_i].message);
    ck_assert_uint_eq(reading.input.error_offset, mismatches[_i].offset);
    ck_assert_int_eq(reading.aside.kind, ERR_NONE);
}
END_TEST

static const struct {
    const char *text;
    const char *aside; /* kept aside; NULL: nothing */
    const char *fatal; /* NULL: the reading succeeds */
    size_t offset;
} asides[] = {
    { "{'aside':{'name':'a'},'text':'z'}", NULL, NULL, 0 },
    { "{'aside':5,'text':'z'}", "aside: a number where an object belongs", NULL, 9 },
    { "{'aside':{'name':[{}],'count':'x'},'text':'z'}", "aside.name: a list where a string belongs", NULL, 17 },
    { "{'aside':{'name':'a','name':'b'},'text':'z'}", "aside.name: occurs twice", NULL, 28 },
    { "{'aside':5,'text':6}", "aside: a number where an object belongs", "text: a number where a string belongs", 18 },
    { "{'aside':5,'text':6", "aside: a number where an object belongs", "text: a number where a string belongs", 18 },
    { "{'aside':{'name':[}}", NULL, "expected a value at byte 18", 18 },
    { "{'aside':5,'text':}", "aside: a number where an object belongs", "expected a value at byte 18", 18 },
};

START_TEST(mismatch_is_kept_aside)
{
    CLEANUP(reading_free) struct reading reading = { 0 };
    read_quoted(&reading, asides[_i].text);
    ck_assert_int_eq(reading.ok, asides[_i].fatal == NULL);
    ck_assert_str_eq(reading.aside.msg, asides[_i].aside ? asides[_i].aside : "");
    ck_assert_str_eq(reading.err.msg, asides[_i].fatal ? asides[_i].fatal : "");
    if (reading.ok)
        expect_text(reading.thing.text, "z"); /* what follows is read */
    if (!reading.ok || asides[_i].aside)
        ck_assert_uint_eq(reading.input.error_offset, asides[_i].offset);
}
END_TEST

START_TEST(without_aside_a_mismatch_is_fatal)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct json_input input = { .text = STR("{\"aside\":5}"), .arena = &arena };
    struct thing thing = { 0 };
    struct err err = { 0 };
    ck_assert(!json_read(&input, &thing_shape, &thing, &err).ok);
    ck_assert_str_eq(err.msg, "aside: a number where an object belongs");
}
END_TEST

START_TEST(long_paths_are_cut)
{
    CLEANUP(reading_free) struct reading reading = { 0 };
    char text[1024];
    (void)snprintf(text, sizeof text, "{\"map\":{\"%0500d\":5}}", 0);
    read_text(&reading, str_of(text));
    ck_assert(!reading.ok);
    ck_assert_ptr_nonnull(strstr(reading.err.msg, "map[0000"));
    ck_assert_ptr_nonnull(strstr(reading.err.msg, "a number where a string belongs"));
}
END_TEST

START_TEST(large_lists_and_maps)
{
    CLEANUP(reading_free) struct reading reading = { 0 };
    enum { COUNT = 5000 };
    char *text = malloc(COUNT * 40);
    ck_assert_ptr_nonnull(text);
    char *at = text + sprintf(text, "{\"words\":[");
    for (int i = 0; i < COUNT; i++)
        at += sprintf(at, "%s\"w%d\"", i ? "," : "", i);
    at += sprintf(at, "],\"map\":{");
    for (int i = 0; i < COUNT; i++) /* backwards, so that there is something to sort */
        at += sprintf(at, "%s\"k%04d\":\"%d\"", i ? "," : "", COUNT - i, i);
    at += sprintf(at, "}}");
    read_text(&reading, (struct str){ text, (size_t)(at - text) });
    expect_done((struct outcome){ reading.ok }, &reading.err);
    ck_assert_uint_eq(reading.thing.words.count, COUNT);
    expect_text(reading.thing.words.items[4999], "w4999");
    ck_assert_uint_eq(reading.thing.map.count, COUNT);
    for (size_t i = 1; i < COUNT; i++)
        ck_assert_int_lt(str_compare(reading.thing.map.items[i - 1].key, reading.thing.map.items[i].key), 0);
    free(text);
}
END_TEST

START_TEST(ceiling_is_too_large)
{
    CLEANUP(reading_free) struct reading reading = { .arena.ceiling_bytes = 64 };
    read_text(&reading, STR("{\"words\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\"]}"));
    ck_assert(!reading.ok);
    ck_assert_int_eq(reading.err.kind, ERR_TOO_LARGE);
}
END_TEST

static const struct {
    const char *text;
    size_t offset, line, column;
} positions[] = {
    { "", 0, 1, 1 },          { "abc", 0, 1, 1 },    { "abc", 2, 1, 3 },  { "a\nbc", 2, 2, 1 },
    { "a\n\n\nbc", 5, 4, 2 }, { "a\r\nb", 3, 2, 1 }, { "abc", 99, 1, 4 },
};

START_TEST(position)
{
    size_t line = 0, column = 0;
    json_position(str_of(positions[_i].text), positions[_i].offset, &line, &column);
    ck_assert_uint_eq(line, positions[_i].line);
    ck_assert_uint_eq(column, positions[_i].column);
}
END_TEST

START_TEST(walks_raw_values)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct json_members members = { 0 };
    struct str text = { 0 };
    struct err err = { 0 };
    expect_done(json_members(STR("{ \"z\" : [1, 2] ,\"\\u0061\":\"x\\n\", \"b\":null}"), &arena, &members, &err), &err);
    ck_assert_uint_eq(members.count, 3);
    expect_text(members.items[0].key, "z");
    expect_text(members.items[0].value, "[1, 2]");
    expect_text(members.items[1].key, "a");
    expect_done(json_unescape(members.items[1].value, &arena, &text, &err), &err);
    expect_text(text, "x\n");
    ck_assert_int_eq(json_type_of(members.items[2].value), JSON_NULL);
    expect_done(json_members(members.items[0].value, &arena, &members, &err), &err);
    ck_assert_uint_eq(members.count, 2);
    ck_assert_ptr_null(members.items[0].key.ptr);
    expect_text(members.items[1].value, "2");
    expect_done(json_members(STR("{}"), &arena, &members, &err), &err);
    ck_assert_uint_eq(members.count, 0);
}
END_TEST

static const struct {
    const char *value;
    enum json_type type;
} types[] = {
    { "null", JSON_NULL },   { "true", JSON_TRUE }, { "false", JSON_FALSE }, { "-1", JSON_NUMBER },
    { "\"\"", JSON_STRING }, { " []", JSON_ARRAY }, { "{}", JSON_OBJECT },
};

START_TEST(tells_types)
{
    ck_assert_int_eq(json_type_of(str_of(types[_i].value)), types[_i].type);
}
END_TEST

Suite *json_suite(void)
{
    Suite *suite = suite_create("json");
    TCase *cases = tcase_create("shapes");
    tcase_add_test(cases, reads_every_type);
    tcase_add_test(cases, null_is_absent_everywhere);
    tcase_add_test(cases, null_in_lists_and_maps);
    tcase_add_test(cases, empty_is_not_absent);
    tcase_add_test(cases, strings_are_unescaped);
    tcase_add_test(cases, names_of_members_are_compared_exactly);
    tcase_add_loop_test(cases, mismatch_names_the_path, 0, ROWS(mismatches));
    tcase_add_loop_test(cases, mismatch_is_kept_aside, 0, ROWS(asides));
    tcase_add_test(cases, without_aside_a_mismatch_is_fatal);
    tcase_add_test(cases, long_paths_are_cut);
    tcase_add_test(cases, large_lists_and_maps);
    tcase_add_test(cases, ceiling_is_too_large);
    tcase_add_loop_test(cases, position, 0, ROWS(positions));
    tcase_add_test(cases, walks_raw_values);
    tcase_add_loop_test(cases, tells_types, 0, ROWS(types));
    suite_add_tcase(suite, json_text_cases());
    suite_add_tcase(suite, cases);
    return suite;
}

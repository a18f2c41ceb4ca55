#include "base/arena.h"

#include "tests/unit/fixtures.h"
#include "tests/unit/suites.h"

#include <stdalign.h>

START_TEST(takes_zeroed_aligned_memory)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct err err = { 0 };
    for (size_t bytes = 0; bytes < 3000; bytes += 7) {
        unsigned char *piece = NULL;
        expect_done(arena_take(&arena, bytes, &piece, &err), &err);
        ck_assert_uint_eq((uintptr_t)piece % alignof(max_align_t), 0);
        ck_assert(bytes == 0 || (piece[0] == 0 && memcmp(piece, piece + 1, bytes - 1) == 0));
        memset(piece, 0xAA, bytes);
    }
}
END_TEST

START_TEST(pieces_do_not_overlap)
{
    CLEANUP(arena_free) struct arena arena = { .first_chunk_bytes = 64 };
    enum { PIECES = 500 };
    unsigned char *pieces[PIECES];
    struct err err = { 0 };
    for (size_t i = 0; i < PIECES; i++) {
        expect_done(arena_take(&arena, i + 1, &pieces[i], &err), &err);
        memset(pieces[i], (int)(i & 255), i + 1);
    }
    for (size_t i = 0; i < PIECES; i++)
        ck_assert(pieces[i][0] == (i & 255) && memcmp(pieces[i], pieces[i] + 1, i) == 0);
}
END_TEST

START_TEST(ceiling_refuses)
{
    CLEANUP(arena_free) struct arena arena = { .ceiling_bytes = 1024 };
    struct err err = { 0 };
    char *piece = NULL, *refused = NULL;
    expect_done(arena_take(&arena, 1000, &piece, &err), &err);
    ck_assert(!arena_take(&arena, 1000, &refused, &err).ok);
    ck_assert_int_eq(err.kind, ERR_TOO_LARGE);
    ck_assert_ptr_nonnull(strstr(err.msg, "1024"));
    ck_assert_ptr_null(refused);
    arena_flush(&arena);
    expect_done(arena_take(&arena, 1000, &refused, &err), &err);
}
END_TEST

static const struct {
    size_t count, size;
} too_large[] = { { SIZE_MAX, 2 }, { SIZE_MAX / 2, 3 }, { 1, SIZE_MAX }, { SIZE_MAX / 8, 8 } };

START_TEST(overflow_is_too_large)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct err err = { 0 };
    char *piece = NULL;
    ck_assert(!arena_take_array(&arena, too_large[_i].count, too_large[_i].size, &piece, &err).ok);
    ck_assert_int_eq(err.kind, ERR_TOO_LARGE);
    ck_assert_ptr_null(piece);
}
END_TEST

START_TEST(copy_keeps_absent_apart_from_empty)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct err err = { 0 };
    struct str copy = STR("before");
    expect_done(arena_copy(&arena, (struct str){ 0 }, &copy, &err), &err);
    ck_assert_ptr_null(copy.ptr);
    expect_done(arena_copy(&arena, STR(""), &copy, &err), &err);
    ck_assert_ptr_nonnull(copy.ptr);
    ck_assert_uint_eq(copy.len, 0);
    expect_done(arena_copy(&arena, STR("a\0b"), &copy, &err), &err);
    ck_assert(str_equal(copy, STR("a\0b")));
}
END_TEST

__attribute__((format(printf, 4, 5))) static struct str printed(struct arena *arena, size_t max, struct err *err,
                                                                const char *format, ...)
{
    struct str out = { 0 };
    va_list args;
    va_start(args, format);
    struct outcome done = arena_vprint(arena, max, &out, err, format, args);
    va_end(args);
    expect_done(done, err);
    return out;
}

START_TEST(prints)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct err err = { 0 };
    struct str text = { 0 };
    expect_done(arena_print(&arena, &text, &err, "%s-%d", "a", 12), &err);
    expect_text(text, "a-12");
    ck_assert_int_eq(text.ptr[text.len], '\0');
    expect_text(printed(&arena, 4, &err, "%s", "abcd"), "abcd");
    expect_text(printed(&arena, 3, &err, "%s", "abcd"), "abc");
    expect_text(printed(&arena, 3, &err, "%s", "ab\xC3\xA9"), "ab");
}
END_TEST

START_TEST(print_refuses_at_the_ceiling)
{
    CLEANUP(arena_free) struct arena arena = { .ceiling_bytes = 16 };
    struct err err = { 0 };
    struct str text = { 0 };
    ck_assert(!arena_print(&arena, &text, &err, "%64d", 1).ok);
    ck_assert_int_eq(err.kind, ERR_TOO_LARGE);
    ck_assert_ptr_null(text.ptr);
}
END_TEST

START_TEST(flush_and_free_leave_it_usable)
{
    struct arena arena = { 0 };
    struct err err = { 0 };
    char *piece = NULL;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++)
            expect_done(arena_take(&arena, 1000, &piece, &err), &err);
        ck_assert_uint_ge(arena.used_bytes, 100 * 1000);
        arena_flush(&arena);
        ck_assert_uint_eq(arena.used_bytes, 0);
    }
    arena_free(&arena);
    arena_free(&arena);
    expect_done(arena_take(&arena, 5000000, &piece, &err), &err);
    arena_free(&arena);
}
END_TEST

Suite *arena_suite(void)
{
    Suite *suite = suite_create("arena");
    TCase *cases = tcase_create("arena");
    tcase_add_test(cases, takes_zeroed_aligned_memory);
    tcase_add_test(cases, pieces_do_not_overlap);
    tcase_add_test(cases, ceiling_refuses);
    tcase_add_loop_test(cases, overflow_is_too_large, 0, ROWS(too_large));
    tcase_add_test(cases, copy_keeps_absent_apart_from_empty);
    tcase_add_test(cases, prints);
    tcase_add_test(cases, print_refuses_at_the_ceiling);
    tcase_add_test(cases, flush_and_free_leave_it_usable);
    suite_add_tcase(suite, cases);
    return suite;
}

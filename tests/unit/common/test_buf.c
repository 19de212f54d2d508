/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"
#include "failing_malloc.h"

static void an_empty_buffer_reads_as_empty_text(void **state)
{
    (void)state;
    cleanup_buf struct buf b = {0};
    assert_buf(&b, "");
    buf_add(&b, NULL, 0);
    assert_null(b.data);
    assert_ok(buf_check(&b, NULL));
}

static void appends_stand_behind_one_another_with_a_nul_at_the_end(void **state)
{
    (void)state;
    cleanup_buf struct buf b = {0};
    buf_add_text(&b, "one");
    buf_add_byte(&b, ',');
    buf_printf(&b, "%s-%d", "two", 2);
    buf_add(&b, "three", 2);
    assert_buf(&b, "one,two-2th");
}

static void it_grows_past_every_doubling(void **state)
{
    (void)state;
    cleanup_buf struct buf b = {0};
    for (int i = 0; i < 5000; i++) {
        buf_printf(&b, "%d", i % 10);
        assert_int_equal(b.data[b.len], '\0');
        assert_true(b.cap > b.len);
    }
    assert_int_equal(b.len, 5000);
    for (size_t i = 0; i < b.len; i++)
        assert_int_equal(b.data[i], '0' + (int)(i % 10));
}

static void reserved_room_that_is_half_used_still_ends_with_a_nul(void **state)
{
    (void)state;
    cleanup_buf struct buf b = {0};
    uint8_t *room = buf_reserve(&b, 8);
    assert_non_null(room);
    memset(room, 'x', 8); /* written and not taken over: must not show up later */
    room = buf_reserve(&b, 8);
    assert_non_null(room);
    memcpy(room, "abc", 3);
    b.len += 3;
    assert_buf(&b, "abc");
}

static void reset_wipes_the_bytes_and_keeps_the_memory(void **state)
{
    (void)state;
    cleanup_buf struct buf b = {0};
    buf_add_text(&b, "secret");
    uint8_t *memory = b.data;
    buf_reset(&b);
    assert_ptr_equal(b.data, memory);
    assert_memory_equal(memory, "\0\0\0\0\0\0", 6);
    assert_buf(&b, "");
}

static void clear_gives_the_zero_value_and_may_be_called_again(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_add_text(&b, "x");
    buf_clear(&b);
    buf_clear(&b);
    assert_null(b.data);
    assert_int_equal(b.len + b.cap, 0);
    assert_false(b.failed);
}

static void a_length_that_overflows_fails_and_writes_nothing(void **state)
{
    (void)state;
    cleanup_buf struct buf b = {0};
    buf_add_text(&b, "kept");
    assert_null(buf_reserve(&b, SIZE_MAX - 2));
    assert_true(b.failed);
    assert_string_equal(buf_text(&b), "kept");
}

static void after_a_failed_append_everything_is_dropped_until_cleared(void **state)
{
    (void)state;
    cleanup_buf struct buf b = {0};
    buf_add_text(&b, "kept");
    failing_malloc_arm(1);
    for (int i = 0; i < 40; i++)
        buf_add_text(&b, "1234");
    assert_true(failing_malloc_hit());
    buf_add_byte(&b, '!');
    assert_null(buf_reserve(&b, 1));

    struct error err;
    assert_code(buf_check(&b, &err), CODE_NO_MEMORY);
    assert_string_equal(err.text, "out of memory");
    assert_null(strchr(buf_text(&b), '!'));
    buf_clear(&b);
    buf_add_text(&b, "again");
    assert_buf(&b, "again");
}

static void slices_are_equal_by_bytes(void **state)
{
    (void)state;
    assert_true(slice_equal(SLICE("a\0b"), SLICE("a\0b")));
    assert_false(slice_equal(SLICE("a\0b"), SLICE("a\0c")));
    assert_false(slice_equal(SLICE("a"), SLICE("ab")));
    assert_true(slice_equal((struct slice){0}, SLICE("")));
    assert_int_equal(slice_of_text("abc").len, 3);
    assert_int_equal(slice_of_text(NULL).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_reads_as_empty_text),
        cmocka_unit_test(appends_stand_behind_one_another_with_a_nul_at_the_end),
        cmocka_unit_test(it_grows_past_every_doubling),
        cmocka_unit_test(reserved_room_that_is_half_used_still_ends_with_a_nul),
        cmocka_unit_test(reset_wipes_the_bytes_and_keeps_the_memory),
        cmocka_unit_test(clear_gives_the_zero_value_and_may_be_called_again),
        cmocka_unit_test(a_length_that_overflows_fails_and_writes_nothing),
        cmocka_unit_test(after_a_failed_append_everything_is_dropped_until_cleared),
        cmocka_unit_test(slices_are_equal_by_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

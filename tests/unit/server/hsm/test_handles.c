/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of object handles. */
#include "unit.h"

#include <string.h>

static struct handle_cache cache;

static int setup(void **state)
{
    (void)state;
    memset(&cache, 0, sizeof cache);
    assert_true(is_ok(handles_init(&cache, NULL)));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    handles_clear(&cache);
    return 0;
}

static void id_of(unsigned number, uint8_t id[HSM_ID_LEN])
{
    memset(id, 0, HSM_ID_LEN);
    memcpy(id + 8, &number, sizeof number); /* all in one bucket */
}

static void a_handle_added_is_found_under_its_id_alone(void **state)
{
    uint8_t id[HSM_ID_LEN];
    CK_OBJECT_HANDLE handle = 0;

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        id_of(i, id);
        assert_false(handles_find(&cache, id, &handle));
        handles_add(&cache, id, atomic_load(&cache.generation), 1000 + i);
    }
    for (unsigned i = 0; i < 100; i++) {
        id_of(i, id);
        assert_true(handles_find(&cache, id, &handle));
        assert_int_equal(handle, 1000 + i);
    }
}

static void a_forgotten_handle_is_not_found_and_the_others_are(void **state)
{
    uint8_t one[HSM_ID_LEN], two[HSM_ID_LEN];
    CK_OBJECT_HANDLE handle = 0;

    (void)state;
    id_of(1, one);
    id_of(2, two);
    handles_add(&cache, one, 1, 11);
    handles_add(&cache, two, 1, 22);
    handles_forget(&cache, one);
    assert_false(handles_find(&cache, one, &handle));
    assert_true(handles_find(&cache, two, &handle));
    handles_add(&cache, one, 1, 33);
    assert_true(handles_find(&cache, one, &handle));
    assert_int_equal(handle, 33);
}

static void after_forgetting_all_nothing_is_found_until_added_again(void **state)
{
    uint8_t id[HSM_ID_LEN];
    CK_OBJECT_HANDLE handle = 0;

    (void)state;
    id_of(1, id);
    handles_add(&cache, id, 1, 11);
    handles_forget_all(&cache);
    assert_false(handles_find(&cache, id, &handle));
    handles_add(&cache, id, atomic_load(&cache.generation), 12);
    assert_true(handles_find(&cache, id, &handle));
    assert_int_equal(handle, 12);
}

static void a_handle_found_before_everything_was_forgotten_is_not_kept(void **state)
{
    uint8_t id[HSM_ID_LEN];
    CK_OBJECT_HANDLE handle = 0;
    uint64_t generation = atomic_load(&cache.generation);

    (void)state;
    id_of(1, id);
    handles_forget_all(&cache);
    handles_add(&cache, id, generation, 11);
    assert_false(handles_find(&cache, id, &handle));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_handle_added_is_found_under_its_id_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_forgotten_handle_is_not_found_and_the_others_are, setup, teardown),
        cmocka_unit_test_setup_teardown(after_forgetting_all_nothing_is_found_until_added_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_handle_found_before_everything_was_forgotten_is_not_kept, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

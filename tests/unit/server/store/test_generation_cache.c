/* SPDX-License-Identifier: Apache-2.0 */
/* The cache: generations, capacity, and values that outlive their entry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "server/store/generation_cache.h"

struct value {
    struct shared shared;
    int number;
};
static int alive;

static void value_destroy(struct shared *s)
{
    alive--;
    free(s);
}

static void put(struct cache *c, const char *key, int64_t generation, int number)
{
    struct value *v = calloc(1, sizeof(*v));
    assert_non_null(v);
    shared_init(&v->shared, value_destroy);
    v->number = number;
    alive++;
    cache_put(c, key, generation, &v->shared);
    shared_release(&v->shared);
}

/* -1: none */
static int get(struct cache *c, const char *key, int64_t generation)
{
    struct value *v = (struct value *)cache_get(c, key, generation);
    int number = v ? v->number : -1;
    shared_release(v ? &v->shared : NULL);
    return number;
}

static void a_value_is_found_by_its_key_in_its_generation_alone(void **state)
{
    (void)state;
    cleanup_cache struct cache *c = NULL;
    assert_int_equal(cache_new(16, &c, NULL).code, CODE_OK);
    put(c, "a", 5, 1);
    put(c, "b", 5, 2);

    assert_int_equal(get(c, "a", 5), 1);
    assert_int_equal(get(c, "b", 5), 2);
    assert_int_equal(get(c, "c", 5), -1);
    assert_int_equal(get(c, "a", 4), -1);
    assert_int_equal(get(c, "a", 6), -1);
}

static void a_newer_generation_empties_it_and_an_older_one_is_not_let_in(void **state)
{
    (void)state;
    cleanup_cache struct cache *c = NULL;
    assert_int_equal(cache_new(16, &c, NULL).code, CODE_OK);
    put(c, "a", 5, 1);
    put(c, "b", 6, 2);
    put(c, "a", 5, 3);

    assert_int_equal(get(c, "a", 6), -1);
    assert_int_equal(get(c, "a", 5), -1);
    assert_int_equal(get(c, "b", 6), 2);
    assert_int_equal(alive, 1);
}

static void the_last_value_of_a_key_counts(void **state)
{
    (void)state;
    cleanup_cache struct cache *c = NULL;
    assert_int_equal(cache_new(1, &c, NULL).code, CODE_OK);
    put(c, "a", 1, 1);
    put(c, "a", 1, 2);

    assert_int_equal(get(c, "a", 1), 2);
    assert_int_equal(alive, 1);
}

static void it_never_holds_more_than_its_capacity(void **state)
{
    (void)state;
    cleanup_cache struct cache *c = NULL;
    assert_int_equal(cache_new(8, &c, NULL).code, CODE_OK);
    for (int i = 0; i < 1000; i++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "%d", i);
        put(c, key, 1, i);
        assert_int_equal(get(c, key, 1), i);
        assert_true(alive <= 8);
    }
}

static void a_value_in_use_outlives_the_cache(void **state)
{
    (void)state;
    struct cache *c = NULL;
    assert_int_equal(cache_new(8, &c, NULL).code, CODE_OK);
    put(c, "a", 1, 7);
    struct value *v = (struct value *)cache_get(c, "a", 1);
    cache_free(c);

    assert_int_equal(alive, 1);
    assert_int_equal(v->number, 7);
    shared_release(&v->shared);
    assert_int_equal(alive, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_found_by_its_key_in_its_generation_alone),
        cmocka_unit_test(a_newer_generation_empties_it_and_an_older_one_is_not_let_in),
        cmocka_unit_test(the_last_value_of_a_key_counts),
        cmocka_unit_test(it_never_holds_more_than_its_capacity),
        cmocka_unit_test(a_value_in_use_outlives_the_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

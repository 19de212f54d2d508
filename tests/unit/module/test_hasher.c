/* SPDX-License-Identifier: Apache-2.0 */
#include "module/hasher.h"

#include <sys/wait.h>

#include "rows.h"

static uint8_t data[1000];

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + i / 251);
    return 0;
}

static void add(struct hasher *h, size_t from, size_t to)
{
    assert_true(hasher_add(h, (struct slice){data + from, to - from}));
}

static void assert_digest(struct hasher *h, enum hash hash, size_t len)
{
    uint8_t digest[HASHER_DIGEST_MAX];
    struct slice expected = digest_of(hash, (struct slice){data, len});
    hasher_end(h, digest);
    assert_int_equal(expected.len, hash_len(hash));
    assert_memory_equal(digest, expected.data, expected.len);
}

static void every_hash_is_openssl_s_however_its_input_is_cut(void **state)
{
    (void)state;
    for (int i = HASH_NONE + 1; i < HASH_COUNT; i++) {
        for (size_t len = 0; len <= sizeof data; len = len < 300 ? len + 1 : len + 97) {
            struct hasher h;
            hasher_begin(&h, (enum hash)i);
            add(&h, 0, len / 3);
            add(&h, len / 3, len / 3);
            add(&h, len / 3, len);
            assert_digest(&h, (enum hash)i, len);
        }
    }
}

static void a_copied_state_goes_on_by_itself(void **state)
{
    (void)state;
    for (int i = HASH_NONE + 1; i < HASH_COUNT; i++) {
        struct hasher h, copy;
        hasher_begin(&h, (enum hash)i);
        add(&h, 0, 150);
        copy = h;
        add(&h, 150, 151);
        assert_digest(&h, (enum hash)i, 151);
        add(&copy, 150, 400);
        assert_digest(&copy, (enum hash)i, 400);
    }
}

static void a_forked_child_goes_on_with_the_state(void **state)
{
    (void)state;
    struct hasher h;
    uint8_t digest[HASHER_DIGEST_MAX];
    struct slice expected = digest_of(HASH_SHA3_256, (struct slice){data, 400});
    hasher_begin(&h, HASH_SHA3_256);
    add(&h, 0, 150);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool added = hasher_add(&h, (struct slice){data + 150, 250});
        hasher_end(&h, digest);
        _exit(added && memcmp(digest, expected.data, expected.len) == 0 ? 0 : 1);
    }
    int ended = -1;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);
}

static void lengths_no_memory_has_are_refused(void **state)
{
    (void)state;
    const size_t lengths[] = {SIZE_MAX, SIZE_MAX - 63, (size_t)PTRDIFF_MAX + 1, UINTPTR_MAX - (uintptr_t)data + 1};
    struct hasher h;
    hasher_begin(&h, HASH_SHA256);
    for (size_t i = 0; i < COUNT_OF(lengths); i++)
        assert_false(hasher_add(&h, (struct slice){data, lengths[i]}));
    add(&h, 0, 10);
    assert_digest(&h, HASH_SHA256, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_hash_is_openssl_s_however_its_input_is_cut),
        cmocka_unit_test(a_copied_state_goes_on_by_itself),
        cmocka_unit_test(a_forked_child_goes_on_with_the_state),
        cmocka_unit_test(lengths_no_memory_has_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

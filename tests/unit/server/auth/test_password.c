/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of passwords, their hashes, and the bound on how many are made at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "server/auth/password.h"

static void a_password_follows_the_rules_or_the_refusal_names_it(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"twelve bytes", true},
        {"elevenbytes", false},
        {"", false},
        {"aaaaaaaaaaaa", true},
        {"tab\tin the middle", false},
        {"del\x7f in the middle", false},
        {"broken \xff utf-8 text", false},
        {"C1 \xc2\x85 in the middle", false},
        {"日本語のパスワード", true},
        {"the.user.name", false},
        {"THE.user.name", false},
        {"the.user.name2", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct error err = {0};
        bool good = is_ok(password_check("password", rows[i].text, "the.user.name", &err));
        if (good != rows[i].good)
            fail_msg("%s", rows[i].text);
        if (!good)
            assert_non_null(strstr(err.text, "password: "));
    }
}

static void a_hash_verifies_its_own_password_alone(void **state)
{
    cleanup_password_slot struct password_slot slot = {0};
    char hash[PASSWORD_HASH_SIZE], again[PASSWORD_HASH_SIZE];
    bool equal = false;
    (void)state;
    assert_true(is_ok(password_slot_take(&slot, NULL)));
    assert_true(is_ok(password_hash(&slot, "a good long password", hash, NULL)));
    assert_true(is_ok(password_hash(&slot, "a good long password", again, NULL)));
    assert_string_not_equal(hash, again);
    assert_true(is_ok(password_verify(&slot, hash, "a good long password", &equal, NULL)));
    assert_true(equal);
    assert_true(is_ok(password_verify(&slot, hash, "a good long passwore", &equal, NULL)));
    assert_false(equal);
}

/* The parameters up to the salt: memory, passes, lanes. */
static size_t parameters_len(const char *hash)
{
    const char *p = hash;
    for (int i = 0; i < 4; i++)
        p = strchr(p + (i > 0), '$');
    return (size_t)(p - hash);
}

static void who_has_no_password_costs_the_same_work(void **state)
{
    cleanup_password_slot struct password_slot slot = {0};
    char hash[PASSWORD_HASH_SIZE];
    bool equal = true;
    (void)state;
    assert_true(is_ok(password_slot_take(&slot, NULL)));
    assert_true(is_ok(password_hash(&slot, "a good long password", hash, NULL)));
    assert_int_equal(parameters_len(hash), parameters_len(password_nobody));
    assert_memory_equal(hash, password_nobody, parameters_len(hash));
    assert_int_equal(strlen(hash), strlen(password_nobody));
    unsigned long before = password_hash_count();
    assert_true(is_ok(password_verify(&slot, NULL, "a good long password", &equal, NULL)));
    assert_false(equal);
    assert_int_equal(password_hash_count(), before + 1);
}

static void i9_there_is_no_slot_beyond_the_last_and_one_given_back_is_taken_again(void **state)
{
    struct password_slot slots[PASSWORD_SLOTS] = {0}, more = {0};
    char hash[PASSWORD_HASH_SIZE];
    struct error err = {0};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(slots); i++)
        assert_true(is_ok(password_slot_take(&slots[i], &err)));
    assert_int_equal(password_slot_take(&more, &err).code, CODE_UNAVAILABLE);
    assert_int_equal(password_hash(&more, "a good long password", hash, &err).code, CODE_INTERNAL);
    password_slot_give(&more);
    assert_int_equal(password_slot_take(&more, &err).code, CODE_UNAVAILABLE);
    password_slot_give(&slots[0]);
    assert_true(is_ok(password_slot_take(&more, &err)));
    password_slot_give(&more);
    for (size_t i = 1; i < COUNT_OF(slots); i++)
        password_slot_give(&slots[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_follows_the_rules_or_the_refusal_names_it),
        cmocka_unit_test(a_hash_verifies_its_own_password_alone),
        cmocka_unit_test(who_has_no_password_costs_the_same_work),
        cmocka_unit_test(i9_there_is_no_slot_beyond_the_last_and_one_given_back_is_taken_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "module/mechanism.h"

#include "rows.h"

static CK_FLAGS flags_of(CK_MECHANISM_TYPE type)
{
    CK_MECHANISM_INFO info;
    assert_rv(C_GetMechanismInfo(SLOT_MAIN, type, &info), CKR_OK);
    return info.flags;
}

static void before_a_key_was_seen_everything_the_token_may_hold_signs(void **state)
{
    (void)state;
    for (size_t i = 0; i < row_count; i++) {
        CK_MECHANISM_INFO info;
        assert_rv(C_GetMechanismInfo(row_slot(&rows[i]), rows[i].type, &info), CKR_OK);
        assert_int_equal(info.flags & (CKF_HW | CKF_SIGN | CKF_VERIFY), CKF_HW | CKF_SIGN | CKF_VERIFY);
    }
    assert_int_equal(fake.keys_calls, 0);
}

static CK_ULONG list_of(CK_MECHANISM_TYPE out[64])
{
    CK_ULONG count = 64;
    assert_rv(C_GetMechanismList(SLOT_MAIN, out, &count), CKR_OK);
    return count;
}

static void the_list_is_the_same_before_and_after_keys_were_seen(void **state)
{
    (void)state;
    CK_MECHANISM_TYPE before[64], after[64];
    fake.hashes = HASH_SET_DEFAULT;
    CK_ULONG count = list_of(before);
    (void)host_find(host_open_logged_in(SLOT_MAIN), CKO_PRIVATE_KEY, "demo-p256");
    assert_int_equal(list_of(after), count);
    assert_memory_equal(before, after, count * sizeof before[0]);
}

static void a_mechanism_is_for_signing_when_a_key_seen_allows_it(void **state)
{
    (void)state;
    fake.hashes = HASH_SET_DEFAULT | hash_bit(HASH_SHA3_256);
    (void)host_find(host_open_logged_in(SLOT_MAIN), CKO_PRIVATE_KEY, "demo-p256");
    for (size_t i = 0; i < row_count; i++) {
        if (row_slot(&rows[i]) != SLOT_MAIN)
            continue;
        bool allowed = rows[i].hash == HASH_NONE || (fake.hashes & hash_bit(rows[i].hash));
        assert_int_equal(flags_of(rows[i].type) & (CKF_HW | CKF_SIGN), allowed ? CKF_HW | CKF_SIGN : 0);
        assert_true(flags_of(rows[i].type) & CKF_VERIFY);
    }
}

/* PKCS#11: what signs by its flags, C_SignInit takes with some key of the token; nothing else. */
static void c_sign_init_takes_what_the_flags_say(void **state)
{
    (void)state;
    fake.hashes = hash_bit(HASH_SHA256) | hash_bit(HASH_SHA3_512);
    CK_SESSION_HANDLE session = host_open_logged_in(SLOT_MAIN);
    for (size_t i = 0; i < row_count; i++) {
        if (row_slot(&rows[i]) != SLOT_MAIN)
            continue;
        CK_OBJECT_HANDLE key = host_find(session, CKO_PRIVATE_KEY, row_key(&rows[i])->token_label);
        CK_MECHANISM mechanism = row_mechanism(&rows[i]);
        CK_RV rv = C_SignInit(session, &mechanism, key);
        assert_int_equal(rv == CKR_OK, (flags_of(rows[i].type) & CKF_SIGN) != 0);
        (void)C_SessionCancel(session, CKF_SIGN);
    }
}

static void every_hash_has_its_digest_and_its_mask(void **state)
{
    (void)state;
    int digests = 0, masks = 0;
#define DIGEST_MECHANISM(ckm, name)                                                                                    \
    assert_int_equal(mechanism_hash(ckm), HASH_##name);                                                                \
    digests++;
#define MASK_GENERATION(ckg, name)                                                                                     \
    assert_int_equal(mechanism_mgf_hash(ckg), HASH_##name);                                                            \
    masks++;
#include "chancery/mechanisms.def"
#undef DIGEST_MECHANISM
#undef MASK_GENERATION
    assert_int_equal(digests, HASH_COUNT - 1);
    assert_int_equal(masks, HASH_COUNT - 1);
    assert_int_equal(mechanism_hash(CKM_RSA_PKCS), HASH_NONE);
    assert_int_equal(mechanism_mgf_hash(0), HASH_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, host_setup, host_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(before_a_key_was_seen_everything_the_token_may_hold_signs),
        TEST(the_list_is_the_same_before_and_after_keys_were_seen),
        TEST(a_mechanism_is_for_signing_when_a_key_seen_allows_it),
        TEST(c_sign_init_takes_what_the_flags_say),
        TEST(every_hash_has_its_digest_and_its_mask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

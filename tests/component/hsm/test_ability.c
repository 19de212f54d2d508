/* SPDX-License-Identifier: Apache-2.0 */
/* A SoftHSM whose configuration takes CKM_RSA_X_509 away: what it then cannot sign is not offered. */
#include "fixture.h"

enum { RSA_ONLY = 1u << MECHANISM_RSA_PKCS1, PSS_TOO = RSA_ONLY | 1u << MECHANISM_RSA_PSS };

static void open_token(struct fixture *f, const char *mechanisms)
{
    fixture_mechanisms = mechanisms;
    fixture_init(f, SOFTHSM_MODULE);
    fixture_open(f, 2, 10000);
}

static void sha_3_pss_is_not_offered_where_the_token_cannot_sign_it(void **state)
{
    struct fixture f;
    unsigned mechanisms = PSS_TOO, hashes = HASH_SET_ALL;

    (void)state;
    open_token(&f, "-CKM_MD5,CKM_RSA_X_509");
    hsm_offer(f.h, &mechanisms, &hashes);
    assert_int_equal(mechanisms, PSS_TOO);
    assert_int_equal(hashes, HASH_SET_DEFAULT | hash_bit(HASH_SHA1) | hash_bit(HASH_SHA224));

    mechanisms = RSA_ONLY, hashes = HASH_SET_ALL;
    hsm_offer(f.h, &mechanisms, &hashes);
    assert_int_equal(mechanisms, RSA_ONLY);
    assert_int_equal(hashes, HASH_SET_ALL);
    fixture_clear(&f);
}

static void sha_3_pss_on_such_a_token_is_denied_and_pkcs1_signs(void **state)
{
    struct fixture f;
    cleanup_hsm_key struct hsm_key k = {0};
    cleanup_buf struct buf signature = {0};
    struct sign_input pss = fixture_input(MECHANISM_RSA_PSS, HASH_SHA3_256), mixed = pss,
                      pkcs1 = fixture_input(MECHANISM_RSA_PKCS1, HASH_SHA3_256);

    (void)state;
    open_token(&f, "-CKM_MD5,CKM_RSA_X_509");
    fixture_key(&f, KEY_TYPE_RSA2048, &k);
    assert_code(&f, hsm_sign(f.h, k.id, k.type, &pss, deadline_in(10000), &signature, &f.err), CODE_MECHANISM_DENIED);
    mixed.hash = HASH_SHA256;
    mixed.mgf_hash = HASH_SHA1;
    assert_code(&f, hsm_sign(f.h, k.id, k.type, &mixed, deadline_in(10000), &signature, &f.err), CODE_MECHANISM_DENIED);
    assert_int_equal(signature.len, 0);
    assert_ok(&f, hsm_sign(f.h, k.id, k.type, &pkcs1, deadline_in(10000), &signature, &f.err));
    fixture_clear(&f);
}

static void a_whole_softhsm_offers_everything(void **state)
{
    struct fixture f;
    unsigned all = (1u << MECHANISM_COUNT) - 2, mechanisms = all, hashes = HASH_SET_ALL;

    (void)state;
    open_token(&f, "ALL");
    hsm_offer(f.h, &mechanisms, &hashes);
    assert_int_equal(mechanisms, all);
    assert_int_equal(hashes, HASH_SET_ALL);
    fixture_clear(&f);
}

static void a_mechanism_the_token_lacks_is_not_offered(void **state)
{
    struct fixture f;
    unsigned mechanisms = 1u << MECHANISM_EDDSA | 1u << MECHANISM_ECDSA, hashes = HASH_SET_DEFAULT;

    (void)state;
    open_token(&f, "-CKM_MD5,CKM_ECDSA");
    hsm_offer(f.h, &mechanisms, &hashes);
    assert_int_equal(mechanisms, 1u << MECHANISM_EDDSA);
    fixture_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha_3_pss_is_not_offered_where_the_token_cannot_sign_it),
        cmocka_unit_test(sha_3_pss_on_such_a_token_is_denied_and_pkcs1_signs),
        cmocka_unit_test(a_whole_softhsm_offers_everything),
        cmocka_unit_test(a_mechanism_the_token_lacks_is_not_offered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

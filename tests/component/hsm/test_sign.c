/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and signatures on a real SoftHSM. */
#include "fixture.h"

#include <openssl/x509.h>
#include <pthread.h>
#include <string.h>

static struct fixture f;

static int setup(void **state)
{
    (void)state;
    fixture_init(&f, SOFTHSM_MODULE);
    fixture_open(&f, 16, 10000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_clear(&f);
    return 0;
}

static void assert_signs(const struct hsm_key *k, EVP_PKEY *public_key, const struct sign_input *in)
{
    cleanup_buf struct buf signature = {0};

    assert_ok(&f, hsm_sign(f.h, k->id, k->type, in, deadline_in(10000), &signature, &f.err));
    assert_int_equal(signature.len, key_type_signature_len(k->type));
    assert_ok(&f, signature_verify(NULL, public_key, in, buf_slice(&signature), &f.err));
    signature.data[signature.len / 2] ^= 1;
    assert_code(&f, signature_verify(NULL, public_key, in, buf_slice(&signature), &f.err), CODE_BAD_SIGNATURE);
}

static int assert_signs_by_mechanism(const struct hsm_key *k, EVP_PKEY *public_key, enum mechanism mechanism)
{
    int done = 0;

    if (mechanism_family(mechanism) != key_type_family(k->type))
        return 0;
    if (mechanism == MECHANISM_EDDSA) {
        struct sign_input in = fixture_input(mechanism, HASH_NONE);
        assert_signs(k, public_key, &in);
        return 1;
    }
    for (int hash = HASH_NONE + 1; hash < HASH_COUNT; hash++, done++) {
        struct sign_input in = fixture_input(mechanism, (enum hash)hash);
        assert_signs(k, public_key, &in);
    }
    return done;
}

static void every_key_type_signs_with_each_of_its_mechanisms_and_hashes(void **state)
{
    int done = 0;

    (void)state;
    for (int type = KEY_TYPE_NONE + 1; type < KEY_TYPE_COUNT; type++) {
        cleanup_hsm_key struct hsm_key k = {0};
        fixture_key(&f, (enum key_type)type, &k);
        EVP_PKEY *public_key = fixture_public_key(&k);
        for (int m = MECHANISM_NONE + 1; m < MECHANISM_COUNT; m++)
            done += assert_signs_by_mechanism(&k, public_key, (enum mechanism)m);
        EVP_PKEY_free(public_key);
    }
    assert_int_equal(done, 3 * 2 * 9 + 3 * 9 + 1);
}

static void pss_takes_another_mgf_hash_and_salt_length(void **state)
{
    cleanup_hsm_key struct hsm_key k = {0};
    struct sign_input in = fixture_input(MECHANISM_RSA_PSS, HASH_SHA256);

    (void)state;
    fixture_key(&f, KEY_TYPE_RSA2048, &k);
    EVP_PKEY *public_key = fixture_public_key(&k);
    in.salt_len = 20;
    assert_signs(&k, public_key, &in);
    in.salt_len = 0;
    assert_signs(&k, public_key, &in);
    in.mgf_hash = HASH_SHA1;
    assert_signs(&k, public_key, &in);
    in.salt_len = 256 - 2 - 32;
    assert_signs(&k, public_key, &in);
    in.mgf_hash = HASH_SHA3_512;
    assert_signs(&k, public_key, &in);
    in.mgf_hash = HASH_SHA256;
    assert_signs(&k, public_key, &in);
    EVP_PKEY_free(public_key);
}

static void i3_a_generated_key_is_sensitive_never_extractable_and_local(void **state)
{
    (void)state;
    for (int type = KEY_TYPE_NONE + 1; type < KEY_TYPE_COUNT; type++) {
        cleanup_hsm_key struct hsm_key k = {0}, found = {0};
        fixture_key(&f, (enum key_type)type, &k);
        assert_true(k.sensitive && k.always_sensitive && k.never_extractable && k.local);
        assert_false(k.extractable);
        assert_ok(&f, hsm_find(f.h, k.id, deadline_in(10000), &found, &f.err));
        assert_true(found.sensitive && found.always_sensitive && found.never_extractable && found.local);
        assert_false(found.extractable);
    }
}

static void a_found_key_has_the_generated_one_s_type_label_and_public_key(void **state)
{
    cleanup_hsm_key struct hsm_key k = {0}, found = {0};
    uint8_t id[HSM_ID_LEN];

    (void)state;
    fixture_key(&f, KEY_TYPE_P384, &k);
    assert_ok(&f, hsm_find(f.h, k.id, deadline_in(10000), &found, &f.err));
    assert_int_equal(found.type, KEY_TYPE_P384);
    assert_string_equal(found.label, "test-key");
    assert_true(slice_equal(buf_slice(&found.spki), buf_slice(&k.spki)));
    EVP_PKEY *public_key = fixture_public_key(&k);
    assert_ok(&f, key_cka_id(public_key, id, &f.err));
    assert_memory_equal(id, found.id, HSM_ID_LEN);
    EVP_PKEY_free(public_key);
}

static void a_destroyed_key_is_found_and_used_no_more(void **state)
{
    cleanup_hsm_key struct hsm_key k = {0}, found = {0};
    cleanup_buf struct buf signature = {0};
    struct sign_input in = fixture_input(MECHANISM_ECDSA, HASH_SHA256);

    (void)state;
    fixture_key(&f, KEY_TYPE_P256, &k);
    assert_ok(&f, hsm_sign(f.h, k.id, k.type, &in, deadline_in(10000), &signature, &f.err));
    assert_ok(&f, hsm_destroy(f.h, k.id, deadline_in(10000), &f.err));
    assert_code(&f, hsm_sign(f.h, k.id, k.type, &in, deadline_in(10000), &signature, &f.err), CODE_NOT_FOUND);
    assert_code(&f, hsm_find(f.h, k.id, deadline_in(10000), &found, &f.err), CODE_NOT_FOUND);
    assert_code(&f, hsm_destroy(f.h, k.id, deadline_in(10000), &f.err), CODE_NOT_FOUND);
}

static void i5_a_digest_of_another_length_than_its_hash_is_refused(void **state)
{
    cleanup_hsm_key struct hsm_key k = {0};
    cleanup_buf struct buf signature = {0};
    struct sign_input in = fixture_input(MECHANISM_RSA_PKCS1, HASH_SHA256);

    (void)state;
    fixture_key(&f, KEY_TYPE_RSA2048, &k);
    in.digest.len = 31;
    assert_code(&f, hsm_sign(f.h, k.id, k.type, &in, deadline_in(10000), &signature, &f.err), CODE_DIGEST_MALFORMED);
    assert_int_equal(signature.len, 0);
}

static void a_mechanism_of_another_key_type_is_refused(void **state)
{
    cleanup_hsm_key struct hsm_key k = {0};
    cleanup_buf struct buf signature = {0};
    struct sign_input in = fixture_input(MECHANISM_RSA_PKCS1, HASH_SHA256);

    (void)state;
    fixture_key(&f, KEY_TYPE_P256, &k);
    assert_code(&f, hsm_sign(f.h, k.id, k.type, &in, deadline_in(10000), &signature, &f.err), CODE_MECHANISM_DENIED);
}

static void a_label_with_control_characters_is_refused(void **state)
{
    cleanup_hsm_key struct hsm_key k = {0};

    (void)state;
    assert_code(&f, hsm_generate(f.h, KEY_TYPE_P256, "a\nb", deadline_in(10000), &k, &f.err), CODE_INVALID);
}

struct signer {
    const struct hsm_key *key;
    EVP_PKEY *public_key;
    int failed;
};

static void *sign_many(void *arg)
{
    struct signer *s = arg;
    struct sign_input in = fixture_input(MECHANISM_ECDSA, HASH_SHA256);
    struct error err = {0};

    for (int i = 0; i < 200; i++) {
        cleanup_buf struct buf signature = {0};
        if (!is_ok(hsm_sign(f.h, s->key->id, s->key->type, &in, deadline_in(60000), &signature, &err)) ||
            !is_ok(signature_verify(NULL, s->public_key, &in, buf_slice(&signature), &err)))
            s->failed++;
    }
    return NULL;
}

static void sign_in_threads(int sessions)
{
    enum { THREADS = 16 };
    struct hsm_key keys[2] = {0};
    EVP_PKEY *public_keys[2];
    pthread_t threads[THREADS];
    struct signer signers[THREADS];

    fixture_open(&f, sessions, 60000);
    for (int i = 0; i < 2; i++) {
        fixture_key(&f, KEY_TYPE_P256, &keys[i]);
        public_keys[i] = fixture_public_key(&keys[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        signers[i] = (struct signer){&keys[i % 2], public_keys[i % 2], 0};
        assert_int_equal(pthread_create(&threads[i], NULL, sign_many, &signers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(signers[i].failed, 0);
    }
    for (int i = 0; i < 2; i++) {
        EVP_PKEY_free(public_keys[i]);
        hsm_key_clear(&keys[i]);
    }
}

static void sixteen_threads_sign_with_a_session_each(void **state)
{
    (void)state;
    sign_in_threads(16);
}

static void sixteen_threads_share_three_sessions(void **state)
{
    (void)state;
    sign_in_threads(3);
}

static void a_token_outlives_close_and_open(void **state)
{
    cleanup_hsm_key struct hsm_key k = {0}, found = {0};
    struct sign_input in = fixture_input(MECHANISM_EDDSA, HASH_NONE);

    (void)state;
    fixture_key(&f, KEY_TYPE_ED25519, &k);
    fixture_open(&f, 16, 10000);
    assert_ok(&f, hsm_find(f.h, k.id, deadline_in(10000), &found, &f.err));
    EVP_PKEY *public_key = fixture_public_key(&found);
    assert_signs(&found, public_key, &in);
    EVP_PKEY_free(public_key);
    assert_ok(&f, hsm_check(f.h, deadline_in(10000), &f.err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_type_signs_with_each_of_its_mechanisms_and_hashes),
        cmocka_unit_test(pss_takes_another_mgf_hash_and_salt_length),
        cmocka_unit_test(i3_a_generated_key_is_sensitive_never_extractable_and_local),
        cmocka_unit_test(a_found_key_has_the_generated_one_s_type_label_and_public_key),
        cmocka_unit_test(a_destroyed_key_is_found_and_used_no_more),
        cmocka_unit_test(i5_a_digest_of_another_length_than_its_hash_is_refused),
        cmocka_unit_test(a_mechanism_of_another_key_type_is_refused),
        cmocka_unit_test(a_label_with_control_characters_is_refused),
        cmocka_unit_test(sixteen_threads_sign_with_a_session_each),
        cmocka_unit_test(sixteen_threads_share_three_sessions),
        cmocka_unit_test(a_token_outlives_close_and_open),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

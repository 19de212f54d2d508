/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's own code with keys of the HSM; what it makes is verified with the public key alone, in the default context.
 */
#include "fixture.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

static struct fixture f;
static struct hsm_key keys[KEY_TYPE_COUNT];
static EVP_PKEY *private_keys[KEY_TYPE_COUNT], *public_keys[KEY_TYPE_COUNT];

static int setup(void **state)
{
    (void)state;
    fixture_init(&f, SOFTHSM_MODULE);
    fixture_open(&f, 4, 10000);
    for (int t = KEY_TYPE_NONE + 1; t < KEY_TYPE_COUNT; t++) {
        fixture_key(&f, (enum key_type)t, &keys[t]);
        assert_ok(&f, hsm_evp_key(f.h, keys[t].id, &private_keys[t], &f.err));
        public_keys[t] = fixture_public_key(&keys[t]);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int t = KEY_TYPE_NONE + 1; t < KEY_TYPE_COUNT; t++) {
        EVP_PKEY_free(private_keys[t]);
        EVP_PKEY_free(public_keys[t]);
        hsm_key_clear(&keys[t]);
    }
    fixture_clear(&f);
    return 0;
}

static const EVP_MD *md_for(int type)
{
    return type == KEY_TYPE_ED25519 ? NULL : EVP_sha384();
}

static X509_NAME *name_of(const char *cn)
{
    X509_NAME *name = X509_NAME_new();

    assert_true(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0));
    return name;
}

static X509 *unsigned_certificate(EVP_PKEY *key)
{
    X509 *crt = X509_new_ex(hsm_libctx(f.h), NULL);
    X509_NAME *name = name_of("test");

    assert_true(X509_set_version(crt, X509_VERSION_3) && ASN1_INTEGER_set(X509_get_serialNumber(crt), 1));
    assert_true(X509_gmtime_adj(X509_getm_notBefore(crt), 0) && X509_gmtime_adj(X509_getm_notAfter(crt), 3600));
    assert_true(X509_set_subject_name(crt, name) && X509_set_issuer_name(crt, name));
    assert_true(X509_set_pubkey(crt, key));
    X509_NAME_free(name);
    return crt;
}

static X509 *certificate_of(EVP_PKEY *key, const EVP_MD *md)
{
    X509 *crt = unsigned_certificate(key);

    if (X509_sign(crt, key, md) <= 0)
        ERR_print_errors_fp(stderr);
    return crt;
}

/* Through DER, so that nothing of the HSM's context clings to it. */
static X509 *reread(X509 *crt)
{
    unsigned char *der = NULL;
    int len = i2d_X509(crt, &der);
    const unsigned char *at = der;

    assert_true(len > 0);
    X509 *again = d2i_X509(NULL, &at, len);
    assert_non_null(again);
    OPENSSL_free(der);
    return again;
}

static void x509_sign_makes_a_certificate_that_verifies_with_every_key_type(void **state)
{
    (void)state;
    for (int t = KEY_TYPE_NONE + 1; t < KEY_TYPE_COUNT; t++) {
        X509 *made = certificate_of(private_keys[t], md_for(t)), *crt = reread(made);
        assert_int_equal(X509_verify(crt, public_keys[t]), 1);
        assert_int_equal(X509_verify(crt, public_keys[t == 1 ? 2 : 1]) == 1, 0);
        assert_int_equal(X509_check_private_key(made, private_keys[t]), 1);
        X509_free(made);
        X509_free(crt);
    }
}

static void a_key_known_by_its_public_half_signs_like_one_that_was_looked_up(void **state)
{
    (void)state;
    for (int t = KEY_TYPE_NONE + 1; t < KEY_TYPE_COUNT; t++) {
        EVP_PKEY *key = NULL, *other = NULL;
        assert_ok(&f, hsm_evp_key_of(f.h, keys[t].id, public_keys[t], &key, &f.err));
        X509 *made = certificate_of(key, md_for(t)), *crt = reread(made);
        assert_int_equal(X509_verify(crt, public_keys[t]), 1);
        assert_code(&f, hsm_evp_key_of(f.h, keys[t].id, public_keys[t == 1 ? 2 : 1], &other, &f.err), CODE_INTERNAL);
        assert_null(other);
        X509_free(made);
        X509_free(crt);
        EVP_PKEY_free(key);
    }
}

static void x509_sign_works_from_openssls_default_context_too(void **state)
{
    X509 *crt = X509_new();

    (void)state;
    assert_true(X509_set_pubkey(crt, private_keys[KEY_TYPE_P256]));
    assert_true(X509_sign(crt, private_keys[KEY_TYPE_P256], EVP_sha256()) > 0);
    assert_int_equal(X509_verify(crt, public_keys[KEY_TYPE_P256]), 1);
    X509_free(crt);
}

static void a_certificate_request_verifies_with_its_own_key(void **state)
{
    (void)state;
    for (int t = KEY_TYPE_NONE + 1; t < KEY_TYPE_COUNT; t++) {
        X509_REQ *req = X509_REQ_new();
        X509_NAME *name = name_of("request");
        assert_true(X509_REQ_set_subject_name(req, name) && X509_REQ_set_pubkey(req, private_keys[t]));
        assert_true(X509_REQ_sign(req, private_keys[t], md_for(t)) > 0);
        assert_int_equal(X509_REQ_verify(req, public_keys[t]), 1);
        EVP_PKEY *carried = X509_REQ_get_pubkey(req);
        assert_int_equal(EVP_PKEY_eq(carried, public_keys[t]), 1);
        EVP_PKEY_free(carried);
        X509_NAME_free(name);
        X509_REQ_free(req);
    }
}

static void a_crl_verifies_with_its_issuers_key(void **state)
{
    X509_CRL *crl = X509_CRL_new();
    X509_NAME *name = name_of("issuer");
    ASN1_TIME *now = X509_gmtime_adj(NULL, 0);

    (void)state;
    assert_true(X509_CRL_set_issuer_name(crl, name) && X509_CRL_set1_lastUpdate(crl, now));
    assert_true(X509_CRL_sign(crl, private_keys[KEY_TYPE_P384], EVP_sha384()) > 0);
    assert_int_equal(X509_CRL_verify(crl, public_keys[KEY_TYPE_P384]), 1);
    ASN1_TIME_free(now);
    X509_NAME_free(name);
    X509_CRL_free(crl);
}

static void pss_parameters_are_signed_and_named_in_the_certificate(void **state)
{
    X509 *crt = unsigned_certificate(private_keys[KEY_TYPE_RSA2048]);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pkey_ctx = NULL;

    (void)state;
    assert_true(EVP_DigestSignInit(ctx, &pkey_ctx, EVP_sha256(), NULL, private_keys[KEY_TYPE_RSA2048]) > 0);
    assert_true(EVP_PKEY_CTX_set_rsa_padding(pkey_ctx, RSA_PKCS1_PSS_PADDING) > 0);
    assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey_ctx, RSA_PSS_SALTLEN_DIGEST) > 0);
    assert_true(X509_sign_ctx(crt, ctx) > 0);
    assert_int_equal(X509_get_signature_nid(crt), NID_rsassaPss);
    X509 *again = reread(crt);
    assert_int_equal(X509_verify(again, public_keys[KEY_TYPE_RSA2048]), 1);
    X509_free(again);
    X509_free(crt);
    EVP_MD_CTX_free(ctx);
}

static void a_cms_signature_verifies(void **state)
{
    const int types[] = {KEY_TYPE_RSA2048, KEY_TYPE_P256};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        X509 *crt = certificate_of(private_keys[types[i]], EVP_sha256());
        BIO *in = BIO_new_mem_buf("content", 7);
        CMS_ContentInfo *cms = CMS_sign_ex(crt, private_keys[types[i]], NULL, in, CMS_BINARY, hsm_libctx(f.h), NULL);
        if (!cms)
            ERR_print_errors_fp(stderr);
        assert_non_null(cms);
        assert_int_equal(CMS_verify(cms, NULL, NULL, NULL, NULL, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY), 1);
        CMS_ContentInfo_free(cms);
        BIO_free(in);
        X509_free(crt);
    }
}

static void a_digest_signed_by_evp_pkey_sign_verifies(void **state)
{
    const int types[] = {KEY_TYPE_RSA2048, KEY_TYPE_P521};
    unsigned char digest[32] = "thirty-two bytes to be signed .", sig[512];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        size_t len = sizeof sig;
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(hsm_libctx(f.h), private_keys[types[i]], NULL);
        assert_true(EVP_PKEY_sign_init(ctx) > 0 && EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) > 0);
        assert_true(EVP_PKEY_sign(ctx, sig, &len, digest, sizeof digest) > 0);
        EVP_PKEY_CTX *check = EVP_PKEY_CTX_new(public_keys[types[i]], NULL);
        assert_true(EVP_PKEY_verify_init(check) > 0 && EVP_PKEY_CTX_set_signature_md(check, EVP_sha256()) > 0);
        assert_int_equal(EVP_PKEY_verify(check, sig, len, digest, sizeof digest), 1);
        EVP_PKEY_CTX_free(check);
        EVP_PKEY_CTX_free(ctx);
    }
}

static void i5_bytes_that_are_no_digest_info_are_not_signed(void **state)
{
    unsigned char bytes[40] = {0}, sig[512];
    size_t len = sizeof sig;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(hsm_libctx(f.h), private_keys[KEY_TYPE_RSA2048], NULL);

    (void)state;
    assert_true(EVP_PKEY_sign_init(ctx) > 0);
    assert_true(EVP_PKEY_sign(ctx, sig, &len, bytes, sizeof bytes) <= 0);
    assert_int_equal(hsm_evp_failure(&f.err).code, CODE_DIGEST_MALFORMED);
    assert_int_equal(hsm_evp_failure(&f.err).code, CODE_OK);
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
}

static void the_hsms_own_key_verifies_too(void **state)
{
    (void)state;
    for (int t = KEY_TYPE_NONE + 1; t < KEY_TYPE_COUNT; t++) {
        X509 *crt = certificate_of(private_keys[t], md_for(t));
        assert_int_equal(X509_verify(crt, private_keys[t]), 1);
        X509_free(crt);
    }
}

static void i3_the_private_half_cannot_be_exported(void **state)
{
    BIO *out = BIO_new(BIO_s_mem());
    OSSL_PARAM *params = NULL;

    (void)state;
    for (int t = KEY_TYPE_NONE + 1; t < KEY_TYPE_COUNT; t++) {
        assert_int_equal(EVP_PKEY_todata(private_keys[t], EVP_PKEY_KEYPAIR, &params), 0);
        assert_true(i2d_PKCS8PrivateKey_bio(out, private_keys[t], NULL, NULL, 0, NULL, NULL) <= 0);
    }
    ERR_clear_error();
    BIO_free(out);
}

static void a_key_that_is_gone_names_its_error(void **state)
{
    cleanup_hsm_key struct hsm_key k = {0};
    EVP_PKEY *own[2] = {NULL}, *public_key = NULL;

    (void)state;
    fixture_key(&f, KEY_TYPE_P256, &k);
    public_key = fixture_public_key(&k);
    assert_ok(&f, hsm_evp_key(f.h, k.id, &own[0], &f.err));
    assert_ok(&f, hsm_evp_key_of(f.h, k.id, public_key, &own[1], &f.err));
    assert_ok(&f, hsm_destroy(f.h, k.id, deadline_in(10000), &f.err));
    for (size_t i = 0; i < COUNT_OF(own); i++) {
        X509 *crt = unsigned_certificate(own[i]);
        assert_true(X509_sign(crt, own[i], EVP_sha256()) <= 0);
        assert_int_equal(hsm_evp_failure(&f.err).code, CODE_NOT_FOUND);
        X509_free(crt);
        EVP_PKEY_free(steal(&own[i]));
    }
    assert_code(&f, hsm_evp_key(f.h, k.id, &own[0], &f.err), CODE_NOT_FOUND);
    EVP_PKEY_free(public_key);
    ERR_clear_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(x509_sign_makes_a_certificate_that_verifies_with_every_key_type),
        cmocka_unit_test(a_key_known_by_its_public_half_signs_like_one_that_was_looked_up),
        cmocka_unit_test(x509_sign_works_from_openssls_default_context_too),
        cmocka_unit_test(a_certificate_request_verifies_with_its_own_key),
        cmocka_unit_test(a_crl_verifies_with_its_issuers_key),
        cmocka_unit_test(pss_parameters_are_signed_and_named_in_the_certificate),
        cmocka_unit_test(a_cms_signature_verifies),
        cmocka_unit_test(a_digest_signed_by_evp_pkey_sign_verifies),
        cmocka_unit_test(i5_bytes_that_are_no_digest_info_are_not_signed),
        cmocka_unit_test(the_hsms_own_key_verifies_too),
        cmocka_unit_test(i3_the_private_half_cannot_be_exported),
        cmocka_unit_test(a_key_that_is_gone_names_its_error),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The server's TLS pair. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "server/ca/ca.h"

struct pair {
    struct buf root_pem, root_key_pem, cert_pem, key_pem;
    X509 *root, *cert;
    EVP_PKEY *root_key, *key;
};

static X509 *certificate_read(const struct buf *pem)
{
    BIO *in = BIO_new_mem_buf(pem->data, (int)pem->len);
    X509 *crt = PEM_read_bio_X509(in, NULL, NULL, NULL);

    BIO_free(in);
    assert_non_null(crt);
    return crt;
}

static EVP_PKEY *key_read(const struct buf *pem)
{
    BIO *in = BIO_new_mem_buf(pem->data, (int)pem->len);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);

    BIO_free(in);
    assert_non_null(key);
    return key;
}

static struct pair pair_new(const char *const *names, size_t count)
{
    struct pair p = {0};
    struct error err = {0};

    if (!is_ok(tls_certificate_create(names, count, &p.root_pem, &p.root_key_pem, &p.cert_pem, &p.key_pem, &err)))
        fail_msg("%s (%s)", err.text, err.detail);
    p.root = certificate_read(&p.root_pem);
    p.cert = certificate_read(&p.cert_pem);
    p.root_key = key_read(&p.root_key_pem);
    p.key = key_read(&p.key_pem);
    return p;
}

static void pair_clear(struct pair *p)
{
    X509_free(p->root);
    X509_free(p->cert);
    EVP_PKEY_free(p->root_key);
    EVP_PKEY_free(p->key);
    buf_clear(&p->root_pem);
    buf_clear(&p->root_key_pem);
    buf_clear(&p->cert_pem);
    buf_clear(&p->key_pem);
}

static const char *const names[] = {"localhost", "127.0.0.1", "::1", "sign.example.org"};

static int verify(struct pair *p, int purpose, const char *host)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();

    assert_int_equal(X509_STORE_add_cert(store, p->root), 1);
    assert_int_equal(X509_STORE_CTX_init(ctx, store, p->cert, NULL), 1);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    (void)X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
    assert_int_equal(X509_VERIFY_PARAM_set_purpose(param, purpose), 1);
    if (!X509_VERIFY_PARAM_set1_ip_asc(param, host))
        assert_int_equal(X509_VERIFY_PARAM_set1_host(param, host, 0), 1);
    int result = X509_verify_cert(ctx);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    return result;
}

static void the_certificate_verifies_for_each_of_its_names_and_no_other(void **state)
{
    struct pair p = pair_new(names, COUNT_OF(names));

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_int_equal(verify(&p, X509_PURPOSE_SSL_SERVER, names[i]), 1);
    assert_int_not_equal(verify(&p, X509_PURPOSE_SSL_SERVER, "127.0.0.2"), 1);
    assert_int_not_equal(verify(&p, X509_PURPOSE_SSL_SERVER, "example.org"), 1);
    assert_int_not_equal(verify(&p, X509_PURPOSE_SSL_CLIENT, "localhost"), 1);
    pair_clear(&p);
}

static void the_keys_belong_to_the_certificates_and_are_p256(void **state)
{
    struct pair p = pair_new(names, 1);
    enum key_type type;

    (void)state;
    assert_int_equal(X509_check_private_key(p.cert, p.key), 1);
    assert_int_equal(X509_check_private_key(p.root, p.root_key), 1);
    assert_int_equal(key_type_of(p.key, &type, NULL).code, CODE_OK);
    assert_int_equal(type, KEY_TYPE_P256);
    pair_clear(&p);
}

static void two_pairs_share_nothing(void **state)
{
    struct pair a = pair_new(names, 1), b = pair_new(names, 1);

    (void)state;
    assert_int_not_equal(EVP_PKEY_eq(a.key, b.key), 1);
    assert_int_not_equal(EVP_PKEY_eq(a.root_key, b.root_key), 1);
    assert_int_not_equal(X509_verify(a.cert, b.root_key), 1);
    pair_clear(&a);
    pair_clear(&b);
}

static void a_name_that_is_none_is_refused(void **state)
{
    const char *const rows[] = {"", "a,DNS:evil.example", "a b", "a:b", "host/path", "a\nb"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf a = {0}, b = {0}, c = {0}, d = {0};
        assert_int_equal(tls_certificate_create(&rows[i], 1, &a, &b, &c, &d, NULL).code, CODE_INVALID);
        assert_int_equal(a.len + b.len + c.len + d.len, 0);
    }
}

static void a_certificate_without_a_name_is_refused(void **state)
{
    struct buf a = {0}, b = {0}, c = {0}, d = {0};

    (void)state;
    assert_int_equal(tls_certificate_create(NULL, 0, &a, &b, &c, &d, NULL).code, CODE_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_certificate_verifies_for_each_of_its_names_and_no_other),
        cmocka_unit_test(the_keys_belong_to_the_certificates_and_are_p256),
        cmocka_unit_test(two_pairs_share_nothing),
        cmocka_unit_test(a_name_that_is_none_is_refused),
        cmocka_unit_test(a_certificate_without_a_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

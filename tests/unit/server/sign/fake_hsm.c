/* SPDX-License-Identifier: Apache-2.0 */
/* Signs with OpenSSL what the signer asks for. */
#include "fake_hsm.h"

#include <assert.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 10000 };

void fake_hsm_init(struct fake_hsm *h)
{
    *h = (struct fake_hsm){0};
    (void)pthread_mutex_init(&h->lock, NULL);
    (void)pthread_cond_init(&h->changed, NULL);
}

void fake_hsm_clear(struct fake_hsm *h)
{
    for (int i = 0; i < FAKE_KEYS; i++)
        EVP_PKEY_free(h->keys[i]);
    (void)pthread_mutex_destroy(&h->lock);
    (void)pthread_cond_destroy(&h->changed);
}

static EVP_PKEY *generate(enum key_type type)
{
    if (key_type_family(type) == FAMILY_RSA)
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)key_type_bits(type));
    return type == KEY_TYPE_P256 ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
                                 : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

void fake_hsm_key(struct fake_hsm *h, enum key_type type, struct signing_key *out)
{
    uint8_t *der = NULL;
    int i = 0;
    while (h->keys[i])
        i++;
    assert(i < FAKE_KEYS);
    h->keys[i] = generate(type);
    assert(is_ok(key_cka_id(h->keys[i], h->ids[i], NULL)));

    int len = i2d_PUBKEY(h->keys[i], &der);
    assert(len > 0);
    buf_add(&out->spki, der, (size_t)len);
    OPENSSL_free(der);
    memcpy(out->hsm_id, h->ids[i], sizeof(out->hsm_id));
    out->type = type;
    out->hashes = HASH_SET_DEFAULT;
    for (int m = MECHANISM_NONE + 1; m < MECHANISM_COUNT; m++) {
        if (mechanism_family((enum mechanism)m) == key_type_family(type))
            out->mechanisms |= 1u << m;
    }
}

static void sign_message(EVP_PKEY *key, struct slice message, struct buf *out)
{
    size_t len = 64;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert(EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1);
    assert(EVP_DigestSign(ctx, buf_reserve(out, len), &len, message.data, message.len) == 1);
    out->len += len;
    EVP_MD_CTX_free(ctx);
}

static void sign_digest(EVP_PKEY *key, const struct sign_input *in, struct buf *out)
{
    uint8_t made[1024];
    size_t len = sizeof(made);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    assert(EVP_PKEY_sign_init(ctx) == 1);
    assert(EVP_PKEY_CTX_set_signature_md(ctx, EVP_get_digestbyname(hash_openssl(in->hash))) == 1);
    if (in->mechanism == MECHANISM_RSA_PSS) {
        assert(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1);
        assert(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_get_digestbyname(hash_openssl(in->mgf_hash))) == 1);
        assert(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int)in->salt_len) == 1);
    }
    assert(EVP_PKEY_sign(ctx, made, &len, in->digest.data, in->digest.len) == 1);
    EVP_PKEY_CTX_free(ctx);
    if (in->mechanism == MECHANISM_ECDSA)
        assert(is_ok(ecdsa_der_to_raw((struct slice){made, len}, 32, out, NULL)));
    else
        buf_add(out, made, len);
}

static void hold_point(struct fake_hsm *h)
{
    struct timespec until = deadline_timespec(deadline_in(WAIT_MS));
    (void)pthread_mutex_lock(&h->lock);
    h->entered = true;
    (void)pthread_cond_broadcast(&h->changed);
    int rc = 0;
    while (h->held && rc == 0)
        rc = pthread_cond_clockwait(&h->changed, &h->lock, CLOCK_MONOTONIC, &until);
    (void)pthread_mutex_unlock(&h->lock);
}

static status fake_sign(void *hsm, const uint8_t id[20], enum key_type type, const struct sign_input *in,
                        struct deadline d, struct buf *signature, struct error *err)
{
    struct fake_hsm *h = hsm;
    (void)type;
    (void)d;
    atomic_fetch_add(&h->calls, 1);
    if (h->touched)
        h->touched(h->touched_arg);
    hold_point(h);
    if (h->fail_with != CODE_OK)
        return error_set(err, h->fail_with, "the token was pulled");

    int i = 0;
    while (i < FAKE_KEYS && memcmp(h->ids[i], id, sizeof(h->ids[i])) != 0)
        i++;
    if (i == FAKE_KEYS)
        return error_set(err, CODE_NOT_FOUND, "no such key in the token");
    if (in->mechanism == MECHANISM_EDDSA)
        sign_message(h->keys[i], in->digest, signature);
    else
        sign_digest(h->keys[i], in, signature);
    if (h->spoil)
        signature->data[signature->len / 2] ^= 1;
    signature->len -= h->cut;
    return OK;
}

struct signer_hsm fake_hsm_interface(struct fake_hsm *h)
{
    return (struct signer_hsm){.sign = fake_sign, .hsm = h};
}

void fake_hsm_hold(struct fake_hsm *h)
{
    (void)pthread_mutex_lock(&h->lock);
    h->held = true;
    h->entered = false;
    (void)pthread_mutex_unlock(&h->lock);
}

void fake_hsm_await_entered(struct fake_hsm *h)
{
    struct timespec until = deadline_timespec(deadline_in(WAIT_MS));
    int rc = 0;
    (void)pthread_mutex_lock(&h->lock);
    while (!h->entered && rc == 0)
        rc = pthread_cond_clockwait(&h->changed, &h->lock, CLOCK_MONOTONIC, &until);
    assert(h->entered);
    (void)pthread_mutex_unlock(&h->lock);
}

void fake_hsm_release(struct fake_hsm *h)
{
    (void)pthread_mutex_lock(&h->lock);
    h->held = false;
    (void)pthread_cond_broadcast(&h->changed);
    (void)pthread_mutex_unlock(&h->lock);
}

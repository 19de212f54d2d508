/* SPDX-License-Identifier: Apache-2.0 */
/* Signing half of RFC 7515, for tests. */
#include "jws_make.h"

#include <assert.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

#include "common/encoding.h"
#include "common/signature.h"

static void raw_signature(struct slice input, const char *alg, EVP_PKEY *key, struct buf *out)
{
    uint8_t made[1024];
    size_t len = sizeof(made);
    EVP_PKEY_CTX *pctx = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const EVP_MD *md = strcmp(alg, "EdDSA") == 0 ? NULL : strcmp(alg, "ES384") == 0 ? EVP_sha384() : EVP_sha256();
    assert(EVP_DigestSignInit(ctx, &pctx, md, NULL, key) == 1);
    if (strcmp(alg, "PS256") == 0) {
        assert(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1);
        assert(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1);
    }
    assert(EVP_DigestSign(ctx, made, &len, input.data, input.len) == 1);
    EVP_MD_CTX_free(ctx);
    if (strncmp(alg, "ES", 2) == 0)
        assert(is_ok(ecdsa_der_to_raw((struct slice){made, len}, strcmp(alg, "ES384") == 0 ? 48 : 32, out, NULL)));
    else
        buf_add(out, made, len);
}

void jws_make(struct buf *out, const char *header, const char *payload, const char *alg, EVP_PKEY *key,
              struct slice hmac_secret)
{
    cleanup_buf struct buf signature = {0};
    buf_reset(out);
    base64url_encode(slice_of_text(header), out);
    buf_add_byte(out, '.');
    base64url_encode(slice_of_text(payload), out);
    if (strcmp(alg, "HS256") == 0) {
        uint8_t mac[32];
        unsigned len = sizeof(mac);
        assert(HMAC(EVP_sha256(), hmac_secret.data, (int)hmac_secret.len, out->data, out->len, mac, &len));
        buf_add(&signature, mac, len);
    } else if (strcmp(alg, "none") != 0) {
        raw_signature(buf_slice(out), alg, key, &signature);
    }
    buf_add_byte(out, '.');
    base64url_encode(buf_slice(&signature), out);
}

EVP_PKEY *jws_key_make(const char *type)
{
    EVP_PKEY *key = NULL;
    if (strcmp(type, "RSA2048") == 0)
        key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    else if (strcmp(type, "ED25519") == 0)
        key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    else
        key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", type);
    assert(key);
    return key;
}

void public_key_pem(EVP_PKEY *key, struct buf *out)
{
    char *text = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    assert(PEM_write_bio_PUBKEY(bio, key) == 1);
    long len = BIO_get_mem_data(bio, &text);
    buf_add(out, text, (size_t)len);
    BIO_free(bio);
}

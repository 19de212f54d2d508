/* SPDX-License-Identifier: Apache-2.0 */
/* Header, claims and signature of a compact JWS. The algorithm follows from the key: nobody chooses it. */
#include "client/assertion.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "common/encoding.h"
#include "common/json.h"
#include "common/openssl_scope.h"
#include "common/secret.h"
#include "common/signature.h"

enum { SIGNATURE_MAX = 1024 };

struct jws_algorithm {
    const char *name;   /* RFC 7518 §3.1, RFC 8037 §3.1 */
    const char *digest; /* NULL: the algorithm has its own */
    size_t field_len;   /* ECDSA: bytes of r and of s */
    bool pss;
};

static const struct jws_algorithm *algorithm_of(EVP_PKEY *key)
{
    static const struct jws_algorithm eddsa = {"EdDSA", NULL, 0, false};
    static const struct jws_algorithm es256 = {"ES256", "SHA256", 32, false};
    static const struct jws_algorithm es384 = {"ES384", "SHA384", 48, false};
    static const struct jws_algorithm ps256 = {"PS256", "SHA256", 0, true};

    enum key_type type = KEY_TYPE_NONE;
    if (EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= 2048)
        return &ps256;
    if (!is_ok(key_type_of(key, &type, NULL)))
        return NULL;
    if (type == KEY_TYPE_ED25519)
        return &eddsa;
    if (type == KEY_TYPE_P256)
        return &es256;
    return type == KEY_TYPE_P384 ? &es384 : NULL;
}

static void header_write(const struct jws_algorithm *alg, struct buf *out)
{
    struct json_writer w = json_writer_on(out);
    json_begin_object(&w, NULL);
    json_add_text(&w, "alg", alg->name);
    json_add_text(&w, "typ", "JWT");
    json_end_object(&w);
}

static status claims_write(const struct assertion *a, struct buf *out, struct error *err)
{
    uint8_t random[16];
    char jti[2 * sizeof(random) + 1];
    TRY(secret_random(random, sizeof(random), err));
    hex_format((struct slice){random, sizeof(random)}, jti);

    struct json_writer w = json_writer_on(out);
    json_begin_object(&w, NULL);
    json_add_text(&w, "iss", a->account);
    json_add_text(&w, "sub", a->account);
    json_add_text(&w, "aud", a->audience);
    json_add_integer(&w, "iat", a->issued_at_s);
    json_add_integer(&w, "exp", a->issued_at_s + a->life_s);
    json_add_text(&w, "jti", jti);
    json_end_object(&w);
    return buf_check(out, err);
}

static bool pss_set(EVP_PKEY_CTX *ctx)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
}

static status jws_sign(const struct jws_algorithm *alg, EVP_PKEY *key, struct slice input, struct buf *signature,
                       struct error *err)
{
    uint8_t bytes[SIGNATURE_MAX];
    size_t len = sizeof(bytes);
    EVP_PKEY_CTX *ctx = NULL; /* belongs to md */
    cleanup_md_ctx EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool done = md && EVP_DigestSignInit_ex(md, &ctx, alg->digest, NULL, NULL, key, NULL) == 1 &&
                (!alg->pss || pss_set(ctx)) && EVP_DigestSign(md, bytes, &len, input.data, input.len) == 1;
    if (!done)
        return error_set(err, CODE_CREDENTIAL, "the private key cannot sign an assertion");

    struct slice made = {bytes, len};
    if (alg->field_len > 0)
        return ecdsa_der_to_raw(made, alg->field_len, signature, err);
    buf_add(signature, made.data, made.len);
    return buf_check(signature, err);
}

status assertion_sign(const struct assertion *a, EVP_PKEY *key, struct buf *out, struct error *err)
{
    const struct jws_algorithm *alg = algorithm_of(key);
    if (!alg)
        return error_set(err, CODE_CREDENTIAL,
                         "a service account's key is Ed25519, P-256, P-384 or RSA of at least 2048 bits");

    cleanup_buf struct buf header = {0};
    cleanup_buf struct buf claims = {0};
    cleanup_buf struct buf signature = {0};
    header_write(alg, &header);
    TRY(claims_write(a, &claims, err));

    size_t start = out->len; /* what stands before is not part of the assertion */
    base64url_encode(buf_slice(&header), out);
    buf_add_byte(out, '.');
    base64url_encode(buf_slice(&claims), out);
    TRY(buf_check(out, err));
    TRY(jws_sign(alg, key, (struct slice){out->data + start, out->len - start}, &signature, err));
    buf_add_byte(out, '.');
    base64url_encode(buf_slice(&signature), out);
    return buf_check(out, err);
}

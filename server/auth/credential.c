/* SPDX-License-Identifier: Apache-2.0 */
/* New credentials: access tokens and API keys (the text for its owner once, the hash for the store: I8), and the public
 * keys that service accounts offer. */
#include "server/auth/credential_text.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "common/openssl_scope.h"
#include "common/signature.h"
#include "common/text.h"
#include "server/auth/jws.h"

DEFINE_CLEANUP_PTR(BIO, BIO_vfree)
#define cleanup_bio CLEANUP(BIO_vfree_cleanup)

status access_token_make(const char *principal_id, int64_t now_ms, struct buf *text, struct access_token *row,
                         struct error *err)
{
    struct access_token made = {.expires_ms = now_ms + LIMIT_TOKEN_SECONDS * INT64_C(1000)};
    cleanup_buf struct buf token = {0};
    buf_add_text(&token, ACCESS_TOKEN_PREFIX);
    TRY(base62_secret_add(&token, err));
    TRY(sha256(buf_slice(&token), made.sha256, err));
    if (!text_copy(made.principal_id, sizeof(made.principal_id), principal_id))
        return error_set(err, CODE_INTERNAL, "principal id too long");

    buf_add(text, token.data, token.len);
    TRY(buf_check(text, err));
    *row = made;
    return OK;
}

status api_key_make(const char *user_id, const char *name, int64_t expires_ms, int64_t now_ms, struct buf *text,
                    struct api_key *row, struct error *err)
{
    struct api_key made = {.expires_ms = expires_ms, .created_ms = now_ms, .scopes = SCOPE_ALL};
    cleanup_buf struct buf secret = {0};
    if (!text_is_name(name))
        return error_set(err, CODE_INVALID, "name: 1 to %d characters of a-z 0-9 . _ - are expected", LIMIT_NAME);
    if (expires_ms != 0 && expires_ms <= now_ms)
        return error_set(err, CODE_INVALID, "expires: the time has passed");

    TRY(id_new(API_KEY_ID_PREFIX, made.id, err));
    TRY(base62_secret_add(&secret, err));
    TRY(sha256(buf_slice(&secret), made.secret_sha256, err));
    if (!text_copy(made.user_id, sizeof(made.user_id), user_id) || !text_copy(made.name, sizeof(made.name), name))
        return error_set(err, CODE_INTERNAL, "user id or name too long");
    TRY(api_key_text_format(made.id, buf_slice(&secret), text, err));
    *row = made;
    return OK;
}

/* One PUBLIC KEY block and nothing behind it but white space. */
static status public_key_read(const char *pem, EVP_PKEY **out, struct error *err)
{
    enum { PEM_MAX = 4096 };
    const char begin[] = "-----BEGIN PUBLIC KEY-----", end[] = "-----END PUBLIC KEY-----";
    cleanup_err_mark bool marked = err_mark();
    size_t len = strnlen(pem, PEM_MAX + 1);
    if (len > PEM_MAX)
        return error_set(err, CODE_INVALID, "public_key: more than %d bytes", PEM_MAX);
    if (strstr(pem, "PRIVATE KEY-----"))
        return error_set(err, CODE_INVALID, "public_key: this is a private key; keep it, and offer its public half");

    const char *block = pem + strspn(pem, " \t\r\n");
    const char *block_end = strstr(block, end);
    if (strncmp(block, begin, strlen(begin)) != 0 || !block_end)
        return error_set(err, CODE_INVALID, "public_key: a PEM block \"PUBLIC KEY\" is expected");
    block_end += strlen(end);
    if (block_end[strspn(block_end, " \t\r\n")] != '\0')
        return error_set(err, CODE_INVALID, "public_key: there is something behind the PEM block");

    cleanup_bio BIO *bio = BIO_new_mem_buf(block, (int)strlen(block));
    cleanup_pkey EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
    if (!key)
        return error_set(err, CODE_INVALID, "public_key: it cannot be read");
    *out = steal(&key);
    return OK;
}

static status public_key_judge(EVP_PKEY *key, const char *algorithm, const struct jws_algorithm **out,
                               struct error *err)
{
    cleanup_err_mark bool marked = err_mark();
    enum key_type type = KEY_TYPE_NONE;
    status known = key_type_of(key, &type, err);
    const struct jws_algorithm *chosen = NULL;
    if (is_ok(known))
        chosen = algorithm ? jws_algorithm_find(algorithm) : jws_algorithm_for(type);
    if (!is_ok(known) || (!algorithm && !chosen))
        return error_set(err, CODE_INVALID, "public_key: Ed25519, P-256, P-384 or RSA of 2048, 3072 or 4096 bits");
    if (!chosen)
        return error_set(err, CODE_INVALID, "algorithm: EdDSA, ES256, ES384, RS256 or PS256");
    if (!jws_algorithm_fits(chosen, type))
        return error_set(err, CODE_INVALID, "algorithm: %s does not fit a key of type %s", chosen->name,
                         key_type_name(type));

    cleanup_pkey_ctx EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    if (!ctx || EVP_PKEY_public_check(ctx) != 1)
        return error_set(err, CODE_INVALID, "public_key: it is not a sound %s key", key_type_name(type));
    *out = chosen;
    return OK;
}

static status spki_encode(EVP_PKEY *key, struct buf *out, struct error *err)
{
    cleanup_err_mark bool marked = err_mark();
    int len = i2d_PUBKEY(key, NULL);
    uint8_t *bytes = len > 0 ? buf_reserve(out, (size_t)len) : NULL;
    if (!bytes || i2d_PUBKEY(key, &bytes) != len)
        return error_set(err, CODE_INTERNAL, "the public key cannot be encoded");
    out->len += (size_t)len;
    return OK;
}

status account_key_parse(const char *pem, const char *algorithm, struct account_key *out, struct error *err)
{
    cleanup_pkey EVP_PKEY *key = NULL;
    cleanup_buf struct buf spki = {0};
    const struct jws_algorithm *chosen = NULL;
    struct account_key made = {.created_ms = clock_now_ms()};

    TRY(public_key_read(pem, &key, err));
    TRY(public_key_judge(key, algorithm, &chosen, err));
    TRY(spki_encode(key, &spki, err));
    TRY(id_new("sk", made.id, err));
    (void)snprintf(made.algorithm, sizeof(made.algorithm), "%s", chosen->name);
    made.spki = spki;
    spki = (struct buf){0};
    *out = made;
    return OK;
}

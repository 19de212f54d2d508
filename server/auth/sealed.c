/* SPDX-License-Identifier: Apache-2.0 */
/* See sealed.h. NIST SP 800-38D; random nonces of 96 bits under one key are good for 2^32 secrets. */
#include "server/auth/sealed.h"

#include <openssl/evp.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/encoding.h"
#include "common/file.h"
#include "common/openssl_scope.h"
#include "common/secret.h"

enum { KEY_LEN = 32 };

DEFINE_CLEANUP_PTR(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)
#define cleanup_cipher CLEANUP(EVP_CIPHER_CTX_free_cleanup)

status secret_key_make(const char *path, struct error *err)
{
    uint8_t random[KEY_LEN];
    cleanup_buf struct buf line = {0};
    TRY(secret_random(random, sizeof(random), err));
    hex_encode((struct slice){random, sizeof(random)}, &line);
    secret_wipe(random, sizeof(random));
    buf_add_text(&line, "\n");
    TRY(buf_check(&line, err));
    return file_create(path, buf_slice(&line), 0600, err);
}

static status key_read(const char *path, struct buf *key, struct error *err)
{
    cleanup_buf struct buf text = {0};
    TRY(file_read_secret(path, &text, err));
    if (text.len != 2UL * KEY_LEN || !is_ok(hex_decode(buf_text(&text), text.len, key, NULL)))
        return error_set(err, CODE_CONFIGURATION, "%s: %d hexadecimal digits are expected", path, 2 * KEY_LEN);
    return OK;
}

/* Of two that make it at once, one finds the other's. */
static status key_read_or_make(const char *path, struct buf *key, struct error *err)
{
    if (!file_exists(path)) {
        status made = secret_key_make(path, err);
        if (!is_ok(made) && made.code != CODE_CONFLICT)
            return made;
    }
    return key_read(path, key, err);
}

/* What is wrong with the key is for the log: the caller cannot mend it. */
static status key_unavailable(status failed, struct error *err)
{
    struct error cause = err ? *err : (struct error){0};
    if (is_ok(failed))
        return OK;
    status result = error_set(err, CODE_UNAVAILABLE, "the server's secret key cannot be used");
    error_detail(err, "%s", cause.text);
    return result;
}

static bool begin(EVP_CIPHER_CTX *ctx, const struct buf *key, const uint8_t *nonce, const char *purpose, bool encrypt)
{
    int len = 0;
    return EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->data, nonce, encrypt) == 1 &&
           EVP_CipherUpdate(ctx, NULL, &len, (const uint8_t *)purpose, (int)strlen(purpose)) == 1;
}

status seal(const char *key_path, const char *purpose, struct slice plain, struct buf *out, struct error *err)
{
    cleanup_err_mark bool marked = err_mark();
    cleanup_buf struct buf key = {0};
    cleanup_cipher EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t *to = buf_reserve(out, plain.len + SEALED_OVERHEAD);
    int len = 0;
    TRY(key_unavailable(key_read_or_make(key_path, &key, err), err));
    if (!ctx || !to)
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));

    uint8_t *body = to + SEALED_NONCE_LEN;
    TRY(secret_random(to, SEALED_NONCE_LEN, err));
    if (!begin(ctx, &key, to, purpose, true) || EVP_EncryptUpdate(ctx, body, &len, plain.data, (int)plain.len) != 1 ||
        (size_t)len != plain.len || EVP_EncryptFinal_ex(ctx, body + plain.len, &len) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SEALED_TAG_LEN, body + plain.len) != 1)
        return error_set(err, CODE_INTERNAL, "a secret cannot be sealed");
    out->len += plain.len + SEALED_OVERHEAD;
    return OK;
}

status unseal(const char *key_path, const char *purpose, struct slice sealed, struct buf *out, struct error *err)
{
    cleanup_err_mark bool marked = err_mark();
    cleanup_buf struct buf key = {0};
    cleanup_cipher EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len = 0;
    if (sealed.len < SEALED_OVERHEAD)
        return error_set(err, CODE_INTERNAL, "a sealed secret is too short");
    size_t plain_len = sealed.len - SEALED_OVERHEAD;
    uint8_t *to = buf_reserve(out, plain_len);
    TRY(key_unavailable(key_read(key_path, &key, err), err));
    if (!ctx || !to)
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));

    const uint8_t *body = sealed.data + SEALED_NONCE_LEN;
    if (!begin(ctx, &key, sealed.data, purpose, false) || EVP_DecryptUpdate(ctx, to, &len, body, (int)plain_len) != 1 ||
        (size_t)len != plain_len ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, SEALED_TAG_LEN, (void *)(uintptr_t)(body + plain_len)) != 1 ||
        EVP_DecryptFinal_ex(ctx, to + plain_len, &len) != 1) {
        secret_wipe(to, plain_len);
        return key_unavailable(error_set(err, CODE_CONFIGURATION, "%s is not the key it was sealed with", key_path),
                               err);
    }
    out->len += plain_len;
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A service account's key pair is made where it will be used; only the public half ever leaves. */
#include <openssl/evp.h>

#include "client/client.h"
#include "client/credential.h"
#include "client/libctx.h"
#include "common/file.h"
#include "common/openssl_scope.h"

/* A key that exists is never written over. */
static status key_file_create(const char *path, struct slice pem, struct error *err)
{
    status s = file_create(path, pem, 0600, err);
    if (s.code == CODE_CONFLICT)
        return error_set(err, CODE_CONFLICT, "%s exists; a private key is never written over", path);
    return s;
}

status client_enroll(const char *key_path, struct slice passphrase, struct buf *public_pem, struct error *err)
{
    cleanup_libctx struct libctx_scope scope = {0};
    TRY(libctx_enter(&scope, err));

    cleanup_pkey EVP_PKEY *key = EVP_PKEY_Q_keygen(scope.ctx, NULL, "ED25519");
    if (!key)
        return error_set(err, CODE_INTERNAL, "OpenSSL cannot make an Ed25519 key pair");

    cleanup_buf struct buf private_pem = {0};
    cleanup_buf struct buf made = {0};
    TRY(private_key_write(key, passphrase, &private_pem, err));
    TRY(public_key_write(key, &made, err));
    TRY(key_file_create(key_path, buf_slice(&private_pem), err));

    buf_clear(public_pem);
    *public_pem = made;
    made = (struct buf){0};
    return OK;
}

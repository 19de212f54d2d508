/* SPDX-License-Identifier: Apache-2.0 */
/* A service account's key pair is made where it will be used; only the public half ever leaves. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>

#include "client/client.h"
#include "client/credential.h"
#include "client/libctx.h"

DEFINE_CLEANUP_PTR(EVP_PKEY, EVP_PKEY_free)

static bool write_all(int fd, struct slice content)
{
    while (content.len > 0) {
        ssize_t n = write(fd, content.data, content.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        content.data += n;
        content.len -= (size_t)n;
    }
    return fsync(fd) == 0;
}

/* A key that exists is never written over: O_EXCL, and not rename. */
static status key_file_create(const char *path, struct slice pem, struct error *err)
{
    cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EEXIST)
        return error_set(err, CODE_CONFLICT, "%s exists; a private key is never written over", path);
    if (fd < 0)
        return error_set(err, CODE_IO, "%s: %s", path, strerror(errno));
    if (!write_all(fd, pem)) {
        int saved = errno;
        (void)unlink(path);
        return error_set(err, CODE_IO, "%s: %s", path, strerror(saved));
    }
    return OK;
}

status client_enroll(const char *key_path, struct slice passphrase, struct buf *public_pem, struct error *err)
{
    cleanup_libctx struct libctx_scope scope = {0};
    TRY(libctx_enter(&scope, err));

    CLEANUP(EVP_PKEY_free_cleanup) EVP_PKEY *key = EVP_PKEY_Q_keygen(scope.ctx, NULL, "ED25519");
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

/* SPDX-License-Identifier: Apache-2.0 */
/* Files of any size are hashed in pieces; only the digest travels. */
#include "cli/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>

#include "chancery/protocol.h"
#include "common/file.h"

enum { PIECE = 64 * 1024 };

DEFINE_CLEANUP_PTR(EVP_MD_CTX, EVP_MD_CTX_free)

static status pieces_digest(int fd, const char *path, EVP_MD_CTX *md, struct error *err)
{
    static uint8_t piece[PIECE];
    for (;;) {
        ssize_t n = read(fd, piece, sizeof(piece));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(err, CODE_IO, "%s: %s", path, strerror(errno));
        if (n == 0)
            return OK;
        if (!EVP_DigestUpdate(md, piece, (size_t)n))
            return error_set(err, CODE_INTERNAL, "OpenSSL cannot hash");
    }
}

static status file_digest(const char *path, enum hash hash, struct buf *out, struct error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    cleanup_fd int fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, CODE_IO, "%s: %s", path, strerror(errno));

    CLEANUP(EVP_MD_CTX_free_cleanup) EVP_MD_CTX *md = EVP_MD_CTX_new();
    const EVP_MD *type = EVP_get_digestbyname(hash_openssl(hash));
    if (!md || !type || !EVP_DigestInit_ex(md, type, NULL))
        return error_set(err, CODE_INTERNAL, "OpenSSL has no %s", hash_name(hash));
    TRY(pieces_digest(fd, path, md, err));

    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (!EVP_DigestFinal_ex(md, digest, &len))
        return error_set(err, CODE_INTERNAL, "OpenSSL cannot hash");
    buf_add(out, digest, len);
    return buf_check(out, err);
}

static status mechanism_choose(struct cli *cli, enum key_family family, enum mechanism *out, struct error *err)
{
    static const enum mechanism usual[] = {
        [FAMILY_RSA] = MECHANISM_RSA_PKCS1, [FAMILY_EC] = MECHANISM_ECDSA, [FAMILY_EDWARDS] = MECHANISM_EDDSA};
    const char *name = cli_option(cli, "mechanism");
    *out = usual[family];
    if (name && !mechanism_parse(name, out))
        return cli_usage(cli, err, "--mechanism: rsa_pkcs1, rsa_pss, ecdsa or eddsa is expected");
    return OK;
}

status input_make(struct cli *cli, enum key_family family, const char *path, struct buf *bytes, struct sign_input *in,
                  struct error *err)
{
    const char *hash = cli_option(cli, "hash");
    *in = (struct sign_input){.hash = HASH_SHA256};
    TRY(mechanism_choose(cli, family, &in->mechanism, err));
    if (hash && in->mechanism == MECHANISM_EDDSA)
        return cli_usage(cli, err, "--hash: Ed25519 signs the file itself");
    if (hash && !hash_parse(hash, &in->hash)) {
        char names[HASH_SET_SIZE];
        hash_set_format(HASH_SET_ALL, names);
        return cli_usage(cli, err, "--hash: one of %s is expected", names);
    }

    if (in->mechanism == MECHANISM_EDDSA) {
        in->hash = HASH_NONE;
        status read = file_read(path, LIMIT_EDDSA_MESSAGE, FILE_ANY, bytes, err);
        if (read.code == CODE_TOO_LARGE)
            return error_set(err, CODE_TOO_LARGE, "%s: Ed25519 signs files of at most %d bytes", path,
                             LIMIT_EDDSA_MESSAGE);
        TRY(read);
    } else {
        TRY(file_digest(path, in->hash, bytes, err));
    }
    if (in->mechanism == MECHANISM_RSA_PSS) {
        in->mgf_hash = in->hash;
        in->salt_len = hash_len(in->hash);
    }
    in->digest = buf_slice(bytes);
    return OK;
}

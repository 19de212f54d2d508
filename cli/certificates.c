/* SPDX-License-Identifier: Apache-2.0 */
/* PEM first, DER where that fails. */
#include "cli/certificates.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "common/encoding.h"
#include "common/file.h"
#include "common/openssl_scope.h"

enum { FILE_MAX = 1024 * 1024 };

DEFINE_CLEANUP_PTR(BIO, BIO_free_all)
#define cleanup_bio CLEANUP(BIO_free_all_cleanup)

static status bio_of_file(const char *path, struct buf *content, BIO **out, struct error *err)
{
    TRY(file_read(path, FILE_MAX, FILE_ANY, content, err));
    *out = BIO_new_mem_buf(content->data, (int)content->len);
    return *out ? OK : error_set(err, CODE_NO_MEMORY, "out of memory");
}

status public_key_from_certificate(const char *path, EVP_PKEY **out, struct error *err)
{
    cleanup_buf struct buf content = {0};
    cleanup_bio BIO *bio = NULL;
    TRY(bio_of_file(path, &content, &bio, err));
    cleanup_x509 X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    if (!certificate) {
        const unsigned char *at = content.data;
        certificate = d2i_X509(NULL, &at, (long)content.len);
    }
    *out = certificate ? X509_get_pubkey(certificate) : NULL;
    return *out ? OK : error_set(err, CODE_INVALID, "%s: no certificate in PEM or DER", path);
}

status public_key_from_file(const char *path, EVP_PKEY **out, struct error *err)
{
    cleanup_buf struct buf content = {0};
    cleanup_bio BIO *bio = NULL;
    TRY(bio_of_file(path, &content, &bio, err));
    *out = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    if (!*out) {
        const unsigned char *at = content.data;
        *out = d2i_PUBKEY(NULL, &at, (long)content.len);
    }
    return *out ? OK : error_set(err, CODE_INVALID, "%s: no public key in PEM or DER", path);
}

void certificate_pem(struct slice der, struct buf *out)
{
    cleanup_buf struct buf text = {0};
    base64_encode(der, &text);
    buf_add_text(out, "-----BEGIN CERTIFICATE-----\n");
    for (size_t at = 0; at < text.len; at += 64) {
        size_t len = text.len - at < 64 ? text.len - at : 64;
        buf_add(out, text.data + at, len);
        buf_add_byte(out, '\n');
    }
    buf_add_text(out, "-----END CERTIFICATE-----\n");
    out->failed |= text.failed;
}

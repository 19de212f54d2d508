/* SPDX-License-Identifier: Apache-2.0 */
/* The server's own TLS: a software root, made once, and a P-256 certificate for the names the server is reached by.
 * These keys protect the transport only; nothing is signed for anybody with them. */
#include <arpa/inet.h>
#include <openssl/pem.h>
#include <string.h>

#include "server/ca/ca.h"
#include "server/ca/certificate.h"

enum { ROOT_DAYS = 3650, SERVER_DAYS = 825 };

static status name_append(struct buf *san, const char *name, struct error *err)
{
    uint8_t address[16];
    bool is_ip = inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;

    /* The text goes into a configuration value of OpenSSL's: nothing in it may be taken for another entry. */
    if (!name[0] || strlen(name) > 253 ||
        (!is_ip && name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRS"
                                     "TUVWXYZ0123456789.-*")] != 0))
        return error_set(err, CODE_INVALID, "\"%.64s\" is neither a DNS name nor an address", name);
    buf_printf(san, "%s%s:%s", san->len ? "," : "", is_ip ? "IP" : "DNS", name);
    return buf_check(san, err);
}

static status key_new(EVP_PKEY **out, struct error *err)
{
    *out = EVP_EC_gen("P-256");
    return *out ? OK : certificate_failure("a P-256 key cannot be generated", err);
}

static status root_create(EVP_PKEY *key, X509 **out, struct error *err)
{
    const struct certificate_plan plan = {
        .public_key = key,
        .subject = "CN=Chancery TLS root",
        .days = ROOT_DAYS,
        .basic_constraints = "critical,CA:TRUE,pathlen:0",
        .key_usage = "critical,keyCertSign,cRLSign",
    };
    return certificate_sign(&plan, NULL, key, EVP_sha256(), out, err);
}

static status server_create(EVP_PKEY *key, const char *san, X509 *root, EVP_PKEY *root_key, X509 **out,
                            struct error *err)
{
    const struct certificate_plan plan = {
        .public_key = key,
        .subject = "CN=Chancery server",
        .days = SERVER_DAYS,
        .basic_constraints = "critical,CA:FALSE",
        .key_usage = "critical,digitalSignature",
        .extended_key_usage = "serverAuth",
        .alternative_names = san,
    };
    return certificate_sign(&plan, root, root_key, EVP_sha256(), out, err);
}

static status bio_take(BIO *bio, int written, struct buf *out, struct error *err)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);

    buf_reset(out);
    if (written == 1 && len > 0)
        buf_add(out, data, (size_t)len);
    BIO_free(bio);
    return written == 1 ? buf_check(out, err) : certificate_failure("PEM cannot be written", err);
}

static status certificate_pem(X509 *crt, struct buf *out, struct error *err)
{
    BIO *bio = BIO_new(BIO_s_mem());

    return bio_take(bio, bio ? PEM_write_bio_X509(bio, crt) : 0, out, err);
}

static status key_pem(EVP_PKEY *key, struct buf *out, struct error *err)
{
    BIO *bio = BIO_new(BIO_s_secmem()); /* wiped when freed (I8) */

    return bio_take(bio, bio ? PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) : 0, out, err);
}

status tls_certificate_create(const char *const *names, size_t count, struct buf *root_pem, struct buf *root_key_pem,
                              struct buf *cert_pem, struct buf *key_pem_out, struct error *err)
{
    cleanup_buf struct buf san = {0};
    cleanup_pkey EVP_PKEY *root_key = NULL, *server_key = NULL;
    cleanup_x509 X509 *root = NULL, *server = NULL;

    if (count == 0)
        return error_set(err, CODE_INVALID, "a server certificate needs at least one name");
    for (size_t i = 0; i < count; i++)
        TRY(name_append(&san, names[i], err));
    TRY(key_new(&root_key, err));
    TRY(key_new(&server_key, err));
    TRY(root_create(root_key, &root, err));
    TRY(server_create(server_key, buf_text(&san), root, root_key, &server, err));

    TRY(certificate_pem(root, root_pem, err));
    TRY(key_pem(root_key, root_key_pem, err));
    TRY(certificate_pem(server, cert_pem, err));
    return key_pem(server_key, key_pem_out, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Private keys in PEM and API keys. Everything read passes through memory that is wiped (I8). */
#include "client/credential.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <string.h>

#include "chancery/protocol.h"
#include "common/secret.h"

enum { API_KEY_MIN = 20, API_KEY_MAX = 256, PASSPHRASE_MAX = 1024, PBKDF2_ITERATIONS = 100000, SALT_LEN = 16 };

DEFINE_CLEANUP_PTR(BIO, BIO_free_all)
DEFINE_CLEANUP_PTR(X509_SIG, X509_SIG_free)
DEFINE_CLEANUP_PTR(PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free)
#define cleanup_bio CLEANUP(BIO_free_all_cleanup)
#define cleanup_x509_sig CLEANUP(X509_SIG_free_cleanup)
#define cleanup_pkcs8 CLEANUP(PKCS8_PRIV_KEY_INFO_free_cleanup)

void credential_clear(struct credential *c)
{
    buf_clear(&c->key);
    buf_clear(&c->api_key);
    *c = (struct credential){0};
}

bool credential_is_set(const struct credential *c)
{
    return c->key.len > 0 || c->api_key.len > 0;
}

/* What OpenSSL asks through its callback. */
struct asking {
    const struct slice *passphrase;
    bool asked;
};

static int on_passphrase(char *out, int size, int writing, void *user)
{
    struct asking *a = user;
    (void)writing;
    a->asked = true;
    if (!a->passphrase || a->passphrase->len > (size_t)size)
        return -1;
    memcpy(out, a->passphrase->data, a->passphrase->len);
    return (int)a->passphrase->len;
}

status private_key_read(struct slice pem, const struct slice *passphrase, EVP_PKEY **key, bool *encrypted,
                        struct error *err)
{
    if (pem.len > INT_MAX)
        return error_set(err, CODE_TOO_LARGE, "the private key is too large");
    cleanup_bio BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    if (!bio)
        return error_set(err, CODE_NO_MEMORY, "out of memory");

    struct asking asking = {.passphrase = passphrase};
    EVP_PKEY *read = PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, &asking);
    *encrypted = asking.asked;
    if (!read && asking.asked)
        return passphrase ? error_set(err, CODE_CREDENTIAL, "the passphrase is wrong") : OK;
    if (!read)
        return error_set(err, CODE_CONFIGURATION, "no private key in PEM stands in it");
    *key = read;
    return OK;
}

/* The bytes of a memory BIO, which wipes nothing by itself. */
static status bio_take(BIO *bio, struct buf *out, struct error *err)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    buf_add(out, data, (size_t)len);
    secret_wipe(data, (size_t)len);
    return buf_check(out, err);
}

/* PBES2 with an iteration count of ours: OpenSSL's own is 2048. */
static X509_SIG *key_encrypt(const PKCS8_PRIV_KEY_INFO *plain, struct slice passphrase)
{
    X509_ALGOR *scheme =
        PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), PBKDF2_ITERATIONS, NULL, SALT_LEN, NULL, NID_hmacWithSHA256);
    if (!scheme)
        return NULL;
    X509_SIG *encrypted =
        PKCS8_set0_pbe((const char *)passphrase.data, (int)passphrase.len, (PKCS8_PRIV_KEY_INFO *)plain, scheme);
    if (!encrypted)
        X509_ALGOR_free(scheme);
    return encrypted;
}

status private_key_write(EVP_PKEY *key, struct slice passphrase, struct buf *pem, struct error *err)
{
    if (passphrase.len > PASSPHRASE_MAX)
        return error_set(err, CODE_INVALID, "the passphrase has more than %d bytes", PASSPHRASE_MAX);
    cleanup_bio BIO *bio = BIO_new(BIO_s_secmem());
    cleanup_pkcs8 PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(key);
    bool written = false;
    if (bio && plain && passphrase.len > 0) {
        cleanup_x509_sig X509_SIG *encrypted = key_encrypt(plain, passphrase);
        written = encrypted && PEM_write_bio_PKCS8(bio, encrypted);
    } else if (bio && plain) {
        written = PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, plain);
    }
    return written ? bio_take(bio, pem, err) : error_set(err, CODE_INTERNAL, "OpenSSL cannot write the private key");
}

status private_key_encode(EVP_PKEY *key, struct buf *der, struct error *err)
{
    cleanup_pkcs8 PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(key);
    uint8_t *bytes = NULL;
    int len = plain ? i2d_PKCS8_PRIV_KEY_INFO(plain, &bytes) : -1;
    if (len <= 0)
        return error_set(err, CODE_INTERNAL, "OpenSSL cannot encode the private key");
    buf_add(der, bytes, (size_t)len);
    OPENSSL_clear_free(bytes, (size_t)len);
    return buf_check(der, err);
}

status private_key_decode(struct slice der, EVP_PKEY **key, struct error *err)
{
    const uint8_t *at = der.data;
    cleanup_pkcs8 PKCS8_PRIV_KEY_INFO *plain = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der.len);
    EVP_PKEY *made = plain ? EVP_PKCS82PKEY(plain) : NULL;
    if (!made)
        return error_set(err, CODE_INTERNAL, "OpenSSL cannot decode the private key");
    *key = made;
    return OK;
}

status public_key_write(EVP_PKEY *key, struct buf *pem, struct error *err)
{
    cleanup_bio BIO *bio = BIO_new(BIO_s_mem());
    if (!bio || !PEM_write_bio_PUBKEY(bio, key))
        return error_set(err, CODE_INTERNAL, "OpenSSL cannot write the public key");
    return bio_take(bio, pem, err);
}

status api_key_check(struct slice text, struct error *err)
{
    size_t prefix = strlen(API_KEY_PREFIX);
    bool fits = text.len >= API_KEY_MIN && text.len <= API_KEY_MAX && memcmp(text.data, API_KEY_PREFIX, prefix) == 0;
    for (size_t i = 0; fits && i < text.len; i++)
        fits = text.data[i] > ' ' && text.data[i] < 0x7f;
    return fits ? OK : error_set(err, CODE_CREDENTIAL, "this is no API key (%s…)", API_KEY_PREFIX);
}

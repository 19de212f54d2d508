/* SPDX-License-Identifier: Apache-2.0 */
/* PEM to what GnuTLS's certificate callback hands out. The key is compared with the certificate here, so that a wrong
 * pair is refused when it is set and not found out by clients. */
#include "server/http/tls.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

static gnutls_datum_t datum_of(const char *pem)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)pem, (unsigned)strlen(pem)};
}

static status pair_check(const struct tls_identity *t, struct error *err)
{
    unsigned char of_certificate[32], of_key[32];
    size_t certificate_len = sizeof of_certificate, key_len = sizeof of_key;
    gnutls_pubkey_t public_half = NULL;
    int rc = gnutls_pubkey_init(&public_half);
    if (rc == 0)
        rc = gnutls_pubkey_import_privkey(public_half, t->key, 0, 0);
    if (rc == 0)
        rc = gnutls_pubkey_get_key_id(public_half, GNUTLS_KEYID_USE_SHA256, of_key, &key_len);
    if (rc == 0)
        rc = gnutls_pubkey_get_key_id(t->certificates[0].pubkey, GNUTLS_KEYID_USE_SHA256, of_certificate,
                                      &certificate_len);
    if (public_half)
        gnutls_pubkey_deinit(public_half);
    if (rc != 0)
        return error_set(err, CODE_CONFIGURATION, "TLS key: %s", gnutls_strerror(rc));
    if (certificate_len != key_len || memcmp(of_certificate, of_key, key_len) != 0)
        return error_set(err, CODE_CONFIGURATION, "TLS key: it does not belong to the TLS certificate");
    return OK;
}

static status identity_fill(struct tls_identity *t, const char *certificate_pem, const char *key_pem, struct error *err)
{
    gnutls_datum_t certificate = datum_of(certificate_pem), key = datum_of(key_pem);
    unsigned count = COUNT_OF(t->certificates);
    int rc = gnutls_pcert_list_import_x509_raw(t->certificates, &count, &certificate, GNUTLS_X509_FMT_PEM,
                                               GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED);
    if (rc < 0)
        return error_set(err, CODE_CONFIGURATION, "TLS certificate: %s", gnutls_strerror(rc));
    t->count = count;
    rc = gnutls_privkey_init(&t->key);
    if (rc == 0)
        rc = gnutls_privkey_import_x509_raw(t->key, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (rc < 0)
        return error_set(err, CODE_CONFIGURATION, "TLS key: %s", gnutls_strerror(rc));
    return pair_check(t, err);
}

status tls_identity_new(const char *certificate_pem, const char *key_pem, struct tls_identity **out, struct error *err)
{
    struct tls_identity *t = calloc(1, sizeof *t);
    if (!t)
        return error_set(err, CODE_NO_MEMORY, "TLS certificate");
    status s = identity_fill(t, certificate_pem, key_pem, err);
    if (!is_ok(s)) {
        tls_identity_free(t);
        return s;
    }
    *out = t;
    return OK;
}

void tls_identity_free(struct tls_identity *list)
{
    while (list) {
        struct tls_identity *next = list->next;
        for (unsigned i = 0; i < list->count; i++)
            gnutls_pcert_deinit(&list->certificates[i]);
        if (list->key)
            gnutls_privkey_deinit(list->key);
        free(list);
        list = next;
    }
}

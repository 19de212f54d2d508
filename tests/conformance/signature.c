/* SPDX-License-Identifier: Apache-2.0 */
#include "signature.h"

#include <openssl/ecdsa.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "key.h"

void digest_make(const struct hash_row *hash, const CK_BYTE *data, size_t len, CK_BYTE *out)
{
    EVP_MD *md = EVP_MD_fetch(NULL, hash->name, NULL);
    (void)EVP_Digest(data, len, out, NULL, md, NULL);
    EVP_MD_free(md);
}

size_t digest_info_make(const struct hash_row *hash, const CK_BYTE *digest, CK_BYTE *out)
{
    X509_SIG *info = X509_SIG_new();
    X509_ALGOR *algorithm;
    ASN1_OCTET_STRING *octets;
    X509_SIG_getm(info, &algorithm, &octets);
    (void)X509_ALGOR_set0(algorithm, OBJ_nid2obj(OBJ_sn2nid(hash->name)), V_ASN1_NULL, NULL);
    (void)ASN1_OCTET_STRING_set(octets, digest, (int)hash->len);
    unsigned char *at = out;
    int len = i2d_X509_SIG(info, &at);
    X509_SIG_free(info);
    return len > 0 ? (size_t)len : 0;
}

static void order_fill(struct order *o)
{
    for (size_t i = 0; i < sizeof o->message; i++)
        o->message[i] = (CK_BYTE)(i * 7 + 1);
    if (o->row->hash || o->row->scheme == SCHEME_EDDSA) {
        memcpy(o->data, o->message, sizeof o->message);
        o->len = sizeof o->message;
        return;
    }
    CK_BYTE digest[64];
    digest_make(o->hash, o->message, sizeof o->message, digest);
    o->len = o->hash->len;
    memcpy(o->data, digest, o->hash->len);
    if (o->row->scheme == SCHEME_PKCS1)
        o->len = digest_info_make(o->hash, digest, o->data);
}

void order_make(struct order *o, const struct scheme_row *row, const char *hash_name)
{
    *o = (struct order){.row = row, .hash = hash_by_name(row->hash ? row->hash : hash_name)};
    o->mechanism = (CK_MECHANISM){row->type, NULL, 0};
    if (row->scheme == SCHEME_PSS) {
        o->pss = (CK_RSA_PKCS_PSS_PARAMS){o->hash->type, o->hash->mgf, o->hash->len};
        o->mechanism.pParameter = &o->pss;
        o->mechanism.ulParameterLen = sizeof o->pss;
    }
    order_fill(o);
}

static bool rsa_set_up(EVP_PKEY_CTX *ctx, const struct order *o)
{
    EVP_MD *md = EVP_MD_fetch(NULL, o->hash->name, NULL);
    bool ok = EVP_PKEY_CTX_set_rsa_padding(ctx, o->row->scheme == SCHEME_PSS ? RSA_PKCS1_PSS_PADDING
                                                                             : RSA_PKCS1_PADDING) > 0 &&
              EVP_PKEY_CTX_set_signature_md(ctx, md) > 0;
    if (ok && o->row->scheme == SCHEME_PSS) {
        const char *mgf = NULL;
        for (size_t i = 0; i < hash_row_count; i++)
            mgf = hash_rows[i].mgf == o->pss.mgf ? hash_rows[i].name : mgf;
        ok = mgf && EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, mgf, NULL) > 0 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int)o->pss.sLen) > 0;
    }
    EVP_MD_free(md);
    return ok;
}

/* r‖s to the DER OpenSSL takes. */
static int ecdsa_to_der(const CK_BYTE *signature, size_t len, unsigned char **der)
{
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, (int)(len / 2), NULL), *s = BN_bin2bn(signature + len / 2, (int)(len / 2), NULL);
    (void)ECDSA_SIG_set0(sig, r, s);
    int n = i2d_ECDSA_SIG(sig, der);
    ECDSA_SIG_free(sig);
    return n;
}

static bool eddsa_is_good(const struct key *key, const struct order *o, const CK_BYTE *signature, size_t len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
                EVP_DigestVerify(ctx, signature, len, o->data, o->len) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

bool signature_is_good(const struct key *key, const struct order *o, const CK_BYTE *signature, size_t len)
{
    if (len != key->signature_len)
        return false;
    if (o->row->scheme == SCHEME_EDDSA)
        return eddsa_is_good(key, o, signature, len);

    CK_BYTE digest[MESSAGE_MAX];
    size_t digest_len = o->hash->len;
    if (o->row->hash)
        digest_make(o->hash, o->data, o->len, digest);
    else if (o->row->scheme == SCHEME_PKCS1)
        memcpy(digest, o->data + o->len - digest_len, digest_len);
    else
        memcpy(digest, o->data, digest_len = o->len);

    unsigned char *der = NULL;
    int der_len = o->row->scheme == SCHEME_ECDSA ? ecdsa_to_der(signature, len, &der) : 0;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);
    bool good = ctx && EVP_PKEY_verify_init(ctx) > 0 && (o->row->key_type != CKK_RSA || rsa_set_up(ctx, o)) &&
                EVP_PKEY_verify(ctx, der ? der : signature, der ? (size_t)der_len : len, digest, digest_len) == 1;
    EVP_PKEY_CTX_free(ctx);
    OPENSSL_free(der);
    return good;
}

CK_RV sign_once(struct rig *r, struct order *o, CK_BYTE *signature, CK_ULONG *len)
{
    about(text("C_SignInit and C_Sign with %s", o->row->name));
    CK_RV rv = r->f->C_SignInit(r->session, &o->mechanism, r->key.private_key);
    return rv == CKR_OK ? r->f->C_Sign(r->session, o->data, o->len, signature, len) : rv;
}

bool order_is_possible(struct rig *r, const struct scheme_row *row)
{
    CK_MECHANISM_INFO info;
    return row->key_type == r->key.type && r->f->C_GetMechanismInfo(r->slot, row->type, &info) == CKR_OK &&
           (info.flags & CKF_SIGN) && key_allows(r, r->key.private_key, row->type);
}

const struct scheme_row *row_of_scheme(struct rig *r, enum scheme scheme, bool hashing)
{
    const struct scheme_row *found = NULL;
    for (size_t i = 0; i < scheme_row_count; i++) {
        const struct scheme_row *row = &scheme_rows[i];
        bool fits = row->scheme == scheme && !!row->hash == hashing && order_is_possible(r, row);
        if (fits && (!found || (row->hash && strcmp(row->hash, "SHA256") == 0)))
            found = row;
    }
    return found;
}

const struct scheme_row *row_any(struct rig *r)
{
    static const enum scheme schemes[] = {SCHEME_PKCS1, SCHEME_ECDSA, SCHEME_EDDSA};
    const struct scheme_row *row = NULL;
    for (size_t i = 0; i < COUNT_OF(schemes) && !row; i++)
        row = row_of_scheme(r, schemes[i], false);
    return row;
}

const struct scheme_row *row_hashing(struct rig *r)
{
    const struct scheme_row *row = row_of_scheme(r, SCHEME_PKCS1, true);
    return row ? row : row_of_scheme(r, SCHEME_ECDSA, true);
}

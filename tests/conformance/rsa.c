/* SPDX-License-Identifier: Apache-2.0 */
/* What RSA mechanisms take: DigestInfos (curr §2.1.6), PSS parameters (curr §2.1.9, §2.1.10, §2.1.15). */
#include <openssl/rsa.h>
#include <string.h>

#include "group.h"
#include "key.h"
#include "signature.h"

static CK_RV sign_bytes(struct rig *r, CK_MECHANISM *m, const CK_BYTE *data, CK_ULONG len, CK_BYTE *out,
                        CK_ULONG *out_len)
{
    CK_RV rv = r->f->C_SignInit(r->session, m, r->key.private_key);
    if (rv != CKR_OK)
        return rv;
    *out_len = SIGNATURE_MAX;
    rv = r->f->C_Sign(r->session, (CK_BYTE *)data, len, out, out_len);
    CK_ULONG left = SIGNATURE_MAX;
    CK_BYTE rest[SIGNATURE_MAX];
    EXPECT("base §5.13.2", "C_Sign after C_Sign", r->f->C_Sign(r->session, rest, 4, rest, &left),
           CKR_OPERATION_NOT_INITIALIZED);
    return rv;
}

/* What PKCS #1 v1.5 padding was put round is these bytes. */
static bool is_padded(const struct key *key, const CK_BYTE *signature, size_t len, const CK_BYTE *data, size_t data_len)
{
    unsigned char recovered[SIGNATURE_MAX];
    size_t recovered_len = sizeof recovered;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);
    bool same = EVP_PKEY_verify_recover_init(ctx) > 0 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0 &&
                EVP_PKEY_verify_recover(ctx, recovered, &recovered_len, signature, len) == 1 &&
                recovered_len == data_len && memcmp(recovered, data, data_len) == 0;
    EVP_PKEY_CTX_free(ctx);
    return same;
}

/* Signed as it is, or refused for its form. */
static void signed_or_refused(struct rig *r, const char *what, const CK_BYTE *data, CK_ULONG len)
{
    CK_MECHANISM m = {CKM_RSA_PKCS, NULL, 0};
    CK_BYTE out[SIGNATURE_MAX];
    CK_ULONG out_len = 0;
    CK_RV rv = sign_bytes(r, &m, data, len, out, &out_len);
    EXPECT("curr §2.1.6", text("CKM_RSA_PKCS of %s", what), rv, CKR_OK, CKR_DATA_INVALID, CKR_DATA_LEN_RANGE);
    if (rv == CKR_OK)
        check("curr §2.1.6", text("the signature of %s is of it", what), is_padded(&r->key, out, out_len, data, len));
}

void rsa_pkcs_group(struct rig *r)
{
    if (r->key.type != CKK_RSA || !row_of_scheme(r, SCHEME_PKCS1, false))
        return;
    CK_BYTE digest[64] = {1, 2, 3}, info[128], big[SIGNATURE_MAX], out[SIGNATURE_MAX];
    CK_MECHANISM m = {CKM_RSA_PKCS, NULL, 0};
    CK_ULONG out_len = 0, k = r->key.signature_len;
    memset(big, 0x17, sizeof big);
    for (size_t i = 0; i < hash_row_count; i++) {
        size_t len = digest_info_make(&hash_rows[i], digest, info);
        CK_RV rv = sign_bytes(r, &m, info, len, out, &out_len);
        EXPECT("curr §2.1.6", text("CKM_RSA_PKCS of a DigestInfo of %s", hash_rows[i].name), rv, CKR_OK,
               CKR_DATA_INVALID, CKR_FUNCTION_REJECTED);
        if (rv == CKR_OK)
            check("curr §2.1.6", text("the signature of a DigestInfo of %s", hash_rows[i].name),
                  is_padded(&r->key, out, out_len, info, len));
        if (i == 2) {
            EXPECT("curr §2.1.6", "CKM_RSA_PKCS of a DigestInfo of SHA256", rv, CKR_OK);
            signed_or_refused(r, "a DigestInfo without its last byte", info, len - 1);
            info[len] = 0;
            signed_or_refused(r, "a DigestInfo and a byte more", info, len + 1);
            info[4] ^= 1;
            signed_or_refused(r, "a DigestInfo with a broken length", info, len);
        }
    }
    static const CK_BYTE no_parameters[] = {0x30, 0x2f, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48,
                                            0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x04, 0x20};
    memcpy(big, no_parameters, sizeof no_parameters);
    signed_or_refused(r, "a DigestInfo without the NULL", big, sizeof no_parameters + 32);
    memset(big, 0x17, sizeof big);
    signed_or_refused(r, "nothing", digest, 0);
    signed_or_refused(r, "one byte", digest, 1);
    signed_or_refused(r, "a bare digest of 32 bytes", digest, 32);
    signed_or_refused(r, "MD5 and SHA-1 in a row (36 bytes)", digest, 36);
    signed_or_refused(r, "as many bytes as fit", big, k - 11);
    for (CK_ULONG more = 1; more <= 12; more += more == 1 ? 10 : 1)
        EXPECT("curr §2.1.6", text("CKM_RSA_PKCS of k - 11 + %lu bytes", more),
               sign_bytes(r, &m, big, k - 11 + more, out, &out_len), CKR_DATA_LEN_RANGE, CKR_DATA_INVALID);
    CK_MECHANISM with = {CKM_RSA_PKCS, digest, 4};
    EXPECT_NOT_BEGUN("curr §2.1.6", "CKM_RSA_PKCS with a parameter",
                     r->f->C_SignInit(r->session, &with, r->key.private_key), CKR_MECHANISM_PARAM_INVALID);
}

static void pss_signs(struct rig *r, const struct scheme_row *row, const struct hash_row *hash,
                      const struct hash_row *mgf, CK_ULONG salt, bool must)
{
    struct order o;
    CK_BYTE out[SIGNATURE_MAX];
    CK_ULONG len = sizeof out;
    order_make(&o, row, hash->name);
    o.pss.mgf = mgf->mgf;
    o.pss.sLen = salt;
    const char *what = text("%s with %s, MGF %s, salt of %lu", row->name, hash->name, mgf->name, salt);
    CK_RV rv = sign_once(r, &o, out, &len);
    if (must)
        EXPECT("curr §2.1.10", what, rv, CKR_OK);
    else
        EXPECT("curr §2.1.10", what, rv, CKR_OK, CKR_MECHANISM_PARAM_INVALID, CKR_ARGUMENTS_BAD, CKR_FUNCTION_REJECTED);
    if (rv == CKR_OK)
        check("curr §2.1.10", text("OpenSSL verifies %s", what), signature_is_good(&r->key, &o, out, len));
}

static void pss_refused(struct rig *r, const struct scheme_row *row, const char *what, void *parameter, CK_ULONG len)
{
    CK_MECHANISM m = {row->type, parameter, len};
    EXPECT_NOT_BEGUN("curr §2.1.9", text("C_SignInit of %s with %s", row->name, what),
                     r->f->C_SignInit(r->session, &m, r->key.private_key), CKR_MECHANISM_PARAM_INVALID,
                     CKR_ARGUMENTS_BAD);
    EXPECT_NOT_BEGUN("curr §2.1.9", text("C_VerifyInit of %s with %s", row->name, what),
                     r->f->C_VerifyInit(r->session, &m, r->key.public_key), CKR_MECHANISM_PARAM_INVALID,
                     CKR_ARGUMENTS_BAD);
}

static void pss_forms(struct rig *r, const struct scheme_row *row)
{
    const struct hash_row *hash = hash_by_name(row->hash ? row->hash : "SHA256");
    CK_RSA_PKCS_PSS_PARAMS good = {hash->type, hash->mgf, hash->len}, bad = good;
    CK_BYTE shifted[2 * sizeof good];
    pss_refused(r, row, "no parameters", NULL, 0);
    pss_refused(r, row, "parameters at NULL", NULL, sizeof good);
    pss_refused(r, row, "parameters of length 0", &good, 0);
    pss_refused(r, row, "parameters a byte short", &good, sizeof good - 1);
    pss_refused(r, row, "parameters a byte long", memcpy(shifted, &good, sizeof good), sizeof good + 1);
    pss_refused(r, row, "parameters of length ~0", &good, ~0UL);
    const CK_MECHANISM_TYPE hashes[] = {CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS_PSS, 0x7fff1234UL, ~0UL};
    for (size_t i = 0; i < COUNT_OF(hashes); i++) {
        bad.hashAlg = hashes[i];
        pss_refused(r, row, text("hash 0x%lx", hashes[i]), &bad, sizeof bad);
    }
    bad = good;
    const CK_RSA_PKCS_MGF_TYPE mgfs[] = {0, 99, ~0UL};
    for (size_t i = 0; i < COUNT_OF(mgfs); i++) {
        bad.mgf = mgfs[i];
        pss_refused(r, row, text("MGF %lu", mgfs[i]), &bad, sizeof bad);
    }
    bad = good;
    CK_ULONG most = (r->key.bits - 1 + 7) / 8 - 2 - hash->len;
    const CK_ULONG salts[] = {most + 1, most + 2, r->key.signature_len, 1UL << 32, 1UL << 63, ~0UL};
    for (size_t i = 0; i < COUNT_OF(salts); i++) {
        bad.sLen = salts[i];
        pss_refused(r, row, text("a salt of %lu (most: %lu)", salts[i], most), &bad, sizeof bad);
    }
    bad = good;
    for (size_t i = 0; row->hash && i < hash_row_count; i++) {
        bad.hashAlg = hash_rows[i].type;
        if (&hash_rows[i] != hash)
            pss_refused(r, row, text("hash %s", hash_rows[i].name), &bad, sizeof bad);
    }
    memcpy(shifted + 1, &good, sizeof good);
    CK_MECHANISM odd = {row->type, shifted + 1, sizeof good};
    EXPECT("base §3.5", text("C_SignInit of %s with parameters at an odd address", row->name),
           r->f->C_SignInit(r->session, &odd, r->key.private_key), CKR_OK);
    memset(shifted, 0xff, sizeof shifted); /* the caller's again after C_SignInit */
    struct order o;
    order_make(&o, row, hash->name);
    CK_BYTE out[SIGNATURE_MAX];
    CK_ULONG len = sizeof out;
    EXPECT("base §5.13.2", "C_Sign after the parameters are gone", r->f->C_Sign(r->session, o.data, o.len, out, &len),
           CKR_OK);
    check("curr §2.1.10", "… with what they said", signature_is_good(&r->key, &o, out, len));

    pss_signs(r, row, hash, hash, 0, true);
    pss_signs(r, row, hash, hash, hash->len, true);
    pss_signs(r, row, hash, hash, 20, true);
    pss_signs(r, row, hash, hash, most, true);
    for (size_t i = 0; i < hash_row_count; i++)
        pss_signs(r, row, hash, &hash_rows[i], hash->len, false);
}

void rsa_pss_group(struct rig *r)
{
    const struct scheme_row *plain = row_of_scheme(r, SCHEME_PSS, false), *hashed = row_of_scheme(r, SCHEME_PSS, true);
    if (hashed)
        pss_forms(r, hashed);
    if (!plain)
        return;
    pss_forms(r, plain);
    CK_BYTE out[SIGNATURE_MAX];
    for (size_t i = 0; i < hash_row_count; i++)
        pss_signs(r, plain, &hash_rows[i], &hash_rows[i], hash_rows[i].len, i == 2);
    const CK_ULONG lengths[] = {0, 1, 20, 31, 33, 64, 300};
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        struct order o;
        CK_ULONG len = sizeof out;
        order_make(&o, plain, "SHA256");
        o.len = lengths[i];
        EXPECT("curr §2.1.10", text("CKM_RSA_PKCS_PSS with SHA256 of %lu bytes", lengths[i]),
               sign_once(r, &o, out, &len), CKR_DATA_LEN_RANGE, CKR_DATA_INVALID);
        EXPECT("base §5.13.2", "C_Sign after that", r->f->C_Sign(r->session, o.data, 32, out, &len),
               CKR_OPERATION_NOT_INITIALIZED);
    }
}

void rsa_hashed_group(struct rig *r)
{
    CK_BYTE rest[4] = {0};
    for (size_t i = 0; i < scheme_row_count; i++) {
        const struct scheme_row *row = &scheme_rows[i];
        if (row->scheme != SCHEME_PKCS1 || !row->hash || !order_is_possible(r, row))
            continue;
        CK_MECHANISM m = {row->type, rest, sizeof rest};
        EXPECT_NOT_BEGUN("curr §2.1.14", text("C_SignInit of %s with a parameter", row->name),
                         r->f->C_SignInit(r->session, &m, r->key.private_key), CKR_MECHANISM_PARAM_INVALID);
        struct order o;
        order_make(&o, row, row->hash);
        const CK_ULONG lengths[] = {0, 1, 55, 56, 64};
        for (size_t j = 0; j < COUNT_OF(lengths); j++) {
            CK_BYTE out[SIGNATURE_MAX];
            CK_ULONG len = sizeof out;
            o.len = lengths[j];
            EXPECT("curr §2.1.14", text("%s of %lu bytes", row->name, lengths[j]), sign_once(r, &o, out, &len), CKR_OK);
            check("curr §2.1.14", text("OpenSSL verifies %s of %lu bytes", row->name, lengths[j]),
                  signature_is_good(&r->key, &o, out, len));
        }
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* C_GetMechanismList, C_GetMechanismInfo, and whether they are true (base §3.5, §5.5.5, §5.5.6). */
#include "mechanism.h"

#include <string.h>

#include "group.h"
#include "key.h"

const struct hash_row hash_rows[] = {
    {"SHA1", CKM_SHA_1, CKG_MGF1_SHA1, 20},
    {"SHA224", CKM_SHA224, CKG_MGF1_SHA224, 28},
    {"SHA256", CKM_SHA256, CKG_MGF1_SHA256, 32},
    {"SHA384", CKM_SHA384, CKG_MGF1_SHA384, 48},
    {"SHA512", CKM_SHA512, CKG_MGF1_SHA512, 64},
    {"SHA3-224", CKM_SHA3_224, CKG_MGF1_SHA3_224, 28},
    {"SHA3-256", CKM_SHA3_256, CKG_MGF1_SHA3_256, 32},
    {"SHA3-384", CKM_SHA3_384, CKG_MGF1_SHA3_384, 48},
    {"SHA3-512", CKM_SHA3_512, CKG_MGF1_SHA3_512, 64},
};
const size_t hash_row_count = COUNT_OF(hash_rows);

#define PLAIN(ckm, scheme, key)                                                                                        \
    {                                                                                                                  \
        ckm, #ckm, scheme, key, NULL, 0, 0                                                                             \
    }
#define HASHED(ckm, scheme, key, hash, type, mgf)                                                                      \
    {                                                                                                                  \
        ckm, #ckm, scheme, key, hash, type, mgf                                                                        \
    }
#define EACH_HASH(a, b, scheme, key)                                                                                   \
    HASHED(a##SHA1##b, scheme, key, "SHA1", CKM_SHA_1, CKG_MGF1_SHA1),                                                 \
        HASHED(a##SHA224##b, scheme, key, "SHA224", CKM_SHA224, CKG_MGF1_SHA224),                                      \
        HASHED(a##SHA256##b, scheme, key, "SHA256", CKM_SHA256, CKG_MGF1_SHA256),                                      \
        HASHED(a##SHA384##b, scheme, key, "SHA384", CKM_SHA384, CKG_MGF1_SHA384),                                      \
        HASHED(a##SHA512##b, scheme, key, "SHA512", CKM_SHA512, CKG_MGF1_SHA512),                                      \
        HASHED(a##SHA3_224##b, scheme, key, "SHA3-224", CKM_SHA3_224, CKG_MGF1_SHA3_224),                              \
        HASHED(a##SHA3_256##b, scheme, key, "SHA3-256", CKM_SHA3_256, CKG_MGF1_SHA3_256),                              \
        HASHED(a##SHA3_384##b, scheme, key, "SHA3-384", CKM_SHA3_384, CKG_MGF1_SHA3_384),                              \
        HASHED(a##SHA3_512##b, scheme, key, "SHA3-512", CKM_SHA3_512, CKG_MGF1_SHA3_512)

const struct scheme_row scheme_rows[] = {
    PLAIN(CKM_RSA_PKCS, SCHEME_PKCS1, CKK_RSA),     EACH_HASH(CKM_, _RSA_PKCS, SCHEME_PKCS1, CKK_RSA),
    PLAIN(CKM_RSA_PKCS_PSS, SCHEME_PSS, CKK_RSA),   EACH_HASH(CKM_, _RSA_PKCS_PSS, SCHEME_PSS, CKK_RSA),
    PLAIN(CKM_ECDSA, SCHEME_ECDSA, CKK_EC),         EACH_HASH(CKM_ECDSA_, , SCHEME_ECDSA, CKK_EC),
    PLAIN(CKM_EDDSA, SCHEME_EDDSA, CKK_EC_EDWARDS),
};
const size_t scheme_row_count = COUNT_OF(scheme_rows);

const struct scheme_row *scheme_by_type(CK_MECHANISM_TYPE type)
{
    for (size_t i = 0; i < scheme_row_count; i++) {
        if (scheme_rows[i].type == type)
            return &scheme_rows[i];
    }
    return NULL;
}

const struct hash_row *hash_by_name(const char *name)
{
    for (size_t i = 0; i < hash_row_count; i++) {
        if (strcmp(hash_rows[i].name, name) == 0)
            return &hash_rows[i];
    }
    return NULL;
}

void mechanisms_read(struct rig *r, struct mechanisms *out)
{
    out->count = COUNT_OF(out->types);
    if (r->f->C_GetMechanismList(r->slot, out->types, &out->count) != CKR_OK)
        out->count = 0;
}

bool mechanisms_have(const struct mechanisms *m, CK_MECHANISM_TYPE type)
{
    for (CK_ULONG i = 0; i < m->count; i++) {
        if (m->types[i] == type)
            return true;
    }
    return false;
}

void mechanism_list_group(struct rig *r)
{
    CK_MECHANISM_TYPE list[512];
    CK_ULONG count = 77;
    EXPECT("base §5.5.5", "C_GetMechanismList(slot, NULL, count)", r->f->C_GetMechanismList(r->slot, NULL, &count),
           CKR_OK);
    if (!check("base §5.5.5", "there are mechanisms", count > 0 && count < COUNT_OF(list)))
        return;
    const CK_ULONG small[] = {0, 1, count - 1}, enough[] = {count, count + 1, COUNT_OF(list), ~0UL};
    for (size_t i = 0; i < COUNT_OF(small); i++) {
        CK_ULONG len = small[i];
        memset(list, 0xaa, sizeof list);
        EXPECT("base §5.5.5", text("C_GetMechanismList with room for %lu of %lu", len, count),
               r->f->C_GetMechanismList(r->slot, list, &len), CKR_BUFFER_TOO_SMALL);
        check_number("base §5.5.5", "CKR_BUFFER_TOO_SMALL sets the count", len, count);
        check("base §5.5.5", "nothing is written behind the room", list[small[i]] == 0xaaaaaaaaaaaaaaaaUL);
    }
    for (size_t i = 0; i < COUNT_OF(enough); i++) {
        CK_ULONG len = enough[i];
        memset(list, 0xaa, sizeof list);
        EXPECT("base §5.5.5", text("C_GetMechanismList with room for %lu of %lu", len, count),
               r->f->C_GetMechanismList(r->slot, list, &len), CKR_OK);
        check_number("base §5.5.5", "the count", len, count);
        check("base §5.5.5", "nothing is written behind the last", list[count] == 0xaaaaaaaaaaaaaaaaUL);
    }
    for (CK_ULONG i = 0; i < count; i++) {
        for (CK_ULONG j = 0; j < i; j++)
            check("base §5.5.5", text("mechanism 0x%lx is listed once", list[i]), list[i] != list[j]);
    }
}

static void unlisted_are_refused(struct rig *r, const struct mechanisms *m)
{
    static const CK_MECHANISM_TYPE known[] = {CKM_RSA_PKCS_KEY_PAIR_GEN,
                                              CKM_RSA_9796,
                                              CKM_RSA_X_509,
                                              CKM_RSA_PKCS_OAEP,
                                              CKM_DSA,
                                              CKM_DH_PKCS_DERIVE,
                                              CKM_RC4,
                                              CKM_DES_ECB,
                                              CKM_DES3_CBC,
                                              CKM_MD2,
                                              CKM_MD5,
                                              CKM_MD5_RSA_PKCS,
                                              CKM_SHA256_HMAC,
                                              CKM_GENERIC_SECRET_KEY_GEN,
                                              CKM_AES_KEY_GEN,
                                              CKM_AES_CBC,
                                              CKM_AES_GCM,
                                              CKM_EC_KEY_PAIR_GEN,
                                              CKM_ECDH1_DERIVE,
                                              0x48UL /* CKM_SHA512_256 */,
                                              0x7fff1234UL,
                                              ~0UL,
                                              CKM_VENDOR_DEFINED | 1};
    CK_MECHANISM_INFO info;
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (!mechanisms_have(m, known[i]))
            EXPECT("base §5.5.6", text("C_GetMechanismInfo of unlisted 0x%lx", known[i]),
                   r->f->C_GetMechanismInfo(r->slot, known[i], &info), CKR_MECHANISM_INVALID);
    }
    for (size_t i = 0; i < scheme_row_count; i++) {
        if (!mechanisms_have(m, scheme_rows[i].type))
            EXPECT("base §5.5.6", text("C_GetMechanismInfo of unlisted %s", scheme_rows[i].name),
                   r->f->C_GetMechanismInfo(r->slot, scheme_rows[i].type, &info), CKR_MECHANISM_INVALID);
    }
}

static void info_is_sane(struct rig *r, CK_MECHANISM_TYPE type)
{
    CK_MECHANISM_INFO info = {~0UL, 0, ~0UL};
    if (!EXPECT("base §5.5.6", text("C_GetMechanismInfo of listed 0x%lx", type),
                r->f->C_GetMechanismInfo(r->slot, type, &info), CKR_OK))
        return;
    check("base §3.5", text("0x%lx does something (flags 0x%lx)", type, info.flags), info.flags != 0);
    const struct scheme_row *row = scheme_by_type(type);
    if (!row)
        return;
    check("base §3.5", text("%s signs or verifies", row->name), info.flags & (CKF_SIGN | CKF_VERIFY));
    check("base §3.5", text("%s: the least key size is not above the greatest", row->name),
          info.ulMinKeySize <= info.ulMaxKeySize);
    if (row->key_type == r->key.type)
        check(
            "base §3.5",
            text("%u bits are between %lu and %lu of %s", r->key.bits, info.ulMinKeySize, info.ulMaxKeySize, row->name),
            r->key.bits + 3 >= info.ulMinKeySize && r->key.bits <= info.ulMaxKeySize);
    if (row->key_type == CKK_EC) {
        check("curr §2.3.1", text("%s is over prime fields", row->name), info.flags & CKF_EC_F_P);
        check("curr §2.3.1", text("%s takes named curves or parameters", row->name),
              info.flags & (CKF_EC_OID | CKF_EC_ECPARAMETERS));
        check("curr §2.3.1", text("%s takes points that are not compressed", row->name),
              info.flags & CKF_EC_UNCOMPRESS);
    }
}

/* A flag must be true: what is said to digest, sign or verify begins to, and what is not said does not. */
static void flags_are_true(struct rig *r, CK_MECHANISM_TYPE type)
{
    CK_MECHANISM_INFO info = {0};
    if (r->f->C_GetMechanismInfo(r->slot, type, &info) != CKR_OK)
        return;
    CK_MECHANISM mechanism = {type, NULL, 0};
    CK_RV rv = r->f->C_DigestInit(r->session, &mechanism);
    if (info.flags & CKF_DIGEST)
        EXPECT("base §3.5", text("C_DigestInit with 0x%lx, said to digest", type), rv, CKR_OK);
    else
        EXPECT("base §3.5", text("C_DigestInit with 0x%lx, not said to digest", type), rv, CKR_MECHANISM_INVALID,
               CKR_FUNCTION_NOT_SUPPORTED);
    CK_BYTE digest[64];
    CK_ULONG len = sizeof digest;
    if (rv == CKR_OK)
        EXPECT("base §5.12.2", "C_Digest", r->f->C_Digest(r->session, digest, 0, digest, &len), CKR_OK);
    const struct scheme_row *row = scheme_by_type(type);
    CK_RV or = row && row->key_type != r->key.type ? CKR_KEY_TYPE_INCONSISTENT : CKR_MECHANISM_INVALID;
    if (!(info.flags & CKF_SIGN))
        EXPECT_NOT_BEGUN("base §3.5", text("C_SignInit with 0x%lx, not said to sign", type),
                         r->f->C_SignInit(r->session, &mechanism, r->key.private_key), CKR_MECHANISM_INVALID, or);
    if (!(info.flags & CKF_VERIFY))
        EXPECT_NOT_BEGUN("base §3.5", text("C_VerifyInit with 0x%lx, not said to verify", type),
                         r->f->C_VerifyInit(r->session, &mechanism, r->key.public_key), CKR_MECHANISM_INVALID, or);
}

void mechanism_info_group(struct rig *r)
{
    struct mechanisms m;
    mechanisms_read(r, &m);
    for (CK_ULONG i = 0; i < m.count; i++) {
        info_is_sane(r, m.types[i]);
        flags_are_true(r, m.types[i]);
    }
    unlisted_are_refused(r, &m);
}

/* Mechanisms that are not listed cannot be begun with (base §5.13.1, §5.15.1, §5.12.1). */
void mechanism_unlisted_group(struct rig *r)
{
    static const CK_MECHANISM_TYPE others[] = {CKM_RSA_9796, CKM_DSA, CKM_MD5_RSA_PKCS, CKM_SHA256_HMAC, CKM_AES_CMAC,
                                               0x7fff1234UL, ~0UL};
    struct mechanisms m;
    mechanisms_read(r, &m);
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        CK_MECHANISM mechanism = {others[i], NULL, 0};
        if (mechanisms_have(&m, others[i]))
            continue;
        EXPECT_NOT_BEGUN("base §5.13.1", text("C_SignInit with unlisted 0x%lx", others[i]),
                         r->f->C_SignInit(r->session, &mechanism, r->key.private_key), CKR_MECHANISM_INVALID);
        EXPECT_NOT_BEGUN("base §5.15.1", text("C_VerifyInit with unlisted 0x%lx", others[i]),
                         r->f->C_VerifyInit(r->session, &mechanism, r->key.public_key), CKR_MECHANISM_INVALID);
        EXPECT_NOT_BEGUN("base §5.12.1", text("C_DigestInit with unlisted 0x%lx", others[i]),
                         r->f->C_DigestInit(r->session, &mechanism), CKR_MECHANISM_INVALID, CKR_FUNCTION_NOT_SUPPORTED);
    }
}

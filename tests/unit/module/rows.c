/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

const struct row rows[] = {
#define SIGN_MECHANISM(ckm, mechanism, hash, min, max) {ckm, MECHANISM_##mechanism, HASH_##hash},
#include "chancery/mechanisms.def"
#undef SIGN_MECHANISM
};
const size_t row_count = COUNT_OF(rows);

struct slice digest_of(enum hash hash, struct slice bytes)
{
    static uint8_t out[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    assert_int_equal(EVP_Digest(bytes.data, bytes.len, out, &len, EVP_get_digestbyname(hash_openssl(hash)), NULL), 1);
    return (struct slice){out, len};
}

const struct client_key *row_key(const struct row *row)
{
    static const char *const labels[] = {[MECHANISM_RSA_PKCS1] = "rsa2048",
                                         [MECHANISM_RSA_PSS] = "rsa2048",
                                         [MECHANISM_ECDSA] = "p256",
                                         [MECHANISM_EDDSA] = "ed25519"};
    return fake_key(labels[row->mechanism]);
}

CK_SLOT_ID row_slot(const struct row *row)
{
    return row->mechanism == MECHANISM_EDDSA ? SLOT_EDWARDS : SLOT_MAIN;
}

bool row_takes_parts(const struct row *row)
{
    return row->hash != HASH_NONE || row->mechanism == MECHANISM_EDDSA;
}

CK_MECHANISM row_mechanism(const struct row *row)
{
    static CK_RSA_PKCS_PSS_PARAMS pss;
    static const CK_MECHANISM_TYPE digests[] = {
#define DIGEST_MECHANISM(ckm, hash) [HASH_##hash] = ckm,
#include "chancery/mechanisms.def"
#undef DIGEST_MECHANISM
    };
    static const CK_RSA_PKCS_MGF_TYPE masks[] = {
#define MASK_GENERATION(ckg, hash) [HASH_##hash] = ckg,
#include "chancery/mechanisms.def"
#undef MASK_GENERATION
    };
    if (row->mechanism != MECHANISM_RSA_PSS)
        return (CK_MECHANISM){row->type, NULL, 0};
    enum hash hash = row->hash ? row->hash : HASH_SHA256;
    pss = (CK_RSA_PKCS_PSS_PARAMS){digests[hash], masks[hash], hash_len(hash)};
    return (CK_MECHANISM){row->type, &pss, sizeof pss};
}

struct slice row_input(const struct row *row, struct slice data)
{
    static struct buf info;
    if (row_takes_parts(row))
        return data;
    struct slice digest = digest_of(HASH_SHA256, data);
    if (row->mechanism != MECHANISM_RSA_PKCS1)
        return digest;
    buf_clear(&info);
    digest_info_encode(HASH_SHA256, digest, &info);
    return buf_slice(&info);
}

void row_assert_verifies(const struct row *row, struct slice data, struct slice signature)
{
    enum hash hash = row->mechanism == MECHANISM_EDDSA ? HASH_NONE : row->hash ? row->hash : HASH_SHA256;
    struct sign_input in = {.mechanism = row->mechanism, .hash = hash, .digest = data};
    if (hash != HASH_NONE)
        in.digest = digest_of(hash, data);
    if (row->mechanism == MECHANISM_RSA_PSS) {
        in.mgf_hash = hash;
        in.salt_len = hash_len(hash);
    }
    struct error err = {0};
    status s = signature_verify(NULL, client_key_public(row_key(row)), &in, signature, &err);
    if (!is_ok(s))
        fail_msg("0x%lx: %s", row->type, err.text);
}

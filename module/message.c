/* SPDX-License-Identifier: Apache-2.0 */
/* Mechanism parameters, streaming hashes and the shapes of input that mechanisms take. */
#include "module/message.h"

#include <string.h>

#include "chancery/protocol.h"
#include "client/client.h"

static bool pss_hash_fits(const struct message *m)
{
    return m->pss_hash != HASH_NONE && m->mgf_hash != HASH_NONE && (m->hashes & hash_bit(m->pss_hash)) &&
           (m->hashes & hash_bit(m->mgf_hash)) && (m->row->hash == HASH_NONE || m->row->hash == m->pss_hash);
}

/* PKCS#11 3.0 mechanisms §2.1.10; the key must allow both hashes, and the salt must leave room in the encoded message
 * (RFC 8017 §9.1.1). */
static CK_RV pss_parse(struct message *m, const CK_MECHANISM *mechanism)
{
    CK_RSA_PKCS_PSS_PARAMS pss;
    if (!mechanism->pParameter || mechanism->ulParameterLen != sizeof pss)
        return CKR_MECHANISM_PARAM_INVALID;
    memcpy(&pss, mechanism->pParameter, sizeof pss);

    m->pss_hash = mechanism_hash(pss.hashAlg);
    m->mgf_hash = mechanism_mgf_hash(pss.mgf);
    size_t encoded_len = ((size_t)key_type_bits(m->type) - 1 + 7) / 8;
    if (!pss_hash_fits(m) || pss.sLen > encoded_len - 2 - hash_len(m->pss_hash))
        return CKR_MECHANISM_PARAM_INVALID;
    m->salt_len = pss.sLen;
    return CKR_OK;
}

/* Pure Ed25519 only: no parameters, or those that say so (§2.3.14). */
static CK_RV eddsa_parse(const CK_MECHANISM *mechanism)
{
    CK_EDDSA_PARAMS eddsa;
    if (mechanism->ulParameterLen == 0)
        return CKR_OK;
    if (!mechanism->pParameter || mechanism->ulParameterLen != sizeof eddsa)
        return CKR_MECHANISM_PARAM_INVALID;
    memcpy(&eddsa, mechanism->pParameter, sizeof eddsa);
    return eddsa.phFlag || eddsa.ulContextDataLen ? CKR_MECHANISM_PARAM_INVALID : CKR_OK;
}

/* Where none belongs its length decides: some callers leave the pointer unset. */
static CK_RV parameters_parse(struct message *m, const CK_MECHANISM *mechanism)
{
    if (m->row->mechanism == MECHANISM_RSA_PSS)
        return pss_parse(m, mechanism);
    if (m->row->mechanism == MECHANISM_EDDSA)
        return eddsa_parse(mechanism);
    return mechanism->ulParameterLen ? CKR_MECHANISM_PARAM_INVALID : CKR_OK;
}

static CK_RV message_judge(struct message *m, const CK_MECHANISM *mechanism, const struct client_key *key)
{
    if (mechanism_family(m->row->mechanism) != key_type_family(key->type))
        return CKR_KEY_TYPE_INCONSISTENT;
    if (!mechanism_is_allowed(m->row, key))
        return CKR_MECHANISM_INVALID;
    m->type = key->type;
    m->hashes = key->hashes;
    CK_RV rv = parameters_parse(m, mechanism);
    if (rv == CKR_OK && message_hashes(m))
        hasher_begin(&m->hasher, m->row->hash);
    return rv;
}

CK_RV message_init(struct message *m, const CK_MECHANISM *mechanism, const struct client_key *key)
{
    *m = (struct message){.row = mechanism_find_sign(mechanism->mechanism)};
    CK_RV rv = m->row ? message_judge(m, mechanism, key) : CKR_MECHANISM_INVALID;
    if (rv != CKR_OK)
        message_clear(m);
    return rv;
}

void message_clear(struct message *m)
{
    buf_clear(&m->bytes);
    *m = (struct message){0};
}

bool message_hashes(const struct message *m)
{
    return m->row->hash != HASH_NONE;
}

/* The other mechanisms are single-part (footnote 2 of the mechanism tables). */
bool message_takes_parts(const struct message *m)
{
    return message_hashes(m) || m->row->mechanism == MECHANISM_EDDSA;
}

/* Ed25519 hashes its message twice, so the message travels whole, and has a limit. */
CK_RV message_add(struct message *m, struct slice part)
{
    if (message_hashes(m))
        return hasher_add(&m->hasher, part) ? CKR_OK : CKR_ARGUMENTS_BAD;
    if (part.len > LIMIT_EDDSA_MESSAGE || m->bytes.len + part.len > LIMIT_EDDSA_MESSAGE)
        return CKR_DATA_LEN_RANGE;
    buf_add(&m->bytes, part.data, part.len);
    return m->bytes.failed ? CKR_HOST_MEMORY : CKR_OK;
}

static CK_RV finish_hashed(struct message *m, const struct slice *whole, struct sign_input *out)
{
    if (whole && !hasher_add(&m->hasher, *whole))
        return CKR_ARGUMENTS_BAD;
    hasher_end(&m->hasher, m->digest_bytes);
    out->hash = m->row->hash;
    out->digest = (struct slice){m->digest_bytes, hash_len(m->row->hash)};
    return CKR_OK;
}

/* CKM_RSA_PKCS signs a DigestInfo and nothing else (I5: the server knows what it signs). Input has at most k - 11 bytes
 * (mechanisms §2.1.6). */
static CK_RV finish_digest_info(const struct message *m, struct slice whole, struct sign_input *out)
{
    if (whole.len > key_type_signature_len(m->type) - 11)
        return CKR_DATA_LEN_RANGE;
    return digest_info_decode(whole, &out->hash, &out->digest) ? CKR_OK : CKR_DATA_INVALID;
}

/* A bare digest is of a hash that the key allows, SHA-2 before SHA-3. Of one it does not allow, too: the server judges
 * and records that. */
static CK_RV finish_digest(const struct message *m, struct slice whole, struct sign_input *out)
{
    out->hash = m->pss_hash != HASH_NONE ? m->pss_hash : hash_by_len(whole.len, m->hashes);
    out->digest = whole;
    return out->hash != HASH_NONE && hash_len(out->hash) == whole.len ? CKR_OK : CKR_DATA_LEN_RANGE;
}

static CK_RV finish_message(const struct message *m, const struct slice *whole, struct sign_input *out)
{
    out->digest = whole ? *whole : buf_slice(&m->bytes);
    return out->digest.len <= LIMIT_EDDSA_MESSAGE ? CKR_OK : CKR_DATA_LEN_RANGE;
}

CK_RV message_finish(struct message *m, const struct slice *whole, struct sign_input *out)
{
    *out = (struct sign_input){.mechanism = m->row->mechanism, .mgf_hash = m->mgf_hash, .salt_len = m->salt_len};
    if (message_hashes(m))
        return finish_hashed(m, whole, out);
    if (m->row->mechanism == MECHANISM_EDDSA)
        return finish_message(m, whole, out);
    if (m->row->mechanism == MECHANISM_RSA_PKCS1)
        return finish_digest_info(m, *whole, out);
    return finish_digest(m, *whole, out);
}

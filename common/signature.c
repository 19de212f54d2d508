/* SPDX-License-Identifier: Apache-2.0 */
/* Verification with EVP in the library context that the caller names, and the two forms of an ECDSA signature.
 * OpenSSL's error queue is left as it was found: the host of the module reads it too. */
#include "common/signature.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#include "chancery/protocol.h"
#include "common/openssl_scope.h"

static status hash_and_length_check(const struct sign_input *in, struct error *err)
{
    if (in->mechanism == MECHANISM_EDDSA) {
        if (in->hash != HASH_NONE)
            return error_set(err, CODE_INVALID, "eddsa signs the message itself: hash must be none");
        if (in->digest.len > LIMIT_EDDSA_MESSAGE)
            return error_set(err, CODE_TOO_LARGE, "the message is %zu bytes long, %d are allowed", in->digest.len,
                             LIMIT_EDDSA_MESSAGE);
        return OK;
    }
    if (hash_len(in->hash) == 0)
        return error_set(err, CODE_INVALID, "%s needs a hash", mechanism_name(in->mechanism));
    if (in->digest.len != hash_len(in->hash))
        return error_set(err, CODE_DIGEST_MALFORMED, "digest: %zu bytes, %s has %zu", in->digest.len,
                         hash_name(in->hash), hash_len(in->hash));
    return OK;
}

/* RFC 8017 §9.1.1 step 3: emLen >= hLen + sLen + 2. A modulus of a whole number of bytes has emLen of that many. */
static status pss_check(const struct sign_input *in, enum key_type type, struct error *err)
{
    if (in->mechanism != MECHANISM_RSA_PSS) {
        if (in->mgf_hash != HASH_NONE || in->salt_len != 0)
            return error_set(err, CODE_INVALID, "mgf_hash and salt_length belong to rsa_pss alone");
        return OK;
    }
    if (hash_len(in->mgf_hash) == 0)
        return error_set(err, CODE_INVALID, "rsa_pss needs a hash for the mask generation");
    size_t salt_max = (size_t)key_type_bits(type) / 8 - hash_len(in->hash) - 2;
    if (in->salt_len > salt_max)
        return error_set(err, CODE_INVALID, "salt_length: %zu, at most %zu fit", in->salt_len, salt_max);
    return OK;
}

status sign_input_check(const struct sign_input *in, enum key_type type, struct error *err)
{
    if (in->mechanism <= MECHANISM_NONE || in->mechanism >= MECHANISM_COUNT || type <= KEY_TYPE_NONE ||
        type >= KEY_TYPE_COUNT)
        return error_set(err, CODE_INVALID, "no mechanism or no key type");
    if (mechanism_family(in->mechanism) != key_type_family(type))
        return error_set(err, CODE_MECHANISM_DENIED, "%s does not fit a key of type %s", mechanism_name(in->mechanism),
                         key_type_name(type));

    TRY(hash_and_length_check(in, err));
    return pss_check(in, type, err);
}

static status openssl_failure(enum code code, const char *text, struct error *err)
{
    char reason[256] = "";
    unsigned long number = ERR_peek_last_error();
    if (number)
        ERR_error_string_n(number, reason, sizeof(reason));
    status failure = error_set(err, code, "%s", text);
    error_detail(err, "%s", reason);
    return failure;
}

/* By the setters, not by OSSL_PARAM: where the host has an engine as its default for these keys, OpenSSL takes its old
 * path, which overlooks parameters given at the start. */
static bool digest_verify_init(EVP_PKEY_CTX *ctx, const struct sign_input *in, const EVP_MD *md, const EVP_MD *mgf)
{
    if (EVP_PKEY_verify_init(ctx) <= 0 || EVP_PKEY_CTX_set_signature_md(ctx, md) <= 0)
        return false;
    if (in->mechanism == MECHANISM_ECDSA)
        return true;
    if (in->mechanism == MECHANISM_RSA_PKCS1)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int)in->salt_len) > 0 && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, mgf) > 0;
}

/* RSA and ECDSA check a digest that is already made; for ECDSA the signature is DER by now. */
static status digest_verify(OSSL_LIB_CTX *libctx, EVP_PKEY *key, const struct sign_input *in, struct slice signature,
                            struct error *err)
{
    cleanup_md EVP_MD *md = EVP_MD_fetch(libctx, hash_openssl(in->hash), NULL);
    cleanup_md EVP_MD *mgf =
        in->mechanism == MECHANISM_RSA_PSS ? EVP_MD_fetch(libctx, hash_openssl(in->mgf_hash), NULL) : NULL;
    cleanup_pkey_ctx EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    if (!ctx || !md || !digest_verify_init(ctx, in, md, mgf))
        return openssl_failure(CODE_INTERNAL, "the signature cannot be checked", err);
    if (EVP_PKEY_verify(ctx, signature.data, signature.len, in->digest.data, in->digest.len) != 1)
        return openssl_failure(CODE_BAD_SIGNATURE, code_text(CODE_BAD_SIGNATURE), err);
    return OK;
}

static status message_verify(OSSL_LIB_CTX *libctx, EVP_PKEY *key, const struct sign_input *in, struct slice signature,
                             struct error *err)
{
    const uint8_t *message = in->digest.len ? in->digest.data : (const uint8_t *)"";
    cleanup_md_ctx EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx || EVP_DigestVerifyInit_ex(ctx, NULL, NULL, libctx, NULL, key, NULL) <= 0)
        return openssl_failure(CODE_INTERNAL, "the signature cannot be checked", err);
    if (EVP_DigestVerify(ctx, signature.data, signature.len, message, in->digest.len) != 1)
        return openssl_failure(CODE_BAD_SIGNATURE, code_text(CODE_BAD_SIGNATURE), err);
    return OK;
}

status signature_verify(OSSL_LIB_CTX *libctx, EVP_PKEY *public_key, const struct sign_input *in, struct slice signature,
                        struct error *err)
{
    cleanup_err_mark bool marked = err_mark();
    enum key_type type = KEY_TYPE_NONE;
    TRY(key_type_of(public_key, &type, err));
    TRY(sign_input_check(in, type, err));
    if (signature.len != key_type_signature_len(type))
        return error_set(err, CODE_BAD_SIGNATURE, "signature: %zu bytes, a key of type %s makes %zu", signature.len,
                         key_type_name(type), key_type_signature_len(type));

    if (in->mechanism == MECHANISM_EDDSA)
        return message_verify(libctx, public_key, in, signature, err);
    if (in->mechanism != MECHANISM_ECDSA)
        return digest_verify(libctx, public_key, in, signature, err);

    cleanup_buf struct buf der = {0};
    TRY(ecdsa_raw_to_der(signature, &der, err));
    return digest_verify(libctx, public_key, in, buf_slice(&der), err);
}

static status signature_to_der(const ECDSA_SIG *sig, struct buf *der, struct error *err)
{
    int len = i2d_ECDSA_SIG(sig, NULL);
    uint8_t *out = len > 0 ? buf_reserve(der, (size_t)len) : NULL;
    if (!out || i2d_ECDSA_SIG(sig, &out) != len)
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));

    der->len += (size_t)len;
    return OK;
}

status ecdsa_raw_to_der(struct slice raw, struct buf *der, struct error *err)
{
    enum { LONGEST = 2 * 66 }; /* P-521 */
    if (raw.len == 0 || raw.len % 2 != 0 || raw.len > LONGEST)
        return error_set(err, CODE_INVALID, "an ECDSA signature cannot be %zu bytes", raw.len);

    cleanup_err_mark bool marked = err_mark();
    int half = (int)raw.len / 2;
    cleanup_ecdsa_sig ECDSA_SIG *sig = ECDSA_SIG_new();
    cleanup_bn BIGNUM *r = BN_bin2bn(raw.data, half, NULL);
    cleanup_bn BIGNUM *s = BN_bin2bn(raw.data + half, half, NULL);
    if (!sig || !r || !s || ECDSA_SIG_set0(sig, r, s) != 1)
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));
    r = s = NULL; /* sig owns them now */
    return signature_to_der(sig, der, err);
}

/* d2i takes BER and minus signs; what does not encode to the same bytes again was not DER. */
static bool is_canonical(const ECDSA_SIG *sig, struct slice der)
{
    cleanup_buf struct buf again = {0};
    struct error ignored;
    return !BN_is_negative(ECDSA_SIG_get0_r(sig)) && !BN_is_negative(ECDSA_SIG_get0_s(sig)) &&
           is_ok(signature_to_der(sig, &again, &ignored)) && slice_equal(buf_slice(&again), der);
}

status ecdsa_der_to_raw(struct slice der, size_t field_len, struct buf *raw, struct error *err)
{
    enum { LONGEST = 2 + 1 + 2 * (3 + 66) }; /* no DER of P-521 is longer */
    cleanup_err_mark bool marked = err_mark();
    const uint8_t *in = der.data;
    cleanup_ecdsa_sig ECDSA_SIG *sig =
        der.len > 0 && der.len <= LONGEST ? d2i_ECDSA_SIG(NULL, &in, (long)der.len) : NULL;
    if (!sig || !is_canonical(sig, der))
        return error_set(err, CODE_INVALID, "not the DER form of an ECDSA signature");

    uint8_t *out = buf_reserve(raw, 2 * field_len);
    TRY(buf_check(raw, err));
    if (BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, (int)field_len) < 0 ||
        BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + field_len, (int)field_len) < 0)
        return error_set(err, CODE_INVALID, "the ECDSA signature is too long for its curve");
    raw->len += 2 * field_len;
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* EMSA-PSS (RFC 8017 §9.1.1), for tokens whose CKM_RSA_PKCS_PSS does not know a hash or a pair of hashes: they sign the
 * block with CKM_RSA_X_509. I5 holds: the block is built here, from a digest, and the signature is verified as any. */
#include <string.h>

#include "common/openssl_scope.h"
#include "common/secret.h"
#include "server/hsm/internal.h"

/* RFC 8017 B.2.1, xored onto what is there. */
static bool mgf1_xor(const EVP_MD *md, struct slice seed, uint8_t *out, size_t len)
{
    cleanup_md_ctx EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t block[EVP_MAX_MD_SIZE];
    size_t block_len = (size_t)EVP_MD_get_size(md);

    for (size_t at = 0; ctx && at < len; at += block_len) {
        size_t number = at / block_len;
        const uint8_t counter[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                                    (uint8_t)number};
        if (EVP_DigestInit_ex2(ctx, md, NULL) != 1 || EVP_DigestUpdate(ctx, seed.data, seed.len) != 1 ||
            EVP_DigestUpdate(ctx, counter, sizeof counter) != 1 || EVP_DigestFinal_ex(ctx, block, NULL) != 1)
            return false;
        for (size_t i = 0; i < block_len && at + i < len; i++)
            out[at + i] ^= block[i];
    }
    return ctx != NULL;
}

/* H = Hash(0x0000000000000000 || mHash || salt), steps 5 and 6. */
static bool salted_hash(const EVP_MD *md, struct slice digest, struct slice salt, uint8_t *out)
{
    static const uint8_t zeros[8];
    cleanup_md_ctx EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    return ctx && EVP_DigestInit_ex2(ctx, md, NULL) == 1 && EVP_DigestUpdate(ctx, zeros, sizeof zeros) == 1 &&
           EVP_DigestUpdate(ctx, digest.data, digest.len) == 1 &&
           (salt.len == 0 || EVP_DigestUpdate(ctx, salt.data, salt.len) == 1) &&
           EVP_DigestFinal_ex(ctx, out, NULL) == 1;
}

/* The modulus has whole bytes, so that emLen = k and the one bit above emBits is cleared (step 11). */
status pss_encode(OSSL_LIB_CTX *libctx, const struct sign_input *in, enum key_type type, struct buf *out,
                  struct error *err)
{
    cleanup_md EVP_MD *md = EVP_MD_fetch(libctx, hash_openssl(in->hash), NULL);
    cleanup_md EVP_MD *mgf = EVP_MD_fetch(libctx, hash_openssl(in->mgf_hash), NULL);
    size_t block_len = (size_t)key_type_bits(type) / 8, hash_size = hash_len(in->hash);

    TRY(sign_input_check(in, type, err)); /* emLen >= hLen + sLen + 2 */
    buf_reset(out);
    uint8_t *block = buf_reserve(out, block_len);
    TRY(buf_check(out, err));
    size_t masked_len = block_len - hash_size - 1;
    uint8_t *hash = block + masked_len, *salt = hash - in->salt_len;

    memset(block, 0, block_len);
    TRY(secret_random(salt, in->salt_len, err));
    salt[-1] = 0x01;
    block[block_len - 1] = 0xbc;
    if (!md || !mgf || !salted_hash(md, in->digest, (struct slice){salt, in->salt_len}, hash) ||
        !mgf1_xor(mgf, (struct slice){hash, hash_size}, block, masked_len))
        return error_set(err, CODE_INTERNAL, "the PSS encoding cannot be made");
    block[0] &= 0x7f;
    out->len = block_len;
    return OK;
}

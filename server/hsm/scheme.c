/* SPDX-License-Identifier: Apache-2.0 */
/* A signature's scheme: as input of hsm_sign, and as the AlgorithmIdentifier that stands in certificates. */
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "server/hsm/provider.h"

enum hash scheme_hash(const char *openssl_name)
{
    EVP_MD *md = EVP_MD_fetch(NULL, openssl_name, NULL);
    enum hash found = HASH_NONE;

    for (int h = HASH_NONE + 1; md && h < HASH_COUNT; h++) {
        if (EVP_MD_is_a(md, hash_openssl((enum hash)h)))
            found = (enum hash)h;
    }
    EVP_MD_free(md);
    return found;
}

static size_t salt_len_of(const struct scheme *s, enum key_type type)
{
    size_t digest_len = hash_len(s->hash);

    switch (s->salt_len) {
    case RSA_PSS_SALTLEN_DIGEST:
        return digest_len;
    case RSA_PSS_SALTLEN_AUTO:
    case RSA_PSS_SALTLEN_MAX:
        return (size_t)key_type_bits(type) / 8 - digest_len - 2;
    default:
        return (size_t)s->salt_len;
    }
}

struct sign_input scheme_input(const struct scheme *s, const struct provider_key *k, struct slice digest)
{
    bool pss = s->mechanism == MECHANISM_RSA_PSS;

    return (struct sign_input){.mechanism = s->mechanism,
                               .hash = s->hash,
                               .digest = digest,
                               .mgf_hash = !pss                       ? HASH_NONE
                                           : s->mgf_hash == HASH_NONE ? s->hash
                                                                      : s->mgf_hash,
                               .salt_len = pss ? salt_len_of(s, k->type) : 0};
}

static X509_ALGOR *hash_algorithm(enum hash hash)
{
    X509_ALGOR *a = X509_ALGOR_new();

    if (a && !X509_ALGOR_set0(a, OBJ_nid2obj(OBJ_txt2nid(hash_openssl(hash))), V_ASN1_NULL, NULL)) {
        X509_ALGOR_free(a);
        return NULL;
    }
    return a;
}

/* RFC 8017 A.2.3: id-mgf1 with the hash's AlgorithmIdentifier as its parameter. */
static X509_ALGOR *mgf_algorithm(enum hash hash)
{
    X509_ALGOR *inner = hash_algorithm(hash), *outer = X509_ALGOR_new();
    ASN1_STRING *packed = inner ? ASN1_item_pack(inner, ASN1_ITEM_rptr(X509_ALGOR), NULL) : NULL;

    X509_ALGOR_free(inner);
    if (outer && packed && X509_ALGOR_set0(outer, OBJ_nid2obj(NID_mgf1), V_ASN1_SEQUENCE, packed))
        return outer;
    ASN1_STRING_free(packed);
    X509_ALGOR_free(outer);
    return NULL;
}

static ASN1_STRING *pss_params(const struct sign_input *in)
{
    RSA_PSS_PARAMS *p = RSA_PSS_PARAMS_new();
    ASN1_STRING *packed = NULL;

    if (!p)
        return NULL;
    p->hashAlgorithm = hash_algorithm(in->hash);
    p->maskGenAlgorithm = mgf_algorithm(in->mgf_hash);
    p->saltLength = ASN1_INTEGER_new();
    if (p->hashAlgorithm && p->maskGenAlgorithm && p->saltLength &&
        ASN1_INTEGER_set_uint64(p->saltLength, in->salt_len))
        packed = ASN1_item_pack(p, ASN1_ITEM_rptr(RSA_PSS_PARAMS), NULL);
    RSA_PSS_PARAMS_free(p);
    return packed;
}

static bool algorithm_fill(X509_ALGOR *a, const struct scheme *s, const struct provider_key *k)
{
    struct sign_input in = scheme_input(s, k, (struct slice){0});
    int nid = NID_ED25519;

    if (s->mechanism == MECHANISM_RSA_PSS) {
        ASN1_STRING *params = pss_params(&in);
        if (params && X509_ALGOR_set0(a, OBJ_nid2obj(NID_rsassaPss), V_ASN1_SEQUENCE, params))
            return true;
        ASN1_STRING_free(params);
        return false;
    }
    bool rsa = s->mechanism == MECHANISM_RSA_PKCS1;
    if (s->mechanism != MECHANISM_EDDSA && !OBJ_find_sigid_by_algs(&nid, OBJ_txt2nid(hash_openssl(s->hash)),
                                                                   rsa ? NID_rsaEncryption : NID_X9_62_id_ecPublicKey))
        return false;
    return X509_ALGOR_set0(a, OBJ_nid2obj(nid), rsa ? V_ASN1_NULL : V_ASN1_UNDEF, NULL) == 1;
}

int scheme_encode(const struct scheme *s, const struct provider_key *k, unsigned char **der)
{
    X509_ALGOR *a = X509_ALGOR_new();
    int len = a && algorithm_fill(a, s, k) ? i2d_X509_ALGOR(a, der) : 0;

    X509_ALGOR_free(a);
    return len > 0 ? len : 0;
}

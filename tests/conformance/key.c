/* SPDX-License-Identifier: Apache-2.0 */
#include "key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>
#include <string.h>

#include "attribute.h"
#include "search.h"

static CK_OBJECT_HANDLE find_one(struct rig *r, CK_OBJECT_CLASS class, const char *label)
{
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof class}, {CKA_LABEL, (void *)label, strlen(label)}};
    struct found found;
    search(r, r->session, wanted, 2, &found);
    return found.count == 1 ? found.objects[0] : CK_INVALID_HANDLE;
}

static EVP_PKEY *pkey_from(const char *type, OSSL_PARAM_BLD *build)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *pkey = NULL;
    if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) <= 0 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return pkey;
}

static EVP_PKEY *rsa_pkey(struct rig *r, CK_OBJECT_HANDLE object)
{
    struct value n, e;
    value_read(r, r->session, object, CKA_MODULUS, &n);
    value_read(r, r->session, object, CKA_PUBLIC_EXPONENT, &e);
    BIGNUM *modulus = BN_bin2bn(n.bytes, (int)n.len, NULL), *exponent = BN_bin2bn(e.bytes, (int)e.len, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *pkey = NULL;
    if (build && modulus && exponent && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent))
        pkey = pkey_from("RSA", build);
    OSSL_PARAM_BLD_free(build);
    BN_free(modulus);
    BN_free(exponent);
    return pkey;
}

/* The contents of the DER OCTET STRING that CKA_EC_POINT must be; false when it is not one, whole. */
static bool point_unwrap(const struct value *point, const unsigned char **out, size_t *len)
{
    const unsigned char *at = point->bytes;
    long inner = 0;
    int tag = 0, class = 0;
    int rc = ASN1_get_object(&at, &inner, &tag, &class, (long)point->len);
    if ((rc & 0x80) || tag != V_ASN1_OCTET_STRING || at + inner != point->bytes + point->len)
        return false;
    *out = at;
    *len = (size_t)inner;
    return true;
}

static EVP_PKEY *ec_pkey(struct rig *r, CK_OBJECT_HANDLE object, const unsigned char *point, size_t len)
{
    struct value curve;
    value_read(r, r->session, object, CKA_EC_PARAMS, &curve);
    const unsigned char *at = curve.bytes;
    ASN1_OBJECT *oid = d2i_ASN1_OBJECT(NULL, &at, (long)curve.len);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *pkey = NULL;
    if (oid && build &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, OBJ_nid2sn(OBJ_obj2nid(oid)), 0) &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, len))
        pkey = pkey_from("EC", build);
    OSSL_PARAM_BLD_free(build);
    ASN1_OBJECT_free(oid);
    return pkey;
}

static EVP_PKEY *curve_pkey(struct rig *r, CK_OBJECT_HANDLE object, CK_KEY_TYPE type)
{
    struct value point;
    const unsigned char *inner = NULL;
    size_t len = 0;
    value_read(r, r->session, object, CKA_EC_POINT, &point);
    if (!check("curr §2.3.3", "CKA_EC_POINT is one whole DER OCTET STRING", point_unwrap(&point, &inner, &len)))
        return NULL;
    return type == CKK_EC_EDWARDS ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, inner, len)
                                  : ec_pkey(r, object, inner, len);
}

static size_t signature_len(const struct key *key)
{
    return key->type == CKK_RSA ? (key->bits + 7) / 8 : key->type == CKK_EC ? 2 * ((key->bits + 7) / 8) : 64;
}

bool key_find(struct rig *r, const char *label, struct key *out)
{
    struct key key = {.label = label};
    about("the key is found by class and label");
    key.private_key = find_one(r, CKO_PRIVATE_KEY, label);
    key.public_key = find_one(r, CKO_PUBLIC_KEY, label);
    key.certificate = find_one(r, CKO_CERTIFICATE, label);
    bool whole = key.private_key && key.public_key && ulong_read(r, key.private_key, CKA_KEY_TYPE, &key.type);
    if (!check("base §5.7.7", text("one private and one public key \"%s\" are found", label), whole))
        return false;
    key.pkey = key.type == CKK_RSA ? rsa_pkey(r, key.public_key) : curve_pkey(r, key.public_key, key.type);
    if (!check("curr §2.1.2, §2.3.3", "the public key's numbers are a key", key.pkey != NULL))
        return false;
    key.bits = (unsigned)EVP_PKEY_get_bits(key.pkey);
    key.signature_len = signature_len(&key);
    *out = key;
    return true;
}

void key_clear(struct key *key)
{
    EVP_PKEY_free(key->pkey);
    key->pkey = NULL;
}

bool key_allows(struct rig *r, CK_OBJECT_HANDLE object, CK_MECHANISM_TYPE type)
{
    struct value allowed;
    value_read(r, r->session, object, CKA_ALLOWED_MECHANISMS, &allowed);
    for (size_t i = 0; i + sizeof type <= allowed.len; i += sizeof type) {
        if (memcmp(allowed.bytes + i, &type, sizeof type) == 0)
            return true;
    }
    return allowed.len == 0;
}

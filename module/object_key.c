/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of private and public keys (PKCS#11 3.0 §4.7–4.9, mechanisms §2.1, §2.3). */
#include "module/object.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "client/client.h"
#include "common/openssl_scope.h"
#include "module/curve.h"
#include "module/mechanism.h"

static CK_KEY_TYPE ck_key_type(const struct client_key *key)
{
    switch (key_type_family(key->type)) {
    case FAMILY_RSA:
        return CKK_RSA;
    case FAMILY_EC:
        return CKK_EC;
    case FAMILY_EDWARDS:
        return CKK_EC_EDWARDS;
    }
    return CKK_VENDOR_DEFINED;
}

static CK_MECHANISM_TYPE ck_generator(const struct client_key *key)
{
    switch (key_type_family(key->type)) {
    case FAMILY_RSA:
        return CKM_RSA_PKCS_KEY_PAIR_GEN;
    case FAMILY_EC:
        return CKM_EC_KEY_PAIR_GEN;
    case FAMILY_EDWARDS:
        return CKM_EC_EDWARDS_KEY_PAIR_GEN;
    }
    return CK_UNAVAILABLE_INFORMATION;
}

/* Unsigned big-endian without leading zeros: "Big integer" of the standard. */
static bool add_number(struct attributes *a, CK_ATTRIBUTE_TYPE type, const EVP_PKEY *pkey, const char *name)
{
    cleanup_bn BIGNUM *number = NULL;
    if (!EVP_PKEY_get_bn_param(pkey, name, &number))
        return false;
    uint8_t bytes[1024];
    int len = BN_num_bytes(number);
    if (len > (int)sizeof bytes || BN_bn2bin(number, bytes) != len)
        return false;
    attribute_add(a, type, bytes, (size_t)len);
    return true;
}

static bool add_rsa(struct attributes *a, const EVP_PKEY *pkey)
{
    return add_number(a, CKA_MODULUS, pkey, OSSL_PKEY_PARAM_RSA_N) &&
           add_number(a, CKA_PUBLIC_EXPONENT, pkey, OSSL_PKEY_PARAM_RSA_E);
}

/* CKA_EC_POINT: the point in a DER OCTET STRING, for Edwards keys too. The longest point, P-521's, has 133 bytes. */
static bool add_ec(struct attributes *a, const EVP_PKEY *pkey, enum key_type type)
{
    uint8_t point[160];
    size_t len = 0;
    const struct curve *curve = curve_of(type);
    if (!curve || !EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &len) ||
        len > 255)
        return false;

    uint8_t der[3 + sizeof point];
    size_t header = 0;
    der[header++] = 0x04;
    if (len > 127)
        der[header++] = 0x81;
    der[header++] = (uint8_t)len;
    memcpy(der + header, point, len);
    attribute_add_slice(a, CKA_EC_PARAMS, curve->params);
    attribute_add(a, CKA_EC_POINT, der, header + len);
    return true;
}

/* What public and private key both tell of the pair. The EC point of a private key is beyond the standard; half of the
 * clients ask for it. */
static bool add_numbers(struct attributes *a, const struct client_key *key)
{
    const EVP_PKEY *pkey = client_key_public(key);
    if (!pkey)
        return false;
    return key_type_family(key->type) == FAMILY_RSA ? add_rsa(a, pkey) : add_ec(a, pkey, key->type);
}

/* The subject of the key's certificate; empty without one. */
static void add_subject(struct attributes *a, const struct client_key *key)
{
    cleanup_x509 X509 *crt = NULL;
    if (key->certificate_count > 0) {
        const uint8_t *der = key->certificates[0].data;
        crt = d2i_X509(NULL, &der, (long)key->certificates[0].len);
    }
    uint8_t *name = NULL;
    int len = crt ? i2d_X509_NAME(X509_get_subject_name(crt), &name) : 0;
    attribute_add(a, CKA_SUBJECT, name ? name : (const uint8_t *)"", len > 0 ? (size_t)len : 0);
    OPENSSL_free(name);
}

static void add_unique_id(struct attributes *a, const struct client_key *key, const char *kind)
{
    cleanup_buf struct buf text = {0};
    buf_printf(&text, "%s/%d/%s", key->id, key->version, kind);
    attribute_add_slice(a, CKA_UNIQUE_ID, buf_slice(&text));
    a->failed |= text.failed;
}

static void add_common(struct attributes *a, const struct client_key *key)
{
    cleanup_buf struct buf allowed = {0};
    mechanism_allowed_list(key, &allowed);
    a->failed |= allowed.failed;

    attribute_add_ulong(a, CKA_KEY_TYPE, ck_key_type(key));
    attribute_add_empty(a, CKA_START_DATE);
    attribute_add_empty(a, CKA_END_DATE);
    attribute_add_bool(a, CKA_DERIVE, false);
    attribute_add_slice(a, CKA_ALLOWED_MECHANISMS, buf_slice(&allowed));
    attribute_add_slice(a, CKA_PUBLIC_KEY_INFO, buf_slice(&key->spki));
}

static void add_token_key(struct attributes *a, const struct client_key *key)
{
    object_fill_token(a, slice_of_text(key->token_label));
    attribute_add(a, CKA_ID, key->cka_id, sizeof key->cka_id);
    attribute_add_bool(a, CKA_LOCAL, true);
    attribute_add_ulong(a, CKA_KEY_GEN_MECHANISM, ck_generator(key));
    add_subject(a, key);
    add_common(a, key);
}

static void add_public_uses(struct attributes *a, const struct client_key *key)
{
    attribute_add_bool(a, CKA_ENCRYPT, false);
    attribute_add_bool(a, CKA_VERIFY, true);
    attribute_add_bool(a, CKA_VERIFY_RECOVER, false);
    attribute_add_bool(a, CKA_WRAP, false);
    attribute_add_bool(a, CKA_TRUSTED, false);
    attribute_add_empty(a, CKA_WRAP_TEMPLATE);
    if (key_type_family(key->type) == FAMILY_RSA)
        attribute_add_ulong(a, CKA_MODULUS_BITS, (CK_ULONG)key_type_bits(key->type));
}

bool object_fill_public_key(struct attributes *a, const struct client_key *key)
{
    attribute_add_ulong(a, CKA_CLASS, CKO_PUBLIC_KEY);
    attribute_add_bool(a, CKA_PRIVATE, false);
    add_unique_id(a, key, "public");
    add_token_key(a, key);
    add_public_uses(a, key);
    return add_numbers(a, key);
}

/* The defaults of the attribute tables, and what the key itself says. CKA_UNIQUE_ID comes with the handle. */
bool object_fill_session_key(struct attributes *a, const struct client_key *key)
{
    attribute_add_ulong(a, CKA_CLASS, CKO_PUBLIC_KEY);
    attribute_add_bool(a, CKA_TOKEN, false);
    attribute_add_bool(a, CKA_PRIVATE, false);
    attribute_add_bool(a, CKA_MODIFIABLE, true);
    attribute_add_bool(a, CKA_COPYABLE, true);
    attribute_add_bool(a, CKA_DESTROYABLE, true);
    attribute_add_empty(a, CKA_LABEL);
    attribute_add_empty(a, CKA_ID);
    attribute_add_empty(a, CKA_SUBJECT);
    attribute_add_bool(a, CKA_LOCAL, false);
    attribute_add_ulong(a, CKA_KEY_GEN_MECHANISM, CK_UNAVAILABLE_INFORMATION);
    add_common(a, key);
    add_public_uses(a, key);
    return add_numbers(a, key);
}

static void add_secret_parts(struct attributes *a, const struct client_key *key)
{
    static const CK_ATTRIBUTE_TYPE rsa[] = {CKA_PRIVATE_EXPONENT, CKA_PRIME_1,    CKA_PRIME_2,
                                            CKA_EXPONENT_1,       CKA_EXPONENT_2, CKA_COEFFICIENT};
    if (key_type_family(key->type) != FAMILY_RSA) {
        attribute_add_sensitive(a, CKA_VALUE);
        return;
    }
    attribute_add_ulong(a, CKA_MODULUS_BITS, (CK_ULONG)key_type_bits(key->type)); /* beyond the standard, but asked */
    for (size_t i = 0; i < COUNT_OF(rsa); i++)
        attribute_add_sensitive(a, rsa[i]);
}

bool object_fill_private_key(struct attributes *a, const struct client_key *key, bool is_private)
{
    attribute_add_ulong(a, CKA_CLASS, CKO_PRIVATE_KEY);
    attribute_add_bool(a, CKA_PRIVATE, is_private);
    add_unique_id(a, key, "private");
    add_token_key(a, key);
    attribute_add_bool(a, CKA_SENSITIVE, true);
    attribute_add_bool(a, CKA_ALWAYS_SENSITIVE, true);
    attribute_add_bool(a, CKA_EXTRACTABLE, false);
    attribute_add_bool(a, CKA_NEVER_EXTRACTABLE, true);
    attribute_add_bool(a, CKA_DECRYPT, false);
    attribute_add_bool(a, CKA_SIGN, true);
    attribute_add_bool(a, CKA_SIGN_RECOVER, false);
    attribute_add_bool(a, CKA_UNWRAP, false);
    attribute_add_bool(a, CKA_WRAP_WITH_TRUSTED, false);
    attribute_add_empty(a, CKA_UNWRAP_TEMPLATE);
    attribute_add_empty(a, CKA_DERIVE_TEMPLATE);
    attribute_add_bool(a, CKA_ALWAYS_AUTHENTICATE, false);
    add_secret_parts(a, key);
    return add_numbers(a, key);
}

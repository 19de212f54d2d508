/* SPDX-License-Identifier: Apache-2.0 */
/* The attributes become a DER SubjectPublicKeyInfo, and OpenSSL's decoder makes the key of it: it checks that a point
 * is on its curve, and does not fall for an engine of the host (common/public_key.c). */
#include "module/key_import.h"

#include <stdatomic.h>
#include <string.h>

enum {
    TAG_INTEGER = 0x02,
    TAG_BITS = 0x03,
    TAG_OCTETS = 0x04,
    TAG_OID = 0x06,
    TAG_PRINTABLE = 0x13,
    TAG_SEQUENCE = 0x30
};
enum { EXPONENT_MAX = 8 }; /* bytes; OpenSSL takes no more for a large modulus */

static const uint8_t rsa_algorithm[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                        0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};

/* The names of a curve, in the CHOICE of PKCS#11 3.0 mechanisms §2.3.3: OID or PrintableString. */
struct curve {
    enum key_type type;
    size_t point_len;
    const char *oid; /* DER */
    size_t oid_len;
    const char *algorithm; /* DER AlgorithmIdentifier */
    size_t algorithm_len;
    const char *names[4];
};
#define DER(text) text, sizeof(text) - 1
static const struct curve curves[] = {
    {KEY_TYPE_P256,
     65,
     DER("\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"),
     DER("\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"),
     {"secp256r1", "prime256v1", "P-256", "p256"}},
    {KEY_TYPE_P384,
     97,
     DER("\x06\x05\x2b\x81\x04\x00\x22"),
     DER("\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22"),
     {"secp384r1", "P-384", "p384"}},
    {KEY_TYPE_P521,
     133,
     DER("\x06\x05\x2b\x81\x04\x00\x23"),
     DER("\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23"),
     {"secp521r1", "P-521", "p521"}},
    {KEY_TYPE_ED25519,
     32,
     DER("\x06\x03\x2b\x65\x70"),
     DER("\x30\x05\x06\x03\x2b\x65\x70"),
     {"edwards25519", "Ed25519", "ED25519", "ed25519"}},
};

/* Definite lengths up to 65535. */
static void der_add(struct buf *out, uint8_t tag, struct slice value)
{
    buf_add_byte(out, tag);
    if (value.len > 0xff) {
        buf_add_byte(out, 0x82);
        buf_add_byte(out, (uint8_t)(value.len >> 8));
    } else if (value.len > 0x7f) {
        buf_add_byte(out, 0x81);
    }
    buf_add_byte(out, (uint8_t)value.len);
    buf_add(out, value.data, value.len);
}

/* bits is a BIT STRING's content without its count of unused bits. */
static void info_add(struct buf *out, struct slice algorithm, struct slice bits)
{
    cleanup_buf struct buf string = {0}, whole = {0};
    buf_add_byte(&string, 0);
    buf_add(&string, bits.data, bits.len);
    buf_add(&whole, algorithm.data, algorithm.len);
    der_add(&whole, TAG_BITS, buf_slice(&string));
    der_add(out, TAG_SEQUENCE, buf_slice(&whole));
    out->failed |= string.failed || whole.failed;
}

/* "Big integer": leading zeros say nothing. */
static struct slice number_trim(struct slice number)
{
    while (number.len > 0 && number.data[0] == 0) {
        number.data++;
        number.len--;
    }
    return number;
}

static void integer_add(struct buf *out, struct slice number)
{
    cleanup_buf struct buf value = {0};
    if (number.data[0] & 0x80)
        buf_add_byte(&value, 0);
    buf_add(&value, number.data, number.len);
    der_add(out, TAG_INTEGER, buf_slice(&value));
    out->failed |= value.failed;
}

static bool is_odd(struct slice number)
{
    return number.len > 0 && (number.data[number.len - 1] & 1);
}

/* Sizes as the mechanism table has them; both numbers odd, the exponent above one. */
static bool is_rsa(struct slice modulus, struct slice exponent)
{
    bool is_sized = (modulus.len == 256 || modulus.len == 384 || modulus.len == 512) && (modulus.data[0] & 0x80);
    bool is_exponent =
        is_odd(exponent) && exponent.len <= EXPONENT_MAX && !(exponent.len == 1 && exponent.data[0] == 1);
    return is_sized && is_odd(modulus) && is_exponent;
}

static CK_RV rsa_info(struct template t, struct buf *spki)
{
    struct slice modulus = {0}, exponent = {0};
    if (!template_slice(t, CKA_MODULUS, &modulus) || !template_slice(t, CKA_PUBLIC_EXPONENT, &exponent))
        return CKR_TEMPLATE_INCOMPLETE;
    modulus = number_trim(modulus);
    exponent = number_trim(exponent);
    if (!is_rsa(modulus, exponent))
        return CKR_ATTRIBUTE_VALUE_INVALID;

    cleanup_buf struct buf numbers = {0}, key = {0};
    integer_add(&numbers, modulus);
    integer_add(&numbers, exponent);
    der_add(&key, TAG_SEQUENCE, buf_slice(&numbers));
    info_add(spki, (struct slice){rsa_algorithm, sizeof rsa_algorithm}, buf_slice(&key));
    spki->failed |= numbers.failed || key.failed;
    return CKR_OK;
}

static bool has_name(const struct curve *curve, struct slice name)
{
    for (size_t i = 0; i < COUNT_OF(curve->names); i++) {
        if (curve->names[i] && slice_equal(slice_of_text(curve->names[i]), name))
            return true;
    }
    return false;
}

/* One whole value of short form. */
static bool der_is(struct slice der, uint8_t tag)
{
    return der.len > 2 && der.data[0] == tag && der.data[1] < 0x80 && der.data[1] == der.len - 2;
}

/* Explicit and implicit parameters, and what is no DER, are no curve at all. */
static CK_RV curve_find(struct slice params, const struct curve **out)
{
    bool is_oid = der_is(params, TAG_OID), is_name = der_is(params, TAG_PRINTABLE);
    if (!is_oid && !is_name)
        return CKR_DOMAIN_PARAMS_INVALID;
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        struct slice oid = {(const uint8_t *)curves[i].oid, curves[i].oid_len};
        if (is_oid ? slice_equal(oid, params) : has_name(&curves[i], (struct slice){params.data + 2, params.len - 2})) {
            *out = &curves[i];
            return CKR_OK;
        }
    }
    return CKR_CURVE_NOT_SUPPORTED;
}

/* In a DER OCTET STRING, or as many callers give it: bare. The lengths tell which. */
static bool point_find(struct slice given, size_t len, struct slice *out)
{
    size_t header = len > 0x7f ? 3 : 2;
    if (given.len == len + header) {
        bool is_string =
            given.data[0] == TAG_OCTETS && given.data[header - 1] == len && (header == 2 || given.data[1] == 0x81);
        *out = (struct slice){given.data + header, len};
        return is_string;
    }
    *out = given;
    return given.len == len;
}

static CK_RV ec_info(struct template t, CK_KEY_TYPE type, struct buf *spki)
{
    struct slice params = {0}, given = {0}, point = {0};
    const struct curve *curve = NULL;
    if (!template_slice(t, CKA_EC_PARAMS, &params) || !template_slice(t, CKA_EC_POINT, &given))
        return CKR_TEMPLATE_INCOMPLETE;
    CK_RV rv = curve_find(params, &curve);
    if (rv != CKR_OK)
        return rv;
    bool is_edwards = curve->type == KEY_TYPE_ED25519;
    if (is_edwards != (type == CKK_EC_EDWARDS))
        return CKR_TEMPLATE_INCONSISTENT;
    if (!point_find(given, curve->point_len, &point) || (!is_edwards && point.data[0] != 0x04))
        return CKR_ATTRIBUTE_VALUE_INVALID;
    info_add(spki, (struct slice){(const uint8_t *)curve->algorithm, curve->algorithm_len}, point);
    return CKR_OK;
}

static bool key_finish(struct client_key *key)
{
    EVP_PKEY *public_key = client_key_public(key);
    if (!public_key || !is_ok(key_type_of(public_key, &key->type, NULL)) ||
        !is_ok(key_cka_id(public_key, key->cka_id, NULL)))
        return false;
    for (int m = MECHANISM_NONE + 1; m < MECHANISM_COUNT; m++)
        key->mechanisms[m] = mechanism_family((enum mechanism)m) == key_type_family(key->type);
    for (int h = HASH_NONE + 1; h < HASH_COUNT; h++)
        key->hashes |= hash_bit((enum hash)h);
    return true;
}

CK_RV key_import(CK_KEY_TYPE type, struct template t, struct client_key **out)
{
    cleanup_imported_key struct client_key *key = calloc(1, sizeof *key);
    if (!key)
        return CKR_HOST_MEMORY;
    CK_RV rv = type == CKK_RSA ? rsa_info(t, &key->spki) : ec_info(t, type, &key->spki);
    if (rv != CKR_OK)
        return rv;
    if (key->spki.failed)
        return CKR_HOST_MEMORY;
    if (!key_finish(key))
        return CKR_ATTRIBUTE_VALUE_INVALID;
    *out = steal(&key);
    return CKR_OK;
}

struct client_key *imported_key_dup(const struct client_key *key)
{
    struct client_key *copy = calloc(1, sizeof *copy);
    if (!copy)
        return NULL;
    *copy = *key;
    copy->spki = (struct buf){0};
    atomic_init(&copy->public_key, NULL);
    buf_add(&copy->spki, key->spki.data, key->spki.len);
    if (copy->spki.failed) {
        buf_clear(&copy->spki);
        free(copy);
        return NULL;
    }
    return copy;
}

void imported_key_free(struct client_key *key)
{
    if (!key)
        return;
    client_key_clear(key);
    free(key);
}

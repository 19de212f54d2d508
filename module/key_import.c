/* SPDX-License-Identifier: Apache-2.0 */
/* The attributes become a DER SubjectPublicKeyInfo, and OpenSSL's decoder makes the key of it: it checks that a point
 * is on its curve, and does not fall for an engine of the host (common/public_key.c). */
#include "module/key_import.h"

#include <stdatomic.h>

#include "module/curve.h"

enum { TAG_INTEGER = 0x02, TAG_BITS = 0x03, TAG_OCTETS = 0x04, TAG_SEQUENCE = 0x30 };
enum { EXPONENT_MAX = 8 }; /* bytes; OpenSSL takes no more for a large modulus */

static const uint8_t rsa_algorithm[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                        0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};

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
    info_add(spki, curve->algorithm, point);
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

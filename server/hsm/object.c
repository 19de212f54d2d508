/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of the token: search by CKA_ID, attributes of any length, and a key pair read into struct hsm_key. */
#include <openssl/x509.h>
#include <string.h>

#include "common/text.h"
#include "server/hsm/internal.h"

enum { ATTRIBUTE_MAX = 64 * 1024 };

CK_RV object_find(struct hsm *h, struct session *s, CK_OBJECT_CLASS class, const uint8_t id[HSM_ID_LEN],
                  CK_OBJECT_HANDLE *out, CK_ULONG max, CK_ULONG *count)
{
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, (void *)id, HSM_ID_LEN}};

    *count = 0;
    CK_RV rv = CALL(h, s, C_FindObjectsInit)(s->handle, wanted, COUNT_OF(wanted));
    if (rv != CKR_OK)
        return rv;
    rv = CALL(h, s, C_FindObjects)(s->handle, out, max, count);
    CK_RV ended = h->f->C_FindObjectsFinal(s->handle);
    return rv != CKR_OK ? rv : ended;
}

CK_RV object_private(struct hsm *h, struct session *s, const uint8_t id[HSM_ID_LEN], CK_OBJECT_HANDLE *out)
{
    if (handles_find(&h->handles, id, out))
        return CKR_OK;

    CK_OBJECT_HANDLE found[2];
    CK_ULONG count;
    uint64_t generation = atomic_load(&h->handles.generation);
    CK_RV rv = object_find(h, s, CKO_PRIVATE_KEY, id, found, 2, &count);
    if (rv != CKR_OK)
        return rv;
    if (count != 1)
        return count == 0 ? RV_NOT_FOUND : RV_AMBIGUOUS;
    handles_add(&h->handles, id, generation, found[0]);
    *out = found[0];
    return CKR_OK;
}

CK_RV object_bytes(struct hsm *h, struct session *s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, struct buf *out)
{
    CK_ATTRIBUTE a = {type, NULL, 0};

    buf_reset(out);
    CK_RV rv = CALL(h, s, C_GetAttributeValue)(s->handle, object, &a, 1);
    if (rv != CKR_OK)
        return rv;
    if (a.ulValueLen == CK_UNAVAILABLE_INFORMATION || a.ulValueLen > ATTRIBUTE_MAX)
        return RV_MALFORMED;
    a.pValue = buf_reserve(out, a.ulValueLen);
    if (!a.pValue)
        return CKR_HOST_MEMORY;
    rv = CALL(h, s, C_GetAttributeValue)(s->handle, object, &a, 1);
    if (rv == CKR_OK)
        out->len = a.ulValueLen;
    return rv;
}

/* What cannot be read keeps the value given, the bad one. */
static CK_RV object_flag(struct hsm *h, struct session *s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, bool *flag)
{
    CK_BBOOL value = 0;
    CK_ATTRIBUTE a = {type, &value, sizeof value};
    CK_RV rv = CALL(h, s, C_GetAttributeValue)(s->handle, object, &a, 1);

    if (rv == CKR_OK && a.ulValueLen == sizeof value)
        *flag = value != CK_FALSE;
    return rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE ? CKR_OK : rv;
}

static CK_RV read_flags(struct hsm *h, struct session *s, CK_OBJECT_HANDLE private, struct hsm_key *out)
{
    const struct {
        CK_ATTRIBUTE_TYPE type;
        bool *flag, worst;
    } rows[] = {{CKA_SENSITIVE, &out->sensitive, false},
                {CKA_ALWAYS_SENSITIVE, &out->always_sensitive, false},
                {CKA_EXTRACTABLE, &out->extractable, true},
                {CKA_NEVER_EXTRACTABLE, &out->never_extractable, false},
                {CKA_LOCAL, &out->local, false}};
    CK_RV rv = CKR_OK;

    for (size_t i = 0; rv == CKR_OK && i < COUNT_OF(rows); i++) {
        *rows[i].flag = rows[i].worst;
        rv = object_flag(h, s, private, rows[i].type, rows[i].flag);
    }
    return rv;
}

static CK_RV read_rsa(struct hsm *h, struct session *s, CK_OBJECT_HANDLE public, EVP_PKEY **out)
{
    cleanup_buf struct buf modulus = {0}, exponent = {0};
    CK_RV rv = object_bytes(h, s, public, CKA_MODULUS, &modulus);

    if (rv == CKR_OK)
        rv = object_bytes(h, s, public, CKA_PUBLIC_EXPONENT, &exponent);
    if (rv != CKR_OK)
        return rv;
    *out = public_key_of_modulus(h->libctx, buf_slice(&modulus), buf_slice(&exponent));
    return *out ? CKR_OK : RV_MALFORMED;
}

static CK_RV read_point(struct hsm *h, struct session *s, CK_OBJECT_HANDLE public, EVP_PKEY **out)
{
    cleanup_buf struct buf params = {0}, point = {0};
    CK_RV rv = object_bytes(h, s, public, CKA_EC_PARAMS, &params);

    if (rv == CKR_OK)
        rv = object_bytes(h, s, public, CKA_EC_POINT, &point);
    if (rv != CKR_OK)
        return rv;
    *out = public_key_of_point(h->libctx, curve_type(buf_slice(&params)), buf_slice(&point));
    return *out ? CKR_OK : RV_MALFORMED;
}

static CK_RV read_public(struct hsm *h, struct session *s, CK_OBJECT_HANDLE public, EVP_PKEY **out)
{
    CK_KEY_TYPE type = 0;
    CK_ATTRIBUTE a = {CKA_KEY_TYPE, &type, sizeof type};
    CK_RV rv = CALL(h, s, C_GetAttributeValue)(s->handle, public, &a, 1);

    if (rv != CKR_OK)
        return rv;
    if (type == CKK_RSA)
        return read_rsa(h, s, public, out);
    return type == CKK_EC || type == CKK_EC_EDWARDS ? read_point(h, s, public, out) : RV_MALFORMED;
}

static CK_RV key_describe(EVP_PKEY *key, struct hsm_key *out)
{
    unsigned char *der = NULL;

    if (!is_ok(key_type_of(key, &out->type, NULL)) || !is_ok(key_cka_id(key, out->id, NULL)))
        return RV_MALFORMED;
    int len = i2d_PUBKEY(key, &der);
    if (len <= 0)
        return RV_MALFORMED;
    buf_reset(&out->spki);
    buf_add(&out->spki, der, (size_t)len);
    OPENSSL_free(der);
    return is_ok(buf_check(&out->spki, NULL)) ? CKR_OK : CKR_HOST_MEMORY;
}

CK_RV object_read_key(struct hsm *h, struct session *s, CK_OBJECT_HANDLE private, CK_OBJECT_HANDLE public,
                      struct hsm_key *out)
{
    EVP_PKEY *key = NULL;
    cleanup_buf struct buf label = {0};
    CK_RV rv = read_public(h, s, public, &key);

    if (rv == CKR_OK)
        rv = key_describe(key, out);
    EVP_PKEY_free(key);
    if (rv == CKR_OK)
        rv = object_bytes(h, s, private, CKA_LABEL, &label);
    if (rv == CKR_OK)
        rv = read_flags(h, s, private, out);
    if (rv == CKR_OK)
        (void)text_copy(out->label, sizeof out->label, buf_text(&label));
    return rv;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "attribute.h"

#include <string.h>

const struct attribute_row attribute_rows[] = {
#define ATTRIBUTE(type, kind, classes, clause) {type, #type, KIND_##kind, classes, clause},
#include "attribute.def"
#undef ATTRIBUTE
};
const size_t attribute_row_count = COUNT_OF(attribute_rows);

void value_read(struct rig *r, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                struct value *out)
{
    CK_ATTRIBUTE wanted = {type, out->bytes, sizeof out->bytes};
    out->rv = r->f->C_GetAttributeValue(session, object, &wanted, 1);
    out->len = out->rv == CKR_OK && wanted.ulValueLen <= sizeof out->bytes ? wanted.ulValueLen : 0;
}

bool ulong_read(struct rig *r, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, CK_ULONG *out)
{
    CK_ATTRIBUTE wanted = {type, out, sizeof *out};
    return r->f->C_GetAttributeValue(r->session, object, &wanted, 1) == CKR_OK && wanted.ulValueLen == sizeof *out;
}

bool bool_read(struct rig *r, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
    CK_BBOOL value = CK_FALSE;
    CK_ATTRIBUTE wanted = {type, &value, sizeof value};
    return r->f->C_GetAttributeValue(r->session, object, &wanted, 1) == CKR_OK && value == CK_TRUE;
}

unsigned object_class_of(struct rig *r, CK_OBJECT_HANDLE object)
{
    CK_ULONG class = 0, type = 0;
    if (!ulong_read(r, object, CKA_CLASS, &class))
        return 0;
    bool is_rsa = ulong_read(r, object, CKA_KEY_TYPE, &type) && type == CKK_RSA;
    switch (class) {
    case CKO_CERTIFICATE:
        return CERTIFICATE;
    case CKO_PUBLIC_KEY:
        return is_rsa ? RSA_PUBLIC : EC_PUBLIC;
    case CKO_PRIVATE_KEY:
        return is_rsa ? RSA_PRIVATE : EC_PRIVATE;
    case CKO_PROFILE:
        return PROFILE;
    default:
        return 0;
    }
}

const char *object_name(struct rig *r, CK_OBJECT_HANDLE object)
{
    static const char *const names[] = {"data", "certificate", "public key", "private key"};
    CK_ULONG class = 99;
    char label[100] = "";
    CK_ATTRIBUTE wanted = {CKA_LABEL, label, sizeof label - 1};
    (void)ulong_read(r, object, CKA_CLASS, &class);
    (void)r->f->C_GetAttributeValue(r->session, object, &wanted, 1);
    return text("%s %s", class < COUNT_OF(names) ? names[class] : class == CKO_PROFILE ? "profile" : "object", label);
}

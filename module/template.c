/* SPDX-License-Identifier: Apache-2.0 */
/* One row per attribute of a public key. Its uses are the footnotes of the attribute tables (PKCS#11 3.0 §4.4, §4.7,
 * §4.8; mechanisms §2.1.2, §2.3.3): 2 and 4 forbid it in C_CreateObject, 8 lets it be changed later. */
#include "module/template.h"

#include <string.h>

const CK_ATTRIBUTE *template_find(struct template t, CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < t.count; i++) {
        if (t.attributes[i].type == type)
            return t.attributes + i;
    }
    return NULL;
}

bool template_slice(struct template t, CK_ATTRIBUTE_TYPE type, struct slice *out)
{
    const CK_ATTRIBUTE *a = template_find(t, type);
    if (a)
        *out = (struct slice){a->pValue, a->ulValueLen};
    return a != NULL;
}

bool template_ulong(struct template t, CK_ATTRIBUTE_TYPE type, CK_ULONG *out)
{
    const CK_ATTRIBUTE *a = template_find(t, type);
    if (!a || a->ulValueLen != sizeof *out)
        return false;
    memcpy(out, a->pValue, sizeof *out);
    return true;
}

bool template_says(struct template t, CK_ATTRIBUTE_TYPE type, bool otherwise)
{
    const CK_ATTRIBUTE *a = template_find(t, type);
    return a && a->ulValueLen == sizeof(CK_BBOOL) ? *(const CK_BBOOL *)a->pValue != CK_FALSE : otherwise;
}

enum shape { SHAPE_BOOL, SHAPE_FALSE, SHAPE_NUMBER, SHAPE_DATE, SHAPE_MECHANISMS, SHAPE_EMPTY, SHAPE_BYTES };

enum {
    NEVER = 0,
    CREATE = TEMPLATE_CREATE,
    BIRTH = TEMPLATE_CREATE | TEMPLATE_COPY,
    ALWAYS = TEMPLATE_CREATE | TEMPLATE_COPY | TEMPLATE_SET
};
#define ANY_KEY CK_UNAVAILABLE_INFORMATION
#define EC_KEY CKK_EC /* and Edwards keys */

struct rule {
    CK_ATTRIBUTE_TYPE type;
    unsigned uses;
    enum shape shape;
    CK_KEY_TYPE key_type;
};

static const struct rule rules[] = {
    {CKA_CLASS, CREATE, SHAPE_NUMBER, ANY_KEY},
    {CKA_TOKEN, BIRTH, SHAPE_BOOL, ANY_KEY},
    {CKA_PRIVATE, BIRTH, SHAPE_BOOL, ANY_KEY},
    {CKA_MODIFIABLE, BIRTH, SHAPE_BOOL, ANY_KEY},
    {CKA_LABEL, ALWAYS, SHAPE_BYTES, ANY_KEY},
    {CKA_COPYABLE, ALWAYS, SHAPE_BOOL, ANY_KEY},
    {CKA_DESTROYABLE, BIRTH, SHAPE_BOOL, ANY_KEY},
    {CKA_UNIQUE_ID, NEVER, SHAPE_BYTES, ANY_KEY},
    {CKA_KEY_TYPE, CREATE, SHAPE_NUMBER, ANY_KEY},
    {CKA_ID, ALWAYS, SHAPE_BYTES, ANY_KEY},
    {CKA_START_DATE, ALWAYS, SHAPE_DATE, ANY_KEY},
    {CKA_END_DATE, ALWAYS, SHAPE_DATE, ANY_KEY},
    {CKA_DERIVE, ALWAYS, SHAPE_BOOL, ANY_KEY},
    {CKA_LOCAL, NEVER, SHAPE_BOOL, ANY_KEY},
    {CKA_KEY_GEN_MECHANISM, NEVER, SHAPE_NUMBER, ANY_KEY},
    {CKA_ALLOWED_MECHANISMS, CREATE, SHAPE_MECHANISMS, ANY_KEY},
    {CKA_SUBJECT, ALWAYS, SHAPE_BYTES, ANY_KEY},
    {CKA_ENCRYPT, ALWAYS, SHAPE_BOOL, ANY_KEY},
    {CKA_VERIFY, ALWAYS, SHAPE_BOOL, ANY_KEY},
    {CKA_VERIFY_RECOVER, ALWAYS, SHAPE_BOOL, ANY_KEY},
    {CKA_WRAP, ALWAYS, SHAPE_BOOL, ANY_KEY},
    {CKA_TRUSTED, ALWAYS, SHAPE_FALSE, ANY_KEY},
    {CKA_WRAP_TEMPLATE, CREATE, SHAPE_EMPTY, ANY_KEY},
    {CKA_PUBLIC_KEY_INFO, CREATE, SHAPE_BYTES, ANY_KEY},
    {CKA_MODULUS, CREATE, SHAPE_BYTES, CKK_RSA},
    {CKA_PUBLIC_EXPONENT, CREATE, SHAPE_BYTES, CKK_RSA},
    {CKA_MODULUS_BITS, NEVER, SHAPE_NUMBER, CKK_RSA},
    {CKA_EC_PARAMS, CREATE, SHAPE_BYTES, EC_KEY},
    {CKA_EC_POINT, CREATE, SHAPE_BYTES, EC_KEY},
};

static const struct rule *rule_find(CK_ATTRIBUTE_TYPE type, CK_KEY_TYPE key_type)
{
    CK_KEY_TYPE kind = key_type == CKK_EC_EDWARDS ? EC_KEY : key_type;
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        if (rules[i].type == type && (rules[i].key_type == ANY_KEY || rules[i].key_type == kind))
            return &rules[i];
    }
    return NULL;
}

static CK_RV bool_judge(const CK_ATTRIBUTE *a, enum shape shape)
{
    if (a->ulValueLen != sizeof(CK_BBOOL))
        return CKR_ATTRIBUTE_VALUE_INVALID;
    CK_BBOOL value = *(const CK_BBOOL *)a->pValue;
    if (value != CK_TRUE && value != CK_FALSE)
        return CKR_ATTRIBUTE_VALUE_INVALID;
    /* CKA_TRUSTED can only be set by a security officer, and there is none (footnote 10). */
    return shape == SHAPE_FALSE && value == CK_TRUE ? CKR_ATTRIBUTE_READ_ONLY : CKR_OK;
}

/* Empty, or YYYYMMDD. */
static bool is_date(const CK_ATTRIBUTE *a)
{
    const char *digits = a->pValue;
    if (a->ulValueLen != 0 && a->ulValueLen != sizeof(CK_DATE))
        return false;
    for (CK_ULONG i = 0; i < a->ulValueLen; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return false;
    }
    return true;
}

static CK_RV shape_judge(const CK_ATTRIBUTE *a, enum shape shape)
{
    bool is_right = true;
    switch (shape) {
    case SHAPE_BOOL:
    case SHAPE_FALSE:
        return bool_judge(a, shape);
    case SHAPE_NUMBER:
        is_right = a->ulValueLen == sizeof(CK_ULONG);
        break;
    case SHAPE_DATE:
        is_right = is_date(a);
        break;
    case SHAPE_MECHANISMS:
        is_right = a->ulValueLen % sizeof(CK_MECHANISM_TYPE) == 0;
        break;
    case SHAPE_EMPTY:
        is_right = a->ulValueLen == 0;
        break;
    case SHAPE_BYTES:
        break;
    }
    return is_right ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
}

static CK_RV attribute_judge(const CK_ATTRIBUTE *a, enum template_use use, CK_KEY_TYPE key_type)
{
    const struct rule *rule = rule_find(a->type, key_type);
    if (!rule)
        return CKR_ATTRIBUTE_TYPE_INVALID;
    if (!(rule->uses & use))
        return CKR_ATTRIBUTE_READ_ONLY;
    if (a->ulValueLen > TEMPLATE_VALUE_MAX)
        return CKR_DEVICE_MEMORY;
    return shape_judge(a, rule->shape);
}

CK_RV template_judge(struct template t, enum template_use use, CK_KEY_TYPE key_type)
{
    for (CK_ULONG i = 0; i < t.count; i++) {
        CK_RV rv = attribute_judge(&t.attributes[i], use, key_type);
        if (rv != CKR_OK)
            return rv;
    }
    for (CK_ULONG i = 0; i < t.count; i++) {
        const CK_ATTRIBUTE *a = &t.attributes[i], *first = template_find(t, a->type);
        if (!slice_equal((struct slice){a->pValue, a->ulValueLen}, (struct slice){first->pValue, first->ulValueLen}))
            return CKR_TEMPLATE_INCONSISTENT;
    }
    return CKR_OK;
}

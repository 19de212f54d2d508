/* SPDX-License-Identifier: Apache-2.0 */
/* Templates of session public keys: which attribute may stand in which call, and in what shape (PKCS#11 3.0 §4.1). */
#pragma once

#include "chancery/pkcs11.h"
#include "common/buf.h"

struct template
{
    const CK_ATTRIBUTE *attributes;
    CK_ULONG count;
};
/* Values of callers stand at any address: they are copied, never dereferenced as numbers. */
const CK_ATTRIBUTE *template_find(struct template t, CK_ATTRIBUTE_TYPE type);
bool template_slice(struct template t, CK_ATTRIBUTE_TYPE type, struct slice *out);
bool template_ulong(struct template t, CK_ATTRIBUTE_TYPE type, CK_ULONG *out); /* false: none, or no CK_ULONG */
bool template_says(struct template t, CK_ATTRIBUTE_TYPE type, bool otherwise);

/* What is too long for this token is CKR_DEVICE_MEMORY. */
enum { TEMPLATE_VALUE_MAX = 2048 };
enum template_use { TEMPLATE_CREATE = 1, TEMPLATE_COPY = 2, TEMPLATE_SET = 4 };
/* Each attribute alone, then the same one twice: CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_READ_ONLY,
 * CKR_ATTRIBUTE_VALUE_INVALID, CKR_DEVICE_MEMORY, CKR_TEMPLATE_INCONSISTENT. */
CK_RV template_judge(struct template t, enum template_use use, CK_KEY_TYPE key_type);

/* SPDX-License-Identifier: Apache-2.0 */
/* The attributes of one object, and the three things asked of them: read, match, size. */
#pragma once

#include "chancery/pkcs11.h"
#include "common/buf.h"

struct attribute {
    CK_ATTRIBUTE_TYPE type;
    bool is_sensitive; /* it exists, and nobody gets its value */
    size_t offset;     /* into values */
    size_t len;
};
struct attributes {
    struct attribute *items;
    size_t count;
    size_t room;
    struct buf values;
    bool failed; /* out of memory; ask attributes_are_whole */
};
void attributes_clear(struct attributes *a);
#define cleanup_attributes CLEANUP(attributes_clear)
bool attributes_are_whole(const struct attributes *a);

void attribute_add(struct attributes *a, CK_ATTRIBUTE_TYPE type, const void *value, size_t len);
void attribute_add_slice(struct attributes *a, CK_ATTRIBUTE_TYPE type, struct slice value);
void attribute_add_text(struct attributes *a, CK_ATTRIBUTE_TYPE type, const char *value);
void attribute_add_bool(struct attributes *a, CK_ATTRIBUTE_TYPE type, bool value);
void attribute_add_ulong(struct attributes *a, CK_ATTRIBUTE_TYPE type, CK_ULONG value);
void attribute_add_empty(struct attributes *a, CK_ATTRIBUTE_TYPE type);
void attribute_add_sensitive(struct attributes *a, CK_ATTRIBUTE_TYPE type);
/* Another value for an attribute that is there, or one more. */
void attribute_set(struct attributes *a, CK_ATTRIBUTE_TYPE type, struct slice value);
/* Borrowed; false when there is none, or it is sensitive. */
bool attribute_get(const struct attributes *a, CK_ATTRIBUTE_TYPE type, struct slice *out);
bool attribute_is_true(const struct attributes *a, CK_ATTRIBUTE_TYPE type);
void attributes_copy(const struct attributes *from, struct attributes *to);

/* The five cases of PKCS#11 3.0 §5.7.5: all attributes are answered, then the worst code is returned. */
CK_RV attributes_read(const struct attributes *a, CK_ATTRIBUTE *wanted, CK_ULONG count);
bool attributes_match(const struct attributes *a, const CK_ATTRIBUTE *wanted, CK_ULONG count);
CK_ULONG attributes_size(const struct attributes *a);
/* CKR_ARGUMENTS_BAD when the template is not one: a NULL array, or a value without a place. */
CK_RV attributes_template_check(const CK_ATTRIBUTE *wanted, CK_ULONG count);

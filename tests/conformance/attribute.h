/* SPDX-License-Identifier: Apache-2.0 */
/* The table of attributes, and reading them one by one. */
#pragma once

#include "rig.h"

enum kind { KIND_ULONG, KIND_BOOL, KIND_DATE, KIND_TEXT, KIND_BYTES, KIND_ULONGS, KIND_ARRAY, KIND_SECRET, KIND_VALUE };

enum {
    CERTIFICATE = 1,
    RSA_PUBLIC = 2,
    EC_PUBLIC = 4,
    RSA_PRIVATE = 8,
    EC_PRIVATE = 16,
    PROFILE = 32,
    OPTIONAL_ = 0,
    IN_3_0 = 1024,
    PUBLIC = RSA_PUBLIC | EC_PUBLIC,
    PRIVATE = RSA_PRIVATE | EC_PRIVATE,
    KEYS = PUBLIC | PRIVATE,
    STORED = CERTIFICATE | KEYS,
    ALL = STORED | PROFILE,
};

struct attribute_row {
    CK_ATTRIBUTE_TYPE type;
    const char *name;
    enum kind kind;
    unsigned classes;
    const char *clause;
};
extern const struct attribute_row attribute_rows[];
extern const size_t attribute_row_count;

enum { VALUE_MAX = 8192 };
struct value {
    CK_RV rv;
    CK_ULONG len; /* 0 unless rv is CKR_OK */
    unsigned char bytes[VALUE_MAX];
};
/* Reads in one call with room for VALUE_MAX bytes. */
void value_read(struct rig *r, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                struct value *out);
bool ulong_read(struct rig *r, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, CK_ULONG *out);
/* False also when the attribute cannot be read. */
bool bool_read(struct rig *r, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);

/* Which of the classes above an object is of; 0: of none the tables cover. */
unsigned object_class_of(struct rig *r, CK_OBJECT_HANDLE object);
/* For messages: class and label. */
const char *object_name(struct rig *r, CK_OBJECT_HANDLE object);

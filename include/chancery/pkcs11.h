/* SPDX-License-Identifier: Apache-2.0 */
/* The PKCS#11 3.0 header of Debian's libpkcs11-helper1-dev and what it leaves out. */
#pragma once

/* Whoever defines a C_ function wants it to be seen outside of its library. */
#pragma GCC visibility push(default)
#include <pkcs11-helper-1.0/pkcs11.h>
#pragma GCC visibility pop

#ifndef CKA_UNIQUE_ID
#define CKA_UNIQUE_ID (0x4UL)
#endif
#ifndef CKA_NAME_HASH_ALGORITHM
#define CKA_NAME_HASH_ALGORITHM (0x8cUL)
#endif
#ifndef CKA_PUBLIC_KEY_INFO
#define CKA_PUBLIC_KEY_INFO (0x129UL)
#endif
#ifndef CKA_COPYABLE
#define CKA_COPYABLE (0x171UL)
#endif
#ifndef CKA_DESTROYABLE
#define CKA_DESTROYABLE (0x172UL)
#endif
#ifndef CKA_DERIVE_TEMPLATE
#define CKA_DERIVE_TEMPLATE (CKF_ARRAY_ATTRIBUTE | 0x213UL)
#endif
#ifndef CK_CERTIFICATE_CATEGORY_TOKEN_USER
#define CK_CERTIFICATE_CATEGORY_UNSPECIFIED (0UL)
#define CK_CERTIFICATE_CATEGORY_TOKEN_USER (1UL)
#define CK_CERTIFICATE_CATEGORY_AUTHORITY (2UL)
#define CK_CERTIFICATE_CATEGORY_OTHER_ENTITY (3UL)
#endif
#ifndef CKM_EC_EDWARDS_KEY_PAIR_GEN
#define CKM_EC_EDWARDS_KEY_PAIR_GEN (0x1055UL)
#endif

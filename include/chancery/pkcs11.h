/* SPDX-License-Identifier: Apache-2.0 */
/* The PKCS#11 3.0 header of Debian's libpkcs11-helper1-dev and what it leaves out. */
#pragma once
#include <pkcs11-helper-1.0/pkcs11.h>

#ifndef CKA_UNIQUE_ID
#define CKA_UNIQUE_ID (0x4UL)
#endif

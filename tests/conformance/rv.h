/* SPDX-License-Identifier: Apache-2.0 */
/* Names of CK_RV and CK_MECHANISM_TYPE. */
#pragma once

#include "chancery/pkcs11.h"

const char *rv_name(CK_RV rv);

/* SPDX-License-Identifier: Apache-2.0 */
/* From the errors of the product to the codes of PKCS#11: one table, include/chancery/errors.def. */
#pragma once

#include "chancery/pkcs11.h"
#include "common/status.h"

CK_RV ckr_of(enum code code); /* CKR_OK for CODE_OK */
/* Writes the reason to the log and gives the code. */
CK_RV ckr_report(const char *event, status s, const struct error *err);

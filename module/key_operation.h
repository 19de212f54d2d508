/* SPDX-License-Identifier: Apache-2.0 */
/* What signing and verifying have in common: how they begin with a key of the one class or the other, and how they take
 * a message in parts. */
#pragma once

#include "module/session.h"

/* C_SignInit, C_VerifyInit. A key of the other class is there and does something else
 * (CKR_KEY_FUNCTION_NOT_PERMITTED); NULL as the mechanism ends the operation of this kind (PKCS#11 3.0 §5.13.1). */
CK_RV key_operation_init(struct session *s, const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE handle,
                         enum operation_kind kind, CK_OBJECT_CLASS wanted);
/* The key of this class into op, with the objects that keep it; on failure op may hold objects. */
CK_RV key_operation_find(struct session *s, CK_OBJECT_HANDLE handle, CK_OBJECT_CLASS wanted, struct operation *op);
/* C_SignUpdate, C_VerifyUpdate: a part that is not taken ends the operation. */
CK_RV key_operation_update(struct session *s, enum operation_kind kind, struct slice part);

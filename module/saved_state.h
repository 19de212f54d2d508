/* SPDX-License-Identifier: Apache-2.0 */
/* C_GetOperationState, C_SetOperationState (PKCS#11 3.0 §5.6.5, §5.6.6): a digest, or a signature or verification that
 * hashes, with what was hashed so far. Other mechanisms have no state worth keeping: CKR_STATE_UNSAVEABLE. */
#pragma once

#include "module/session.h"

CK_RV saved_state_get(struct session *s, CK_BYTE *out, CK_ULONG *len);
/* The key of a signature or verification comes as authentication_key and must be the one of the saved state. What was
 * under way in the session ends when the state is good, and stays when it is not. */
CK_RV saved_state_set(struct session *s, struct slice state, CK_OBJECT_HANDLE encryption_key,
                      CK_OBJECT_HANDLE authentication_key);

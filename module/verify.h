/* SPDX-License-Identifier: Apache-2.0 */
/* C_Verify*: on this machine, with the key's public half. */
#pragma once

#include "module/session.h"

CK_RV verify_init(struct session *s, const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key);
CK_RV verify_oneshot(struct session *s, const CK_BYTE *data, CK_ULONG data_len, const CK_BYTE *signature, CK_ULONG len);
CK_RV verify_update(struct session *s, const CK_BYTE *part, CK_ULONG part_len);
CK_RV verify_final(struct session *s, const CK_BYTE *signature, CK_ULONG len);

/* SPDX-License-Identifier: Apache-2.0 */
/* C_Sign*: a signature is one request to the server, and only the digest travels. Size queries and short buffers are
 * answered here, sign nothing and keep the operation; everything else ends it. */
#pragma once

#include "module/session.h"

CK_RV sign_init(struct session *s, const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key);
CK_RV sign_oneshot(struct session *s, const CK_BYTE *data, CK_ULONG data_len, CK_BYTE *signature, CK_ULONG *len);
CK_RV sign_update(struct session *s, const CK_BYTE *part, CK_ULONG part_len);
CK_RV sign_final(struct session *s, CK_BYTE *signature, CK_ULONG *len);

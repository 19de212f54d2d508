/* SPDX-License-Identifier: Apache-2.0 */
/* C_Digest*: on this machine. */
#pragma once

#include "module/session.h"

CK_RV digest_init(struct session *s, const CK_MECHANISM *mechanism);
CK_RV digest_oneshot(struct session *s, const CK_BYTE *data, CK_ULONG data_len, CK_BYTE *digest, CK_ULONG *len);
CK_RV digest_update(struct session *s, const CK_BYTE *part, CK_ULONG part_len);
CK_RV digest_final(struct session *s, CK_BYTE *digest, CK_ULONG *len);

/* SPDX-License-Identifier: Apache-2.0 */
/* A key pair of the token, and OpenSSL's view of its public half, made from the object's numbers. */
#pragma once

#include "rig.h"

/* With a failed check when the private key, the public key or the numbers cannot be had. */
bool key_find(struct rig *r, const char *label, struct key *out);
void key_clear(struct key *key);
/* True when CKA_ALLOWED_MECHANISMS is absent, empty, or has the mechanism. */
bool key_allows(struct rig *r, CK_OBJECT_HANDLE object, CK_MECHANISM_TYPE type);

/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys that a caller brings, for C_Verify: session objects made of a template, or of another session object. */
#pragma once

#include "module/object.h"
#include "module/template.h"

/* CKA_CLASS is judged by the caller. The set holds the one object, under a new handle. */
CK_RV session_key_create(const struct slot *slot, struct template t, struct object_set **out);
CK_RV session_key_copy(const struct object *from, struct template t, struct object_set **out);
/* The same object, handle and all, with other values. */
CK_RV session_key_set(const struct object *from, struct template t, struct object_set **out);

/* SPDX-License-Identifier: Apache-2.0 */
/* A public key out of the attributes that describe one: RSA numbers, or a curve and a point. */
#pragma once

#include "client/client.h"
#include "module/template.h"

/* CKR_TEMPLATE_INCOMPLETE, CKR_ATTRIBUTE_VALUE_INVALID, CKR_CURVE_NOT_SUPPORTED, CKR_DOMAIN_PARAMS_INVALID,
 * CKR_TEMPLATE_INCONSISTENT. The key allows every mechanism of its family and has no identity. Inside a libctx scope.
 */
CK_RV key_import(CK_KEY_TYPE type, struct template t, struct client_key **out);
struct client_key *imported_key_dup(const struct client_key *key); /* NULL: out of memory */
void imported_key_free(struct client_key *key);                    /* NULL is fine */
DEFINE_CLEANUP_PTR(struct client_key, imported_key_free)
#define cleanup_imported_key CLEANUP(imported_key_free_cleanup)

/* SPDX-License-Identifier: Apache-2.0 */
/* The curves of EC and Edwards keys: how PKCS#11 names them, and how a SubjectPublicKeyInfo does. */
#pragma once

#include "chancery/pkcs11.h"
#include "common/algorithm.h"
#include "common/buf.h"

struct curve {
    enum key_type type;
    size_t point_len;
    struct slice params;    /* CKA_EC_PARAMS, as we write it */
    struct slice algorithm; /* DER AlgorithmIdentifier */
    struct slice oid;       /* DER */
    const char *names[4];   /* as a caller may write it in a PrintableString */
};
const struct curve *curve_of(enum key_type type); /* NULL: no key with a curve */
/* From a caller's CKA_EC_PARAMS, in the CHOICE of PKCS#11 3.0 mechanisms §2.3.3: OID or PrintableString.
 * CKR_DOMAIN_PARAMS_INVALID when it is neither, CKR_CURVE_NOT_SUPPORTED for a curve that is not here. */
CK_RV curve_find(struct slice params, const struct curve **out);

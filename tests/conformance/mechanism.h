/* SPDX-License-Identifier: Apache-2.0 */
/* The mechanisms of a token, and what the standard says each is. */
#pragma once

#include "rig.h"

struct mechanisms {
    CK_ULONG count;
    CK_MECHANISM_TYPE types[512];
};
void mechanisms_read(struct rig *r, struct mechanisms *out);
bool mechanisms_have(const struct mechanisms *m, CK_MECHANISM_TYPE type);

/* The signing mechanisms the checker knows (curr §2.1, §2.3). */
enum scheme { SCHEME_PKCS1, SCHEME_PSS, SCHEME_ECDSA, SCHEME_EDDSA };
struct scheme_row {
    CK_MECHANISM_TYPE type;
    const char *name;
    enum scheme scheme;
    CK_KEY_TYPE key_type;
    const char *hash; /* OpenSSL's name; NULL: the caller hashes */
    CK_MECHANISM_TYPE hash_type;
    CK_RSA_PKCS_MGF_TYPE mgf;
};
extern const struct scheme_row scheme_rows[];
extern const size_t scheme_row_count;
const struct scheme_row *scheme_by_type(CK_MECHANISM_TYPE type);

struct hash_row {
    const char *name; /* OpenSSL's */
    CK_MECHANISM_TYPE type;
    CK_RSA_PKCS_MGF_TYPE mgf;
    size_t len;
};
extern const struct hash_row hash_rows[];
extern const size_t hash_row_count;
const struct hash_row *hash_by_name(const char *name);

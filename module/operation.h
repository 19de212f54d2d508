/* SPDX-License-Identifier: Apache-2.0 */
/* The one operation a session has under way. operation_end is the only way out of it. */
#pragma once

#include "module/message.h"

struct object_set;
struct client_key;

enum operation_kind { OPERATION_NONE, OPERATION_SEARCH, OPERATION_DIGEST, OPERATION_SIGN, OPERATION_VERIFY };

struct operation {
    enum operation_kind kind;
    bool in_parts; /* an Update was called: only a Final ends it well */
    /* search: handles of a snapshot */
    CK_OBJECT_HANDLE *found;
    size_t found_count;
    size_t found_next;
    /* digest */
    EVP_MD_CTX *digest;
    enum hash digest_hash;
    /* sign, verify */
    struct message message;
    struct object_set *objects; /* keeps key alive */
    const struct client_key *key;
};
void operation_end(struct operation *op); /* the zero value again */

/* Where results go (PKCS#11 3.0 §5.2): OUTPUT_ASKED and OUTPUT_SHORT are answered here and keep the operation. */
enum output { OUTPUT_WRITE, OUTPUT_ASKED, OUTPUT_SHORT };
enum output output_judge(const void *out, CK_ULONG *len, size_t needed);

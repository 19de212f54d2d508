/* SPDX-License-Identifier: Apache-2.0 */
/* What a session has under way: a search, and beside it one cryptographic operation. Without
 * CKF_DUAL_CRYPTO_OPERATIONS a second one is CKR_OPERATION_ACTIVE (PKCS#11 3.0 §5.1.6); programs do look for objects
 * while they hash. search_end and operation_end are the only ways out. */
#pragma once

#include "module/message.h"

struct object_set;
struct client_key;

struct search {
    CK_OBJECT_HANDLE *found; /* handles of a snapshot; NULL: none is active */
    size_t count;
    size_t next;
};
void search_end(struct search *search); /* the zero value again */

enum operation_kind { OPERATION_NONE, OPERATION_DIGEST, OPERATION_SIGN, OPERATION_VERIFY };

struct operation {
    enum operation_kind kind;
    bool in_parts; /* an Update was called: only a Final ends it well */
    struct hasher digest;
    /* sign, verify */
    struct message message;
    struct object_set *objects; /* keeps key alive */
    const struct client_key *key;
};
void operation_end(struct operation *op); /* the zero value again */

/* Where results go (PKCS#11 3.0 §5.2): OUTPUT_ASKED and OUTPUT_SHORT are answered here and keep the operation. */
enum output { OUTPUT_WRITE, OUTPUT_ASKED, OUTPUT_SHORT };
enum output output_judge(const void *out, CK_ULONG *len, size_t needed);
CK_RV output_answer(enum output output); /* of the last two: CKR_OK, CKR_BUFFER_TOO_SMALL */
/* The end of a call that hands a result out: a size query and a short buffer keep the operation, all else ends it. */
CK_RV operation_settle(struct operation *op, CK_RV rv, const void *out);

/* SPDX-License-Identifier: Apache-2.0 */
/* The audit records of one signature request and the text they borrow. */
#pragma once

#include "server/audit/audit.h"
#include "server/sign/rights.h"
#include "server/sign/signer.h"

struct sign_records {
    struct audit_record record; /* what intent, outcome and refusal have in common is filled once */
    char key[2 * NAME_SIZE];
    char digest_hex[2 * 64 + 1];
    char signature_sha256_hex[2 * 32 + 1];
    char reason[400];
    char detail[256];    /* without a known key: what was asked for */
    struct buf more;     /* with one: policies in force, context, what was noted */
    struct error note;   /* of the rules, advisory */
    char grant[ID_SIZE]; /* the approval that was used; "" none */
};
void records_clear(struct sign_records *r);

/* What the caller says of itself and asks for. */
status records_init(struct sign_records *r, const struct principal *who, const struct sign_order *order,
                    struct error *err);
/* What the key's row says; again after it was read anew. An unknown key is named by what was asked for alone. */
void records_name_key(struct sign_records *r, const struct rights *rights, const struct sign_order *order);
/* Which approval the use has spent; "" none. */
void records_name_grant(struct sign_records *r, const struct rights *rights, const struct sign_order *order,
                        const char *grant);
void records_set_intent(struct sign_records *r);
/* One record, no intent: the HSM was not asked. */
void records_set_refusal(struct sign_records *r, const struct error *why);
status records_set_success(struct sign_records *r, int64_t intent, struct slice signature, struct error *err);
void records_set_failure(struct sign_records *r, int64_t intent, const struct error *why);

/* SPDX-License-Identifier: Apache-2.0 */
/* The body of both ways to revoke: {"reason": "key_compromise", "at"?: time, "invalid_since"?: time}. */
#pragma once

#include "server/api/change.h"

struct revocation {
    int reason;
    int64_t at_ms;      /* not in the future */
    int64_t invalid_ms; /* 0: nobody said; of key_compromise alone */
};
status revocation_parse(struct request *req, struct revocation *out, struct error *err);
void revocation_detail(struct json_writer *w, const struct revocation *r);
/* In the transaction. CODE_CONFLICT: it is revoked already. */
status revocation_apply(struct db *db, const struct revocation *r, struct issued_certificate *c, struct error *err);

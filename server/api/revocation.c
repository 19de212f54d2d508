/* SPDX-License-Identifier: Apache-2.0 */
/* A code-signing certificate may be revoked from a moment in the past on, so that what was signed and timestamped
 * before stays valid (CSBR 4.9.1); the CRL's invalidity date says when the key was lost. */
#include "server/api/revocation.h"

#include "server/api/parse.h"

enum { KEY_COMPROMISE = 1 };

static status time_in_the_past(const char *field, const char *text, int64_t *out, struct error *err)
{
    TRY(check_time(field, text, out, err));
    if (*out > clock_now_ms())
        return error_set(err, CODE_INVALID, "%s: it is in the future", field);
    return OK;
}

status revocation_parse(struct request *req, struct revocation *out, struct error *err)
{
    const char *reason = NULL, *at = NULL, *invalid_since = NULL;
    const struct json_field fields[] = {{"reason", JSON_STRING, JSON_REQUIRED, &reason},
                                        {"at", JSON_STRING, 0, &at},
                                        {"invalid_since", JSON_STRING, 0, &invalid_since}};

    TRY(body_read(req, fields, COUNT_OF(fields), err));
    if (!ca_reason_parse(reason, &out->reason))
        return error_set(err, CODE_INVALID, "reason: one of %s is expected", ca_reason_names());
    TRY(time_in_the_past("at", at, &out->at_ms, err));
    TRY(time_in_the_past("invalid_since", invalid_since, &out->invalid_ms, err));
    if (out->invalid_ms && out->reason != KEY_COMPROMISE)
        return error_set(err, CODE_INVALID, "invalid_since: it has a meaning for key_compromise alone");
    if (out->at_ms == 0)
        out->at_ms = clock_now_ms();
    return OK;
}

void revocation_detail(struct json_writer *w, const struct revocation *r)
{
    json_add_text(w, "reason", ca_reason_name(r->reason));
    json_add_time(w, "at", r->at_ms);
    json_add_time(w, "invalid_since", r->invalid_ms);
}

status revocation_apply(struct db *db, const struct revocation *r, struct issued_certificate *c, struct error *err)
{
    if (r->at_ms < c->not_before_ms)
        return error_set(err, CODE_INVALID, "at: the certificate was not valid then");
    c->revoked_ms = r->at_ms;
    c->reason = r->reason;
    c->invalid_ms = r->invalid_ms;
    return issued_certificate_revoke(db, c, err);
}

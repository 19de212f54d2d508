/* SPDX-License-Identifier: Apache-2.0 */
/* I5: every record names mechanism, hash and digest; for eddsa, whose message is not kept, its SHA-256. */
#include "server/sign/record.h"

#include <stdio.h>
#include <string.h>

#include "common/encoding.h"
#include "common/json.h"
#include "common/secret.h"
#include "common/text.h"
#include "server/sign/rules.h"

static status digest_format(struct sign_records *r, const struct sign_input *in, struct error *err)
{
    uint8_t hash[32];
    struct slice digest = in->digest;
    if (in->mechanism == MECHANISM_EDDSA) {
        TRY(sha256(in->digest, hash, err));
        digest = (struct slice){hash, sizeof(hash)};
    }
    if (digest.len > 0 && digest.len <= 64) { /* what is longer is refused as malformed */
        hex_format(digest, r->digest_hex);
        r->record.digest_hex = r->digest_hex;
    }
    return OK;
}

status records_init(struct sign_records *r, const struct principal *who, const struct sign_order *order,
                    struct error *err)
{
    const struct sign_input *in = &order->input;
    r->record = (struct audit_record){
        .principal = who->name,
        .principal_id = who->id,
        .mechanism = in->mechanism > MECHANISM_NONE ? mechanism_name(in->mechanism) : NULL,
        .hash = in->hash != HASH_NONE ? hash_name(in->hash) : NULL,
        .client_address = order->client_address,
        .client_program = order->program,
        .client_host = order->host,
        .client_user = order->user,
        .request_id = order->request_id,
    };
    return digest_format(r, in, err);
}

/* {"requested":"…"}: at most 64 characters, everything but plain printable ones as %XX. */
static void detail_format(struct sign_records *r, const char *asked)
{
    enum { REQUESTED_MAX = 64 };
    char escaped[REQUESTED_MAX + 1] = "";
    size_t len = 0;
    for (; *asked; asked++) {
        unsigned char c = (unsigned char)*asked;
        bool plain = c > ' ' && c <= '~' && !strchr("%\"\\", c);
        if (len + (plain ? 1 : 3) > REQUESTED_MAX)
            break;
        len += (size_t)snprintf(escaped + len, sizeof(escaped) - len, plain ? "%c" : "%%%02X", c);
    }
    (void)snprintf(r->detail, sizeof(r->detail), "{\"requested\":\"%s\"}", escaped);
}

void records_clear(struct sign_records *r)
{
    buf_clear(&r->more);
}

static void policies_write(struct json_writer *w, const struct rights *rights)
{
    json_begin_object(w, "policy");
    for (size_t i = 0; i < POLICIES_IN_FORCE; i++) {
        const struct policy_in_force *p = &rights->policies[i];
        if (p->policy)
            json_add_integer(w, policy_scope_name(p->scope), p->version);
    }
    json_end_object(w);
}

static bool has_policy(const struct rights *rights)
{
    return rights->policies[POLICY_OF_PLATFORM].policy || rights->policies[POLICY_OF_KEY].policy;
}

/* {"policy":{"platform":2,"key":5},"approval":"apr_…","context":{"build_id":"7"},"note":"…"}; nothing where there is
 * nothing to tell. */
static const char *more_format(struct sign_records *r, const struct rights *rights, const struct sign_order *order)
{
    if (!has_policy(rights) && order->context_count == 0)
        return NULL;
    buf_reset(&r->more);
    struct json_writer w = json_writer_on(&r->more);
    json_begin_object(&w, NULL);
    if (has_policy(rights))
        policies_write(&w, rights);
    if (*r->grant)
        json_add_text(&w, "approval", r->grant);
    if (order->context_count > 0) {
        json_begin_object(&w, "context");
        for (size_t i = 0; i < order->context_count; i++)
            json_add_text(&w, order->context[i].name, order->context[i].value);
        json_end_object(&w);
    }
    if (rules_note(rights, order, &r->note))
        json_add_text(&w, "note", r->note.text);
    json_end_object(&w);
    return r->more.failed ? NULL : buf_text(&r->more);
}

void records_name_key(struct sign_records *r, const struct rights *rights, const struct sign_order *order)
{
    const struct signing_key *key = &rights->key;
    struct audit_record *record = &r->record;
    bool known = *key->id != '\0';

    (void)snprintf(r->key, sizeof(r->key), "%s-%s", key->project_name, key->label);
    record->project = known ? key->project_name : NULL;
    record->key = known ? r->key : NULL;
    record->key_id = known ? key->id : NULL;
    record->version = order->version ? order->version : key->version;
    record->detail_json = known ? more_format(r, rights, order) : r->detail;
    if (!known)
        detail_format(r, order->key);
}

void records_name_grant(struct sign_records *r, const struct rights *rights, const struct sign_order *order,
                        const char *grant)
{
    if (strcmp(r->grant, grant) == 0)
        return;
    (void)text_copy(r->grant, sizeof(r->grant), grant);
    records_name_key(r, rights, order);
}

void records_set_intent(struct sign_records *r)
{
    r->record.type = "signature.intent";
    r->record.outcome = NULL;
    r->record.reason = NULL;
    r->record.intent = 0;
    r->record.signature_sha256_hex = NULL;
}

static void outcome_set(struct sign_records *r, int64_t intent, const char *outcome, const char *reason)
{
    r->record.type = "signature.outcome";
    r->record.intent = intent;
    r->record.outcome = outcome;
    r->record.reason = reason;
    r->record.signature_sha256_hex = NULL;
}

/* The caller is not told an unknown key from a forbidden one; the auditor is, by the detail. */
void records_set_refusal(struct sign_records *r, const struct error *why)
{
    (void)snprintf(r->reason, sizeof(r->reason), "%s: %.380s", code_wire(why->code),
                   *why->detail ? why->detail : why->text);
    outcome_set(r, 0, "refused", r->reason);
}

status records_set_success(struct sign_records *r, int64_t intent, struct slice signature, struct error *err)
{
    uint8_t hash[32];
    TRY(sha256(signature, hash, err));
    hex_format((struct slice){hash, sizeof(hash)}, r->signature_sha256_hex);
    outcome_set(r, intent, "success", NULL);
    r->record.signature_sha256_hex = r->signature_sha256_hex;
    return OK;
}

void records_set_failure(struct sign_records *r, int64_t intent, const struct error *why)
{
    (void)snprintf(r->reason, sizeof(r->reason), "%s: %s", code_wire(why->code), why->text);
    outcome_set(r, intent, "failed", r->reason);
}

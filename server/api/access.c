/* SPDX-License-Identifier: Apache-2.0 */
/* Why may somebody use a key, or not; and what a policy would have refused. */
#include <string.h>

#include "common/encoding.h"
#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/parse.h"
#include "server/api/routes.h"
#include "server/api/sign_order.h"
#include "server/sign/explain.h"

enum { DRY_RUN_RECORDS = 100000, DAY_MS = 24 * 60 * 60 * 1000, DRY_RUN_DAYS = 31 };

struct question {
    const char *principal, *key, *mechanism, *hash, *digest, *address, *time;
    const struct json *context;
};

static status question_read(struct request *req, struct question *q, struct error *err)
{
    const struct json_field fields[] = {
        {"principal", JSON_STRING, JSON_REQUIRED, &q->principal},
        {"key", JSON_STRING, JSON_REQUIRED, &q->key},
        {"mechanism", JSON_STRING, JSON_REQUIRED, &q->mechanism},
        {"hash", JSON_STRING, 0, &q->hash},
        {"digest", JSON_STRING, 0, &q->digest},
        {"address", JSON_STRING, 0, &q->address},
        {"time", JSON_STRING, 0, &q->time},
        {"context", JSON_OBJECT, 0, &q->context},
    };
    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    if (!text_is_name(q->principal))
        return error_set(err, CODE_INVALID, "principal: an id or a name is expected");
    return check_text("key", q->key, err);
}

static status digest_read(const char *hex, uint8_t *digest, size_t len, struct error *err)
{
    cleanup_buf struct buf bytes = {0};
    if (!hex)
        return OK;
    if (!is_ok(hex_decode(hex, strlen(hex), &bytes, NULL)) || bytes.len != len)
        return error_set(err, CODE_INVALID, "digest: %zu hexadecimal digits are expected", 2 * len);
    memcpy(digest, bytes.data, len);
    return OK;
}

/* Without a digest of the caller's, one of the hash's length. */
static status order_make(const struct question *q, struct sign_order *order, uint8_t digest[64], int64_t *when_ms,
                         struct error *err)
{
    *order = (struct sign_order){.key = q->key, .client_address = q->address};
    *when_ms = clock_now_ms();
    if (!mechanism_parse(q->mechanism, &order->input.mechanism))
        return error_set(err, CODE_INVALID, "mechanism: rsa_pkcs1, rsa_pss, ecdsa or eddsa is expected");
    bool is_eddsa = order->input.mechanism == MECHANISM_EDDSA;
    if (!is_eddsa && (!q->hash || !hash_parse(q->hash, &order->input.hash)))
        return error_set(err, CODE_INVALID, "hash: a hash like sha256 is expected");
    size_t len = is_eddsa ? 32 : hash_len(order->input.hash);
    TRY(digest_read(q->digest, digest, len, err));
    order->input.digest = (struct slice){digest, len};
    if (order->input.mechanism == MECHANISM_RSA_PSS) {
        order->input.mgf_hash = order->input.hash;
        order->input.salt_len = len;
    }
    if (q->time && !is_ok(time_parse(q->time, when_ms, NULL)))
        return error_set(err, CODE_INVALID, "time: a time like 2026-01-31T12:00:00Z is expected");
    TRY(check_text("address", q->address, err));
    return sign_context_parse(order, q->context, err);
}

/* Administrators and auditors ask about everybody; owners about the keys of their Projects; anybody about himself. */
static status may_ask(struct db *db, const struct request *req, const struct question *q, const struct principal *about,
                      struct error *err)
{
    cleanup_signing_key struct signing_key key = {0};
    unsigned roles = 0;
    if (caller_reads_all(req) || strcmp(about->id, caller_principal(req)->id) == 0)
        return OK;
    status s = key_find(db, q->key, &key, err);
    if (is_ok(s))
        s = member_roles(db, key.project_id, caller_principal(req)->id, &roles, err);
    if (s.code == CODE_NOT_FOUND || (is_ok(s) && !(roles & MEMBER_OWNER)))
        return error_set(err, CODE_NOT_FOUND, "no such signing key, or no right to ask about it");
    return s;
}

static void step_render(struct json_writer *w, const struct rule_step *step)
{
    static const char *const names[] = {
        [VERDICT_ALLOWS] = "allows", [VERDICT_REFUSES] = "refuses", [VERDICT_NOTES] = "notes"};
    json_begin_object(w, NULL);
    json_add_text(w, "rule", step->rule);
    json_add_text(w, "verdict", names[step->verdict]);
    json_add_text(w, "code", step->verdict == VERDICT_REFUSES ? code_wire(step->why.code) : NULL);
    json_add_text(w, "reason", *step->why.detail ? step->why.detail : *step->why.text ? step->why.text : NULL);
    json_end_object(w);
}

static void explanation_render(struct response *res, const struct explanation *why, const struct error *refusal)
{
    struct json_writer *w = response_json(res, 200);
    json_begin_object(w, NULL);
    json_add_bool(w, "allowed", refusal->code == CODE_OK);
    json_add_text(w, "code", refusal->code == CODE_OK ? NULL : code_wire(refusal->code));
    json_begin_array(w, "steps");
    for (size_t i = 0; i < why->count; i++)
        step_render(w, &why->steps[i]);
    json_end_array(w);
    json_end_object(w);
}

static status access_explain_post(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_reader struct reader reader = {0};
    struct question q = {0};
    struct sign_order order;
    struct principal about;
    struct explanation why;
    struct error refusal;
    uint8_t digest[64] = {0};
    int64_t when_ms = 0;

    TRY(question_read(req, &q, err));
    TRY(order_make(&q, &order, digest, &when_ms, err));
    TRY(reader_acquire(&reader, api->store, err));
    status found = principal_find(reader.db, q.principal, &about, err);
    if (found.code == CODE_NOT_FOUND)
        return error_set(err, CODE_NOT_FOUND, "principal: no such user or service account");
    TRY(found);
    TRY(may_ask(reader.db, req, &q, &about, err));
    TRY(access_explain(reader.db, about.id, &order, when_ms, &why, &refusal, err));
    explanation_render(res, &why, &refusal);
    return OK;
}

/* ---- dry run */

struct dry_run_question {
    const char *project, *key, *from, *to;
    const struct json *document;
    struct dry_run_scope scope;
    struct project found_project;
    struct signing_key found_key;
};

static void dry_run_question_clear(struct dry_run_question *q)
{
    signing_key_clear(&q->found_key);
}

static status time_or(const char *name, const char *text, int64_t otherwise, int64_t *out, struct error *err)
{
    *out = otherwise;
    if (text && !is_ok(time_parse(text, out, NULL)))
        return error_set(err, CODE_INVALID, "%s: a time like 2026-01-31T12:00:00Z is expected", name);
    return OK;
}

static status dry_run_read(struct request *req, struct dry_run_question *q, struct error *err)
{
    const struct json_field fields[] = {
        {"policy", JSON_OBJECT, JSON_REQUIRED, &q->document},
        {"project", JSON_STRING, 0, &q->project},
        {"key", JSON_STRING, 0, &q->key},
        {"from", JSON_STRING, 0, &q->from},
        {"to", JSON_STRING, 0, &q->to},
    };
    int64_t now_ms = clock_now_ms();
    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(check_text("project", q->project, err));
    TRY(check_text("key", q->key, err));
    TRY(time_or("to", q->to, now_ms, &q->scope.to_ms, err));
    TRY(time_or("from", q->from, q->scope.to_ms - (int64_t)DRY_RUN_DAYS * DAY_MS, &q->scope.from_ms, err));
    if (!q->to) /* the newest record has this very millisecond, or a later one where the clock was set back */
        q->scope.to_ms = INT64_MAX;
    q->scope.limit = DRY_RUN_RECORDS;
    return q->project && q->key ? error_set(err, CODE_INVALID, "project: name either a project or a key") : OK;
}

/* Whose signatures: of the key or Project named, for who may see it as its owner; of all for who reads all. */
static status dry_run_resolve(struct db *db, const struct request *req, struct dry_run_question *q, struct error *err)
{
    unsigned roles = 0;
    const char *project = q->project;
    if (q->key) {
        TRY(key_find(db, q->key, &q->found_key, err));
        q->scope.key_id = q->found_key.id;
        project = q->found_key.project_id;
    }
    if (!project)
        return caller_reads_all(req) ? OK
                                     : error_set(err, CODE_FORBIDDEN, "project: name one of which you are an owner");
    TRY(caller_project_find(db, caller_principal(req), project, &q->found_project, &roles, err));
    if (!caller_reads_all(req) && !(roles & MEMBER_OWNER))
        return error_set(err, CODE_FORBIDDEN, "only owners of the project may ask");
    q->scope.project_name = q->found_project.name;
    return OK;
}

static void dry_run_render(struct response *res, const struct dry_run *d, bool more)
{
    struct json_writer *w = response_json(res, 200);
    json_begin_object(w, NULL);
    json_add_integer(w, "judged", d->judged);
    json_add_integer(w, "refused", d->refused);
    json_add_bool(w, "complete", !more);
    json_begin_array(w, "rules");
    for (size_t i = 0; i < d->rule_count; i++) {
        json_begin_object(w, NULL);
        json_add_text(w, "rule", d->rules[i].rule);
        json_add_integer(w, "refused", d->rules[i].count);
        json_end_object(w);
    }
    json_end_array(w);
    json_begin_array(w, "examples");
    for (size_t i = 0; i < d->example_count; i++) {
        const struct dry_run_example *e = &d->examples[i];
        json_begin_object(w, NULL);
        json_add_integer(w, "seq", e->seq);
        json_add_time(w, "time", e->time_ms);
        json_add_text(w, "key", e->key);
        json_add_text(w, "principal", e->principal);
        json_add_text(w, "rule", e->rule);
        json_add_text(w, "reason", e->why.text);
        json_end_object(w);
    }
    json_end_array(w);
    json_end_object(w);
}

static status policy_dry_run_post(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_reader struct reader reader = {0};
    CLEANUP(dry_run_question_clear) struct dry_run_question q = {0};
    cleanup_policy struct policy *policy = NULL;
    cleanup_free struct dry_run *result = calloc(1, sizeof(*result));
    bool more = false;

    if (!result)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    TRY(dry_run_read(req, &q, err));
    status parsed = policy_parse(q.document, &policy, err);
    if (!is_ok(parsed)) {
        error_prefix(err, "policy");
        return parsed;
    }
    TRY(reader_acquire(&reader, api->store, err));
    TRY(dry_run_resolve(reader.db, req, &q, err));
    TRY(policy_dry_run(reader.db, policy, q.key ? SCOPE_KEY : SCOPE_PROJECT, &q.scope, result, &more, err));
    dry_run_render(res, result, more);
    return OK;
}

const struct route access_routes[] = {
    {"POST", "/v1/access/explain", PERMISSION_ANY, access_explain_post, 0},
    {"POST", "/v1/policies/dry-run", PERMISSION_ANY, policy_dry_run_post, 0},
    {0},
};

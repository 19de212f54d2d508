/* SPDX-License-Identifier: Apache-2.0 */
/* Administrative records. Who may not change something was refused before; what stands here was allowed and happens. */
#include "server/api/change.h"

#include <stdio.h>
#include <string.h>

#include "common/secret.h"
#include "common/text.h"
#include "server/api/caller.h"

enum { ETAG_SIZE = 24 };

void change_clear(struct change *c)
{
    buf_clear(&c->detail_text);
    idempotent_create_clear(&c->request);
}

void change_begin(struct change *c, const struct request *req, const char *type)
{
    const struct principal *who = caller_principal(req);

    c->record = (struct audit_record){
        .type = type,
        .principal = who->name,
        .principal_id = who->id,
        .outcome = "success",
        .client_address = request_client_address(req),
        .request_id = request_id(req),
    };
    c->if_match = request_header(req, "If-Match");
    c->detail = json_writer_on(&c->detail_text);
    json_begin_object(&c->detail, NULL);
}

/* A list of entity tags, or "*". Weak ones never match (RFC 9110 §8.8.3.2). */
static bool etag_listed(const char *list, const char *etag)
{
    size_t len = strlen(etag);
    if (strcmp(list, "*") == 0)
        return true;
    while (*list) {
        size_t end = strcspn(list, ",");
        size_t item = end;
        while (item > 0 && (list[item - 1] == ' ' || list[item - 1] == '\t'))
            item--;
        if (item == len && memcmp(list, etag, len) == 0)
            return true;
        list += end;
        list += strspn(list, ", \t");
    }
    return false;
}

static void etag_format(int64_t revision, char out[ETAG_SIZE])
{
    (void)snprintf(out, ETAG_SIZE, "\"%lld\"", (long long)revision);
}

status change_check_revision(const struct change *c, int64_t revision, struct error *err)
{
    char etag[ETAG_SIZE];
    etag_format(revision, etag);
    if (!c->if_match || etag_listed(c->if_match, etag))
        return OK;
    return error_set(err, CODE_STALE, "If-Match: the object has changed since; it has revision %lld now",
                     (long long)revision);
}

void response_revision(struct response *res, int64_t revision)
{
    char etag[ETAG_SIZE];
    etag_format(revision, etag);
    response_header(res, "ETag", etag);
}

void change_target(struct change *c, const char *type, const char *id, const char *name)
{
    c->record.target_type = type;
    c->record.target_id = id;
    c->record.target_name = name;
}

static void key_named(struct change *c, const char *project, const char *label, const char *id)
{
    (void)snprintf(c->key_name, sizeof(c->key_name), "%s-%s", project, label);
    c->record.project = project;
    c->record.key = c->key_name;
    c->record.key_id = id;
    change_target(c, "key", id, label);
}

void change_key(struct change *c, const struct signing_key *key)
{
    key_named(c, key->project_name, key->label, key->id);
}

void change_key_asked(struct change *c, const struct request *req)
{
    const struct caller *caller = caller_of(req);

    key_named(c, caller->project.name, caller->key_label, caller->key_id);
}

/* ---- creates that may be repeated */

/* "" when there is none. The hash is of method, path and body: what the caller asked for. */
static status creation_read(const struct request *req, struct idempotent_create *out, struct error *err)
{
    cleanup_buf struct buf asked = {0};
    struct slice body = request_body(req);
    const char *key = request_header(req, HEADER_IDEMPOTENCY_KEY);

    if (!key)
        return OK;
    if (!idempotency_key_is_valid(key))
        return error_set(err, CODE_INVALID, HEADER_IDEMPOTENCY_KEY ": 16 to %d characters of A-Z a-z 0-9 _ -",
                         LIMIT_IDEMPOTENCY_KEY);
    (void)text_copy(out->idempotency_key, sizeof(out->idempotency_key), key);
    (void)text_copy(out->principal_id, sizeof(out->principal_id), caller_principal(req)->id);
    out->created_ms = clock_now_ms();
    buf_printf(&asked, "%s %s\n", request_method(req), request_path(req));
    buf_add(&asked, body.data, body.len);
    TRY(buf_check(&asked, err));
    return sha256(buf_slice(&asked), out->request_sha256, err);
}

/* *found: this request was answered before; what is in out then is good for an answer. */
static status creation_find(struct db *db, const struct idempotent_create *asked, struct idempotent_create *out,
                            bool *found, struct error *err)
{
    *found = false;
    status s = idempotent_create_find(db, asked->principal_id, asked->idempotency_key, asked->created_ms, out, err);
    if (s.code == CODE_NOT_FOUND)
        return OK;
    TRY(s);
    if (memcmp(out->request_sha256, asked->request_sha256, sizeof(out->request_sha256)) != 0)
        return error_set(err, CODE_IDEMPOTENCY_CONFLICT,
                         HEADER_IDEMPOTENCY_KEY ": it was used for another request, which made %s", out->target_id);
    if (out->answer.len == 0)
        return error_set(err, CODE_CONFLICT,
                         HEADER_IDEMPOTENCY_KEY
                         ": the request was answered before with a secret that is shown once; it made %s",
                         out->target_id);
    *found = true;
    return OK;
}

/* Nothing is written for a request that is known: its answer is read again once this transaction is over, since only
 * what was committed may be given out. */
static status creation_rows(struct db *db, struct change *c, struct error *err)
{
    cleanup_idempotent_create struct idempotent_create known = {0};
    struct json_writer w = json_writer_on(&c->request.answer);

    buf_reset(&c->request.answer);
    c->replayed = false;
    if (*c->request.idempotency_key)
        TRY(creation_find(db, &c->request, &known, &c->replayed, err));
    if (c->replayed)
        return error_set(err, CODE_CONFLICT, "the request is known");

    TRY(c->rows(db, c, err));
    c->creation->render(&w, c);
    TRY(buf_check(&c->request.answer, err));
    if (!*c->request.idempotency_key)
        return OK;

    struct idempotent_create row = c->request;
    (void)text_copy(row.target_id, sizeof(row.target_id), c->record.target_id ? c->record.target_id : "");
    if (c->creation->shows_secret)
        row.answer = (struct buf){0};
    return idempotent_create_insert(db, &row, err);
}

static void creation_answer(struct response *res, const struct buf *answer, bool replayed)
{
    if (replayed)
        response_header(res, HEADER_IDEMPOTENCY_REPLAYED, "true");
    json_add_raw(response_json(res, 201), NULL, buf_text(answer));
}

static status creation_replay(struct api *api, const struct idempotent_create *asked, struct response *res,
                              bool *replayed, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    cleanup_idempotent_create struct idempotent_create known = {0};

    TRY(reader_acquire(&reader, api->store, err));
    TRY(creation_find(reader.db, asked, &known, replayed, err));
    if (*replayed)
        creation_answer(res, &known.answer, true);
    return OK;
}

status change_replay(struct api *api, struct request *req, struct response *res, bool *replayed, struct error *err)
{
    cleanup_idempotent_create struct idempotent_create asked = {0};

    *replayed = false;
    TRY(creation_read(req, &asked, err));
    return *asked.idempotency_key ? creation_replay(api, &asked, res, replayed, err) : OK;
}

static status change_run(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    struct change *c = arg;

    /* A repeated batch starts again from what stood there when it was committed. */
    c->detail = c->detail_before;
    c->detail_text.len = c->detail_before_len;
    TRY(c->creation ? creation_rows(db, c, err) : c->rows(db, c, err));

    json_end_object(&c->detail);
    TRY(buf_check(&c->detail_text, err));
    record->detail_json = buf_text(&c->detail_text);
    return OK;
}

status change_commit(struct change *c, struct api *api, struct request *req, change_rows rows, struct error *err)
{
    return change_commit_until(c, api, request_deadline(req), rows, err);
}

status change_commit_until(struct change *c, struct api *api, struct deadline d, change_rows rows, struct error *err)
{
    c->rows = rows;
    c->detail_before = c->detail;
    c->detail_before_len = c->detail_text.len;

    /* Nearly every administrative change may alter what somebody may do, or what a key list shows: the generation grows
     * (I4). */
    struct audit_work work = {
        .change = change_run,
        .arg = c,
        .record = &c->record,
        .alters_rights = !c->keeps_rights,
        .needs_savepoint = true,
    };
    return audit_commit(api->audit, &work, d, err);
}

status change_create(struct change *c, struct api *api, struct request *req, struct response *res,
                     const struct change_creation *how, struct error *err)
{
    bool found = false;

    TRY(creation_read(req, &c->request, err));
    c->creation = how;
    status s = change_commit(c, api, req, how->rows, err);
    if (!c->replayed) {
        TRY(s);
        creation_answer(res, &c->request.answer, false);
        return OK;
    }
    TRY(creation_replay(api, &c->request, res, &found, err));
    return found ? OK : error_set(err, CODE_UNAVAILABLE, "the same request has just failed; try again");
}

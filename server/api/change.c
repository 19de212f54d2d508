/* SPDX-License-Identifier: Apache-2.0 */
/* Administrative records. Who may not change something was refused before; what stands here was allowed and happens. */
#include "server/api/change.h"

#include <stdio.h>
#include <string.h>

#include "server/api/caller.h"

enum { ETAG_SIZE = 24 };

void change_clear(struct change *c)
{
    buf_clear(&c->detail_text);
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

void change_key(struct change *c, const struct signing_key *key)
{
    (void)snprintf(c->key_name, sizeof(c->key_name), "%s-%s", key->project_name, key->label);
    c->record.project = key->project_name;
    c->record.key = c->key_name;
    c->record.key_id = key->id;
    change_target(c, "key", key->id, key->label);
}

static status change_run(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    struct change *c = arg;

    /* A repeated batch starts again from what stood there when it was committed. */
    c->detail = c->detail_before;
    c->detail_text.len = c->detail_before_len;
    TRY(c->rows(db, c, err));

    json_end_object(&c->detail);
    TRY(buf_check(&c->detail_text, err));
    record->detail_json = buf_text(&c->detail_text);
    return OK;
}

status change_commit(struct change *c, struct api *api, struct request *req, change_rows rows, struct error *err)
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
    return audit_commit(api->audit, &work, request_deadline(req), err);
}

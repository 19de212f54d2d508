/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for approval: signers ask for the use of a key whose policy needs it; lists show what waits for whom. */
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "common/text.h"
#include "server/api/approval_view.h"
#include "server/api/list.h"
#include "server/api/parse.h"
#include "server/api/routes.h"

enum { COUNT_MOST = 1000000000 };

struct ask_change {
    struct change change;
    const char *key; /* as asked for */
    const struct principal *who;
    int64_t break_glass_hours;
    bool once;
    char found_id[ID_SIZE]; /* once: the request that is there already */
    struct approval asked;  /* as the body has it */
    struct approval made;   /* as it is written */
    struct approval_digest digests[APPROVAL_DIGESTS_MAX];
};

static void ask_change_free(struct ask_change *c)
{
    if (!c)
        return;
    change_clear(&c->change);
    free(c);
}
DEFINE_CLEANUP_PTR(struct ask_change, ask_change_free)
#define cleanup_ask_change CLEANUP(ask_change_free_cleanup)

static status digest_read(const struct json *item, struct approval_digest *out, struct error *err)
{
    const char *hash = NULL, *digest = NULL;
    enum hash h = HASH_NONE;
    const struct json_field fields[] = {
        {"hash", JSON_STRING, JSON_REQUIRED, &hash},
        {"digest", JSON_STRING, JSON_REQUIRED, &digest},
    };
    TRY(json_read_object(item, fields, COUNT_OF(fields), err));
    if (!hash_parse(hash, &h))
        return error_set(err, CODE_INVALID, "hash: a hash like sha256 is expected");
    if (strlen(digest) != 2 * hash_len(h) || strspn(digest, "0123456789abcdef") != strlen(digest))
        return error_set(err, CODE_INVALID, "digest: %zu lower-case hexadecimal digits are expected for %s",
                         2 * hash_len(h), hash);
    *out = (struct approval_digest){.remaining = 1};
    (void)text_copy(out->hash, sizeof(out->hash), hash);
    (void)text_copy(out->digest, sizeof(out->digest), digest);
    return OK;
}

static status digests_read(struct ask_change *c, const struct json *digests, struct error *err)
{
    size_t count = json_count(digests);
    if (count < 1 || count > APPROVAL_DIGESTS_MAX)
        return error_set(err, CODE_INVALID, "digests: 1 to %d are expected", APPROVAL_DIGESTS_MAX);
    for (size_t i = 0; i < count; i++) {
        status read = digest_read(json_at(digests, i), &c->digests[i], err);
        if (!is_ok(read))
            error_prefix(err, "digests[%zu]", i);
        TRY(read);
    }
    c->asked.digests = (int64_t)count;
    return OK;
}

/* Absent is 0; null counts as absent. */
static status number_check(const char *name, int64_t given, int64_t most, int64_t *out, struct error *err)
{
    if (given < 1 || given > most)
        return error_set(err, CODE_INVALID, "%s: 1 to %lld is expected", name, (long long)most);
    *out = given;
    return OK;
}

static status ask_read(struct ask_change *c, struct request *req, struct error *err)
{
    const char *reason = NULL;
    const struct json *digests = NULL;
    int64_t count = -1, hours = -1;
    const struct json_field fields[] = {
        {"key", JSON_STRING, JSON_REQUIRED, &c->key},
        {"reason", JSON_STRING, JSON_REQUIRED, &reason},
        {"count", JSON_INTEGER, 0, &count},
        {"digests", JSON_ARRAY, 0, &digests},
        {"hours", JSON_INTEGER, 0, &hours},
        {"break_glass", JSON_BOOL, 0, &c->asked.break_glass},
        {"once", JSON_BOOL, 0, &c->once},
    };
    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(check_text("key", c->key, err));
    TRY(check_text("reason", reason, err));
    if (!*reason)
        return error_set(err, CODE_INVALID, "reason: must not be empty");
    if ((count == -1) == (digests == NULL))
        return error_set(err, CODE_INVALID, "count: either a count or digests are expected");
    TRY(digests ? digests_read(c, digests, err) : number_check("count", count, COUNT_MOST, &c->asked.signatures, err));
    if (hours != -1)
        TRY(number_check("hours", hours, APPROVAL_HOURS_MAX, &c->asked.hours, err));
    if (c->once && c->asked.digests != 1)
        return error_set(err, CODE_INVALID, "once: is for exactly one digest");
    (void)text_copy(c->asked.reason, sizeof(c->asked.reason), reason);
    return OK;
}

/* One that may still be used or decided on, and one that was denied while it would still be alive: who asks again on
 * his own is told the same. */
static status once_judge(struct db *db, struct ask_change *c, const char *key_id, int64_t now_ms, struct error *err)
{
    struct approval found;
    const struct approval_digest *d = &c->digests[0];
    status s = approval_find_digest(db, key_id, c->who->id, d->hash, d->digest, now_ms, &found, NULL);
    if (s.code == CODE_NOT_FOUND)
        return OK;
    TRY(s);
    if (found.state == APPROVAL_PENDING || found.state == APPROVAL_APPROVED ||
        (found.state == APPROVAL_DENIED && found.expires_ms > now_ms)) {
        (void)text_copy(c->found_id, sizeof(c->found_id), found.id);
        return error_set(err, CODE_CONFLICT, "the request is there already");
    }
    return OK;
}

static status ask_key(struct db *db, struct ask_change *c, struct signing_key *key, unsigned *roles, struct error *err)
{
    TRY(key_find(db, c->key, key, err));
    TRY(member_roles(db, key->project_id, c->who->id, roles, err));
    if (permission_granted(PERMISSION_PROJECT_READ, c->who, *roles, false))
        return OK;
    return error_set(err, CODE_NOT_FOUND, "no such signing key, or no right to see it");
}

static void ask_detail(struct ask_change *c)
{
    struct json_writer *w = &c->change.detail;
    const struct approval *a = &c->made;
    if (a->break_glass)
        approval_shout(w, a, "request");
    json_add_text(w, "reason", a->reason);
    if (a->signatures)
        json_add_integer(w, "count", a->signatures);
    json_add_integer(w, "hours", a->hours);
    json_add_integer(w, "needed", a->needed);
    if (a->signatures)
        return;
    json_begin_array(w, "digests");
    for (int64_t i = 0; i < a->digests; i++) {
        json_begin_object(w, NULL);
        json_add_text(w, "hash", c->digests[i].hash);
        json_add_text(w, "digest", c->digests[i].digest);
        json_end_object(w);
    }
    json_end_array(w);
}

static status ask_rows(struct db *db, struct change *change, struct error *err)
{
    struct ask_change *c = (struct ask_change *)change;
    cleanup_signing_key struct signing_key key = {0};
    unsigned roles = 0;
    int64_t now_ms = clock_now_ms();

    *c->found_id = '\0';
    c->made = c->asked;
    TRY(ask_key(db, c, &key, &roles, err));
    if (c->once)
        TRY(once_judge(db, c, key.id, now_ms, err));
    const struct approval_asker asker = {c->who, roles, c->break_glass_hours};
    TRY(approval_ask(db, &key, &asker, &c->made, now_ms, err));
    TRY(approval_insert(db, &c->made, err));
    for (int64_t i = 0; i < c->made.digests; i++)
        TRY(approval_digest_insert(db, c->made.id, &c->digests[i], err));
    TRY(approval_find(db, c->made.id, now_ms, &c->made, err));
    approval_target(change, &c->made);
    ask_detail(c);
    return OK;
}

static status approval_create(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_ask_change struct ask_change *c = calloc(1, sizeof(*c));
    if (!c)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    TRY(ask_read(c, req, err));
    TRY(id_new("apr", c->asked.id, err));
    c->who = caller_principal(req);
    c->break_glass_hours = ((struct api *)arg)->break_glass_hours;
    change_begin(&c->change, req, c->asked.break_glass ? "approval.break_glass" : "approval.request");
    c->change.keeps_rights = true;
    status made = change_commit(&c->change, arg, req, ask_rows, err);
    if (made.code == CODE_CONFLICT && *c->found_id)
        return approval_answer(arg, res, 200, c->found_id, err);
    TRY(made);
    if (c->made.break_glass)
        approval_shout_log(&c->made, "request", c->who->name);
    return approval_answer(arg, res, 201, c->made.id, err);
}

/* ---- reading */

static status approval_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    struct approval a;
    unsigned roles = 0;

    TRY(query_none(req, err));
    {
        cleanup_reader struct reader reader = {0};
        TRY(reader_acquire(&reader, api->store, err));
        TRY(approval_find_visible(reader.db, req, request_param(req, "id"), clock_now_ms(), &a, &roles, err));
    }
    return approval_answer(api, res, 200, a.id, err);
}

struct approval_query {
    struct list list;
    struct approval_filter filter;
    struct project project;
    struct signing_key key;
};

static void approval_query_clear(struct approval_query *q)
{
    signing_key_clear(&q->key);
}

static status query_switch(struct request *req, const char *name, int *out, struct error *err)
{
    const char *text = request_query(req, name);
    if (!text)
        return OK;
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return error_set(err, CODE_INVALID, "%s: true or false is expected", name);
    *out = strcmp(text, "true") == 0;
    return OK;
}

static status filter_read(struct approval_query *q, struct request *req, struct error *err)
{
    const struct principal *who = caller_principal(req);
    const char *state = request_query(req, "state");
    int mine = 0, to_decide = 0;
    q->filter = (struct approval_filter){.state = APPROVAL_STATES, .break_glass = -1, .now_ms = clock_now_ms()};
    TRY(query_switch(req, "mine", &mine, err));
    TRY(query_switch(req, "to_decide", &to_decide, err));
    TRY(query_switch(req, "break_glass", &q->filter.break_glass, err));
    if (state && !approval_state_parse(state, &q->filter.state))
        return error_set(err, CODE_INVALID,
                         "state: pending, approved, denied, cancelled, revoked, expired or used is expected");
    if (!caller_reads_all(req))
        q->filter.viewer_id = who->id;
    if (mine)
        q->filter.requester_id = who->id;
    if (to_decide)
        q->filter.decider_id = who->id;
    q->filter.decider_is_administrator = who->role == ROLE_ADMINISTRATOR;
    return OK;
}

static status filter_resolve(struct approval_query *q, struct db *db, struct request *req, struct error *err)
{
    const char *project = request_query(req, "project"), *key = request_query(req, "key");
    unsigned roles = 0;
    if (project) {
        TRY(caller_project_find(db, caller_principal(req), project, &q->project, &roles, err));
        q->filter.project_id = q->project.id;
    }
    if (!key)
        return OK;
    TRY(key_find(db, key, &q->key, err));
    struct project of_key;
    if (!is_ok(caller_project_find(db, caller_principal(req), q->key.project_id, &of_key, &roles, NULL)))
        return error_set(err, CODE_NOT_FOUND, "no such signing key, or no right to see it");
    q->filter.key_id = q->key.id;
    return OK;
}

static status approval_row(void *arg, const struct approval *a)
{
    struct list *list = arg;
    char cursor[APPROVAL_CURSOR_SIZE];
    approval_cursor(a, cursor);
    if (list_take(list, cursor))
        approval_render(list->w, a);
    return OK;
}

static status approval_list_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    static const char *const parameters[] = {"state",       "key",   "project", "mine", "to_decide",
                                             "break_glass", "limit", "after",   NULL};
    cleanup_reader struct reader reader = {0};
    CLEANUP(approval_query_clear) struct approval_query q = {0};

    TRY(request_query_only(req, parameters, err));
    TRY(list_parse(&q.list, req, err));
    TRY(filter_read(&q, req, err));
    TRY(reader_acquire(&reader, api->store, err));
    TRY(filter_resolve(&q, reader.db, req, err));
    list_begin(&q.list, res);
    TRY(approval_list(reader.db, &q.filter, q.list.page, approval_row, &q.list, err));
    return list_end(&q.list);
}

const struct route approval_routes[] = {
    {"POST", ROUTE_APPROVALS, PERMISSION_ANY, approval_create, 0},
    {"GET", ROUTE_APPROVALS, PERMISSION_ANY, approval_list_get, 0},
    {"GET", ROUTE_APPROVALS "/{id}", PERMISSION_ANY, approval_get, 0},
    {0},
};

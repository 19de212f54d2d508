/* SPDX-License-Identifier: Apache-2.0 */
/* See approval_view.h. */
#include "server/api/approval_view.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"

status approval_find_visible(struct db *db, const struct request *req, const char *id, int64_t now_ms,
                             struct approval *out, unsigned *roles, struct error *err)
{
    const struct principal *who = caller_principal(req);
    status found = approval_find(db, id, now_ms, out, err);
    *roles = 0;
    if (is_ok(found))
        TRY(member_roles(db, out->project_id, who->id, roles, err));
    bool sees =
        caller_reads_all(req) || strcmp(out->requester_id, who->id) == 0 || (*roles & (MEMBER_OWNER | MEMBER_APPROVER));
    if (found.code == CODE_NOT_FOUND || (is_ok(found) && !sees))
        return error_set(err, CODE_NOT_FOUND, "no such request for approval, or no right to see it");
    return found;
}

static void members_render(struct json_writer *w, const struct approval *a)
{
    bool is_granted = a->not_after_ms != 0;
    char key[2 * NAME_SIZE];
    (void)snprintf(key, sizeof(key), "%s-%s", a->project_name, a->key_label);
    json_add_text(w, "id", a->id);
    json_add_text(w, "key", key);
    json_add_text(w, "key_id", a->key_id);
    json_add_text(w, "project", a->project_name);
    json_add_text(w, "requester", a->requester_name);
    json_add_text(w, "reason", a->reason);
    json_add_text(w, "state", approval_state_name(a->state));
    json_add_bool(w, "break_glass", a->break_glass);
    json_add_integer(w, "count", a->signatures ? a->signatures : a->digests);
    json_add_bool(w, "by_digest", a->signatures == 0);
    json_add_integer(w, "hours", a->hours);
    json_add_integer(w, "needed", a->needed);
    json_add_integer(w, "approvals", a->approvals);
    json_add_time(w, "created", a->created_ms);
    json_add_time(w, "expires", a->expires_ms);
    if (is_granted)
        json_add_integer(w, "remaining", a->remaining);
    else
        json_add_null(w, "remaining");
    json_add_time(w, "valid_from", a->not_before_ms);
    json_add_time(w, "valid_until", a->not_after_ms);
    json_add_integer(w, "revision", a->revision);
}

void approval_render(struct json_writer *w, const struct approval *a)
{
    json_begin_object(w, NULL);
    members_render(w, a);
    json_end_object(w);
}

static status digest_row(void *arg, const struct approval_digest *d)
{
    struct json_writer *w = arg;
    json_begin_object(w, NULL);
    json_add_text(w, "hash", d->hash);
    json_add_text(w, "digest", d->digest);
    json_add_integer(w, "remaining", d->remaining);
    json_end_object(w);
    return OK;
}

static status decision_row(void *arg, const struct approval_decision *d)
{
    struct json_writer *w = arg;
    json_begin_object(w, NULL);
    json_add_text(w, "approver", d->approver_name);
    json_add_text(w, "decision", d->is_yes ? "approve" : "deny");
    json_add_text(w, "comment", d->comment);
    json_add_time(w, "time", d->created_ms);
    json_end_object(w);
    return OK;
}

status approval_answer(struct api *api, struct response *res, int http_status, const char *id, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    struct approval a;
    TRY(reader_acquire(&reader, api->store, err));
    TRY(approval_find(reader.db, id, clock_now_ms(), &a, err));
    response_revision(res, a.revision);
    struct json_writer *w = response_json(res, http_status);
    json_begin_object(w, NULL);
    members_render(w, &a);
    json_begin_array(w, "digests");
    TRY(approval_digest_list(reader.db, id, digest_row, w, err));
    json_end_array(w);
    json_begin_array(w, "decisions");
    TRY(approval_decision_list(reader.db, id, decision_row, w, err));
    json_end_array(w);
    json_end_object(w);
    return OK;
}

void approval_target(struct change *c, const struct approval *a)
{
    (void)snprintf(c->key_name, sizeof(c->key_name), "%s-%s", a->project_name, a->key_label);
    c->record.project = a->project_name;
    c->record.key = c->key_name;
    c->record.key_id = a->key_id;
    change_target(c, "approval", a->id, a->requester_name);
}

void approval_shout(struct json_writer *w, const struct approval *a, const char *step)
{
    json_add_text(w, "step", step);
    json_add_text(w, "warning",
                  a->state == APPROVAL_APPROVED ? "BREAK GLASS: THE KEY IS OPEN WITHOUT ITS APPROVERS"
                                                : "BREAK GLASS: THE KEY IS TO BE OPENED WITHOUT ITS APPROVERS");
}

void approval_shout_log(const struct approval *a, const char *step, const char *who)
{
    log_event(LOG_LEVEL_WARNING, "BREAK GLASS", "step", step, "by", who, "approval", a->id, "project", a->project_name,
              "key", a->key_label, "requester", a->requester_name, "state", approval_state_name(a->state), "reason",
              a->reason, NULL);
}

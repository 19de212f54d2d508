/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a request for approval: approve, deny, cancel, revoke. Each step is judged and written in one
 * transaction with its record, so that two at once are made one after the other. */
#include <string.h>

#include "common/text.h"
#include "server/api/approval_view.h"
#include "server/api/parse.h"
#include "server/api/routes.h"

struct step_change {
    struct change change;
    const struct request *req;
    const struct step *step;
    const char *id, *comment;
    struct approval approval; /* as it stands after the step */
    unsigned roles;           /* of the caller in the key's Project */
    int64_t now_ms;
};

struct step {
    const char *name, *type;
    status (*rows)(struct db *db, struct step_change *c, struct error *err);
};

static void step_change_clear(struct step_change *c)
{
    change_clear(&c->change);
}
#define cleanup_step_change CLEANUP(step_change_clear)

static status decide(struct db *db, struct step_change *c, bool is_yes, struct error *err)
{
    struct approval_decision d = {.is_yes = is_yes, .created_ms = c->now_ms};
    (void)text_copy(d.approver_id, sizeof(d.approver_id), caller_principal(c->req)->id);
    (void)text_copy(d.comment, sizeof(d.comment), c->comment);
    return approval_decide(db, &c->approval, &d, c->now_ms, err);
}

static status approve_rows(struct db *db, struct step_change *c, struct error *err)
{
    return decide(db, c, true, err);
}

static status deny_rows(struct db *db, struct step_change *c, struct error *err)
{
    return decide(db, c, false, err);
}

static bool is_requester(const struct step_change *c)
{
    return strcmp(c->approval.requester_id, caller_principal(c->req)->id) == 0;
}

static status state_set(struct db *db, struct step_change *c, enum approval_state expected, enum approval_state next,
                        struct error *err)
{
    if (c->approval.state != expected)
        return error_set(err, CODE_CONFLICT, "the request is %s, not %s", approval_state_name(c->approval.state),
                         approval_state_name(expected));
    TRY(approval_set_state(db, c->approval.id, next, err));
    return approval_find(db, c->approval.id, c->now_ms, &c->approval, err);
}

static status cancel_rows(struct db *db, struct step_change *c, struct error *err)
{
    if (!is_requester(c))
        return error_set(err, CODE_FORBIDDEN, "only the requester cancels his request; approvers deny it");
    return state_set(db, c, APPROVAL_PENDING, APPROVAL_CANCELLED, err);
}

/* Whoever may take part may end it, the requester too: less can be used afterwards, never more. */
static status revoke_rows(struct db *db, struct step_change *c, struct error *err)
{
    bool may = is_requester(c) || caller_principal(c->req)->role == ROLE_ADMINISTRATOR ||
               (c->roles & (MEMBER_OWNER | MEMBER_APPROVER));
    if (!may)
        return error_set(err, CODE_FORBIDDEN, "only the requester, approvers, owners and administrators revoke");
    TRY(state_set(db, c, APPROVAL_APPROVED, APPROVAL_REVOKED, err));
    return grant_revoke(db, c->approval.id, err);
}

static void step_detail(struct step_change *c)
{
    struct json_writer *w = &c->change.detail;
    const struct approval *a = &c->approval;
    if (a->break_glass)
        approval_shout(w, a, c->step->name);
    json_add_text(w, "requester", a->requester_name);
    json_add_text(w, "comment", c->comment);
    json_add_text(w, "state", approval_state_name(a->state));
    json_add_integer(w, "approvals", a->approvals);
    json_add_integer(w, "needed", a->needed);
    if (a->state == APPROVAL_APPROVED) {
        json_add_integer(w, "remaining", a->remaining);
        json_add_time(w, "valid_until", a->not_after_ms);
    }
}

static status step_rows(struct db *db, struct change *change, struct error *err)
{
    struct step_change *c = (struct step_change *)change;
    c->now_ms = clock_now_ms();
    TRY(approval_find_visible(db, c->req, c->id, c->now_ms, &c->approval, &c->roles, err));
    TRY(change_check_revision(change, c->approval.revision, err));
    TRY(c->step->rows(db, c, err));
    if (c->approval.break_glass)
        change->record.type = "approval.break_glass";
    approval_target(change, &c->approval);
    step_detail(c);
    return OK;
}

static status step_take(struct api *api, struct request *req, struct response *res, const struct step *step,
                        struct error *err)
{
    cleanup_step_change struct step_change c = {
        .req = req, .step = step, .id = request_param(req, "id"), .comment = ""};
    const struct json_field fields[] = {{"comment", JSON_STRING, 0, &c.comment}};

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(check_text("comment", c.comment, err));
    change_begin(&c.change, req, step->type);
    c.change.keeps_rights = true;
    TRY(change_commit(&c.change, api, req, step_rows, err));
    if (c.approval.break_glass)
        approval_shout_log(&c.approval, step->name, caller_principal(req)->name);
    return approval_answer(api, res, 200, c.approval.id, err);
}

static status approval_approve(void *arg, struct request *req, struct response *res, struct error *err)
{
    static const struct step step = {"approve", "approval.approve", approve_rows};
    return step_take(arg, req, res, &step, err);
}

static status approval_deny(void *arg, struct request *req, struct response *res, struct error *err)
{
    static const struct step step = {"deny", "approval.deny", deny_rows};
    return step_take(arg, req, res, &step, err);
}

static status approval_cancel(void *arg, struct request *req, struct response *res, struct error *err)
{
    static const struct step step = {"cancel", "approval.cancel", cancel_rows};
    return step_take(arg, req, res, &step, err);
}

static status approval_revoke(void *arg, struct request *req, struct response *res, struct error *err)
{
    static const struct step step = {"revoke", "approval.revoke", revoke_rows};
    return step_take(arg, req, res, &step, err);
}

const struct route approval_step_routes[] = {
    {"POST", ROUTE_APPROVALS "/{id}/approve", PERMISSION_ANY, approval_approve, 0},
    {"POST", ROUTE_APPROVALS "/{id}/deny", PERMISSION_ANY, approval_deny, 0},
    {"POST", ROUTE_APPROVALS "/{id}/cancel", PERMISSION_ANY, approval_cancel, 0},
    {"POST", ROUTE_APPROVALS "/{id}/revoke", PERMISSION_ANY, approval_revoke, 0},
    {0},
};

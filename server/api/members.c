/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a project: users, service accounts and teams as owners, signers and approvers, for a time or for good.
 * Managed by its owners and administrators. */
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/change.h"
#include "server/api/list.h"
#include "server/api/parse.h"
#include "server/api/render.h"
#include "server/api/routes.h"

struct member_change {
    struct change change;
    struct member member;
    const char *principal; /* id or name as asked for */
};

static void member_change_clear(struct member_change *c)
{
    change_clear(&c->change);
}
#define cleanup_member_change CLEANUP(member_change_clear)

static bool role_parse(const char *name, enum member_role *out)
{
    static const enum member_role roles[] = {MEMBER_OWNER, MEMBER_SIGNER, MEMBER_APPROVER};

    for (size_t i = 0; i < COUNT_OF(roles); i++) {
        if (strcmp(member_role_name(roles[i]), name) == 0) {
            *out = roles[i];
            return true;
        }
    }
    return false;
}

static void member_render(struct json_writer *w, const struct member *m)
{
    json_begin_object(w, NULL);
    json_add_text(w, "principal", m->principal_id);
    json_add_text(w, "name", m->principal_name);
    json_add_text(w, "type", principal_type_name(m->principal_type));
    json_add_text(w, "role", member_role_name(m->role));
    json_add_time(w, "since", m->since_ms);
    json_add_time(w, "not_before", m->not_before_ms);
    json_add_time(w, "not_after", m->not_after_ms);
    json_end_object(w);
}

static void member_is(struct member_change *c, enum principal_type type, const char *id, const char *name)
{
    (void)text_copy(c->member.principal_id, sizeof(c->member.principal_id), id);
    (void)text_copy(c->member.principal_name, sizeof(c->member.principal_name), name);
    c->member.principal_type = type;
    change_target(&c->change, principal_type_name(type), c->member.principal_id, c->member.principal_name);
}

/* The principal or team by id or name, inside the transaction. No two of them share a name. */
static status member_resolve(struct db *db, struct member_change *c, struct error *err)
{
    struct principal p;
    struct team team;

    status s = principal_find(db, c->principal, &p, err);
    if (is_ok(s))
        member_is(c, p.type, p.id, p.name);
    if (s.code != CODE_NOT_FOUND)
        return s;

    s = team_find(db, c->principal, &team, err);
    if (s.code == CODE_NOT_FOUND)
        return error_set(err, CODE_NOT_FOUND, "principal: no such user, service account or team");
    if (is_ok(s))
        member_is(c, PRINCIPAL_TEAM, team.id, team.name);
    return s;
}

static void member_change_begin(struct member_change *c, const struct request *req, const char *type)
{
    const struct project *project = &caller_of(req)->project;

    change_begin(&c->change, req, type);
    c->change.record.project = project->name;
    (void)text_copy(c->member.project_id, sizeof(c->member.project_id), project->id);
    json_add_text(&c->change.detail, "role", member_role_name(c->member.role));
}

static status member_insert_rows(struct db *db, struct change *change, struct error *err)
{
    struct member_change *c = (struct member_change *)change;

    TRY(member_resolve(db, c, err));
    return member_insert(db, &c->member, err);
}

static void member_add_render(struct json_writer *w, const struct change *change)
{
    const struct member_change *c = (const struct member_change *)change;

    member_render(w, &c->member);
}

static const struct change_creation member_creation = {member_insert_rows, member_add_render, false};

static status window_check(const struct member *m, struct error *err)
{
    if (m->not_after_ms != 0 && m->not_after_ms <= m->since_ms)
        return error_set(err, CODE_INVALID, "not_after: the time has passed already");
    if (m->not_after_ms != 0 && m->not_after_ms <= m->not_before_ms)
        return error_set(err, CODE_INVALID, "not_after: a time after not_before is expected");
    return OK;
}

static status member_parse(struct member_change *c, struct request *req, struct error *err)
{
    const char *role = NULL, *not_before = NULL, *not_after = NULL;
    const struct json_field fields[] = {
        {"principal", JSON_STRING, JSON_REQUIRED, &c->principal},
        {"role", JSON_STRING, JSON_REQUIRED, &role},
        {"not_before", JSON_STRING, 0, &not_before},
        {"not_after", JSON_STRING, 0, &not_after},
    };

    TRY(body_read(req, fields, COUNT_OF(fields), err));
    if (!text_is_name(c->principal))
        return error_set(err, CODE_INVALID, "principal: an id or a name is expected");
    if (!role_parse(role, &c->member.role))
        return error_set(err, CODE_INVALID, "role: owner, signer or approver is expected");
    TRY(check_time("not_before", not_before, &c->member.not_before_ms, err));
    TRY(check_time("not_after", not_after, &c->member.not_after_ms, err));
    return window_check(&c->member, err);
}

static status member_add(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_member_change struct member_change c = {.member.since_ms = clock_now_ms()};

    TRY(query_none(req, err));
    TRY(member_parse(&c, req, err));

    member_change_begin(&c, req, "member.add");
    json_add_time(&c.change.detail, "not_before", c.member.not_before_ms);
    json_add_time(&c.change.detail, "not_after", c.member.not_after_ms);
    return change_create(&c.change, arg, req, res, &member_creation, err);
}

static status member_delete_rows(struct db *db, struct change *change, struct error *err)
{
    struct member_change *c = (struct member_change *)change;

    status s = member_resolve(db, c, err);
    if (is_ok(s))
        s = member_delete(db, c->member.project_id, c->member.principal_id, c->member.role, err);
    if (s.code == CODE_NOT_FOUND)
        return error_set(err, CODE_NOT_FOUND, "no such member of this project");
    return s;
}

static status member_remove(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_member_change struct member_change c = {.principal = request_param(req, "principal")};

    TRY(query_none(req, err));
    if (!role_parse(request_param(req, "role"), &c.member.role))
        return error_set(err, CODE_NOT_FOUND, "no such member of this project");

    member_change_begin(&c, req, "member.remove");
    TRY(change_commit(&c.change, arg, req, member_delete_rows, err));

    response_status(res, 204);
    return OK;
}

static status member_row(void *arg, const struct member *m)
{
    struct list *list = arg;
    char cursor[LIST_CURSOR_SIZE];

    (void)snprintf(cursor, sizeof(cursor), "%s %d", m->principal_name, (int)m->role);
    if (list_take_after(list, cursor))
        member_render(list->w, m);
    return OK;
}

static status member_list_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    struct list list;
    static const char *const roles[] = {"owner", "signer", "approver", NULL};
    static const struct list_filter filters[] = {{"role", offsetof(struct page, role), roles}, {0}};

    TRY(list_open_filtered(&list, &reader, arg, req, filters, err));
    list_begin(&list, res);
    TRY(member_list(reader.db, caller_of(req)->project.id, list.page, member_row, &list, err));
    return list_end(&list);
}

const struct route member_routes[] = {
    {"GET", "/v1/projects/{project}/members", PERMISSION_PROJECT_READ, member_list_get, 0},
    {"POST", "/v1/projects/{project}/members", PERMISSION_PROJECT_MANAGE, member_add, 0},
    {"DELETE", "/v1/projects/{project}/members/{role}/{principal}", PERMISSION_PROJECT_MANAGE, member_remove, 0},
    {0},
};

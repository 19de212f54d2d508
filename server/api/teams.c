/* SPDX-License-Identifier: Apache-2.0 */
/* Teams: named groups of users and service accounts. What a team may do is a project's matter (members.c); who is in it
 * is the administrators', because it gives the rights of all the team's projects at once. */
#include <string.h>

#include "common/secret.h"
#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/change.h"
#include "server/api/list.h"
#include "server/api/parse.h"
#include "server/api/principals.h"
#include "server/api/render.h"
#include "server/api/routes.h"

struct team_change {
    struct change change;
    struct team team;
    const char *asked;       /* id or name of the path */
    const char *description; /* team.update */
    const char *principal;   /* team.add_member, team.remove_member: as asked for */
    struct principal who;    /* that principal */
    int64_t since_ms;
};

static void team_change_clear(struct team_change *c)
{
    change_clear(&c->change);
}
#define cleanup_team_change CLEANUP(team_change_clear)

static void team_render(struct json_writer *w, const struct team *t)
{
    json_begin_object(w, NULL);
    json_add_text(w, "id", t->id);
    json_add_text(w, "name", t->name);
    json_add_text(w, "description", t->description);
    json_add_time(w, "created", t->created_ms);
    json_add_integer(w, "revision", t->revision);
    json_end_object(w);
}

static void team_answer(struct response *res, const struct team *t)
{
    response_revision(res, t->revision);
    team_render(response_json(res, 200), t);
}

static status team_find_named(struct db *db, const char *id_or_name, struct team *out, struct error *err)
{
    status s = team_find(db, id_or_name, out, err);
    return s.code == CODE_NOT_FOUND ? error_set(err, CODE_NOT_FOUND, "no such team") : s;
}

/* ---- the team */

static status team_insert_rows(struct db *db, struct change *change, struct error *err)
{
    return team_insert(db, &((struct team_change *)change)->team, err);
}

static void team_create_render(struct json_writer *w, const struct change *change)
{
    team_render(w, &((const struct team_change *)change)->team);
}

static const struct change_creation team_creation = {team_insert_rows, team_create_render, false};

static status team_create(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_team_change struct team_change c = {.team = {.created_ms = clock_now_ms(), .revision = 1}};
    const char *name = NULL, *description = NULL;

    TRY(query_none(req, err));
    TRY(body_read_named(req, &name, &description, err));
    (void)text_copy(c.team.name, sizeof(c.team.name), name);
    (void)text_copy(c.team.description, sizeof(c.team.description), description);
    TRY(id_new("team", c.team.id, err));

    change_begin(&c.change, req, "team.create");
    change_target(&c.change, "team", c.team.id, c.team.name);
    json_add_text(&c.change.detail, "description", c.team.description);
    TRY(change_create(&c.change, arg, req, res, &team_creation, err));

    response_revision(res, c.team.revision);
    return OK;
}

static status team_row(void *arg, const struct team *t)
{
    struct list *list = arg;

    if (list_take(list, t->name))
        team_render(list->w, t);
    return OK;
}

static status team_list_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    struct list list;

    TRY(list_open(&list, &reader, arg, req, err));
    list_begin(&list, res);
    TRY(team_list(reader.db, list.page, team_row, &list, err));
    return list_end(&list);
}

static status team_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_reader struct reader reader = {0};
    struct team team;

    TRY(query_none(req, err));
    TRY(reader_acquire(&reader, api->store, err));
    TRY(team_find_named(reader.db, request_param(req, "team"), &team, err));
    team_answer(res, &team);
    return OK;
}

/* The team of the path as it is before the change, judged by If-Match. */
static status team_load(struct db *db, struct team_change *c, struct error *err)
{
    TRY(team_find_named(db, c->asked, &c->team, err));
    change_target(&c->change, "team", c->team.id, c->team.name);
    return change_check_revision(&c->change, c->team.revision, err);
}

static status team_update_rows(struct db *db, struct change *change, struct error *err)
{
    struct team_change *c = (struct team_change *)change;

    TRY(team_load(db, c, err));
    (void)text_copy(c->team.description, sizeof(c->team.description), c->description);
    c->team.revision++;
    return team_update(db, &c->team, err);
}

static status team_patch(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_team_change struct team_change c = {.asked = request_param(req, "team")};

    TRY(query_none(req, err));
    TRY(body_read_description(req, &c.description, err));

    change_begin(&c.change, req, "team.update");
    json_add_text(&c.change.detail, "description", c.description);
    TRY(change_commit(&c.change, arg, req, team_update_rows, err));

    team_answer(res, &c.team);
    return OK;
}

static status team_delete_rows(struct db *db, struct change *change, struct error *err)
{
    struct team_change *c = (struct team_change *)change;

    TRY(team_load(db, c, err));
    return team_delete(db, c->team.id, err);
}

static status team_remove(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_team_change struct team_change c = {.asked = request_param(req, "team")};

    TRY(query_none(req, err));
    change_begin(&c.change, req, "team.delete");
    TRY(change_commit(&c.change, arg, req, team_delete_rows, err));
    response_status(res, 204);
    return OK;
}

/* ---- who is in it */

static void team_member_render(struct json_writer *w, const struct principal *p, int64_t since_ms)
{
    json_begin_object(w, NULL);
    json_add_text(w, "principal", p->id);
    json_add_text(w, "name", p->name);
    json_add_text(w, "type", principal_type_name(p->type));
    json_add_text(w, "state", principal_state_name(p));
    json_add_time(w, "since", since_ms);
    json_end_object(w);
}

/* Both, inside the transaction. */
static status team_member_load(struct db *db, struct team_change *c, struct error *err)
{
    TRY(team_load(db, c, err));
    status s = principal_find(db, c->principal, &c->who, err);
    if (s.code == CODE_NOT_FOUND)
        return error_set(err, CODE_NOT_FOUND, "principal: no such user or service account");
    TRY(s);
    json_add_text(&c->change.detail, "principal", c->who.name);
    json_add_text(&c->change.detail, "principal_id", c->who.id);
    return OK;
}

static status team_member_insert_rows(struct db *db, struct change *change, struct error *err)
{
    struct team_change *c = (struct team_change *)change;

    TRY(team_member_load(db, c, err));
    c->team.revision++;
    return team_member_insert(db, c->team.id, c->who.id, c->since_ms, err);
}

static void team_member_add_render(struct json_writer *w, const struct change *change)
{
    const struct team_change *c = (const struct team_change *)change;

    team_member_render(w, &c->who, c->since_ms);
}

static const struct change_creation team_member_creation = {team_member_insert_rows, team_member_add_render, false};

static status team_member_add(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_team_change struct team_change c = {.asked = request_param(req, "team"), .since_ms = clock_now_ms()};
    const struct json_field fields[] = {{"principal", JSON_STRING, JSON_REQUIRED, &c.principal}};

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    if (!text_is_name(c.principal))
        return error_set(err, CODE_INVALID, "principal: an id or a name is expected");

    change_begin(&c.change, req, "team.add_member");
    TRY(change_create(&c.change, arg, req, res, &team_member_creation, err));
    if (!c.change.replayed)
        response_revision(res, c.team.revision);
    return OK;
}

static status team_member_delete_rows(struct db *db, struct change *change, struct error *err)
{
    struct team_change *c = (struct team_change *)change;

    TRY(team_member_load(db, c, err));
    c->team.revision++;
    status s = team_member_delete(db, c->team.id, c->who.id, err);
    return s.code == CODE_NOT_FOUND ? error_set(err, CODE_NOT_FOUND, "no such member of this team") : s;
}

static status team_member_remove(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_team_change struct team_change c = {.asked = request_param(req, "team"),
                                                .principal = request_param(req, "principal")};

    TRY(query_none(req, err));
    change_begin(&c.change, req, "team.remove_member");
    TRY(change_commit(&c.change, arg, req, team_member_delete_rows, err));
    response_revision(res, c.team.revision);
    response_status(res, 204);
    return OK;
}

static status team_member_row(void *arg, const struct principal *p, int64_t since_ms)
{
    struct list *list = arg;

    if (list_take(list, p->name))
        team_member_render(list->w, p, since_ms);
    return OK;
}

static status team_member_list_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    struct team team;
    struct list list;

    TRY(list_open(&list, &reader, arg, req, err));
    TRY(team_find_named(reader.db, request_param(req, "team"), &team, err));
    list_begin(&list, res);
    TRY(team_member_list(reader.db, team.id, list.page, team_member_row, &list, err));
    return list_end(&list);
}

const struct route team_routes[] = {
    {"POST", "/v1/teams", PERMISSION_ADMINISTER, team_create, 0},
    {"GET", "/v1/teams", PERMISSION_READ_ALL, team_list_get, 0},
    {"GET", "/v1/teams/{team}", PERMISSION_SELF_OR_READ_ALL, team_get, 0},
    {"PATCH", "/v1/teams/{team}", PERMISSION_ADMINISTER, team_patch, 0},
    {"DELETE", "/v1/teams/{team}", PERMISSION_ADMINISTER, team_remove, 0},
    {"GET", "/v1/teams/{team}/members", PERMISSION_SELF_OR_READ_ALL, team_member_list_get, 0},
    {"POST", "/v1/teams/{team}/members", PERMISSION_ADMINISTER, team_member_add, 0},
    {"DELETE", "/v1/teams/{team}/members/{principal}", PERMISSION_ADMINISTER, team_member_remove, 0},
    {0},
};

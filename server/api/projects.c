/* SPDX-License-Identifier: Apache-2.0 */
/* Projects: created by administrators, seen by administrators, auditors and members. */
#include <string.h>

#include "common/secret.h"
#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/change.h"
#include "server/api/list.h"
#include "server/api/parse.h"
#include "server/api/routes.h"

struct project_change {
    struct change change;
    struct project project;
    const char *description;
};

static void project_change_clear(struct project_change *c)
{
    change_clear(&c->change);
}
#define cleanup_project_change CLEANUP(project_change_clear)

static void project_render(struct json_writer *w, const struct project *p)
{
    json_begin_object(w, NULL);
    json_add_text(w, "id", p->id);
    json_add_text(w, "name", p->name);
    json_add_text(w, "description", p->description);
    json_add_time(w, "created", p->created_ms);
    json_add_integer(w, "revision", p->revision);
    json_end_object(w);
}

static void project_answer(struct response *res, const struct project *p)
{
    response_revision(res, p->revision);
    project_render(response_json(res, 200), p);
}

static status project_insert_rows(struct db *db, struct change *change, struct error *err)
{
    struct project_change *c = (struct project_change *)change;

    return project_insert(db, &c->project, err);
}

static void project_create_render(struct json_writer *w, const struct change *change)
{
    const struct project_change *c = (const struct project_change *)change;

    project_render(w, &c->project);
}

static const struct change_creation project_creation = {project_insert_rows, project_create_render, false};

static status project_create(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_project_change struct project_change c = {.project = {.created_ms = clock_now_ms(), .revision = 1}};
    const char *name = NULL, *description = NULL;

    TRY(query_none(req, err));
    TRY(body_read_named(req, &name, &description, err));
    (void)text_copy(c.project.name, sizeof(c.project.name), name);
    (void)text_copy(c.project.description, sizeof(c.project.description), description);
    TRY(id_new("prj", c.project.id, err));

    change_begin(&c.change, req, "project.create");
    c.change.record.project = c.project.name;
    change_target(&c.change, "project", c.project.id, c.project.name);
    json_add_text(&c.change.detail, "description", c.project.description);
    TRY(change_create(&c.change, arg, req, res, &project_creation, err));
    response_revision(res, c.project.revision);
    return OK;
}

static status project_row(void *arg, const struct project *p)
{
    struct list *list = arg;

    if (list_take(list, p->name))
        project_render(list->w, p);
    return OK;
}

static status project_list_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    const char *member = caller_reads_all(req) ? NULL : caller_principal(req)->id;
    struct list list;

    static const struct list_filter filters[] = {{"name", offsetof(struct page, name), NULL}, {0}};

    TRY(list_open_filtered(&list, &reader, arg, req, filters, err));
    list_begin(&list, res);
    TRY(project_list(reader.db, member, list.page, project_row, &list, err));
    return list_end(&list);
}

static status project_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    (void)arg;
    TRY(query_none(req, err));
    project_answer(res, &caller_of(req)->project);
    return OK;
}

static status project_update_rows(struct db *db, struct change *change, struct error *err)
{
    struct project_change *c = (struct project_change *)change;

    TRY(project_find(db, c->project.id, &c->project, err));
    TRY(change_check_revision(change, c->project.revision, err));
    (void)text_copy(c->project.description, sizeof(c->project.description), c->description);
    c->project.revision++;
    return project_update(db, &c->project, err);
}

static status project_patch(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_project_change struct project_change c = {.project = caller_of(req)->project};

    TRY(query_none(req, err));
    TRY(body_read_description(req, &c.description, err));

    change_begin(&c.change, req, "project.update");
    c.change.record.project = c.project.name;
    change_target(&c.change, "project", c.project.id, c.project.name);
    json_add_text(&c.change.detail, "description", c.description);
    TRY(change_commit(&c.change, arg, req, project_update_rows, err));

    project_answer(res, &c.project);
    return OK;
}

const struct route project_routes[] = {
    {"POST", "/v1/projects", PERMISSION_ADMINISTER, project_create, 0},
    {"GET", "/v1/projects", PERMISSION_ANY, project_list_get, 0},
    {"GET", "/v1/projects/{project}", PERMISSION_PROJECT_READ, project_get, 0},
    {"PATCH", "/v1/projects/{project}", PERMISSION_PROJECT_MANAGE, project_patch, 0},
    {0},
};

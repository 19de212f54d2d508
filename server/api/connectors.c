/* SPDX-License-Identifier: Apache-2.0 */
/* Connectors: ways to get certificates, configured by administrators. Settings name the files of secrets, never secrets
 * themselves (I8). */
#include <string.h>

#include "common/secret.h"
#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/jobs.h"
#include "server/api/list.h"
#include "server/api/parse.h"
#include "server/api/render.h"
#include "server/api/routes.h"

struct connector_change {
    struct change change;
    struct connector_row row;
    const char *asked; /* id or name of the path */
    const struct json *settings;
    struct buf given; /* settings, as they are kept */
    struct job job;   /* of a test */
};

static void connector_change_clear(struct connector_change *c)
{
    change_clear(&c->change);
    connector_row_clear(&c->row);
    buf_clear(&c->given);
    job_clear(&c->job);
}
#define cleanup_connector_change CLEANUP(connector_change_clear)

static void connector_render(struct json_writer *w, const struct connector_row *r)
{
    json_begin_object(w, NULL);
    json_add_text(w, "id", r->id);
    json_add_text(w, "name", r->name);
    json_add_text(w, "type", r->type);
    json_add_raw(w, "settings", buf_text(&r->settings));
    capabilities_render(w, connector_type_find(r->type));
    json_add_time(w, "created", r->created_ms);
    json_add_integer(w, "revision", r->revision);
    json_end_object(w);
}

static void connector_answer_row(struct response *res, const struct connector_row *r)
{
    response_revision(res, r->revision);
    connector_render(response_json(res, 200), r);
}

static status connector_find_named(struct db *db, const char *id_or_name, struct connector_row *out, struct error *err)
{
    status s = connector_find(db, id_or_name, out, err);
    return s.code == CODE_NOT_FOUND ? error_set(err, CODE_NOT_FOUND, "no such connector") : s;
}

/* What is kept is the object as given; the strict reading has judged it. */
static status settings_take(struct connector_change *c, const char *type, struct error *err)
{
    struct connector_settings parsed;

    TRY(connector_settings_parse(type, c->settings, &parsed, err));
    struct json_writer w = json_writer_on(&c->given);
    if (c->settings) {
        json_add_value(&w, NULL, c->settings);
    } else {
        json_begin_object(&w, NULL);
        json_end_object(&w);
    }
    return buf_check(&c->given, err);
}

static status settings_keep(struct connector_change *c, struct error *err)
{
    buf_reset(&c->row.settings);
    buf_add_text(&c->row.settings, buf_text(&c->given));
    return buf_check(&c->row.settings, err);
}

/* ---- create */

static status connector_insert_rows(struct db *db, struct change *change, struct error *err)
{
    return connector_insert(db, &((struct connector_change *)change)->row, err);
}

static void connector_create_render(struct json_writer *w, const struct change *change)
{
    connector_render(w, &((const struct connector_change *)change)->row);
}

static const struct change_creation connector_creation = {connector_insert_rows, connector_create_render, false};

static status connector_name_take(struct connector_change *c, const char *name, struct error *err)
{
    TRY(check_name("name", name, err));
    if (strcmp(name, "none") == 0)
        return error_set(err, CODE_INVALID, "name: none means that there is no connector");
    (void)text_copy(c->row.name, sizeof(c->row.name), name);
    return id_new("con", c->row.id, err);
}

static status connector_create(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_connector_change struct connector_change c = {.row = {.created_ms = clock_now_ms(), .revision = 1}};
    const char *name = NULL, *type = NULL;
    const struct json_field fields[] = {
        {"name", JSON_STRING, JSON_REQUIRED, &name},
        {"type", JSON_STRING, JSON_REQUIRED, &type},
        {"settings", JSON_OBJECT, 0, &c.settings},
    };

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(connector_name_take(&c, name, err));
    TRY(settings_take(&c, type, err));
    TRY(settings_keep(&c, err));
    (void)text_copy(c.row.type, sizeof(c.row.type), type);

    change_begin(&c.change, req, "connector.create");
    change_target(&c.change, "connector", c.row.id, c.row.name);
    c.change.keeps_rights = true;
    json_add_text(&c.change.detail, "type", c.row.type);
    json_add_raw(&c.change.detail, "settings", buf_text(&c.row.settings));
    TRY(change_create(&c.change, arg, req, res, &connector_creation, err));
    response_revision(res, c.row.revision);
    return OK;
}

/* ---- look */

static status connector_row_show(void *arg, const struct connector_row *r)
{
    struct list *list = arg;

    if (list_take(list, r->name))
        connector_render(list->w, r);
    return OK;
}

static status connector_list_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    static const char *const types[] = {"builtin", "cmp", "est", "manual", NULL};
    static const struct list_filter filters[] = {
        {"name", offsetof(struct page, name), NULL}, {"type", offsetof(struct page, type), types}, {0}};
    cleanup_reader struct reader reader = {0};
    struct list list;

    TRY(list_open_filtered(&list, &reader, arg, req, filters, err));
    list_begin(&list, res);
    TRY(connector_list(reader.db, list.page, connector_row_show, &list, err));
    return list_end(&list);
}

static status connector_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_reader struct reader reader = {0};
    cleanup_connector_row struct connector_row row = {0};

    TRY(query_none(req, err));
    TRY(reader_acquire(&reader, api->store, err));
    TRY(connector_find_named(reader.db, request_param(req, "connector"), &row, err));
    connector_answer_row(res, &row);
    return OK;
}

/* ---- change, remove */

static status connector_load(struct db *db, struct connector_change *c, struct error *err)
{
    TRY(connector_find_named(db, c->asked, &c->row, err));
    change_target(&c->change, "connector", c->row.id, c->row.name);
    return change_check_revision(&c->change, c->row.revision, err);
}

static status connector_is_ours(const struct connector_row *row, struct error *err)
{
    if (strcmp(row->id, CONNECTOR_BUILTIN) != 0 && strcmp(row->id, CONNECTOR_MANUAL) != 0)
        return OK;
    return error_set(err, CODE_CONFLICT, "the connector %s is always there as it is", row->name);
}

static status connector_update_rows(struct db *db, struct change *change, struct error *err)
{
    struct connector_change *c = (struct connector_change *)change;

    TRY(connector_load(db, c, err));
    TRY(connector_is_ours(&c->row, err));
    TRY(settings_keep(c, err));
    c->row.revision++;
    json_add_raw(&change->detail, "settings", buf_text(&c->row.settings));
    return connector_update(db, &c->row, err);
}

/* Files are read before the transaction, which must not wait. */
static status settings_judge(struct connector_change *c, struct api *api, struct error *err)
{
    cleanup_reader struct reader reader = {0};

    TRY(reader_acquire(&reader, api->store, err));
    TRY(connector_find_named(reader.db, c->asked, &c->row, err));
    return settings_take(c, c->row.type, err);
}

static status connector_patch(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_connector_change struct connector_change c = {.asked = request_param(req, "connector")};
    const struct json_field fields[] = {{"settings", JSON_OBJECT, JSON_REQUIRED, &c.settings}};

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(settings_judge(&c, arg, err));
    change_begin(&c.change, req, "connector.update");
    c.change.keeps_rights = true;
    TRY(change_commit(&c.change, arg, req, connector_update_rows, err));
    connector_answer_row(res, &c.row);
    return OK;
}

static status connector_delete_rows(struct db *db, struct change *change, struct error *err)
{
    struct connector_change *c = (struct connector_change *)change;

    TRY(connector_load(db, c, err));
    TRY(connector_is_ours(&c->row, err));
    return connector_delete(db, c->row.id, err);
}

static status connector_remove(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_connector_change struct connector_change c = {.asked = request_param(req, "connector")};

    TRY(query_none(req, err));
    change_begin(&c.change, req, "connector.delete");
    c.change.keeps_rights = true;
    TRY(change_commit(&c.change, arg, req, connector_delete_rows, err));
    response_status(res, 204);
    return OK;
}

/* ---- test */

static status connector_test_rows(struct db *db, struct change *change, struct error *err)
{
    struct connector_change *c = (struct connector_change *)change;

    TRY(connector_load(db, c, err));
    const struct connector_ops *ops = connector_type_find(c->row.type);
    if (!ops || !(ops->capabilities & CONNECTOR_TESTS))
        return error_set(err, CODE_CONFLICT, "a connector of type %s has nothing to test", c->row.type);
    (void)text_copy(c->job.connector_id, sizeof(c->job.connector_id), c->row.id);
    (void)text_copy(c->job.connector_name, sizeof(c->job.connector_name), c->row.name);
    return job_insert(db, &c->job, err);
}

static status connector_test(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_connector_change struct connector_change c = {.asked = request_param(req, "connector"),
                                                          .job = {.kind = JOB_TEST}};

    TRY(query_none(req, err));
    TRY(body_empty(req, err));
    TRY(job_begin(&c.job, req, err));
    change_begin(&c.change, req, "connector.test_ask");
    c.change.keeps_rights = true;
    json_add_text(&c.change.detail, "job", c.job.id);
    TRY(change_commit(&c.change, api, req, connector_test_rows, err));
    runner_wake(api->runner);
    job_render(response_json(res, 202), &c.job);
    return OK;
}

const struct route connector_routes[] = {
    {"POST", "/v1/connectors", PERMISSION_ADMINISTER, connector_create, 0},
    {"GET", "/v1/connectors", PERMISSION_READ_ALL, connector_list_get, 0},
    {"GET", "/v1/connectors/{connector}", PERMISSION_READ_ALL, connector_get, 0},
    {"PATCH", "/v1/connectors/{connector}", PERMISSION_ADMINISTER, connector_patch, 0},
    {"DELETE", "/v1/connectors/{connector}", PERMISSION_ADMINISTER, connector_remove, 0},
    {"POST", "/v1/connectors/{connector}/test", PERMISSION_ADMINISTER, connector_test, 0},
    {0},
};

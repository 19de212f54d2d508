/* SPDX-License-Identifier: Apache-2.0 */
/* What the server does for connectors outside of requests: look, try again at once, give up. */
#include "server/api/jobs.h"

#include <stdio.h>
#include <string.h>

#include "common/secret.h"
#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/list.h"
#include "server/api/parse.h"
#include "server/api/routes.h"

struct job_change {
    struct change change;
    struct job job;
    const char *asked;
};

static void job_change_clear(struct job_change *c)
{
    change_clear(&c->change);
    job_clear(&c->job);
}
#define cleanup_job_change CLEANUP(job_change_clear)

status job_begin(struct job *job, const struct request *req, struct error *err)
{
    job->created_ms = job->next_ms = clock_now_ms();
    (void)text_copy(job->requested_by, sizeof(job->requested_by), caller_principal(req)->id);
    return id_new("job", job->id, err);
}

void job_render(struct json_writer *w, const struct job *job)
{
    json_begin_object(w, NULL);
    json_add_text(w, "id", job->id);
    json_add_text(w, "kind", job_kind_name(job->kind));
    json_add_text(w, "state", job_state_name(job->state));
    json_add_text(w, "connector", job->connector_name);
    json_add_text(w, "key", *job->key_id ? job->key_id : NULL);
    json_add_text(w, "key_name", *job->key_name ? job->key_name : NULL);
    if (*job->key_id)
        json_add_integer(w, "version", job->version);
    else
        json_add_null(w, "version");
    json_add_integer(w, "attempts", job->attempts);
    json_add_time(w, "next", job->finished_ms ? 0 : job->next_ms);
    json_add_text(w, "error", *job->last_error ? job->last_error : NULL);
    if (job->result.len > 0)
        json_add_raw(w, "result", buf_text(&job->result));
    else
        json_add_null(w, "result");
    json_add_text(w, "requested_by", *job->requested_by ? job->requested_by : NULL);
    json_add_time(w, "created", job->created_ms);
    json_add_time(w, "finished", job->finished_ms);
    json_end_object(w);
}

static status job_row(void *arg, const struct job *job)
{
    struct list *list = arg;

    if (list_take(list, job->id))
        job_render(list->w, job);
    return OK;
}

static status jobs_show(struct api *api, struct request *req, struct response *res, const char *key_id,
                        struct error *err)
{
    static const char *const kinds[] = {"enroll", "renew", "revoke", "test", NULL};
    static const char *const states[] = {"queued", "running", "waiting", "done", "failed", NULL};
    static const struct list_filter filters[] = {
        {"state", offsetof(struct page, state), states}, {"kind", offsetof(struct page, type), kinds}, {0}};
    cleanup_reader struct reader reader = {0};
    struct list list;

    TRY(list_open_filtered(&list, &reader, api, req, filters, err));
    list_begin(&list, res);
    TRY(job_list(reader.db, key_id, list.page, job_row, &list, err));
    return list_end(&list);
}

static status job_list_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    return jobs_show(arg, req, res, NULL, err);
}

static status key_job_list_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    return jobs_show(arg, req, res, caller_of(req)->key_id, err);
}

static status job_find_named(struct db *db, const char *id, struct job *out, struct error *err)
{
    status s = job_find(db, id, out, err);
    return s.code == CODE_NOT_FOUND ? error_set(err, CODE_NOT_FOUND, "no such job") : s;
}

static status job_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_reader struct reader reader = {0};
    cleanup_job struct job job = {0};

    TRY(query_none(req, err));
    TRY(reader_acquire(&reader, api->store, err));
    TRY(job_find_named(reader.db, request_param(req, "job"), &job, err));
    job_render(response_json(res, 200), &job);
    return OK;
}

/* A finished one begins anew, another one does not wait any longer. */
static status retry_rows(struct db *db, struct change *change, struct error *err)
{
    struct job_change *c = (struct job_change *)change;
    struct job *job = &c->job;

    TRY(job_find_named(db, c->asked, job, err));
    change_target(change, "job", job->id, job->connector_name);
    if (job->state == JOB_DONE)
        return error_set(err, CODE_CONFLICT, "the job is done");
    if (job->state == JOB_FAILED)
        job->state = JOB_QUEUED;
    job->finished_ms = 0;
    job->attempts = 0;
    job->next_ms = clock_now_ms();
    return job_set_state(db, job, err);
}

static status cancel_rows(struct db *db, struct change *change, struct error *err)
{
    struct job_change *c = (struct job_change *)change;
    struct job *job = &c->job;

    TRY(job_find_named(db, c->asked, job, err));
    change_target(change, "job", job->id, job->connector_name);
    if (job->finished_ms > 0)
        return error_set(err, CODE_CONFLICT, "the job is %s already", job_state_name(job->state));
    job->state = JOB_FAILED;
    job->attempts = 0;
    job->finished_ms = clock_now_ms();
    (void)snprintf(job->last_error, sizeof(job->last_error), "cancelled by %s", change->record.principal);
    return job_set_state(db, job, err);
}

static status job_step(struct api *api, struct request *req, struct response *res, const char *type, change_rows rows,
                       struct error *err)
{
    cleanup_job_change struct job_change c = {.asked = request_param(req, "job")};

    TRY(query_none(req, err));
    TRY(body_empty(req, err));
    change_begin(&c.change, req, type);
    c.change.keeps_rights = true;
    TRY(change_commit(&c.change, api, req, rows, err));
    runner_wake(api->runner);
    job_render(response_json(res, 200), &c.job);
    return OK;
}

static status job_retry(void *arg, struct request *req, struct response *res, struct error *err)
{
    return job_step(arg, req, res, "job.retry", retry_rows, err);
}

static status job_cancel(void *arg, struct request *req, struct response *res, struct error *err)
{
    return job_step(arg, req, res, "job.cancel", cancel_rows, err);
}

const struct route job_routes[] = {
    {"GET", "/v1/jobs", PERMISSION_READ_ALL, job_list_get, 0},
    {"GET", "/v1/jobs/{job}", PERMISSION_READ_ALL, job_get, 0},
    {"POST", "/v1/jobs/{job}/retry", PERMISSION_ADMINISTER, job_retry, 0},
    {"POST", "/v1/jobs/{job}/cancel", PERMISSION_ADMINISTER, job_cancel, 0},
    {"GET", "/v1/keys/{key}/jobs", PERMISSION_PROJECT_READ, key_job_list_get, 0},
    {0},
};

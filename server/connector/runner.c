/* SPDX-License-Identifier: Apache-2.0 */
/* See runner.h. */
#include "server/connector/runner.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/json.h"
#include "common/log.h"
#include "common/secret.h"
#include "common/text.h"
#include "server/connector/runner_internal.h"

enum {
    COMMIT_MS = 10000,
    LEASE_MS = 180 * 1000, /* longer than a step may take */
    RETRY_FIRST_MS = 5000,
    RETRY_MOST_MS = 60 * 60 * 1000,
    ATTEMPTS_MOST = 16,
};

/* ---- one and only */

static status release_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    (void)arg, (void)record;
    return job_release_all(db, err);
}

status runner_new(const struct runner_config *config, struct runner **out, struct error *err)
{
    struct runner *r = calloc(1, sizeof(*r));
    pthread_condattr_t attributes;

    if (!r)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    r->config = *config;
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&r->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    status s = id_new("srv", r->id, err);
    if (is_ok(s) && config->is_alone)
        s = runner_change(r, release_rows, NULL, err);
    if (!is_ok(s)) {
        runner_free(r);
        return s;
    }
    *out = r;
    return OK;
}

static void session_drop(struct runner_session *s)
{
    if (s->session)
        s->ops->session_free(s->session);
    *s = (struct runner_session){0};
}

void runner_free(struct runner *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < RUNNER_SESSIONS; i++)
        session_drop(&r->sessions[i]);
    (void)pthread_cond_destroy(&r->changed);
    (void)pthread_mutex_destroy(&r->lock);
    free(r);
}

bool runner_wait(struct runner *r, int64_t timeout_ms)
{
    struct timespec until = deadline_timespec(deadline_in(timeout_ms));
    int rc = 0;

    (void)pthread_mutex_lock(&r->lock);
    while (!r->is_woken && !atomic_load(&r->is_stopped) && rc == 0)
        rc = pthread_cond_timedwait(&r->changed, &r->lock, &until);
    r->is_woken = false;
    bool goes_on = !atomic_load(&r->is_stopped);
    (void)pthread_mutex_unlock(&r->lock);
    return goes_on;
}

void runner_wake(struct runner *r)
{
    if (!r)
        return;
    (void)pthread_mutex_lock(&r->lock);
    r->is_woken = true;
    (void)pthread_cond_signal(&r->changed);
    (void)pthread_mutex_unlock(&r->lock);
}

void runner_stop(struct runner *r)
{
    (void)pthread_mutex_lock(&r->lock);
    atomic_store(&r->is_stopped, true);
    (void)pthread_cond_broadcast(&r->changed);
    (void)pthread_mutex_unlock(&r->lock);
}

status runner_read(struct runner *r, status (*look)(struct db *db, void *arg, struct error *err), void *arg,
                   struct error *err)
{
    struct db *db = store_reader_acquire(r->config.store, err);

    if (!db)
        return err ? (status){err->code} : (status){CODE_UNAVAILABLE};
    status s = look(db, arg, err);
    store_reader_release(r->config.store, db);
    return s;
}

status runner_change(struct runner *r, audit_change change, void *arg, struct error *err)
{
    struct audit_work work = {.change = change, .arg = arg, .needs_savepoint = true};
    return audit_commit(r->config.audit, &work, deadline_in(COMMIT_MS), err);
}

/* ---- sessions between polls */

static void session_find(struct runner *r, struct runner_work *w)
{
    for (size_t i = 0; i < RUNNER_SESSIONS; i++) {
        if (r->sessions[i].session && strcmp(r->sessions[i].job_id, w->job.id) == 0) {
            w->session = r->sessions[i].session;
            r->sessions[i] = (struct runner_session){0};
        }
    }
}

static void session_keep(struct runner *r, struct runner_work *w)
{
    if (!w->session)
        return;
    struct runner_session *place = &r->sessions[r->next_session++ % RUNNER_SESSIONS];
    session_drop(place);
    (void)text_copy(place->job_id, sizeof(place->job_id), w->job.id);
    place->ops = w->settings.ops;
    place->session = steal(&w->session);
}

/* ---- taking */

struct take {
    struct runner *r;
    struct job *job;
    int64_t now_ms;
};

static status due_look(struct db *db, void *arg, struct error *err)
{
    struct take *t = arg;
    return job_find_due(db, t->now_ms, t->job, err);
}

static status take_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    const struct take *t = arg;
    (void)record;
    return job_take(db, t->job, t->now_ms, err);
}

static status keep_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    (void)record;
    return job_keep(db, arg, err);
}

/* A job that was left running has its state from before: with a transaction it may have been sent, which is the same as
 * waiting for the connector. CODE_NOT_FOUND: none is due. */
static status job_acquire(struct runner *r, struct runner_work *w, struct error *err)
{
    struct take t = {.r = r, .job = &w->job, .now_ms = clock_now_ms()};

    TRY(runner_read(r, due_look, &t, err));
    (void)text_copy(w->job.lease_owner, sizeof(w->job.lease_owner), r->id);
    w->job.lease_until_ms = t.now_ms + LEASE_MS;
    status s = runner_change(r, take_rows, &t, err);
    w->job.attempts++;
    return s;
}

static status transaction_ensure(struct runner *r, struct runner_work *w, struct error *err)
{
    bool wants_one = w->job.kind == JOB_ENROLL || w->job.kind == JOB_RENEW;

    if (!wants_one || !w->settings.ops->prepare || w->job.transaction.len > 0)
        return OK;
    TRY(w->settings.ops->prepare(&w->call, err));
    return runner_change(r, keep_rows, &w->job, err);
}

/* ---- settling */

struct settle {
    struct runner_work *work;
    const struct certificate_chain *chain; /* NULL: none came */
    const char *ca;                        /* the built-in one that issued; "": it was another */
    int64_t now_ms;
    struct buf detail;
    char key_name[2 * NAME_SIZE];
};

/* The transaction decides: the version may be gone, the key retired. */
static status certificate_rows(struct db *db, const struct settle *s, struct error *err)
{
    const struct job *job = &s->work->job;
    cleanup_signing_key struct signing_key now = {0};
    const struct builtin_ca *builtin = s->work->call.builtin;
    struct signing_key to = {.version = job->version, .certificate = s->chain->certificate}; /* borrows */

    TRY(key_version_find(db, job->key_id, job->version, &now, err));
    (void)text_copy(to.id, sizeof(to.id), job->key_id);
    (void)text_copy(to.certificate_ca, sizeof(to.certificate_ca), s->ca);
    if (!*s->ca) {
        to.chain = s->chain->chain;
        (void)text_copy(to.certificate_source, sizeof(to.certificate_source), job->connector_id);
    }
    TRY(key_version_set_certificate(db, &now, &to, s->now_ms, err));
    return *s->ca ? builtin->keep(db, &to, err) : OK;
}

static status settle_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    const struct settle *s = arg;

    (void)record;
    TRY(job_settle(db, &s->work->job, err));
    return s->chain ? certificate_rows(db, s, err) : OK;
}

static status detail_write(struct settle *s, struct error *err)
{
    const struct job *job = &s->work->job;
    struct json_writer w = json_writer_on(&s->detail);
    uint8_t fingerprint[32];

    json_begin_object(&w, NULL);
    json_add_text(&w, "job", job->id);
    json_add_text(&w, "kind", job_kind_name(job->kind));
    json_add_text(&w, "connector", s->work->row.name);
    json_add_text(&w, "requested_by", *job->requested_by ? job->requested_by : NULL);
    if (*job->key_id)
        json_add_integer(&w, "version", job->version);
    if (s->chain) {
        TRY(sha256(buf_slice(&s->chain->certificate), fingerprint, err));
        json_add_hex(&w, "certificate_sha256", (struct slice){fingerprint, sizeof(fingerprint)});
    }
    json_end_object(&w);
    return buf_check(&s->detail, err);
}

static const char *record_type(const struct settle *s)
{
    switch (s->work->job.kind) {
    case JOB_TEST:
        return "connector.test";
    case JOB_REVOKE:
        return "key.certificate_revoke";
    default:
        return "key.certificate";
    }
}

/* The end of a job is on record, whatever it was; that it waits is not. */
static status settle_commit(struct runner *r, struct settle *s, struct error *err)
{
    const struct job *job = &s->work->job;
    const struct signing_key *key = &s->work->key;
    struct audit_work work = {.change = settle_rows, .arg = s, .needs_savepoint = true};

    if (job->finished_ms == 0)
        return audit_commit(r->config.audit, &work, deadline_in(COMMIT_MS), err);
    TRY(detail_write(s, err));
    (void)snprintf(s->key_name, sizeof(s->key_name), "%s-%s", key->project_name, key->label);
    struct audit_record record = {
        .type = record_type(s),
        .outcome = job->state == JOB_DONE ? "success" : "failed",
        .reason = job->state == JOB_DONE ? NULL : job->last_error,
        .target_type = *key->id ? "key" : "connector",
        .target_id = *key->id ? key->id : job->connector_id,
        .target_name = *key->id ? key->label : s->work->row.name,
        .detail_json = buf_text(&s->detail),
    };
    if (*key->id) {
        record.project = key->project_name;
        record.key = s->key_name;
        record.key_id = key->id;
    }
    work.record = &record;
    work.alters_rights = s->chain != NULL;
    return audit_commit(r->config.audit, &work, deadline_in(COMMIT_MS), err);
}

static bool is_transient(enum code code)
{
    switch (code) {
    case CODE_UNAVAILABLE:
    case CODE_TIMEOUT:
    case CODE_HSM_UNAVAILABLE:
    case CODE_AUDIT_UNAVAILABLE:
    case CODE_NO_MEMORY:
        return true;
    default:
        return false;
    }
}

static int64_t retry_delay_ms(int attempts)
{
    int64_t delay = RETRY_FIRST_MS;

    for (int i = 1; i < attempts && delay < RETRY_MOST_MS; i++)
        delay *= 2;
    return delay < RETRY_MOST_MS ? delay : RETRY_MOST_MS;
}

static void failure_take(struct job *job, enum code code, const struct error *why, int64_t now_ms)
{
    bool goes_on = is_transient(code) && job->attempts < ATTEMPTS_MOST;

    (void)snprintf(job->last_error, sizeof(job->last_error), "%.*s", TEXT_SIZE - 1, why->text);
    job->state = goes_on ? (job->state == JOB_WAITING ? JOB_WAITING : JOB_QUEUED) : JOB_FAILED;
    job->next_ms = now_ms + retry_delay_ms(job->attempts);
    job->finished_ms = goes_on ? 0 : now_ms;
}

static void success_take(struct job *job, int64_t wait_ms, int64_t now_ms)
{
    job->last_error[0] = '\0';
    job->state = wait_ms > 0 ? JOB_WAITING : JOB_DONE;
    job->next_ms = now_ms + wait_ms;
    job->finished_ms = wait_ms > 0 ? 0 : now_ms;
    job->attempts = wait_ms > 0 ? 0 : job->attempts;
}

static status work_settle(struct runner *r, struct runner_work *w, status outcome, const struct error *why,
                          const struct connector_answer *answer, const struct certificate_chain *chain,
                          struct error *err)
{
    struct settle s = {.work = w, .ca = answer->ca, .now_ms = clock_now_ms()};

    if (is_ok(outcome))
        success_take(&w->job, answer->wait_ms, s.now_ms);
    else
        failure_take(&w->job, outcome.code, why, s.now_ms);
    if (is_ok(outcome) && chain->certificate.len > 0)
        s.chain = chain;
    status settled = settle_commit(r, &s, err);
    buf_clear(&s.detail);
    if (!is_ok(outcome))
        log_event(LOG_LEVEL_WARNING, "job.failed", "job", w->job.id, "kind", job_kind_name(w->job.kind), "state",
                  job_state_name(w->job.state), "connector", w->row.name, "reason", why->text, "detail", why->detail,
                  NULL);
    if (is_ok(settled) && w->job.state == JOB_WAITING)
        session_keep(r, w);
    return settled;
}

static status work_run(struct runner *r, struct runner_work *w, struct connector_answer *answer,
                       struct certificate_chain *chain, struct error *why)
{
    TRY(runner_work_load(r, w, why));
    session_find(r, w);
    TRY(transaction_ensure(r, w, why));
    TRY(runner_work_do(w, answer, why));
    return answer->wait_ms > 0 ? OK : runner_answer_judge(w, answer, chain, why);
}

status runner_step(struct runner *r, bool *did, struct error *err)
{
    cleanup_runner_work struct runner_work w = {0};
    cleanup_connector_answer struct connector_answer answer = {0};
    cleanup_certificate_chain struct certificate_chain chain = {0};
    struct error why = {0};

    *did = false;
    status s = job_acquire(r, &w, err);
    if (s.code == CODE_NOT_FOUND || s.code == CODE_CONFLICT)
        return OK;
    TRY(s);
    *did = true;
    s = work_run(r, &w, &answer, &chain, &why);
    return work_settle(r, &w, s, &why, &answer, &chain, err);
}

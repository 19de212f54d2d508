/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that come to their end: renewed in time where a connector can, and told of at 60, 30, 14, 7 and 1 days,
 * once each. Both are judged in the transaction, so servers that share a store do it once. */
#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/log.h"
#include "common/secret.h"
#include "common/text.h"
#include "server/connector/runner_internal.h"

enum {
    SCAN_MOST = 200,       /* certificates looked at in one go */
    LOOK_AHEAD_DAYS = 120, /* not less than RENEW_BEFORE_DAYS_MOST and the first notice */
    FINISHED_KEPT = 10000,
    FINISHED_DAYS = 90,
    COMMIT_MS = 10000,
};
#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

static const int notice_days[] = {60, 30, 14, 7, 1}; /* falling */

struct scan {
    struct certificate_end *items;
    size_t count;
    int64_t after_ms, until_ms;
    const char *after_key;
};

static void scan_clear(struct scan *s)
{
    for (size_t i = 0; i < s->count; i++)
        buf_clear(&s->items[i].certificate);
    free(s->items);
}
#define cleanup_scan CLEANUP(scan_clear)

static status end_collect(void *arg, const struct certificate_end *e)
{
    struct scan *s = arg;
    struct certificate_end *to = &s->items[s->count];

    *to = *e;
    to->certificate = (struct buf){0};
    buf_add(&to->certificate, e->certificate.data, e->certificate.len);
    s->count++;
    return buf_check(&to->certificate, NULL);
}

static status scan_look(struct db *db, void *arg, struct error *err)
{
    struct scan *s = arg;
    const struct certificate_end_filter filter = {
        .until_ms = s->until_ms, .after_ms = s->after_ms, .after_key = s->after_key, .limit = SCAN_MOST};
    return certificate_end_list(db, &filter, end_collect, s, err);
}

/* ---- notices */

/* The threshold that was passed last; 0: none yet. */
static int notice_due(const struct certificate_end *e, int64_t now_ms)
{
    int due = 0;

    for (size_t i = 0; i < COUNT_OF(notice_days); i++) {
        if (e->not_after_ms - now_ms <= notice_days[i] * DAY_MS)
            due = notice_days[i];
    }
    return due > 0 && (e->notified_days == 0 || due < e->notified_days) ? due : 0;
}

struct notice {
    const struct certificate_end *end;
    int days;
};

static status notice_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    const struct notice *n = arg;
    (void)record;
    return certificate_end_set_notified(db, n->end->key_id, n->end->version, n->days, err);
}

static status notice_give(struct runner *r, const struct certificate_end *e, int days, struct error *err)
{
    cleanup_buf struct buf detail = {0};
    char key[2 * NAME_SIZE];
    struct json_writer w = json_writer_on(&detail);
    struct notice n = {e, days};

    json_begin_object(&w, NULL);
    json_add_integer(&w, "version", e->version);
    json_add_integer(&w, "days", days);
    json_add_time(&w, "not_after", e->not_after_ms);
    json_end_object(&w);
    TRY(buf_check(&detail, err));
    (void)snprintf(key, sizeof(key), "%s-%s", e->project_name, e->label);
    struct audit_record record = {
        .type = "certificate.expiring",
        .outcome = "success",
        .project = e->project_name,
        .key = key,
        .key_id = e->key_id,
        .target_type = "key",
        .target_id = e->key_id,
        .target_name = e->label,
        .detail_json = buf_text(&detail),
    };
    struct audit_work work = {.change = notice_rows, .arg = &n, .record = &record, .needs_savepoint = true};
    status s = audit_commit(r->config.audit, &work, deadline_in(COMMIT_MS), err);
    return s.code == CODE_NOT_FOUND ? OK : s; /* another server was first */
}

/* ---- renewal */

/* A short certificate is renewed in its last third: else one of seven days would be renewed every day. */
static bool is_renewal_due(const struct certificate_end *e, int64_t now_ms)
{
    const unsigned char *at = e->certificate.data;
    cleanup_x509 X509 *crt = d2i_X509(NULL, &at, (long)e->certificate.len);
    int days = 0, seconds = 0;
    int64_t window_ms = e->renew_before_days * DAY_MS;

    if (!crt || !ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(crt), X509_get0_notAfter(crt))) {
        ERR_clear_error();
        return false;
    }
    int64_t third_ms = (days * DAY_MS + seconds * (int64_t)1000) / 3;
    return e->not_after_ms - now_ms <= (window_ms < third_ms ? window_ms : third_ms);
}

static status renewal_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    struct job *job = arg;
    cleanup_connector_row struct connector_row row = {0};

    (void)record;
    TRY(connector_find(db, job->connector_id, &row, err));
    const struct connector_ops *ops = connector_type_find(row.type);
    if (!ops || !(ops->capabilities & CONNECTOR_RENEWS))
        return OK;
    return job_insert(db, job, err);
}

/* By the key's connector; of a key without one the certificate must be the built-in CA's own. */
static status renewal_order(struct runner *r, const struct certificate_end *e, int64_t now_ms, struct error *err)
{
    struct job job = {.kind = JOB_RENEW, .version = e->version, .created_ms = now_ms};

    if (!*e->connector && *e->source)
        return OK;
    TRY(id_new("job", job.id, err));
    (void)text_copy(job.connector_id, sizeof(job.connector_id), *e->connector ? e->connector : CONNECTOR_BUILTIN);
    (void)text_copy(job.key_id, sizeof(job.key_id), e->key_id);
    status s = runner_change(r, renewal_rows, &job, err);
    return s.code == CODE_CONFLICT || s.code == CODE_NOT_FOUND ? OK : s; /* there is one; or its connector is gone */
}

/* ---- the scan */

struct fill {
    int64_t changed;
};

static status upkeep_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    struct fill *f = arg;

    (void)record;
    TRY(job_prune(db, clock_now_ms() - FINISHED_DAYS * DAY_MS, FINISHED_KEPT, err));
    return certificate_end_fill(db, SCAN_MOST, &f->changed, err);
}

static status end_take(struct runner *r, const struct certificate_end *e, int64_t now_ms, struct error *err)
{
    int days = notice_due(e, now_ms);

    if (days > 0)
        TRY(notice_give(r, e, days, err));
    return e->renew_before_days > 0 && is_renewal_due(e, now_ms) ? renewal_order(r, e, now_ms, err) : OK;
}

/* After the last one of the batch before: its key is kept in `last`. */
static status batch_take(struct runner *r, struct scan *s, int64_t now_ms, char last[ID_SIZE], struct error *err)
{
    s->items = calloc(SCAN_MOST, sizeof(*s->items));
    if (!s->items)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    TRY(runner_read(r, scan_look, s, err));
    for (size_t i = 0; i < s->count; i++)
        TRY(end_take(r, &s->items[i], now_ms, err));
    if (s->count == 0)
        return OK;
    s->after_ms = s->items[s->count - 1].not_after_ms;
    (void)text_copy(last, ID_SIZE, s->items[s->count - 1].key_id);
    return OK;
}

/* Certificates that ended up to a month ago are tried again, too. */
status runner_scan(struct runner *r, bool *more, struct error *err)
{
    int64_t now_ms = clock_now_ms(), after_ms = now_ms - 30 * DAY_MS;
    char last[ID_SIZE] = "";
    struct fill fill = {0};

    TRY(runner_change(r, upkeep_rows, &fill, err));
    *more = fill.changed > 0;
    for (size_t count = SCAN_MOST; count == SCAN_MOST;) {
        cleanup_scan struct scan s = {
            .after_ms = after_ms, .until_ms = now_ms + LOOK_AHEAD_DAYS * DAY_MS, .after_key = last};
        TRY(batch_take(r, &s, now_ms, last, err));
        after_ms = s.after_ms;
        count = s.count;
    }
    return OK;
}

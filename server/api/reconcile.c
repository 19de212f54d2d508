/* SPDX-License-Identifier: Apache-2.0 */
/* See reconcile.h. Both sides are read, then compared in memory; each step is judged again in its own transaction. */
#include "server/api/reconcile.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/hsms.h"
#include "server/api/key_life.h"
#include "server/api/parse.h"
#include "server/api/routes.h"

enum {
    SHOWN_MAX = 1000, /* of each kind, in a report; the counts are whole */
    LOSS_MOST = 100,  /* more than this, and more than half of the keys in use: it is rather the wrong token */
};

enum finding { FINDING_NONE, FINDING_ORPHAN, FINDING_MISSING, FINDING_WEAKENED, FINDING_UNDESTROYED, FINDING_COUNT };
static const char *const finding_names[] = {"", "orphan", "missing", "weakened", "undestroyed"};

struct hsm_row {
    uint8_t id[HSM_ID_LEN];
    char label[160], findings[128];
    bool is_known, is_claimed; /* some row of the store names it */
};

struct store_row {
    struct signing_key key; /* without buffers */
    int current;
    enum finding finding;
    const struct hsm_row *found;
};

struct reconciliation {
    struct hsm_row *in_hsm;
    struct store_row *in_store;
    size_t hsm_count, store_count;
    uint8_t authorities[2][HSM_ID_LEN];
    size_t counts[FINDING_COUNT], lost, recovered;
    bool accepts_loss; /* an administrator said that this is the right token */
    size_t withheld;   /* keys that were not called missing, because they are too many */
};

static void reconciliation_clear(struct reconciliation *r)
{
    free(r->in_hsm);
    free(r->in_store);
}
#define cleanup_reconciliation CLEANUP(reconciliation_clear)

/* ---- reading both sides */

/* An array that doubles: room is the next power of two. */
static void *row_add(void **rows, size_t *count, size_t size)
{
    if ((*count & (*count - 1)) == 0) {
        void *grown = reallocarray(*rows, *count ? *count * 2 : 1, size);
        if (!grown)
            return NULL;
        *rows = grown;
    }
    void *row = (char *)*rows + (*count)++ * size;
    memset(row, 0, size);
    return row;
}

static status hsm_row_take(void *arg, const struct hsm_found *found, struct error *err)
{
    struct reconciliation *r = arg;
    struct hsm_row *row = row_add((void **)&r->in_hsm, &r->hsm_count, sizeof(*row));

    if (!row)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    (void)text_copy(row->label, sizeof(row->label), found->key.label);
    row->is_known = found->is_known && found->id.len == HSM_ID_LEN;
    if (row->is_known)
        memcpy(row->id, found->id.data, HSM_ID_LEN);
    hsm_key_findings(&found->key, row->findings, sizeof(row->findings));
    return OK;
}

static status store_row_take(void *arg, const struct signing_key *key, int current)
{
    struct reconciliation *r = arg;
    struct store_row *row = row_add((void **)&r->in_store, &r->store_count, sizeof(*row));

    if (!row)
        return (status){CODE_NO_MEMORY};
    row->key = *key;
    row->current = current;
    return OK;
}

static status authorities_load(struct reconciliation *r, struct db *db, struct error *err)
{
    static const char *const names[] = {"root", "issuing"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct ca_row row = {0};
        status s = ca_row_find(db, names[i], &row, err);
        memcpy(r->authorities[i], row.hsm_id, HSM_ID_LEN);
        ca_row_clear(&row);
        if (!is_ok(s) && s.code != CODE_NOT_FOUND)
            return s;
    }
    return OK;
}

/* The HSM first: a key made meanwhile is then in the store alone, and looked for once more before it is called missing.
 */
static status sides_read(struct reconciliation *r, struct api *api, struct deadline d, struct error *err)
{
    cleanup_reader struct reader reader = {0};

    TRY(hsm_list(api->hsm, d, hsm_row_take, r, err));
    TRY(reader_acquire(&reader, api->store, err));
    TRY(authorities_load(r, reader.db, err));
    return key_version_list_all(reader.db, HSM_DEFAULT, store_row_take, r, err);
}

/* ---- comparing */

static int by_id(const void *a, const void *b)
{
    return memcmp(((const struct hsm_row *)a)->id, ((const struct hsm_row *)b)->id, HSM_ID_LEN);
}

static struct hsm_row *hsm_row_find(struct reconciliation *r, const uint8_t id[HSM_ID_LEN])
{
    struct hsm_row wanted = {0};

    if (r->hsm_count == 0)
        return NULL;
    memcpy(wanted.id, id, HSM_ID_LEN);
    struct hsm_row *found = bsearch(&wanted, r->in_hsm, r->hsm_count, sizeof(wanted), by_id);
    return found && found->is_known ? found : NULL;
}

static enum finding row_judge(struct reconciliation *r, struct store_row *row)
{
    struct hsm_row *found = hsm_row_find(r, row->key.hsm_id);

    row->found = found;
    if (found)
        found->is_claimed = true;
    if (row->key.state == KEY_DESTROYED)
        return found ? FINDING_UNDESTROYED : FINDING_NONE;
    if (!found)
        return FINDING_MISSING;
    /* what was accepted at an import is no news */
    return *found->findings && strcmp(found->findings, row->key.findings) != 0 ? FINDING_WEAKENED : FINDING_NONE;
}

/* Made since the HSM was read, or only slow to be seen: what seems missing is looked for in a second reading. */
static status missing_look_again(struct reconciliation *r, struct api *api, struct deadline d, struct error *err)
{
    cleanup_reconciliation struct reconciliation again = {0};

    TRY(hsm_list(api->hsm, d, hsm_row_take, &again, err));
    qsort(again.in_hsm, again.hsm_count, sizeof(*again.in_hsm), by_id);
    for (size_t i = 0; i < r->store_count; i++) {
        struct store_row *row = &r->in_store[i];
        if (row->finding != FINDING_MISSING || !hsm_row_find(&again, row->key.hsm_id))
            continue;
        row->finding = FINDING_NONE;
        r->counts[FINDING_MISSING]--;
        r->counts[FINDING_NONE]++;
    }
    return OK;
}

static status sides_compare(struct reconciliation *r, struct api *api, struct deadline d, struct error *err)
{
    qsort(r->in_hsm, r->hsm_count, sizeof(*r->in_hsm), by_id);
    for (size_t i = 0; i < r->store_count; i++) {
        r->in_store[i].finding = row_judge(r, &r->in_store[i]);
        r->counts[r->in_store[i].finding]++;
    }
    for (size_t i = 0; i < COUNT_OF(r->authorities); i++) {
        struct hsm_row *found = hsm_row_find(r, r->authorities[i]);
        if (found)
            found->is_claimed = true;
    }
    for (size_t i = 0; i < r->hsm_count; i++)
        r->counts[FINDING_ORPHAN] += !r->in_hsm[i].is_claimed;
    return r->counts[FINDING_MISSING] > 0 ? missing_look_again(r, api, d, err) : OK;
}

/* ---- steps */

static status found_rows(struct db *db, struct change *change, struct error *err)
{
    struct key_step *s = (struct key_step *)change;
    enum key_state to;

    TRY(key_step_judge(db, s, &to, err));
    to = s->key.state_before == KEY_DISABLED ? KEY_DISABLED : to;
    json_add_text(&change->detail, "from", key_state_name(s->key.state));
    json_add_text(&change->detail, "to", key_state_name(to));
    return signing_key_set_state(db, s->key_id, to, "", err);
}

static void record_begin(struct change *change, struct request *req, const char *type)
{
    if (req) {
        change_begin(change, req, type);
        change->if_match = NULL;
        return;
    }
    change->record = (struct audit_record){.type = type, .outcome = "success"};
    change->detail = json_writer_on(&change->detail_text);
    json_begin_object(&change->detail, NULL);
}

/* Somebody may have been faster, and the way is closed: that is no failure. */
static status step_take(struct api *api, struct request *req, const char *key_id, enum key_action action,
                        struct deadline d, bool *taken, struct error *err)
{
    bool is_loss = action == KEY_ACTION_LOSE;
    cleanup_key_step struct key_step s = {
        .key_id = key_id, .action = action, .reason = is_loss ? "not found in the HSM" : ""};

    record_begin(&s.change, req, is_loss ? "key.lose" : "key.find");
    status done = change_commit_until(&s.change, api, d, is_loss ? key_step_rows : found_rows, err);
    *taken = is_ok(done);
    return done.code == CODE_CONFLICT ? OK : done;
}

static bool is_in_use(const struct store_row *row)
{
    return row->key.version == row->current && (row->key.state == KEY_ACTIVE || row->key.state == KEY_DISABLED);
}

/* With the wrong token every key would be called missing, each by a commit that all signatures wait for. */
static void losses_withhold(struct reconciliation *r)
{
    size_t in_use = 0, losses = 0;

    for (size_t i = 0; i < r->store_count; i++) {
        const struct store_row *row = &r->in_store[i];
        in_use += is_in_use(row);
        losses += is_in_use(row) && row->finding == FINDING_MISSING;
    }
    if (r->accepts_loss || losses <= LOSS_MOST || losses * 2 <= in_use)
        return;

    char text[64];
    (void)snprintf(text, sizeof(text), "%zu of %zu", losses, in_use);
    log_event(LOG_LEVEL_ERROR, "hsm.reconcile", "keys_not_found", text, "reason",
              "the token looks like another one; the keys keep their states. If it is the right one: chancery hsm "
              "reconcile --accept-loss",
              NULL);
    r->withheld = losses;
}

static status steps_take(struct reconciliation *r, struct api *api, struct request *req, struct deadline d,
                         struct error *err)
{
    for (size_t i = 0; i < r->store_count; i++) {
        const struct store_row *row = &r->in_store[i];
        bool taken = false;
        if (is_in_use(row) && row->finding == FINDING_MISSING && r->withheld == 0) {
            TRY(step_take(api, req, row->key.id, KEY_ACTION_LOSE, d, &taken, err));
            r->lost += taken;
        } else if (row->found && row->key.version == row->current && row->key.state == KEY_MISSING) {
            TRY(step_take(api, req, row->key.id, KEY_ACTION_FIND, d, &taken, err));
            r->recovered += taken;
        }
    }
    return OK;
}

/* ---- the report */

static void store_rows_write(struct json_writer *w, const struct reconciliation *r, enum finding finding)
{
    size_t shown = 0;

    json_begin_array(w, finding_names[finding]);
    for (size_t i = 0; i < r->store_count && shown < SHOWN_MAX; i++) {
        const struct store_row *row = &r->in_store[i];
        if (row->finding != finding)
            continue;
        json_begin_object(w, NULL);
        json_add_text(w, "key", row->key.id);
        json_add_text(w, "project", row->key.project_name);
        json_add_text(w, "label", row->key.label);
        json_add_integer(w, "version", row->key.version);
        json_add_hex(w, "cka_id", (struct slice){row->key.hsm_id, HSM_ID_LEN});
        json_add_text(w, "findings", row->found && *row->found->findings ? row->found->findings : NULL);
        json_end_object(w);
        shown++;
    }
    json_end_array(w);
}

static void orphans_write(struct json_writer *w, const struct reconciliation *r)
{
    size_t shown = 0;

    json_begin_array(w, "orphan");
    for (size_t i = 0; i < r->hsm_count && shown < SHOWN_MAX; i++) {
        const struct hsm_row *row = &r->in_hsm[i];
        if (row->is_claimed)
            continue;
        json_begin_object(w, NULL);
        json_add_text(w, "hsm_label", text_is_printable(row->label, sizeof(row->label) - 1) ? row->label : "");
        if (row->is_known)
            json_add_hex(w, "cka_id", (struct slice){row->id, HSM_ID_LEN});
        else
            json_add_null(w, "cka_id");
        json_end_object(w);
        shown++;
    }
    json_end_array(w);
}

static void counts_write(struct json_writer *w, const struct reconciliation *r)
{
    json_begin_object(w, "counts");
    json_add_integer(w, "hsm_keys", (int64_t)r->hsm_count);
    json_add_integer(w, "versions", (int64_t)r->store_count);
    for (int f = FINDING_ORPHAN; f < FINDING_COUNT; f++)
        json_add_integer(w, finding_names[f], (int64_t)r->counts[f]);
    json_add_integer(w, "lost", (int64_t)r->lost);
    json_add_integer(w, "recovered", (int64_t)r->recovered);
    json_add_integer(w, "withheld", (int64_t)r->withheld);
    json_end_object(w);
}

static status report_write(const struct reconciliation *r, struct buf *report, struct error *err)
{
    struct json_writer w = json_writer_on(report);

    json_begin_object(&w, NULL);
    json_add_text(&w, "hsm", HSM_DEFAULT);
    json_add_time(&w, "time", clock_now_ms());
    counts_write(&w, r);
    orphans_write(&w, r);
    for (int f = FINDING_MISSING; f < FINDING_COUNT; f++)
        store_rows_write(&w, r, (enum finding)f);
    json_end_object(&w);
    return buf_check(report, err);
}

static status no_rows(struct db *db, struct change *change, struct error *err)
{
    (void)db, (void)change, (void)err;
    return OK;
}

static status summary_record(const struct reconciliation *r, struct api *api, struct request *req, struct deadline d,
                             struct error *err)
{
    CLEANUP(change_clear) struct change change = {0};

    record_begin(&change, req, "hsm.reconcile");
    change_target(&change, "hsm", HSM_DEFAULT, HSM_DEFAULT);
    counts_write(&change.detail, r);
    return change_commit_until(&change, api, d, no_rows, err);
}

/* ---- the last report */

static pthread_mutex_t last_lock = PTHREAD_MUTEX_INITIALIZER;
static struct buf last_report;

static void report_keep(const struct buf *report)
{
    (void)pthread_mutex_lock(&last_lock);
    buf_reset(&last_report);
    buf_add(&last_report, report->data, report->len);
    (void)pthread_mutex_unlock(&last_lock);
}

static status reconcile(struct reconciliation *r, struct api *api, struct request *req, struct deadline d,
                        struct error *err)
{
    TRY(sides_read(r, api, d, err));
    TRY(sides_compare(r, api, d, err));
    losses_withhold(r);
    return steps_take(r, api, req, d, err);
}

status reconcile_run(struct api *api, const struct reconcile_order *order, struct deadline d, struct buf *report,
                     struct error *err)
{
    struct request *req = order->req;
    cleanup_reconciliation struct reconciliation r = {.accepts_loss = order->accepts_loss};

    TRY(reconcile(&r, api, req, d, err));
    TRY(report_write(&r, report, err));
    report_keep(report);
    return summary_record(&r, api, req, d, err);
}

/* ---- routes */

static status reconcile_post(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_buf struct buf report = {0};
    struct reconcile_order order = {.req = req};
    const struct json_field fields[] = {{"accept_loss", JSON_BOOL, 0, &order.accepts_loss}};

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(hsm_check_name(req, err));
    TRY(reconcile_run(arg, &order, request_deadline(req), &report, err));
    json_add_raw(response_json(res, 200), NULL, buf_text(&report));
    return OK;
}

static status reconcile_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_buf struct buf report = {0};
    (void)arg;

    TRY(query_none(req, err));
    TRY(hsm_check_name(req, err));
    (void)pthread_mutex_lock(&last_lock);
    buf_add(&report, last_report.data, last_report.len);
    (void)pthread_mutex_unlock(&last_lock);
    TRY(buf_check(&report, err));
    if (report.len == 0)
        return error_set(err, CODE_NOT_FOUND, "store and HSM have not been compared since the server's start");
    json_add_raw(response_json(res, 200), NULL, buf_text(&report));
    return OK;
}

const struct route reconcile_routes[] = {
    {"GET", "/v1/hsms/{hsm}/reconcile", PERMISSION_READ_ALL, reconcile_get, 0},
    {"POST", "/v1/hsms/{hsm}/reconcile", PERMISSION_ADMINISTER, reconcile_post, 0},
    {0},
};

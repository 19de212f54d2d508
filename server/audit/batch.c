/* SPDX-License-Identifier: Apache-2.0 */
/* Works run one after the other in one transaction. A work that fails takes only itself away: if it wrote nothing, the
 * transaction goes on; if it had a savepoint, that is rolled back; else the transaction is, and the others run again
 * without it. When the transaction itself cannot be had or committed, nothing of it happened and all are told so. */
#include "server/audit/batch.h"

#include <string.h>

#include "common/text.h"

/* The stored mark for the start after a crash may lag by so many records. */
enum { OPEN_FROM_LAG = 1000 };

enum outcome {
    WORK_DONE,
    WORK_UNDONE,  /* failed, and nothing of it is left in the transaction */
    WORK_SPOILED, /* failed, and the transaction with it: run the others again */
    WORK_BROKEN,  /* the store failed, not the work: the whole batch cannot be had */
};

static status columns_check(const struct audit_record *r, struct error *err)
{
    const char *const columns[] = {r->type, r->principal_id, r->key_id, r->outcome, r->request_id, r->digest_hex};
    for (size_t i = 0; i < COUNT_OF(columns); i++) {
        if (columns[i] && !text_is_printable(columns[i], LIMIT_TEXT))
            return error_set(err, CODE_INVALID, "the record has a column that is no printable text");
    }
    return OK;
}

/* An intent opens, its outcome closes it: never a second outcome (I2, I6). */
static status intent_track(struct log_writer *w, const struct audit_record *r, struct error *err)
{
    if (strcmp(r->type, "signature.intent") == 0) {
        TRY(open_intents_add(&w->open_next, r->seq, err));
        w->opened = r->seq;
    } else if (r->intent) {
        if (!open_intents_remove(&w->open_next, r->intent))
            return error_set(err, CODE_CONFLICT, "intent %lld has its outcome already", (long long)r->intent);
        w->closed = r->intent;
    }
    return OK;
}

/* There is room for what was there a moment ago. */
static void intent_untrack(struct log_writer *w)
{
    if (w->opened)
        (void)open_intents_remove(&w->open_next, w->opened);
    if (w->closed)
        ignore(open_intents_add(&w->open_next, w->closed, NULL));
}

/* The clock of the log never runs backwards. */
static int64_t record_time(const struct log_writer *w)
{
    int64_t now_ms = w->now_ms();
    return now_ms > w->head.time_ms ? now_ms : w->head.time_ms;
}

static status record_append(struct log_writer *w, struct db *db, struct audit_record *r, struct error *err)
{
    TRY(columns_check(r, err));
    r->seq = w->head.seq + 1;
    r->time_ms = record_time(w);
    TRY(intent_track(w, r, err));
    TRY(line_build(&w->line, r, w->head.hash, w->head.hash, err));

    w->head.seq = r->seq;
    w->head.time_ms = r->time_ms;
    return record_insert(db,
                         &(struct record_row){.seq = r->seq,
                                              .line = buf_text(&w->line.text),
                                              .type = r->type,
                                              .principal_id = r->principal_id,
                                              .key_id = r->key_id,
                                              .outcome = r->outcome,
                                              .request_id = r->request_id,
                                              .digest = r->digest_hex,
                                              .intent_seq = r->intent,
                                              .server = w->place.id},
                         err);
}

/* What the caller of audit_commit gets when the store, not the work, is why it failed. */
static status unavailable(struct error *err, const struct error *cause)
{
    struct error copy = *cause;
    status result = error_set(err, CODE_AUDIT_UNAVAILABLE, "%s: %s", code_text(CODE_AUDIT_UNAVAILABLE), copy.text);
    error_detail(err, "%s", copy.detail);
    return result;
}

static status work_steps(struct log_writer *w, struct db *db, struct node *n)
{
    struct audit_work *work = n->work;
    if (work->change)
        TRY(work->change(db, work->arg, work->record, n->err));
    if (work->record) {
        status result = record_append(w, db, work->record, n->err);
        if (!is_ok(result))
            return unavailable(n->err, n->err);
    }
    if (work->after)
        TRY(work->after(db, work->arg, work->record, n->err));
    return OK;
}

static bool is_store_failure(status s)
{
    return s.code == CODE_UNAVAILABLE || s.code == CODE_AUDIT_UNAVAILABLE || s.code == CODE_NO_MEMORY;
}

/* The work failed: takes it out of the transaction, if that can be done. */
static enum outcome work_undo(struct db *db, const struct node *n, int64_t writes)
{
    bool clean = db_writes(db) == writes;
    if (n->work->needs_savepoint) {
        db_savepoint_rollback(db);
        clean = true;
    }
    if (!db_in_transaction(db))
        return is_store_failure(n->result) ? WORK_BROKEN : WORK_SPOILED;
    return clean ? WORK_UNDONE : WORK_SPOILED;
}

static enum outcome work_run(struct log_writer *w, struct db *db, struct node *n)
{
    struct record_head head = w->head;
    int64_t writes = db_writes(db);
    w->opened = w->closed = 0;
    if (n->work->needs_savepoint && !is_ok(n->result = db_savepoint(db, n->err)))
        return WORK_BROKEN;

    n->result = work_steps(w, db, n);
    if (is_ok(n->result)) {
        if (n->work->needs_savepoint && !is_ok(n->result = db_savepoint_release(db, n->err)))
            return WORK_BROKEN;
        return WORK_DONE;
    }

    if (n->result.code == CODE_UNAVAILABLE)
        n->result = unavailable(n->err, n->err);
    w->head = head;
    intent_untrack(w);
    return work_undo(db, n, writes);
}

/* The generation moves right behind the work that alters rights: the works after it in the same batch are to see it
 * (I4). Runs what has not failed; *done counts. WORK_DONE, WORK_SPOILED or WORK_BROKEN with the cause in err. */
static enum outcome works_run(struct log_writer *w, struct db *db, struct node *first, int *done, struct error *err)
{
    for (struct node *n = first; n; n = n->next) {
        if (n->failed)
            continue;
        enum outcome outcome = work_run(w, db, n);
        if (outcome == WORK_BROKEN) {
            *err = *n->err;
            return WORK_BROKEN;
        }
        if (outcome != WORK_DONE)
            n->failed = true;
        if (outcome == WORK_SPOILED)
            return WORK_SPOILED;
        *done += outcome == WORK_DONE;
        if (outcome == WORK_DONE && n->work->alters_rights && !is_ok(store_generation_bump(db, err)))
            return WORK_BROKEN;
    }
    return WORK_DONE;
}

/* Head, and now and then the mark of the open intents. */
static status heads_store(struct log_writer *w, struct db *db, int64_t before, struct error *err)
{
    if (w->head.seq == before)
        return OK;

    int64_t open_from = open_intents_first(&w->open_next, w->head.seq + 1);
    w->open_from_next = w->place.open_from;
    if (open_from - w->place.open_from >= OPEN_FROM_LAG) {
        TRY(log_server_mark(db, w->place.id, open_from, err));
        w->open_from_next = open_from;
    }
    return record_head_set(db, &w->head, err);
}

struct seen {
    struct line *line;
    uint8_t hash[RECORD_HASH_LEN];
};

static status hash_take(void *arg, const struct record_row *r)
{
    struct seen *seen = arg;
    return line_hash(seen->line, slice_of_text(r->line), seen->hash) ? OK : (status){CODE_INTERNAL};
}

/* Lost while COMMIT was under way: whether it came to pass is seen by the last record, whose hash no other can have. */
static bool committed_all_the_same(struct log_writer *w, struct db *db, int64_t before)
{
    if (w->head.seq == before || !is_ok(db_begin(db, NULL)))
        return false;

    struct seen seen = {.line = &w->line};
    struct record_filter filter = {.after_seq = w->head.seq - 1, .limit = 1};
    bool committed = is_ok(record_list(db, &filter, hash_take, &seen, NULL)) &&
                     memcmp(seen.hash, w->head.hash, sizeof(seen.hash)) == 0;
    db_rollback(db);
    return committed;
}

static void batch_is_durable(struct log_writer *w)
{
    struct open_intents old = w->open;
    w->open = w->open_next;
    w->open_next = old;
    w->place.open_from = w->open_from_next;
}

static enum outcome transaction_run(struct log_writer *w, struct db *db, struct node *first, struct error *err)
{
    if (!is_ok(open_intents_copy(&w->open_next, &w->open, err)) || !is_ok(record_head_lock(db, &w->head, err)))
        return WORK_BROKEN;

    int done = 0;
    int64_t before = w->head.seq;
    w->open_from_next = w->place.open_from;
    enum outcome outcome = works_run(w, db, first, &done, err);
    if (outcome != WORK_DONE || done == 0) {
        db_rollback(db);
        return outcome;
    }
    if (!is_ok(heads_store(w, db, before, err)))
        return WORK_BROKEN;
    if (!is_ok(db_commit(db, err)) && !committed_all_the_same(w, db, before))
        return WORK_BROKEN;

    batch_is_durable(w);
    return WORK_DONE;
}

/* In a new session the place must be taken again. Another server that had it meanwhile has closed our intents. */
static status place_renew(struct log_writer *w, struct db *db, struct error *err)
{
    bool kept = false;
    struct record_head head = {0};
    struct log_server place = w->place;
    TRY(record_head_lock(db, &head, err));
    if (place.id)
        TRY(log_server_renew(db, &place, &kept, err));
    if (!kept)
        TRY(log_server_acquire(db, &place, err));
    TRY(db_commit(db, err));

    if (!kept)
        w->open.count = 0;
    w->place = place;
    w->session = db_session(db);
    return db_begin(db, err);
}

status log_writer_begin(struct log_writer *w, struct db *db, struct error *err)
{
    TRY(db_begin(db, err));
    if (db_session(db) == w->session)
        return OK;

    status result = place_renew(w, db, err);
    if (!is_ok(result))
        db_rollback(db);
    return result;
}

static enum outcome batch_try(struct log_writer *w, struct node *first, struct error *err)
{
    if (!is_ok(store_writer_lock(w->store, err)))
        return WORK_BROKEN;

    struct db *db = store_writer(w->store);
    enum outcome outcome = WORK_BROKEN;
    if (is_ok(log_writer_begin(w, db, err))) {
        outcome = transaction_run(w, db, first, err);
        if (outcome == WORK_BROKEN)
            db_rollback(db);
    }
    store_writer_unlock(w->store);
    return outcome;
}

static void node_prepare(struct node *n)
{
    n->failed = false;
    if (!n->err)
        n->err = &n->own_err;
    if (n->work->record)
        n->given = *n->work->record;
}

/* Every round takes one work away, so this ends. */
void batch_run(struct log_writer *w, struct node *first)
{
    for (struct node *n = first; n; n = n->next)
        node_prepare(n);

    struct error err = {0};
    enum outcome outcome = batch_try(w, first, &err);
    while (outcome == WORK_SPOILED) {
        for (struct node *n = first; n; n = n->next) {
            if (!n->failed && n->work->record)
                *n->work->record = n->given;
        }
        outcome = batch_try(w, first, &err);
    }

    for (struct node *n = first; n && outcome == WORK_BROKEN; n = n->next) {
        if (!n->failed)
            n->result = unavailable(n->err, &err);
    }
}

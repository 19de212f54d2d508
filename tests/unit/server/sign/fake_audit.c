/* SPDX-License-Identifier: Apache-2.0 */
/* See fake_audit.h. */
#include "fake_audit.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct audit *fake_audit_new(struct store *store)
{
    struct audit *a = calloc(1, sizeof(*a));
    assert(a);
    a->store = store;
    a->next_seq = 1;
    (void)pthread_mutex_init(&a->lock, NULL);
    return a;
}

void fake_audit_free(struct audit *a)
{
    (void)pthread_mutex_destroy(&a->lock);
    free(a);
}

void fake_audit_fail_next(struct audit *a, enum fake_record what)
{
    a->fail[what]++;
}

const struct kept_record *fake_audit_last(const struct audit *a)
{
    assert(a->count > 0);
    return &a->records[a->count - 1];
}

static void keep(struct audit *a, const struct audit_record *r)
{
    assert(a->count < FAKE_RECORDS);
    struct kept_record *k = &a->records[a->count++];
#define COPY(member, text) (void)snprintf(k->member, sizeof(k->member), "%s", (text) ? (text) : "")
    COPY(type, r->type);
    COPY(outcome, r->outcome);
    COPY(reason, r->reason);
    COPY(key, r->key);
    COPY(key_id, r->key_id);
    COPY(principal, r->principal);
    COPY(mechanism, r->mechanism);
    COPY(hash, r->hash);
    COPY(digest, r->digest_hex);
    COPY(signature_sha256, r->signature_sha256_hex);
    COPY(detail, r->detail_json);
    COPY(program, r->client_program);
#undef COPY
    k->seq = r->seq;
    k->intent = r->intent;
}

static status steps(struct audit *a, struct db *db, struct audit_work *work, struct error *err)
{
    if (work->change)
        TRY(work->change(db, work->arg, work->record, err));
    work->record->seq = a->next_seq;
    work->record->time_ms = clock_now_ms();
    return work->after ? work->after(db, work->arg, work->record, err) : OK;
}

static status transaction(struct audit *a, struct audit_work *work, struct error *err)
{
    struct db *db = store_writer(a->store);
    const struct audit_record given = *work->record;
    int *fail = &a->fail[strcmp(given.type, "signature.intent") == 0 ? RECORD_INTENT : RECORD_OUTCOME];
    TRY(db_begin(db, err));
    status result = steps(a, db, work, err);
    if (is_ok(result) && a->run_twice > 0) {
        a->run_twice--;
        db_rollback(db);
        *work->record = given;
        TRY(db_begin(db, err));
        result = steps(a, db, work, err);
    }
    if (is_ok(result) && *fail > 0) {
        (*fail)--;
        result = error_set(err, CODE_AUDIT_UNAVAILABLE, "the disk is full");
    }
    if (!is_ok(result)) {
        db_rollback(db);
        return result;
    }
    TRY(db_commit(db, err));
    a->next_seq++;
    keep(a, work->record);
    return OK;
}

status audit_commit(struct audit *a, struct audit_work *work, struct deadline d, struct error *err)
{
    if (a->before)
        a->before(a->before_arg, work->record->type);
    if (deadline_passed(d))
        return error_set(err, CODE_AUDIT_UNAVAILABLE, "the deadline has passed");

    (void)pthread_mutex_lock(&a->lock);
    assert(is_ok(store_writer_lock(a->store, NULL)));
    status result = transaction(a, work, err);
    store_writer_unlock(a->store);
    (void)pthread_mutex_unlock(&a->lock);
    if (a->behind)
        a->behind(a->behind_arg, work->record->type);
    return result;
}

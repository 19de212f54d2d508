/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of issued_certificate for certificates of the time before there were any, once, at start. Without them OCSP
 * would call them unknown, and they could not be revoked. */
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "server/ca/authority.h"

enum { COMMIT_TIMEOUT_MS = 60000 };

struct backfill {
    struct issued_certificate *items;
    size_t count;
};

static void backfill_clear(struct backfill *b)
{
    for (size_t i = 0; i < b->count; i++)
        issued_certificate_clear(&b->items[i]);
    free(b->items);
}
#define cleanup_backfill CLEANUP(backfill_clear)

static status item_take(void *arg, const struct issued_certificate *c)
{
    struct backfill *b = arg;
    struct issued_certificate *grown = reallocarray(b->items, b->count + 1, sizeof(*grown));

    if (!grown)
        return (status){CODE_NO_MEMORY};
    b->items = grown;
    struct issued_certificate *copy = &grown[b->count++];
    *copy = *c;
    copy->certificate = (struct buf){0};
    buf_add(&copy->certificate, c->certificate.data, c->certificate.len);
    TRY(buf_check(&copy->certificate, NULL));
    TRY(ca_issued_describe(buf_slice(&copy->certificate), copy, NULL));
    copy->issued_ms = copy->not_before_ms;
    return OK;
}

static status backfill_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    const struct backfill *b = arg;

    (void)record;
    for (size_t i = 0; i < b->count; i++)
        TRY(issued_certificate_insert(db, &b->items[i], err));
    return OK;
}

status ca_backfill(struct ca *ca, struct error *err)
{
    cleanup_backfill struct backfill b = {0};
    char detail[48];
    struct db *db = store_reader_acquire(ca->config.store, err);

    if (!db)
        return err ? (status){err->code} : (status){CODE_UNAVAILABLE};
    status s = issued_certificate_list_missing(db, item_take, &b, err);
    store_reader_release(ca->config.store, db);
    TRY(s);
    if (b.count == 0)
        return OK;
    (void)snprintf(detail, sizeof(detail), "{\"certificates\":%zu}", b.count);
    struct audit_record record = {
        .type = "ca.backfill", .outcome = "success", .target_type = "ca", .detail_json = detail};
    struct audit_work work = {.change = backfill_rows, .arg = &b, .record = &record, .needs_savepoint = true};
    return audit_commit(ca->config.audit, &work, deadline_in(COMMIT_TIMEOUT_MS), err);
}

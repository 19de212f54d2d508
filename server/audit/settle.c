/* SPDX-License-Identifier: Apache-2.0 */
/* After a crash: intents without outcome get one, "unknown", so that every use of a key that may have happened is on
 * record (I2). */
#include <string.h>

#include "common/json.h"
#include "server/audit/batch.h"

enum { SETTLE_MS = 60 * 1000, LINE_MAX_BYTES = 64 * 1024, LINE_DEPTH = 8 };

struct intent {
    int64_t seq;
    char *line;
    struct intent *next;
};

struct intent_list {
    struct intent *first, **last;
    struct open_intents *open; /* where they are noted as open */
    struct error *err;
};

static status intent_keep(void *arg, const struct record_row *r)
{
    struct intent_list *list = arg;
    struct intent *intent = calloc(1, sizeof(*intent));
    char *line = strdup(r->line);
    if (!intent || !line) {
        free(intent);
        free(line);
        return error_set(list->err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));
    }
    *intent = (struct intent){.seq = r->seq, .line = line};
    *list->last = intent;
    list->last = &intent->next;
    return open_intents_add(list->open, r->seq, list->err);
}

static void intent_list_clear(struct intent_list *list)
{
    while (list->first) {
        struct intent *intent = list->first;
        list->first = intent->next;
        free(intent->line);
        free(intent);
    }
}

static status usage_count(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    (void)arg;
    TRY(idempotency_remove_open(db, record->principal_id, record->intent, err));
    return usage_add(db, record->key_id, record->principal_id, record->time_ms, USAGE_FAILED, err);
}

static status intent_settle(struct audit *a, const struct intent *intent, struct error *err)
{
    cleanup_json struct json *line = NULL;
    TRY(json_parse(slice_of_text(intent->line), LINE_MAX_BYTES, LINE_DEPTH, &line, err));
    const struct json *client = json_get(line, "client");
    struct audit_record record = {
        .type = "signature.outcome",
        .principal = json_get_text(line, "principal", NULL),
        .principal_id = json_get_text(line, "principal_id", NULL),
        .project = json_get_text(line, "project", NULL),
        .key = json_get_text(line, "key", NULL),
        .key_id = json_get_text(line, "key_id", NULL),
        .version = (int)json_get_integer(line, "version", 0),
        .mechanism = json_get_text(line, "mechanism", NULL),
        .hash = json_get_text(line, "hash", NULL),
        .digest_hex = json_get_text(line, "digest", NULL),
        .intent = intent->seq,
        .outcome = "unknown",
        .reason = "no outcome was recorded before the server stopped",
        .client_address = json_get_text(client, "address", NULL),
        .client_program = json_get_text(client, "program", NULL),
        .client_host = json_get_text(client, "host", NULL),
        .client_user = json_get_text(client, "user", NULL),
        .request_id = json_get_text(line, "request_id", NULL),
    };
    struct audit_work work = {.after = record.key_id && record.principal_id ? usage_count : NULL, .record = &record};
    return audit_commit(a, &work, deadline_in(SETTLE_MS), err);
}

/* The intents of a place, in a transaction of its own. other: another server's place, else this one's. */
static status intents_read(struct log_writer *w, bool other, struct log_server *place, struct intent_list *list)
{
    struct db *db = store_writer(w->store);
    struct record_head head = {0};
    TRY(log_writer_begin(w, db, list->err));
    *place = w->place;
    status result = record_head_lock(db, &head, list->err);
    if (is_ok(result) && other)
        result = log_server_take_dead(db, w->place.id, place, list->err);
    if (is_ok(result) && place->id)
        result = record_open_intents(db, place->id, intent_keep, list, list->err);
    if (!is_ok(result)) {
        db_rollback(db);
        return result;
    }
    return db_commit(db, list->err);
}

static status place_drop(struct log_writer *w, int64_t id, struct error *err)
{
    struct db *db = store_writer(w->store);
    TRY(log_writer_begin(w, db, err));
    status result = log_server_drop(db, id, err);
    if (!is_ok(result)) {
        db_rollback(db);
        return result;
    }
    return db_commit(db, err);
}

/* *place: whose intents were closed; id 0 when no other server's place is free. */
static status place_settle(struct audit *a, struct log_writer *w, bool other, struct log_server *place,
                           struct error *err)
{
    CLEANUP(intent_list_clear) struct intent_list list = {.open = &w->open, .err = err};
    list.last = &list.first;
    TRY(store_writer_lock(w->store, err));
    status result = intents_read(w, other, place, &list);
    store_writer_unlock(w->store);
    TRY(result);

    for (const struct intent *intent = list.first; intent; intent = intent->next)
        TRY(intent_settle(a, intent, err));
    return OK;
}

status open_intents_settle(struct audit *a, struct log_writer *w, struct error *err)
{
    struct log_server place = {0};
    TRY(place_settle(a, w, false, &place, err));
    for (;;) {
        TRY(place_settle(a, w, true, &place, err));
        if (!place.id)
            return OK;
        TRY(store_writer_lock(w->store, err));
        status result = place_drop(w, place.id, err);
        store_writer_unlock(w->store);
        TRY(result);
    }
}

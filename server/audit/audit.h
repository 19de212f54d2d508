/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log: the only writer of the store. Callers' changes and records are joined into one transaction by group
 * commit; each record is chained to the one before (I7). Nothing is acknowledged before COMMIT returned (I1, I2). */
#pragma once

#include "common/clock.h"
#include "server/store/store.h"

struct audit;

/* One record; see ARCHITECTURE "The record". Text is borrowed for the call; NULL members are written as null. */
struct audit_record {
    const char *type; /* "signature.intent", "key.disable", … */
    const char *principal, *principal_id;
    const char *project, *key, *key_id; /* key: "<project>-<label>" */
    /* signature records */
    int version;
    const char *mechanism, *hash, *digest_hex, *signature_sha256_hex;
    int64_t intent; /* outcome: seq of its intent, 0 null */
    /* administrative records */
    const char *target_type, *target_id, *target_name;
    const char *detail_json; /* an object; NULL: {} */
    /* both */
    const char *outcome; /* success refused failed unknown; NULL in an intent */
    const char *reason;
    const char *client_address, *client_program, *client_host, *client_user;
    const char *request_id;
    /* out */
    int64_t seq;
    int64_t time_ms;
};

/* Runs inside the batch's transaction, on the committing thread, before the record is appended; it may fill the record
 * (borrowed memory must live until audit_commit returns). When it fails, this change is undone and this record not
 * written; the others of the batch go on. It must not block. It may be run a second time, with the record as it was
 * given, when the batch is tried again without another work that failed: what it leaves in arg must not depend on how
 * often it ran. */
typedef status (*audit_change)(struct db *db, void *arg, struct audit_record *record, struct error *err);

struct audit_work {
    audit_change change; /* may be NULL */
    /* Runs right after the record was appended (its seq and time_ms are set), same transaction; may be NULL. */
    audit_change after;
    void *arg;
    struct audit_record *record; /* NULL: a change without a record (tokens, last-used times) */
    bool alters_rights;          /* bumps the store's generation */
    bool needs_savepoint;        /* the change may fail after it has written something */
};

/* Closes intents left open as outcome "unknown" (I2). clock NULL: clock_now_ms; tests give their own. */
status audit_open(struct store *s, int64_t (*now_ms)(void), struct audit **out, struct error *err);
void audit_close(struct audit *a);
DEFINE_CLEANUP_PTR(struct audit, audit_close)
#define cleanup_audit CLEANUP(audit_close_cleanup)

/* Blocks until the work is durable or failed. CODE_AUDIT_UNAVAILABLE when the transaction could not be committed (then
 * nothing of it happened) or the deadline passed before the work was begun. */
status audit_commit(struct audit *a, struct audit_work *work, struct deadline d, struct error *err);

/* Walks the log in the store: chain, gaps, columns against lines, head. *first_bad is 0 when all is well; else the
 * result is OK all the same, and err->text says what is wrong there. *count: good records before it. */
status audit_verify(struct db *db, int64_t *count, int64_t *first_bad, struct error *err);

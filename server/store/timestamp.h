/* SPDX-License-Identifier: Apache-2.0 */
/* The timestamp authority: itself, its keys and certificates, the serial numbers that servers have taken, counters. */
#pragma once

#include "server/store/store.h"

struct timestamp_authority {
    bool is_disabled;
    char disabled_reason[TEXT_SIZE];
    int version; /* of the key that signs; 0: none */
    int64_t created_ms;
    int64_t revision; /* 1 when made; grows with each change */
};
/* CODE_NOT_FOUND when none was made. */
status timestamp_authority_find(struct db *db, struct timestamp_authority *out, struct error *err);
status timestamp_authority_insert(struct db *db, const struct timestamp_authority *a,
                                  struct error *err); /* CODE_CONFLICT: there is one */
status timestamp_authority_update(struct db *db, struct timestamp_authority *a, struct error *err); /* next revision */

enum timestamp_key_state { TIMESTAMP_KEY_PENDING, TIMESTAMP_KEY_ACTIVE, TIMESTAMP_KEY_RETIRED };
const char *timestamp_key_state_name(enum timestamp_key_state state);
struct timestamp_key {
    int version;
    enum timestamp_key_state state;
    enum key_type type;
    uint8_t hsm_id[20]; /* CKA_ID */
    struct buf spki;
    char hsm_attributes[TEXT_SIZE]; /* JSON as read back at generation (I3) */
    char subject[TEXT_SIZE];
    struct buf certificate; /* DER; empty while pending */
    struct buf chain;       /* DER of the issuers, one behind the other, the nearest first */
    int64_t created_ms;
};
void timestamp_key_clear(struct timestamp_key *k);
#define cleanup_timestamp_key CLEANUP(timestamp_key_clear)
status timestamp_key_insert(struct db *db, const struct timestamp_key *k, struct error *err);
/* state, subject, certificate and chain; a certificate that is replaced is kept. */
status timestamp_key_update(struct db *db, const struct timestamp_key *k, int64_t now_ms, struct error *err);
status timestamp_key_find(struct db *db, int version, struct timestamp_key *out, struct error *err);
/* The one that waits for a certificate; CODE_NOT_FOUND. */
status timestamp_key_find_pending(struct db *db, struct timestamp_key *out, struct error *err);
status timestamp_key_list(struct db *db, status (*each)(void *arg, const struct timestamp_key *k), void *arg,
                          struct error *err);
/* Oldest first. */
status timestamp_certificate_list(struct db *db,
                                  status (*each)(void *arg, int version, struct slice certificate, int64_t replaced_ms),
                                  void *arg, struct error *err);

/* Takes count numbers from *first on, which nobody else gets, and marks that now_ms was reached. CODE_CONFLICT when a
 * time later than now_ms + tolerance_ms has been reached before. */
status timestamp_serials_take(struct db *db, int64_t count, int64_t now_ms, int64_t tolerance_ms, int64_t *first,
                              struct error *err);
/* Forgets which time was reached. */
status timestamp_clock_reset(struct db *db, struct error *err);

struct timestamp_usage {
    int64_t granted, refused;
};
status timestamp_usage_add(struct db *db, int64_t when_ms, const struct timestamp_usage *u, struct error *err);
status timestamp_usage_find(struct db *db, int64_t when_ms, struct timestamp_usage *day, struct timestamp_usage *total,
                            struct error *err);

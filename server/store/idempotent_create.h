/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of creates that carried an Idempotency-Key. One is as good as gone when it is a day old. */
#pragma once

#include "server/store/store.h"

struct idempotent_create {
    char principal_id[ID_SIZE], idempotency_key[LIMIT_IDEMPOTENCY_KEY + 1];
    uint8_t request_sha256[32];
    char target_id[ID_SIZE]; /* the object that was made */
    struct buf answer;       /* JSON; empty: it held a secret */
    int64_t created_ms;
};
void idempotent_create_clear(struct idempotent_create *c);
#define cleanup_idempotent_create CLEANUP(idempotent_create_clear)

status idempotent_create_find(struct db *db, const char *principal_id, const char *key, int64_t now_ms,
                              struct idempotent_create *out, struct error *err); /* CODE_NOT_FOUND */
/* In the place of one that is a day old, too; CODE_CONFLICT for a younger one. Removes a few old ones. */
status idempotent_create_insert(struct db *db, const struct idempotent_create *c, struct error *err);

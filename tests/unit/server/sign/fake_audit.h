/* SPDX-License-Identifier: Apache-2.0 */
/* A link seam: audit_commit without the audit log. Each work is one real transaction of the store; records are kept in
 * memory, and the tests say which of them cannot be written. */
#pragma once

#include <pthread.h>

#include "server/audit/audit.h"

enum fake_record { RECORD_INTENT, RECORD_OUTCOME };
enum { FAKE_RECORDS = 64 };

struct kept_record { /* copies of what the tests look at; "" for NULL */
    char type[32], outcome[16], reason[400], key[128], key_id[64], principal[64], mechanism[16], hash[16];
    char digest[160], signature_sha256[72], detail[160], program[64];
    int64_t seq, intent;
};

struct audit {
    struct store *store;
    pthread_mutex_t lock;
    struct kept_record records[FAKE_RECORDS];
    int count;
    int64_t next_seq;
    int fail[2];                                 /* how many of the next intents, outcomes cannot be committed */
    void (*before)(void *arg, const char *type); /* at entry of audit_commit, outside the transaction; may be NULL */
    void *before_arg;
    void (*behind)(void *arg, const char *type); /* after the transaction; may be NULL */
    void *behind_arg;
    int run_twice; /* how many of the next works are run, rolled back and run again */
};
struct audit *fake_audit_new(struct store *store);
void fake_audit_free(struct audit *a);
void fake_audit_fail_next(struct audit *a, enum fake_record what);
const struct kept_record *fake_audit_last(const struct audit *a);

/* SPDX-License-Identifier: Apache-2.0 */
/* One transaction for many works: all of a batch becomes durable together, or nothing of it happens (I1, I2). */
#pragma once

#include "server/audit/line.h"
#include "server/audit/open_intents.h"

struct node { /* one caller of audit_commit; lives on its stack while it waits */
    struct audit_work *work;
    struct error *err;
    struct error own_err;      /* when the caller gave none */
    struct audit_record given; /* the record as the caller gave it, for running the work again */
    status result;
    bool failed; /* its own work failed: result and err are set, it takes no further part */
    struct node *next;
};

struct log_writer {
    struct store *store;
    int64_t (*now_ms)(void);
    struct log_server place; /* of this server; open_from as stored */
    int64_t session;         /* of the writer's connection, for which the place is held */
    struct line line;
    struct open_intents open, open_next; /* as committed; as the running batch would have it */
    /* of the running batch */
    struct record_head head;
    int64_t open_from_next;
    int64_t opened, closed; /* by the running work: intents; 0 none */
};

/* Begins a transaction of the writer, with a place in log_server for its session. */
status log_writer_begin(struct log_writer *w, struct db *db, struct error *err);

/* Closes what this server, or one that is gone, left open: outcome "unknown", counted as failed (I2). For audit_open:
 * goes through audit_commit. */
status open_intents_settle(struct audit *a, struct log_writer *w, struct error *err);

/* Commits the works of the list and sets every node's result. Called by one thread at a time. */
void batch_run(struct log_writer *w, struct node *first);

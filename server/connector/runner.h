/* SPDX-License-Identifier: Apache-2.0 */
/* Does the jobs of the store's table, one at a time, in a thread of its caller. A job is taken with a lease before
 * anything is sent, and what makes a second request the same one is durable by then: after a kill -9 this or another
 * server goes on. The certificate, its record and the job's end are one transaction. */
#pragma once

#include "server/audit/audit.h"
#include "server/connector/connector.h"

struct runner;

struct runner_config {
    struct store *store;
    struct audit *audit;
    struct hsm *hsm;            /* the default one */
    const struct hsm_set *hsms; /* all, hsm too; NULL: there is no other */
    struct builtin_ca builtin;
    bool is_alone; /* no other server shares the store: leases found are of a dead one */
};
status runner_new(const struct runner_config *config, struct runner **out, struct error *err);
void runner_free(struct runner *r);
DEFINE_CLEANUP_PTR(struct runner, runner_free)

/* Takes the job that is due first, and goes as far with it as it can be gone now. *did: there was one. A job that
 * fails is OK: the failure is in its row. */
status runner_step(struct runner *r, bool *did, struct error *err);
/* Life cycle: jobs for certificates that are to be renewed, notices of those that end, old jobs removed. Bounded: *more
 * tells that there is more to do. */
status runner_scan(struct runner *r, bool *more, struct error *err);

/* Waits until runner_wake, runner_stop or the time-out. False after runner_stop. */
bool runner_wait(struct runner *r, int64_t timeout_ms);
void runner_wake(struct runner *r);
void runner_stop(struct runner *r);

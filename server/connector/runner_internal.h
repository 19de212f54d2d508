/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the runner. */
#pragma once

#include <pthread.h>

#include "server/connector/chain.h"
#include "server/connector/runner.h"

enum { RUNNER_SESSIONS = 32 };

struct runner_session { /* between two polls */
    char job_id[ID_SIZE];
    const struct connector_ops *ops;
    void *session;
};

struct runner {
    struct runner_config config;
    char id[ID_SIZE]; /* of the leases */
    struct runner_session sessions[RUNNER_SESSIONS];
    size_t next_session; /* the place that is given up when all are taken */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_woken;
    atomic_bool is_stopped;
};

/* A job with all it takes. */
struct runner_work {
    struct job job;
    struct connector_row row;
    struct connector_settings settings;
    struct signing_key key; /* the version concerned; its id is "" for a test */
    struct hsm *hsm;        /* that has the key; the default one where it does not sign */
    EVP_PKEY *evp_key;
    X509_NAME *name;
    X509 *current;
    int reason; /* of a revocation */
    void *session;
    struct connector_call call;
};
void runner_work_clear(struct runner_work *w);
#define cleanup_runner_work CLEANUP(runner_work_clear)
/* Connector, key and call of w->job. */
status runner_work_load(struct runner *r, struct runner_work *w, struct error *err);
/* Asks the connector. */
status runner_work_do(struct runner_work *w, struct connector_answer *out, struct error *err);
/* The certificate of the key among those that came, judged; of a test: what is to be known. */
status runner_answer_judge(struct runner_work *w, struct connector_answer *answer, struct certificate_chain *out,
                           struct error *err);

/* A reading connection for one look. */
status runner_read(struct runner *r, status (*look)(struct db *db, void *arg, struct error *err), void *arg,
                   struct error *err);
/* A change without a record. */
status runner_change(struct runner *r, audit_change change, void *arg, struct error *err);

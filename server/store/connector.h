/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of connectors and of the jobs that the servers do for them. What they mean is server/connector's. */
#pragma once

#include "server/store/store.h"

/* ---- connector.c */
#define CONNECTOR_BUILTIN "con_builtin" /* these two are always there */
#define CONNECTOR_MANUAL "con_manual"
struct connector_row {
    char id[ID_SIZE], name[NAME_SIZE], type[NAME_SIZE];
    struct buf settings; /* a JSON object */
    int64_t revision;    /* 1 when made; grows with each update */
    int64_t created_ms;
};
void connector_row_clear(struct connector_row *r);
#define cleanup_connector_row CLEANUP(connector_row_clear)
status connector_insert(struct db *db, const struct connector_row *r, struct error *err); /* CODE_CONFLICT: the name */
status connector_find(struct db *db, const char *id_or_name, struct connector_row *out, struct error *err);
status connector_update(struct db *db, const struct connector_row *r, struct error *err); /* settings */
/* With its finished jobs. CODE_CONFLICT: a signing key has it, or a job is under way. */
status connector_delete(struct db *db, const char *id, struct error *err);
status connector_list(struct db *db, struct page page, status (*each)(void *arg, const struct connector_row *r),
                      void *arg, struct error *err);

/* ---- job.c */
enum job_kind { JOB_ENROLL, JOB_RENEW, JOB_REVOKE, JOB_TEST, JOB_KINDS };
enum job_state { JOB_QUEUED, JOB_RUNNING, JOB_WAITING, JOB_DONE, JOB_FAILED, JOB_STATES };
const char *job_kind_name(enum job_kind kind);
const char *job_state_name(enum job_state state);
extern const char *const job_kind_words[], *const job_state_words[]; /* NULL-ended */

struct job {
    char id[ID_SIZE];
    enum job_kind kind;
    char connector_id[ID_SIZE], connector_name[NAME_SIZE];
    char key_id[ID_SIZE];         /* "": none */
    char key_name[2 * NAME_SIZE]; /* "project:label", as read */
    int version;
    char subject[TEXT_SIZE]; /* "": as the certificate before, or the key's name */
    int days;                /* 0: what the CA gives */
    enum job_state state;
    int attempts;
    int64_t next_ms;
    char lease_owner[ID_SIZE];
    int64_t lease_until_ms;
    struct buf transaction; /* text of the protocol's own; of a revocation: which */
    char last_error[TEXT_SIZE + 1];
    struct buf result; /* JSON; empty: none */
    char requested_by[ID_SIZE];
    int64_t created_ms, finished_ms;
};
void job_clear(struct job *j);
#define cleanup_job CLEANUP(job_clear)
/* Queued, next_ms now, with its transaction. CODE_CONFLICT: the key version has one that is not finished. */
status job_insert(struct db *db, const struct job *j, struct error *err);
status job_find(struct db *db, const char *id, struct job *out, struct error *err);
/* Knows state and type (the kind). key_id NULL: all. The order is that of the ids. */
status job_list(struct db *db, const char *key_id, struct page page, status (*each)(void *arg, const struct job *j),
                void *arg, struct error *err);
/* The one that is due first: queued or waiting, or running with a lease that has ended. CODE_NOT_FOUND: none. */
status job_find_due(struct db *db, int64_t now_ms, struct job *out, struct error *err);
/* Takes it: running, one attempt more, with the lease and transaction of j. CODE_CONFLICT: another server was first. */
status job_take(struct db *db, const struct job *j, int64_t now_ms, struct error *err);
/* Makes the transaction of a job that this server holds durable. */
status job_keep(struct db *db, const struct job *j, struct error *err);
/* Ends every lease: for a store that no other server shares. */
status job_release_all(struct db *db, struct error *err);
/* state, attempts, next_ms, transaction, last_error, result and finished_ms of j; the lease ends. CODE_CONFLICT when
 * the job is not j->lease_owner's any more. */
status job_settle(struct db *db, const struct job *j, struct error *err);
/* Ends what is under way for a version's next certificate: whoever works on it finds its lease gone. */
status job_end_enrolment(struct db *db, const char *key_id, int version, const char *why, int64_t now_ms,
                         struct error *err);
/* By an administrator: state, next_ms, finished_ms and last_error of a job that is not running. */
status job_set_state(struct db *db, const struct job *j, struct error *err);
status job_count(struct db *db, int64_t counts[JOB_STATES], struct error *err); /* by state */
/* Removes finished ones beyond the newest `keep`, and those that ended before a time. */
status job_prune(struct db *db, int64_t before_ms, int64_t keep, struct error *err);

/* ---- certificate_end.c: certificates of current versions, by the time they end */
struct certificate_end {
    char key_id[ID_SIZE], project_name[NAME_SIZE], label[NAME_SIZE];
    char connector[ID_SIZE], source[ID_SIZE];
    int version, renew_before_days, notified_days;
    int64_t not_after_ms;
    struct buf certificate;
};
/* Of active and disabled keys, those that are not revoked and end by `until_ms`, soonest first, then by key, at most
 * limit: the ones behind `after_ms` and `after_key`. */
struct certificate_end_filter {
    int64_t until_ms, after_ms;
    const char *after_key; /* NULL: from the first of after_ms */
    const char *member_id; /* NULL: all; else keys of projects where this principal has a role now */
    int limit;
};
status certificate_end_list(struct db *db, const struct certificate_end_filter *filter,
                            status (*each)(void *arg, const struct certificate_end *e), void *arg, struct error *err);
struct certificate_end_count {
    int64_t ending;  /* by until_ms */
    int64_t expired; /* of these, by now */
};
status certificate_end_count(struct db *db, const char *member_id, int64_t now_ms, int64_t until_ms,
                             struct certificate_end_count *out, struct error *err);
status certificate_end_set_notified(struct db *db, const char *key_id, int version, int days, struct error *err);
/* Reads the end of at most `limit` certificates whose row does not tell it. */
status certificate_end_fill(struct db *db, int limit, int64_t *changed, struct error *err);

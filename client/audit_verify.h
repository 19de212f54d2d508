/* SPDX-License-Identifier: Apache-2.0 */
/* Offline verification of an exported audit log (I7): each record's own hash, the chain, the numbers without a gap.
 * Needs nothing but the lines, one at a time, as they were exported. */
#pragma once

#include <stdint.h>

#include "common/buf.h"

enum audit_fault {
    AUDIT_MALFORMED,    /* no record: seq is 0 when it cannot be read */
    AUDIT_CHANGED,      /* the record is not what its hash says */
    AUDIT_REPLACED,     /* the record after it was chained to another one */
    AUDIT_MISSING,      /* seq to last_seq */
    AUDIT_OUT_OF_ORDER, /* stands behind a later one */
    AUDIT_REPEATED,     /* stands twice */
    AUDIT_TRUNCATED,    /* seq to last_seq are missing at the end, by the head that was to be reached */
    AUDIT_HEAD_DIFFERS, /* the record at the head is not the expected one */
};

struct audit_finding {
    enum audit_fault fault;
    int64_t seq;
    int64_t last_seq; /* seq when it is one record */
    int64_t line;     /* where it was seen, from 1; 0 at the end */
};
typedef void audit_finding_fn(void *user, const struct audit_finding *finding);
/* "record 7 was changed", "records 3 to 5 are missing". */
void audit_finding_format(const struct audit_finding *f, char out[160]);

struct audit_head {
    int64_t seq;
    char record_hash[65];
};

struct audit_verifier;
/* Each finding is told once, as soon as it is certain. NULL when out of memory. */
struct audit_verifier *audit_verifier_new(audit_finding_fn *tell, void *user);
void audit_verifier_free(struct audit_verifier *v);
DEFINE_CLEANUP_PTR(struct audit_verifier, audit_verifier_free)
#define cleanup_audit_verifier CLEANUP(audit_verifier_free_cleanup)

/* Before the first record: what the log must reach, from a source that is trusted more than the lines. */
void audit_verifier_expect(struct audit_verifier *v, const struct audit_head *head);
/* One record without its newline. Failures are of this machine (memory), never of the record. */
status audit_verifier_add(struct audit_verifier *v, struct slice line, struct error *err);
/* Tells what is missing; the number of findings altogether. */
int64_t audit_verifier_finish(struct audit_verifier *v);
int64_t audit_verifier_count(const struct audit_verifier *v);          /* records seen */
struct audit_head audit_verifier_last(const struct audit_verifier *v); /* the highest seen; seq 0: none */

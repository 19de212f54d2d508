/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of `chancery doctor`: doctor_local.c looks at this machine, doctor_remote.c asks the server. */
#pragma once

#include "cli/cli.h"

enum verdict { FINDING_GOOD, FINDING_NOTE, FINDING_BAD, FINDING_SKIPPED };

struct finding {
    enum verdict verdict;
    char text[400];
    char advice[400]; /* "" when there is nothing to do */
};

/* What earlier checks have reached; a bit set. */
enum doctor_state {
    DOCTOR_CONFIGURED = 1,
    DOCTOR_REACHED = 2,
    DOCTOR_IDENTIFIED = 4,
    DOCTOR_LISTED = 8,
    DOCTOR_SIGNED = 16
};

struct doctor {
    struct cli *cli;
    struct client *client; /* of cli */
    unsigned reached;
    struct client_probe probe;
    const struct client_keys *keys;
    const struct client_key *key; /* that signed */
    struct sign_input input;
    uint8_t digest[32];
    struct buf signature;
};

/* On success the finding holds what was found; it may be a note. On failure err tells, and advice may be set. */
typedef status (*doctor_check)(struct doctor *d, struct finding *f, struct error *err);
struct doctor_step {
    const char *name;
    unsigned needs;
    doctor_check run;
};

status doctor_configuration(struct doctor *d, struct finding *f, struct error *err);
status doctor_files(struct doctor *d, struct finding *f, struct error *err);
status doctor_server(struct doctor *d, struct finding *f, struct error *err);
status doctor_clock(struct doctor *d, struct finding *f, struct error *err);
status doctor_credential(struct doctor *d, struct finding *f, struct error *err);
status doctor_version(struct doctor *d, struct finding *f, struct error *err);
status doctor_keys(struct doctor *d, struct finding *f, struct error *err);
status doctor_certificates(struct doctor *d, struct finding *f, struct error *err);
status doctor_signature(struct doctor *d, struct finding *f, struct error *err);
status doctor_verification(struct doctor *d, struct finding *f, struct error *err);

/* What to do when this check failed with this code; never empty. */
const char *doctor_advice(const char *check, enum code code);
void finding_note(struct finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void finding_say(struct finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void finding_advise(struct finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

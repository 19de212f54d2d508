/* SPDX-License-Identifier: Apache-2.0 */
/* CAs beside the server: one by the openssl program, an EST server in front of it, and openssl's CMP server. All are
 * ended by pid when the test program ends. */
#pragma once

#include <sys/types.h>

#include "world.h"

struct peers {
    struct world *w;
    char dir[128]; /* of the CA: see tests/support/ca/test-ca */
    pid_t est, cmp, tls;
    int est_port, cmp_port, tls_port;
};
/* The CA; no server yet. */
void peers_open(struct peers *p, struct world *w);
void peers_close(struct peers *p);
/* Runs `test-ca` or another program by the shell, in the CA's directory; fails the test when it fails. */
void peers_run(struct peers *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The status of such a program. */
int peers_try(struct peers *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
void peers_write(struct peers *p, const char *name, const char *text, mode_t mode);
/* How many lines a file has; 0 when there is none. */
int peers_lines(struct peers *p, const char *name);

void peers_est_start(struct peers *p);
/* openssl cmp -port with these arguments more; the one before is ended. */
void peers_cmp_start(struct peers *p, const char *arguments);
void peers_cmp_stop(struct peers *p);

/* Connectors "est" and "cmp" of these servers. The CMP server need not run. */
void peers_est_connector(struct peers *p, const char *name);
void peers_cmp_connector(struct peers *p, const char *name, const char *more);
/* The same CMP server by https: through tests/support/ca/tls_proxy.py. After peers_cmp_connector. */
void peers_cmp_tls_connector(struct peers *p, const char *name);

/* Takes steps until no job is due, then asks for the job. state is what it has now. */
void job_run(struct world *w);
const char *job_state(struct world *w, const char *id); /* answer has the job */
/* CSR of a key by the API, signed by the CA: <label>.pem in its directory. */
void peers_issue(struct peers *p, const char *key, const char *label, const char *section);
/* certificates[i] of the key as PEM: <name>.pem in the CA's directory. False when there is none. */
bool peers_certificate(struct peers *p, const char *key, size_t i, const char *name);

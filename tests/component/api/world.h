/* SPDX-License-Identifier: Apache-2.0 */
/* The whole server behind its listener: real store, audit log, SoftHSM and CA, driven through http_route_in_memory.
 * Every answer is held against docs/openapi.yaml. */
#pragma once

#include "../hsm/fixture.h"

#include "openapi.h"
#include "seen.h"
#include "server/api/api.h"

/* What certificates name for CRLs and OCSP. */
#define PUBLIC_URL "http://pki.example.org"

/* Who calls: users with an API key each, of whom four are members of the project demo. */
enum who { NOBODY, ADMIN, AUDITOR, OWNER, SIGNER, APPROVER, STRANGER, WHO_COUNT };

struct world {
    struct fixture hsm;
    struct hsm_set *hsms; /* where a test has several: hsm's is one of them */
    struct faults *faults;
    struct store *store;
    struct audit *audit;
    struct signer *signer;
    struct ca *ca;
    struct tsa *tsa;
    struct runner *runner; /* without a thread: a test takes its steps */
    struct api api;
    struct identity_cache *identities;
    struct http_config http;
    struct json *document;
    struct principal users[WHO_COUNT];
    struct buf credentials[WHO_COUNT];
    char project_id[ID_SIZE];
    int signed_count; /* calls of the HSM's sign */
    FILE *seen;       /* seen.h */
    struct error err;
    char secret_key_file[128], tls_root[128];
    const char *address; /* of the client; NULL: 192.0.2.7 */
    /* of the last call */
    struct http_exchange x;
    struct json *answer; /* NULL when the body is not JSON */
};

/* Group set-up and tear-down of a test program; state is a struct world. The project demo exists, without keys. */
int world_open(void **state);
int world_close(void **state);

struct call {
    enum who who;
    const char *bearer; /* instead of who's */
    const char *method, *target;
    struct slice body;
    const char *content_type; /* NULL: application/json when there is a body */
    const char *headers[4];
    const char *address; /* NULL: the world's */
};
/* Status of the answer; fails the test when the document knows no such answer. */
int world_call(struct world *w, const struct call *call);
/* The common case. body may be NULL. */
int world_ask(struct world *w, enum who who, const char *method, const char *target, const char *body);
/* The same with formatted target, or formatted body. */
int world_get(struct world *w, enum who who, const char *format, ...) __attribute__((format(printf, 3, 4)));
int world_post(struct world *w, enum who who, const char *target, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#define assert_status(w, call, expected) world_assert_status((w), (call), (expected), __FILE__, __LINE__)
void world_assert_status(struct world *w, int status, int expected, const char *file, int line);
/* The last answer is a problem with this code whose detail has this text in it (NULL: any). */
#define assert_problem(w, code, part) world_assert_problem((w), (code), (part), __FILE__, __LINE__)
void world_assert_problem(struct world *w, enum code code, const char *part, const char *file, int line);

const char *answer_text(const struct world *w, const char *name); /* "" when there is none */
/* A header of the last answer; "" when there is none. Valid until the next call. */
const char *answer_header(const struct world *w, const char *name);

/* Makes a signing key of the project demo; its id. */
void world_key(struct world *w, const char *label, const char *type, char id[ID_SIZE]);
/* A request body for a SHA-256 digest of 32 equal bytes. */
void digest_body(const char *mechanism, uint8_t byte, struct buf *out);
int world_sign(struct world *w, enum who who, const char *key, const char *body);
int64_t world_head(struct world *w); /* seq of the newest audit record */
/* The last record of the log as JSON; freed by the caller. */
struct json *world_last_record(struct world *w);
/* The row of api_tables that a target meets; NULL when none. */
const struct route *route_of(const char *method, const char *target);

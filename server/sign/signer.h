/* SPDX-License-Identifier: Apache-2.0 */
/* The signing path (DESIGN §3): find key, policy at use, idempotency, INTENT durable, HSM, verify, OUTCOME and usage
 * durable, reply. */
#pragma once

#include "common/signature.h"
#include "server/audit/audit.h"
#include "server/auth/auth.h"
#include "server/hsm/hsm.h"

struct signer;

/* The HSM as the signer sees it, so that tests can put a fake in its place. */
struct signer_hsm {
    status (*sign)(void *hsm, const uint8_t id[20], enum key_type type, const struct sign_input *in, struct deadline d,
                   struct buf *signature, struct error *err);
    /* What sign is given for the HSM of this name; NULL: there is none. Without it, all keys are in hsm. */
    void *(*find)(void *hsms, const char *name);
    void *hsm; /* or what find is given */
};
struct signer_config {
    struct store *store;
    struct audit *audit;
    struct signer_hsm hsm;
    bool verify_all; /* verify EC and Edwards signatures too; RSA always */
};
status signer_new(const struct signer_config *config, struct signer **out, struct error *err);
void signer_free(struct signer *s);

/* 16 to LIMIT_IDEMPOTENCY_KEY characters of A-Z a-z 0-9 _ -; signer_sign refuses others, too. */
bool idempotency_key_is_valid(const char *key);

enum { SIGN_CONTEXT_MAX = 16 };
struct sign_order {
    const char *key; /* key id as asked for, or "project:label" */
    int version;     /* that is to sign; 0: the current one */
    struct sign_input input;
    const char *idempotency_key;       /* NULL: none */
    const char *program, *host, *user; /* self-asserted; NULL: not said */
    struct sign_context {              /* what else the client says, such as a build's number */
        const char *name, *value;
    } context[SIGN_CONTEXT_MAX];
    size_t context_count;
    const char *client_address, *request_id;
};
struct sign_result {
    struct buf signature;
    int version;
    int64_t intent_seq, outcome_seq;
};
void sign_result_clear(struct sign_result *r);
#define cleanup_sign_result CLEANUP(sign_result_clear)

/* Refusals are recorded; an unknown key and one without rights answer alike (CODE_NOT_FOUND). I1–I6. */
status signer_sign(struct signer *s, const struct principal *who, const struct sign_order *order, struct deadline d,
                   struct sign_result *out, struct error *err);

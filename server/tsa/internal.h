/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. */
#pragma once

#include <openssl/ts.h>
#include <pthread.h>
#include <stdio.h>
#include <stdatomic.h>

#include "common/openssl_scope.h"
#include "common/json.h"
#include "server/tsa/tsa.h"

DEFINE_CLEANUP_PTR(TS_REQ, TS_REQ_free)
DEFINE_CLEANUP_PTR(TS_RESP, TS_RESP_free)
DEFINE_CLEANUP_PTR(TS_RESP_CTX, TS_RESP_CTX_free)
DEFINE_CLEANUP_PTR(ASN1_OBJECT, ASN1_OBJECT_free)
DEFINE_CLEANUP_PTR(BIO, BIO_free_all)
#define cleanup_ts_req CLEANUP(TS_REQ_free_cleanup)
#define cleanup_ts_resp CLEANUP(TS_RESP_free_cleanup)
#define cleanup_ts_resp_ctx CLEANUP(TS_RESP_CTX_free_cleanup)
#define cleanup_asn1_object CLEANUP(ASN1_OBJECT_free_cleanup)
#define cleanup_bio CLEANUP(BIO_free_all_cleanup)

static inline void certificates_free(STACK_OF(X509) * certificates)
{
    sk_X509_pop_free(certificates, X509_free);
}
DEFINE_CLEANUP_PTR(STACK_OF(X509), certificates_free)
#define cleanup_certificates CLEANUP(certificates_free_cleanup)

/* Why there is no token: a PKIFailureInfo bit (TS_INFO_…) and a text for the client; code for those inside. */
struct refusal {
    int failure;
    char text[320];
};
/* Always false: `return refuse(r, TS_INFO_BAD_ALG, "…")`. */
bool refuse(struct refusal *r, int failure, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The TimeStampResp that says so. */
status refusal_encode(const struct refusal *r, struct buf *reply, struct error *err);

/* ---- query.c: one TimeStampReq, well-formed and of a kind that is served. Borrows der. */
struct query {
    struct slice der;
    TS_REQ *req;
    enum hash hash;
    struct slice digest;
};
void query_clear(struct query *q);
#define cleanup_query CLEANUP(query_clear)
bool query_read(struct slice der, struct query *out, struct refusal *r);
/* The policy it asks for is this one, or it asks for none. */
bool query_policy(const struct query *q, const ASN1_OBJECT *policy, struct refusal *r);

/* ---- clock.c: readings that may be attested */
struct time_keeper {
    pthread_mutex_t lock;
    struct timespec last; /* attested by this server */
};
/* A time not before any that was given out; false when it cannot be trusted. */
bool time_take(struct tsa *t, struct timespec *out, struct refusal *r);
bool time_judge(const struct tsa_config *c, const struct tsa_reading *reading, struct refusal *r);
void time_forget(struct tsa *t); /* what was attested before no longer binds */

/* ---- serial.c: numbers from a range that is taken from the store */
enum { SERIAL_LEN = 16 };
struct serial_range {
    pthread_mutex_t lock;
    int64_t next, end;
    int64_t until_ms; /* monotonic: then a new one is taken, which also marks the time */
};
bool serial_take(struct tsa *t, struct timespec now, struct deadline d, uint8_t out[SERIAL_LEN], struct refusal *r);
void serial_drop(struct tsa *t); /* the next number comes from a new range */

/* ---- usage.c */
void usage_count(struct tsa *t, bool granted);
void usage_flush(struct tsa *t); /* at the end */

/* ---- authority.c: key and certificate as the store has them now */
struct authority {
    pthread_mutex_t lock;
    int64_t revision; /* 0: nothing is loaded */
    X509 *certificate;
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
    const EVP_MD *digest; /* for its signatures */
};
/* Puts signer, key and chain into ctx (NULL: only judges). */
bool authority_use(struct tsa *t, TS_RESP_CTX *ctx, struct refusal *r);
void authority_drop(struct authority *a);

/* ---- token.c */
struct stamp {
    struct timespec at;
    uint8_t serial[SERIAL_LEN];
};
/* The TimeStampResp for the query, with time and number as they stand in it; false: r says why there is none. */
bool token_make(struct tsa *t, const struct query *q, struct deadline d, struct stamp *stamp, struct buf *reply,
                struct refusal *r);

/* ---- relay.c, relay_answer.c */
struct relay;
status relay_new(const struct tsa_config *c, struct relay **out, struct error *err);
void relay_free(struct relay *relay);
/* served: the URL of who answered. */
bool relay_ask(struct relay *r, const struct query *q, struct deadline d, struct buf *reply, const char **served,
               struct refusal *why);
bool relay_upstream(struct relay *relay, size_t i, struct tsa_upstream *out);
/* The answer is to this query: status granted, imprint, nonce, policy; with anchors also the signature, when the query
 * asked for the certificate. *refused: an honest refusal of the query, not a fault of the server. */
bool relay_answer_check(const struct query *q, struct slice answer, X509_STORE *anchors, bool *refused,
                        struct refusal *r);

/* ---- chain.c: DER certificates one behind the other */
status chain_decode(struct slice der, STACK_OF(X509) * *out, struct error *err);
status chain_append(X509 *crt, struct buf *der, struct error *err);

struct tsa {
    struct tsa_config config;
    char *policy_text;
    ASN1_OBJECT *policy;
    struct authority authority;
    struct time_keeper time;
    struct serial_range serials;
    _Atomic int64_t granted, refused; /* not yet in the store */
    _Atomic int64_t flush_at_ms;      /* monotonic */
    struct relay *relay;              /* NULL: the server is the authority */
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Timestamps after RFC 3161. Either the server is the authority: key in the HSM, certificate and serial numbers in the
 * store; or it hands queries on to outside authorities, one after the other, and checks what comes back. No token
 * leaves while the clock cannot be trusted. */
#pragma once

#include "common/clock.h"
#include "server/audit/audit.h"
#include "server/hsm/hsm.h"
#include "server/store/timestamp.h"

struct tsa;

/* What is known of the clock at one moment. */
struct tsa_reading {
    struct timespec now;  /* CLOCK_REALTIME */
    bool is_synchronised; /* the kernel says so */
    bool is_leap;         /* inside a leap second: the time has no unique name */
    int64_t maximum_error_us, estimated_error_us;
};
typedef void (*tsa_clock)(void *arg, struct tsa_reading *out);
/* ntp_adjtime(2) and CLOCK_REALTIME. arg is not used. */
void tsa_clock_kernel(void *arg, struct tsa_reading *out);

struct tsa_config {
    struct store *store;
    struct audit *audit;
    struct hsm *hsm;
    const char *policy; /* OID, dotted */
    int64_t accuracy_ms;
    bool checks_clock;      /* false: whatever the kernel says of the clock */
    int64_t clock_error_ms; /* most that the kernel may say it is wrong */
    bool records_all;       /* an audit record for each token */
    tsa_clock clock;        /* NULL: the kernel's */
    void *clock_arg;
    /* Outside authorities in the order in which they are asked; none: the server is the authority. */
    const char *const *relay;
    size_t relay_count;
    int64_t relay_interval_ms; /* between two queries to the same one */
    int64_t relay_timeout_ms;  /* for one answer */
    struct slice relay_ca;     /* PEM: roots that their tokens must lead to; len 0: tokens' signatures are not judged */
    struct slice relay_tls_ca; /* PEM: roots for https; len 0: the system's */
};
/* CODE_CONFIGURATION names the option that is wrong. Slices and texts are copied. */
status tsa_new(const struct tsa_config *config, struct tsa **out, struct error *err);
/* Before the HSM is closed. */
void tsa_free(struct tsa *t);
DEFINE_CLEANUP_PTR(struct tsa, tsa_free)
#define cleanup_tsa CLEANUP(tsa_free_cleanup)

struct tsa_caller {
    const char *address, *request_id; /* NULL: none */
};
/* The DER TimeStampResp for a DER TimeStampReq, whatever that is: refusals are answers, too. Fails only for lack of
 * memory and when no refusal can be made. Threads may call at once. */
status tsa_answer(struct tsa *t, struct slice query, const struct tsa_caller *who, struct deadline d, struct buf *reply,
                  struct error *err);

/* Why a token cannot be issued at this moment; OK when it can. No token is made. */
status tsa_check(struct tsa *t, struct error *err);
/* Counted by this server and not yet in the store. */
struct timestamp_usage tsa_uncounted(struct tsa *t);
const struct tsa_config *tsa_config_of(const struct tsa *t);

struct tsa_upstream {
    const char *url;
    bool is_open; /* not asked for a while, after failures */
    int failures; /* one after the other */
    int64_t granted;
};
bool tsa_upstream_get(struct tsa *t, size_t i, struct tsa_upstream *out); /* false behind the last one */

/* ---- the authority's certificate */

/* A certification request (PKCS#10, DER) that asks for a critical sole EKU timeStamping; signed by the key. subject is
 * an encoded name. */
status tsa_request_make(struct hsm *h, const uint8_t hsm_id[HSM_ID_LEN], X509_NAME *subject, struct buf *der,
                        struct error *err);
/* Certificates in PEM, in any order, at most TSA_CERTIFICATES_MAX: that of the key, and those that lead to a root,
 * which is among them. CODE_INVALID says what is wrong: nobody's key, no chain, a usage that RFC 3161 §2.3 does not
 * allow, expired, strangers among them. leaf: DER; chain: DER of the issuers, one behind the other, the nearest first.
 */
enum { TSA_CERTIFICATES_MAX = 16 };
status tsa_certificates_read(struct slice pem, struct slice spki, struct buf *leaf, struct buf *chain,
                             struct error *err);
/* The rules for the leaf alone: critical sole EKU timeStamping, no CA, in its time. */
status tsa_certificate_check(struct slice der, struct error *err);

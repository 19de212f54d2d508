/* SPDX-License-Identifier: Apache-2.0 */
/* Ways to get a certificate for a key in the HSM, behind one vtable. A connector is asked by the runner (runner.h),
 * never by the thread of a request, because its answer may take days. Proof of possession is made with the key in the
 * HSM. */
#pragma once

#include <openssl/x509.h>
#include <stdatomic.h>

#include "common/json.h"
#include "common/openssl_scope.h"
#include "server/hsm/hsm.h"
#include "server/store/connector.h"

static inline void certificates_free(STACK_OF(X509) * s)
{
    sk_X509_pop_free(s, X509_free);
}
DEFINE_CLEANUP_PTR(STACK_OF(X509), certificates_free)
#define cleanup_certificates CLEANUP(certificates_free_cleanup)

struct connector_ops;

/* What a connector's row and the files that it names say. Secrets are read when they are used, and wiped (I8). */
struct connector_settings {
    const struct connector_ops *ops;
    char url[TEXT_SIZE];
    char trust_file[TEXT_SIZE];                         /* PEM: anchors of the CA's answers and of its certificates */
    char tls_trust_file[TEXT_SIZE];                     /* PEM: anchors of the server's TLS certificate */
    char secret_file[TEXT_SIZE], reference[TEXT_SIZE];  /* CMP: shared secret and the name it goes by */
    char username[TEXT_SIZE], password_file[TEXT_SIZE]; /* EST */
    char certificate_file[TEXT_SIZE], key_file[TEXT_SIZE];    /* PEM: of the client */
    char recipient[TEXT_SIZE], issuer[TEXT_SIZE], request[8]; /* CMP */
    int64_t days, timeout_s;
    bool implicit_confirm;
};

/* What the built-in CAs do for the layer beside them. */
struct builtin_order {
    struct slice spki;
    const char *subject;
    int days;       /* 0: the CA's default */
    const char *ca; /* "": the default one */
};
struct builtin_issued {
    struct buf certificate; /* DER */
    char ca[NAME_SIZE];     /* which of them it was */
};
struct builtin_ca {
    void *ca;
    status (*issue)(void *ca, const struct builtin_order *order, struct deadline d, struct builtin_issued *out,
                    struct error *err);
    /* Of the CA of this name ("": the default one): its certificate first, the root last, DER one behind the other. */
    status (*chain)(void *ca, const char *name, struct buf *out, struct error *err);
    /* Subject as text and days of a certificate that this CA would issue again. */
    status (*settings)(struct slice certificate, char *subject, size_t size, int *days, struct error *err);
    status (*subject_name)(const char *text, X509_NAME **out, struct error *err);
    /* In the transaction that gives a certificate to its key: id, version, certificate and certificate_ca of it. */
    status (*keep)(struct db *db, const struct signing_key *key, struct error *err);
};

/* One thing that is asked. */
struct connector_call {
    const struct connector_settings *settings;
    const struct builtin_ca *builtin;
    OSSL_LIB_CTX *libctx;
    EVP_PKEY *key; /* its private half is in the HSM; NULL for a test */
    enum key_type type;
    struct slice spki;
    const char *subject; /* "" : see name */
    const X509_NAME *name;
    int days;           /* 0: the CA's own */
    const char *ca;     /* of the built-in ones: whose certificate the key has; "": none */
    X509 *current;      /* that is renewed or revoked; NULL */
    struct slice known; /* the chain of that one, DER one behind the other: it was believed before */
    int reason;         /* of a revocation: CRLReason */
    struct deadline deadline;
    const atomic_bool *is_stopping; /* the server ends: give up what waits; NULL: never */
    struct buf *transaction;        /* durable: what prepare put there */
    void **session;                 /* of this process: what lies between two polls; freed by ops->session_free */
};

struct connector_answer {
    int64_t wait_ms;               /* > 0: nothing yet, ask again after that */
    STACK_OF(X509) * certificates; /* all that came, in any order */
    char ca[NAME_SIZE];            /* the built-in CA that issued, which has the chain; "": it was another */
    struct buf result;             /* of a test: JSON */
};
void connector_answer_clear(struct connector_answer *a);
#define cleanup_connector_answer CLEANUP(connector_answer_clear)

enum {
    CONNECTOR_ENROLLS = 1, /* without a person in between */
    CONNECTOR_RENEWS = 2,
    CONNECTOR_REVOKES = 4,
    CONNECTOR_TESTS = 8,
    CONNECTOR_ANSWER_MAX = 256 * 1024,
};

/* Errors: CODE_UNAVAILABLE, CODE_TIMEOUT, CODE_HSM_UNAVAILABLE may be tried again; all others end the job. */
struct connector_ops {
    const char *name;
    unsigned capabilities;                       /* a function without its bit may be NULL */
    const char *const *fields, *const *required; /* settings it knows; those it cannot do without; NULL-ended */
    status (*check)(const struct connector_settings *s,
                    struct error *err); /* what the fields do not say; may be NULL */
    /* Before anything is sent: fills call->transaction with what makes a repeated request the same one. May be NULL. */
    status (*prepare)(const struct connector_call *call, struct error *err);
    status (*enroll)(const struct connector_call *call, struct connector_answer *out, struct error *err);
    status (*poll)(const struct connector_call *call, struct connector_answer *out, struct error *err);
    status (*renew)(const struct connector_call *call, struct connector_answer *out, struct error *err);
    status (*revoke)(const struct connector_call *call, struct error *err);
    /* The CA's certificates, where they can be asked for. */
    status (*chain)(const struct connector_call *call, STACK_OF(X509) * *out, struct error *err);
    status (*test)(const struct connector_call *call, struct connector_answer *out, struct error *err);
    void (*session_free)(void *session);
};
extern const struct connector_ops connector_builtin, connector_cmp, connector_est, connector_manual;
extern const struct connector_ops *const connector_types[]; /* NULL-ended */
const struct connector_ops *connector_type_find(const char *name);

/* Strictly: fields of the type and no others. CODE_INVALID names the field. Files are looked at, too. */
status connector_settings_parse(const char *type, const struct json *settings, struct connector_settings *out,
                                struct error *err);
status connector_settings_read(const struct connector_row *row, struct connector_settings *out, struct error *err);
/* The certificates of a PEM file; NULL for "". */
status connector_trust_read(const char *path, STACK_OF(X509) * *out, struct error *err);

/* ---- csr.c */
/* PKCS#10 (RFC 2986), signed by the key; DER. */
status csr_make(EVP_PKEY *key, enum key_type type, const X509_NAME *name, struct buf *der, struct error *err);
/* What is asked of a CA: key usage and extended key usage of a leaf for code signing. NULL when out of memory. */
X509_EXTENSIONS *csr_extensions(void);
/* ---- revocation.c: the transaction of a job that revokes */
status revocation_order_write(int reason, struct slice certificate, struct buf *out, struct error *err);
status revocation_order_read(const char *order, int *reason, struct buf *certificate, struct error *err);

/* code, with OpenSSL's reason in the detail; or why the HSM did not sign. */
status connector_failure(enum code code, const char *what, struct error *err);

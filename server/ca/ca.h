/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in CAs: their keys live in the HSM, everything else is rows of the store. Each call reads what it needs as
 * it is now, so that several servers on one store agree. No reader of the store may be held across a call. */
#pragma once

#include <openssl/x509.h>

#include "server/audit/audit.h"
#include "server/ca/profile.h"
#include "server/hsm/hsm.h"
#include "server/store/ca.h"

struct ca;

#define CA_ROOT_NAME "root"
#define CA_ISSUING_NAME "issuing" /* where nobody names another */

struct ca_config {
    struct hsm *hsm;
    struct store *store;
    struct audit *audit;    /* NULL: then it makes no CRLs and no OCSP responders */
    const char *public_url; /* of the listener without TLS, for CRL and OCSP locations; NULL or "": none are written */
};

/* Generates root and issuing key (P-384) and their certificates, and stores them (once, at init). */
status ca_create(struct hsm *h, struct db *db, const char *organisation, const char *public_url, struct error *err);
/* Checks that the issuing CA's key is there, where its HSM answers, and that its chain fits. Texts are borrowed. */
status ca_open(const struct ca_config *config, struct ca **out, struct error *err);
void ca_close(struct ca *ca);
DEFINE_CLEANUP_PTR(struct ca, ca_close)
#define cleanup_ca CLEANUP(ca_close_cleanup)

/* "": none. */
const char *ca_public_url(const struct ca *ca);

/* ---- issuing */

struct ca_request {
    struct slice spki;
    const char *subject;     /* RFC 4514-like "CN=…,O=…,C=…" */
    int days;                /* 0: the profile's default; at most the profile's and the CA's most */
    enum ca_profile profile; /* 0: a code-signing leaf */
    const char *ca;          /* NULL or "": CA_ISSUING_NAME */
};
/* Everything of out but key_id and version. The caller puts it into the store in the transaction of the change that
 * uses it, or the certificate is never given out. CODE_INVALID names what is wrong with the subject; CODE_NOT_FOUND: no
 * such CA; CODE_CONFLICT: it is retired, waits for its certificate, or does not issue this profile. */
status ca_issue(struct ca *ca, const struct ca_request *request, struct deadline d, struct issued_certificate *out,
                struct error *err);
/* What a certificate says, as issued_certificate has it; for those that were issued before there were rows for them. */
status ca_issued_describe(struct slice certificate, struct issued_certificate *out, struct error *err);
/* What to ask for to get another one like this: subject as text (size bytes), and days. CODE_INVALID when this CA would
 * not issue it. */
status ca_settings(struct slice certificate, char *subject, size_t size, int *days, struct error *err);
/* Judges a subject without issuing. */
status ca_subject_check(const char *subject, struct error *err);
/* The same as a name, for a certification request; freed by the caller. */
status ca_subject_name(const char *subject, X509_NAME **out, struct error *err);

/* Rows for certificates that were issued before there were rows for them; at start. */
status ca_backfill(struct ca *ca, struct error *err);

/* ---- chains */

enum { CA_CHAIN_MOST = 8 };
/* Of one CA: its own certificate first, the root last; DER, one behind the other as `at` says. */
struct ca_chain {
    char name[NAME_SIZE];
    size_t count;
    struct buf certificates[CA_CHAIN_MOST];
};
struct ca_chains {
    struct ca_chain *items;
    size_t count;
};
/* Of every CA that has a certificate. */
status ca_chains_load(struct ca *ca, struct ca_chains *out, struct error *err);
void ca_chains_clear(struct ca_chains *c);
/* name "": CA_ISSUING_NAME. NULL: there is none. */
const struct ca_chain *ca_chain_find(const struct ca_chains *c, const char *name);

/* ---- more CAs: authority_make.c */

struct ca_order {
    const char *name, *subject;
    const char *parent; /* NULL: somebody outside certifies it; the CA waits for the certificate */
    enum ca_purpose purpose;
    enum key_type key_type;
    int days;           /* 0: the profile's default */
    const char *policy; /* OID; NULL: none */
    int leaf_days, crl_days;
};
/* Makes the key, and the certificate where the parent is here: row is for ca_row_insert, issued (profile "" when there
 * is none) for issued_certificate_insert. */
status ca_make(struct ca *ca, const struct ca_order *order, struct deadline d, struct ca_row *row,
               struct issued_certificate *issued, struct error *err);
/* After a commit that failed: takes the key out of the HSM again when no row has it. */
void ca_make_abandon(struct ca *ca, const struct ca_row *row);
/* A PKCS#10 request (RFC 2986) for the CA's key and subject. */
status ca_csr(struct ca *ca, const char *name, struct deadline d, struct buf *der, struct error *err);
/* certificates: PEM (any number, in any order) or DER of one; root: the same or empty. Finds the one of this CA's key,
 * sorts those above it, verifies up to the root, which must be among them, and puts certificate and chain into row.
 * CODE_INVALID says what does not fit, and row is as it was. findings: notes, one a line. */
status ca_certificate_take(struct ca *ca, struct ca_row *row, struct slice certificates, struct slice root,
                           struct buf *findings, struct error *err);

/* ---- revocation (RFC 5280 §5.3.1) */

/* "key_compromise", "superseded", …; NULL for a code that is none. */
const char *ca_reason_name(int reason);
bool ca_reason_parse(const char *name, int *out);
/* The names, separated by ", ". */
const char *ca_reason_names(void);

/* ---- what those who verify fetch */

struct ca_crl {
    struct buf der;
    int64_t this_ms, next_ms;
    int64_t fresh_until_ms; /* a new one is made then */
};
void ca_crl_clear(struct ca_crl *c);
#define cleanup_ca_crl CLEANUP(ca_crl_clear)
/* The CA's CRL, a new one when there was a revocation or half of its time is over. Where that cannot be made the one
 * there is, as long as it is in its time. CODE_NOT_FOUND: no such CA. */
status ca_crl_get(struct ca *ca, const char *name, struct deadline d, struct ca_crl *out, struct error *err);

enum { OCSP_REQUEST_MOST = 4096 };
struct ocsp_answer {
    struct buf der;
    int64_t max_age_s; /* 0: not to be kept */
    int64_t this_ms, next_ms;
};
void ocsp_answer_clear(struct ocsp_answer *a);
#define cleanup_ocsp_answer CLEANUP(ocsp_answer_clear)
/* RFC 6960. Whatever is wrong with the request is said by an OCSP response; CODE_NOT_FOUND: no such CA. */
status ca_ocsp(struct ca *ca, const char *name, struct slice request, struct deadline d, struct ocsp_answer *out,
               struct error *err);

/* Server TLS: a software root and a P-256 server certificate for the names ("127.0.0.1", "localhost", …), PEM each. */
status tls_certificate_create(const char *const *names, size_t count, struct buf *root_pem, struct buf *root_key_pem,
                              struct buf *cert_pem, struct buf *key_pem, struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate authorities, the certificates they issued, and their OCSP responders: ca.c, issued_certificate.c. */
#pragma once

#include "server/store/store.h"

enum ca_purpose { CA_ROOT, CA_CODE_SIGNING, CA_TIMESTAMPING, CA_PURPOSE_COUNT };
enum ca_state { CA_ACTIVE, CA_AWAITING_CERTIFICATE, CA_RETIRED, CA_STATE_COUNT };
const char *ca_purpose_name(enum ca_purpose p);
bool ca_purpose_parse(const char *name, enum ca_purpose *out);
const char *ca_state_name(enum ca_state s);
bool ca_state_parse(const char *name, enum ca_state *out);

enum { CA_LEAF_DAYS_MOST = 460, CA_CRL_DAYS = 7 };

struct ca_row {
    char name[NAME_SIZE];   /* "root", "issuing", … */
    char parent[NAME_SIZE]; /* "": itself, or somebody outside */
    enum ca_purpose purpose;
    enum ca_state state;
    uint8_t hsm_id[20];
    char subject[TEXT_SIZE]; /* as asked for, while it waits for its certificate */
    struct buf certificate;  /* DER; empty while it waits for one */
    struct buf chain;        /* of a parent outside: DER, one behind the other */
    char policy[64];         /* OID of certificatePolicies in what it issues; "": none */
    int leaf_days, crl_days; /* at most; until nextUpdate. 0 when inserted: the defaults */
    int64_t created_ms, revision;
    int64_t revocations;
    /* of its CRL, which is read by ca_crl_find */
    int64_t crl_number, crl_revocations, crl_this_ms, crl_next_ms;
};
void ca_row_clear(struct ca_row *r);
#define cleanup_ca_row CLEANUP(ca_row_clear)
status ca_row_insert(struct db *db, const struct ca_row *r, struct error *err);
status ca_row_find(struct db *db, const char *name, struct ca_row *out, struct error *err);
/* In the order of their names. Knows name and state. */
status ca_row_list(struct db *db, struct page page, status (*each)(void *arg, const struct ca_row *r), void *arg,
                   struct error *err);
/* state, certificate, chain, policy and days; the revision grows. */
status ca_row_update(struct db *db, const struct ca_row *r, struct error *err);
status ca_crl_find(struct db *db, const char *name, struct buf *der, struct error *err);
/* CODE_CONFLICT unless r->crl_number is the next one: another server was faster. */
status ca_crl_store(struct db *db, const struct ca_row *r, struct slice der, struct error *err);
/* The CKA_IDs of all CAs and OCSP responders. */
status ca_key_list(struct db *db, status (*each)(void *arg, const uint8_t hsm_id[20]), void *arg, struct error *err);

#define SERIAL_SIZE 41 /* 20 bytes in hex (RFC 5280 §4.1.2.2), NUL */
struct issued_certificate {
    char ca[NAME_SIZE], serial[SERIAL_SIZE]; /* hex, upper case, as OpenSSL writes it */
    char profile[24];
    char key_id[ID_SIZE]; /* the signing key; "": another use */
    int version;
    char subject[TEXT_SIZE];
    int64_t not_before_ms, not_after_ms, issued_ms;
    int64_t revoked_ms; /* 0: is not */
    int reason;         /* CRLReason */
    int64_t invalid_ms;
    struct buf certificate; /* DER */
};
void issued_certificate_clear(struct issued_certificate *c);
#define cleanup_issued_certificate CLEANUP(issued_certificate_clear)
status issued_certificate_insert(struct db *db, const struct issued_certificate *c, struct error *err);
status issued_certificate_find(struct db *db, const char *ca, const char *serial, struct issued_certificate *out,
                               struct error *err);
/* Without the certificate's bytes: for OCSP. */
status issued_certificate_status(struct db *db, const char *ca, const char *serial, struct issued_certificate *out,
                                 struct error *err);
/* In the order of their serials. expires_before_ms 0: any. Knows state: "valid", "revoked", "expired", "expiring" is
 * the caller's word for valid and before expires_before_ms. */
struct issued_filter {
    const char *ca;
    const char *state; /* NULL: any */
    int64_t now_ms, expires_before_ms;
};
status issued_certificate_list(struct db *db, const struct issued_filter *filter, struct page page,
                               status (*each)(void *arg, const struct issued_certificate *c), void *arg,
                               struct error *err);
/* The revoked ones of a CA, expired ones too, for its CRL; without the certificates' bytes. */
status issued_certificate_list_revoked(struct db *db, const char *ca,
                                       status (*each)(void *arg, const struct issued_certificate *c), void *arg,
                                       struct error *err);
/* Those of a key's version that are not revoked. */
status issued_certificate_list_key(struct db *db, const char *key_id, int version,
                                   status (*each)(void *arg, const struct issued_certificate *c), void *arg,
                                   struct error *err);
/* Certificates of CAs here that have no row: ca, key_id, version, profile and certificate. */
status issued_certificate_list_missing(struct db *db, status (*each)(void *arg, const struct issued_certificate *c),
                                       void *arg, struct error *err);
/* revoked_ms, reason, invalid_ms. The CA's revocations grow, and the key's version is marked where this is its present
 * certificate. CODE_CONFLICT: it is revoked already. */
status issued_certificate_revoke(struct db *db, const struct issued_certificate *c, struct error *err);

struct ocsp_responder {
    char ca[NAME_SIZE];
    uint8_t hsm_id[20];
    struct buf certificate;
    int64_t renew_ms;
};
void ocsp_responder_clear(struct ocsp_responder *r);
#define cleanup_ocsp_responder CLEANUP(ocsp_responder_clear)
status ocsp_responder_find(struct db *db, const char *ca, struct ocsp_responder *out, struct error *err);
/* Inserts, or replaces the certificate. CODE_CONFLICT: another key is there. */
status ocsp_responder_store(struct db *db, const struct ocsp_responder *r, struct error *err);

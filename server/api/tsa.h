/* SPDX-License-Identifier: Apache-2.0 */
/* The timestamp authority as administrators see and change it. */
#pragma once

#include "server/api/change.h"

struct tsa_order {
    enum key_type type; /* KEY_TYPE_NONE: not said */
    bool is_external;   /* the certificate will come from an outside CA */
    char subject[TEXT_SIZE];
    int days;           /* 0: the CA's default */
    char ca[NAME_SIZE]; /* that issues it; "": one for timestamping, which is made when there is none */
};

struct tsa_change {
    struct change change;
    struct timestamp_authority authority; /* as it is after the change */
    struct timestamp_key key;             /* that is made, or gets a certificate */
    struct timestamp_key active;          /* that signed before */
    struct issued_certificate issued;     /* profile "": none was */
    const char *text;                     /* reason, or certificates in PEM */
    struct {
        int version;
        uint8_t hsm_id[20];
    } retired[2]; /* their private keys go when this is durable */
    size_t retired_count;
};
void tsa_change_clear(struct tsa_change *c);
#define cleanup_tsa_change CLEANUP(tsa_change_clear)

/* tsa_key.c: keys in the HSM and their certificates */
status tsa_order_parse(struct tsa_order *o, struct request *req, bool needs_type, struct error *err);
/* Version, pair and, unless the CA is an outside one, certificate of c->key. Nothing is left in the HSM after a
 * failure. */
status tsa_key_make(struct api *api, struct request *req, struct tsa_change *c, struct tsa_order *o, struct error *err);
/* After a commit that failed. */
void tsa_key_abandon(struct api *api, const struct timestamp_key *key);
void tsa_retired_destroy(struct api *api, const struct tsa_change *c);
/* In the transaction: this key signs no more. */
status tsa_key_retire(struct db *db, struct tsa_change *c, struct timestamp_key *key, struct error *err);
/* What an order does not say is as with the present certificate. */
status tsa_order_like(const struct timestamp_key *key, struct tsa_order *o, struct error *err);
/* The certificate of key, by the built-in CA; c->issued has its row. */
status tsa_certificate_issue(struct api *api, struct request *req, struct tsa_change *c, struct timestamp_key *key,
                             struct tsa_order *o, struct error *err);

/* tsa_ca.c: puts the name of a CA for timestamping into o->ca, which is made below the root when there is none. */
status tsa_ca_choose(struct api *api, struct request *req, struct tsa_order *o, struct error *err);

/* tsa_view.c */
void tsa_key_render(struct json_writer *w, const char *name, const struct timestamp_key *key);
status tsa_view_answer(struct api *api, struct response *res, struct error *err);

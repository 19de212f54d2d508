/* SPDX-License-Identifier: Apache-2.0 */
/* What the files about CAs share. */
#pragma once

#include "server/api/caller.h"
#include "server/api/change.h"

struct ca_change {
    struct change change;
    struct ca_row row;
    struct issued_certificate issued; /* of the CA itself */
    const char *asked;                /* name of the path */
    const char *public_url;
};
void ca_change_clear(struct ca_change *c);
#define cleanup_ca_change CLEANUP(ca_change_clear)

/* In the transaction or before it: the CA of the path as it is, judged by If-Match. */
status ca_change_load(struct db *db, struct ca_change *c, struct error *err);
status ca_render(struct json_writer *w, const struct ca_row *row, const char *public_url, struct error *err);
status ca_answer(struct response *res, const struct ca_row *row, const char *public_url, struct error *err);
/* The certificate as an object: what issued_certificate has of it. */
void issued_render(struct json_writer *w, const struct issued_certificate *c);

/* ca_certificate.c, ca_issued.c */
status ca_csr_get(void *api, struct request *req, struct response *res, struct error *err);
status ca_crl_show(void *api, struct request *req, struct response *res, struct error *err);
status ca_certificate_put(void *api, struct request *req, struct response *res, struct error *err);
status ca_issued_list_get(void *api, struct request *req, struct response *res, struct error *err);
status ca_issued_revoke(void *api, struct request *req, struct response *res, struct error *err);

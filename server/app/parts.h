/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the server, opened in the order of their layers and closed in the reverse. */
#pragma once

#include "server/api/api.h"
#include "server/config/config.h"

struct parts {
    struct store *store;
    struct hsm_set *hsms;
    struct hsm *hsm; /* the default one of them */
    struct audit *audit;
    struct signer *signer;
    struct identity_cache *identities;
    struct ca *ca;
    struct tsa *tsa;
    struct runner *runner;
};

/* Store, HSM and log: what init needs. SOFTHSM2_CONF is set from the configuration before the module is loaded. */
status parts_open_base(struct parts *p, const struct config *c, struct error *err);
/* Signer, CA, timestamps and runner of jobs on top. public_url lives as long as the parts. */
status parts_open_service(struct parts *p, const struct config *c, const char *public_url, struct error *err);
void parts_close(struct parts *p);
#define cleanup_parts CLEANUP(parts_close)

/* Certificate and key as PEM; the key must be private to us. */
status tls_read(const struct config *c, struct buf *certificate_pem, struct buf *key_pem, struct error *err);
status log_open_configured(const struct config *c, struct error *err);

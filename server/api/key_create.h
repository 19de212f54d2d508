/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/projects/{project}/keys, in two files: what is asked for (key_order.c), and the making (key_create.c). */
#pragma once

#include "server/api/key_material.h"

enum { RENEW_BEFORE_DAYS_DEFAULT = 30, RENEW_BEFORE_DAYS_MOST = 120 };

struct key_order {
    char label[NAME_SIZE];
    enum key_type type;
    unsigned hashes, mechanisms;
    const char *hsm; /* its name; NULL: the default one */
    struct key_certificate_order certificate;
    bool is_later; /* the HSM makes it only when it is activated */
};
/* Reads and judges the whole body; nothing has been touched yet. project is its name. */
status key_order_parse(struct key_order *order, struct request *req, const char *project, struct error *err);

status key_create(void *api, struct request *req, struct response *res, struct error *err);
/* What a key of order->type is used with when nothing else is said. */
void key_order_defaults(struct key_order *order);
/* order->label is set; certificate may be NULL: the default. */
status key_order_certificate(struct key_order *order, const struct json *certificate, const char *project,
                             struct error *err);
/* The label is not taken; the store's own constraint decides between two at once. */
status key_label_check_free(struct api *api, const struct project *project, const struct key_order *order,
                            struct error *err);
/* A new key of this order, with an id, before the HSM was asked. */
status key_prepare(struct signing_key *key, const struct project *project, const struct key_order *order,
                   struct error *err);
/* POST /v1/projects/{project}/keys/import */
status key_import(void *api, struct request *req, struct response *res, struct error *err);
/* POST /v1/keys/{key}/activate */
status key_activate(void *api, struct request *req, struct response *res, struct error *err);

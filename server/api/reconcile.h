/* SPDX-License-Identifier: Apache-2.0 */
/* Store against HSM: what is only in one of them, and whose attributes are weaker than they were. */
#pragma once

#include "server/api/api.h"

struct reconcile_order {
    struct request *req; /* NULL: the server itself, at its start */
    bool accepts_loss;   /* keys become missing however many they are */
};
/* Compares, takes the steps `lose` and `find` of key_states.def, each with its record, and writes one record
 * hsm.reconcile. report is a JSON object (HsmReport of docs/openapi.yaml); it is also kept for GET. Keys that are not
 * concerned go on signing meanwhile. When more than a hundred and more than half of the keys in use are not found, none
 * becomes missing: it is rather the wrong token, and counts.withheld tells how many. */
status reconcile_run(struct api *api, const struct reconcile_order *order, struct deadline d, struct buf *report,
                     struct error *err);

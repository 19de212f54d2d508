/* SPDX-License-Identifier: Apache-2.0 */
/* An authenticated exchange: token, attempts, and one more try after a 401. */
#pragma once

#include "client/retry.h"
#include "client/state.h"

/* Fills request->authorization itself. Any HTTP answer but a transient one within the retries is OK. */
status exchange_run(struct client *c, const struct transport_request *request, struct retry retry,
                    struct transport_answer *answer, struct error *err);

/* The server contradicts the list of keys: forgets its age; public data on disk that stand for it are renewed now, as
 * the next process would believe them again. In keys.c. */
void keys_doubt(struct client *c, struct deadline d);

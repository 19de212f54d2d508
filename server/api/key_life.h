/* SPDX-License-Identifier: Apache-2.0 */
/* One step in the life of a signing key; the ways there are stand in server/store/key_states.def. */
#pragma once

#include "server/api/change.h"

struct key_step {
    struct change change;
    struct signing_key key; /* as it is after the step */
    const char *key_id;
    enum key_action action;
    const char *reason; /* NULL: none */
};
void key_step_clear(struct key_step *s);
#define cleanup_key_step CLEANUP(key_step_clear)

/* In the transaction: reads the key, compares its revision with If-Match, and judges that the step is possible. *to is
 * where it leads. Nothing is written. */
status key_step_judge(struct db *db, struct key_step *s, enum key_state *to, struct error *err);
/* change_rows: judges and takes the step. */
status key_step_rows(struct db *db, struct change *change, struct error *err);
/* Answers with the key. */
status key_answer(struct api *api, struct response *res, int status_code, const struct signing_key *key,
                  struct error *err);

status key_destroy(void *api, struct request *req, struct response *res, struct error *err);

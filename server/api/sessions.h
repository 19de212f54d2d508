/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a session, by its own request or another. */
#pragma once

#include "server/api/change.h"

#define SESSION_COOKIE_END "; Path=/; Secure; HttpOnly; SameSite=Strict"
#define SESSION_COOKIE_GONE SESSION_COOKIE "=; Max-Age=0" SESSION_COOKIE_END

struct session_change {
    struct change change;
    struct web_session session;
    char user_id[ID_SIZE], id[ID_SIZE]; /* to be ended */
};
void session_change_clear(struct session_change *c);
#define cleanup_session_change CLEANUP(session_change_clear)

/* c->id of c->user_id; CODE_NOT_FOUND. */
status session_end(struct session_change *c, struct api *api, struct request *req, const char *user_name,
                   struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* A browser: its cookie and CSRF token, as headers. */
#pragma once

#include "world.h"

struct browser {
    char cookie[128], csrf[128], id[ID_SIZE];
};
/* Takes cookie and token of the last answer, which opened the session. */
void browser_take(struct world *w, struct browser *b);
/* Opens a session with who's API key, or with name and password; the test fails where that is refused. */
void browser_open(struct world *w, enum who who, struct browser *b);
void browser_sign_in(struct world *w, const char *name, const char *password, struct browser *b);
/* A request in the session. csrf NULL: without its header. body may be NULL. */
int browser_ask_with(struct world *w, const struct browser *b, const char *csrf, const char *method, const char *target,
                     const char *body);
int browser_ask(struct world *w, const struct browser *b, const char *method, const char *target, const char *body);
/* One statement on the server's store, to let time pass. */
void world_sql(struct world *w, const char *sql);

/* SPDX-License-Identifier: Apache-2.0 */
#include "browser.h"

#include <stdio.h>
#include <string.h>

void browser_take(struct world *w, struct browser *b)
{
    const char *set = answer_header(w, "Set-Cookie");
    (void)snprintf(b->cookie, sizeof(b->cookie), "Cookie: theme=dark; %.*s", (int)strcspn(set, ";"), set);
    (void)snprintf(b->csrf, sizeof(b->csrf), "X-CSRF-Token: %s", answer_text(w, "csrf_token"));
    (void)snprintf(b->id, sizeof(b->id), "%s", answer_text(w, "id"));
}

void browser_open(struct world *w, enum who who, struct browser *b)
{
    assert_status(w, world_post(w, NOBODY, "/v1/session", "{\"api_key\":\"%s\"}", buf_text(&w->credentials[who])), 201);
    browser_take(w, b);
}

void browser_sign_in(struct world *w, const char *name, const char *password, struct browser *b)
{
    assert_status(w, world_post(w, NOBODY, "/v1/session", "{\"name\":\"%s\",\"password\":\"%s\"}", name, password),
                  201);
    browser_take(w, b);
}

int browser_ask_with(struct world *w, const struct browser *b, const char *csrf, const char *method, const char *target,
                     const char *body)
{
    const struct call call = {
        .method = method, .target = target, .body = slice_of_text(body ? body : ""), .headers = {b->cookie, csrf}};
    return world_call(w, &call);
}

int browser_ask(struct world *w, const struct browser *b, const char *method, const char *target, const char *body)
{
    return browser_ask_with(w, b, b->csrf, method, target, body);
}

static status sql_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    (void)record;
    return db_exec(db, arg, NULL, 0, NULL, err);
}

void world_sql(struct world *w, const char *sql)
{
    struct audit_work work = {.change = sql_rows, .arg = (void *)(uintptr_t)sql};
    assert_true(is_ok(audit_commit(w->audit, &work, deadline_in(10000), &w->err)));
}

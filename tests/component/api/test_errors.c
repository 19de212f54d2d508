/* SPDX-License-Identifier: Apache-2.0 */
/* Faults behind the API, at every route: a store that is away is 503, one whose schema is damaged is 500, and neither
 * answer tells more than its code. */
#include "world.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/encoding.h"

/* The API on a store of its own, with the same people in it. */
struct broken {
    char path[160];
    struct store *store;
    struct identity_cache *identities;
    struct api before;
};

static void sql(const char *path, const char *text)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void broken_begin(struct broken *b, struct world *w)
{
    char url[192], copy[512];
    (void)snprintf(b->path, sizeof(b->path), "%s/broken.db", w->hsm.dir);
    (void)snprintf(copy, sizeof(copy), "%s/chancery.db", w->hsm.dir);
    (void)snprintf(url, sizeof(url), "sqlite:%s", b->path);
    (void)unlink(b->path);
    char into[256];
    (void)snprintf(into, sizeof(into), "VACUUM INTO '%s'", b->path);
    sql(copy, into);
    assert_ok(w, store_open(url, &b->store, &w->err));
    assert_ok(w, identity_cache_new(&b->identities, &w->err));
    b->before = w->api;
    w->api.store = b->store;
    w->api.identities = b->identities;
}

static void broken_end(struct broken *b, struct world *w)
{
    w->api = b->before;
    identity_cache_free(b->identities);
    store_close(b->store);
    (void)unlink(b->path);
}

static void target_of(const struct route *r, char out[256])
{
    size_t n = 0;
    for (const char *p = r->pattern; *p; p++) {
        if (*p == '{') {
            static const char name[] = "demo";
            memcpy(out + n, name, sizeof(name) - 1);
            n += sizeof(name) - 1;
            p += strcspn(p, "}");
        } else {
            out[n++] = *p;
        }
    }
    out[n] = '\0';
}

/* Well formed up to its signature, so that the store is asked for the account's keys. */
static void assertion_make(struct buf *out)
{
    char claims[256];
    (void)snprintf(claims, sizeof(claims),
                   "{\"iss\":\"build\",\"sub\":\"build\",\"aud\":\"https://sign.example/v1/oauth/token\","
                   "\"iat\":%lld,\"exp\":%lld,\"jti\":\"0123456789abcdef0123\"}",
                   (long long)clock_now_ms() / 1000, (long long)clock_now_ms() / 1000 + 100);
    buf_add_text(out, "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=");
    base64url_encode(slice_of_text("{\"alg\":\"EdDSA\"}"), out);
    buf_add_text(out, ".");
    base64url_encode(slice_of_text(claims), out);
    buf_add_text(out, ".");
    base64url_encode(slice_of_text("0123456789012345678901234567890123456789012345678901234567890123"), out);
}

static void ask_every_route(struct world *w, enum code expected)
{
    char target[256];
    cleanup_buf struct buf assertion = {0}, login = {0};
    assertion_make(&assertion);
    buf_printf(&login, "{\"api_key\":\"%s\"}", buf_text(&w->credentials[ADMIN]));
    for (const struct route *const *table = api_tables; *table; table++) {
        for (const struct route *r = *table; r->method; r++) {
            bool is_token = strcmp(r->pattern, "/v1/oauth/token") == 0;
            bool is_login = strcmp(r->pattern, "/v1/session") == 0 && strcmp(r->method, "POST") == 0;
            if (strcmp(r->pattern, "/livez") == 0 || strcmp(r->pattern, "/readyz") == 0 ||
                strcmp(r->pattern, "/tsa") == 0) /* refuses in its own protocol */
                continue;
            target_of(r, target);
            const struct call call = {.who = is_token || is_login ? NOBODY : ADMIN,
                                      .method = r->method,
                                      .target = target,
                                      .body = is_token   ? buf_slice(&assertion)
                                              : is_login ? buf_slice(&login)
                                                         : slice_of_text(""),
                                      .content_type = is_token ? "application/x-www-form-urlencoded" : NULL};
            (void)world_call(w, &call);
            assert_problem(w, expected, NULL);
            assert_null(strstr(buf_text(&w->x.response_body), "sqlite"));
        }
    }
}

static void a_store_that_is_away_is_unavailable_at_every_route(void **state)
{
    struct world *w = *state;
    struct broken b;
    broken_begin(&b, w);
    assert_int_equal(unlink(b.path), 0);

    ask_every_route(w, CODE_UNAVAILABLE);
    assert_status(w, world_ask(w, NOBODY, "GET", "/readyz", NULL), 503);
    assert_status(w, world_ask(w, NOBODY, "GET", "/livez", NULL), 200);

    broken_end(&b, w);
}

static void a_damaged_schema_is_an_internal_error_at_every_route(void **state)
{
    struct world *w = *state;
    struct broken b;
    broken_begin(&b, w);
    sql(b.path, "DROP TABLE access_token; DROP TABLE assertion_id; DROP TABLE account_key; DROP TABLE api_key;"
                "ALTER TABLE principal RENAME TO gone");

    ask_every_route(w, CODE_INTERNAL);

    broken_end(&b, w);
}

/* Somebody holds the lock of the database: a change is given up in time, reading goes on. */
static void a_log_that_cannot_be_written_is_audit_unavailable(void **state)
{
    struct world *w = *state;
    char path[512];
    sqlite3 *db = NULL;
    (void)snprintf(path, sizeof(path), "%s/chancery.db", w->hsm.dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);

    (void)world_ask(w, ADMIN, "POST", "/v1/projects", "{\"name\":\"more\"}");
    assert_problem(w, CODE_AUDIT_UNAVAILABLE, NULL);
    assert_status(w, world_ask(w, ADMIN, "GET", "/v1/projects/more", NULL), 404);

    assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_status(w, world_ask(w, ADMIN, "POST", "/v1/projects", "{\"name\":\"more\"}"), 201);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_that_is_away_is_unavailable_at_every_route),
        cmocka_unit_test(a_log_that_cannot_be_written_is_audit_unavailable),
        cmocka_unit_test(a_damaged_schema_is_an_internal_error_at_every_route),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}

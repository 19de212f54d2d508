/* SPDX-License-Identifier: Apache-2.0 */
/* Approvals of what a service account asks: whoever manages the account by its team asks for himself. */
#include "world.h"

#include <stdio.h>
#include <string.h>

#define PEM                                                                                                            \
    "-----BEGIN PUBLIC KEY-----\\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\\n-----END PUBLIC "     \
    "KEY-----\\n"

static char id[ID_SIZE]; /* of the request made last */

static void guarded_key(struct world *w, const char *label, int needed, char key[ID_SIZE])
{
    char target[128], policy[64];
    world_key(w, label, "p256", key);
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/policy", key);
    (void)snprintf(policy, sizeof(policy), "{\"approval\":{\"needed\":%d}}", needed);
    assert_status(w, world_ask(w, OWNER, "PUT", target, policy), 200);
}

static int step(struct world *w, enum who who, const char *name)
{
    char target[128];
    (void)snprintf(target, sizeof(target), "/v1/approvals/%s/%s", id, name);
    return world_ask(w, who, "POST", target, "{}");
}

static size_t count_of(struct world *w, enum who who, const char *key)
{
    assert_status(w, world_get(w, who, "/v1/approvals?key=%s&to_decide=true", key), 200);
    return json_count(json_get(w->answer, "items"));
}

static struct buf token; /* of the account */

static status token_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    struct principal account;
    struct access_token row;
    (void)record;
    TRY(principal_find(db, arg, &account, err));
    TRY(access_token_make(account.id, clock_now_ms(), &token, &row, err));
    return access_token_insert(db, &row, err);
}

/* A service account that signs, managed by a team with the approver and an administrator in it. */
static void account_make(struct world *w)
{
    struct audit_work work = {.change = token_rows, .arg = (void *)(uintptr_t) "robot"};
    assert_status(w, world_post(w, ADMIN, "/v1/teams", "{\"name\":\"robots\"}"), 201);
    assert_status(w, world_post(w, ADMIN, "/v1/teams/robots/members", "{\"principal\":\"approver\"}"), 201);
    assert_status(w, world_post(w, ADMIN, "/v1/teams/robots/members", "{\"principal\":\"admin\"}"), 201);
    assert_status(w,
                  world_post(w, ADMIN, "/v1/service-accounts",
                             "{\"name\":\"robot\",\"team\":\"robots\",\"public_key\":\"" PEM "\"}"),
                  201);
    assert_status(w, world_post(w, OWNER, "/v1/projects/demo/members", "{\"principal\":\"robot\",\"role\":\"signer\"}"),
                  201);
    assert_true(is_ok(audit_commit(w->audit, &work, deadline_in(10000), &w->err)));
}

static void ask_as_account(struct world *w, const char *key, const char *more)
{
    char body[256];
    (void)snprintf(body, sizeof(body), "{\"key\":\"%s\",\"reason\":\"release 7\",%s}", key, more);
    const struct call call = {
        .bearer = buf_text(&token), .method = "POST", .target = "/v1/approvals", .body = slice_of_text(body)};
    assert_status(w, world_call(w, &call), 201);
    (void)snprintf(id, sizeof(id), "%.40s", answer_text(w, "id"));
}

static void nobody_decides_on_what_an_account_of_his_team_asks(void **state)
{
    struct world *w = *state;
    char key[ID_SIZE];
    guarded_key(w, "one", 1, key);
    ask_as_account(w, key, "\"count\":1");
    (void)step(w, APPROVER, "approve");
    assert_problem(w, CODE_FORBIDDEN, "his own team manages");
    (void)step(w, APPROVER, "deny");
    assert_problem(w, CODE_FORBIDDEN, "his own team manages");
    assert_int_equal(count_of(w, APPROVER, key), 0);
    assert_int_equal(count_of(w, OWNER, key), 1);
    assert_status(w,
                  world_post(w, ADMIN, "/v1/access/explain",
                             "{\"principal\":\"robot\",\"key\":\"%s\",\"mechanism\":\"ecdsa\",\"hash\":\"sha256\"}",
                             key),
                  200);
    assert_non_null(strstr(buf_text(&w->x.response_body), "members of the team that manages the account do not count"));
    assert_status(w, step(w, OWNER, "approve"), 200);
    assert_string_equal(answer_text(w, "state"), "approved");

    ask_as_account(w, key, "\"count\":1,\"break_glass\":true");
    (void)step(w, ADMIN, "approve");
    assert_problem(w, CODE_FORBIDDEN, "his own team manages");
    assert_status(w, step(w, OWNER, "approve"), 200);
    assert_string_equal(answer_text(w, "state"), "pending");
}

static void a_vote_is_lost_by_joining_the_team_that_manages_the_account(void **state)
{
    struct world *w = *state;
    char key[ID_SIZE];
    guarded_key(w, "two", 2, key);
    ask_as_account(w, key, "\"count\":1");
    assert_status(w, step(w, OWNER, "approve"), 200);
    assert_status(w, world_post(w, ADMIN, "/v1/teams/robots/members", "{\"principal\":\"owner\"}"), 201);
    assert_status(w, step(w, SIGNER, "approve"), 200);
    assert_string_equal(answer_text(w, "state"), "pending");
}

/* The signer and the owner are approvers, too. */
static int setup(void **state)
{
    (void)world_open(state);
    struct world *w = *state;
    static const char *const more[] = {"owner", "signer"};
    for (size_t i = 0; i < COUNT_OF(more); i++)
        assert_status(
            w,
            world_post(w, OWNER, "/v1/projects/demo/members", "{\"principal\":\"%s\",\"role\":\"approver\"}", more[i]),
            201);
    account_make(w);
    return 0;
}

static int teardown(void **state)
{
    buf_clear(&token);
    return world_close(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_decides_on_what_an_account_of_his_team_asks),
        cmocka_unit_test(a_vote_is_lost_by_joining_the_team_that_manages_the_account),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

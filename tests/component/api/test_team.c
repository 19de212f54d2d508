/* SPDX-License-Identifier: Apache-2.0 */
/* Teams, roles for a time, and who may effectively sign. */
#include "world.h"

#include <stdio.h>
#include <string.h>

static int setup(void **state)
{
    char id[ID_SIZE];

    (void)world_open(state);
    world_key(*state, "key", "p256", id);
    return world_post(*state, ADMIN, "/v1/teams", "{\"name\":\"builders\",\"description\":\"who builds\"}") == 201 ? 0
                                                                                                                   : -1;
}

static int sign(struct world *w, enum who who)
{
    cleanup_buf struct buf body = {0};

    digest_body("ecdsa", 1, &body);
    return world_sign(w, who, "demo:key", buf_text(&body));
}

static void team_takes(struct world *w, const char *principal)
{
    assert_status(w, world_post(w, ADMIN, "/v1/teams/builders/members", "{\"principal\":\"%s\"}", principal), 201);
    assert_string_equal(answer_text(w, "name"), principal);
}

static void team_leaves(struct world *w, const char *principal)
{
    char target[128];
    (void)snprintf(target, sizeof(target), "/v1/teams/builders/members/%s", principal);
    assert_status(w, world_ask(w, ADMIN, "DELETE", target, NULL), 204);
}

static void role_goes(struct world *w, const char *role, const char *principal)
{
    char target[128];
    (void)snprintf(target, sizeof(target), "/v1/projects/demo/members/%s/%s", role, principal);
    assert_status(w, world_ask(w, OWNER, "DELETE", target, NULL), 204);
}

static void i4_a_team_signs_while_it_is_named_and_its_members_while_they_are_in_it(void **state)
{
    struct world *w = *state;

    team_takes(w, "stranger");
    assert_status(w, sign(w, STRANGER), 404);
    assert_status(
        w, world_post(w, OWNER, "/v1/projects/demo/members", "{\"principal\":\"builders\",\"role\":\"signer\"}"), 201);
    assert_string_equal(answer_text(w, "type"), "team");
    assert_status(w, sign(w, STRANGER), 201);

    team_leaves(w, "stranger");
    assert_status(w, sign(w, STRANGER), 404);
    team_takes(w, "stranger");
    assert_status(w, sign(w, STRANGER), 201);
    role_goes(w, "signer", "builders");
    assert_status(w, sign(w, STRANGER), 404);
    team_leaves(w, "stranger");
}

static void a_member_of_an_owning_team_is_an_owner(void **state)
{
    struct world *w = *state;

    team_takes(w, "stranger");
    assert_status(
        w, world_post(w, ADMIN, "/v1/projects/demo/members", "{\"principal\":\"builders\",\"role\":\"owner\"}"), 201);
    assert_status(w, world_ask(w, STRANGER, "PATCH", "/v1/projects/demo", "{\"description\":\"d\"}"), 200);
    assert_status(w, world_get(w, STRANGER, "/v1/projects"), 200);
    assert_int_equal(json_count(json_get(w->answer, "items")), 1);
    role_goes(w, "owner", "builders");
    assert_status(w, world_ask(w, STRANGER, "PATCH", "/v1/projects/demo", "{\"description\":\"d\"}"), 404);
    team_leaves(w, "stranger");
}

static void window_of(int64_t not_before_ms, int64_t not_after_ms, char *out, size_t size)
{
    char from[TIME_TEXT_SIZE], until[TIME_TEXT_SIZE];
    time_format(not_before_ms, from);
    time_format(not_after_ms, until);
    (void)snprintf(out, size, "\"not_before\":\"%s\",\"not_after\":\"%s\"", from, until);
}

/* Nobody changes anything while the time passes. */
static void i4_a_role_begins_and_ends_by_itself(void **state)
{
    struct world *w = *state;
    char window[128];
    int64_t now_ms = clock_now_ms();
    enum { TRIES = 1500 };
    const struct timespec pause = {.tv_nsec = 20000000};

    window_of(now_ms + 700, now_ms + 3000, window, sizeof(window));
    assert_status(w,
                  world_post(w, OWNER, "/v1/projects/demo/members",
                             "{\"principal\":\"stranger\",\"role\":\"signer\",%s}", window),
                  201);
    int answer = 404;
    for (int i = 0; i < TRIES && answer == 404; i++) {
        answer = sign(w, STRANGER);
        (void)nanosleep(&pause, NULL);
    }
    assert_true(clock_now_ms() >= now_ms + 700);
    assert_status(w, answer, 201);
    for (int i = 0; i < TRIES && answer == 201; i++) {
        answer = sign(w, STRANGER);
        (void)nanosleep(&pause, NULL);
    }
    assert_true(clock_now_ms() >= now_ms + 3000);
    assert_status(w, answer, 404);
    role_goes(w, "signer", "stranger");
}

static const struct json *signer_named(struct world *w, const char *name)
{
    const struct json *items = json_get(w->answer, "items");
    for (size_t i = 0; i < json_count(items); i++) {
        if (strcmp(json_get_text(json_at(items, i), "name", ""), name) == 0)
            return json_at(items, i);
    }
    return NULL;
}

static void assert_signer(struct world *w, const char *name, const char *obstacle, size_t reasons)
{
    const struct json *s = signer_named(w, name);
    assert_non_null(s);
    assert_string_equal(json_get_text(s, "obstacle", ""), obstacle);
    assert_int_equal(json_bool(json_get(s, "may_sign"), false), !*obstacle);
    assert_int_equal(json_count(json_get(s, "reasons")), reasons);
}

static void effective_signers_are_listed_with_reasons_and_obstacles(void **state)
{
    struct world *w = *state;

    team_takes(w, "signer");
    team_takes(w, "stranger");
    assert_status(
        w, world_post(w, OWNER, "/v1/projects/demo/members", "{\"principal\":\"builders\",\"role\":\"signer\"}"), 201);
    assert_status(
        w,
        world_post(w, OWNER, "/v1/projects/demo/members",
                   "{\"principal\":\"approver\",\"role\":\"signer\",\"not_before\":\"2999-01-01T00:00:00Z\"}"),
        201);
    assert_status(w, world_ask(w, ADMIN, "POST", "/v1/users/stranger/disable", "{}"), 200);

    assert_status(w, world_get(w, OWNER, "/v1/projects/demo/effective-signers"), 200);
    assert_int_equal(json_count(json_get(w->answer, "items")), 3);
    assert_signer(w, "signer", "", 2);
    assert_signer(w, "stranger", "disabled", 1);
    assert_signer(w, "approver", "not_in_time", 1);
    const struct json *reason = json_at(json_get(signer_named(w, "stranger"), "reasons"), 0);
    assert_string_equal(json_get_text(reason, "by", ""), "team");
    assert_string_equal(json_get_text(reason, "team", ""), "builders");

    assert_status(w, world_ask(w, ADMIN, "POST", "/v1/users/stranger/enable", "{}"), 200);
    role_goes(w, "signer", "approver");
}

/* After the test before: signer directly and by team, stranger by team. */
static void effective_signers_are_paged_by_principal(void **state)
{
    struct world *w = *state;
    char next[64] = "";
    int seen = 0;

    for (int page = 0; page < 3; page++) {
        assert_status(
            w, world_get(w, OWNER, "/v1/projects/demo/effective-signers?limit=1%s%s", *next ? "&after=" : "", next),
            200);
        const struct json *items = json_get(w->answer, "items");
        assert_true(json_count(items) <= 1);
        seen += (int)json_count(items);
        if (signer_named(w, "signer"))
            assert_signer(w, "signer", "", 2);
        (void)snprintf(next, sizeof(next), "%s", answer_text(w, "next"));
        if (!*next)
            break;
    }
    assert_int_equal(seen, 2);
}

static const char *team_of(const struct json *role)
{
    return json_get_text(role, "team", "-");
}

/* After the tests before: signer directly and by team, stranger by team. */
static void roles_are_listed_with_the_team_they_come_by_in_pages(void **state)
{
    struct world *w = *state;
    char next[128];

    assert_status(w, world_get(w, ADMIN, "/v1/users/signer/roles"), 200);
    const struct json *items = json_get(w->answer, "items");
    assert_int_equal(json_count(items), 2);
    assert_string_equal(json_get_text(json_at(items, 0), "project", ""), "demo");
    assert_string_equal(json_get_text(json_at(items, 0), "role", ""), "signer");
    assert_string_equal(team_of(json_at(items, 0)), "-");
    assert_string_equal(team_of(json_at(items, 1)), "builders");

    assert_status(w, world_get(w, SIGNER, "/v1/users/signer/roles?limit=1"), 200);
    assert_string_equal(team_of(json_at(json_get(w->answer, "items"), 0)), "-");
    (void)snprintf(next, sizeof(next), "%s", answer_text(w, "next"));
    assert_status(w, world_get(w, SIGNER, "/v1/users/signer/roles?limit=1&after=%s", next), 200);
    assert_int_equal(json_count(json_get(w->answer, "items")), 1);
    assert_string_equal(team_of(json_at(json_get(w->answer, "items"), 0)), "builders");
    assert_string_equal(answer_text(w, "next"), "");
}

static void a_team_has_its_own_roles_and_a_user_is_no_team(void **state)
{
    struct world *w = *state;

    assert_status(w, world_get(w, ADMIN, "/v1/teams/builders/roles"), 200);
    const struct json *items = json_get(w->answer, "items");
    assert_int_equal(json_count(items), 1);
    assert_string_equal(json_get_text(json_at(items, 0), "role", ""), "signer");
    assert_string_equal(team_of(json_at(items, 0)), "-");
    assert_status(w, world_get(w, ADMIN, "/v1/teams/signer/roles"), 404);
    assert_status(w, world_get(w, ADMIN, "/v1/users/builders/roles"), 404);
    assert_status(w, world_get(w, ADMIN, "/v1/service-accounts/signer/roles"), 404);
}

static void explanation_tells_how_somebody_is_a_signer(void **state)
{
    struct world *w = *state;
    const char *reason = "";

    assert_status(
        w,
        world_post(w, OWNER, "/v1/access/explain",
                   "{\"principal\":\"stranger\",\"key\":\"demo:key\",\"mechanism\":\"ecdsa\",\"hash\":\"sha256\"}"),
        200);
    const struct json *steps = json_get(w->answer, "steps");
    for (size_t i = 0; i < json_count(steps); i++) {
        if (strcmp(json_get_text(json_at(steps, i), "rule", ""), "role") == 0) {
            assert_string_equal(json_get_text(json_at(steps, i), "verdict", ""), "allows");
            reason = json_get_text(json_at(steps, i), "reason", "");
        }
    }
    assert_string_equal(reason, "signer of demo by team builders");
}

/* After the tests before: signer and stranger are in builders. */
static void members_look_at_their_team_and_at_no_other(void **state)
{
    static const char *const targets[] = {"/v1/teams/builders", "/v1/teams/builders/members",
                                          "/v1/teams/builders/roles"};
    struct world *w = *state;

    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        assert_status(w, world_get(w, STRANGER, "%s", targets[i]), 200);
        assert_status(w, world_get(w, OWNER, "%s", targets[i]), 404);
    }
    assert_status(w, world_post(w, ADMIN, "/v1/teams", "{\"name\":\"others\"}"), 201);
    assert_status(w, world_get(w, STRANGER, "/v1/teams/others"), 404);
    assert_status(w, world_get(w, STRANGER, "/v1/teams"), 403);
    assert_status(w, world_post(w, STRANGER, "/v1/teams/builders/members", "{\"principal\":\"owner\"}"), 404);
    team_leaves(w, "stranger");
    assert_status(w, world_get(w, STRANGER, "/v1/teams/builders"), 404);
    team_takes(w, "stranger");
}

static void a_removed_team_takes_its_roles_and_gives_its_name_free(void **state)
{
    struct world *w = *state;

    assert_status(w, sign(w, STRANGER), 201);
    assert_status(w, world_ask(w, ADMIN, "DELETE", "/v1/teams/builders", NULL), 204);
    assert_status(w, sign(w, STRANGER), 404);
    assert_status(w, world_get(w, ADMIN, "/v1/teams/builders"), 404);
    assert_status(w, world_post(w, ADMIN, "/v1/teams", "{\"name\":\"builders\"}"), 201);
    assert_status(w, sign(w, STRANGER), 404);
}

static int patch(struct world *w, const char *if_match)
{
    char header[64];
    (void)snprintf(header, sizeof(header), "If-Match: %s", if_match);
    const struct call call = {.who = ADMIN,
                              .method = "PATCH",
                              .target = "/v1/teams/builders",
                              .body = slice_of_text("{\"description\":\"new\"}"),
                              .headers = {header}};
    return world_call(w, &call);
}

static void a_stale_change_of_a_team_changes_nothing(void **state)
{
    struct world *w = *state;
    char etag[64];

    assert_status(w, world_get(w, ADMIN, "/v1/teams/builders"), 200);
    (void)snprintf(etag, sizeof(etag), "%s", answer_header(w, "ETag"));
    team_takes(w, "signer");
    int64_t head = world_head(w);
    assert_status(w, patch(w, etag), 412);
    assert_int_equal(world_head(w), head);
    assert_status(w, world_get(w, ADMIN, "/v1/teams/builders"), 200);
    (void)snprintf(etag, sizeof(etag), "%s", answer_header(w, "ETag"));
    assert_status(w, patch(w, etag), 200);
    assert_string_equal(answer_text(w, "description"), "new");
}

static void every_change_of_a_team_is_on_record_with_the_principal(void **state)
{
    struct world *w = *state;

    team_takes(w, "owner");
    cleanup_json struct json *record = world_last_record(w);
    assert_string_equal(json_get_text(record, "type", ""), "team.add_member");
    assert_string_equal(json_get_text(json_get(record, "target"), "name", ""), "builders");
    assert_string_equal(json_get_text(json_get(record, "detail"), "principal_id", ""), w->users[OWNER].id);
    team_leaves(w, "owner");
    assert_status(w, world_ask(w, ADMIN, "DELETE", "/v1/teams/builders/members/owner", NULL), 404);
    assert_problem(w, CODE_NOT_FOUND, "no such member of this team");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(i4_a_team_signs_while_it_is_named_and_its_members_while_they_are_in_it),
        cmocka_unit_test(a_member_of_an_owning_team_is_an_owner),
        cmocka_unit_test(i4_a_role_begins_and_ends_by_itself),
        cmocka_unit_test(effective_signers_are_listed_with_reasons_and_obstacles),
        cmocka_unit_test(effective_signers_are_paged_by_principal),
        cmocka_unit_test(roles_are_listed_with_the_team_they_come_by_in_pages),
        cmocka_unit_test(a_team_has_its_own_roles_and_a_user_is_no_team),
        cmocka_unit_test(explanation_tells_how_somebody_is_a_signer),
        cmocka_unit_test(members_look_at_their_team_and_at_no_other),
        cmocka_unit_test(a_removed_team_takes_its_roles_and_gives_its_name_free),
        cmocka_unit_test(a_stale_change_of_a_team_changes_nothing),
        cmocka_unit_test(every_change_of_a_team_is_on_record_with_the_principal),
    };
    return cmocka_run_group_tests(tests, setup, world_close);
}

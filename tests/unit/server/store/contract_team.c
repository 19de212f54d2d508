/* SPDX-License-Identifier: Apache-2.0 */
/* Teams, and the roles principals have by themselves and by teams, on any store. */
#include "world.h"

#include "common/text.h"

static void team_put(struct world *w, const char *id, const char *name)
{
    struct team t = {.created_ms = 5000};
    (void)text_copy(t.id, sizeof(t.id), id);
    (void)text_copy(t.name, sizeof(t.name), name);
    assert_ok(team_insert(w->db, &t, &w->err), &w->err);
}

/* Project demo, users alice and bob, team builders with alice in it. */
static void people(struct world *w)
{
    (void)world_project(w, "prj_a", "demo");
    (void)world_principal(w, "usr_a", "alice", PRINCIPAL_USER);
    (void)world_principal(w, "usr_b", "bob", PRINCIPAL_USER);
    team_put(w, "team_a", "builders");
    assert_ok(team_member_insert(w->db, "team_a", "usr_a", 6000, &w->err), &w->err);
}

static void role_put(struct world *w, const char *subject, enum principal_type type, enum member_role role,
                     int64_t not_before_ms, int64_t not_after_ms)
{
    struct member m = {.project_id = "prj_a",
                       .principal_type = type,
                       .role = role,
                       .since_ms = 1,
                       .not_before_ms = not_before_ms,
                       .not_after_ms = not_after_ms};
    (void)text_copy(m.principal_id, sizeof(m.principal_id), subject);
    assert_ok(member_insert(w->db, &m, &w->err), &w->err);
}

static struct held_roles held(struct world *w, const char *principal, int64_t now_ms)
{
    struct held_roles h;
    assert_ok(member_held(w->db, "prj_a", principal, now_ms, &h, &w->err), &w->err);
    return h;
}

static void team_comes_back_and_counts_its_changes(void **state)
{
    struct world *w = *state;
    people(w);
    struct team t;
    assert_ok(team_find(w->db, "builders", &t, &w->err), &w->err);
    assert_string_equal(t.id, "team_a");
    assert_int_equal(t.revision, 2);
    (void)text_copy(t.description, sizeof(t.description), "who builds");
    assert_ok(team_update(w->db, &t, &w->err), &w->err);
    assert_ok(team_member_delete(w->db, "team_a", "usr_a", &w->err), &w->err);
    assert_ok(team_find(w->db, "team_a", &t, &w->err), &w->err);
    assert_string_equal(t.description, "who builds");
    assert_int_equal(t.revision, 4);
}

static void teams_and_principals_share_their_names(void **state)
{
    struct world *w = *state;
    people(w);
    struct team alice = {.id = "team_x", .name = "alice"}, again = {.id = "team_x", .name = "builders"};
    struct principal builders = {.id = "usr_x", .name = "builders", .type = PRINCIPAL_USER};
    assert_code(team_insert(w->db, &alice, &w->err), CODE_CONFLICT);
    assert_code(team_insert(w->db, &again, &w->err), CODE_CONFLICT);
    assert_code(principal_insert(w->db, &builders, &w->err), CODE_CONFLICT);
    assert_string_equal(w->err.text, "name: builders is or was the name of a user, service account or team");
}

static void somebody_is_in_a_team_once_and_leaves_it_once(void **state)
{
    struct world *w = *state;
    people(w);
    assert_code(team_member_insert(w->db, "team_a", "usr_a", 1, &w->err), CODE_CONFLICT);
    assert_ok(team_member_delete(w->db, "team_a", "usr_a", &w->err), &w->err);
    assert_code(team_member_delete(w->db, "team_a", "usr_a", &w->err), CODE_NOT_FOUND);
}

static void roles_are_the_union_of_ones_own_and_the_teams(void **state)
{
    struct world *w = *state;
    people(w);
    role_put(w, "usr_a", PRINCIPAL_USER, MEMBER_SIGNER, 0, 0);
    role_put(w, "team_a", PRINCIPAL_TEAM, MEMBER_SIGNER, 0, 0);
    role_put(w, "team_a", PRINCIPAL_TEAM, MEMBER_APPROVER, 0, 0);
    assert_int_equal(held(w, "usr_a", 1000).roles, MEMBER_SIGNER | MEMBER_APPROVER);
    assert_int_equal(held(w, "usr_b", 1000).roles, 0);
    unsigned roles = 0;
    assert_ok(member_roles(w->db, "prj_a", "usr_a", &roles, &w->err), &w->err);
    assert_int_equal(roles, MEMBER_SIGNER | MEMBER_APPROVER);
}

static void who_leaves_the_team_has_its_roles_no_more(void **state)
{
    struct world *w = *state;
    people(w);
    role_put(w, "team_a", PRINCIPAL_TEAM, MEMBER_SIGNER, 0, 0);
    assert_ok(team_member_delete(w->db, "team_a", "usr_a", &w->err), &w->err);
    assert_int_equal(held(w, "usr_a", 1000).roles, 0);
}

static void a_removed_team_takes_its_roles_with_it(void **state)
{
    struct world *w = *state;
    people(w);
    role_put(w, "team_a", PRINCIPAL_TEAM, MEMBER_SIGNER, 0, 0);
    assert_ok(team_delete(w->db, "team_a", &w->err), &w->err);
    assert_int_equal(held(w, "usr_a", 1000).roles, 0);
    assert_code(team_delete(w->db, "team_a", &w->err), CODE_NOT_FOUND);
}

static void a_team_that_owns_an_account_is_not_removed(void **state)
{
    struct world *w = *state;
    people(w);
    struct principal robot = {
        .id = "svc_r", .name = "robot", .type = PRINCIPAL_SERVICE_ACCOUNT, .team_id = "team_a", .description = "d"};
    struct principal out = {0};
    bool has = false;
    assert_ok(principal_insert(w->db, &robot, &w->err), &w->err);
    assert_ok(principal_find(w->db, "robot", &out, &w->err), &w->err);
    assert_string_equal(out.team_id, "team_a");
    assert_string_equal(out.description, "d");
    assert_code(team_delete(w->db, "team_a", &w->err), CODE_CONFLICT);
    assert_ok(team_has(w->db, "team_a", "usr_a", &has, &w->err), &w->err);
    assert_true(has);
    assert_ok(team_has(w->db, "team_a", "usr_b", &has, &w->err), &w->err);
    assert_false(has);
    assert_ok(principal_remove(w->db, "svc_r", 1, &w->err), &w->err);
    assert_ok(team_delete(w->db, "team_a", &w->err), &w->err);
}

static void a_role_holds_from_its_beginning_until_its_end(void **state)
{
    struct world *w = *state;
    people(w);
    role_put(w, "usr_b", PRINCIPAL_USER, MEMBER_SIGNER, 2000, 3000);
    static const struct {
        int64_t now_ms, valid_until_ms;
        unsigned roles;
        enum role_time time;
    } rows[] = {
        {1999, 2000, 0, ROLE_NOT_YET},
        {2000, 3000, MEMBER_SIGNER, ROLE_IN_TIME},
        {2999, 3000, MEMBER_SIGNER, ROLE_IN_TIME},
        {3000, 0, 0, ROLE_ENDED},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct held_roles h = held(w, "usr_b", rows[i].now_ms);
        assert_int_equal(h.roles, rows[i].roles);
        assert_int_equal(h.signer.time, rows[i].time);
        assert_int_equal(h.valid_until_ms, rows[i].valid_until_ms);
    }
}

static void the_last_turn_is_of_all_rows_and_past(void **state)
{
    struct world *w = *state;
    static const struct {
        int64_t now_ms, turn_ms;
    } rows[] = {{1000, 0}, {4000, 4000}, {5999, 4000}, {6000, 6000}, {9500, 9000}};
    people(w);
    role_put(w, "usr_a", PRINCIPAL_USER, MEMBER_SIGNER, 0, 9000);
    role_put(w, "usr_a", PRINCIPAL_USER, MEMBER_APPROVER, 4000, 0);
    role_put(w, "team_a", PRINCIPAL_TEAM, MEMBER_OWNER, 0, 6000);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t turn_ms = -1;
        assert_ok(member_last_turn(w->db, "usr_a", rows[i].now_ms, &turn_ms, &w->err), &w->err);
        assert_int_equal(turn_ms, rows[i].turn_ms);
    }
}

static void valid_until_is_the_next_moment_of_all_rows(void **state)
{
    struct world *w = *state;
    people(w);
    role_put(w, "usr_a", PRINCIPAL_USER, MEMBER_SIGNER, 0, 9000);
    role_put(w, "usr_a", PRINCIPAL_USER, MEMBER_APPROVER, 4000, 0);
    role_put(w, "team_a", PRINCIPAL_TEAM, MEMBER_OWNER, 0, 6000);
    assert_int_equal(held(w, "usr_a", 1000).valid_until_ms, 4000);
    assert_int_equal(held(w, "usr_a", 4000).valid_until_ms, 6000);
    assert_int_equal(held(w, "usr_a", 6000).valid_until_ms, 9000);
    assert_int_equal(held(w, "usr_a", 9000).valid_until_ms, 0);
}

static void the_reason_is_the_one_that_lasts_longest(void **state)
{
    struct world *w = *state;
    people(w);
    role_put(w, "usr_a", PRINCIPAL_USER, MEMBER_SIGNER, 0, 5000);
    assert_string_equal(held(w, "usr_a", 1000).signer.team, "");
    role_put(w, "team_a", PRINCIPAL_TEAM, MEMBER_SIGNER, 0, 7000);
    assert_string_equal(held(w, "usr_a", 1000).signer.team, "builders");
    assert_int_equal(held(w, "usr_a", 1000).signer.not_after_ms, 7000);
}

static status project_name(void *arg, const struct project *p)
{
    collect(arg, p->name);
    return OK;
}

static status key_label(void *arg, const struct signing_key *k)
{
    collect(arg, k->label);
    return OK;
}

static status usage_label(void *arg, const struct usage *u)
{
    collect(arg, u->label);
    return OK;
}

/* What the lists show of Project demo to alice, and to nobody that has no role in it now. */
static void lists_seen(struct world *w, const char *expected)
{
    struct collected projects = {0}, keys = {0}, usage = {0};
    const struct signing_key_filter signs = {.member_id = "usr_a", .roles = MEMBER_SIGNER | MEMBER_OWNER};
    const struct usage_filter owns = {.owner_id = "usr_a"};
    assert_ok(project_list(w->db, "usr_a", (struct page){0}, project_name, &projects, &w->err), &w->err);
    assert_ok(signing_key_list(w->db, &signs, (struct page){0}, key_label, &keys, &w->err), &w->err);
    assert_ok(usage_list(w->db, &owns, usage_label, &usage, &w->err), &w->err);
    assert_string_equal(projects.text, *expected ? "demo" : "");
    assert_string_equal(keys.text, expected);
    assert_string_equal(usage.text, expected);
}

static void lists_show_what_is_ones_own_or_a_teams_in_its_time(void **state)
{
    struct world *w = *state;
    int64_t now_ms = clock_now_ms();
    enum { HOUR_MS = 60 * 60 * 1000 };
    people(w);
    world_key(w, "key_a", "prj_a", "release", 1);
    assert_ok(usage_add(w->db, "key_a", "usr_a", now_ms, USAGE_SUCCESS, &w->err), &w->err);
    lists_seen(w, "");
    role_put(w, "team_a", PRINCIPAL_TEAM, MEMBER_OWNER, now_ms - HOUR_MS, now_ms + HOUR_MS);
    lists_seen(w, "release");
    assert_ok(member_delete(w->db, "prj_a", "team_a", MEMBER_OWNER, &w->err), &w->err);
    role_put(w, "team_a", PRINCIPAL_TEAM, MEMBER_OWNER, 0, now_ms - HOUR_MS);
    lists_seen(w, "");
    assert_ok(member_delete(w->db, "prj_a", "team_a", MEMBER_OWNER, &w->err), &w->err);
    role_put(w, "team_a", PRINCIPAL_TEAM, MEMBER_OWNER, now_ms + HOUR_MS, 0);
    lists_seen(w, "");
}

static status signer_text(void *arg, const struct principal *p, const struct role_reason *why)
{
    char text[256];
    (void)snprintf(text, sizeof(text), "%s:%s:%d", p->name, why->team, (int)why->time);
    collect(arg, text);
    return OK;
}

static void signers_are_paged_by_principal_with_all_their_reasons(void **state)
{
    struct world *w = *state;
    people(w);
    role_put(w, "usr_a", PRINCIPAL_USER, MEMBER_SIGNER, 0, 1000);
    role_put(w, "team_a", PRINCIPAL_TEAM, MEMBER_SIGNER, 0, 0);
    role_put(w, "usr_b", PRINCIPAL_USER, MEMBER_SIGNER, 0, 0);
    role_put(w, "usr_b", PRINCIPAL_USER, MEMBER_OWNER, 0, 0);
    struct collected all = {0}, first = {0}, second = {0};
    assert_ok(member_list_signers(w->db, "prj_a", (struct page){0}, signer_text, &all, &w->err), &w->err);
    assert_string_equal(all.text, "alice::1,alice:builders:3,bob::3");
    struct page page = {.limit = 1};
    assert_ok(member_list_signers(w->db, "prj_a", page, signer_text, &first, &w->err), &w->err);
    assert_string_equal(first.text, "alice::1,alice:builders:3");
    page.after = "alice";
    assert_ok(member_list_signers(w->db, "prj_a", page, signer_text, &second, &w->err), &w->err);
    assert_string_equal(second.text, "bob::3");
}

static status member_text(void *arg, const struct member *m)
{
    char text[256];
    (void)snprintf(text, sizeof(text), "%s:%s:%d:%lld-%lld", m->principal_id, m->principal_name, (int)m->principal_type,
                   (long long)m->not_before_ms, (long long)m->not_after_ms);
    collect(arg, text);
    return OK;
}

static void a_team_is_listed_as_a_member(void **state)
{
    struct world *w = *state;
    people(w);
    role_put(w, "team_a", PRINCIPAL_TEAM, MEMBER_SIGNER, 10, 20);
    role_put(w, "usr_b", PRINCIPAL_USER, MEMBER_SIGNER, 0, 0);
    struct collected c = {0};
    assert_ok(member_list(w->db, "prj_a", (struct page){0}, member_text, &c, &w->err), &w->err);
    assert_string_equal(c.text, "usr_b:bob:0:0-0,team_a:builders:2:10-20");
    struct collected after = {0};
    assert_ok(member_list(w->db, "prj_a", (struct page){.after = "builders 1"}, member_text, &after, &w->err), &w->err);
    assert_string_equal(after.text, "team_a:builders:2:10-20");
    struct member again = {
        .project_id = "prj_a", .principal_id = "team_a", .principal_type = PRINCIPAL_TEAM, .role = MEMBER_SIGNER};
    assert_code(member_insert(w->db, &again, &w->err), CODE_CONFLICT);
}

static status person(void *arg, const struct principal *p, int64_t since_ms)
{
    char text[128];
    (void)snprintf(text, sizeof(text), "%s:%lld", p->name, (long long)since_ms);
    collect(arg, text);
    return OK;
}

static status team_name(void *arg, const struct team *t)
{
    collect(arg, t->name);
    return OK;
}

static void teams_and_their_members_are_listed_in_pages(void **state)
{
    struct world *w = *state;
    people(w);
    team_put(w, "team_b", "testers");
    assert_ok(team_member_insert(w->db, "team_a", "usr_b", 7000, &w->err), &w->err);
    struct collected teams = {0}, members = {0};
    struct page page = {.limit = 1};
    assert_ok(team_list(w->db, page, team_name, &teams, &w->err), &w->err);
    assert_ok(team_member_list(w->db, "team_a", page, person, &members, &w->err), &w->err);
    page.after = "builders";
    assert_ok(team_list(w->db, page, team_name, &teams, &w->err), &w->err);
    page.after = "alice";
    assert_ok(team_member_list(w->db, "team_a", page, person, &members, &w->err), &w->err);
    assert_string_equal(teams.text, "builders,testers");
    assert_string_equal(members.text, "alice:6000,bob:7000");
}

const struct CMUnitTest team_tests[] = {
    WORLD_TEST(team_comes_back_and_counts_its_changes),
    WORLD_TEST(teams_and_principals_share_their_names),
    WORLD_TEST(somebody_is_in_a_team_once_and_leaves_it_once),
    WORLD_TEST(roles_are_the_union_of_ones_own_and_the_teams),
    WORLD_TEST(who_leaves_the_team_has_its_roles_no_more),
    WORLD_TEST(a_removed_team_takes_its_roles_with_it),
    WORLD_TEST(a_team_that_owns_an_account_is_not_removed),
    WORLD_TEST(a_role_holds_from_its_beginning_until_its_end),
    WORLD_TEST(the_last_turn_is_of_all_rows_and_past),
    WORLD_TEST(valid_until_is_the_next_moment_of_all_rows),
    WORLD_TEST(the_reason_is_the_one_that_lasts_longest),
    WORLD_TEST(lists_show_what_is_ones_own_or_a_teams_in_its_time),
    WORLD_TEST(signers_are_paged_by_principal_with_all_their_reasons),
    WORLD_TEST(a_team_is_listed_as_a_member),
    WORLD_TEST(teams_and_their_members_are_listed_in_pages),
};
const size_t team_test_count = COUNT_OF(team_tests);

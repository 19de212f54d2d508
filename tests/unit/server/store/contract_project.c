/* SPDX-License-Identifier: Apache-2.0 */
/* Projects and members, on any store. */
#include "world.h"

static status project_name(void *arg, const struct project *p)
{
    collect(arg, p->name);
    return OK;
}

static void project_comes_back_as_it_was_put_in(void **state)
{
    struct world *w = *state;
    struct project in = world_project(w, "prj_a", "demo"), by_id = {0}, by_name = {0};
    assert_ok(project_find(w->db, "prj_a", &by_id, &w->err), &w->err);
    assert_ok(project_find(w->db, "demo", &by_name, &w->err), &w->err);

    assert_string_equal(by_id.name, "demo");
    assert_string_equal(by_name.id, "prj_a");
    assert_string_equal(by_name.description, in.description);
    assert_int_equal(by_name.created_ms, 1000);
}

static void project_name_is_taken_once(void **state)
{
    struct world *w = *state;
    (void)world_project(w, "prj_a", "demo");
    struct project again = {.id = "prj_b", .name = "demo"};
    assert_code(project_insert(w->db, &again, &w->err), CODE_CONFLICT);
    assert_string_equal(w->err.text, "name: there is a project demo already");
}

static void project_id_goes_before_a_name_that_looks_like_it(void **state)
{
    struct world *w = *state;
    (void)world_project(w, "prj_b", "prj_a");
    (void)world_project(w, "prj_a", "real");
    struct project found = {0};
    assert_ok(project_find(w->db, "prj_a", &found, &w->err), &w->err);
    assert_string_equal(found.name, "real");
}

static void project_that_is_not_there_is_not_found(void **state)
{
    struct world *w = *state;
    struct project found = {0}, none = {.id = "prj_x"};
    assert_code(project_find(w->db, "prj_x", &found, &w->err), CODE_NOT_FOUND);
    assert_code(project_update(w->db, &none, &w->err), CODE_NOT_FOUND);
}

static void project_update_changes_the_description_alone(void **state)
{
    struct world *w = *state;
    struct project p = world_project(w, "prj_a", "demo"), found = {0};
    (void)snprintf(p.description, sizeof(p.description), "new");
    (void)snprintf(p.name, sizeof(p.name), "other");
    assert_ok(project_update(w->db, &p, &w->err), &w->err);
    assert_ok(project_find(w->db, "prj_a", &found, &w->err), &w->err);
    assert_string_equal(found.description, "new");
    assert_string_equal(found.name, "demo");
}

static void project_pages_are_in_order_and_without_gap(void **state)
{
    struct world *w = *state;
    for (int i = 9; i >= 0; i--) {
        char id[16], name[16];
        (void)snprintf(id, sizeof(id), "prj_%d", 9 - i);
        (void)snprintf(name, sizeof(name), "p%d", i);
        (void)world_project(w, id, name);
    }
    struct collected c = {0};
    assert_ok(project_list(w->db, NULL, (struct page){.limit = 4}, project_name, &c, &w->err), &w->err);
    assert_string_equal(c.text, "p0,p1,p2,p3");
    /* What is put in before the cursor does not shift what follows. */
    (void)world_project(w, "prj_x", "early");
    struct page next = {.after = "p3", .limit = 4};
    c = (struct collected){0};
    assert_ok(project_list(w->db, NULL, next, project_name, &c, &w->err), &w->err);
    assert_string_equal(c.text, "p4,p5,p6,p7");
}

static void project_list_of_a_member_has_only_theirs_once(void **state)
{
    struct world *w = *state;
    (void)world_principal(w, "usr_a", "alice", PRINCIPAL_USER);
    (void)world_project(w, "prj_a", "one");
    (void)world_project(w, "prj_b", "two");
    world_member(w, "prj_b", "usr_a", MEMBER_OWNER);
    world_member(w, "prj_b", "usr_a", MEMBER_SIGNER);
    struct collected c = {0};
    assert_ok(project_list(w->db, "usr_a", (struct page){0}, project_name, &c, &w->err), &w->err);
    assert_string_equal(c.text, "two");
}

static status member_text(void *arg, const struct member *m)
{
    char text[256];
    (void)snprintf(text, sizeof(text), "%s:%s:%d:%d:%lld", m->principal_id, m->principal_name, (int)m->principal_type,
                   (int)m->role, (long long)m->since_ms);
    collect(arg, text);
    return OK;
}

static void members_are_listed_with_name_and_type(void **state)
{
    struct world *w = *state;
    (void)world_project(w, "prj_a", "demo");
    (void)world_principal(w, "usr_a", "alice", PRINCIPAL_USER);
    (void)world_principal(w, "svc_b", "build-1", PRINCIPAL_SERVICE_ACCOUNT);
    world_member(w, "prj_a", "usr_a", MEMBER_OWNER);
    world_member(w, "prj_a", "svc_b", MEMBER_SIGNER);
    struct collected c = {0};
    assert_ok(member_list(w->db, "prj_a", (struct page){0}, member_text, &c, &w->err), &w->err);
    assert_string_equal(c.text, "usr_a:alice:0:1:3000,svc_b:build-1:1:2:3000");
}

static void members_are_listed_from_a_principal_on_and_by_role(void **state)
{
    struct world *w = *state;
    (void)world_project(w, "prj_a", "demo");
    (void)world_principal(w, "usr_a", "alice", PRINCIPAL_USER);
    (void)world_principal(w, "svc_b", "build-1", PRINCIPAL_SERVICE_ACCOUNT);
    world_member(w, "prj_a", "usr_a", MEMBER_OWNER);
    world_member(w, "prj_a", "usr_a", MEMBER_SIGNER);
    world_member(w, "prj_a", "svc_b", MEMBER_SIGNER);
    struct collected c = {0};
    assert_ok(member_list(w->db, "prj_a", (struct page){.after = "alice 1"}, member_text, &c, &w->err), &w->err);
    assert_string_equal(c.text, "usr_a:alice:0:1:3000,usr_a:alice:0:2:3000,svc_b:build-1:1:2:3000");
    c = (struct collected){0};
    assert_ok(member_list(w->db, "prj_a", (struct page){.after = "b 1"}, member_text, &c, &w->err), &w->err);
    assert_string_equal(c.text, "svc_b:build-1:1:2:3000");
    c = (struct collected){0};
    assert_ok(member_list(w->db, "prj_a", (struct page){.role = "owner"}, member_text, &c, &w->err), &w->err);
    assert_string_equal(c.text, "usr_a:alice:0:1:3000");
}

static void project_list_knows_how_a_name_begins(void **state)
{
    struct world *w = *state;
    (void)world_project(w, "prj_a", "app");
    (void)world_project(w, "prj_b", "apple");
    (void)world_project(w, "prj_c", "web");
    (void)world_principal(w, "usr_a", "alice", PRINCIPAL_USER);
    world_member(w, "prj_b", "usr_a", MEMBER_OWNER);
    struct collected c = {0};
    assert_ok(project_list(w->db, NULL, (struct page){.name = "app"}, project_name, &c, &w->err), &w->err);
    assert_string_equal(c.text, "app,apple");
    c = (struct collected){0};
    assert_ok(project_list(w->db, "usr_a", (struct page){.name = "app"}, project_name, &c, &w->err), &w->err);
    assert_string_equal(c.text, "apple");
}

static void member_roles_are_a_set(void **state)
{
    struct world *w = *state;
    unsigned roles = 99;
    (void)world_project(w, "prj_a", "demo");
    (void)world_principal(w, "usr_a", "alice", PRINCIPAL_USER);
    assert_ok(member_roles(w->db, "prj_a", "usr_a", &roles, &w->err), &w->err);
    assert_int_equal(roles, 0);

    world_member(w, "prj_a", "usr_a", MEMBER_SIGNER);
    world_member(w, "prj_a", "usr_a", MEMBER_APPROVER);
    assert_ok(member_roles(w->db, "prj_a", "usr_a", &roles, &w->err), &w->err);
    assert_int_equal(roles, MEMBER_SIGNER | MEMBER_APPROVER);

    assert_ok(member_delete(w->db, "prj_a", "usr_a", MEMBER_SIGNER, &w->err), &w->err);
    assert_ok(member_roles(w->db, "prj_a", "usr_a", &roles, &w->err), &w->err);
    assert_int_equal(roles, MEMBER_APPROVER);
}

static void member_role_is_given_once_and_taken_once(void **state)
{
    struct world *w = *state;
    (void)world_project(w, "prj_a", "demo");
    (void)world_principal(w, "usr_a", "alice", PRINCIPAL_USER);
    world_member(w, "prj_a", "usr_a", MEMBER_SIGNER);
    struct member again = {.project_id = "prj_a", .principal_id = "usr_a", .role = MEMBER_SIGNER};
    assert_code(member_insert(w->db, &again, &w->err), CODE_CONFLICT);
    assert_ok(member_delete(w->db, "prj_a", "usr_a", MEMBER_SIGNER, &w->err), &w->err);
    assert_code(member_delete(w->db, "prj_a", "usr_a", MEMBER_SIGNER, &w->err), CODE_NOT_FOUND);
}

static void member_must_be_a_principal_of_the_store(void **state)
{
    struct world *w = *state;
    (void)world_project(w, "prj_a", "demo");
    struct member nobody = {.project_id = "prj_a", .principal_id = "usr_x", .role = MEMBER_SIGNER};
    assert_code(member_insert(w->db, &nobody, &w->err), CODE_CONFLICT);
}

static status refuse(void *arg, const struct project *p)
{
    (void)p;
    collect(arg, "seen");
    return (status){CODE_TOO_LARGE};
}

static void list_ends_with_the_callers_failure_and_can_be_asked_again(void **state)
{
    struct world *w = *state;
    (void)world_project(w, "prj_a", "one");
    (void)world_project(w, "prj_b", "two");
    struct collected c = {0};
    assert_code(project_list(w->db, NULL, (struct page){0}, refuse, &c, &w->err), CODE_TOO_LARGE);
    assert_int_equal(c.count, 1);
    assert_ok(project_list(w->db, NULL, (struct page){0}, project_name, &c, &w->err), &w->err);
    assert_int_equal(c.count, 3);
}

const struct CMUnitTest project_tests[] = {
    WORLD_TEST(project_comes_back_as_it_was_put_in),
    WORLD_TEST(project_name_is_taken_once),
    WORLD_TEST(project_id_goes_before_a_name_that_looks_like_it),
    WORLD_TEST(project_that_is_not_there_is_not_found),
    WORLD_TEST(project_update_changes_the_description_alone),
    WORLD_TEST(project_pages_are_in_order_and_without_gap),
    WORLD_TEST(project_list_of_a_member_has_only_theirs_once),
    WORLD_TEST(members_are_listed_with_name_and_type),
    WORLD_TEST(members_are_listed_from_a_principal_on_and_by_role),
    WORLD_TEST(project_list_knows_how_a_name_begins),
    WORLD_TEST(member_roles_are_a_set),
    WORLD_TEST(member_role_is_given_once_and_taken_once),
    WORLD_TEST(member_must_be_a_principal_of_the_store),
    WORLD_TEST(list_ends_with_the_callers_failure_and_can_be_asked_again),
};
const size_t project_test_count = COUNT_OF(project_tests);

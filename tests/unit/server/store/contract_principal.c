/* SPDX-License-Identifier: Apache-2.0 */
/* Users and service accounts, on any store. */
#include "world.h"

static void principal_comes_back_as_it_was_put_in(void **state)
{
    struct world *w = *state;
    struct principal in = {.id = "usr_a",
                           .name = "alice",
                           .type = PRINCIPAL_USER,
                           .role = ROLE_AUDITOR,
                           .disabled = true,
                           .expires_ms = 4102444800000,
                           .created_ms = 1767225600123},
                     out = {0};
    assert_ok(principal_insert(w->db, &in, &w->err), &w->err);
    assert_ok(principal_find(w->db, "alice", &out, &w->err), &w->err);
    assert_same_principal(&in, &out);
}

static void users_and_service_accounts_share_their_names(void **state)
{
    struct world *w = *state;
    (void)world_principal(w, "usr_a", "build-1", PRINCIPAL_USER);
    struct principal account = {.id = "svc_a", .name = "build-1", .type = PRINCIPAL_SERVICE_ACCOUNT};
    assert_code(principal_insert(w->db, &account, &w->err), CODE_CONFLICT);
}

static void principal_update_changes_role_state_and_expiry(void **state)
{
    struct world *w = *state;
    struct principal p = world_principal(w, "usr_a", "alice", PRINCIPAL_USER), out = {0};
    p.role = ROLE_ADMINISTRATOR;
    p.disabled = true;
    p.expires_ms = 77;
    assert_ok(principal_update(w->db, &p, &w->err), &w->err);
    assert_ok(principal_find(w->db, "usr_a", &out, &w->err), &w->err);
    assert_same_principal(&p, &out);
}

static void a_removed_principal_is_gone_with_all_it_had_but_its_name(void **state)
{
    struct world *w = *state;
    struct principal p = world_principal(w, "svc_a", "build", PRINCIPAL_SERVICE_ACCOUNT), out = {0};
    struct access_token token = {.sha256 = {7}, .principal_id = "svc_a", .expires_ms = INT64_MAX};
    unsigned roles = 0;
    (void)world_project(w, "prj_a", "demo");
    world_member(w, "prj_a", "svc_a", MEMBER_SIGNER);
    assert_ok(access_token_insert(w->db, &token, &w->err), &w->err);

    assert_ok(principal_remove(w->db, "svc_a", 9000, &w->err), &w->err);
    assert_code(principal_find(w->db, "build", &out, &w->err), CODE_NOT_FOUND);
    assert_code(principal_find(w->db, "svc_a", &out, &w->err), CODE_NOT_FOUND);
    assert_code(access_token_find(w->db, token.sha256, &token, &out, &w->err), CODE_NOT_FOUND);
    assert_ok(member_roles(w->db, "prj_a", "svc_a", &roles, &w->err), &w->err);
    assert_int_equal(roles, 0);
    assert_code(principal_update(w->db, &p, &w->err), CODE_NOT_FOUND);
    assert_code(principal_remove(w->db, "svc_a", 9000, &w->err), CODE_NOT_FOUND);
    assert_ok(principal_find_removed_too(w->db, "build", &out, &w->err), &w->err);
    assert_string_equal(out.id, "svc_a");
    assert_true(out.disabled);
    struct principal again = {.id = "usr_x", .name = "build", .type = PRINCIPAL_USER};
    assert_code(principal_insert(w->db, &again, &w->err), CODE_CONFLICT);
}

static void principal_update_counts_itself(void **state)
{
    struct world *w = *state;
    struct principal p = world_principal(w, "usr_a", "alice", PRINCIPAL_USER), out = {0};
    assert_ok(principal_update(w->db, &p, &w->err), &w->err);
    assert_ok(principal_find(w->db, "usr_a", &out, &w->err), &w->err);
    assert_int_equal(out.revision, 2);
}

static void principal_that_is_not_there_is_not_found(void **state)
{
    struct world *w = *state;
    struct principal p = {.id = "usr_x"};
    assert_code(principal_update(w->db, &p, &w->err), CODE_NOT_FOUND);
    assert_code(principal_find(w->db, "usr_x", &p, &w->err), CODE_NOT_FOUND);
}

static status principal_name(void *arg, const struct principal *p)
{
    collect(arg, p->name);
    return OK;
}

static void principals_are_listed_by_type_in_pages(void **state)
{
    struct world *w = *state;
    (void)world_principal(w, "usr_c", "carol", PRINCIPAL_USER);
    (void)world_principal(w, "usr_a", "alice", PRINCIPAL_USER);
    (void)world_principal(w, "svc_a", "build", PRINCIPAL_SERVICE_ACCOUNT);
    (void)world_principal(w, "usr_b", "bob", PRINCIPAL_USER);
    struct collected c = {0};
    struct page page = {.limit = 2};
    assert_ok(principal_list(w->db, PRINCIPAL_USER, page, principal_name, &c, &w->err), &w->err);
    page.after = "bob";
    assert_ok(principal_list(w->db, PRINCIPAL_USER, page, principal_name, &c, &w->err), &w->err);
    assert_string_equal(c.text, "alice,bob,carol");
}

static void principals_are_listed_by_every_filter(void **state)
{
    struct world *w = *state;
    (void)world_principal(w, "usr_a", "alice", PRINCIPAL_USER);
    (void)world_principal(w, "usr_b", "al", PRINCIPAL_USER);
    struct principal off = world_principal(w, "usr_c", "bob", PRINCIPAL_USER);
    off.disabled = true;
    off.role = ROLE_AUDITOR;
    assert_ok(principal_update(w->db, &off, &w->err), &w->err);
    const struct {
        struct page page;
        const char *expected;
    } rows[] = {
        {{.name = "al"}, "al,alice"}, {{.name = "ali"}, "alice"},           {{.name = "alicea"}, ""},
        {{.name = "lice"}, ""},       {{.state = "active"}, "al,alice"},    {{.state = "disabled"}, "bob"},
        {{.role = "auditor"}, "bob"}, {{.role = "user", .limit = 1}, "al"}, {{.name = "al", .after = "al"}, "alice"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct collected c = {0};
        assert_ok(principal_list(w->db, PRINCIPAL_USER, rows[i].page, principal_name, &c, &w->err), &w->err);
        assert_string_equal(c.text, rows[i].expected);
    }
}

static void only_enabled_administrators_are_counted(void **state)
{
    struct world *w = *state;
    struct principal a = world_principal(w, "usr_a", "alice", PRINCIPAL_USER);
    struct principal b = world_principal(w, "usr_b", "bob", PRINCIPAL_USER);
    (void)world_principal(w, "usr_c", "carol", PRINCIPAL_USER);
    a.role = b.role = ROLE_ADMINISTRATOR;
    b.disabled = true;
    assert_ok(principal_update(w->db, &a, &w->err), &w->err);
    assert_ok(principal_update(w->db, &b, &w->err), &w->err);
    int64_t active = 0;
    assert_ok(principal_count_administrators(w->db, &active, &w->err), &w->err);
    assert_int_equal(active, 1);
}

const struct CMUnitTest principal_tests[] = {
    WORLD_TEST(principal_comes_back_as_it_was_put_in),
    WORLD_TEST(users_and_service_accounts_share_their_names),
    WORLD_TEST(principal_update_changes_role_state_and_expiry),
    WORLD_TEST(a_removed_principal_is_gone_with_all_it_had_but_its_name),
    WORLD_TEST(principal_update_counts_itself),
    WORLD_TEST(principal_that_is_not_there_is_not_found),
    WORLD_TEST(principals_are_listed_by_type_in_pages),
    WORLD_TEST(principals_are_listed_by_every_filter),
    WORLD_TEST(only_enabled_administrators_are_counted),
};
const size_t principal_test_count = COUNT_OF(principal_tests);

/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords, failed sign-ins and sessions of browsers, on any store. */
#include "world.h"

#include "common/text.h"
#include "server/store/sign_in.h"

enum { NOW = 1000000 };

static void people(struct world *w)
{
    (void)world_principal(w, "usr_a", "alice", PRINCIPAL_USER);
    (void)world_principal(w, "usr_b", "bob", PRINCIPAL_USER);
    struct api_key key = {.id = "ak_a", .user_id = "usr_a", .name = "first", .scopes = SCOPE_READ};
    assert_ok(api_key_insert(w->db, &key, &w->err), &w->err);
}

static void session_put(struct world *w, const char *id, const char *user, const char *api_key, uint8_t hash)
{
    struct web_session s = {.sha256 = {hash}, .address = "::1", .created_ms = NOW, .expires_ms = 2 * NOW};
    (void)text_copy(s.id, sizeof(s.id), id);
    (void)text_copy(s.user_id, sizeof(s.user_id), user);
    (void)text_copy(s.api_key_id, sizeof(s.api_key_id), api_key);
    s.confirmed_until_ms = NOW + 7;
    s.is_limited = !*api_key;
    assert_ok(web_session_insert(w->db, &s, &w->err), &w->err);
}

static status session_get(struct world *w, uint8_t hash, struct web_session *out)
{
    struct principal p;
    const uint8_t sha256[32] = {hash};
    return web_session_find(w->db, sha256, out, &p, &w->err);
}

static void a_session_comes_back_with_the_scopes_of_its_key_or_all(void **state)
{
    struct world *w = *state;
    struct web_session s;
    people(w);
    session_put(w, "ses_a", "usr_a", "ak_a", 1);
    session_put(w, "ses_b", "usr_a", "", 2);
    assert_ok(session_get(w, 1, &s), &w->err);
    assert_string_equal(s.api_key_id, "ak_a");
    assert_int_equal(s.scopes, SCOPE_READ);
    assert_false(s.is_limited);
    assert_ok(session_get(w, 2, &s), &w->err);
    assert_string_equal(s.api_key_id, "");
    assert_int_equal(s.scopes, SCOPE_ALL);
    assert_int_equal(s.confirmed_until_ms, NOW + 7);
    assert_true(s.is_limited);
}

static void a_session_is_confirmed_and_freed(void **state)
{
    struct world *w = *state;
    struct web_session s;
    people(w);
    session_put(w, "ses_a", "usr_a", "", 1);
    assert_ok(web_session_confirm(w->db, "ses_a", NOW + 99, &w->err), &w->err);
    assert_ok(web_session_unlimit(w->db, "ses_a", &w->err), &w->err);
    assert_ok(session_get(w, 1, &s), &w->err);
    assert_int_equal(s.confirmed_until_ms, NOW + 99);
    assert_false(s.is_limited);
    assert_code(web_session_confirm(w->db, "ses_x", 1, &w->err), CODE_NOT_FOUND);
}

static void sessions_of_a_password_end_together_but_for_one(void **state)
{
    struct world *w = *state;
    struct web_session s;
    int64_t count = 0;
    people(w);
    session_put(w, "ses_a", "usr_a", "ak_a", 1);
    session_put(w, "ses_b", "usr_a", "", 2);
    session_put(w, "ses_c", "usr_a", "", 3);
    session_put(w, "ses_d", "usr_b", "", 4);
    assert_ok(web_session_delete_by_password(w->db, "usr_a", "ses_c", &w->err), &w->err);
    assert_ok(session_get(w, 1, &s), &w->err);
    assert_code(session_get(w, 2, &s), CODE_NOT_FOUND);
    assert_ok(session_get(w, 3, &s), &w->err);
    assert_ok(session_get(w, 4, &s), &w->err);
    assert_ok(web_session_delete_all(w->db, "usr_a", &count, &w->err), &w->err);
    assert_int_equal(count, 2);
    assert_ok(session_get(w, 4, &s), &w->err);
}

static void a_password_takes_the_place_of_the_one_before(void **state)
{
    struct world *w = *state;
    struct user_password first = {.hash = "$argon2id$1", .is_one_time = true, .changed_ms = 5}, out;
    struct user_password second = {.hash = "$argon2id$2", .changed_ms = 6};
    people(w);
    assert_code(user_password_find(w->db, "usr_a", &out, &w->err), CODE_NOT_FOUND);
    assert_ok(user_password_set(w->db, "usr_a", &first, &w->err), &w->err);
    assert_ok(user_password_find(w->db, "usr_a", &out, &w->err), &w->err);
    assert_true(out.is_one_time);
    assert_ok(user_password_set(w->db, "usr_a", &second, &w->err), &w->err);
    assert_ok(user_password_find(w->db, "usr_a", &out, &w->err), &w->err);
    assert_string_equal(out.hash, "$argon2id$2");
    assert_false(out.is_one_time);
    assert_int_equal(out.changed_ms, 6);
    assert_ok(user_password_delete(w->db, "usr_a", &w->err), &w->err);
    assert_code(user_password_delete(w->db, "usr_a", &w->err), CODE_NOT_FOUND);
    assert_code(user_password_set(w->db, "usr_x", &second, &w->err), CODE_CONFLICT);
}

static void failures_are_counted_for_whom_they_name(void **state)
{
    struct world *w = *state;
    struct sign_in_failures f = {.count = 3, .last_ms = 7}, out = {.count = 9};
    assert_ok(sign_in_failures_get(w->db, "nobody_1", &out, &w->err), &w->err);
    assert_int_equal(out.count, 0);
    assert_ok(sign_in_failures_set(w->db, "nobody_1", &f, &w->err), &w->err);
    f.count = 4;
    assert_ok(sign_in_failures_set(w->db, "nobody_1", &f, &w->err), &w->err);
    assert_ok(sign_in_failures_get(w->db, "nobody_1", &out, &w->err), &w->err);
    assert_int_equal(out.count, 4);
    assert_int_equal(out.last_ms, 7);
    assert_ok(sign_in_failures_get(w->db, "usr_a", &out, &w->err), &w->err);
    assert_int_equal(out.count, 0);
    assert_ok(sign_in_failures_clear(w->db, "nobody_1", &w->err), &w->err);
    assert_ok(sign_in_failures_get(w->db, "nobody_1", &out, &w->err), &w->err);
    assert_int_equal(out.count, 0);
}

static void totp_put(struct world *w, const char *user_id, uint8_t byte)
{
    struct user_totp t = {.created_ms = 5};
    memset(t.sealed, byte, sizeof(t.sealed));
    assert_ok(user_totp_begin(w->db, user_id, &t, &w->err), &w->err);
}

static void a_second_factor_is_begun_again_until_it_is_confirmed(void **state)
{
    struct world *w = *state;
    struct user_totp t = {.created_ms = 6}, out;
    people(w);
    assert_code(user_totp_find(w->db, "usr_a", &out, &w->err), CODE_NOT_FOUND);
    assert_code(user_totp_confirm(w->db, "usr_a", 1, &w->err), CODE_NOT_FOUND);
    totp_put(w, "usr_a", 1);
    totp_put(w, "usr_a", 2);
    assert_ok(user_totp_find(w->db, "usr_a", &out, &w->err), &w->err);
    assert_int_equal(out.sealed[47], 2);
    assert_false(out.is_confirmed);
    assert_code(user_totp_use(w->db, "usr_a", 1, &w->err), CODE_NOT_FOUND);
    assert_ok(user_totp_confirm(w->db, "usr_a", 100, &w->err), &w->err);
    assert_code(user_totp_confirm(w->db, "usr_a", 101, &w->err), CODE_NOT_FOUND);
    assert_code(user_totp_begin(w->db, "usr_a", &t, &w->err), CODE_CONFLICT);
    assert_ok(user_totp_find(w->db, "usr_a", &out, &w->err), &w->err);
    assert_true(out.is_confirmed);
    assert_int_equal(out.last_step, 100);
    assert_int_equal(out.sealed[47], 2);
}

static void a_step_and_a_recovery_code_are_used_once(void **state)
{
    struct world *w = *state;
    const uint8_t code[32] = {1}, other[32] = {2};
    int64_t count = 0;
    people(w);
    totp_put(w, "usr_a", 1);
    assert_ok(user_totp_confirm(w->db, "usr_a", 100, &w->err), &w->err);
    assert_code(user_totp_use(w->db, "usr_a", 100, &w->err), CODE_NOT_FOUND);
    assert_ok(user_totp_use(w->db, "usr_a", 102, &w->err), &w->err);
    assert_code(user_totp_use(w->db, "usr_a", 101, &w->err), CODE_NOT_FOUND);
    assert_ok(recovery_code_insert(w->db, "usr_a", code, &w->err), &w->err);
    assert_ok(recovery_code_insert(w->db, "usr_a", other, &w->err), &w->err);
    assert_code(recovery_code_use(w->db, "usr_b", code, &w->err), CODE_NOT_FOUND);
    assert_ok(recovery_code_use(w->db, "usr_a", code, &w->err), &w->err);
    assert_code(recovery_code_use(w->db, "usr_a", code, &w->err), CODE_NOT_FOUND);
    assert_ok(recovery_code_count(w->db, "usr_a", &count, &w->err), &w->err);
    assert_int_equal(count, 1);
    assert_ok(user_totp_delete(w->db, "usr_a", &w->err), &w->err);
    assert_ok(recovery_code_count(w->db, "usr_a", &count, &w->err), &w->err);
    assert_int_equal(count, 0);
    assert_code(user_totp_delete(w->db, "usr_a", &w->err), CODE_NOT_FOUND);
}

static void a_removed_user_keeps_no_way_to_sign_in(void **state)
{
    struct world *w = *state;
    struct user_password p = {.hash = "$argon2id$1"};
    struct sign_in_failures f = {.count = 3, .last_ms = 7};
    struct web_session s;
    people(w);
    session_put(w, "ses_a", "usr_a", "", 1);
    assert_ok(user_password_set(w->db, "usr_a", &p, &w->err), &w->err);
    assert_ok(sign_in_failures_set(w->db, "usr_a", &f, &w->err), &w->err);
    totp_put(w, "usr_a", 1);
    assert_ok(principal_remove(w->db, "usr_a", NOW, &w->err), &w->err);
    assert_code(session_get(w, 1, &s), CODE_NOT_FOUND);
    assert_code(user_password_find(w->db, "usr_a", &p, &w->err), CODE_NOT_FOUND);
    assert_code(user_totp_delete(w->db, "usr_a", &w->err), CODE_NOT_FOUND);
    assert_ok(sign_in_failures_get(w->db, "usr_a", &f, &w->err), &w->err);
    assert_int_equal(f.count, 0);
}

const struct CMUnitTest sign_in_tests[] = {
    WORLD_TEST(a_session_comes_back_with_the_scopes_of_its_key_or_all),
    WORLD_TEST(a_session_is_confirmed_and_freed),
    WORLD_TEST(sessions_of_a_password_end_together_but_for_one),
    WORLD_TEST(a_password_takes_the_place_of_the_one_before),
    WORLD_TEST(failures_are_counted_for_whom_they_name),
    WORLD_TEST(a_second_factor_is_begun_again_until_it_is_confirmed),
    WORLD_TEST(a_step_and_a_recovery_code_are_used_once),
    WORLD_TEST(a_removed_user_keeps_no_way_to_sign_in),
};
const size_t sign_in_test_count = COUNT_OF(sign_in_tests);

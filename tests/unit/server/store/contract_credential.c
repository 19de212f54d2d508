/* SPDX-License-Identifier: Apache-2.0 */
/* Account keys, API keys, access tokens, assertion ids, on any store. */
#include "world.h"

static struct account_key account_key_of(const char *id, int64_t created_ms)
{
    struct account_key k = {.account_id = "svc_a", .algorithm = "EdDSA", .created_ms = created_ms};
    (void)snprintf(k.id, sizeof(k.id), "%s", id);
    buf_add(&k.spki, "\x30\x00\xff", 3);
    return k;
}

static void account_key_put(struct world *w, const char *id, int64_t created_ms)
{
    struct account_key k = account_key_of(id, created_ms);
    assert_ok(account_key_insert(w->db, &k, &w->err), &w->err);
    account_key_clear(&k);
}

static status account_key_text(void *arg, const struct account_key *k)
{
    char text[128];
    (void)snprintf(text, sizeof(text), "%s:%s:%zu:%lld", k->id, k->algorithm, k->spki.len, (long long)k->last_used_ms);
    collect(arg, text);
    return OK;
}

static void account_keys_are_listed_oldest_first(void **state)
{
    struct world *w = *state;
    (void)world_principal(w, "svc_a", "build", PRINCIPAL_SERVICE_ACCOUNT);
    account_key_put(w, "ak_a", 20);
    account_key_put(w, "ak_b", 10);
    assert_ok(account_key_touch(w->db, "ak_a", 500, &w->err), &w->err);
    assert_ok(account_key_touch(w->db, "ak_a", 400, &w->err), &w->err);
    struct collected c = {0};
    assert_ok(account_key_list(w->db, "svc_a", account_key_text, &c, &w->err), &w->err);
    assert_string_equal(c.text, "ak_b:EdDSA:3:0,ak_a:EdDSA:3:500");
}

static void account_key_is_removed_from_its_own_account_only(void **state)
{
    struct world *w = *state;
    (void)world_principal(w, "svc_a", "build", PRINCIPAL_SERVICE_ACCOUNT);
    account_key_put(w, "ak_a", 20);
    assert_code(account_key_delete(w->db, "svc_b", "ak_a", &w->err), CODE_NOT_FOUND);
    assert_ok(account_key_delete(w->db, "svc_a", "ak_a", &w->err), &w->err);
    assert_code(account_key_delete(w->db, "svc_a", "ak_a", &w->err), CODE_NOT_FOUND);
    assert_ok(account_key_touch(w->db, "ak_a", 1, &w->err), &w->err);
}

static void account_key_needs_its_account(void **state)
{
    struct world *w = *state;
    struct account_key k = account_key_of("ak_a", 1);
    assert_code(account_key_insert(w->db, &k, &w->err), CODE_CONFLICT);
    account_key_clear(&k);
}

static struct api_key api_key_of(const char *id, const char *name)
{
    struct api_key k = {.user_id = "usr_a", .created_ms = 5, .expires_ms = 6};
    (void)snprintf(k.id, sizeof(k.id), "%s", id);
    (void)snprintf(k.name, sizeof(k.name), "%s", name);
    memset(k.secret_sha256, 0xa5, sizeof(k.secret_sha256));
    return k;
}

static void api_key_comes_back_as_it_was_put_in(void **state)
{
    struct world *w = *state;
    (void)world_principal(w, "usr_a", "alice", PRINCIPAL_USER);
    struct api_key in = api_key_of("sk_a", "laptop"), out = {0};
    assert_ok(api_key_insert(w->db, &in, &w->err), &w->err);
    assert_ok(api_key_touch(w->db, "sk_a", 900, &w->err), &w->err);
    assert_ok(api_key_find(w->db, "sk_a", &out, &w->err), &w->err);
    assert_string_equal(out.user_id, "usr_a");
    assert_string_equal(out.name, "laptop");
    assert_memory_equal(out.secret_sha256, in.secret_sha256, sizeof(in.secret_sha256));
    assert_int_equal(out.created_ms, 5);
    assert_int_equal(out.expires_ms, 6);
    assert_int_equal(out.last_used_ms, 900);
}

static status api_key_name(void *arg, const struct api_key *k)
{
    collect(arg, k->name);
    return OK;
}

static void api_keys_belong_to_a_user_and_have_names_of_their_own(void **state)
{
    struct world *w = *state;
    (void)world_principal(w, "usr_a", "alice", PRINCIPAL_USER);
    struct api_key a = api_key_of("sk_a", "laptop"), b = api_key_of("sk_b", "laptop");
    assert_ok(api_key_insert(w->db, &a, &w->err), &w->err);
    assert_code(api_key_insert(w->db, &b, &w->err), CODE_CONFLICT);
    struct collected c = {0};
    assert_ok(api_key_list(w->db, "usr_a", api_key_name, &c, &w->err), &w->err);
    assert_ok(api_key_list(w->db, "usr_b", api_key_name, &c, &w->err), &w->err);
    assert_string_equal(c.text, "laptop");
    assert_code(api_key_delete(w->db, "usr_b", "sk_a", &w->err), CODE_NOT_FOUND);
    assert_ok(api_key_delete(w->db, "usr_a", "sk_a", &w->err), &w->err);
    assert_code(api_key_find(w->db, "sk_a", &a, &w->err), CODE_NOT_FOUND);
}

static void access_token_is_found_with_its_principal(void **state)
{
    struct world *w = *state;
    struct principal in = world_principal(w, "svc_a", "build", PRINCIPAL_SERVICE_ACCOUNT), out = {0};
    struct access_token t = {.principal_id = "svc_a", .expires_ms = clock_now_ms() + 60000}, found = {0};
    memset(t.sha256, 7, sizeof(t.sha256));
    assert_ok(access_token_insert(w->db, &t, &w->err), &w->err);
    assert_ok(access_token_find(w->db, t.sha256, &found, &out, &w->err), &w->err);
    assert_memory_equal(t.sha256, found.sha256, sizeof(t.sha256));
    assert_string_equal(found.principal_id, "svc_a");
    assert_int_equal(found.expires_ms, t.expires_ms);
    assert_same_principal(&in, &out);
    t.sha256[31] = 8;
    assert_code(access_token_find(w->db, t.sha256, &found, &out, &w->err), CODE_NOT_FOUND);
}

static void access_tokens_long_expired_are_removed_by_the_next(void **state)
{
    struct world *w = *state;
    struct principal p = world_principal(w, "svc_a", "build", PRINCIPAL_SERVICE_ACCOUNT);
    struct access_token old = {.principal_id = "svc_a", .expires_ms = 1000}, found = {0};
    struct access_token fresh = {.sha256 = {1}, .principal_id = "svc_a", .expires_ms = clock_now_ms() + 1000};
    assert_ok(access_token_insert(w->db, &old, &w->err), &w->err);
    assert_ok(access_token_find(w->db, old.sha256, &found, &p, &w->err), &w->err);
    assert_ok(access_token_insert(w->db, &fresh, &w->err), &w->err);
    assert_code(access_token_find(w->db, old.sha256, &found, &p, &w->err), CODE_NOT_FOUND);
    assert_ok(access_token_find(w->db, fresh.sha256, &found, &p, &w->err), &w->err);
}

static void assertion_id_is_used_once_by_each_account(void **state)
{
    struct world *w = *state;
    (void)world_principal(w, "svc_a", "a", PRINCIPAL_SERVICE_ACCOUNT);
    (void)world_principal(w, "svc_b", "b", PRINCIPAL_SERVICE_ACCOUNT);
    int64_t expires_ms = clock_now_ms() + 60000;
    assert_ok(assertion_id_insert(w->db, "svc_a", "0123456789abcdef", expires_ms, &w->err), &w->err);
    assert_code(assertion_id_insert(w->db, "svc_a", "0123456789abcdef", expires_ms, &w->err), CODE_CONFLICT);
    assert_ok(assertion_id_insert(w->db, "svc_b", "0123456789abcdef", expires_ms, &w->err), &w->err);
}

/* An assertion is still accepted a little after its expiry, for clocks that are wrong: it must still be known then. */
static void assertion_id_is_remembered_over_the_clock_skew(void **state)
{
    struct world *w = *state;
    (void)world_principal(w, "svc_a", "a", PRINCIPAL_SERVICE_ACCOUNT);
    int64_t just_expired_ms = clock_now_ms() - LIMIT_CLOCK_SKEW_SECONDS * 1000;
    assert_ok(assertion_id_insert(w->db, "svc_a", "0123456789abcdef", just_expired_ms, &w->err), &w->err);
    assert_code(assertion_id_insert(w->db, "svc_a", "0123456789abcdef", just_expired_ms, &w->err), CODE_CONFLICT);
}

const struct CMUnitTest credential_tests[] = {
    WORLD_TEST(account_keys_are_listed_oldest_first),
    WORLD_TEST(account_key_is_removed_from_its_own_account_only),
    WORLD_TEST(account_key_needs_its_account),
    WORLD_TEST(api_key_comes_back_as_it_was_put_in),
    WORLD_TEST(api_keys_belong_to_a_user_and_have_names_of_their_own),
    WORLD_TEST(access_token_is_found_with_its_principal),
    WORLD_TEST(access_tokens_long_expired_are_removed_by_the_next),
    WORLD_TEST(assertion_id_is_used_once_by_each_account),
    WORLD_TEST(assertion_id_is_remembered_over_the_clock_skew),
};
const size_t credential_test_count = COUNT_OF(credential_tests);

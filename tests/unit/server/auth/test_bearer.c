/* SPDX-License-Identifier: Apache-2.0 */
/* Bearer credentials against a real store: who gets in, and that every refusal reads the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "server/auth/credential_text.h"
#include "store_fixture.h"

enum { NOW = 1700000000, DAY = 86400 };
static const int64_t now_ms = (int64_t)NOW * 1000;

static void header_of(const struct buf *text, struct buf *out)
{
    buf_reset(out);
    buf_add_text(out, "Bearer ");
    buf_add(out, text->data, text->len);
}

static void api_key_add(struct fixture *f, const char *name, int64_t expires_ms, struct buf *header)
{
    cleanup_buf struct buf text = {0};
    struct api_key row = {0};
    assert_int_equal(api_key_make("usr_alice", name, expires_ms, 1, &text, &row, NULL).code, CODE_OK);
    assert_int_equal(api_key_insert(f->db, &row, NULL).code, CODE_OK);
    header_of(&text, header);
}

static void access_token_add(struct fixture *f, int64_t made_ms, struct buf *header)
{
    cleanup_buf struct buf text = {0};
    struct access_token row = {0};
    assert_int_equal(access_token_make("svc_build", made_ms, &text, &row, NULL).code, CODE_OK);
    assert_int_equal(access_token_insert(f->db, &row, NULL).code, CODE_OK);
    header_of(&text, header);
}

static void assert_refused(struct fixture *f, const char *authorization, int64_t at_ms)
{
    struct identity who = {0};
    struct error err = {0};
    assert_int_equal(auth_bearer(f->db, authorization, at_ms, &who, &err).code, CODE_NOT_AUTHENTICATED);
    assert_int_equal(err.code, CODE_NOT_AUTHENTICATED);
    assert_string_equal(err.text, "the credential is missing, wrong or expired");
    assert_string_equal(who.principal.id, "");
}

static int setup(void **state)
{
    if (fixture_open(state) != 0)
        return -1;
    principal_add(*state, "usr_alice", "alice", PRINCIPAL_USER);
    principal_add(*state, "svc_build", "build-1", PRINCIPAL_SERVICE_ACCOUNT);
    return 0;
}

static void an_api_key_names_its_user_and_itself(void **state)
{
    struct identity who = {0};
    cleanup_buf struct buf header = {0};
    struct fixture *f = *state;
    api_key_add(f, "laptop", 0, &header);

    assert_int_equal(auth_bearer(f->db, buf_text(&header), now_ms, &who, NULL).code, CODE_OK);
    assert_string_equal(who.principal.name, "alice");
    assert_memory_equal(who.credential_id, "ak_", 3);
}

static void an_access_token_names_its_service_account(void **state)
{
    struct identity who = {0};
    cleanup_buf struct buf header = {0};
    struct fixture *f = *state;
    access_token_add(f, now_ms, &header);

    assert_int_equal(auth_bearer(f->db, buf_text(&header), now_ms, &who, NULL).code, CODE_OK);
    assert_string_equal(who.principal.id, "svc_build");
    assert_string_equal(who.credential_id, "");
}

static void the_scheme_is_taken_in_any_case(void **state)
{
    struct identity who = {0};
    cleanup_buf struct buf header = {0};
    struct fixture *f = *state;
    api_key_add(f, "laptop", 0, &header);
    memcpy(header.data, "bEARER ", 7);

    assert_int_equal(auth_bearer(f->db, buf_text(&header), now_ms, &who, NULL).code, CODE_OK);
}

static void what_is_no_bearer_credential_is_refused(void **state)
{
    struct fixture *f = *state;
    cleanup_buf struct buf huge = {0};
    buf_add_text(&huge, "Bearer ");
    for (int i = 0; i < 100000; i++)
        buf_add_byte(&huge, 'a');
    const char *const rows[] = {NULL,         "",          "Bearer",           "Bearer ",    "Bearer    ",
                                "Basic YTpi", "chancery_", "Bearer chancery_", "Bearer xyz", buf_text(&huge)};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_refused(f, rows[i], now_ms);
}

static void an_unknown_api_key_reads_like_a_wrong_one(void **state)
{
    struct fixture *f = *state;
    struct api_key known = {0}, unknown = {0};
    cleanup_buf struct buf text = {0}, header = {0};
    assert_int_equal(api_key_make("usr_alice", "unknown", 0, 1, &text, &unknown, NULL).code, CODE_OK);
    header_of(&text, &header);
    assert_refused(f, buf_text(&header), now_ms);

    /* the id of a known key with the secret of another */
    buf_reset(&text);
    assert_int_equal(api_key_make("usr_alice", "known", 0, 1, &text, &known, NULL).code, CODE_OK);
    assert_int_equal(api_key_insert(f->db, &known, NULL).code, CODE_OK);
    const char other_secret[] = "0123456789012345678901234567890123456789abc";
    buf_reset(&text);
    assert_int_equal(api_key_text_format(known.id, slice_of_text(other_secret), &text, NULL).code, CODE_OK);
    header_of(&text, &header);
    assert_refused(f, buf_text(&header), now_ms);
}

static void a_wrong_checksum_is_refused(void **state)
{
    struct fixture *f = *state;
    cleanup_buf struct buf header = {0};
    api_key_add(f, "laptop", 0, &header);
    header.data[header.len - 1] = header.data[header.len - 1] == 'x' ? 'y' : 'x';

    assert_refused(f, buf_text(&header), now_ms);
}

static void an_api_key_ends_at_its_expiry(void **state)
{
    struct fixture *f = *state;
    struct identity who = {0};
    cleanup_buf struct buf header = {0};
    api_key_add(f, "laptop", now_ms, &header);

    assert_int_equal(auth_bearer(f->db, buf_text(&header), now_ms - 1, &who, NULL).code, CODE_OK);
    assert_refused(f, buf_text(&header), now_ms);
}

static void an_access_token_ends_after_ten_minutes(void **state)
{
    struct fixture *f = *state;
    struct identity who = {0};
    cleanup_buf struct buf header = {0};
    access_token_add(f, now_ms, &header);

    assert_int_equal(auth_bearer(f->db, buf_text(&header), now_ms + 599999, &who, NULL).code, CODE_OK);
    assert_refused(f, buf_text(&header), now_ms + 600000);
}

static void i4_a_disabled_principal_is_refused_at_once(void **state)
{
    struct fixture *f = *state;
    cleanup_buf struct buf key = {0}, token = {0};
    api_key_add(f, "laptop", 0, &key);
    access_token_add(f, now_ms, &token);
    principal_change(f, "usr_alice", true, 0);
    principal_change(f, "svc_build", true, 0);

    assert_refused(f, buf_text(&key), now_ms);
    assert_refused(f, buf_text(&token), now_ms);
}

static void i4_an_expired_principal_is_refused(void **state)
{
    struct fixture *f = *state;
    cleanup_buf struct buf token = {0};
    access_token_add(f, now_ms, &token);
    principal_change(f, "svc_build", false, now_ms);

    assert_refused(f, buf_text(&token), now_ms);
}

static void i4_a_revoked_api_key_is_refused_at_once(void **state)
{
    struct fixture *f = *state;
    struct identity who = {0};
    cleanup_buf struct buf header = {0};
    api_key_add(f, "laptop", 0, &header);
    assert_int_equal(auth_bearer(f->db, buf_text(&header), now_ms, &who, NULL).code, CODE_OK);
    assert_int_equal(api_key_delete(f->db, "usr_alice", who.credential_id, NULL).code, CODE_OK);

    assert_refused(f, buf_text(&header), now_ms);
}

static void i8_the_reason_for_the_log_holds_no_part_of_the_credential(void **state)
{
    struct fixture *f = *state;
    struct identity who = {0};
    struct error err = {0};
    cleanup_buf struct buf header = {0};
    api_key_add(f, "laptop", now_ms, &header);
    assert_int_equal(auth_bearer(f->db, buf_text(&header), now_ms, &who, &err).code, CODE_NOT_AUTHENTICATED);

    char part[9] = "";
    memcpy(part, header.data + 7 + 30, 8);
    assert_null(strstr(err.detail, part));
    assert_non_null(strstr(err.detail, "expired"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(an_api_key_names_its_user_and_itself),
        TEST(an_access_token_names_its_service_account),
        TEST(the_scheme_is_taken_in_any_case),
        TEST(what_is_no_bearer_credential_is_refused),
        TEST(an_unknown_api_key_reads_like_a_wrong_one),
        TEST(a_wrong_checksum_is_refused),
        TEST(an_api_key_ends_at_its_expiry),
        TEST(an_access_token_ends_after_ten_minutes),
        TEST(i4_a_disabled_principal_is_refused_at_once),
        TEST(i4_an_expired_principal_is_refused),
        TEST(i4_a_revoked_api_key_is_refused_at_once),
        TEST(i8_the_reason_for_the_log_holds_no_part_of_the_credential),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The second factor: set up by the user himself, asked for after the password, each code once, recovery codes, removal.
 * The codes are oathtool's. */
#include "browser.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/text.h"

#define GOOD "a good long password"
#define OWN "/v1/users/owner/totp"

/* The code that is good `steps` from now. */
static void code_get(const char *secret, int steps, char out[8])
{
    char command[256];
    (void)snprintf(command, sizeof(command), "oathtool --totp --base32 --now \"@%lld\" %s",
                   (long long)(clock_now_ms() / 1000 + steps * 30), secret);
    FILE *from = popen(command, "re");
    assert_non_null(from);
    assert_non_null(fgets(out, 8, from));
    out[6] = '\0';
    assert_int_equal(pclose(from), 0);
}

static int sign_in(struct world *w, const char *totp)
{
    return world_post(w, NOBODY, "/v1/session", "{\"name\":\"owner\",\"password\":\"" GOOD "\",\"totp\":\"%s\"}", totp);
}

/* The owner has a password and nothing else. */
static int fresh(void **state)
{
    struct world *w = *state;
    static char address[32];
    static int number;

    (void)snprintf(address, sizeof(address), "192.0.2.%d", ++number);
    w->address = address;
    world_sql(w, "DELETE FROM sign_in_failure");
    world_sql(w, "DELETE FROM user_password");
    world_sql(w, "DELETE FROM user_totp");
    world_sql(w, "DELETE FROM recovery_code");
    world_sql(w, "DELETE FROM web_session");
    return world_ask(w, OWNER, "PUT", "/v1/users/owner/password", "{\"password\":\"" GOOD "\"}") == 204 ? 0 : -1;
}

/* On, with the present code used up: the next one is good, also when a step ends meanwhile; recovery: the first of the recovery codes. */
static void switch_on(struct world *w, char secret[64], char recovery[32])
{
    char code[8], body[64];

    assert_status(w, world_ask(w, OWNER, "POST", OWN, "{}"), 200);
    (void)text_copy(secret, 64, answer_text(w, "secret"));
    code_get(secret, 0, code);
    (void)snprintf(body, sizeof(body), "{\"code\":\"%s\"}", code);
    assert_status(w, world_ask(w, OWNER, "PUT", OWN, body), 200);
    const struct json *codes = json_get(w->answer, "recovery_codes");
    assert_int_equal(json_count(codes), 10);
    (void)text_copy(recovery, 32, json_text(json_at(codes, 0), ""));
}

static void assert_state(struct world *w, const char *name, int codes)
{
    assert_status(w, world_get(w, OWNER, OWN), 200);
    assert_string_equal(answer_text(w, "state"), name);
    assert_int_equal(json_get_integer(w->answer, "recovery_codes", -1), codes);
}

static void a_factor_that_is_begun_is_asked_for_once_it_is_confirmed(void **state)
{
    struct world *w = *state;
    struct browser b;
    char secret[64], recovery[32], code[8];

    assert_state(w, "off", 0);
    assert_status(w, world_ask(w, OWNER, "PUT", OWN, "{\"code\":\"123456\"}"), 404);
    assert_status(w, world_ask(w, OWNER, "POST", OWN, "{}"), 200);
    assert_int_equal(strncmp(answer_text(w, "uri"), "otpauth://totp/Chancery:owner?secret=", 37), 0);
    (void)world_ask(w, OWNER, "PUT", OWN, "{\"code\":\"wrong\"}");
    assert_problem(w, CODE_INVALID, "code");
    assert_state(w, "begun", 0);
    browser_sign_in(w, "owner", GOOD, &b);
    switch_on(w, secret, recovery);
    assert_state(w, "on", 10);
    (void)world_post(w, NOBODY, "/v1/session", "{\"name\":\"owner\",\"password\":\"" GOOD "\"}");
    assert_problem(w, CODE_TOTP_REQUIRED, NULL);
    (void)world_post(w, NOBODY, "/v1/session", "{\"name\":\"owner\",\"password\":\"not the password\"}");
    assert_problem(w, CODE_NOT_AUTHENTICATED, NULL);
    code_get(secret, 1, code);
    assert_status(w, sign_in(w, code), 201);
    browser_open(w, OWNER, &b); /* an API key is a strong credential by itself */
}

static void a_code_is_good_once_and_a_wrong_one_is_told_nothing(void **state)
{
    struct world *w = *state;
    char secret[64], recovery[32], code[8];

    switch_on(w, secret, recovery);
    code_get(secret, 1, code);
    assert_status(w, sign_in(w, code), 201);
    (void)sign_in(w, code);
    assert_problem(w, CODE_NOT_AUTHENTICATED, NULL);
    (void)sign_in(w, "000000x");
    assert_problem(w, CODE_NOT_AUTHENTICATED, NULL);
}

/* Whoever knows the password may not count as new after each question for the code. */
static void a_good_password_without_a_code_forgives_no_wrong_code(void **state)
{
    struct world *w = *state;
    char secret[64], recovery[32], code[8];

    switch_on(w, secret, recovery);
    for (int i = 0; i < 5; i++) {
        (void)sign_in(w, "000000x");
        assert_problem(w, CODE_NOT_AUTHENTICATED, NULL);
        (void)world_post(w, NOBODY, "/v1/session", "{\"name\":\"owner\",\"password\":\"" GOOD "\"}");
        assert_problem(w, CODE_TOTP_REQUIRED, NULL);
    }
    code_get(secret, 1, code);
    (void)sign_in(w, code);
    assert_problem(w, CODE_RATE_LIMITED, NULL);
}

static void a_recovery_code_is_good_once(void **state)
{
    struct world *w = *state;
    char secret[64], recovery[32];

    switch_on(w, secret, recovery);
    assert_status(w, sign_in(w, recovery), 201);
    assert_state(w, "on", 9);
    (void)sign_in(w, recovery);
    assert_problem(w, CODE_NOT_AUTHENTICATED, NULL);
}

static void a_session_confirms_with_the_factor_too(void **state)
{
    struct world *w = *state;
    struct browser b;
    char secret[64], recovery[32], code[8], body[128];

    switch_on(w, secret, recovery);
    assert_status(w, sign_in(w, recovery), 201);
    browser_take(w, &b);
    (void)browser_ask(w, &b, "POST", "/v1/session/confirm", "{\"password\":\"" GOOD "\"}");
    assert_problem(w, CODE_TOTP_REQUIRED, NULL);
    code_get(secret, 1, code);
    (void)snprintf(body, sizeof(body), "{\"password\":\"" GOOD "\",\"totp\":\"%s\"}", code);
    assert_status(w, browser_ask(w, &b, "POST", "/v1/session/confirm", body), 200);
}

static void nobody_begins_a_factor_for_another_nor_a_second_one(void **state)
{
    struct world *w = *state;
    char secret[64], recovery[32];

    (void)world_ask(w, ADMIN, "POST", OWN, "{}");
    assert_problem(w, CODE_FORBIDDEN, "only the user himself");
    switch_on(w, secret, recovery);
    (void)world_ask(w, OWNER, "POST", OWN, "{}");
    assert_problem(w, CODE_CONFLICT, "already");
    (void)world_ask(w, OWNER, "PUT", OWN, "{\"code\":\"123456\"}");
    assert_problem(w, CODE_CONFLICT, "already");
}

static void a_user_removes_his_factor_with_a_code_and_an_administrator_without(void **state)
{
    struct world *w = *state;
    char secret[64], recovery[32], code[8], target[64];

    assert_status(w, world_ask(w, OWNER, "DELETE", OWN, NULL), 404);
    switch_on(w, secret, recovery);
    (void)world_ask(w, OWNER, "DELETE", OWN, NULL);
    assert_problem(w, CODE_CONFIRMATION_REQUIRED, "code");
    (void)world_ask(w, OWNER, "DELETE", OWN "?code=000000x", NULL);
    assert_problem(w, CODE_CONFIRMATION_REQUIRED, "wrong");
    code_get(secret, 1, code);
    (void)snprintf(target, sizeof(target), OWN "?code=%s", code);
    assert_status(w, world_ask(w, OWNER, "DELETE", target, NULL), 204);
    assert_state(w, "off", 0);
    switch_on(w, secret, recovery);
    for (int i = 0; i < 10; i++)
        (void)world_ask(w, OWNER, "DELETE", OWN "?code=000000x", NULL);
    (void)world_ask(w, OWNER, "DELETE", target, NULL);
    assert_problem(w, CODE_RATE_LIMITED, NULL);
    assert_status(w, world_ask(w, ADMIN, "DELETE", OWN, NULL), 204);
    cleanup_json struct json *record = world_last_record(w);
    assert_string_equal(json_get_text(record, "type", ""), "totp.remove");
    assert_true(json_get_bool(json_get(record, "detail"), "for_another", false));
}

static void i8_neither_secret_nor_recovery_code_is_on_record_or_plain_in_the_store(void **state)
{
    struct world *w = *state;
    char secret[64], recovery[32];

    switch_on(w, secret, recovery);
    assert_status(w, world_get(w, AUDITOR, "/v1/audit/export"), 200);
    assert_null(strstr(buf_text(&w->x.response_body), secret));
    assert_null(strstr(buf_text(&w->x.response_body), recovery));
}

static void without_the_servers_key_the_factor_is_unavailable_not_absent(void **state)
{
    struct world *w = *state;
    char secret[64], recovery[32], code[8];

    switch_on(w, secret, recovery);
    assert_int_equal(unlink(w->secret_key_file), 0);
    code_get(secret, 1, code);
    (void)sign_in(w, code);
    assert_problem(w, CODE_UNAVAILABLE, "secret key");
    assert_status(w, sign_in(w, recovery), 201);
}

#define T(test) cmocka_unit_test_setup(test, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_factor_that_is_begun_is_asked_for_once_it_is_confirmed),
        T(a_code_is_good_once_and_a_wrong_one_is_told_nothing),
        T(a_good_password_without_a_code_forgives_no_wrong_code),
        T(a_recovery_code_is_good_once),
        T(a_session_confirms_with_the_factor_too),
        T(nobody_begins_a_factor_for_another_nor_a_second_one),
        T(a_user_removes_his_factor_with_a_code_and_an_administrator_without),
        T(i8_neither_secret_nor_recovery_code_is_on_record_or_plain_in_the_store),
        T(without_the_servers_key_the_factor_is_unavailable_not_absent),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}

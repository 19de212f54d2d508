/* SPDX-License-Identifier: Apache-2.0 */
/* TOTP against RFC 6238's vectors and oathtool; each code once; recovery codes; what is
 * sealed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/auth/sealed.h"
#include "server/auth/totp.h"

static const uint8_t rfc_secret[TOTP_SECRET_LEN] = "12345678901234567890"; /* RFC 6238 appendix B, SHA-1 */

static void codes_are_those_of_rfc_6238(void **state)
{
    static const struct {
        int64_t seconds;
        const char *code; /* the last six of the eight digits there */
    } rows[] = {{59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
                {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char code[TOTP_DIGITS + 1];
        assert_true(is_ok(totp_code(rfc_secret, rows[i].seconds / TOTP_STEP_SECONDS, code, NULL)));
        assert_string_equal(code, rows[i].code);
    }
}

static void codes_are_those_of_oathtool(void **state)
{
    cleanup_buf struct buf base32 = {0};
    (void)state;
    totp_base32(rfc_secret, &base32);
    for (int64_t seconds = 1; seconds < 4000000000; seconds = seconds * 7 + 13) {
        char command[256], code[TOTP_DIGITS + 1], other[16] = "";
        (void)snprintf(command, sizeof(command), "oathtool --totp --base32 --now \"@%lld\" %s", (long long)seconds,
                       buf_text(&base32));
        FILE *out = popen(command, "re");
        assert_non_null(out);
        assert_non_null(fgets(other, sizeof(other), out));
        assert_int_equal(pclose(out), 0);
        assert_true(is_ok(totp_code(rfc_secret, seconds / TOTP_STEP_SECONDS, code, NULL)));
        assert_memory_equal(code, other, TOTP_DIGITS);
    }
}

static bool verify(const char *code, int64_t now_s, int64_t last_step, int64_t *step)
{
    bool good = false;
    assert_true(is_ok(totp_verify(rfc_secret, code, now_s * 1000, last_step, step, &good, NULL)));
    return good;
}

static void a_code_is_good_one_step_early_or_late_and_once(void **state)
{
    enum { NOW = 1111111111, STEP = NOW / TOTP_STEP_SECONDS };
    int64_t step = 0;
    (void)state;
    assert_true(verify("050471", NOW, 0, &step));
    assert_int_equal(step, STEP);
    assert_true(verify("050471", NOW + 30, 0, &step));
    assert_true(verify("050471", NOW - 30, 0, &step));
    assert_false(verify("050471", NOW + 60, 0, &step));
    assert_false(verify("050471", NOW - 60, 0, &step));
    assert_false(verify("050471", NOW, STEP, &step));
    assert_false(verify("081804", NOW, STEP, &step)); /* the step before, which is used up with it */
    assert_true(verify("050471", NOW, STEP - 1, &step));
    static const char *const bad[] = {"", "05047", "0504710", "05047a", "050472", " 50471"};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(verify(bad[i], NOW, 0, &step));
}

static void the_uri_is_what_authenticator_apps_read(void **state)
{
    cleanup_buf struct buf uri = {0};
    (void)state;
    totp_uri(rfc_secret, "alice", &uri);
    assert_string_equal(buf_text(&uri), "otpauth://totp/Chancery:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
                                        "&issuer=Chancery&algorithm=SHA1&digits=6&period=30");
}

static void a_recovery_code_is_its_users_however_it_is_typed(void **state)
{
    char code[RECOVERY_TEXT_SIZE], typed[2 * RECOVERY_TEXT_SIZE] = "";
    uint8_t first[32], second[32];
    (void)state;
    assert_true(is_ok(recovery_code_make(code, NULL)));
    assert_int_equal(strlen(code), RECOVERY_LEN + 3);
    assert_false(totp_is_code(code));
    for (size_t i = 0, n = 0; code[i]; i++) {
        typed[n++] = code[i] == '-' ? ' ' : (char)(code[i] >= 'a' ? code[i] - 32 : code[i]);
        if (code[i] == '-')
            typed[n++] = ' ';
    }
    assert_true(is_ok(recovery_code_hash("usr_a", code, first, NULL)));
    assert_true(is_ok(recovery_code_hash("usr_a", typed, second, NULL)));
    assert_memory_equal(first, second, sizeof(first));
    assert_true(is_ok(recovery_code_hash("usr_b", code, second, NULL)));
    assert_memory_not_equal(first, second, sizeof(first));
}

static void i8_what_is_sealed_is_opened_for_its_purpose_with_its_key_unchanged_alone(void **state)
{
    char directory[] = "/tmp/chancery-sealed-XXXXXX", key[64], other[64];
    cleanup_buf struct buf sealed = {0}, opened = {0};
    struct stat st;
    struct error err = {0};
    const struct slice secret = {rfc_secret, sizeof(rfc_secret)};
    (void)state;
    assert_non_null(mkdtemp(directory));
    (void)snprintf(key, sizeof(key), "%s/key", directory);
    (void)snprintf(other, sizeof(other), "%s/other", directory);
    assert_int_equal(unseal(key, "totp a", (struct slice){(const uint8_t[48]){0}, 48}, &opened, &err).code,
                     CODE_UNAVAILABLE);
    assert_true(is_ok(seal(key, "totp a", secret, &sealed, &err)));
    assert_int_equal(sealed.len, secret.len + SEALED_OVERHEAD);
    assert_int_equal(stat(key, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(is_ok(unseal(key, "totp a", buf_slice(&sealed), &opened, &err)));
    assert_true(slice_equal(buf_slice(&opened), secret));
    assert_int_equal(unseal(key, "totp b", buf_slice(&sealed), &opened, &err).code, CODE_UNAVAILABLE);
    assert_true(is_ok(secret_key_make(other, &err)));
    assert_int_equal(secret_key_make(other, &err).code, CODE_CONFLICT);
    assert_int_equal(unseal(other, "totp a", buf_slice(&sealed), &opened, &err).code, CODE_UNAVAILABLE);
    for (size_t i = 0; i < sealed.len; i++) {
        sealed.data[i] ^= 1;
        assert_int_equal(unseal(key, "totp a", buf_slice(&sealed), &opened, &err).code, CODE_UNAVAILABLE);
        sealed.data[i] ^= 1;
    }
    assert_int_equal(chmod(key, 0644), 0);
    assert_int_equal(unseal(key, "totp a", buf_slice(&sealed), &opened, &err).code, CODE_UNAVAILABLE);
    assert_non_null(strstr(err.detail, "mode 644"));
    (void)unlink(key);
    (void)unlink(other);
    (void)rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_those_of_rfc_6238),
        cmocka_unit_test(codes_are_those_of_oathtool),
        cmocka_unit_test(a_code_is_good_one_step_early_or_late_and_once),
        cmocka_unit_test(the_uri_is_what_authenticator_apps_read),
        cmocka_unit_test(a_recovery_code_is_its_users_however_it_is_typed),
        cmocka_unit_test(i8_what_is_sealed_is_opened_for_its_purpose_with_its_key_unchanged_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

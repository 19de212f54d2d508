/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include "module/ckr.h"

/* The promise to applications, written down a second time: whoever changes a row of errors.def changes it here too. */
static const struct {
    enum code code;
    CK_RV rv;
} rows[] = {
    {CODE_OK, CKR_OK},
    {CODE_INVALID, CKR_FUNCTION_FAILED},
    {CODE_DIGEST_MALFORMED, CKR_DATA_LEN_RANGE},
    {CODE_NOT_AUTHENTICATED, CKR_USER_NOT_LOGGED_IN},
    {CODE_TOTP_REQUIRED, CKR_USER_NOT_LOGGED_IN},
    {CODE_FORBIDDEN, CKR_KEY_FUNCTION_NOT_PERMITTED},
    {CODE_CONFIRMATION_REQUIRED, CKR_FUNCTION_REJECTED},
    {CODE_PASSWORD_CHANGE_REQUIRED, CKR_FUNCTION_REJECTED},
    {CODE_KEY_DISABLED, CKR_KEY_FUNCTION_NOT_PERMITTED},
    {CODE_KEY_EXPIRED, CKR_KEY_FUNCTION_NOT_PERMITTED},
    {CODE_MECHANISM_DENIED, CKR_FUNCTION_REJECTED},
    {CODE_APPROVAL_REQUIRED, CKR_FUNCTION_REJECTED},
    {CODE_FROZEN, CKR_FUNCTION_REJECTED},
    {CODE_NETWORK_DENIED, CKR_FUNCTION_REJECTED},
    {CODE_CONTEXT_REQUIRED, CKR_FUNCTION_REJECTED},
    {CODE_DIGEST_NOT_LISTED, CKR_FUNCTION_REJECTED},
    {CODE_WINDOW_CLOSED, CKR_FUNCTION_REJECTED},
    {CODE_QUOTA_EXCEEDED, CKR_FUNCTION_REJECTED},
    {CODE_NOT_FOUND, CKR_KEY_HANDLE_INVALID},
    {CODE_METHOD_NOT_ALLOWED, CKR_FUNCTION_FAILED},
    {CODE_CONFLICT, CKR_FUNCTION_FAILED},
    {CODE_IDEMPOTENCY_CONFLICT, CKR_FUNCTION_FAILED},
    {CODE_STALE, CKR_FUNCTION_FAILED},
    {CODE_TOO_LARGE, CKR_DATA_LEN_RANGE},
    {CODE_UNSUPPORTED_MEDIA, CKR_FUNCTION_FAILED},
    {CODE_RATE_LIMITED, CKR_FUNCTION_REJECTED},
    {CODE_INTERNAL, CKR_DEVICE_ERROR},
    {CODE_HSM_UNAVAILABLE, CKR_DEVICE_ERROR},
    {CODE_AUDIT_UNAVAILABLE, CKR_DEVICE_ERROR},
    {CODE_UNAVAILABLE, CKR_DEVICE_ERROR},
    {CODE_TIMEOUT, CKR_DEVICE_ERROR},
    {CODE_NO_MEMORY, CKR_HOST_MEMORY},
    {CODE_CONFIGURATION, CKR_GENERAL_ERROR},
    {CODE_CREDENTIAL, CKR_PIN_INCORRECT},
    {CODE_IO, CKR_DEVICE_ERROR},
    {CODE_BAD_SIGNATURE, CKR_DEVICE_ERROR},
};

static void every_error_has_the_code_that_was_promised(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(ckr_of(rows[i].code), rows[i].rv);
}

static void no_error_is_left_out_and_none_is_ok(void **state)
{
    (void)state;
    assert_int_equal(COUNT_OF(rows), CODE_COUNT);
    for (int code = CODE_OK + 1; code < CODE_COUNT; code++)
        assert_int_not_equal(ckr_of((enum code)code), CKR_OK);
    assert_int_equal(ckr_of(CODE_COUNT), CKR_GENERAL_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_the_code_that_was_promised),
        cmocka_unit_test(no_error_is_left_out_and_none_is_ok),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

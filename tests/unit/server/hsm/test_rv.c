/* SPDX-License-Identifier: Apache-2.0 */
/* CK_RV to what is done about it and what the caller sees. */
#include "unit.h"

#include <string.h>

static const struct {
    CK_RV rv;
    enum loss loss;
    enum code code;
} rows[] = {
    {CKR_SESSION_HANDLE_INVALID, LOSS_SESSION, CODE_HSM_UNAVAILABLE},
    {CKR_SESSION_CLOSED, LOSS_SESSION, CODE_HSM_UNAVAILABLE},
    {CKR_DEVICE_REMOVED, LOSS_SESSION, CODE_HSM_UNAVAILABLE},
    {CKR_DEVICE_ERROR, LOSS_SESSION, CODE_HSM_UNAVAILABLE},
    {CKR_TOKEN_NOT_PRESENT, LOSS_SESSION, CODE_HSM_UNAVAILABLE},
    {CKR_USER_NOT_LOGGED_IN, LOSS_SESSION, CODE_HSM_UNAVAILABLE},
    {CKR_CRYPTOKI_NOT_INITIALIZED, LOSS_SESSION, CODE_HSM_UNAVAILABLE},
    {CKR_OPERATION_ACTIVE, LOSS_SESSION, CODE_HSM_UNAVAILABLE},
    {CKR_KEY_HANDLE_INVALID, LOSS_HANDLE, CODE_HSM_UNAVAILABLE},
    {CKR_OBJECT_HANDLE_INVALID, LOSS_HANDLE, CODE_HSM_UNAVAILABLE},
    {CKR_GENERAL_ERROR, LOSS_NONE, CODE_HSM_UNAVAILABLE},
    {CKR_FUNCTION_FAILED, LOSS_NONE, CODE_HSM_UNAVAILABLE},
    {CKR_SESSION_COUNT, LOSS_NONE, CODE_HSM_UNAVAILABLE},
    {CKR_MECHANISM_INVALID, LOSS_NONE, CODE_MECHANISM_DENIED},
    {CKR_KEY_TYPE_INCONSISTENT, LOSS_NONE, CODE_MECHANISM_DENIED},
    {CKR_PIN_INCORRECT, LOSS_NONE, CODE_CREDENTIAL},
    {CKR_PIN_LOCKED, LOSS_NONE, CODE_CREDENTIAL},
    {CKR_HOST_MEMORY, LOSS_NONE, CODE_NO_MEMORY},
    {CKR_ARGUMENTS_BAD, LOSS_NONE, CODE_INTERNAL},
    {CKR_DATA_LEN_RANGE, LOSS_NONE, CODE_INTERNAL},
    {0xdeadbeefUL, LOSS_NONE, CODE_INTERNAL},
    {RV_NOT_FOUND, LOSS_NONE, CODE_NOT_FOUND},
    {RV_AMBIGUOUS, LOSS_NONE, CODE_INTERNAL},
    {RV_MALFORMED, LOSS_NONE, CODE_INTERNAL},
};

static void each_code_has_its_loss_and_its_status(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct error err = {0};
        assert_int_equal(rv_loss(rows[i].rv), rows[i].loss);
        assert_int_equal(rv_status(rows[i].rv, "C_Sign", &err).code, rows[i].code);
        assert_int_equal(err.code, rows[i].code);
        assert_true(err.text[0] != 0);
    }
}

static void the_detail_names_function_and_code(void **state)
{
    struct error err = {0};

    (void)state;
    ignore(rv_status(CKR_DEVICE_ERROR, "C_Sign", &err));
    assert_string_equal(err.detail, "C_Sign: CKR_DEVICE_ERROR (0x30)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_code_has_its_loss_and_its_status),
        cmocka_unit_test(the_detail_names_function_and_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

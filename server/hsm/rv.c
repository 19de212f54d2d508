/* SPDX-License-Identifier: Apache-2.0 */
/* The module's CK_RV: its name, what it says was lost, and the status the caller sees. */
#include "server/hsm/internal.h"

#define CODE_ROW(name)                                                                                                 \
    {                                                                                                                  \
        name, #name                                                                                                    \
    }
static const struct {
    CK_RV rv;
    const char *name;
} names[] = {
    CODE_ROW(CKR_CANCEL),
    CODE_ROW(CKR_HOST_MEMORY),
    CODE_ROW(CKR_SLOT_ID_INVALID),
    CODE_ROW(CKR_GENERAL_ERROR),
    CODE_ROW(CKR_FUNCTION_FAILED),
    CODE_ROW(CKR_ARGUMENTS_BAD),
    CODE_ROW(CKR_CANT_LOCK),
    CODE_ROW(CKR_ATTRIBUTE_READ_ONLY),
    CODE_ROW(CKR_ATTRIBUTE_SENSITIVE),
    CODE_ROW(CKR_ATTRIBUTE_TYPE_INVALID),
    CODE_ROW(CKR_ATTRIBUTE_VALUE_INVALID),
    CODE_ROW(CKR_ACTION_PROHIBITED),
    CODE_ROW(CKR_DATA_INVALID),
    CODE_ROW(CKR_DATA_LEN_RANGE),
    CODE_ROW(CKR_DEVICE_ERROR),
    CODE_ROW(CKR_DEVICE_MEMORY),
    CODE_ROW(CKR_DEVICE_REMOVED),
    CODE_ROW(CKR_FUNCTION_CANCELED),
    CODE_ROW(CKR_FUNCTION_NOT_SUPPORTED),
    CODE_ROW(CKR_KEY_HANDLE_INVALID),
    CODE_ROW(CKR_KEY_SIZE_RANGE),
    CODE_ROW(CKR_KEY_TYPE_INCONSISTENT),
    CODE_ROW(CKR_KEY_FUNCTION_NOT_PERMITTED),
    CODE_ROW(CKR_MECHANISM_INVALID),
    CODE_ROW(CKR_MECHANISM_PARAM_INVALID),
    CODE_ROW(CKR_OBJECT_HANDLE_INVALID),
    CODE_ROW(CKR_OPERATION_ACTIVE),
    CODE_ROW(CKR_OPERATION_NOT_INITIALIZED),
    CODE_ROW(CKR_PIN_INCORRECT),
    CODE_ROW(CKR_PIN_INVALID),
    CODE_ROW(CKR_PIN_LEN_RANGE),
    CODE_ROW(CKR_PIN_EXPIRED),
    CODE_ROW(CKR_PIN_LOCKED),
    CODE_ROW(CKR_SESSION_CLOSED),
    CODE_ROW(CKR_SESSION_COUNT),
    CODE_ROW(CKR_SESSION_HANDLE_INVALID),
    CODE_ROW(CKR_SESSION_EXISTS),
    CODE_ROW(CKR_TEMPLATE_INCOMPLETE),
    CODE_ROW(CKR_TEMPLATE_INCONSISTENT),
    CODE_ROW(CKR_TOKEN_NOT_PRESENT),
    CODE_ROW(CKR_TOKEN_NOT_RECOGNIZED),
    CODE_ROW(CKR_TOKEN_WRITE_PROTECTED),
    CODE_ROW(CKR_USER_ALREADY_LOGGED_IN),
    CODE_ROW(CKR_USER_NOT_LOGGED_IN),
    CODE_ROW(CKR_USER_PIN_NOT_INITIALIZED),
    CODE_ROW(CKR_USER_ANOTHER_ALREADY_LOGGED_IN),
    CODE_ROW(CKR_DOMAIN_PARAMS_INVALID),
    CODE_ROW(CKR_CURVE_NOT_SUPPORTED),
    CODE_ROW(CKR_BUFFER_TOO_SMALL),
    CODE_ROW(CKR_CRYPTOKI_NOT_INITIALIZED),
    CODE_ROW(CKR_CRYPTOKI_ALREADY_INITIALIZED),
    CODE_ROW(CKR_FUNCTION_REJECTED),
};

const char *rv_name(CK_RV rv)
{
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (names[i].rv == rv)
            return names[i].name;
    }
    return "an unknown code";
}

enum loss rv_loss(CK_RV rv)
{
    switch (rv) {
    case CKR_KEY_HANDLE_INVALID:
    case CKR_OBJECT_HANDLE_INVALID:
        return LOSS_HANDLE;
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_SESSION_CLOSED:
    case CKR_DEVICE_REMOVED:
    case CKR_DEVICE_ERROR:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_TOKEN_NOT_RECOGNIZED:
    case CKR_SLOT_ID_INVALID:
    case CKR_USER_NOT_LOGGED_IN:
    case CKR_CRYPTOKI_NOT_INITIALIZED:
    case CKR_OPERATION_ACTIVE:
    case CKR_OPERATION_NOT_INITIALIZED:
        return LOSS_SESSION;
    default:
        return LOSS_NONE;
    }
}

bool rv_is_pin(CK_RV rv)
{
    switch (rv) {
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
    case CKR_PIN_EXPIRED:
    case CKR_PIN_LOCKED:
    case CKR_USER_PIN_NOT_INITIALIZED:
        return true;
    default:
        return false;
    }
}

static status rv_text(CK_RV rv, const char *call, struct error *err)
{
    if (rv_is_pin(rv))
        return error_set(err, CODE_CREDENTIAL, "the HSM refuses the PIN (%s)", rv_name(rv));

    switch (rv) {
    case RV_NOT_FOUND:
        return error_set(err, CODE_NOT_FOUND, "the HSM has no private key with this CKA_ID");
    case RV_AMBIGUOUS:
        return error_set(err, CODE_INTERNAL, "the HSM has more than one private key with this CKA_ID");
    case RV_MALFORMED:
        return error_set(err, CODE_INTERNAL, "the HSM describes a key in a form that is not understood");
    case CKR_HOST_MEMORY:
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    case CKR_MECHANISM_INVALID:
    case CKR_MECHANISM_PARAM_INVALID:
    case CKR_KEY_FUNCTION_NOT_PERMITTED:
    case CKR_KEY_TYPE_INCONSISTENT:
    case CKR_KEY_SIZE_RANGE:
    case CKR_CURVE_NOT_SUPPORTED:
    case CKR_DOMAIN_PARAMS_INVALID:
        return error_set(err, CODE_MECHANISM_DENIED, "the HSM does not do this with this type of key (%s)",
                         rv_name(rv));
    case CKR_SESSION_COUNT:
        return error_set(err, CODE_HSM_UNAVAILABLE, "the HSM gives no more sessions: configure fewer");
    case CKR_GENERAL_ERROR:
    case CKR_FUNCTION_FAILED:
    case CKR_DEVICE_MEMORY:
    case CKR_FUNCTION_REJECTED:
        return error_set(err, CODE_HSM_UNAVAILABLE, "the HSM failed in %s (%s)", call, rv_name(rv));
    default:
        return rv_loss(rv) == LOSS_NONE
                   ? error_set(err, CODE_INTERNAL, "the HSM refused %s (%s)", call, rv_name(rv))
                   : error_set(err, CODE_HSM_UNAVAILABLE, "the HSM does not answer (%s)", rv_name(rv));
    }
}

status rv_status(CK_RV rv, const char *call, struct error *err)
{
    status s = rv_text(rv, call, err);

    if (rv != RV_NOT_FOUND && rv != RV_AMBIGUOUS && rv != RV_MALFORMED)
        error_detail(err, "%s: %s (0x%lx)", call, rv_name(rv), rv);
    return s;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A new token: C_InitToken in a free slot, then the user PIN by the security officer (PKCS#11 3.0 §5.5.9, §5.5.10). */
#include "server/hsm/internal.h"

static CK_RV user_pin_set(CK_FUNCTION_LIST *f, CK_SLOT_ID slot, struct slice so_pin, struct slice user_pin,
                          const char **call)
{
    CK_SESSION_HANDLE session;

    *call = "C_OpenSession";
    CK_RV rv = f->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session);
    if (rv != CKR_OK)
        return rv;

    *call = "C_Login";
    rv = f->C_Login(session, CKU_SO, (CK_UTF8CHAR *)so_pin.data, so_pin.len);
    if (rv == CKR_OK) {
        *call = "C_InitPIN";
        rv = f->C_InitPIN(session, (CK_UTF8CHAR *)user_pin.data, user_pin.len);
        (void)f->C_Logout(session);
    }
    (void)f->C_CloseSession(session);
    return rv;
}

static status pin_len_check(const CK_TOKEN_INFO *info, const char *which, struct slice pin, struct error *err)
{
    if (pin.len >= info->ulMinPinLen && pin.len <= info->ulMaxPinLen)
        return OK;
    return error_set(err, CODE_INVALID, "%s: the HSM wants %lu to %lu bytes", which, info->ulMinPinLen,
                     info->ulMaxPinLen);
}

static status token_init(CK_FUNCTION_LIST *f, const char *label, struct slice so_pin, struct slice user_pin,
                         struct error *err)
{
    CK_UTF8CHAR padded[LABEL_LEN];
    CK_SLOT_ID slot;
    CK_TOKEN_INFO info;
    const char *call = "C_InitToken";

    TRY(label_pad(label, padded, err));
    if (is_ok(module_find_token(f, label, &slot, NULL)))
        return error_set(err, CODE_CONFLICT, "the HSM module already has a token with the label \"%s\"", label);
    TRY(module_find_free(f, &slot, err));
    if (f->C_GetTokenInfo(slot, &info) == CKR_OK) {
        TRY(pin_len_check(&info, "security officer's PIN", so_pin, err));
        TRY(pin_len_check(&info, "user PIN", user_pin, err));
    }

    CK_RV rv = f->C_InitToken(slot, (CK_UTF8CHAR *)so_pin.data, so_pin.len, padded);
    if (rv != CKR_OK)
        return rv_status(rv, call, err);
    rv = user_pin_set(f, slot, so_pin, user_pin, &call);
    return rv == CKR_OK ? OK : rv_status(rv, call, err);
}

status hsm_token_init(const char *module_path, const char *token_label, struct slice so_pin, struct slice user_pin,
                      struct error *err)
{
    CK_FUNCTION_LIST *f;

    TRY(module_acquire(module_path, &f, err));
    status s = token_init(f, token_label, so_pin, user_pin, err);
    module_release(f);
    return s;
}

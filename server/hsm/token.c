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

static status label_check_free(CK_FUNCTION_LIST *f, const char *label, struct error *err)
{
    CK_SLOT_ID slot;
    char shown[64];
    struct p11_kit_uri *wanted = NULL;

    TRY(wanted_new(NULL, label, &wanted, shown, sizeof shown, err));
    status s = slot_find_token(f, wanted, &slot, NULL);
    wanted_free(wanted);
    if (is_ok(s) || s.code == CODE_CONFIGURATION)
        return error_set(err, CODE_CONFLICT, "the HSM module already has a token with the label \"%s\"", label);
    return OK;
}

static status token_init(CK_FUNCTION_LIST *f, const char *label, struct slice so_pin, struct slice user_pin,
                         struct error *err)
{
    CK_UTF8CHAR padded[LABEL_LEN];
    CK_SLOT_ID slot;
    CK_TOKEN_INFO info;
    const char *call = "C_InitToken";

    TRY(label_pad(label, padded, err));
    TRY(label_check_free(f, label, err));
    TRY(slot_find_free(f, &slot, err));
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

static status module_started(struct module *m, const char *path, struct error *err)
{
    if (!module_turn_take(m, deadline_in(TIMEOUT_DEFAULT_MS)))
        return error_set(err, CODE_HSM_UNAVAILABLE, "%s: the HSM module does not answer", path);
    CK_RV rv = module_start(m);
    module_turn_give(m);
    if (rv == CKR_OK)
        return OK;
    ignore(rv_status(rv, "C_Initialize", err));
    error_prefix(err, "%s", path);
    return (status){CODE_CONFIGURATION};
}

status hsm_token_init(const char *module_path, const char *token_label, struct slice so_pin, struct slice user_pin,
                      struct error *err)
{
    struct module *m;

    TRY(module_acquire(module_path, &m, err));
    status s = module_started(m, module_path, err);
    if (is_ok(s))
        s = token_init(module_functions(m), token_label, so_pin, user_pin, err);
    module_release(m);
    return s;
}

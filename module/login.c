/* SPDX-License-Identifier: Apache-2.0 */
/* C_Login and C_Logout. */
#include "module/login.h"

#include <string.h>

#include "module/ckr.h"

/* This token has no security officer, and no key asks for a login of its own. */
static CK_RV other_login(struct session_view view, CK_USER_TYPE type)
{
    if (type == CKU_CONTEXT_SPECIFIC)
        return CKR_OPERATION_NOT_INITIALIZED;
    if (type != CKU_SO)
        return CKR_USER_TYPE_INVALID;

    module_lock_scope(view.slot->module);
    if (view.slot->logged_in)
        return CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
    return view.slot->session_count > view.slot->rw_session_count ? CKR_SESSION_READ_ONLY_EXISTS
                                                                  : CKR_USER_TYPE_INVALID;
}

/* A PIN is text: with a NUL in it, it is another one than what stands before the NUL. */
static CK_RV pin_check(struct client *client, struct slice pin)
{
    bool is_needed = client_needs_login(client);
    if (!pin.data && (is_needed || pin.len > 0))
        return CKR_ARGUMENTS_BAD;
    if (!is_needed)
        return CKR_OK;
    if (pin.len < PIN_MIN_LEN || pin.len > PIN_MAX_LEN)
        return CKR_PIN_LEN_RANGE;
    if (memchr(pin.data, 0, pin.len))
        return CKR_PIN_INCORRECT;

    struct error err = {0};
    return ckr_report("login", client_login(client, pin, &err), &err);
}

static bool is_logged_in(struct slot *slot)
{
    module_lock_scope(slot->module);
    return slot->logged_in;
}

CK_RV login_user(struct module *m, CK_SESSION_HANDLE session, CK_USER_TYPE type, struct slice pin)
{
    struct session_view view;
    CK_RV rv = session_view(m, session, &view);
    if (rv != CKR_OK)
        return rv;
    if (type != CKU_USER)
        return other_login(view, type);
    if (is_logged_in(view.slot))
        return CKR_USER_ALREADY_LOGGED_IN;
    rv = pin_check(m->client, pin); /* slow by design (PBKDF2): no lock held */
    if (rv != CKR_OK)
        return rv;

    module_lock_scope(m);
    if (view.slot->logged_in)
        return CKR_USER_ALREADY_LOGGED_IN;
    if (view.slot->session_count == 0) /* the last session was closed meanwhile: a login has nobody to hold it */
        return CKR_SESSION_CLOSED;
    view.slot->logged_in = true;
    return CKR_OK;
}

/* The credential says whose it is: a name adds nothing, and is taken when it is the account's own, or empty. */
static bool is_own_name(const struct module *m, struct slice name)
{
    const char *own = client_config_of(m->client)->account;
    return name.len == 0 || (own && slice_equal(name, slice_of_text(own)));
}

CK_RV login_named(struct module *m, CK_SESSION_HANDLE session, CK_USER_TYPE type, struct slice pin, struct slice name)
{
    struct session_view view;
    CK_RV rv = session_view(m, session, &view);
    if (rv != CKR_OK)
        return rv;
    if (!name.data && name.len > 0)
        return CKR_ARGUMENTS_BAD;
    if (type == CKU_USER && !is_own_name(m, name) && !is_logged_in(view.slot))
        return CKR_PIN_INCORRECT;
    return login_user(m, session, type, pin);
}

CK_RV login_end(struct module *m, CK_SESSION_HANDLE session)
{
    struct session_view view;
    CK_RV rv = session_view(m, session, &view);
    if (rv != CKR_OK)
        return rv;
    module_lock_scope(m);
    if (!view.slot->logged_in)
        return CKR_USER_NOT_LOGGED_IN;
    slot_logout(view.slot);
    return CKR_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Logging in and out (base §5.6.8–5.6.10). */
#include <stdio.h>
#include <string.h>

#include "attribute.h"
#include "group.h"
#include "key.h"
#include "search.h"

static void state_is(struct rig *r, CK_SESSION_HANDLE session, const char *when, CK_STATE wanted)
{
    CK_SESSION_INFO info = {0};
    EXPECT("base §5.6.4", "C_GetSessionInfo", r->f->C_GetSessionInfo(session, &info), CKR_OK);
    check_number("base §3.3", text("the state %s", when), info.state, wanted);
}

static CK_ULONG private_keys_found(struct rig *r, CK_SESSION_HANDLE session)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof class}, {CKA_PRIVATE, &yes, sizeof yes}};
    struct found found;
    search(r, session, wanted, 2, &found);
    EXPECT("base §5.7.7", "a search for private keys", found.rv, CKR_OK);
    return found.count;
}

static CK_RV login_with(struct rig *r, CK_SESSION_HANDLE s, CK_USER_TYPE type, const char *pin, CK_ULONG len)
{
    return r->f->C_Login(s, type, (CK_UTF8CHAR *)pin, len);
}

/* Where the PIN matters. A token without CKF_LOGIN_REQUIRED may take any. */
void login_wrong_pin_group(struct rig *r)
{
    if (!login_is_required(r))
        return;
    CK_SESSION_HANDLE s = r->session;
    const char *pin = r->target->pin;
    CK_ULONG len = strlen(pin);
    char wrong[256], longest[4096];
    (void)snprintf(wrong, sizeof wrong, "%s", pin);
    wrong[len / 2] ^= 1;
    memset(longest, 'x', sizeof longest);
    EXPECT("base §5.6.8", "C_Login with one bit of the PIN changed", login_with(r, s, CKU_USER, wrong, len),
           CKR_PIN_INCORRECT);
    EXPECT("base §5.6.8", "C_Login with the PIN's last character missing", login_with(r, s, CKU_USER, pin, len - 1),
           CKR_PIN_INCORRECT, CKR_PIN_LEN_RANGE);
    EXPECT("base §5.6.8", "C_Login with the PIN's end NUL", login_with(r, s, CKU_USER, pin, len + 1), CKR_PIN_INCORRECT,
           CKR_PIN_LEN_RANGE);
    EXPECT("base §5.6.8", "C_Login with an empty PIN", login_with(r, s, CKU_USER, pin, 0), CKR_PIN_INCORRECT,
           CKR_PIN_LEN_RANGE, CKR_ARGUMENTS_BAD);
    EXPECT("base §5.6.8", "C_Login with a PIN of 4096 characters", login_with(r, s, CKU_USER, longest, sizeof longest),
           CKR_PIN_INCORRECT, CKR_PIN_LEN_RANGE);
    EXPECT("base §5.6.8", "C_Login with a PIN length of ~0", login_with(r, s, CKU_USER, pin, ~0UL), CKR_PIN_INCORRECT,
           CKR_PIN_LEN_RANGE, CKR_ARGUMENTS_BAD);
    if (!(r->info.flags & CKF_PROTECTED_AUTHENTICATION_PATH)) {
        EXPECT("base §5.6.8", "C_Login(session, CKU_USER, NULL, 0)", login_with(r, s, CKU_USER, NULL, 0),
               CKR_PIN_INCORRECT, CKR_PIN_LEN_RANGE, CKR_ARGUMENTS_BAD);
        EXPECT("base §5.6.8", "C_Login(session, CKU_USER, NULL, 8)", login_with(r, s, CKU_USER, NULL, 8),
               CKR_ARGUMENTS_BAD);
    }
    state_is(r, s, "after refused logins", CKS_RO_PUBLIC_SESSION);
    check_number("base §5.7.7", "private keys found after refused logins", private_keys_found(r, s), 0);
    EXPECT("base §5.6.10", "C_Logout after refused logins", r->f->C_Logout(s), CKR_USER_NOT_LOGGED_IN);
    EXPECT("base §5.6.8", "C_Login with the right PIN after wrong ones", login(r, s), CKR_OK);
}

void login_type_group(struct rig *r)
{
    CK_SESSION_HANDLE s = r->session;
    const char *pin = "no-such-officer";
    EXPECT("base §5.6.8", "C_Login of the SO while a R/O session exists", login_with(r, s, CKU_SO, pin, strlen(pin)),
           CKR_SESSION_READ_ONLY_EXISTS);
    EXPECT("base §5.6.8", "C_Login for a context with nothing under way",
           login_with(r, s, CKU_CONTEXT_SPECIFIC, pin, strlen(pin)), CKR_OPERATION_NOT_INITIALIZED);
    const CK_USER_TYPE unknown[] = {3, 4, 99, 0x80000000UL, ~0UL};
    for (size_t i = 0; i < COUNT_OF(unknown); i++)
        EXPECT("base §5.6.8", text("C_Login of user type 0x%lx", unknown[i]),
               login_with(r, s, unknown[i], pin, strlen(pin)), CKR_USER_TYPE_INVALID);
    state_is(r, s, "after these", CKS_RO_PUBLIC_SESSION);

    EXPECT("base §5.6.2", "C_CloseSession", r->f->C_CloseSession(s), CKR_OK);
    s = session_new(r, true);
    EXPECT("base §5.6.8", "C_Login of the SO with a wrong PIN", login_with(r, s, CKU_SO, pin, strlen(pin)),
           CKR_PIN_INCORRECT, CKR_USER_TYPE_INVALID, CKR_PIN_LEN_RANGE);
    EXPECT("base §5.6.8", "C_Login", login(r, s), CKR_OK);
    EXPECT("base §5.6.8", "C_Login of the SO while the user is logged in", login_with(r, s, CKU_SO, pin, strlen(pin)),
           CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
    state_is(r, s, "is still the user's", CKS_RW_USER_FUNCTIONS);
}

void login_state_group(struct rig *r)
{
    CK_SESSION_HANDLE read_only = r->session, read_write = session_new(r, true);
    state_is(r, read_only, "of a R/O session before login", CKS_RO_PUBLIC_SESSION);
    state_is(r, read_write, "of a R/W session before login", CKS_RW_PUBLIC_SESSION);
    EXPECT("base §5.6.10", "C_Logout before C_Login", r->f->C_Logout(read_only), CKR_USER_NOT_LOGGED_IN);

    EXPECT("base §5.6.8", "C_Login in the R/O session", login(r, read_only), CKR_OK);
    state_is(r, read_only, "of the R/O session after login", CKS_RO_USER_FUNCTIONS);
    state_is(r, read_write, "of the R/W session after the other's login", CKS_RW_USER_FUNCTIONS);
    CK_SESSION_HANDLE later = session_new(r, false);
    state_is(r, later, "of a session opened after login", CKS_RO_USER_FUNCTIONS);
    EXPECT("base §5.6.8", "C_Login again", login(r, read_only), CKR_USER_ALREADY_LOGGED_IN);
    EXPECT("base §5.6.8", "C_Login again from another session", login(r, read_write), CKR_USER_ALREADY_LOGGED_IN);
    state_is(r, read_only, "after a second login", CKS_RO_USER_FUNCTIONS);

    EXPECT("base §5.6.10", "C_Logout from another session", r->f->C_Logout(read_write), CKR_OK);
    state_is(r, read_only, "of the R/O session after logout", CKS_RO_PUBLIC_SESSION);
    state_is(r, read_write, "of the R/W session after logout", CKS_RW_PUBLIC_SESSION);
    state_is(r, later, "of the third session after logout", CKS_RO_PUBLIC_SESSION);
    EXPECT("base §5.6.10", "C_Logout again", r->f->C_Logout(read_only), CKR_USER_NOT_LOGGED_IN);

    EXPECT("base §5.6.8", "C_Login in the R/W session", login(r, read_write), CKR_OK);
    state_is(r, read_only, "of the R/O session after the R/W one's login", CKS_RO_USER_FUNCTIONS);
    EXPECT("base §5.6.2", "C_CloseSession of the one that logged in", r->f->C_CloseSession(read_write), CKR_OK);
    state_is(r, read_only, "after that one was closed", CKS_RO_USER_FUNCTIONS);
    EXPECT("base §5.6.2", "C_CloseSession", r->f->C_CloseSession(later), CKR_OK);
    EXPECT("base §5.6.2", "C_CloseSession of the last", r->f->C_CloseSession(read_only), CKR_OK);
    r->session = session_new(r, false);
    state_is(r, r->session, "of a new session after the last was closed", CKS_RO_PUBLIC_SESSION);
    EXPECT("base §5.6.8", "C_Login", login(r, r->session), CKR_OK);
    EXPECT("base §5.6.3", "C_CloseAllSessions", r->f->C_CloseAllSessions(r->slot), CKR_OK);
    r->session = session_new(r, false);
    state_is(r, r->session, "of a new session after C_CloseAllSessions", CKS_RO_PUBLIC_SESSION);
}

static void handle_is_dead(struct rig *r, CK_OBJECT_HANDLE handle, const char *when)
{
    CK_ULONG class = 0;
    CK_ATTRIBUTE a = {CKA_CLASS, &class, sizeof class};
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    if (r->key.type == CKK_RSA)
        mechanism.mechanism = CKM_RSA_PKCS;
    if (r->key.type == CKK_EC_EDWARDS)
        mechanism.mechanism = CKM_EDDSA;
    EXPECT("base §5.6.10", text("C_GetAttributeValue of the private key %s", when),
           r->f->C_GetAttributeValue(r->session, handle, &a, 1), CKR_OBJECT_HANDLE_INVALID);
    EXPECT("base §5.6.10", text("C_SignInit with the private key %s", when),
           r->f->C_SignInit(r->session, &mechanism, handle), CKR_KEY_HANDLE_INVALID, CKR_USER_NOT_LOGGED_IN);
}

/* "any of the application's handles to private objects become invalid (even if a user is later logged back into the
 * token, those handles remain invalid)" (base §5.6.10). */
void logout_group(struct rig *r)
{
    if (!bool_read(r, r->key.private_key, CKA_PRIVATE)) {
        checks_note("the private key has CKA_PRIVATE false");
        return;
    }
    CK_OBJECT_HANDLE private = r->key.private_key, public = r->key.public_key;
    CK_ULONG class = 0;
    EXPECT("base §5.6.10", "C_Logout", r->f->C_Logout(r->session), CKR_OK);
    handle_is_dead(r, private, "after C_Logout");
    check_number("base §5.7.7", "private keys found after C_Logout", private_keys_found(r, r->session), 0);
    check("base §5.6.10", "a public object's handle stays good", ulong_read(r, public, CKA_CLASS, &class));
    EXPECT("base §5.6.8", "C_Login after C_Logout", login(r, r->session), CKR_OK);
    handle_is_dead(r, private, "of before C_Logout after the next C_Login");
    check("base §5.7.7", "private keys are found after the next C_Login", private_keys_found(r, r->session) > 0);
    key_clear(&r->key);
    check("base §5.7.7", "the key is found again", key_find(r, r->token->keys[0], &r->key));
    check("base §5.6.10", "… under another handle", r->key.private_key != private);
    (void)r->f->C_CloseAllSessions(r->slot);
    r->session = session_new(r, false);
    if (login_is_required(r))
        check_number("base §5.6.3", "private keys found after C_CloseAllSessions", private_keys_found(r, r->session),
                     0);
    handle_is_dead(r, r->key.private_key, "after C_CloseAllSessions");
}

/* "C_Login will return CKR_OPERATION_NOT_INITIALIZED, but the active cryptographic operation will not be affected, if
 * an attempt is made to re-authenticate when CKA_ALWAYS_AUTHENTICATE is set to CK_FALSE" (base §4.9). */
void login_context_group(struct rig *r)
{
    if (bool_read(r, r->key.private_key, CKA_ALWAYS_AUTHENTICATE))
        return;
    CK_MECHANISM mechanism = {r->key.type == CKK_EC ? CKM_ECDSA : CKM_EDDSA, NULL, 0};
    if (r->key.type == CKK_RSA)
        mechanism.mechanism = CKM_RSA_PKCS;
    const char *pin = r->target->pin;
    CK_ULONG len = 0;
    EXPECT("base §5.13.1", "C_SignInit", r->f->C_SignInit(r->session, &mechanism, r->key.private_key), CKR_OK);
    EXPECT("base §4.9", "C_Login(CKU_CONTEXT_SPECIFIC) for a key that does not ask for it",
           login_with(r, r->session, CKU_CONTEXT_SPECIFIC, pin, strlen(pin)), CKR_OPERATION_NOT_INITIALIZED);
    EXPECT("base §4.9", "the signing operation is not affected",
           r->f->C_Sign(r->session, (CK_BYTE *)"0123456789abcdef0123456789abcdef", 32, NULL, &len), CKR_OK);
    state_is(r, r->session, "is still the user's", CKS_RO_USER_FUNCTIONS);
}

/* Without LOGIN_REQUIRED there is nothing to hide; with it, private objects are. */
void login_hides_group(struct rig *r)
{
    CK_ULONG before = private_keys_found(r, r->session);
    if (!login_is_required(r))
        return;
    check_number("base §5.7.7", "private keys found before login", before, 0);
    struct found all;
    search(r, r->session, NULL, 0, &all);
    EXPECT("base §5.7.7", "a search for everything before login", all.rv, CKR_OK);
    for (CK_ULONG i = 0; i < all.count; i++)
        check("base §5.7.7", "what is found before login is not private", !bool_read(r, all.objects[i], CKA_PRIVATE));
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE private = {CKA_PRIVATE, &yes, sizeof yes};
    search(r, r->session, &private, 1, &all);
    check_number("base §5.7.7", "objects found by CKA_PRIVATE before login", all.count, 0);
}

void login_user_group(struct rig *r)
{
    if (!r->f3)
        return;
    CK_SESSION_HANDLE s = r->session;
    CK_UTF8CHAR *pin = (CK_UTF8CHAR *)r->target->pin;
    CK_ULONG len = strlen(r->target->pin);
    EXPECT("base §5.6.9", "C_LoginUser of user type 99", r->f3->C_LoginUser(s, 99, pin, len, NULL, 0),
           CKR_USER_TYPE_INVALID, CKR_FUNCTION_NOT_SUPPORTED);
    EXPECT("base §5.6.9", "C_LoginUser with a name at NULL", r->f3->C_LoginUser(s, CKU_USER, pin, len, NULL, 5),
           CKR_ARGUMENTS_BAD, CKR_FUNCTION_NOT_SUPPORTED);
    if (login_is_required(r))
        EXPECT("base §5.6.9", "C_LoginUser with a wrong PIN",
               r->f3->C_LoginUser(s, CKU_USER, (CK_UTF8CHAR *)"wrong-pin", 9, NULL, 0), CKR_PIN_INCORRECT,
               CKR_FUNCTION_NOT_SUPPORTED);
    state_is(r, s, "after refused logins", CKS_RO_PUBLIC_SESSION);
    CK_RV rv = r->f3->C_LoginUser(s, CKU_USER, pin, len, NULL, 0);
    EXPECT("base §5.6.9", "C_LoginUser without a name", rv, CKR_OK, CKR_FUNCTION_NOT_SUPPORTED);
    if (rv != CKR_OK)
        return;
    state_is(r, s, "after C_LoginUser", CKS_RO_USER_FUNCTIONS);
    EXPECT("base §5.6.9", "C_LoginUser again", r->f3->C_LoginUser(s, CKU_USER, pin, len, NULL, 0),
           CKR_USER_ALREADY_LOGGED_IN);
    EXPECT("base §5.6.8", "C_Login after C_LoginUser", login(r, s), CKR_USER_ALREADY_LOGGED_IN);
    EXPECT("base §5.6.10", "C_Logout after C_LoginUser", r->f->C_Logout(s), CKR_OK);
}

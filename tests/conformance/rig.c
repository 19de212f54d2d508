/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <dlfcn.h>
#include <string.h>

#include "key.h"

bool rig_load(struct rig *r, const struct target *target)
{
    *r = (struct rig){.target = target};
    about("dlopen");
    r->library = dlopen(target->path, RTLD_NOW | RTLD_LOCAL);
    if (!r->library)
        return check("base §5.4.4", text("the library loads: %s", dlerror()), false);

    CK_C_GetFunctionList get = (CK_C_GetFunctionList)dlsym(r->library, "C_GetFunctionList");
    if (!get)
        return check("base §5.4.4", "C_GetFunctionList is exported", false);
    if (get(&r->f) != CKR_OK || !r->f)
        return check("base §5.4.4", "C_GetFunctionList gives a list", false);

    r->get_interface_list = (CK_C_GetInterfaceList)dlsym(r->library, "C_GetInterfaceList");
    r->get_interface = (CK_C_GetInterface)dlsym(r->library, "C_GetInterface");
    CK_VERSION version = {3, 0};
    CK_INTERFACE *found = NULL;
    if (r->get_interface && r->get_interface((CK_UTF8CHAR *)"PKCS 11", &version, &found, 0) == CKR_OK && found)
        r->f3 = found->pFunctionList;
    return true;
}

bool rig_initialize(struct rig *r)
{
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    return EXPECT("base §5.4.1", "C_Initialize with CKF_OS_LOCKING_OK", r->f->C_Initialize(&args), CKR_OK);
}

static bool label_is(const CK_TOKEN_INFO *info, const char *label)
{
    char padded[sizeof info->label];
    memset(padded, ' ', sizeof padded);
    size_t len = strlen(label);
    memcpy(padded, label, len < sizeof padded ? len : sizeof padded);
    return memcmp(padded, info->label, sizeof padded) == 0;
}

bool slot_by_label(struct rig *r, const char *label, CK_SLOT_ID *slot, CK_TOKEN_INFO *info)
{
    CK_SLOT_ID slots[64];
    CK_ULONG count = COUNT_OF(slots);
    about("the token is found by its label");
    if (r->f->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK)
        return false;
    for (CK_ULONG i = 0; i < count; i++) {
        if (r->f->C_GetTokenInfo(slots[i], info) == CKR_OK && label_is(info, label)) {
            *slot = slots[i];
            return true;
        }
    }
    return false;
}

CK_SESSION_HANDLE session_new(struct rig *r, bool read_write)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_FLAGS flags = CKF_SERIAL_SESSION | (read_write ? CKF_RW_SESSION : 0);
    EXPECT("base §5.6.1", read_write ? "C_OpenSession read/write" : "C_OpenSession read-only",
           r->f->C_OpenSession(r->slot, flags, NULL, NULL, &session), CKR_OK);
    return session;
}

void session_renew(struct rig *r)
{
    CK_SESSION_HANDLE old = r->session;
    r->session = session_new(r, false);
    (void)r->f->C_CloseSession(old);
}

CK_RV login(struct rig *r, CK_SESSION_HANDLE session)
{
    about("C_Login");
    return r->f->C_Login(session, CKU_USER, (CK_UTF8CHAR *)r->target->pin, strlen(r->target->pin));
}

bool login_is_required(const struct rig *r)
{
    return r->info.flags & CKF_LOGIN_REQUIRED;
}

static bool token_up(struct rig *r, const char *key_label, enum level level)
{
    if (!slot_by_label(r, r->token->label, &r->slot, &r->info))
        return check("base §5.5.3", text("the token \"%s\" is found", r->token->label), false);
    if (level >= LEVEL_PUBLIC && (r->session = session_new(r, false)) == CK_INVALID_HANDLE)
        return false;
    if (level >= LEVEL_USER && !EXPECT("base §5.6.8", "C_Login with the right PIN", login(r, r->session), CKR_OK))
        return false;
    return level < LEVEL_KEY || key_find(r, key_label, &r->key);
}

bool rig_up(struct rig *r, const struct target *target, const struct token *token, const char *key_label,
            enum level level)
{
    if (!rig_load(r, target))
        return false;
    r->token = token;
    if (level >= LEVEL_INITIALIZED && !rig_initialize(r))
        return false;
    return level < LEVEL_INITIALIZED || !token || token_up(r, key_label, level);
}

void rig_down(struct rig *r)
{
    key_clear(&r->key);
    about("C_Finalize at the end of the group");
    if (r->f)
        (void)r->f->C_Finalize(NULL);
}

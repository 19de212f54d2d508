/* SPDX-License-Identifier: Apache-2.0 */
/* CKO_PROFILE objects and what the profiles they name ask for (base §4.13; PKCS#11 Profiles 3.0 §5). */
#include <string.h>

#include "attribute.h"
#include "function.h"
#include "group.h"
#include "search.h"

static CK_ULONG count_of(struct rig *r, CK_OBJECT_CLASS class)
{
    CK_ATTRIBUTE wanted = {CKA_CLASS, &class, sizeof class};
    struct found found;
    search(r, r->session, &wanted, 1, &found);
    return found.count;
}

static bool is_supported(struct rig *r, const char *name)
{
    for (size_t i = 0; i < function_count; i++) {
        struct arguments a = arguments_make(r);
        a.session = ~0UL; /* nothing happens */
        if (strcmp(functions[i].name, name) == 0 && function_exists(r, &functions[i]))
            return functions[i].call(r, &a) != CKR_FUNCTION_NOT_SUPPORTED;
    }
    return false;
}

static void functions_are_supported(struct rig *r, const char *profile, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check("Profiles §5", text("%s is supported, as %s asks", names[i], profile), is_supported(r, names[i]));
}

static void baseline(struct rig *r)
{
    static const char *const names[] = {"C_GetInfo",          "C_GetSlotList",      "C_GetSlotInfo",
                                        "C_GetTokenInfo",     "C_OpenSession",      "C_CloseSession",
                                        "C_GetSessionInfo",   "C_FindObjectsInit",  "C_FindObjects",
                                        "C_FindObjectsFinal", "C_GetAttributeValue"};
    functions_are_supported(r, "the Baseline Provider", names, COUNT_OF(names));
    check("Profiles §5.1", "C_GetInterface and C_GetInterfaceList are there",
          r->get_interface && r->get_interface_list);
}

static void extended(struct rig *r)
{
    static const char *const names[] = {"C_GetMechanismList", "C_GetMechanismInfo", "C_Login", "C_LoginUser",
                                        "C_Logout"};
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    functions_are_supported(r, "the Extended Provider", names, COUNT_OF(names));
    EXPECT("Profiles, EXT-M-1-30", "C_OpenSession R/W, as the test case does",
           r->f->C_OpenSession(r->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session), CKR_OK);
}

static void authentication(struct rig *r)
{
    static const char *const names[] = {"C_Login", "C_LoginUser", "C_Logout", "C_SignInit", "C_Sign"};
    functions_are_supported(r, "the Authentication Token", names, COUNT_OF(names));
    check("Profiles §5.3", "there is a private key", count_of(r, CKO_PRIVATE_KEY) > 0);
    check("Profiles §5.3", "there is a public key", count_of(r, CKO_PUBLIC_KEY) > 0);
}

static void profile_is_kept(struct rig *r, CK_OBJECT_HANDLE object)
{
    CK_ULONG id = 0;
    if (!check("base §4.13", "CKA_PROFILE_ID can be read", ulong_read(r, object, CKA_PROFILE_ID, &id)))
        return;
    check("base §4.13", text("profile 0x%lx is one of the standard's", id),
          (id >= CKP_BASELINE_PROVIDER && id <= 5) || id >= CKP_VENDOR_DEFINED);
    if (id == CKP_BASELINE_PROVIDER)
        baseline(r);
    if (id == CKP_EXTENDED_PROVIDER)
        extended(r);
    if (id == CKP_AUTHENTICATION_TOKEN)
        authentication(r);
    if (id == CKP_PUBLIC_CERTIFICATES_TOKEN)
        check("Profiles §5.4", "there is a certificate", count_of(r, CKO_CERTIFICATE) > 0);
    CK_ATTRIBUTE same = {CKA_PROFILE_ID, &id, sizeof id};
    struct found found;
    search(r, r->session, &same, 1, &found);
    check("base §4.13", text("one object has profile 0x%lx", id), found.count == 1 && found.objects[0] == object);
}

static void profiles_find(struct rig *r, struct found *out)
{
    CK_OBJECT_CLASS class = CKO_PROFILE;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &class, sizeof class};
    search(r, r->session, &wanted, 1, out);
    EXPECT("base §5.7.7", "a search for profiles", out->rv, CKR_OK);
}

void profile_group(struct rig *r)
{
    struct found profiles;
    profiles_find(r, &profiles);
    if (profiles.count == 0)
        checks_note("the token has no profile object");
    for (CK_ULONG i = 0; i < profiles.count; i++)
        profile_is_kept(r, profiles.objects[i]);
}

/* "All certificates are publicly readable, able to be found on the token without a login having been performed"; a
 * certificate's key too, by CKA_ID (Profiles §5.4). */
static void certificates_are_public(struct rig *r)
{
    CK_OBJECT_CLASS class = CKO_CERTIFICATE, public = CKO_PUBLIC_KEY, private = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &class, sizeof class};
    struct found before, after, keys;
    search(r, r->session, &wanted, 1, &before);
    EXPECT("base §5.6.8", "C_Login", login(r, r->session), CKR_OK);
    search(r, r->session, &wanted, 1, &after);
    check_number("Profiles §5.4", "certificates found before login, as many as after", before.count, after.count);
    bool has_key[FOUND_MAX] = {false};
    for (CK_ULONG i = 0; i < before.count; i++) {
        struct value id;
        value_read(r, r->session, before.objects[i], CKA_ID, &id);
        CK_ATTRIBUTE pair[] = {{CKA_CLASS, &private, sizeof private}, {CKA_ID, id.bytes, id.len}};
        search(r, r->session, pair, 2, &keys);
        has_key[i] = keys.count > 0;
    }
    EXPECT("base §5.6.10", "C_Logout", r->f->C_Logout(r->session), CKR_OK);
    for (CK_ULONG i = 0; i < before.count; i++) {
        struct value id;
        value_read(r, r->session, before.objects[i], CKA_ID, &id);
        CK_ATTRIBUTE pair[] = {{CKA_CLASS, &public, sizeof public}, {CKA_ID, id.bytes, id.len}};
        search(r, r->session, pair, 2, &keys);
        CK_ULONG found = keys.count;
        pair[0].pValue = &private;
        search(r, r->session, pair, 2, &keys);
        if (has_key[i])
            check("Profiles §5.4", "the certificate's key is found without login", found + keys.count > 0);
    }
}

void profile_public_group(struct rig *r)
{
    struct found before, after;
    profiles_find(r, &before);
    for (CK_ULONG i = 0; i < before.count; i++) {
        CK_ULONG id = 0;
        if (ulong_read(r, before.objects[i], CKA_PROFILE_ID, &id) && id == CKP_PUBLIC_CERTIFICATES_TOKEN)
            certificates_are_public(r);
    }
    EXPECT("base §5.6.8", "C_Login", login(r, r->session), CKR_OK);
    profiles_find(r, &after);
    check_number("base §4.13", "profiles found before login, as many as after", before.count, after.count);
}

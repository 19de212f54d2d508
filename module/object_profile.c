/* SPDX-License-Identifier: Apache-2.0 */
/* Profile objects (PKCS#11 3.0 §4.13): what the token claims of the OASIS profiles. They need no server and no login.
 */
#include "module/object.h"

#include <stdio.h>

static const struct profile {
    CK_ULONG id;
    const char *label;
} profiles[] = {
    {CKP_BASELINE_PROVIDER, "Baseline Provider"},
    {CKP_EXTENDED_PROVIDER, "Extended Provider"},
    {CKP_AUTHENTICATION_TOKEN, "Authentication Token"},
    {CKP_PUBLIC_CERTIFICATES_TOKEN, "Public Certificates Token"},
};

static void profile_fill(struct attributes *a, const struct profile *profile)
{
    char text[32];
    (void)snprintf(text, sizeof text, "profile/%lu", profile->id);
    attribute_add_ulong(a, CKA_CLASS, CKO_PROFILE);
    attribute_add_bool(a, CKA_PRIVATE, false);
    object_fill_token(a, slice_of_text(profile->label));
    attribute_add_text(a, CKA_UNIQUE_ID, text);
    attribute_add_ulong(a, CKA_PROFILE_ID, profile->id);
}

status object_set_build_profiles(bool with_certificates, struct object_set **out, struct error *err)
{
    struct object objects[COUNT_OF(profiles)] = {0};
    size_t count = with_certificates ? COUNT_OF(profiles) : COUNT_OF(profiles) - 1;
    for (size_t i = 0; i < count; i++) {
        objects[i].class = CKO_PROFILE;
        objects[i].handle = object_handle_new();
        profile_fill(&objects[i].attributes, &profiles[i]);
    }
    return object_set_of(objects, count, NULL, out, err);
}

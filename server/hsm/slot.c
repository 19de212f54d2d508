/* SPDX-License-Identifier: Apache-2.0 */
/* Which slot of a module has the token that is meant. */
#include "server/hsm/internal.h"

#include <p11-kit/uri.h>
#include <string.h>

status label_pad(const char *label, CK_UTF8CHAR out[LABEL_LEN], struct error *err)
{
    size_t len = label ? strlen(label) : 0;

    if (len == 0 || len > LABEL_LEN)
        return error_set(err, CODE_INVALID, "token label \"%s\": 1 to %d bytes are expected", label ? label : "",
                         LABEL_LEN);
    memset(out, ' ', LABEL_LEN);
    memcpy(out, label, len);
    return OK;
}

static CK_RV slots_list(CK_FUNCTION_LIST *f, CK_SLOT_ID **out, CK_ULONG *count)
{
    CK_RV rv = f->C_GetSlotList(CK_TRUE, NULL, count);
    if (rv != CKR_OK)
        return rv;

    cleanup_free CK_SLOT_ID *slots = calloc(*count + 1, sizeof *slots);
    if (!slots)
        return CKR_HOST_MEMORY;
    rv = f->C_GetSlotList(CK_TRUE, slots, count);
    if (rv == CKR_OK)
        *out = steal(&slots);
    return rv;
}

static bool slot_is_it(CK_FUNCTION_LIST *f, CK_SLOT_ID slot, struct p11_kit_uri *wanted)
{
    CK_TOKEN_INFO token;
    CK_INFO library;
    CK_SLOT_ID id = p11_kit_uri_get_slot_id(wanted);

    if (f->C_GetTokenInfo(slot, &token) != CKR_OK || !(token.flags & CKF_TOKEN_INITIALIZED))
        return false;
    if (id != (CK_SLOT_ID)-1 && id != slot)
        return false;
    return p11_kit_uri_match_token_info(wanted, &token) && f->C_GetInfo(&library) == CKR_OK &&
           p11_kit_uri_match_module_info(wanted, &library);
}

static bool slot_is_free(CK_FUNCTION_LIST *f, CK_SLOT_ID slot)
{
    CK_TOKEN_INFO token;

    return f->C_GetTokenInfo(slot, &token) == CKR_OK && !(token.flags & CKF_TOKEN_INITIALIZED);
}

/* How many fit, and the first of them. wanted NULL: tokens that are not initialised. */
static CK_RV slots_match(CK_FUNCTION_LIST *f, struct p11_kit_uri *wanted, CK_SLOT_ID *first, int *matches)
{
    cleanup_free CK_SLOT_ID *slots = NULL;
    CK_ULONG count = 0;
    CK_RV rv = slots_list(f, &slots, &count);

    *matches = 0;
    for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++) {
        if (wanted ? !slot_is_it(f, slots[i], wanted) : !slot_is_free(f, slots[i]))
            continue;
        if ((*matches)++ == 0)
            *first = slots[i];
    }
    return rv;
}

status slot_find_token(CK_FUNCTION_LIST *f, struct p11_kit_uri *wanted, CK_SLOT_ID *slot, struct error *err)
{
    int matches = 0;
    CK_RV rv = slots_match(f, wanted, slot, &matches);

    if (rv != CKR_OK)
        return rv_status(rv, "C_GetSlotList", err);
    if (matches == 0)
        return error_set(err, CODE_NOT_FOUND, "the HSM module has no such token");
    if (matches > 1)
        return error_set(err, CODE_CONFIGURATION, "the HSM module has %d such tokens", matches);
    return OK;
}

status slot_find_free(CK_FUNCTION_LIST *f, CK_SLOT_ID *slot, struct error *err)
{
    int matches = 0;
    CK_RV rv = slots_match(f, NULL, slot, &matches);

    if (rv != CKR_OK)
        return rv_status(rv, "C_GetSlotList", err);
    if (matches == 0)
        return error_set(err, CODE_CONFLICT, "the HSM module has no slot with a token that is not initialised");
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a token says of itself, and what it can do: for who chooses what to make in it. */
#include <string.h>

#include "common/text.h"
#include "server/hsm/internal.h"

/* Blank-padded text of PKCS#11; what is not printable is left out. */
static void padded_read(const CK_UTF8CHAR *padded, size_t len, char *out, size_t size)
{
    size_t used = 0;

    while (len > 0 && (padded[len - 1] == ' ' || padded[len - 1] == '\0'))
        len--;
    for (size_t i = 0; i < len && used + 1 < size; i++) {
        if (padded[i] >= ' ' && padded[i] < 0x7f)
            out[used++] = (char)padded[i];
    }
    out[used] = '\0';
}

static void token_describe(const CK_TOKEN_INFO *t, struct hsm_info *out)
{
    padded_read(t->label, sizeof t->label, out->token, sizeof out->token);
    padded_read(t->manufacturerID, sizeof t->manufacturerID, out->manufacturer, sizeof out->manufacturer);
    padded_read(t->model, sizeof t->model, out->model, sizeof out->model);
    padded_read(t->serialNumber, sizeof t->serialNumber, out->serial, sizeof out->serial);
    out->firmware_major = t->firmwareVersion.major;
    out->firmware_minor = t->firmwareVersion.minor;
    out->hardware_major = t->hardwareVersion.major;
    out->hardware_minor = t->hardwareVersion.minor;
    out->is_software = strncmp(out->manufacturer, "SoftHSM", strlen("SoftHSM")) == 0;
}

static CK_RV info_operation(struct hsm *h, struct session *s, void *arg)
{
    struct hsm_info *out = arg;
    CK_TOKEN_INFO token = {0};
    CK_INFO library = {0};
    CK_RV rv = CALL(h, s, C_GetTokenInfo)(h->slot, &token);

    if (rv != CKR_OK)
        return rv;
    token_describe(&token, out);
    if (CALL(h, s, C_GetInfo)(&library) == CKR_OK) {
        padded_read(library.libraryDescription, sizeof library.libraryDescription, out->library, sizeof out->library);
        out->library_major = library.libraryVersion.major;
        out->library_minor = library.libraryVersion.minor;
    }
    return CKR_OK;
}

static void ability_describe(const struct hsm *h, struct hsm_info *out)
{
    const struct hsm_ability *a = atomic_load(&h->ability);

    if (!a)
        return;
    out->mechanisms = a->mechanisms;
    out->pss_hashes = a->pss_hashes;
    out->limits = a->limits;
    out->limit_count = a->count;
    for (int type = KEY_TYPE_NONE + 1; type < KEY_TYPE_COUNT; type++)
        out->key_types |= is_ok(hsm_check_type(h, (enum key_type)type, NULL)) ? 1u << type : 0;
}

status hsm_describe(struct hsm *h, struct deadline d, struct hsm_info *out, struct error *err)
{
    *out = (struct hsm_info){.sessions = h->pool.count};
    (void)text_copy(out->token, sizeof out->token, h->label);
    status s = hsm_run(h, d, h->timeout_ms, info_operation, out, err);
    ability_describe(h, out);
    return s;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Slots, tokens and what they tell of themselves. */
#include "module/slot.h"

#include <string.h>

#include "chancery/version.h"
#include "client/libctx.h"
#include "common/encoding.h"
#include "common/secret.h"
#include "module/ckr.h"
#include "module/login.h"
#include "module/module.h"
#include "module/object.h"
#include "module/padded.h"

/* One token is known from another, over all servers and labels. */
static status serial_make(struct slot *s, const struct client_config *config, const char *label, struct error *err)
{
    cleanup_buf struct buf name = {0};
    buf_printf(&name, "%s\n%s", config->url, label);
    TRY(buf_check(&name, err));

    cleanup_libctx struct libctx_scope scope = {0};
    TRY(libctx_enter(&scope, err));
    uint8_t digest[32];
    TRY(sha256(buf_slice(&name), digest, err));

    char hex[2 * 8 + 1];
    hex_format((struct slice){digest, 8}, hex);
    memcpy(s->serial, hex, sizeof s->serial);
    return OK;
}

static status slot_add(struct module *m, const struct client_config *config, const char *label, struct error *err)
{
    struct slot *s = &m->slots[m->slot_count];
    *s = (struct slot){.id = m->slot_count, .module = m};
    TRY(serial_make(s, config, label, err));
    padded_copy(s->label, sizeof s->label, label);
    padded_copy(s->url, sizeof s->url, config->url);
    /* Certificates stand open where they are kept on disk, or where no login is needed. */
    bool is_open = !client_needs_login(m->client) || config->public_data_path;
    TRY(object_set_build_profiles(is_open, &s->profiles, err));
    m->slot_count++;
    return OK;
}

status slots_init(struct module *m, const struct client_config *config, struct error *err)
{
    TRY(slot_add(m, config, config->token_label, err));
    m->slots[0].has_others = true;
    m->slots[0].has_edwards = config->eddsa_same;
    if (config->eddsa_same)
        return OK;

    cleanup_buf struct buf label = {0};
    buf_printf(&label, "eddsa-%s", config->token_label);
    TRY(buf_check(&label, err));
    TRY(slot_add(m, config, buf_text(&label), err));
    m->slots[1].has_edwards = true;
    return OK;
}

void slots_clear(struct module *m)
{
    for (size_t i = 0; i < m->slot_count; i++) {
        object_set_unref(m->slots[i].objects);
        object_set_unref(m->slots[i].profiles);
        session_objects_clear(&m->slots[i].session_objects);
        m->slots[i].objects = m->slots[i].profiles = NULL;
    }
    m->slot_count = 0;
}

struct slot *slot_find(struct module *m, CK_SLOT_ID id)
{
    return id < m->slot_count ? &m->slots[id] : NULL;
}

bool slot_holds(const struct slot *s, enum key_family family)
{
    return family == FAMILY_EDWARDS ? s->has_edwards : s->has_others;
}

void slot_logout(struct slot *s)
{
    if (!s->logged_in)
        return;
    s->logged_in = false;
    s->logouts++;

    struct module *m = s->module;
    for (size_t i = 0; i < m->slot_count; i++) {
        if (m->slots[i].logged_in)
            return;
    }
    client_logout(m->client);
}

CK_RV slot_list(struct module *m, CK_SLOT_ID *list, CK_ULONG *count)
{
    if (!count)
        return CKR_ARGUMENTS_BAD;
    CK_ULONG room = *count;
    *count = m->slot_count;
    if (!list)
        return CKR_OK;
    if (room < m->slot_count)
        return CKR_BUFFER_TOO_SMALL;
    for (size_t i = 0; i < m->slot_count; i++)
        list[i] = m->slots[i].id;
    return CKR_OK;
}

CK_RV slot_info(struct module *m, CK_SLOT_ID id, CK_SLOT_INFO *info)
{
    const struct slot *s = slot_find(m, id);
    if (!s)
        return CKR_SLOT_ID_INVALID;
    if (!info)
        return CKR_ARGUMENTS_BAD;

    *info = (CK_SLOT_INFO){.flags = CKF_TOKEN_PRESENT,
                           .hardwareVersion = {CHANCERY_VERSION_MAJOR, CHANCERY_VERSION_MINOR},
                           .firmwareVersion = {CHANCERY_VERSION_MAJOR, CHANCERY_VERSION_MINOR}};
    memcpy(info->slotDescription, s->url, sizeof info->slotDescription);
    padded_copy(info->manufacturerID, sizeof info->manufacturerID, "Chancery");
    return CKR_OK;
}

static CK_FLAGS token_flags(const struct slot *s)
{
    CK_FLAGS flags = CKF_RNG | CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED;
    return client_needs_login(s->module->client) ? flags | CKF_LOGIN_REQUIRED : flags;
}

CK_RV slot_token_info(struct module *m, CK_SLOT_ID id, CK_TOKEN_INFO *info)
{
    const struct slot *s = slot_find(m, id);
    if (!s)
        return CKR_SLOT_ID_INVALID;
    if (!info)
        return CKR_ARGUMENTS_BAD;

    *info = (CK_TOKEN_INFO){.flags = token_flags(s),
                            .ulMaxSessionCount = CK_EFFECTIVELY_INFINITE,
                            .ulMaxRwSessionCount = CK_EFFECTIVELY_INFINITE,
                            .ulMaxPinLen = PIN_MAX_LEN,
                            .ulMinPinLen = PIN_MIN_LEN,
                            .ulTotalPublicMemory = CK_UNAVAILABLE_INFORMATION,
                            .ulFreePublicMemory = CK_UNAVAILABLE_INFORMATION,
                            .ulTotalPrivateMemory = CK_UNAVAILABLE_INFORMATION,
                            .ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION,
                            .hardwareVersion = {CHANCERY_VERSION_MAJOR, CHANCERY_VERSION_MINOR},
                            .firmwareVersion = {CHANCERY_VERSION_MAJOR, CHANCERY_VERSION_MINOR}};
    memcpy(info->label, s->label, sizeof info->label);
    memcpy(info->serialNumber, s->serial, sizeof info->serialNumber);
    padded_copy(info->manufacturerID, sizeof info->manufacturerID, "Chancery");
    padded_copy(info->model, sizeof info->model, "Chancery");
    padded_copy(info->utcTime, sizeof info->utcTime, "");

    module_lock_scope(m);
    info->ulSessionCount = s->session_count;
    info->ulRwSessionCount = s->rw_session_count;
    return CKR_OK;
}

/* Tokens never come or go; and waiting for one would block the host (I10). */
CK_RV slot_wait_for_event(CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved)
{
    if (!slot || reserved)
        return CKR_ARGUMENTS_BAD;
    return flags & CKF_DONT_BLOCK ? CKR_NO_EVENT : CKR_FUNCTION_NOT_SUPPORTED;
}

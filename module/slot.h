/* SPDX-License-Identifier: Apache-2.0 */
/* Slots and their tokens: one token per server, a second one for Edwards keys (unless eddsa = same). Everything here is
 * answered from memory; only slot_objects and slot_objects_again may ask the server. */
#pragma once

#include "chancery/pkcs11.h"
#include "common/algorithm.h"
#include "common/cleanup.h"
#include "common/status.h"
#include "module/session_objects.h"

struct module;
struct object_set;
struct client_config;
struct object;

struct slot {
    CK_SLOT_ID id;
    struct module *module;
    bool has_edwards;        /* Edwards keys stand here */
    bool has_others;         /* RSA and EC keys stand here */
    unsigned char label[32]; /* padded with blanks */
    unsigned char serial[16];
    unsigned char url[64];
    struct object_set *profiles; /* never change */
    /* Guarded by the module's lock. */
    bool logged_in;
    unsigned logouts; /* handles of private objects die with each */
    size_t session_count;
    size_t rw_session_count;
    struct object_set *objects; /* as last seen; NULL before the first look */
    struct session_objects session_objects;
};

status slots_init(struct module *m, const struct client_config *config, struct error *err);
void slots_clear(struct module *m);

CK_RV slot_list(struct module *m, CK_SLOT_ID *list, CK_ULONG *count);
CK_RV slot_info(struct module *m, CK_SLOT_ID id, CK_SLOT_INFO *info);
CK_RV slot_token_info(struct module *m, CK_SLOT_ID id, CK_TOKEN_INFO *info);
CK_RV slot_wait_for_event(CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved);
struct slot *slot_find(struct module *m, CK_SLOT_ID id);       /* NULL: CKR_SLOT_ID_INVALID */
bool slot_holds(const struct slot *s, enum key_family family); /* keys of this family stand here */
/* Ends the login of the token; the credential is wiped when no token is logged in any more. Lock held. */
void slot_logout(struct slot *s);

/* The objects as the server lists them now (or as the client remembers them). No lock held. The caller unrefs. */
CK_RV slot_objects(struct slot *s, struct object_set **out);
/* The objects as last seen: never a request. NULL when nobody has looked yet. The caller unrefs. */
struct object_set *slot_objects_seen(struct slot *s);
/* For a search that found nothing: asks the server anew, unless it was asked lately or nobody is logged in, and puts
 * what came in the place of *set. */
CK_RV slot_objects_again(struct slot *s, struct object_set **set);
/* The object of this handle, in *set, which the caller unrefs; NULL, and no set, when there is none, or it is private
 * and not to be seen: not logged in, or somebody logged out since the set was made. Never a request. */
const struct object *slot_object_acquire(struct slot *s, CK_OBJECT_HANDLE handle, struct object_set **set);
bool slot_is_open(struct slot *s); /* logged in, or no login is needed */
bool slot_shows_private(struct slot *s, const struct object_set *set);

/* SPDX-License-Identifier: Apache-2.0 */
/* What a group of checks stands on: the module, a token, a session, a key, brought to the level the group asks for.
 * Each group has a process of its own. */
#pragma once

#include <openssl/evp.h>

#include "check.h"

enum { KEYS_MAX = 16, TOKENS_MAX = 4 };

struct token {
    const char *label;
    const char *keys[KEYS_MAX]; /* labels */
    size_t key_count;
};

struct target {
    const char *path;
    const char *pin;
    struct token tokens[TOKENS_MAX];
    size_t token_count;
};

/* A key pair on the token. */
struct key {
    const char *label;
    CK_OBJECT_HANDLE private_key;
    CK_OBJECT_HANDLE public_key;
    CK_OBJECT_HANDLE certificate; /* 0: none */
    CK_KEY_TYPE type;
    EVP_PKEY *pkey; /* made from CKA_MODULUS or CKA_EC_POINT */
    unsigned bits;
    size_t signature_len;
};

enum level {
    LEVEL_LOADED,      /* before C_Initialize */
    LEVEL_INITIALIZED, /* no session */
    LEVEL_PUBLIC,      /* a R/O session */
    LEVEL_USER,        /* … and logged in */
    LEVEL_KEY,         /* … and the key found */
};

struct rig {
    const struct target *target;
    const struct token *token;
    void *library;
    CK_FUNCTION_LIST *f;
    CK_FUNCTION_LIST_3_0 *f3; /* NULL: the module has no 3.0 interface */
    CK_C_GetInterfaceList get_interface_list;
    CK_C_GetInterface get_interface;
    CK_SLOT_ID slot;
    CK_TOKEN_INFO info;
    CK_SESSION_HANDLE session;
    struct key key;
};

/* False, with a failed check, when the level cannot be reached. key_label is read at LEVEL_KEY. */
bool rig_up(struct rig *r, const struct target *target, const struct token *token, const char *key_label,
            enum level level);
/* Finalises what is initialised. */
void rig_down(struct rig *r);

bool rig_load(struct rig *r, const struct target *target);
bool rig_initialize(struct rig *r);
bool slot_by_label(struct rig *r, const char *label, CK_SLOT_ID *slot, CK_TOKEN_INFO *info);
CK_SESSION_HANDLE session_new(struct rig *r, bool read_write);
/* A session like the rig's in its place: whatever was under way in that one is gone. */
void session_renew(struct rig *r);
/* For a call that must begin nothing: an operation it began all the same is dropped, so that it is told once. */
#define EXPECT_NOT_BEGUN(clause, what, call, ...)                                                                      \
    ({                                                                                                                 \
        const CK_RV begun_ = (about(what), call);                                                                      \
        EXPECT(clause, what, begun_, __VA_ARGS__);                                                                     \
        if (begun_ == CKR_OK)                                                                                          \
            session_renew(r);                                                                                          \
    })
CK_RV login(struct rig *r, CK_SESSION_HANDLE session);
bool login_is_required(const struct rig *r);

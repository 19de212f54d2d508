/* SPDX-License-Identifier: Apache-2.0 */
/* The session objects of one token: all sessions see them, and each goes with the session that made it (PKCS#11 3.0
 * §5.6.3). Every call with the module's lock held. */
#pragma once

#include "chancery/pkcs11.h"
#include "common/cleanup.h"
#include "common/status.h"

struct object_set;
struct session_object;

/* An end to what one host can make this process hold: CKR_DEVICE_MEMORY. */
enum { SESSION_OBJECTS_MAX = 1024 };

struct session_objects {
    struct session_object *items; /* in the order they were made */
    size_t count;
    size_t room;
};
void session_objects_clear(struct session_objects *s);
/* Keeps a reference of its own. */
CK_RV session_objects_add(struct session_objects *s, CK_SESSION_HANDLE owner, struct object_set *set);
struct object_set *session_objects_find(const struct session_objects *s,
                                        CK_OBJECT_HANDLE handle);                 /* borrowed, or NULL */
struct object_set *session_objects_at(const struct session_objects *s, size_t i); /* borrowed */
/* The object that was in previous is the one in set now, or, with NULL, no more; false when it changed meanwhile. */
bool session_objects_replace(struct session_objects *s, const struct object_set *previous, struct object_set *set);
void session_objects_end(struct session_objects *s, CK_SESSION_HANDLE owner);

/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of one token. From one listing of keys: private key, public key and certificate of each key, and the
 * certificates of the issuing CAs. Without one: profiles, and session objects, each in a set of its own. A set never
 * changes; it is shared by reference count. */
#pragma once

#include "module/attribute.h"
#include "module/slot.h"
#include "module/template.h"

struct client_key;
struct client_keys;

enum { IDENTITY_LEN = 32 };

struct object {
    CK_OBJECT_HANDLE handle;
    CK_OBJECT_CLASS class;
    bool is_private;
    bool is_earlier;                /* of a version that is not the current one: found by handle and CKA_ID alone */
    uint8_t identity[IDENTITY_LEN]; /* what keeps its handle from one listing to the next */
    const struct client_key *key;   /* the set's; NULL for issuing certificates and profiles */
    struct attributes attributes;
};
struct object_set;

/* previous gives known objects their handles; private ones only when nobody logged out since. */
status object_set_build(const struct slot *slot, const struct client_keys *keys, unsigned logouts,
                        struct object_set *previous, struct object_set **out, struct error *err);
/* The profiles of PKCS#11 Profiles 3.1 that the token keeps; the one for public certificates is for tokens that show
 * them before login. */
status object_set_build_profiles(bool with_certificates, struct object_set **out, struct error *err);
/* Objects by rising handle; takes their attributes, and own, which may be NULL, whatever comes of it. */
status object_set_of(struct object *objects, size_t count, struct client_key *own, struct object_set **out,
                     struct error *err);
CK_OBJECT_HANDLE object_handle_new(void);
struct object_set *object_set_ref(struct object_set *set);
void object_set_unref(struct object_set *set); /* NULL is fine */
DEFINE_CLEANUP_PTR(struct object_set, object_set_unref)
#define cleanup_object_set CLEANUP(object_set_unref_cleanup)

bool object_set_is_of(const struct object_set *set, const struct client_keys *keys, unsigned logouts);
unsigned object_set_logouts(const struct object_set *set);
size_t object_set_count(const struct object_set *set);
const struct object *object_set_at(const struct object_set *set, size_t i); /* by rising handle */
const struct object *object_set_find(const struct object_set *set,
                                     CK_OBJECT_HANDLE handle); /* NULL when there is none */

/* What every object of the token says of itself. */
void object_fill_token(struct attributes *a, struct slice label);
/* Attributes of each class; object_key.c and object_certificate.c. false when the bytes of the server are not what they
 * should be: the object is left out. Inside a libctx scope. */
bool object_fill_public_key(struct attributes *a, const struct client_key *key);
bool object_fill_private_key(struct attributes *a, const struct client_key *key, bool is_private);
/* A caller's own, with the defaults of the standard. */
bool object_fill_session_key(struct attributes *a, const struct client_key *key);
/* key NULL: of an issuing CA. */
bool object_fill_certificate(struct attributes *a, struct slice der, const struct client_key *key);

/* What the object itself says against its use: CKA_VERIFY, CKA_ALLOWED_MECHANISMS. */
CK_RV object_use_check(const struct object *o, CK_MECHANISM_TYPE mechanism);

/* The calls on one object. */
CK_RV object_read(struct module *m, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE *wanted,
                  CK_ULONG count);
CK_RV object_size(struct module *m, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle, CK_ULONG *size);
CK_RV object_create(struct module *m, CK_SESSION_HANDLE session, struct template wanted, CK_OBJECT_HANDLE *out);
CK_RV object_change(struct module *m, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle, struct template wanted);
CK_RV object_copy(struct module *m, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle, struct template wanted,
                  CK_OBJECT_HANDLE *out);
CK_RV object_destroy(struct module *m, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle);

/* SPDX-License-Identifier: Apache-2.0 */
/* From a listing of keys to objects with handles. A handle is never used again for another object; an object that was
 * in the previous set keeps its handle. */
#include "module/object.h"

#include <stdatomic.h>
#include <string.h>

#include "client/client.h"
#include "client/libctx.h"
#include "common/log.h"
#include "common/secret.h"
#include "module/key_import.h"
#include "module/module.h"

struct known {
    const struct object *object;
};
struct object_set {
    atomic_uint references;
    const struct client_keys *keys; /* the listing it was made from, or */
    struct client_key *own;         /* the key of a session object */
    unsigned logouts;
    size_t count;
    size_t room;
    struct object *items; /* by handle */
    struct known *known;  /* by identity */
};

/* Of the process: a handle from before a C_Finalize means nothing afterwards. */
static atomic_ulong last_handle;

CK_OBJECT_HANDLE object_handle_new(void)
{
    return atomic_fetch_add(&last_handle, 1) + 1;
}

void object_fill_token(struct attributes *a, struct slice label)
{
    attribute_add_bool(a, CKA_TOKEN, true);
    attribute_add_bool(a, CKA_MODIFIABLE, false);
    attribute_add_bool(a, CKA_COPYABLE, false);
    attribute_add_bool(a, CKA_DESTROYABLE, false);
    attribute_add_slice(a, CKA_LABEL, label);
}

struct object_set *object_set_ref(struct object_set *set)
{
    atomic_fetch_add(&set->references, 1);
    return set;
}

void object_set_unref(struct object_set *set)
{
    if (!set || atomic_fetch_sub(&set->references, 1) != 1)
        return;
    for (size_t i = 0; i < set->count; i++)
        attributes_clear(&set->items[i].attributes);
    free(set->items);
    free(set->known);
    client_keys_unref(set->keys);
    imported_key_free(set->own);
    free(set);
}

bool object_set_is_of(const struct object_set *set, const struct client_keys *keys, unsigned logouts)
{
    return set->keys == keys && set->logouts == logouts;
}

unsigned object_set_logouts(const struct object_set *set)
{
    return set->logouts;
}

size_t object_set_count(const struct object_set *set)
{
    return set->count;
}

const struct object *object_set_at(const struct object_set *set, size_t i)
{
    return &set->items[i];
}

static int compare_handles(const void *a, const void *b)
{
    CK_OBJECT_HANDLE left = ((const struct object *)a)->handle, right = ((const struct object *)b)->handle;
    return (left > right) - (left < right);
}

static int compare_identities(const void *a, const void *b)
{
    const struct known *left = a, *right = b;
    return memcmp(left->object->identity, right->object->identity, IDENTITY_LEN);
}

const struct object *object_set_find(const struct object_set *set, CK_OBJECT_HANDLE handle)
{
    const struct object wanted = {.handle = handle};
    return set->count ? bsearch(&wanted, set->items, set->count, sizeof wanted, compare_handles) : NULL;
}

/* What an object is, whatever else the listing says of it: class and certificate, or class, key and version. */
static status identity_make(struct object *o, const char *kind, const struct client_key *key, struct slice der,
                            struct error *err)
{
    cleanup_buf struct buf text = {0};
    buf_printf(&text, "%s\n%s\n%d\n", kind, key ? key->id : "", key ? key->version : 0);
    buf_add(&text, der.data, der.len);
    TRY(buf_check(&text, err));
    return sha256(buf_slice(&text), o->identity, err);
}

static status set_grow(struct object_set *set, struct error *err)
{
    if (set->count < set->room)
        return OK;
    size_t room = set->room ? set->room * 2 : 16;
    struct object *items = reallocarray(set->items, room, sizeof *items);
    if (!items)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    set->items = items;
    set->room = room;
    return OK;
}

/* Takes the object's attributes. An object the server described wrongly is left out, and the log says so. */
static status set_take(struct object_set *set, struct object *o, bool is_filled, struct error *err)
{
    status s = set_grow(set, err);
    if (is_ok(s) && !attributes_are_whole(&o->attributes))
        s = error_set(err, CODE_NO_MEMORY, "out of memory");
    if (is_ok(s) && is_filled) {
        set->items[set->count++] = *o;
        return OK;
    }
    if (is_ok(s))
        log_event(LOG_LEVEL_WARNING, "object left out", "key", o->key ? o->key->token_label : "issuing certificate",
                  NULL);
    attributes_clear(&o->attributes);
    return s;
}

static bool set_has_identity(const struct object_set *set, const struct object *o)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->items[i].class == o->class && memcmp(set->items[i].identity, o->identity, IDENTITY_LEN) == 0)
            return true;
    }
    return false;
}

static status set_add_certificate(struct object_set *set, const struct client_key *key, bool is_earlier,
                                  struct slice der, struct error *err)
{
    struct object o = {.class = CKO_CERTIFICATE, .key = key, .is_earlier = is_earlier && key};
    TRY(identity_make(&o, "certificate", key, der, err));
    if (!key && set_has_identity(set, &o)) /* keys of one CA share its chain */
        return OK;
    return set_take(set, &o, object_fill_certificate(&o.attributes, der, key), err);
}

static status set_add_key(struct object_set *set, const struct client_key *key, bool is_private, bool is_earlier,
                          struct error *err)
{
    struct object private = {.class = CKO_PRIVATE_KEY, .key = key, .is_private = is_private, .is_earlier = is_earlier};
    TRY(identity_make(&private, "private", key, (struct slice){0}, err));
    TRY(set_take(set, &private, object_fill_private_key(&private.attributes, key, is_private), err));

    struct object public = {.class = CKO_PUBLIC_KEY, .key = key, .is_earlier = is_earlier};
    TRY(identity_make(&public, "public", key, (struct slice){0}, err));
    TRY(set_take(set, &public, object_fill_public_key(&public.attributes, key), err));

    for (size_t i = 0; i < key->certificate_count; i++)
        TRY(set_add_certificate(set, i == 0 ? key : NULL, is_earlier, buf_slice(&key->certificates[i]), err));
    return OK;
}

static CK_OBJECT_HANDLE handle_for(const struct object *o, const struct object_set *previous, unsigned logouts)
{
    const struct known wanted = {o}, *found = NULL;
    if (previous && previous->count > 0 && !(o->is_private && previous->logouts != logouts))
        found = bsearch(&wanted, previous->known, previous->count, sizeof wanted, compare_identities);
    return found ? found->object->handle : object_handle_new();
}

static status set_finish(struct object_set *set, const struct object_set *previous, struct error *err)
{
    for (size_t i = 0; i < set->count; i++)
        set->items[i].handle = handle_for(&set->items[i], previous, set->logouts);
    if (set->count == 0)
        return OK;

    qsort(set->items, set->count, sizeof *set->items, compare_handles);
    set->known = calloc(set->count, sizeof *set->known);
    if (!set->known)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < set->count; i++)
        set->known[i].object = &set->items[i];
    qsort(set->known, set->count, sizeof *set->known, compare_identities);
    return OK;
}

status object_set_build(const struct slot *slot, const struct client_keys *keys, unsigned logouts,
                        struct object_set *previous, struct object_set **out, struct error *err)
{
    cleanup_object_set struct object_set *set = calloc(1, sizeof *set);
    if (!set)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    atomic_init(&set->references, 1);
    set->keys = client_keys_ref(keys);
    set->logouts = logouts;

    cleanup_libctx struct libctx_scope scope = {0};
    TRY(libctx_enter(&scope, err));
    bool is_private = client_needs_login(slot->module->client);
    for (size_t i = 0; i < keys->count; i++) {
        if (slot_holds(slot, key_type_family(keys->items[i].type)))
            TRY(set_add_key(set, &keys->items[i], is_private, false, err));
    }
    for (size_t i = 0; i < keys->earlier_count; i++) {
        if (slot_holds(slot, key_type_family(keys->earlier[i].type)))
            TRY(set_add_key(set, &keys->earlier[i], is_private, true, err));
    }
    TRY(set_finish(set, previous, err));
    *out = steal(&set);
    return OK;
}

static status set_fill(struct object_set *set, struct object *objects, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++)
        TRY(set_take(set, &objects[i], true, err));
    return OK;
}

/* set_take clears the attributes of an object it does not take, and of those behind it nobody else does. */
static void objects_clear(struct object *objects, size_t taken, size_t count)
{
    for (size_t i = taken + 1; i < count; i++)
        attributes_clear(&objects[i].attributes);
}

status object_set_of(struct object *objects, size_t count, struct client_key *own, struct object_set **out,
                     struct error *err)
{
    cleanup_object_set struct object_set *set = calloc(1, sizeof *set);
    if (!set) {
        imported_key_free(own);
        for (size_t i = 0; i < count; i++)
            attributes_clear(&objects[i].attributes);
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    }
    atomic_init(&set->references, 1);
    set->own = own;
    status s = set_fill(set, objects, count, err);
    if (!is_ok(s)) {
        objects_clear(objects, set->count, count);
        return s;
    }
    *out = steal(&set);
    return OK;
}

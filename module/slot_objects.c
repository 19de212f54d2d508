/* SPDX-License-Identifier: Apache-2.0 */
/* What a slot shows: the objects of the last listing, the profiles, and the session objects. */
#include "client/client.h"
#include "module/ckr.h"
#include "module/module.h"
#include "module/object.h"

struct object_set *slot_objects_seen(struct slot *s)
{
    module_lock_scope(s->module);
    return s->objects ? object_set_ref(s->objects) : NULL;
}

static bool is_open(const struct slot *s)
{
    return s->logged_in || !client_needs_login(s->module->client);
}

bool slot_is_open(struct slot *s)
{
    module_lock_scope(s->module);
    return is_open(s);
}

bool slot_shows_private(struct slot *s, const struct object_set *set)
{
    module_lock_scope(s->module);
    return is_open(s) && object_set_logouts(set) == s->logouts;
}

static const struct object *shown_find(struct slot *s, const struct object_set *set, CK_OBJECT_HANDLE handle)
{
    const struct object *found = object_set_find(set, handle);
    return found && found->is_private && !slot_shows_private(s, set) ? NULL : found;
}

static struct object_set *session_object_seen(struct slot *s, CK_OBJECT_HANDLE handle)
{
    module_lock_scope(s->module);
    struct object_set *set = session_objects_find(&s->session_objects, handle);
    return set ? object_set_ref(set) : NULL;
}

const struct object *slot_object_acquire(struct slot *s, CK_OBJECT_HANDLE handle, struct object_set **set)
{
    cleanup_object_set struct object_set *listed = slot_objects_seen(s);
    cleanup_object_set struct object_set *made = session_object_seen(s, handle);
    struct object_set *const sets[] = {listed, s->profiles, made};
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        const struct object *found = sets[i] ? shown_find(s, sets[i], handle) : NULL;
        if (found) {
            *set = object_set_ref(sets[i]);
            return found;
        }
    }
    return NULL;
}

/* Publishes a set that was built from previous; false when another thread was faster. */
static bool slot_objects_replace(struct slot *s, const struct object_set *previous, struct object_set *built)
{
    cleanup_object_set struct object_set *old = NULL;
    module_lock_scope(s->module);
    if (s->objects != previous || object_set_logouts(built) != s->logouts)
        return false;
    old = s->objects;
    s->objects = object_set_ref(built);
    return true;
}

/* The set of this listing. Two threads may build one; the second uses what the first published, so that an object has
 * one handle. */
static status slot_objects_from(struct slot *s, const struct client_keys *keys, struct object_set **out,
                                struct error *err)
{
    for (;;) {
        module_lock_acquire(s->module);
        cleanup_object_set struct object_set *previous = s->objects ? object_set_ref(s->objects) : NULL;
        unsigned logouts = s->logouts;
        module_lock_release(&s->module);

        if (previous && object_set_is_of(previous, keys, logouts)) {
            *out = steal(&previous);
            return OK;
        }
        cleanup_object_set struct object_set *built = NULL;
        TRY(object_set_build(s, keys, logouts, previous, &built, err));
        if (slot_objects_replace(s, previous, built)) {
            *out = steal(&built);
            return OK;
        }
    }
}

CK_RV slot_objects(struct slot *s, struct object_set **out)
{
    const struct client_keys *keys = NULL;
    struct error err = {0};
    status st = client_keys(s->module->client, deadline_in(s->module->timeout_ms), &keys, &err);
    if (is_ok(st))
        st = slot_objects_from(s, keys, out, &err);
    client_keys_unref(keys);
    return ckr_report("list keys", st, &err);
}

CK_RV slot_objects_again(struct slot *s, struct object_set **set)
{
    if (!slot_shows_private(s, *set) || !client_keys_search_missed(s->module->client))
        return CKR_OK;
    object_set_unref(steal(set));
    return slot_objects(s, set);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A list in the order they were made. */
#include "module/session_objects.h"

#include <string.h>

#include "module/object.h"

struct session_object {
    CK_SESSION_HANDLE owner;
    struct object_set *set;
};

void session_objects_clear(struct session_objects *s)
{
    for (size_t i = 0; i < s->count; i++)
        object_set_unref(s->items[i].set);
    free(s->items);
    *s = (struct session_objects){0};
}

CK_RV session_objects_add(struct session_objects *s, CK_SESSION_HANDLE owner, struct object_set *set)
{
    if (s->count == SESSION_OBJECTS_MAX)
        return CKR_DEVICE_MEMORY;
    if (s->count == s->room) {
        size_t room = s->room ? s->room * 2 : 8;
        struct session_object *items = reallocarray(s->items, room, sizeof *items);
        if (!items)
            return CKR_HOST_MEMORY;
        s->items = items;
        s->room = room;
    }
    s->items[s->count++] = (struct session_object){owner, object_set_ref(set)};
    return CKR_OK;
}

struct object_set *session_objects_find(const struct session_objects *s, CK_OBJECT_HANDLE handle)
{
    for (size_t i = 0; i < s->count; i++) {
        if (object_set_find(s->items[i].set, handle))
            return s->items[i].set;
    }
    return NULL;
}

struct object_set *session_objects_at(const struct session_objects *s, size_t i)
{
    return s->items[i].set;
}

static void item_remove(struct session_objects *s, size_t i)
{
    object_set_unref(s->items[i].set);
    s->count--;
    memmove(&s->items[i], &s->items[i + 1], (s->count - i) * sizeof *s->items);
}

bool session_objects_replace(struct session_objects *s, const struct object_set *previous, struct object_set *set)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->items[i].set != previous)
            continue;
        if (set) {
            object_set_unref(s->items[i].set);
            s->items[i].set = object_set_ref(set);
        } else {
            item_remove(s, i);
        }
        return true;
    }
    return false;
}

void session_objects_end(struct session_objects *s, CK_SESSION_HANDLE owner)
{
    for (size_t i = s->count; i-- > 0;) {
        if (s->items[i].owner == owner)
            item_remove(s, i);
    }
}

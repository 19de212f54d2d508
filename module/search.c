/* SPDX-License-Identifier: Apache-2.0 */
/* C_FindObjects*. Only C_FindObjectsInit may ask the server. */
#include "module/search.h"

#include "module/object.h"

static CK_RV snapshot(struct search *search, const struct object_set *set, bool with_private,
                      const CK_ATTRIBUTE *wanted, CK_ULONG count)
{
    size_t total = object_set_count(set);
    search->found = calloc(total ? total : 1, sizeof *search->found);
    if (!search->found)
        return CKR_HOST_MEMORY;
    for (size_t i = 0; i < total; i++) {
        const struct object *o = object_set_at(set, i);
        if ((with_private || !o->is_private) && attributes_match(&o->attributes, wanted, count))
            search->found[search->count++] = o->handle;
    }
    return CKR_OK;
}

CK_RV search_init(struct session *s, const CK_ATTRIBUTE *wanted, CK_ULONG count)
{
    CK_RV rv = attributes_template_check(wanted, count);
    if (rv != CKR_OK)
        return rv;
    if (s->search.found)
        return CKR_OPERATION_ACTIVE;

    cleanup_object_set struct object_set *set = NULL;
    rv = slot_objects(s->slot, &set);
    if (rv != CKR_OK)
        return rv;
    return snapshot(&s->search, set, slot_shows_private(s->slot, set), wanted, count);
}

CK_RV search_next(struct session *s, CK_OBJECT_HANDLE *handles, CK_ULONG room, CK_ULONG *count)
{
    struct search *search = &s->search;
    if (!search->found)
        return CKR_OPERATION_NOT_INITIALIZED;
    if (!count || (!handles && room > 0))
        return CKR_ARGUMENTS_BAD;

    *count = 0;
    while (*count < room && search->next < search->count)
        handles[(*count)++] = search->found[search->next++];
    return CKR_OK;
}

CK_RV search_final(struct session *s)
{
    if (!s->search.found)
        return CKR_OPERATION_NOT_INITIALIZED;
    search_end(&s->search);
    return CKR_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* C_FindObjects*. Only C_FindObjectsInit may ask the server. */
#include "module/search.h"

#include "module/object.h"

/* What is searched, and what was found so far. */
struct query {
    struct search *search;
    const CK_ATTRIBUTE *wanted;
    CK_ULONG count;
    size_t room;
};

/* Room for one at least makes the search active, with nothing found too. */
static bool query_grow(struct query *query)
{
    size_t room = query->room ? query->room * 2 : 16;
    CK_OBJECT_HANDLE *found = reallocarray(query->search->found, room, sizeof *found);
    if (!found)
        return false;
    query->search->found = found;
    query->room = room;
    return true;
}

static bool query_add(struct query *query, CK_OBJECT_HANDLE handle)
{
    struct search *search = query->search;
    if (search->count == query->room && !query_grow(query))
        return false;
    search->found[search->count++] = handle;
    return true;
}

enum part { PART_CERTIFICATES, PART_OTHERS };

static bool query_set(struct query *query, const struct object_set *set, bool with_private, enum part part)
{
    for (size_t i = 0; i < object_set_count(set); i++) {
        const struct object *o = object_set_at(set, i);
        if ((o->class == CKO_CERTIFICATE) != (part == PART_CERTIFICATES) || (o->is_private && !with_private))
            continue;
        if (o->is_earlier && !template_find((struct template){query->wanted, query->count}, CKA_ID))
            continue;
        if (attributes_match(&o->attributes, query->wanted, query->count) && !query_add(query, o->handle))
            return false;
    }
    return true;
}

/* Certificates come first: who takes the first objects there are, as the OASIS case CERT-M-1 does, finds these. */
static bool query_listing(struct query *query, struct slot *slot, const struct object_set *set)
{
    bool with_private = slot_shows_private(slot, set);
    return query_set(query, set, with_private, PART_CERTIFICATES) && query_set(query, set, with_private, PART_OTHERS);
}

static bool query_session_objects(struct query *query, struct slot *slot)
{
    module_lock_scope(slot->module);
    for (size_t i = 0; i < slot->session_objects.count; i++) {
        if (!query_set(query, session_objects_at(&slot->session_objects, i), false, PART_OTHERS))
            return false;
    }
    return true;
}

/* Other classes, NSS's own among them, and session objects: no listing has any. */
static bool wants_listing(struct template t)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    if (!template_says(t, CKA_TOKEN, true))
        return false;
    (void)template_ulong(t, CKA_CLASS, &class);
    return class == CKO_PRIVATE_KEY || class == CKO_PUBLIC_KEY || class == CKO_CERTIFICATE;
}

/* One object by name: who looks for it knows that it should be there. */
static bool is_specific(struct template t)
{
    return template_find(t, CKA_CLASS) && (template_find(t, CKA_LABEL) || template_find(t, CKA_ID));
}

/* Many programs look on each token for a key that stands on one. */
static bool stands_on_another_token(const struct query *query, const struct slot *slot)
{
    struct module *m = slot->module;
    for (size_t i = 0; i < m->slot_count; i++) {
        cleanup_object_set struct object_set *set = NULL;
        if (&m->slots[i] == slot || slot_objects(&m->slots[i], &set) != CKR_OK)
            continue;
        for (size_t n = 0; n < object_set_count(set); n++)
            if (attributes_match(&object_set_at(set, n)->attributes, query->wanted, query->count))
                return true;
    }
    return false;
}

static CK_RV query_token(struct query *query, struct slot *slot)
{
    struct template t = {query->wanted, query->count};
    if (!wants_listing(t))
        return CKR_OK;
    cleanup_object_set struct object_set *set = NULL;
    CK_RV rv = slot_objects(slot, &set);
    if (rv == CKR_OK && !query_listing(query, slot, set))
        return CKR_HOST_MEMORY;
    if (rv != CKR_OK || query->search->count > 0 || !is_specific(t) || stands_on_another_token(query, slot))
        return rv;
    rv = slot_objects_again(slot, &set);
    return rv == CKR_OK && !query_listing(query, slot, set) ? CKR_HOST_MEMORY : rv;
}

static CK_RV query_run(struct query *query, struct slot *slot)
{
    CK_RV rv = query_grow(query) ? query_token(query, slot) : CKR_HOST_MEMORY;
    if (rv != CKR_OK)
        return rv;
    bool is_complete = query_set(query, slot->profiles, false, PART_OTHERS) && query_session_objects(query, slot);
    return is_complete ? CKR_OK : CKR_HOST_MEMORY;
}

CK_RV search_init(struct session *s, const CK_ATTRIBUTE *wanted, CK_ULONG count)
{
    CK_RV rv = attributes_template_check(wanted, count);
    if (rv != CKR_OK)
        return rv;
    if (s->search.found)
        return CKR_OPERATION_ACTIVE;

    struct query query = {&s->search, wanted, count, 0};
    rv = query_run(&query, s->slot);
    if (rv != CKR_OK)
        search_end(&s->search);
    return rv;
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

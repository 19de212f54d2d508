/* SPDX-License-Identifier: Apache-2.0 */
/* I4: rights and policy from the store's present state. The generation is read before anything else: a change that
 * comes in between makes the answer look older than it is, never newer. */
#include "server/sign/rights.h"

#include <stdio.h>
#include <string.h>

static void rights_destroy(struct shared *shared)
{
    struct rights *r = (struct rights *)shared;
    signing_key_clear(&r->key);
    free(r);
}

static status absent_is_fine(status s)
{
    return s.code == CODE_NOT_FOUND ? OK : s;
}

/* "project:label" to the id; out stays "" when there is no such key. */
static status key_id_find(struct db *db, const char *asked, char out[ID_SIZE], struct error *err)
{
    const char *colon = strchr(asked, ':');
    if (!colon) {
        (void)snprintf(out, ID_SIZE, "%s", strlen(asked) <= LIMIT_ID ? asked : "");
        return OK;
    }
    char project[NAME_SIZE];
    if (colon - asked > LIMIT_NAME)
        return OK;

    (void)snprintf(project, sizeof(project), "%.*s", (int)(colon - asked), asked);
    cleanup_signing_key struct signing_key found = {0};
    TRY(absent_is_fine(signing_key_find_label(db, project, colon + 1, &found, err)));
    memcpy(out, found.id, sizeof(found.id));
    return OK;
}

status rights_read(struct db *db, const char *key, const char *principal_id, struct rights **out, struct error *err)
{
    char key_id[ID_SIZE] = "";
    cleanup_rights struct rights *r = calloc(1, sizeof(*r));
    if (!r)
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));

    shared_init(&r->shared, rights_destroy);
    TRY(store_generation(db, &r->generation, err));
    TRY(absent_is_fine(principal_find(db, principal_id, &r->who, err)));
    if (strcmp(r->who.id, principal_id) != 0)
        r->who.disabled = true; /* gone: as good as disabled */
    TRY(key_id_find(db, key, key_id, err));
    TRY(absent_is_fine(signing_key_find_for(db, key_id, principal_id, &r->key, &r->roles, err)));
    *out = steal(&r);
    return OK;
}

status rights_find(struct cache *cache, struct db *db, const char *key, const char *principal_id, struct rights **out,
                   struct error *err)
{
    char name[ID_SIZE + 2 * NAME_SIZE];
    int64_t generation = 0;
    TRY(store_generation(db, &generation, err));
    int len = snprintf(name, sizeof(name), "%s %s", principal_id, key);
    bool fits = len > 0 && (size_t)len < sizeof(name);
    struct rights *kept = fits ? (struct rights *)cache_get(cache, name, generation) : NULL;
    if (kept) {
        *out = kept;
        return OK;
    }

    TRY(rights_read(db, key, principal_id, out, err));
    if (fits && ((*out)->roles & MEMBER_SIGNER))
        cache_put(cache, name, (*out)->generation, &(*out)->shared);
    return OK;
}

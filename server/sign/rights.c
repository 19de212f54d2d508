/* SPDX-License-Identifier: Apache-2.0 */
/* I4: rights and policy from the store's present state. The generation is read before anything else: a change that
 * comes in between makes the answer look older than it is, never newer. */
#include "server/sign/rights.h"

#include <stdio.h>
#include <string.h>

#include "common/certificate.h"

static void rights_destroy(struct shared *shared)
{
    struct rights *r = (struct rights *)shared;
    policies_release(r->policies);
    for (size_t i = 0; i < r->earlier_count; i++)
        signing_key_clear(&r->earlier[i]);
    free(r->earlier);
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

static status policies_load(struct db *db, struct rights *r, struct error *err)
{
    TRY(policies_in_force(db, NULL, &r->key, r->policies, err));
    TRY(freeze_find(db, SCOPE_PLATFORM, "", &r->frozen_platform, err));
    return freeze_find(db, SCOPE_PROJECT, r->key.project_id, &r->frozen_project, err);
}

static status earlier_add(void *arg, const struct signing_key *k)
{
    struct rights *r = arg;
    struct signing_key *grown = reallocarray(r->earlier, r->earlier_count + 1, sizeof(*grown));
    if (!grown)
        return (status){CODE_NO_MEMORY};
    r->earlier = grown;

    struct signing_key *copy = &grown[r->earlier_count++];
    *copy = *k;
    copy->certificate = copy->spki = (struct buf){0};
    buf_add(&copy->spki, k->spki.data, k->spki.len);
    return buf_check(&copy->spki, NULL);
}

const struct signing_key *rights_version(const struct rights *r, int version)
{
    if (version == 0 || version == r->key.version)
        return &r->key;
    for (size_t i = 0; i < r->earlier_count; i++) {
        if (r->earlier[i].version == version)
            return &r->earlier[i];
    }
    return NULL;
}

static status certificate_look(struct rights *r, struct error *err)
{
    if (r->key.certificate.len == 0)
        return OK;
    if (!certificate_end_ms(buf_slice(&r->key.certificate), &r->not_after_ms))
        return error_set(err, CODE_INTERNAL, "the certificate of %s-%s cannot be read", r->key.project_name,
                         r->key.label);
    r->has_certificate = true;
    return OK;
}

status rights_read(struct db *db, const char *key, const char *principal_id, int64_t now_ms, struct rights **out,
                   struct error *err)
{
    char key_id[ID_SIZE] = "";
    cleanup_rights struct rights *r = calloc(1, sizeof(*r));
    if (!r)
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));

    shared_init(&r->shared, rights_destroy);
    r->read_ms = now_ms;
    TRY(store_generation(db, &r->generation, err));
    TRY(absent_is_fine(principal_find(db, principal_id, &r->who, err)));
    if (strcmp(r->who.id, principal_id) != 0)
        r->who.disabled = true; /* gone: as good as disabled */
    TRY(key_id_find(db, key, key_id, err));
    TRY(absent_is_fine(signing_key_find(db, key_id, &r->key, err)));
    if (*r->key.id) {
        TRY(member_held(db, r->key.project_id, principal_id, now_ms, &r->held, err));
        TRY(policies_load(db, r, err));
        TRY(certificate_look(r, err));
        if (r->key.version > 1)
            TRY(signing_key_list_earlier(db, r->key.id, now_ms, earlier_add, r, err));
    }
    *out = steal(&r);
    return OK;
}

/* A clock that was set back is asked like one that has gone on too far. */
bool rights_are_current(const struct rights *r, int64_t generation, int64_t now_ms)
{
    return r->generation == generation && now_ms >= r->read_ms &&
           (r->held.valid_until_ms == 0 || now_ms < r->held.valid_until_ms);
}

status rights_find(struct cache *cache, struct db *db, const char *key, const char *principal_id, struct rights **out,
                   struct error *err)
{
    char name[ID_SIZE + 2 * NAME_SIZE];
    int64_t generation = 0, now_ms = clock_now_ms();
    TRY(store_generation(db, &generation, err));
    int len = snprintf(name, sizeof(name), "%s %s", principal_id, key);
    bool fits = len > 0 && (size_t)len < sizeof(name);
    struct rights *kept = fits ? (struct rights *)cache_get(cache, name, generation) : NULL;
    if (kept && rights_are_current(kept, generation, now_ms)) {
        *out = kept;
        return OK;
    }

    rights_release(kept);
    TRY(rights_read(db, key, principal_id, now_ms, out, err));
    if (fits && ((*out)->held.roles & MEMBER_SIGNER))
        cache_put(cache, name, (*out)->generation, &(*out)->shared);
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The caller and what it may see. An object without a right to see it is answered exactly like an unknown one. */
#include "server/api/caller.h"

#include <string.h>

const struct caller *caller_of(const struct request *req)
{
    return request_context(req);
}

const struct principal *caller_principal(const struct request *req)
{
    return &caller_of(req)->identity.principal;
}

bool caller_reads_all(const struct request *req)
{
    return permission_granted(PERMISSION_READ_ALL, caller_principal(req), 0, false);
}

status reader_acquire(struct reader *r, struct store *store, struct error *err)
{
    r->db = store_reader_acquire(store, err);
    if (!r->db)
        return (status){err->code == CODE_OK ? CODE_UNAVAILABLE : err->code};

    r->store = store;
    return OK;
}

void reader_release(struct reader *r)
{
    if (r->db)
        store_reader_release(r->store, r->db);
    r->db = NULL;
}

status caller_project_find(struct db *db, const struct principal *who, const char *id_or_name, struct project *out,
                           unsigned *roles, struct error *err)
{
    struct project found;
    unsigned held = 0;

    status s = project_find(db, id_or_name, &found, err);
    if (is_ok(s))
        s = member_roles(db, found.id, who->id, &held, err);
    if (is_ok(s) && !permission_granted(PERMISSION_PROJECT_READ, who, held, false))
        s = (status){CODE_NOT_FOUND};
    if (s.code == CODE_NOT_FOUND)
        return error_set(err, CODE_NOT_FOUND, "no such project, or no right to see it");
    TRY(s);

    *out = found;
    *roles = held;
    return OK;
}

status key_find(struct db *db, const char *text, struct signing_key *out, struct error *err)
{
    char project[NAME_SIZE];
    const char *colon = strchr(text, ':');
    status s;

    if (!colon) {
        s = signing_key_find(db, text, out, err);
    } else if ((size_t)(colon - text) >= sizeof(project)) {
        s = (status){CODE_NOT_FOUND};
    } else {
        memcpy(project, text, (size_t)(colon - text));
        project[colon - text] = '\0';
        s = signing_key_find_label(db, project, colon + 1, out, err);
    }
    if (s.code == CODE_NOT_FOUND)
        return error_set(err, CODE_NOT_FOUND, "no such signing key, or no right to see it");
    return s;
}

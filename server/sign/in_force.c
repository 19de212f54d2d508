/* SPDX-License-Identifier: Apache-2.0 */
/* The policies that count for a key. */
#include <string.h>

#include "common/text.h"
#include "server/sign/rights.h"

struct policy_memo_row {
    char scope_id[ID_SIZE]; /* "": the platform */
    struct policy_in_force found;
};

void policy_memo_clear(struct policy_memo *m)
{
    for (size_t i = 0; i < m->count; i++)
        policy_unref(m->rows[i].found.policy);
    free(m->rows);
    *m = (struct policy_memo){0};
}

/* A stored policy was judged when it was saved: one that cannot be read now is not taken for "no policy". */
static status policy_load(struct db *db, enum policy_scope scope, const char *scope_id, struct policy_in_force *out,
                          struct error *err)
{
    cleanup_policy_row struct policy_row row = {0};
    struct error why = {0};
    TRY(policy_find(db, scope, scope_id, &row, err));
    if (row.document.len == 0)
        return OK;
    if (!is_ok(policy_parse_text(buf_slice(&row.document), &out->policy, &why)))
        return error_set(err, CODE_INTERNAL, "policy of the %s, version %lld: %s", policy_scope_name(scope),
                         (long long)row.version, why.text);
    out->scope = scope;
    out->version = row.version;
    return OK;
}

static const struct policy_in_force *memo_find(const struct policy_memo *m, const char *scope_id)
{
    for (size_t i = 0; i < m->count; i++) {
        if (strcmp(m->rows[i].scope_id, scope_id) == 0)
            return &m->rows[i].found;
    }
    return NULL;
}

static status memo_add(struct policy_memo *m, const char *scope_id, const struct policy_in_force *found,
                       struct error *err)
{
    struct policy_memo_row *grown = reallocarray(m->rows, m->count + 1, sizeof(*grown));
    if (!grown)
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));
    m->rows = grown;

    struct policy_memo_row *row = &grown[m->count++];
    (void)text_copy(row->scope_id, sizeof(row->scope_id), scope_id);
    row->found = *found;
    (void)policy_ref(row->found.policy);
    return OK;
}

/* That of the platform or of a Project. */
static status policy_shared(struct db *db, struct policy_memo *memo, enum policy_scope scope, const char *scope_id,
                            struct policy_in_force *out, struct error *err)
{
    const struct policy_in_force *known = memo ? memo_find(memo, scope_id) : NULL;
    if (known) {
        *out = *known;
        (void)policy_ref(out->policy);
        return OK;
    }
    TRY(policy_load(db, scope, scope_id, out, err));
    return memo ? memo_add(memo, scope_id, out, err) : OK;
}

status policies_in_force(struct db *db, struct policy_memo *memo, const struct signing_key *key,
                         struct policy_in_force out[POLICIES_IN_FORCE], struct error *err)
{
    TRY(policy_shared(db, memo, SCOPE_PLATFORM, "", &out[POLICY_OF_PLATFORM], err));
    TRY(policy_load(db, SCOPE_KEY, key->id, &out[POLICY_OF_KEY], err));
    return out[POLICY_OF_KEY].policy
               ? OK
               : policy_shared(db, memo, SCOPE_PROJECT, key->project_id, &out[POLICY_OF_KEY], err);
}

void policies_release(struct policy_in_force policies[POLICIES_IN_FORCE])
{
    for (size_t i = 0; i < POLICIES_IN_FORCE; i++)
        policy_unref(policies[i].policy);
}

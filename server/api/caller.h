/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks, as api_before found it: the request's context. Handlers behind a project permission find the project here.
 */
#pragma once

#include "server/api/api.h"

struct caller {
    struct identity identity;
    char csrf[SESSION_CSRF_SIZE]; /* of the browser's session, where it is one */
    struct project project; /* the one {project} or {key} belongs to; its id is "" where the permission concerns none */
    char key_id[ID_SIZE];   /* of {key}, where the permission concerns its project */
    char key_label[NAME_SIZE];
    unsigned roles; /* bits of enum member_role in that project */
};

/* Never NULL behind any permission but PERMISSION_PUBLIC. */
const struct caller *caller_of(const struct request *req);
const struct principal *caller_principal(const struct request *req);
/* Administrators and auditors see every object. */
bool caller_reads_all(const struct request *req);

/* A reading connection that goes back with its scope. Only one at a time, and none across audit_commit: a store in
 * memory has a single connection. */
struct reader {
    struct store *store;
    struct db *db;
};
status reader_acquire(struct reader *r, struct store *store, struct error *err);
void reader_release(struct reader *r);
#define cleanup_reader CLEANUP(reader_release)

/* A project by name or id with the caller's roles in it; CODE_NOT_FOUND when there is none or the caller may not see
 * it. */
status caller_project_find(struct db *db, const struct principal *who, const char *id_or_name, struct project *out,
                           unsigned *roles, struct error *err);
/* Signing key by id or "project:label"; CODE_NOT_FOUND. */
status key_find(struct db *db, const char *text, struct signing_key *out, struct error *err);

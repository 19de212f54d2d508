/* SPDX-License-Identifier: Apache-2.0 */
/* What of an installation is kept as reviewed text: Projects with their members, policies and key definitions, as one
 * JSON document in a fixed order.
 *
 *   {"chancery": 1,
 *    "policy": {…},                                        the platform's; null: none
 *    "projects": [
 *      {"name": "app", "description": "…",
 *       "members": [{"principal": "build-1", "role": "signer"},     a user, service account or team
 *                   {"principal": "guest", "role": "signer", "not_after": "2030-01-01T00:00:00Z"}],
 *       "policy": null,
 *       "keys": [{"label": "release", "type": "p256", "state": "active", "policy": null}]}]}
 *
 * A member that is absent from the text is left as it is on the server, and so are Projects and keys that are not in
 * it. */
#pragma once

#include "cli/cli.h"

/* "not_before" and "not_after" of a member; absent: no such end. */
extern const char *const definition_times[2];

enum { DEFINITION_FORMAT = 1, DEFINITION_MAX = 64 * 1024 * 1024 };

/* The server's, sorted. Beside what is exported it holds "revision" and "policy_version", for If-Match. only NULL:
 * every Project the caller sees; else an array of objects with the names. */
status definition_read(struct cli *cli, const struct json *only, struct json **out, struct error *err);
/* The text for a file: without revisions, two blanks a level, a newline at its end. */
void definition_format(const struct json *definition, struct buf *out);
/* Strict: CODE_INVALID names what stands wrong where, such as "projects[0].keys[2].typ". */
status definition_parse(struct slice text, struct json **out, struct error *err);

/* One request that brings the server nearer to the text. */
struct plan_step {
    char sign; /* + ~ - */
    struct buf text, path, body;
    const char *method;
    int64_t revision; /* of what is changed, for If-Match; -1: it has none */
};
struct plan {
    struct plan_step *steps;
    size_t count, room;
};
/* In the order in which they must be done. */
status plan_make(const struct json *wanted, const struct json *present, struct plan *out, struct error *err);
void plan_clear(struct plan *p);
#define cleanup_plan CLEANUP(plan_clear)

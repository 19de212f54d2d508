/* SPDX-License-Identifier: Apache-2.0 */
/* What the routes of approvals share: who sees a request, and how it is shown. */
#pragma once

#include "server/api/caller.h"
#include "server/api/change.h"
#include "server/sign/approval.h"

/* The request of the path with the caller's roles in its key's Project. CODE_NOT_FOUND also for one the caller may not
 * see: it is for the requester, the Project's approvers and owners, administrators and auditors. */
status approval_find_visible(struct db *db, const struct request *req, const char *id, int64_t now_ms,
                             struct approval *out, unsigned *roles, struct error *err);
/* As a row of a list. */
void approval_render(struct json_writer *w, const struct approval *a);
/* The whole answer: with digests and decisions, and the revision as ETag. */
status approval_answer(struct api *api, struct response *res, int http_status, const char *id, struct error *err);
/* Key, Project and target of the record of a step. Borrowed from a. */
void approval_target(struct change *c, const struct approval *a);
/* Broken glass is loud: a member of the record, and a warning in the server's log. */
void approval_shout(struct json_writer *w, const struct approval *a, const char *step);
void approval_shout_log(const struct approval *a, const char *step, const char *who);

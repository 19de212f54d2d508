/* SPDX-License-Identifier: Apache-2.0 */
/* What users and service accounts have in common: finding one of the right type, its state, the guard of the last
 * administrator. */
#pragma once

#include "server/api/change.h"

struct principal_change {
    struct change change;
    struct principal principal;               /* as it stands after the change */
    const char *asked;                        /* id or name of the path */
    const char *expires, *description, *team; /* account.update; NULL: as it is */
    enum principal_type type;
    enum platform_role role; /* user.update */
    bool disabled;           /* disable, enable */
};
void principal_change_clear(struct principal_change *c);
#define cleanup_principal_change CLEANUP(principal_change_clear)

/* By id or name; CODE_NOT_FOUND also for a principal of the other type. */
status principal_find_typed(struct db *db, enum principal_type type, const char *id_or_name, struct principal *out,
                            struct error *err);
/* CODE_CONFLICT when p is the only active administrator: the server would have none left. */
status principal_check_not_last(struct db *db, const struct principal *p, struct error *err);
/* {} → disabled or enabled; CODE_CONFLICT when it is so already. c->principal is the new state. The disabled
 * principal's credentials stop with the next request (I4). */
status principal_set_disabled(struct principal_change *c, struct api *api, struct request *req,
                              enum principal_type type, bool disabled, struct error *err);
/* The principal of the path as it is before the change, judged by If-Match, as the record's target. */
status principal_load(struct db *db, struct principal_change *c, struct error *err);
/* DELETE: with all credentials and memberships; nobody gets the name again. CODE_CONFLICT for the last administrator.
 */
status principal_delete(struct principal_change *c, struct api *api, struct request *req, enum principal_type type,
                        struct error *err);
const char *principal_state_name(const struct principal *p); /* "active", "disabled" */

/* A page of principals of one type, kept aside so that more may be asked about each while it is shown. */
struct principal_page {
    struct principal *items;
    size_t count;
};
void principal_page_clear(struct principal_page *p);
#define cleanup_principal_page CLEANUP(principal_page_clear)
status principal_page_load(struct principal_page *p, struct db *db, enum principal_type type, struct page page,
                           struct error *err);

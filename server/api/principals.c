/* SPDX-License-Identifier: Apache-2.0 */
/* Users and service accounts, as far as they are alike. */
#include "server/api/principals.h"

#include "server/api/parse.h"
#include "server/api/render.h"

void principal_change_clear(struct principal_change *c)
{
    change_clear(&c->change);
}

const char *principal_state_name(const struct principal *p)
{
    return p->disabled ? "disabled" : "active";
}

status principal_find_typed(struct db *db, enum principal_type type, const char *id_or_name, struct principal *out,
                            struct error *err)
{
    struct principal found;

    status s = principal_find(db, id_or_name, &found, err);
    if (s.code == CODE_NOT_FOUND || (is_ok(s) && found.type != type))
        return error_set(err, CODE_NOT_FOUND, "no such %s", type == PRINCIPAL_USER ? "user" : "service account");
    TRY(s);
    *out = found;
    return OK;
}

status principal_check_not_last(struct db *db, const struct principal *p, struct error *err)
{
    int64_t active = 0;

    if (p->role != ROLE_ADMINISTRATOR || p->disabled)
        return OK;
    TRY(principal_count_administrators(db, &active, err));
    if (active <= 1)
        return error_set(err, CODE_CONFLICT, "%s is the last active administrator", p->name);
    return OK;
}

status principal_load(struct db *db, struct principal_change *c, struct error *err)
{
    TRY(principal_find_typed(db, c->type, c->asked, &c->principal, err));
    change_target(&c->change, principal_type_name(c->type), c->principal.id, c->principal.name);
    return change_check_revision(&c->change, c->principal.revision, err);
}

static status disabled_rows(struct db *db, struct change *change, struct error *err)
{
    struct principal_change *c = (struct principal_change *)change;

    TRY(principal_load(db, c, err));
    if (c->principal.disabled == c->disabled)
        return error_set(err, CODE_CONFLICT, "%s is %s already", c->principal.name,
                         principal_state_name(&c->principal));
    if (c->disabled)
        TRY(principal_check_not_last(db, &c->principal, err));

    c->principal.disabled = c->disabled;
    c->principal.revision++;
    return principal_update(db, &c->principal, err);
}

status principal_set_disabled(struct principal_change *c, struct api *api, struct request *req,
                              enum principal_type type, bool disabled, struct error *err)
{
    static const char *const record_types[2][2] = {{"user.enable", "user.disable"},
                                                   {"account.enable", "account.disable"}};

    TRY(query_none(req, err));
    TRY(body_empty(req, err));
    c->type = type;
    c->disabled = disabled;
    c->asked = request_param(req, type == PRINCIPAL_USER ? "user" : "account");
    change_begin(&c->change, req, record_types[type == PRINCIPAL_SERVICE_ACCOUNT][disabled]);
    return change_commit(&c->change, api, req, disabled_rows, err);
}

static status delete_rows(struct db *db, struct change *change, struct error *err)
{
    struct principal_change *c = (struct principal_change *)change;

    TRY(principal_load(db, c, err));
    TRY(principal_check_not_last(db, &c->principal, err));
    return principal_remove(db, c->principal.id, clock_now_ms(), err);
}

status principal_delete(struct principal_change *c, struct api *api, struct request *req, enum principal_type type,
                        struct error *err)
{
    TRY(query_none(req, err));
    c->type = type;
    c->asked = request_param(req, type == PRINCIPAL_USER ? "user" : "account");
    change_begin(&c->change, req, type == PRINCIPAL_USER ? "user.delete" : "account.delete");
    return change_commit(&c->change, api, req, delete_rows, err);
}

void principal_page_clear(struct principal_page *p)
{
    free(p->items);
    *p = (struct principal_page){0};
}

static status page_row(void *arg, const struct principal *p)
{
    struct principal_page *page = arg;

    page->items[page->count++] = *p;
    return OK;
}

status principal_page_load(struct principal_page *p, struct db *db, enum principal_type type, struct page page,
                           struct error *err)
{
    p->items = calloc((size_t)page.limit, sizeof(*p->items));
    if (!p->items)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    return principal_list(db, type, page, page_row, p, err);
}

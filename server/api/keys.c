/* SPDX-License-Identifier: Apache-2.0 */
/* Signing keys: list and show. Seen by the members of their project, managed by its owners and administrators. Making
 * one is key_create.c, its states are key_life.c. */
#include <string.h>

#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/change.h"
#include "server/api/key_create.h"
#include "server/api/list.h"
#include "server/api/parse.h"
#include "server/api/render.h"
#include "server/api/routes.h"

enum { EXPIRING_DAYS_MOST = 3650 };
#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

struct key_page {
    struct list list;
    const struct chain *chain;
};

static status key_row(void *arg, const struct signing_key *key)
{
    struct key_page *page = arg;

    char cursor[SIGNING_KEY_CURSOR_SIZE];

    signing_key_cursor(key, cursor);
    if (list_take(&page->list, cursor))
        key_render(page->list.w, key, page->chain);
    return OK;
}

/* The keys of one project, or of all the caller sees. */
static status key_filter_make(struct db *db, struct request *req, struct project *project,
                              struct signing_key_filter *filter, struct error *err)
{
    const char *asked = request_query(req, "project");
    unsigned roles = 0;

    *filter = (struct signing_key_filter){.roles = MEMBER_OWNER | MEMBER_SIGNER | MEMBER_APPROVER};
    if (!caller_reads_all(req))
        filter->member_id = caller_principal(req)->id;
    if (!asked)
        return OK;

    TRY(caller_project_find(db, caller_principal(req), asked, project, &roles, err));
    filter->project = project->name;
    return OK;
}

static status key_list_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_reader struct reader reader = {0};
    cleanup_chain struct chain chain = {0};
    static const char *const states[] = {"pending", "active", "disabled", "retired", "destroyed", "missing", NULL};
    static const char *const types[] = {
#define KEY_TYPE(name, wire, family, bits, signature) wire,
#include "chancery/algorithms.def"
#undef KEY_TYPE
        NULL};
    static const struct list_filter filters[] = {{"label", offsetof(struct page, name), NULL},
                                                 {"state", offsetof(struct page, state), states},
                                                 {"type", offsetof(struct page, type), types},
                                                 {0}};
    static const char *const extra[] = {"project", "expiring_within", NULL};
    struct key_page page = {.chain = &chain};
    struct signing_key_filter filter;
    struct project project;
    int64_t days = 0;

    TRY(list_parse_filtered(&page.list, req, filters, extra, err));
    TRY(query_integer(req, "expiring_within", 1, EXPIRING_DAYS_MOST, &days, err));
    TRY(chain_load(&chain, api, err));
    TRY(reader_acquire(&reader, api->store, err));
    TRY(key_filter_make(reader.db, req, &project, &filter, err));
    filter.expiring_before_ms = days > 0 ? clock_now_ms() + days * DAY_MS : 0;
    list_begin(&page.list, res);
    TRY(signing_key_list(reader.db, &filter, page.list.page, key_row, &page, err));
    return list_end(&page.list);
}

static status key_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_reader struct reader reader = {0};
    cleanup_chain struct chain chain = {0};
    cleanup_signing_key struct signing_key key = {0};

    TRY(query_none(req, err));
    TRY(chain_load(&chain, api, err));
    TRY(reader_acquire(&reader, api->store, err));
    TRY(signing_key_find(reader.db, caller_of(req)->key_id, &key, err));
    response_revision(res, key.revision);
    key_render(response_json(res, 200), &key, &chain);
    return OK;
}

const struct route key_routes[] = {
    {"POST", "/v1/projects/{project}/keys", PERMISSION_PROJECT_MANAGE, key_create, 0},
    {"POST", "/v1/projects/{project}/keys/import", PERMISSION_ADMINISTER, key_import, 0},
    {"GET", "/v1/keys", PERMISSION_ANY, key_list_get, 0},
    {"GET", "/v1/keys/{key}", PERMISSION_PROJECT_READ, key_get, 0},
    {0},
};

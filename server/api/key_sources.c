/* SPDX-License-Identifier: Apache-2.0 */
/* Where a key of a project may be made and its certificates may come from, for whoever makes and rotates its keys:
 * names and what a choice needs, nothing of settings, addresses, tokens and counts. CAs are open to everybody anyway.
 */
#include "server/api/caller.h"
#include "server/api/hsms.h"
#include "server/api/parse.h"
#include "server/api/render.h"
#include "server/api/routes.h"
#include "server/store/connector.h"

static status connector_choice(void *arg, const struct connector_row *row)
{
    struct json_writer *w = arg;

    json_begin_object(w, NULL);
    json_add_text(w, "name", row->name);
    json_add_text(w, "type", row->type);
    capabilities_render(w, connector_type_find(row->type));
    json_end_object(w);
    return OK;
}

static status key_sources_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_reader struct reader reader = {0};

    TRY(query_none(req, err));
    struct json_writer *w = response_json(res, 200);
    json_begin_object(w, NULL);
    hsm_choices_render(api, req, w); /* before a connection to the store is held: an HSM may take its time */
    TRY(reader_acquire(&reader, api->store, err));
    json_begin_array(w, "connectors");
    TRY(connector_list(reader.db, (struct page){0}, connector_choice, w, err));
    json_end_array(w);
    json_end_object(w);
    return OK;
}

const struct route key_source_routes[] = {
    {"GET", "/v1/projects/{project}/key-sources", PERMISSION_PROJECT_MANAGE, key_sources_get, 0},
    {0},
};

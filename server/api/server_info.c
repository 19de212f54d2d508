/* SPDX-License-Identifier: Apache-2.0 */
/* What a signing machine must know of this server to reach it: its addresses and the roots of its certificate. And
 * which version runs, since when. */
#include <string.h>

#include "chancery/version.h"
#include "common/file.h"
#include "server/api/parse.h"
#include "server/api/routes.h"

enum { ROOTS_MAX = 64 * 1024 };

static status urls_add(struct json_writer *w, const char *const *audiences, struct error *err)
{
    json_begin_array(w, "urls");
    for (const char *const *a = audiences; a && *a; a++) {
        cleanup_buf struct buf url = {0};
        buf_add(&url, *a, strlen(*a) - strlen(ROUTE_TOKEN));
        TRY(buf_check(&url, err));
        json_add_text(w, NULL, buf_text(&url));
    }
    json_end_array(w);
    return OK;
}

static status server_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    const struct api *api = arg;
    cleanup_buf struct buf roots = {0};

    TRY(query_none(req, err));
    bool has_roots = api->tls_root && file_exists(api->tls_root);
    if (has_roots)
        TRY(file_read(api->tls_root, ROOTS_MAX, FILE_NOT_WRITABLE_BY_OTHERS, &roots, err));

    struct json_writer *w = response_json(res, 200);
    json_begin_object(w, NULL);
    TRY(urls_add(w, api->token_audiences, err));
    json_add_text(w, "root", has_roots ? buf_text(&roots) : NULL);
    json_add_text(w, "version", CHANCERY_VERSION);
    json_add_time(w, "started", api->started_ms);
    json_end_object(w);
    return OK;
}

const struct route server_info_routes[] = {
    {"GET", "/v1/server", PERMISSION_ANY, server_get, 0},
    {0},
};

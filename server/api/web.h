/* SPDX-License-Identifier: Apache-2.0 */
/* The administrator's page: files made from web/ at build and held in the binary, each as it is and compressed. */
#pragma once

#include "server/http/http.h"

struct web_asset {
    const char *name; /* of /assets/{file}; the first asset, "index.html", is the page itself */
    const char *content_type;
    const char *etag; /* weak: the same for every coding */
    struct slice plain, gzip, brotli;
};

/* Made by web/build.mjs. None in a build without the page (CHANCERY_WEB=OFF). */
extern const struct web_asset web_assets[];
extern const size_t web_asset_count;

/* GET / and /assets/{file}, and /ui/…, whose paths are the page's own affair. No part of the REST interface. */
extern const struct route web_routes[];

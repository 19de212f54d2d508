/* SPDX-License-Identifier: Apache-2.0 */
/* Serves the administrator's page. Names of assets carry a hash of their content, so they may be kept for ever; the
 * page itself is asked for each time. Nothing is loaded from elsewhere and nothing inline is run: the headers say so.
 */
#include "server/api/web.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/auth/auth.h"

static const struct {
    const char *name, *value;
} page_headers[] = {
    {"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
                                "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
                                "require-trusted-types-for 'script'; trusted-types 'none'"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
    {"Referrer-Policy", "no-referrer"},
};

/* "gzip;q=0" refuses the coding (RFC 9110 §12.5.3). */
static bool coding_is_refused(const char *parameters, size_t len)
{
    const char *q = memmem(parameters, len, "q=", 2);

    return q && strtod(q + 2, NULL) == 0;
}

static bool accepts(const struct request *req, const char *coding)
{
    const char *at = request_header(req, "Accept-Encoding");

    while (at && *at) {
        at += strspn(at, " \t,");
        size_t len = strcspn(at, ","), name = strcspn(at, " \t;,");
        if (name == strlen(coding) && strncasecmp(at, coding, name) == 0)
            return !coding_is_refused(at + name, len - name);
        at += len;
    }
    return false;
}

static struct slice body_choose(const struct web_asset *asset, const struct request *req, struct response *res)
{
    if (asset->brotli.len > 0 && accepts(req, "br")) {
        response_header(res, "Content-Encoding", "br");
        return asset->brotli;
    }
    if (asset->gzip.len > 0 && accepts(req, "gzip")) {
        response_header(res, "Content-Encoding", "gzip");
        return asset->gzip;
    }
    return asset->plain;
}

static bool is_known(const struct request *req, const char *etag)
{
    const char *known = request_header(req, "If-None-Match");

    return known && (strcmp(known, "*") == 0 || strstr(known, etag) != NULL);
}

static status asset_send(const struct web_asset *asset, const char *keep, struct request *req, struct response *res)
{
    for (size_t i = 0; i < COUNT_OF(page_headers); i++)
        response_header(res, page_headers[i].name, page_headers[i].value);
    response_header(res, "Cache-Control", keep);
    response_header(res, "ETag", asset->etag);
    response_header(res, "Vary", "Accept-Encoding");
    if (is_known(req, asset->etag)) {
        response_status(res, 304);
        return OK;
    }
    struct slice body = body_choose(asset, req, res);
    buf_add(response_body(res, asset->content_type), body.data, body.len);
    return OK;
}

static status page_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    (void)arg;

    if (web_asset_count == 0)
        return error_set(err, CODE_NOT_FOUND, "this server was built without the administrator's page");
    return asset_send(&web_assets[0], "no-cache", req, res);
}

static status asset_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    const char *name = request_param(req, "file");
    (void)arg;

    for (size_t i = 1; i < web_asset_count; i++) {
        if (strcmp(web_assets[i].name, name) == 0)
            return asset_send(&web_assets[i], "public, max-age=31536000, immutable", req, res);
    }
    return error_set(err, CODE_NOT_FOUND, "no such file");
}

const struct route web_routes[] = {
    {"GET", "/", PERMISSION_PUBLIC, page_get, 0},
    {"GET", "/ui", PERMISSION_PUBLIC, page_get, 0},
    {"GET", "/ui/", PERMISSION_PUBLIC, page_get, 0},
    {"GET", "/ui/{page...}", PERMISSION_PUBLIC, page_get, 0},
    {"GET", "/assets/{file}", PERMISSION_PUBLIC, asset_get, 0},
    {0},
};

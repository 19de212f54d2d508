/* SPDX-License-Identifier: Apache-2.0 */
/* The request: target split and decoded strictly, headers, route, body. What is malformed is kept as a refusal and
 * answered once the body is read, so that a connection can be kept. */
#include "server/http/exchange.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/secret.h"
#include "server/http/forwarded.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static int escape_decode(const uint8_t digits[2])
{
    int high = hex_digit((char)digits[0]), low = hex_digit((char)digits[1]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Decodes %XX, and '+' as a space in a query. NUL and broken escapes are refused. */
static status percent_decode(struct request *req, struct slice in, bool is_query, const char **out, struct error *err)
{
    char *text = arena_take(&req->arena, in.len + 1);
    if (!text)
        return error_set(err, CODE_NO_MEMORY, "request target");
    size_t n = 0;
    for (size_t i = 0; i < in.len; i++) {
        int c = in.data[i];
        if (c == '%') {
            c = in.len - i < 3 ? 0 : escape_decode(in.data + i + 1);
            if (c <= 0)
                return error_set(err, CODE_INVALID, "the request target has a broken percent escape");
            i += 2;
        } else if (c == '+' && is_query) {
            c = ' ';
        }
        text[n++] = (char)c;
    }
    text[n] = '\0';
    *out = text;
    return OK;
}

status request_begin(struct request *req, const char *target, const char *address, struct deadline d, struct error *err)
{
    req->path = req->query = "";
    req->method = "";
    req->address = address;
    req->deadline = d;
    req->body_cap = LIMIT_BODY;
    size_t len = strnlen(target, REQUEST_TARGET + 1);
    if (len > REQUEST_TARGET)
        return error_set(err, CODE_TOO_LARGE, "the request target is longer than %d bytes", REQUEST_TARGET);
    char *text = arena_copy(&req->arena, target, len);
    if (!text)
        return error_set(err, CODE_NO_MEMORY, "request target");
    req->path = text;
    char *question = strchr(text, '?');
    if (question) {
        *question = '\0';
        req->query = question + 1;
    }
    return OK;
}

status request_add_header(struct request *req, const char *name, const char *value, struct error *err)
{
    if (req->header_count == REQUEST_HEADERS)
        return error_set(err, CODE_INVALID, "more than %d header fields", REQUEST_HEADERS);
    req->headers[req->header_count++] = (struct field){name, value ? value : ""};
    return OK;
}

/* Both kinds in one request: the proxy writes one of them, and lets through what the client made up in the other. */
static status hops_read(const struct request *req, struct hops *h, struct error *err)
{
    int forwarded = 0, forwarded_for = 0;
    for (size_t i = 0; i < req->header_count; i++) {
        const struct field *f = &req->headers[i];
        if (strcasecmp(f->name, "Forwarded") == 0) {
            forwarded++;
            TRY(forwarded_add(h, f->value, err));
        } else if (strcasecmp(f->name, "X-Forwarded-For") == 0) {
            forwarded_for++;
            TRY(forwarded_for_add(h, f->value, err));
        }
    }
    if (forwarded && forwarded_for)
        return error_set(err, CODE_INVALID, "Forwarded and X-Forwarded-For: one of them is expected of a proxy");
    return OK;
}

static status client_find(struct request *req, const struct proxies *proxies, struct error *err)
{
    struct hops hops = {0};
    const char *client = NULL;
    TRY(hops_read(req, &hops, err));
    TRY(forwarded_client(proxies, &hops, req->address, &client, err));
    const char *kept = arena_copy(&req->arena, client, strlen(client));
    if (!kept)
        return error_set(err, CODE_NO_MEMORY, "client address");
    req->address = kept;
    return OK;
}

void request_client_find(struct request *req, const struct proxies *proxies)
{
    if (req->refusal.code == CODE_OK && proxies_have(proxies, req->address))
        ignore(client_find(req, proxies, &req->refusal));
}

static bool id_is_acceptable(const char *id)
{
    size_t len = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
    return len >= 1 && len <= 64 && id[len] == '\0';
}

/* An id is no secret: random bytes are fetched for many at once, by each thread for itself. */
static void request_id_new(char out[static 25])
{
    enum { RANDOM_LEN = 20, BATCH = 16 };
    static _Thread_local struct {
        uint8_t bytes[RANDOM_LEN * BATCH];
        int left;
    } pool;
    if (pool.left == 0 && is_ok(secret_random(pool.bytes, sizeof pool.bytes, NULL)))
        pool.left = BATCH;
    if (pool.left == 0) {
        memcpy(out, "req_unavailable", sizeof "req_unavailable");
        return;
    }
    const uint8_t *random = pool.bytes + (size_t)RANDOM_LEN * (size_t)--pool.left;
    memcpy(out, "req_", 4);
    for (int i = 0; i < RANDOM_LEN; i++)
        out[4 + i] = "abcdefghijklmnopqrstuvwxyz234567"[random[i] & 31];
    out[4 + RANDOM_LEN] = '\0';
}

static void request_id_choose(struct request *req)
{
    const char *given = request_header(req, HEADER_REQUEST_ID);
    if (given && id_is_acceptable(given)) {
        snprintf(req->id, sizeof req->id, "%s", given);
        return;
    }
    request_id_new(req->id);
}

static status query_parse(struct request *req, struct error *err)
{
    const char *at = req->query;
    while (*at) {
        size_t len = strcspn(at, "&");
        struct slice pair = {(const uint8_t *)at, len};
        at += len + (at[len] == '&');
        if (len == 0)
            continue;
        if (req->query_count == REQUEST_QUERY_PARAMS)
            return error_set(err, CODE_INVALID, "more than %d query parameters", REQUEST_QUERY_PARAMS);
        const uint8_t *equals = memchr(pair.data, '=', pair.len);
        struct slice name = {pair.data, equals ? (size_t)(equals - pair.data) : pair.len};
        struct slice value = {equals ? equals + 1 : pair.data + pair.len, equals ? pair.len - name.len - 1 : 0};
        struct field f = {"", ""};
        TRY(percent_decode(req, name, true, &f.name, err));
        TRY(percent_decode(req, value, true, &f.value, err));
        if (request_query(req, f.name))
            return error_set(err, CODE_INVALID, "query parameter %.40s is there twice", f.name);
        req->query_params[req->query_count++] = f;
    }
    return OK;
}

static status route_apply(struct request *req, const struct route_match *m, struct error *err)
{
    for (size_t i = 0; i < m->param_count; i++) {
        struct field f = {m->param_names[i], NULL};
        TRY(percent_decode(req, m->param_values[i], false, &f.value, err));
        req->params[req->param_count++] = f;
    }
    return query_parse(req, err);
}

void request_route_find(struct request *req, const struct router *router, const char *method)
{
    struct route_match m;
    req->method = method;
    request_id_choose(req);
    if (req->refusal.code != CODE_OK)
        return;
    if (!router_find(router, method, slice_of_text(req->path), &m)) {
        ignore(error_set(&req->refusal, CODE_NOT_FOUND, "no such path"));
        return;
    }
    if (!m.route) {
        memcpy(req->allow, m.allow, sizeof req->allow);
        ignore(error_set(&req->refusal, CODE_METHOD_NOT_ALLOWED, "this path knows %s", m.allow));
        return;
    }
    if (m.route->max_body)
        req->body_cap = m.route->max_body;
    if (is_ok(route_apply(req, &m, &req->refusal)))
        req->route = m.route;
}

void request_finish(struct request *req)
{
    if (req->context && req->context_clean)
        req->context_clean(req->context);
    req->context = NULL;
    req->context_clean = NULL;
    json_free(req->json);
    req->json = NULL;
    if (req->body.cap > BODY_KEPT)
        buf_clear(&req->body);
    else
        buf_reset(&req->body);
}

void request_reset(struct request *req)
{
    request_finish(req);
    arena_reset(&req->arena);
    req->method = req->path = req->query = "";
    req->header_count = req->param_count = req->query_count = 0;
    req->route = NULL;
    req->refusal.code = CODE_OK;
    req->allow[0] = req->id[0] = '\0';
}

void request_clear(struct request *req)
{
    request_reset(req);
    buf_clear(&req->body);
}

const char *request_method(const struct request *req)
{
    return req->method;
}

const char *request_path(const struct request *req)
{
    return req->path;
}

const char *request_param(const struct request *req, const char *name)
{
    for (size_t i = 0; i < req->param_count; i++)
        if (strcmp(req->params[i].name, name) == 0)
            return req->params[i].value;
    return "";
}

const char *request_query(const struct request *req, const char *name)
{
    for (size_t i = 0; i < req->query_count; i++)
        if (strcmp(req->query_params[i].name, name) == 0)
            return req->query_params[i].value;
    return NULL;
}

const char *request_header(const struct request *req, const char *name)
{
    for (size_t i = 0; i < req->header_count; i++)
        if (strcasecmp(req->headers[i].name, name) == 0)
            return req->headers[i].value;
    return NULL;
}

struct slice request_body(const struct request *req)
{
    return buf_slice(&req->body);
}

const char *request_client_address(const struct request *req)
{
    return req->address;
}

const char *request_id(const struct request *req)
{
    return req->id;
}

struct deadline request_deadline(const struct request *req)
{
    return req->deadline;
}

const struct route *request_route(const struct request *req)
{
    return req->route;
}

void request_set_context(struct request *req, void *context, void (*clean)(void *))
{
    req->context = context;
    req->context_clean = clean;
}

void *request_context(const struct request *req)
{
    return req->context;
}

status request_query_only(const struct request *req, const char *const *names, struct error *err)
{
    for (size_t i = 0; i < req->query_count; i++) {
        const char *const *n = names;
        while (n && *n && strcmp(*n, req->query_params[i].name) != 0)
            n++;
        if (!n || !*n)
            return error_set(err, CODE_INVALID, "unknown query parameter: %.40s", req->query_params[i].name);
    }
    return OK;
}

status request_media(const struct request *req, const char *media_type, struct error *err)
{
    const char *given = request_header(req, "Content-Type");
    size_t len = strlen(media_type);
    if (given && strncasecmp(given, media_type, len) == 0) {
        const char *rest = given + len + strspn(given + len, " \t");
        if (*rest == '\0' || *rest == ';')
            return OK;
    }
    return error_set(err, CODE_UNSUPPORTED_MEDIA, "Content-Type: %s is expected", media_type);
}

status request_json(struct request *req, const struct json **out, struct error *err)
{
    if (req->body.len == 0)
        return error_set(err, CODE_INVALID, "a JSON body is expected");
    TRY(request_media(req, "application/json", err));
    if (!req->json)
        TRY(json_parse(buf_slice(&req->body), req->body_cap, LIMIT_JSON_DEPTH, &req->json, err));
    *out = req->json;
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The response: status, headers, body, and the one shape of every error (RFC 9457). */
#include "server/http/exchange.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "chancery/protocol.h"

void response_status(struct response *res, int http_status)
{
    res->status = http_status;
}

static bool header_is_sound(const char *value)
{
    return strpbrk(value, "\r\n") == NULL;
}

/* A second header of the same name replaces the first, so that a problem may replace what was begun. */
void response_header(struct response *res, const char *name, const char *value)
{
    char *kept_name = arena_copy(&res->arena, name, strlen(name));
    char *kept_value = arena_copy(&res->arena, value, strlen(value));
    if (!kept_name || !kept_value || !header_is_sound(value)) {
        res->failed = true;
        return;
    }
    for (size_t i = 0; i < res->header_count; i++) {
        if (strcasecmp(res->headers[i].name, name) == 0) {
            res->headers[i].value = kept_value;
            return;
        }
    }
    if (res->header_count == RESPONSE_HEADERS) {
        res->failed = true;
        return;
    }
    res->headers[res->header_count++] = (struct field){kept_name, kept_value};
}

struct buf *response_body(struct response *res, const char *content_type)
{
    res->content_type = arena_copy(&res->arena, content_type, strlen(content_type));
    buf_reset(&res->body);
    return &res->body;
}

struct json_writer *response_json(struct response *res, int http_status)
{
    res->status = http_status;
    res->content_type = "application/json";
    buf_reset(&res->body);
    res->writer = json_writer_on(&res->body);
    return &res->writer;
}

static void response_discard(struct response *res)
{
    res->header_count = 0;
    res->content_type = NULL;
    res->failed = false;
    buf_reset(&res->body);
}

void response_problem(struct response *res, const char *request_id, const struct error *err)
{
    /* Codes behind TIMEOUT are of one machine alone (errors.def). */
    enum code code = err->code == CODE_OK || err->code > CODE_TIMEOUT ? CODE_INTERNAL : err->code;
    int http_status = code_http(code);
    /* What failed inside is for the log; the caller gets the default text. */
    bool is_inside = http_status == 500 || err->text[0] == '\0';
    response_discard(res);
    struct json_writer *w = response_json(res, http_status);
    res->content_type = "application/problem+json";
    json_begin_object(w, NULL);
    json_add_text(w, "type", "about:blank");
    json_add_text(w, "title", code_text(code));
    json_add_integer(w, "status", http_status);
    json_add_text(w, "code", code_wire(code));
    json_add_text(w, "detail", is_inside ? code_text(code) : err->text);
    json_add_text(w, "request_id", request_id);
    if (code == CODE_APPROVAL_REQUIRED) /* an extension member (RFC 9457 §3.2): where to ask for one */
        json_add_text(w, "approval_url", ROUTE_APPROVALS);
    json_end_object(w);
    if (http_status == 401)
        response_header(res, "WWW-Authenticate", "Bearer");
    if (http_status == 429 || http_status == 503) {
        char seconds[16];
        (void)snprintf(seconds, sizeof(seconds), "%d", err->retry_after_s > 0 ? err->retry_after_s : 1);
        response_header(res, "Retry-After", seconds);
    }
}

void response_complete(struct response *res, const char *request_id)
{
    if (res->failed || res->body.failed) {
        struct error err = {.code = CODE_INTERNAL};
        response_problem(res, request_id, &err);
    }
    bool has_cache_control = false;
    for (size_t i = 0; i < res->header_count; i++)
        has_cache_control |= strcasecmp(res->headers[i].name, "Cache-Control") == 0;
    response_header(res, HEADER_REQUEST_ID, request_id);
    if (!has_cache_control)
        response_header(res, "Cache-Control", "no-store");
    response_header(res, "X-Content-Type-Options", "nosniff");
    if (res->content_type && res->status != 204 && res->status != 304)
        response_header(res, "Content-Type", res->content_type);
}

void response_reset(struct response *res)
{
    response_discard(res);
    arena_reset(&res->arena);
    res->status = 200;
    if (res->body.cap > BODY_KEPT)
        buf_clear(&res->body);
}

void response_clear(struct response *res)
{
    response_reset(res);
    buf_clear(&res->body);
}

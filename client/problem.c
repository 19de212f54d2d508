/* SPDX-License-Identifier: Apache-2.0 */
/* A refusal is read leniently, as it may come from a proxy in between, but nothing unprintable of it reaches a
 * terminal, and it can never turn into success. */
#include "client/problem.h"

#include <string.h>

#include "chancery/protocol.h"
#include "common/json.h"
#include "common/text.h"

enum { PROBLEM_MAX = 16 * 1024, TEXT_MAX = 280 };

static enum code code_by_http(int http)
{
    switch (http) {
    case 502:
        return CODE_UNAVAILABLE;
    case 429:
        return CODE_RATE_LIMITED;
    default:
        break;
    }
    /* The first row with this status is its general meaning, but for those that name something special. */
    static const enum code general[] = {CODE_INVALID,  CODE_NOT_AUTHENTICATED,  CODE_FORBIDDEN, CODE_NOT_FOUND,
                                        CODE_CONFLICT, CODE_METHOD_NOT_ALLOWED, CODE_STALE,     CODE_TOO_LARGE,
                                        CODE_INTERNAL, CODE_UNSUPPORTED_MEDIA,  CODE_TIMEOUT,   CODE_UNAVAILABLE};
    for (size_t i = 0; i < COUNT_OF(general); i++)
        if (code_http(general[i]) == http)
            return general[i];
    return http >= 400 && http < 500 ? CODE_INVALID : CODE_INTERNAL;
}

/* The codes of this machine alone mean nothing when a server sends them. */
static bool code_is_of_server(enum code code)
{
    return code != CODE_NO_MEMORY && code != CODE_CONFIGURATION && code != CODE_CREDENTIAL && code != CODE_IO &&
           code != CODE_BAD_SIGNATURE;
}

static const char *printable(const char *text)
{
    return text && *text && text_is_printable(text, TEXT_MAX) ? text : NULL;
}

/* Which request, what status and who says so, for whoever looks into the server's log. */
static void place_write(const struct transport_answer *a, const char *request, struct buf *out)
{
    if (!request && *a->request_id)
        request = a->request_id;
    buf_printf(out, " (");
    if (request)
        buf_printf(out, "request %s, ", request);
    buf_printf(out, "HTTP %d", a->status);
    if (a->url)
        buf_printf(out, ", %s", a->url);
    buf_add_text(out, ")");
}

static status problem_read(const struct json *problem, const struct transport_answer *answer, struct error *err)
{
    int http = answer->status;
    enum code code = CODE_INTERNAL;
    if (!code_from_wire(json_get_text(problem, "code", ""), &code) || !code_is_of_server(code))
        code = code_by_http(http);

    const char *title = printable(json_get_text(problem, "title", NULL));
    const char *detail = printable(json_get_text(problem, "detail", NULL));
    const char *request = printable(json_get_text(problem, "request_id", NULL));
    if (!title)
        title = code_text(code);
    /* The server's title of one sentence is often its detail as well. */
    bool same = detail && strcmp(title, detail) == 0;
    cleanup_buf struct buf place = {0};
    place_write(answer, request, &place);
    return error_set(err, code, "%s%s%s%s", title, detail && !same ? ": " : "", detail && !same ? detail : "",
                     buf_text(&place));
}

status problem_status(const struct transport_answer *answer, struct error *err)
{
    cleanup_json struct json *problem = NULL;
    bool is_problem = strcmp(answer->content_type, "application/problem+json") == 0;
    if (is_problem && is_ok(json_parse(buf_slice(&answer->body), PROBLEM_MAX, LIMIT_JSON_DEPTH, &problem, NULL)) &&
        json_type(problem) == JSON_OBJECT)
        return problem_read(problem, answer, err);

    cleanup_buf struct buf place = {0};
    place_write(answer, NULL, &place);
    if (answer->status >= 300 && answer->status < 400)
        return error_set(err, CODE_INTERNAL, "the server answers with a redirect, which is not followed%s",
                         buf_text(&place));
    enum code code = code_by_http(answer->status);
    return error_set(err, code, "%s, and no reason was given%s", code_text(code), buf_text(&place));
}

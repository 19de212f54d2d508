/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for approval: one for each key and digest, however often the program tries again, because the server answers
 * with the one it has. */
#include "client/approval.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "chancery/protocol.h"
#include "client/libctx.h"
#include "client/state.h"
#include "common/encoding.h"
#include "common/log.h"
#include "common/secret.h"
#include "common/text.h"

enum { POLL_FIRST_MS = 250, POLL_MAX_MS = 2000, STEP_MS = 50, ID_MAX = LIMIT_ID, STATE_MAX = 16 };

struct asked {
    char id[ID_MAX + 1], state[STATE_MAX + 1];
};

/* What is put into paths and logs is an id or nothing. */
static status asked_read(const struct json *answer, struct asked *out, struct error *err)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    const char *id = json_get_text(answer, "id", "");
    const char *state = json_get_text(answer, "state", "");
    if (!*id || strlen(id) > ID_MAX || strspn(id, plain) != strlen(id) || !*state || strlen(state) > STATE_MAX ||
        strspn(state, plain) != strlen(state))
        return error_set(err, CODE_INTERNAL, "the server's answer is no request for approval");
    (void)text_copy(out->id, sizeof(out->id), id);
    (void)text_copy(out->state, sizeof(out->state), state);
    return OK;
}

/* ---- waiting */

static status asked_get(struct client *c, const char *id, struct deadline d, struct asked *out, struct error *err)
{
    cleanup_json struct json *answer = NULL;
    cleanup_buf struct buf path = {0};
    buf_printf(&path, "%s/%s", ROUTE_APPROVALS, id);
    TRY(buf_check(&path, err));
    TRY(client_request(c, "GET", buf_text(&path), NULL, d, &answer, err));
    return asked_read(answer, out, err);
}

static struct deadline earlier(struct deadline a, struct deadline b)
{
    return a.at_ms < b.at_ms ? a : b;
}

/* In short steps: a process that exits must find nobody here (I10). False: it does. */
static bool sleep_until(const struct client *c, struct deadline d)
{
    do {
        struct timespec at = deadline_timespec(earlier(d, deadline_in(STEP_MS)));
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
            ;
        if (c->config->is_ending && c->config->is_ending())
            return false;
    } while (!deadline_passed(d));
    return true;
}

static bool is_passing(status s)
{
    return s.code == CODE_UNAVAILABLE || s.code == CODE_TIMEOUT || s.code == CODE_AUDIT_UNAVAILABLE ||
           s.code == CODE_RATE_LIMITED;
}

/* A server that is away for a while is waited for, too. */
status client_approval_wait(struct client *c, const char *id, struct deadline d, struct error *err)
{
    bool was_seen = false;
    for (int64_t pause_ms = POLL_FIRST_MS;; pause_ms = pause_ms * 2 < POLL_MAX_MS ? pause_ms * 2 : POLL_MAX_MS) {
        struct asked now = {.state = "pending"};
        status got = asked_get(c, id, earlier(d, deadline_in(c->config->timeout_ms)), &now, err);
        was_seen |= is_ok(got);
        if (!is_ok(got) && (!is_passing(got) || (deadline_passed(d) && !was_seen)))
            return got;
        if (strcmp(now.state, "approved") == 0)
            return OK;
        if (strcmp(now.state, "pending") != 0)
            return error_set(err, CODE_APPROVAL_REQUIRED, "%s is %s", id, now.state);
        if (deadline_passed(d))
            return error_set(err, CODE_APPROVAL_REQUIRED, "%s still waits for a decision", id);
        if (!sleep_until(c, earlier(d, deadline_in(pause_ms))))
            return error_set(err, CODE_APPROVAL_REQUIRED, "%s still waits, but the process ends", id);
    }
}

/* ---- asking */

static status digest_write(struct json_writer *w, const struct sign_input *in, struct error *err)
{
    uint8_t hash[32];
    struct slice digest = in->digest;
    bool eddsa = in->mechanism == MECHANISM_EDDSA;
    cleanup_libctx struct libctx_scope scope = {0};
    if (eddsa) { /* the record and the list of digests know an Ed25519 message by its SHA-256 */
        TRY(libctx_enter(&scope, err));
        TRY(sha256(in->digest, hash, err));
        digest = (struct slice){hash, sizeof(hash)};
    }
    json_begin_array(w, "digests");
    json_begin_object(w, NULL);
    json_add_text(w, "hash", hash_name(eddsa ? HASH_SHA256 : in->hash));
    json_add_hex(w, "digest", digest);
    json_end_object(w);
    json_end_array(w);
    return OK;
}

static void reason_write(const struct client *c, struct json_writer *w)
{
    char reason[128];
    (void)snprintf(reason, sizeof(reason), "asked for by %s", *c->origin.program ? c->origin.program : "a program");
    json_add_text(w, "reason", c->config->approval_reason ? c->config->approval_reason : reason);
}

static status ask(struct client *c, const struct client_key *key, const struct sign_input *in, struct deadline d,
                  struct asked *out, struct error *err)
{
    cleanup_buf struct buf body = {0};
    cleanup_json struct json *answer = NULL;
    struct json_writer w = json_writer_on(&body);
    json_begin_object(&w, NULL);
    json_add_text(&w, "key", key->id);
    reason_write(c, &w);
    TRY(digest_write(&w, in, err));
    json_add_bool(&w, "once", true);
    json_end_object(&w);
    TRY(buf_check(&body, err));
    TRY(client_request(c, "POST", ROUTE_APPROVALS, &body, d, &answer, err));
    return asked_read(answer, out, err);
}

static status refuse(struct error *err)
{
    err->code = CODE_APPROVAL_REQUIRED;
    return (status){CODE_APPROVAL_REQUIRED};
}

status approval_seek(struct client *c, const struct client_key *key, const struct sign_input *in, struct deadline d,
                     struct error *err)
{
    struct asked asked;
    struct error why = {0};
    const struct client_config *config = c->config;
    if (!config->approval_auto) {
        error_prefix(err, "ask at %s%s, or: chancery request %s", config->url, PAGE_APPROVALS, key->token_label);
        return refuse(err);
    }
    if (!is_ok(ask(c, key, in, d, &asked, &why))) {
        error_prefix(err, "asking for an approval failed: %.120s", why.text);
        return refuse(err);
    }
    log_event(LOG_LEVEL_WARNING, "approval needed", "key", key->token_label, "state", asked.state, "request", asked.id,
              "url", config->url, NULL);
    if (strcmp(asked.state, "approved") == 0)
        return OK;
    bool waits = config->approval_wait_ms > 0 && strcmp(asked.state, "pending") == 0;
    if (waits && is_ok(client_approval_wait(c, asked.id, deadline_in(config->approval_wait_ms), &why)))
        return OK;
    error_prefix(err, "%s%s/%s %s%s", config->url, PAGE_APPROVALS, asked.id, waits ? "was waited for: " : "is ",
                 waits ? why.text : asked.state);
    return refuse(err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* With transport_handle.c the only file that sees libcurl. It lives in foreign processes: sockets are close-on-exec and
 * known by descriptor, so that a forked child can close them; SIGPIPE is held off the host; no proxy, netrc or key log
 * of the environment is followed; and nothing global is ever torn down (I10). A host name that is no address is looked
 * up by libcurl's short-lived resolver thread, the only way to keep the deadline while a name server is silent; a host
 * that forbids threads gets a look-up in its own (resolve.c), which ends when the system's resolver gives up. */
#include "client/transport.h"

#include <stdio.h>
#include <string.h>

#include "client/answer.h"
#include "client/libctx.h"
#include "client/resolve.h"
#include "client/sigpipe.h"
#include "client/transport_handle.h"
#include "common/text.h"

static struct connection *abandoned; /* in a forked child: what came over */

struct transport {
    char *url;
    const struct transport_settings *settings;
    _Atomic(struct connection *) connections;
    struct handle_maker maker;
};

void transport_fork_lock(struct transport *t)
{
    handle_maker_lock(&t->maker);
}

void transport_fork_unlock(struct transport *t)
{
    handle_maker_unlock(&t->maker);
}

/* An idle one, or a new one. */
static struct connection *connection_acquire(struct transport *t)
{
    for (struct connection *c = atomic_load(&t->connections); c; c = c->next) {
        bool idle = false;
        if (!atomic_load_explicit(&c->busy, memory_order_relaxed) &&
            atomic_compare_exchange_strong(&c->busy, &idle, true))
            return c;
    }

    struct connection *made = connection_new(t->settings, &t->maker);
    if (!made)
        return NULL;
    made->next = atomic_load(&t->connections);
    while (!atomic_compare_exchange_weak(&t->connections, &made->next, made))
        ;
    return made;
}

static void connection_release(struct connection **c)
{
    if (*c)
        atomic_store(&(*c)->busy, false);
}

static void slist_free(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

static bool header_add(struct curl_slist **list, const char *name, const char *value)
{
    if (!value)
        return true;
    cleanup_buf struct buf line = {0};
    buf_printf(&line, "%s: %s", name, value);
    if (line.failed)
        return false;
    struct curl_slist *grown = curl_slist_append(*list, buf_text(&line));
    if (grown)
        *list = grown;
    return grown != NULL;
}

/* libcurl keeps its own copy of each line; those with a secret are wiped before they are freed (I8). */
static void headers_free(struct curl_slist **list)
{
    for (struct curl_slist *line = *list; line; line = line->next)
        explicit_bzero(line->data, strlen(line->data));
    slist_free(list);
}

static bool headers_make(const struct transport_request *r, struct curl_slist **list)
{
    return header_add(list, "Accept", "application/json") && header_add(list, "Content-Type", r->content_type) &&
           header_add(list, "Authorization", r->authorization) &&
           header_add(list, "Idempotency-Key", r->idempotency_key) &&
           header_add(list, "If-None-Match", r->if_none_match) && header_add(list, "If-Match", r->if_match) &&
           header_add(list, "Expect", "");
}

static bool request_set(struct connection *c, const struct transport *t, const struct transport_request *r,
                        struct curl_slist *headers, struct receiving *receiving, int64_t left_ms)
{
    cleanup_buf struct buf url = {0};
    buf_printf(&url, "%s%s", t->url, r->path);
    CURLcode bad = url.failed ? CURLE_OUT_OF_MEMORY : CURLE_OK;
#define SET(option, value) bad |= curl_easy_setopt(c->curl, option, value)
    SET(CURLOPT_URL, buf_text(&url));
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_HTTPGET, 1L); /* clears the body of the call before */
    if (r->content_type) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
        SET(CURLOPT_POSTFIELDS, r->body.len ? (const char *)r->body.data : "");
    }
    SET(CURLOPT_CUSTOMREQUEST, r->method);
    SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)r->answer_max); /* of a length that is declared; on_body has the rest */
    SET(CURLOPT_FRESH_CONNECT, r->once ? 1L : 0L);
    SET(CURLOPT_TIMEOUT_MS, (long)left_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS,
        (long)(left_ms < t->settings->connect_timeout_ms ? left_ms : t->settings->connect_timeout_ms));
    SET(CURLOPT_WRITEDATA, receiving);
    SET(CURLOPT_HEADERDATA, receiving);
    SET(CURLOPT_PREREQDATA, receiving);
#undef SET
    return bad == CURLE_OK;
}

/* Nothing of the caller's memory stays behind in the handle. */
static void request_unset(struct connection *c)
{
    (void)curl_easy_setopt(c->curl, CURLOPT_HTTPGET, 1L);
    (void)curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, NULL);
    (void)curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, NULL);
    (void)curl_easy_setopt(c->curl, CURLOPT_RESOLVE, NULL);
    (void)curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, NULL);
    (void)curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, NULL);
    (void)curl_easy_setopt(c->curl, CURLOPT_PREREQDATA, NULL);
}

/* These have codes of libcurl that a broken connection has, too; its text tells them apart. */
static bool speaks_no_tls_1_3(const struct connection *c)
{
    static const char *const reasons[] = {"alert protocol version", "unsupported protocol", "wrong version number"};
    for (size_t i = 0; i < COUNT_OF(reasons); i++) {
        if (strstr(c->reason, reasons[i]))
            return true;
    }
    return false;
}

static bool is_malformed(CURLcode result, const struct connection *c)
{
    return result == CURLE_RECV_ERROR && strstr(c->reason, "in chunked-encoding");
}

static enum code code_of_curl(CURLcode result, const struct connection *c)
{
    if (is_malformed(result, c))
        return CODE_INTERNAL;
    switch (result) {
    case CURLE_OPERATION_TIMEDOUT:
        return CODE_TIMEOUT;
    case CURLE_OUT_OF_MEMORY:
        return CODE_NO_MEMORY;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_URL_MALFORMAT:
        return CODE_CONFIGURATION;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_FUNCTION_ARGUMENT:
        return CODE_INTERNAL;
    default:
        return CODE_UNAVAILABLE;
    }
}

/* What libcurl cannot say: which line of the configuration it is about, and what to do. */
static status configuration_failure(const struct transport *t, const struct connection *c, CURLcode result,
                                    struct error *err)
{
    long proxy_status = 0;
    (void)curl_easy_getinfo(c->curl, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
    if (result == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
        return error_set(err, CODE_CONFIGURATION,
                         "%s: the server's public key is not a pinned one; if its key was changed on purpose, correct "
                         "[server] pin, else somebody stands in between",
                         t->url);
    if (proxy_status == 407)
        return error_set(err, CODE_CONFIGURATION,
                         "%s: the proxy %s wants credentials, or other ones: correct [server] proxy_credentials",
                         t->url, t->settings->proxy);
    if (result == CURLE_SSL_CONNECT_ERROR && speaks_no_tls_1_3(c))
        return error_set(err, CODE_CONFIGURATION,
                         "%s: what answers there does not speak TLS 1.3: correct [server] url, or the server (%s)",
                         t->url, c->reason);
    /* TLS 1.3 tells with the first read behind the handshake (RFC 8446 §6.2). */
    if (strstr(c->reason, "certificate required"))
        return error_set(err, CODE_CONFIGURATION,
                         "%s: the server asks for a client certificate: set [server] client_certificate and client_key",
                         t->url);
    return OK;
}

static status failure_of(const struct transport *t, const struct connection *c, CURLcode result,
                         const struct receiving *r, struct error *err)
{
    if (r->too_large || result == CURLE_FILESIZE_EXCEEDED)
        return error_set(err, CODE_INTERNAL, "%s: the answer is larger than %zu bytes", t->url, r->answer_max);
    if (r->answer->body.failed)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    TRY(configuration_failure(t, c, result, err));

    const char *reason =
        *c->reason && text_is_printable(c->reason, sizeof(c->reason)) ? c->reason : curl_easy_strerror(result);
    return error_set(err, code_of_curl(result, c), "%s: %s", t->url, reason);
}

/* libcurl's resolver is a thread, so where none may be started the name is looked up here and handed over. */
static status lookup_set(struct transport *t, struct connection *c, struct curl_slist **known, struct error *err)
{
    cleanup_buf struct buf line = {0};
    if (!t->settings->no_threads)
        return OK;
    TRY(resolve_url(t->settings->proxy ? t->settings->proxy + strlen("http://") : t->url, &line, err));
    if (line.len == 0)
        return OK;
    *known = curl_slist_append(NULL, buf_text(&line));
    bool set = *known && curl_easy_setopt(c->curl, CURLOPT_RESOLVE, *known) == CURLE_OK;
    return set ? OK : error_set(err, CODE_NO_MEMORY, "out of memory");
}

static status exchange(struct transport *t, struct connection *c, const struct transport_request *r, struct deadline d,
                       struct transport_answer *answer, struct error *err)
{
    struct receiving receiving = {.answer = answer, .answer_max = r->answer_max};
    CLEANUP(headers_free) struct curl_slist *headers = NULL;
    CLEANUP(slist_free) struct curl_slist *known = NULL;
    int64_t left_ms = deadline_left_ms(d);
    if (left_ms <= 0)
        return error_set(err, CODE_TIMEOUT, "%s: no answer within the deadline", t->url);
    if (!headers_make(r, &headers) || !request_set(c, t, r, headers, &receiving, left_ms))
        return error_set(err, CODE_NO_MEMORY, "out of memory");

    struct sigpipe_scope sigpipe CLEANUP(sigpipe_leave) = sigpipe_enter();
    TRY(lookup_set(t, c, &known, err));
    c->reason[0] = '\0';
    CURLcode result = curl_easy_perform(c->curl);
    long http_status = 0;
    (void)curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &http_status);
    request_unset(c);
    if (result != CURLE_OK)
        return failure_of(t, c, result, &receiving, err);
    answer->status = (int)http_status;
    return OK;
}

status transport_send(struct transport *t, const struct transport_request *r, struct deadline d,
                      struct transport_answer *answer, struct error *err)
{
    cleanup_libctx struct libctx_scope scope = {0};
    transport_answer_clear(answer);
    answer->url = t->url;
    TRY(libctx_enter(&scope, err)); /* first: it reads OpenSSL's configuration while no lock is held */

    CLEANUP(connection_release) struct connection *c = connection_acquire(t);
    if (!c)
        return error_set(err, CODE_NO_MEMORY, "libcurl gives no handle");

    status sent = exchange(t, c, r, d, answer, err);
    if (!is_ok(sent))
        buf_clear(&answer->body);
    return sent;
}

status transport_new(const char *url, const struct transport_settings *settings, struct transport **out,
                     struct error *err)
{
    struct transport *t = calloc(1, sizeof(*t));
    char *copy = strdup(url);
    if (!t || !copy) {
        free(t);
        free(copy);
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    }
    t->url = copy;
    t->settings = settings;
    handle_maker_init(&t->maker);
    *out = t;
    return OK;
}

void transport_free(struct transport *t)
{
    if (!t)
        return;

    struct connection *c = atomic_load(&t->connections);
    if (c) {
        cleanup_libctx struct libctx_scope scope = {0};
        ignore(libctx_enter(&scope, NULL));
        struct sigpipe_scope sigpipe CLEANUP(sigpipe_leave) = sigpipe_enter();
        for (struct connection *next; c; c = next) {
            next = c->next;
            connection_free(c);
        }
        handle_maker_clear(&t->maker);
    } else {
        handle_maker_clear(&t->maker);
    }
    free(t->url);
    free(t);
}

void transport_abandon_after_fork(struct transport *t)
{
    for (struct connection *c = atomic_load(&t->connections); c; c = c->next)
        connection_abandon(c);
    handle_maker_abandon(&t->maker);
    /* The handles stay unfreed: libcurl would send on descriptors that may belong to somebody else by now. But they
     * stay reachable, for whoever searches a child for leaks. */
    struct connection *first = atomic_exchange(&t->connections, NULL), *last = first;
    while (last && last->next)
        last = last->next;
    if (last) {
        last->next = abandoned;
        abandoned = first;
    }
}

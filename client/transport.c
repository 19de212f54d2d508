/* SPDX-License-Identifier: Apache-2.0 */
/* The only file that sees libcurl. It lives in foreign processes: sockets are close-on-exec and known by descriptor, so
 * that a forked child can close them; SIGPIPE is held off the host; no proxy, netrc or key log of the environment is
 * followed; and nothing global is ever torn down (I10). A host name that is no address is looked up by libcurl's
 * short-lived resolver thread, the only way to keep the deadline while a name server is silent; a host that forbids
 * threads gets a look-up in its own (resolve.c), which ends when the system's resolver gives up. */
#include "client/transport.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "chancery/version.h"
#include "client/answer.h"
#include "client/libctx.h"
#include "client/resolve.h"
#include "client/sigpipe.h"
#include "client/wakeup.h"
#include "common/file.h"
#include "common/text.h"

enum { SOCKETS_MAX = 8, CA_FILE_MAX = 1024 * 1024, HEADERS_MAX = 64 * 1024, HEADER_LINE_MAX = 1024 };

/* One libcurl handle with its own connection. Never unlinked while the transport lives: the list may be walked at any
 * moment, even in a child forked in the middle of a change. */
struct connection {
    struct connection *next;
    atomic_bool busy;
    CURL *curl;
    _Atomic int sockets[SOCKETS_MAX]; /* descriptor + 1; 0 is empty */
    char reason[CURL_ERROR_SIZE];
};

static struct connection *abandoned; /* in a forked child: what came over */

struct transport {
    char *url;
    struct buf ca;
    bool no_threads;
    /* libcurl guards its global state with a spin lock, which a child forked in that moment would wait on for ever.
     * Held for the making of a handle, never across I/O. */
    pthread_mutex_t making;
    _Atomic(struct connection *) connections;
};

/* What the callbacks of one exchange write to. */
struct receiving {
    struct transport_answer *answer;
    size_t answer_max;
    size_t header_bytes;
    bool too_large;
};

void transport_fork_lock(struct transport *t)
{
    (void)pthread_mutex_lock(&t->making);
}

void transport_fork_unlock(struct transport *t)
{
    (void)pthread_mutex_unlock(&t->making);
}

void transport_forbid_threads(struct transport *t)
{
    t->no_threads = true;
}

static curl_socket_t socket_open(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    struct connection *c = user;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;

    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        int empty = 0;
        if (atomic_compare_exchange_strong(&c->sockets[i], &empty, fd + 1))
            return fd;
    }
    (void)close(fd);
    return CURL_SOCKET_BAD;
}

static int socket_close(void *user, curl_socket_t fd)
{
    struct connection *c = user;
    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        int known = fd + 1;
        if (atomic_compare_exchange_strong(&c->sockets[i], &known, 0))
            break;
    }
    return close(fd);
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    struct receiving *r = user;
    size_t len = size * count;
    if (len > r->answer_max - r->answer->body.len) {
        r->too_large = true;
        return 0;
    }
    buf_add(&r->answer->body, data, len);
    return r->answer->body.failed ? 0 : len;
}

static size_t on_header(char *data, size_t size, size_t count, void *user)
{
    struct receiving *r = user;
    size_t len = size * count;
    r->header_bytes += len;
    if (r->header_bytes > HEADERS_MAX) {
        r->too_large = true;
        return 0;
    }
    if (len < HEADER_LINE_MAX && !memchr(data, '\0', len)) {
        char line[HEADER_LINE_MAX];
        memcpy(line, data, len);
        line[len] = '\0';
        answer_header_take(r->answer, line);
    }
    return len;
}

/* libcurl writes TLS secrets to $SSLKEYLOGFILE when the host's environment says so; not those of our connections (I8).
 * And closing a connection sends nothing, since C_Finalize may come while the process exits. */
static CURLcode on_tls_context(CURL *curl, void *ssl_ctx, void *user)
{
    (void)curl;
    (void)user;
    SSL_CTX_set_keylog_callback(ssl_ctx, NULL);
    SSL_CTX_set_quiet_shutdown(ssl_ctx, 1);
    return CURLE_OK;
}

/* What does not change from call to call. */
static bool handle_set_up(const struct transport *t, struct connection *c)
{
    CURL *h = c->curl;
    CURLcode bad = CURLE_OK;
#define SET(option, value) bad |= curl_easy_setopt(h, option, value)
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "https");
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSL_CTX_FUNCTION, on_tls_context);
    SET(CURLOPT_TCP_NODELAY, 1L);
    SET(CURLOPT_MAXCONNECTS, 1L);
    SET(CURLOPT_USERAGENT, "chancery/" CHANCERY_VERSION);
    SET(CURLOPT_ERRORBUFFER, c->reason);
    SET(CURLOPT_OPENSOCKETFUNCTION, socket_open);
    SET(CURLOPT_OPENSOCKETDATA, c);
    SET(CURLOPT_CLOSESOCKETFUNCTION, socket_close);
    SET(CURLOPT_CLOSESOCKETDATA, c);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    if (t->ca.len > 0) {
        struct curl_blob ca = {t->ca.data, t->ca.len, CURL_BLOB_NOCOPY};
        SET(CURLOPT_CAINFO_BLOB, &ca);
        SET(CURLOPT_CAPATH, NULL); /* else the system's roots would be trusted beside it */
    }
#undef SET
    return bad == CURLE_OK;
}

static curl_socket_t socket_refuse(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)user;
    (void)purpose;
    (void)address;
    return CURL_SOCKET_BAD;
}

/* The handle makes its pair of sockets at its first transfer: here, in one that is not let out. */
static void handle_warm_up(struct connection *c)
{
    (void)curl_easy_setopt(c->curl, CURLOPT_URL, "https://127.0.0.1");
    (void)curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(c->curl, CURLOPT_OPENSOCKETFUNCTION, socket_refuse);
    struct wakeup pair = wakeup_expect();
    (void)curl_easy_perform(c->curl);
    if (wakeup_close_on_exec(&pair)) { /* closed by curl_easy_cleanup or in a forked child */
        atomic_store(&c->sockets[0], pair.fds[0] + 1);
        atomic_store(&c->sockets[1], pair.fds[1] + 1);
    }
}

static void connection_free(struct connection *c)
{
    if (!c)
        return;
    if (c->curl)
        curl_easy_cleanup(c->curl);
    free(c);
}

static void curl_start(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void handle_make(struct transport *t, struct connection *c)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    transport_fork_lock(t);
    (void)pthread_once(&once, curl_start);
    c->curl = curl_easy_init();
    if (c->curl)
        handle_warm_up(c);
    transport_fork_unlock(t);
}

static struct connection *connection_new(struct transport *t)
{
    struct connection *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    atomic_init(&c->busy, true);
    handle_make(t, c);
    if (!c->curl || !handle_set_up(t, c)) {
        connection_free(c);
        return NULL;
    }
    return c;
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

    struct connection *made = connection_new(t);
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
           header_add(list, "If-None-Match", r->if_none_match) && header_add(list, "Expect", "");
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
    SET(CURLOPT_FRESH_CONNECT, r->once ? 1L : 0L);
    SET(CURLOPT_TIMEOUT_MS, (long)left_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)left_ms);
    SET(CURLOPT_WRITEDATA, receiving);
    SET(CURLOPT_HEADERDATA, receiving);
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
}

static enum code code_of_curl(CURLcode result)
{
    switch (result) {
    case CURLE_OPERATION_TIMEDOUT:
        return CODE_TIMEOUT;
    case CURLE_OUT_OF_MEMORY:
        return CODE_NO_MEMORY;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
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

static status failure_of(const struct transport *t, const struct connection *c, CURLcode result,
                         const struct receiving *r, struct error *err)
{
    if (r->too_large)
        return error_set(err, CODE_INTERNAL, "%s: the answer is larger than %zu bytes", t->url, r->answer_max);
    if (r->answer->body.failed)
        return error_set(err, CODE_NO_MEMORY, "out of memory");

    const char *reason =
        *c->reason && text_is_printable(c->reason, sizeof(c->reason)) ? c->reason : curl_easy_strerror(result);
    return error_set(err, code_of_curl(result), "%s: %s", t->url, reason);
}

/* libcurl's resolver is a thread, so where none may be started the name is looked up here and handed over. */
static status lookup_set(struct transport *t, struct connection *c, struct curl_slist **known, struct error *err)
{
    cleanup_buf struct buf line = {0};
    if (!t->no_threads)
        return OK;
    TRY(resolve_url(t->url, &line, err));
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
    TRY(libctx_enter(&scope, err)); /* first: it reads OpenSSL's configuration while no lock is held */

    CLEANUP(connection_release) struct connection *c = connection_acquire(t);
    if (!c)
        return error_set(err, CODE_NO_MEMORY, "libcurl gives no handle");

    status sent = exchange(t, c, r, d, answer, err);
    if (!is_ok(sent))
        buf_clear(&answer->body);
    return sent;
}

status transport_new(const char *url, const char *ca_path, struct transport **out, struct error *err)
{
    struct transport *t = calloc(1, sizeof(*t));
    char *copy = strdup(url);
    if (!t || !copy) {
        free(t);
        free(copy);
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    }
    t->url = copy;
    (void)pthread_mutex_init(&t->making, NULL);

    status read = ca_path ? file_read(ca_path, CA_FILE_MAX, FILE_NOT_WRITABLE_BY_OTHERS, &t->ca, err) : OK;
    if (is_ok(read) && ca_path && !memmem(t->ca.data, t->ca.len, "-----BEGIN ", 11))
        read = error_set(err, CODE_CONFIGURATION, "%s: no PEM certificate stands in it", ca_path);
    if (!is_ok(read)) {
        transport_free(t);
        return read;
    }
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
    }
    buf_clear(&t->ca);
    (void)pthread_mutex_destroy(&t->making);
    free(t->url);
    free(t);
}

void transport_abandon_after_fork(struct transport *t)
{
    for (struct connection *c = atomic_load(&t->connections); c; c = c->next) {
        for (size_t i = 0; i < SOCKETS_MAX; i++) {
            int fd = atomic_exchange(&c->sockets[i], 0) - 1;
            if (fd >= 0)
                (void)close(fd);
        }
    }
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

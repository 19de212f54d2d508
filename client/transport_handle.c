/* SPDX-License-Identifier: Apache-2.0 */
/* What does not change from call to call: sockets, callbacks, TLS, proxy. */
#include "client/transport_handle.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>

#include "chancery/version.h"
#include "client/answer.h"
#include "client/wakeup.h"

enum { HEADERS_MAX = 64 * 1024, HEADER_LINE_MAX = 1024 };

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

/* From here on bytes of the request may reach the server. */
static int on_request(void *user, char *to, char *from, int to_port, int from_port)
{
    (void)to, (void)from, (void)to_port, (void)from_port;
    struct receiving *r = user;
    if (r)
        r->answer->sent = true;
    return CURL_PREREQFUNC_OK;
}

/* ---- what handles share */

static void sessions_lock(CURL *curl, curl_lock_data data, curl_lock_access access, void *user)
{
    (void)curl, (void)data, (void)access;
    (void)pthread_mutex_lock(&((struct handle_maker *)user)->sessions);
}

static void sessions_unlock(CURL *curl, curl_lock_data data, void *user)
{
    (void)curl, (void)data;
    (void)pthread_mutex_unlock(&((struct handle_maker *)user)->sessions);
}

/* NULL when there is no memory: then nothing is resumed. */
static CURLSH *share_make(struct handle_maker *m)
{
    CURLSH *share = curl_share_init();
    if (!share)
        return NULL;
    CURLSHcode bad = curl_share_setopt(share, CURLSHOPT_LOCKFUNC, sessions_lock);
    bad |= curl_share_setopt(share, CURLSHOPT_UNLOCKFUNC, sessions_unlock);
    bad |= curl_share_setopt(share, CURLSHOPT_USERDATA, m);
    bad |= curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    if (bad == CURLSHE_OK)
        return share;
    (void)curl_share_cleanup(share);
    return NULL;
}

void handle_maker_init(struct handle_maker *m)
{
    (void)pthread_mutex_init(&m->making, NULL);
    (void)pthread_mutex_init(&m->sessions, NULL);
}

void handle_maker_clear(struct handle_maker *m)
{
    if (m->share)
        (void)curl_share_cleanup(m->share);
    m->share = NULL;
    (void)pthread_mutex_destroy(&m->sessions);
    (void)pthread_mutex_destroy(&m->making);
}

void handle_maker_lock(struct handle_maker *m)
{
    (void)pthread_mutex_lock(&m->making);
    (void)pthread_mutex_lock(&m->sessions);
}

void handle_maker_unlock(struct handle_maker *m)
{
    (void)pthread_mutex_unlock(&m->sessions);
    (void)pthread_mutex_unlock(&m->making);
}

void handle_maker_abandon(struct handle_maker *m)
{
    m->share = NULL;
}

/* ---- options */

#define SET(option, value) bad |= curl_easy_setopt(h, option, value)

static CURLcode callbacks_set(CURL *h, struct connection *c)
{
    CURLcode bad = CURLE_OK;
    SET(CURLOPT_ERRORBUFFER, c->reason);
    SET(CURLOPT_OPENSOCKETFUNCTION, socket_open);
    SET(CURLOPT_OPENSOCKETDATA, c);
    SET(CURLOPT_CLOSESOCKETFUNCTION, socket_close);
    SET(CURLOPT_CLOSESOCKETDATA, c);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_PREREQFUNCTION, on_request);
    return bad;
}

static CURLcode blob_set(CURL *h, CURLoption option, const struct buf *pem)
{
    struct curl_blob blob = {pem->data, pem->len, CURL_BLOB_NOCOPY};
    return curl_easy_setopt(h, option, &blob);
}

static CURLcode tls_set(CURL *h, const struct transport_settings *t)
{
    CURLcode bad = CURLE_OK;
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSL_CTX_FUNCTION, on_tls_context);
    if (t->pin)
        SET(CURLOPT_PINNEDPUBLICKEY, t->pin);
    if (t->ca.len > 0) {
        bad |= blob_set(h, CURLOPT_CAINFO_BLOB, &t->ca);
        SET(CURLOPT_CAPATH, NULL); /* else the system's roots would be trusted beside it */
    }
    if (t->key.len > 0) {
        bad |= blob_set(h, CURLOPT_SSLCERT_BLOB, &t->certificate);
        bad |= blob_set(h, CURLOPT_SSLKEY_BLOB, &t->key);
        SET(CURLOPT_SSLCERTTYPE, "PEM");
        SET(CURLOPT_SSLKEYTYPE, "PEM");
    }
    return bad;
}

/* "" and not NULL: else libcurl asks the environment. */
static CURLcode proxy_set(CURL *h, const struct transport_settings *t)
{
    CURLcode bad = CURLE_OK;
    SET(CURLOPT_PROXY, t->proxy ? t->proxy : "");
    SET(CURLOPT_NOPROXY, "");
    if (!t->proxy)
        return bad;
    SET(CURLOPT_PROXYTYPE, (long)CURLPROXY_HTTP);
    SET(CURLOPT_HTTPPROXYTUNNEL, 1L);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE); /* the server's Authorization is not for the proxy (I8) */
    if (t->proxy_user.len > 0) {
        SET(CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC);
        SET(CURLOPT_PROXYUSERNAME, buf_text(&t->proxy_user));
        SET(CURLOPT_PROXYPASSWORD, buf_text(&t->proxy_password));
    }
    return bad;
}

/* QUICK_EXIT: at the deadline a resolver thread that still waits for a name server is left to end by itself; else
 * libcurl would wait for it. */
static bool handle_set_up(struct connection *c, const struct transport_settings *t)
{
    CURL *h = c->curl;
    CURLcode bad = callbacks_set(h, c);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "https");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_TCP_NODELAY, 1L);
    SET(CURLOPT_MAXCONNECTS, 1L);
    SET(CURLOPT_USERAGENT, "chancery/" CHANCERY_VERSION);
    bad |= tls_set(h, t);
    bad |= proxy_set(h, t);
    return bad == CURLE_OK;
}
#undef SET

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

static void curl_start(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void handle_make(struct handle_maker *m, struct connection *c)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_mutex_lock(&m->making);
    (void)pthread_once(&once, curl_start);
    if (!m->share)
        m->share = share_make(m);
    c->curl = curl_easy_init();
    if (c->curl && m->share) /* before the first transfer, which else makes sessions of its own that are then lost */
        (void)curl_easy_setopt(c->curl, CURLOPT_SHARE, m->share);
    if (c->curl)
        handle_warm_up(c);
    (void)pthread_mutex_unlock(&m->making);
}

void connection_free(struct connection *c)
{
    if (!c)
        return;
    if (c->curl)
        curl_easy_cleanup(c->curl);
    free(c);
}

struct connection *connection_new(const struct transport_settings *settings, struct handle_maker *maker)
{
    struct connection *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    atomic_init(&c->busy, true);
    handle_make(maker, c);
    if (!c->curl || !handle_set_up(c, settings)) {
        connection_free(c);
        return NULL;
    }
    return c;
}

void connection_abandon(struct connection *c)
{
    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        int fd = atomic_exchange(&c->sockets[i], 0) - 1;
        if (fd >= 0)
            (void)close(fd);
    }
}

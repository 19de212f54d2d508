/* SPDX-License-Identifier: Apache-2.0 */
/* One thread accepts, one serves each connection; stop() shuts every socket down, which ends them all. */
#include "fake_server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { CONNECTIONS_MAX = 512, HEAD_MAX = 16 * 1024 };

struct fake_connection {
    struct fake_server *server;
    int number;
    int fd;
    pthread_t thread;
};

struct fake_server {
    struct fake_options options;
    SSL_CTX *tls;
    struct buf ca;
    char url[64];
    int fd;
    pthread_t thread;
    atomic_bool stopping;
    atomic_bool stalls_handshakes;
    atomic_int handshakes, resumed;
    char pin[64];
    pthread_mutex_t lock; /* of what follows */
    struct fake_connection connections[CONNECTIONS_MAX];
    int connection_count;
    struct fake_request requests[FAKE_REQUESTS_MAX];
    int request_count;
};

void must_hold(bool holds, const char *what, const char *file, int line)
{
    if (holds)
        return;
    fprintf(stderr, "%s:%d: %s does not hold\n", file, line, what);
    abort();
}

static X509 *certificate_make(EVP_PKEY *key)
{
    X509 *x = X509_new();
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_NAME *name = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"fake server", -1, -1, 0);
    X509_set_issuer_name(x, name);
    X509_set_pubkey(x, key);
    static const struct {
        int nid;
        const char *value;
    } extensions[] = {{NID_basic_constraints, "critical,CA:TRUE"},
                      {NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost"},
                      {NID_key_usage, "critical,digitalSignature,keyCertSign"}};
    for (size_t i = 0; i < COUNT_OF(extensions); i++) {
        X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, extensions[i].nid, extensions[i].value);
        X509_add_ext(x, e, -1);
        X509_EXTENSION_free(e);
    }
    X509_sign(x, key, EVP_sha256());
    return x;
}

static int any_certificate(int good, X509_STORE_CTX *ctx)
{
    (void)good, (void)ctx;
    return 1;
}

static void pin_make(EVP_PKEY *key, char out[64])
{
    uint8_t *der = NULL, digest[32];
    int len = i2d_PUBKEY(key, &der);
    EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL);
    OPENSSL_free(der);
    (void)snprintf(out, 64, "sha256//");
    EVP_EncodeBlock((unsigned char *)out + 8, digest, sizeof(digest));
}

static void tls_make(struct fake_server *s)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = certificate_make(key);
    s->tls = SSL_CTX_new(TLS_server_method());
    must(s->tls && SSL_CTX_use_certificate(s->tls, certificate) == 1 && SSL_CTX_use_PrivateKey(s->tls, key) == 1);
    if (s->options.tls12)
        SSL_CTX_set_max_proto_version(s->tls, TLS1_2_VERSION);

    if (s->options.asks_certificate)
        SSL_CTX_set_verify(s->tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, any_certificate);
    SSL_CTX_set_session_id_context(s->tls, (const unsigned char *)"fake", 4);
    pin_make(key, s->pin);

    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate);
    char *pem = NULL;
    long len = BIO_get_mem_data(bio, &pem);
    buf_add(&s->ca, pem, (size_t)len);
    BIO_free(bio);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static void header_copy(const char *head, const char *name, char *out, size_t size)
{
    out[0] = '\0';
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        size_t len = strlen(name);
        if (strncasecmp(line, name, len) != 0 || line[len] != ':')
            continue;
        const char *value = line + len + 1 + strspn(line + len + 1, " ");
        (void)snprintf(out, size, "%.*s", (int)strcspn(value, "\r"), value);
        return;
    }
}

/* A whole request, or false at the end of the connection. */
static bool request_read(SSL *ssl, struct fake_request *r)
{
    char head[HEAD_MAX] = "";
    size_t len = 0;
    while (len < sizeof(head) - 1 && !(len >= 4 && memcmp(head + len - 4, "\r\n\r\n", 4) == 0)) {
        if (SSL_read(ssl, head + len, 1) != 1)
            return false;
        len++;
    }
    head[len] = '\0';
    if (sscanf(head, "%15s %1023s", r->method, r->path) != 2)
        return false;
    header_copy(head, "Authorization", r->authorization, sizeof(r->authorization));
    header_copy(head, "Idempotency-Key", r->idempotency_key, sizeof(r->idempotency_key));
    header_copy(head, "If-None-Match", r->if_none_match, sizeof(r->if_none_match));

    char length[24];
    header_copy(head, "Content-Length", length, sizeof(length));
    for (long left = strtol(length, NULL, 10); left > 0;) {
        char piece[4096];
        int n = SSL_read(ssl, piece, left < (long)sizeof(piece) ? (int)left : (int)sizeof(piece));
        if (n <= 0)
            return false;
        buf_add(&r->body, piece, (size_t)n);
        left -= n;
    }
    return true;
}

/* half: the connection breaks in the middle. pause_ms: between single bytes. */
static bool answer_write(SSL *ssl, const struct fake_answer *a, bool half, unsigned pause_ms, atomic_bool *stopping)
{
    struct buf text = {0};
    bool has_body = a->status != 204 && a->status != 304;
    buf_printf(&text, "HTTP/1.1 %d Fake\r\n%s", a->status, a->headers ? a->headers : "");
    if (has_body)
        buf_printf(&text, "Content-Type: %s\r\nContent-Length: %zu\r\n",
                   a->content_type ? a->content_type : "application/json", a->body.len);
    buf_add_text(&text, "\r\n");
    if (has_body)
        buf_add(&text, a->body.data, a->body.len);
    size_t len = half ? text.len - a->body.len / 2 : text.len;
    size_t step = pause_ms ? 1 : len;
    bool written = true;
    for (size_t at = 0; written && at < len && !atomic_load(stopping); at += step) {
        written = SSL_write(ssl, text.data + at, (int)step) == (int)step;
        usleep(pause_ms * 1000);
    }
    buf_clear(&text);
    return written && !half;
}

static void endless_write(struct fake_server *s, SSL *ssl)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
    char piece[16 * 1024];
    memset(piece, ' ', sizeof(piece));
    int n = SSL_write(ssl, head, sizeof(head) - 1);
    while (n > 0 && !atomic_load(&s->stopping))
        n = SSL_write(ssl, piece, sizeof(piece));
}

static void stall(struct fake_server *s)
{
    while (!atomic_load(&s->stopping))
        usleep(2000);
}

static void huge_promise(struct fake_server *s, SSL *ssl)
{
    static const char head[] =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4294967296\r\n\r\n";
    (void)SSL_write(ssl, head, sizeof(head) - 1);
    stall(s);
}

static void client_name_read(SSL *ssl, char *out, size_t size)
{
    X509 *certificate = SSL_get1_peer_certificate(ssl);
    if (certificate)
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, out, (int)size);
    X509_free(certificate);
}

/* False: the connection ends. */
static bool serve_one(struct fake_server *s, SSL *ssl, int connection)
{
    struct fake_request r = {.connection = connection};
    client_name_read(ssl, r.client_name, sizeof(r.client_name));
    if (!request_read(ssl, &r)) {
        buf_clear(&r.body);
        return false;
    }
    pthread_mutex_lock(&s->lock);
    must(s->request_count < FAKE_REQUESTS_MAX);
    s->requests[s->request_count++] = r; /* takes the body */
    pthread_mutex_unlock(&s->lock);

    struct fake_answer a = {.status = 200};
    s->options.handler(s, &r, &a, s->options.user);
    bool goes_on = false;
    if (a.action == FAKE_ANSWER || a.action == FAKE_HALF || a.action == FAKE_TRICKLE)
        goes_on = answer_write(ssl, &a, a.action == FAKE_HALF, a.action == FAKE_TRICKLE ? 50 : 0, &s->stopping);
    else if (a.action == FAKE_STALL)
        stall(s);
    else if (a.action == FAKE_HUGE)
        huge_promise(s, ssl);
    else if (a.action == FAKE_ENDLESS)
        endless_write(s, ssl);
    buf_clear(&a.body);
    return goes_on;
}

static void *connection_run(void *user)
{
    struct fake_connection *c = user;
    sigset_t own; /* of this thread alone: a SIGPIPE of the client must end the test */
    sigemptyset(&own);
    sigaddset(&own, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &own, NULL);
    if (atomic_load(&c->server->stalls_handshakes)) {
        stall(c->server);
        return NULL;
    }
    SSL *ssl = SSL_new(c->server->tls);
    SSL_set_fd(ssl, c->fd);
    bool accepted = SSL_accept(ssl) == 1;
    if (accepted) {
        atomic_fetch_add(&c->server->resumed, SSL_session_reused(ssl));
        atomic_fetch_add(&c->server->handshakes, 1);
    }
    if (accepted)
        while (!atomic_load(&c->server->stopping) && serve_one(c->server, ssl, c->number))
            ;
    SSL_free(ssl);
    shutdown(c->fd, SHUT_RDWR); /* closed by stop(), so that its number is not used again */
    return NULL;
}

static void *accept_run(void *user)
{
    struct fake_server *s = user;
    for (;;) {
        int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0 || atomic_load(&s->stopping)) {
            if (fd >= 0)
                close(fd);
            return NULL;
        }
        int on = 1; /* else an answer behind the session tickets waits for a delayed ACK */
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        pthread_mutex_lock(&s->lock);
        must(s->connection_count < CONNECTIONS_MAX);
        struct fake_connection *c = &s->connections[s->connection_count++];
        *c = (struct fake_connection){.server = s, .number = s->connection_count, .fd = fd};
        int failed = pthread_create(&c->thread, NULL, connection_run, c);
        must(failed == 0);
        pthread_mutex_unlock(&s->lock);
    }
}

struct fake_server *fake_server_start(const struct fake_options *options)
{
    struct fake_server *s = calloc(1, sizeof(*s));
    must(s);
    s->options = *options;
    pthread_mutex_init(&s->lock, NULL);
    tls_make(s);

    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int bad = bind(s->fd, (struct sockaddr *)&address, sizeof(address));
    bad |= listen(s->fd, 64) | getsockname(s->fd, (struct sockaddr *)&address, &len);
    bad |= pthread_create(&s->thread, NULL, accept_run, s);
    must(bad == 0);
    (void)snprintf(s->url, sizeof(s->url), "https://127.0.0.1:%d", ntohs(address.sin_port));
    return s;
}

void fake_server_hang_up(struct fake_server *s)
{
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < s->connection_count; i++)
        shutdown(s->connections[i].fd, SHUT_RDWR);
    pthread_mutex_unlock(&s->lock);
}

void fake_server_stop(struct fake_server *s)
{
    if (!s)
        return;
    atomic_store(&s->stopping, true);
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
    fake_server_hang_up(s);
    for (int i = 0; i < s->connection_count; i++) {
        pthread_join(s->connections[i].thread, NULL);
        close(s->connections[i].fd);
    }
    for (int i = 0; i < s->request_count; i++)
        buf_clear(&s->requests[i].body);
    SSL_CTX_free(s->tls);
    buf_clear(&s->ca);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

const char *fake_server_url(const struct fake_server *s)
{
    return s->url;
}

const char *fake_server_ca(const struct fake_server *s)
{
    return buf_text(&s->ca);
}

int fake_server_connections(struct fake_server *s)
{
    pthread_mutex_lock(&s->lock);
    int count = s->connection_count;
    pthread_mutex_unlock(&s->lock);
    return count;
}

int fake_server_handshakes(struct fake_server *s)
{
    return atomic_load(&s->handshakes);
}

int fake_server_resumed(struct fake_server *s)
{
    return atomic_load(&s->resumed);
}

void fake_server_pin(const struct fake_server *s, char out[64])
{
    memcpy(out, s->pin, sizeof(s->pin));
}

void fake_server_stall_handshakes(struct fake_server *s, bool stalls)
{
    atomic_store(&s->stalls_handshakes, stalls);
}

int fake_server_count(struct fake_server *s, const char *method, const char *path_part)
{
    int count = 0;
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < s->request_count; i++)
        count += strcmp(s->requests[i].method, method) == 0 && strstr(s->requests[i].path, path_part) != NULL;
    pthread_mutex_unlock(&s->lock);
    return count;
}

const struct fake_request *fake_server_request(struct fake_server *s, const char *path_part, int n)
{
    const struct fake_request *found = NULL;
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < s->request_count && !found; i++)
        if (strstr(s->requests[i].path, path_part) && n-- == 0)
            found = &s->requests[i];
    pthread_mutex_unlock(&s->lock);
    return found;
}

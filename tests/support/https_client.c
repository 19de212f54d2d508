/* SPDX-License-Identifier: Apache-2.0 */
/* Test client on a non-blocking socket with poll: nothing waits without an end. */
#include "tests/support/https_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"

static void bio_to_buf(BIO *bio, struct buf *out)
{
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);
    buf_add(out, text, (size_t)len);
    BIO_free(bio);
}

void certificate_make(const char *cn, struct buf *certificate_pem, struct buf *key_pem)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *crt = X509_new();
    X509_set_version(crt, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(crt), 1);
    X509_gmtime_adj(X509_getm_notBefore(crt), -60);
    X509_gmtime_adj(X509_getm_notAfter(crt), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(crt), "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0);
    X509_set_issuer_name(crt, X509_get_subject_name(crt));
    X509_set_pubkey(crt, key);
    X509_sign(crt, key, EVP_sha256());
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, crt);
    bio_to_buf(bio, certificate_pem);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    bio_to_buf(bio, key_pem);
    X509_free(crt);
    EVP_PKEY_free(key);
}

static bool wait_for(int fd, short events, struct deadline d)
{
    struct pollfd p = {.fd = fd, .events = events};
    int left = (int)deadline_left_ms(d);
    return left > 0 && poll(&p, 1, left) > 0;
}

/* After a result <= 0 of an SSL call: false when it cannot go on. */
static bool client_wait(struct client *c, int result, short events, struct deadline d)
{
    if (!c->ssl)
        return result < 0 && errno == EAGAIN && wait_for(c->fd, events, d);
    switch (SSL_get_error(c->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return wait_for(c->fd, POLLIN, d);
    case SSL_ERROR_WANT_WRITE:
        return wait_for(c->fd, POLLOUT, d);
    default:
        return false;
    }
}

static bool client_handshake(struct client *c, int tls_version, SSL_SESSION *session)
{
    struct deadline d = deadline_in(CLIENT_WAIT_MS);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(ctx, tls_version);
    SSL_CTX_set_max_proto_version(ctx, tls_version);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE);
    c->ssl = SSL_new(ctx);
    SSL_CTX_free(ctx);
    SSL_set_fd(c->ssl, c->fd);
    if (session)
        (void)SSL_set_session(c->ssl, session);
    int rc = SSL_connect(c->ssl);
    while (rc != 1 && client_wait(c, rc, POLLOUT, d))
        rc = SSL_connect(c->ssl);
    return rc == 1;
}

bool client_open(struct client *c, int port, int tls_version)
{
    return client_open_again(c, port, tls_version, NULL);
}

bool client_open_plain(struct client *c, int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1;
    *c = (struct client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(c->fd, (struct sockaddr *)&a, sizeof a) != 0)
        return false;
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)fcntl(c->fd, F_SETFL, O_NONBLOCK);
    return true;
}

bool client_open_again(struct client *c, int port, int tls_version, SSL_SESSION *session)
{
    return client_open_plain(c, port) && client_handshake(c, tls_version, session);
}

void client_close(struct client *c)
{
    SSL_free(c->ssl);
    if (c->fd >= 0)
        (void)close(c->fd);
    buf_clear(&c->in);
    *c = (struct client){.fd = -1};
}

bool client_send(struct client *c, const char *text, size_t len)
{
    struct deadline d = deadline_in(CLIENT_WAIT_MS);
    while (len > 0) {
        size_t part = len > 16384 ? 16384 : len;
        int n = c->ssl ? SSL_write(c->ssl, text, (int)part) : (int)send(c->fd, text, part, MSG_NOSIGNAL);
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        } else if (!client_wait(c, n, POLLOUT, d)) {
            return false;
        }
    }
    return true;
}

bool client_send_text(struct client *c, const char *text)
{
    return client_send(c, text, strlen(text));
}

/* More bytes into c->in; false at the end of the connection or of the time. */
static bool client_fill(struct client *c, struct deadline d)
{
    char block[16384];
    for (;;) {
        int n = c->ssl ? SSL_read(c->ssl, block, sizeof block) : (int)recv(c->fd, block, sizeof block, 0);
        if (n > 0) {
            buf_add(&c->in, block, (size_t)n);
            return true;
        }
        if (!client_wait(c, n, POLLIN, d))
            return false;
    }
}

bool client_sees_end(struct client *c, int wait_ms)
{
    struct deadline d = deadline_in(wait_ms);
    while (client_fill(c, d))
        ;
    return !deadline_passed(d);
}

const char *answer_header(const struct answer *a, const char *name)
{
    static char value[512];
    size_t len = strlen(name);
    for (const char *line = strstr(a->head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, len) != 0 || line[2 + len] != ':')
            continue;
        const char *from = line + 3 + len + strspn(line + 3 + len, " ");
        snprintf(value, sizeof value, "%.*s", (int)strcspn(from, "\r"), from);
        return value;
    }
    return NULL;
}

static bool answer_head_take(struct client *c, struct answer *out, struct deadline d)
{
    const char *end = NULL;
    while (!(end = strstr(buf_text(&c->in), "\r\n\r\n")))
        if (!client_fill(c, d))
            return false;
    size_t len = (size_t)(end - buf_text(&c->in)) + 4;
    snprintf(out->head, sizeof out->head, "%.*s", (int)len, buf_text(&c->in));
    memmove(c->in.data, c->in.data + len, c->in.len - len + 1);
    c->in.len -= len;
    return sscanf(out->head, "HTTP/1.1 %d", &out->status) == 1;
}

bool client_read(struct client *c, struct answer *out)
{
    struct deadline d = deadline_in(CLIENT_WAIT_MS);
    *out = (struct answer){0};
    if (!answer_head_take(c, out, d))
        return false;
    const char *text = answer_header(out, "Content-Length");
    size_t len = text ? strtoul(text, NULL, 10) : 0;
    while (c->in.len < len)
        if (!client_fill(c, d))
            return false;
    buf_add(&out->body, c->in.data, len);
    if (len > 0)
        memmove(c->in.data, c->in.data + len, c->in.len - len + 1);
    c->in.len -= len;
    return true;
}

void answer_clear(struct answer *a)
{
    buf_clear(&a->body);
}

void client_peer_name(struct client *c, char out[64])
{
    X509 *crt = SSL_get1_peer_certificate(c->ssl);
    out[0] = '\0';
    if (crt)
        X509_NAME_get_text_by_NID(X509_get_subject_name(crt), NID_commonName, out, 64);
    X509_free(crt);
}

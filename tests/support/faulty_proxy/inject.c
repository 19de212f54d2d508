/* SPDX-License-Identifier: Apache-2.0 */
#include "inject.h"

#include <openssl/evp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/encoding.h"
#include "http.h"

enum { TRICKLE_MS = 200, LOOK_MS = 20, BIG_BYTES = 1 << 30 };

struct exchange {
    SSL *client;
    int fd;
    struct message request, answer;
    struct buf payload;
};

static void exchange_clear(struct exchange *x)
{
    message_clear(&x->request);
    message_clear(&x->answer);
    buf_clear(&x->payload);
}

/* False when the client is gone or the fault was changed. */
static bool wait_a_moment(int fd, unsigned generation, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};
    return poll(&p, 1, ms) == 0 && fault_generation() == generation;
}

void stall(int fd)
{
    unsigned generation = fault_generation();
    while (wait_a_moment(fd, generation, LOOK_MS))
        ;
}

void reset_prepare(int fd)
{
    const struct linger hard = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

static void trickle(struct exchange *x)
{
    unsigned generation = fault_generation();
    cleanup_buf struct buf whole = {0};
    buf_add(&whole, x->answer.head.data, x->answer.head.len);
    buf_add(&whole, x->answer.body.data, x->answer.body.len);
    for (size_t i = 0; i < whole.len && tls_write(x->client, whole.data + i, 1); i++)
        if (!wait_a_moment(x->fd, generation, TRICKLE_MS))
            return;
}

static void half_write(struct exchange *x)
{
    (void)tls_write(x->client, x->answer.head.data, x->answer.head.len);
    (void)tls_write(x->client, x->answer.body.data, x->answer.body.len / 2);
}

/* The same piece until the client has enough. */
static void endless(struct exchange *x, const char *head, const char *piece, size_t len, size_t most)
{
    bool taken = tls_write(x->client, head, strlen(head));
    for (size_t sent = 0; taken && sent < most; sent += len)
        taken = tls_write(x->client, piece, len);
}

static void big(struct exchange *x, bool chunked)
{
    static const char length[] =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n";
    static const char chunks[] =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    char piece[4096 + 8];
    memset(piece, ' ', sizeof piece);
    if (!chunked) {
        endless(x, length, piece, 4096, BIG_BYTES);
        return;
    }
    memcpy(piece, "1000\r\n", 6);
    memcpy(piece + 6 + 4096, "\r\n", 2);
    endless(x, chunks, piece, sizeof piece, SIZE_MAX / 2);
}

static void body_replace(struct exchange *x, const char *from, size_t from_len, struct slice to)
{
    cleanup_buf struct buf made = {0};
    size_t before = (size_t)(from - buf_text(&x->answer.body));
    buf_add(&made, x->answer.body.data, before);
    buf_add(&made, to.data, to.len);
    buf_add_text(&made, from + from_len);
    buf_clear(&x->answer.body);
    x->answer.body = made;
    made = (struct buf){0};
    length_set(&x->answer, 0);
}

/* A test whose edit finds nothing to edit must not pass: the proxy ends, and with it the tests. */
static void edit(struct exchange *x)
{
    char *from = (char *)buf_text(&x->payload);
    char *to = strchr(from, '\n');
    if (!to)
        abort();
    *to++ = '\0';
    const char *found = strstr(buf_text(&x->answer.body), from);
    if (!found)
        abort();
    body_replace(x, found, strlen(from), slice_of_text(to));
}

/* The value of a member that is a string. */
static const char *text_find(const struct buf *body, const char *member, size_t *len)
{
    const char *at = strstr(buf_text(body), member);
    if (!at)
        abort();
    at += strlen(member);
    *len = strcspn(at, "\"");
    return at;
}

static void signature_put(struct exchange *x, struct slice signature)
{
    cleanup_buf struct buf text = {0};
    size_t len = 0;
    const char *at = text_find(&x->answer.body, "\"signature\":\"", &len);
    base64_encode(signature, &text);
    body_replace(x, at, len, buf_slice(&text));
}

static void spoil(struct exchange *x)
{
    cleanup_buf struct buf signature = {0};
    size_t len = 0;
    const char *at = text_find(&x->answer.body, "\"signature\":\"", &len);
    if (!is_ok(base64_decode(at, len, &signature, NULL)))
        abort();
    signature.data[signature.len / 2] ^= 1;
    signature_put(x, buf_slice(&signature));
}

static EVP_PKEY *other_key;

static void other_key_make(void)
{
    other_key = EVP_RSA_gen(2048);
}

/* PKCS #1 v1.5, SHA-256: what the tests ask for. */
static void other_key_sign(struct exchange *x)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, other_key_make);
    cleanup_buf struct buf digest = {0};
    size_t len = 0;
    const char *at = text_find(&x->request.body, "\"digest\":\"", &len);
    ignore(base64_decode(at, len, &digest, NULL));
    uint8_t signature[256];
    size_t signature_len = sizeof signature;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(other_key, NULL);
    bool made = ctx && EVP_PKEY_sign_init(ctx) == 1 && EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
                EVP_PKEY_sign(ctx, signature, &signature_len, digest.data, digest.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    if (!made)
        abort();
    signature_put(x, (struct slice){signature, signature_len});
}

static void body_put(struct exchange *x)
{
    buf_clear(&x->answer.body);
    x->answer.body = x->payload;
    x->payload = (struct buf){0};
    length_set(&x->answer, 0);
}

/* The request does not go on to the server. True: the connection may be used again. */
static bool strike_request(struct exchange *x, enum fault_kind kind)
{
    static const char line[] = "X-Filler: and so on, and so on, and so on, and so on, and so on\r\n";
    switch (kind) {
    case FAULT_STALL:
        stall(x->fd);
        return false;
    case FAULT_RAW:
    case FAULT_RAW_KEEP:
        return tls_write(x->client, x->payload.data, x->payload.len) && kind == FAULT_RAW_KEEP;
    case FAULT_HEADERS:
        endless(x, "HTTP/1.1 200 OK\r\n", line, sizeof line - 1, SIZE_MAX / 2);
        return false;
    case FAULT_CHUNKS:
    case FAULT_BIG:
        big(x, kind == FAULT_CHUNKS);
        return false;
    default:
        return false;
    }
}

/* The answer is there and is not given as it is. True: what is now in x->answer is to be given. */
static bool strike_answer(struct exchange *x, enum fault_kind kind)
{
    switch (kind) {
    case FAULT_LOST:
        return false;
    case FAULT_STALL_HEAD:
        (void)tls_write(x->client, x->answer.head.data, x->answer.head.len);
        stall(x->fd);
        return false;
    case FAULT_RESET:
        half_write(x);
        reset_prepare(x->fd);
        return false;
    case FAULT_CUT:
        half_write(x);
        return false;
    case FAULT_TRICKLE:
        trickle(x);
        return false;
    default:
        return true;
    }
}

static void alter(struct exchange *x, enum fault_kind kind)
{
    if (kind == FAULT_LONGER || kind == FAULT_SHORTER)
        length_set(&x->answer, kind == FAULT_LONGER ? 10 : -10);
    else if (kind == FAULT_BODY)
        body_put(x);
    else if (kind == FAULT_EDIT)
        edit(x);
    else if (kind == FAULT_SPOIL)
        spoil(x);
    else if (kind == FAULT_OTHER_KEY)
        other_key_sign(x);
    else if (kind == FAULT_SURPLUS)
        buf_add(&x->answer.body, x->payload.data, x->payload.len);
}

bool exchange_run(SSL *client, int fd)
{
    CLEANUP(exchange_clear) struct exchange x = {.client = client, .fd = fd};
    if (!head_read(client, &x.request))
        return false;
    enum fault_kind kind = fault_for_request(path_of(&x.request));
    fault_payload(&x.payload);
    if (fault_stage(kind) == AT_HEAD) {
        reset_prepare(fd);
        return false;
    }
    if (!body_read(client, &x.request))
        return false;
    if (fault_stage(kind) == AT_REQUEST)
        return strike_request(&x, kind);
    if (!upstream_ask(&x.request, &x.answer))
        return false;
    if (!strike_answer(&x, kind))
        return false;
    alter(&x, kind);
    return message_write(client, &x.answer) && kind != FAULT_LONGER;
}

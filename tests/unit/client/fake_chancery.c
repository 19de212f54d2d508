/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_chancery.h"

#include <fcntl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/encoding.h"
#include "common/file.h"
#include "common/json.h"

static bool take(atomic_int *counter)
{
    int left = atomic_load(counter);
    while (left > 0)
        if (atomic_compare_exchange_weak(counter, &left, left - 1))
            return true;
    return false;
}

static void problem(struct fake_answer *a, int http, const char *code, const char *detail)
{
    a->status = http;
    a->content_type = "application/problem+json; charset=utf-8";
    buf_reset(&a->body);
    buf_printf(&a->body,
               "{\"type\":\"about:blank\",\"title\":\"no\",\"status\":%d,\"code\":\"%s\",\"detail\":\"%s\","
               "\"request_id\":\"req_1\"}",
               http, code, detail);
}

static void token_answer(struct chancery *c, struct fake_answer *a)
{
    if (take(&c->drop_tokens)) {
        a->action = FAKE_DROP;
        return;
    }
    if (take(&c->refuse_tokens)) {
        problem(a, 401, "not_authenticated", "the assertion is refused");
        return;
    }
    buf_printf(&a->body, "{\"access_token\":\"token-%d\",\"token_type\":\"Bearer\",\"expires_in\":600",
               atomic_fetch_add(&c->tokens, 1) + 1);
    if (c->token_etag)
        buf_printf(&a->body, ",\"signing_keys_etag\":\"\\\"%s\\\"\"", c->token_etag);
    buf_add_byte(&a->body, '}');
}

static void keys_answer(struct chancery *c, const struct fake_request *r, struct fake_answer *a)
{
    a->action = c->keys_action;
    a->headers = "ETag: \"e1\"\r\n";
    if (strcmp(r->if_none_match, "\"e1\"") == 0) {
        a->status = 304;
        return;
    }
    if (c->keys_answer) {
        buf_add_text(&a->body, c->keys_answer);
        return;
    }
    uint8_t *der = NULL;
    int len = i2d_PUBKEY(c->key, &der);
    struct json_writer w = json_writer_on(&a->body);
    json_begin_object(&w, NULL);
    json_begin_array(&w, "keys");
    json_begin_object(&w, NULL);
    json_add_text(&w, "id", "key_1");
    json_add_text(&w, "project", "demo");
    json_add_text(&w, "label", "p256");
    json_add_integer(&w, "version", 1);
    json_add_text(&w, "type", "p256");
    json_add_base64(&w, "public_key", (struct slice){der, (size_t)len});
    json_add_raw(&w, "mechanisms", "[\"ecdsa\"]");
    json_add_raw(&w, "hashes", "[\"sha256\",\"sha384\"]");
    json_add_raw(&w, "certificates", "[\"MAA=\"]");
    json_end_object(&w);
    json_begin_object(&w, NULL); /* of a newer server */
    json_add_text(&w, "type", "quantum");
    json_end_object(&w);
    json_end_array(&w);
    json_end_object(&w);
    OPENSSL_free(der);
}

static void signature_write(struct chancery *c, const struct json *order, struct fake_answer *a)
{
    struct buf digest = {0};
    struct buf raw = {0};
    uint8_t der[128];
    size_t len = sizeof(der);
    const char *text = json_get_text(order, "digest", "");
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(c->key, NULL);
    status decoded = base64_decode(text, strlen(text), &digest, NULL);
    bool made = is_ok(decoded) && EVP_PKEY_sign_init(ctx) == 1 &&
                EVP_PKEY_sign(ctx, der, &len, digest.data, digest.len) == 1 &&
                is_ok(ecdsa_der_to_raw((struct slice){der, len}, 32, &raw, NULL));
    must(made);
    if (take(&c->spoil_signatures))
        raw.data[40] ^= 1;
    a->status = 201;
    struct json_writer w = json_writer_on(&a->body);
    json_begin_object(&w, NULL);
    json_add_base64(&w, "signature", buf_slice(&raw));
    json_add_integer(&w, "version", 1);
    json_end_object(&w);
    EVP_PKEY_CTX_free(ctx);
    buf_clear(&digest);
    buf_clear(&raw);
}

static void signature_answer(struct chancery *c, const struct fake_request *r, struct fake_answer *a)
{
    if (take(&c->die_at_signature) && atomic_load(&c->die_at_signature) == 0)
        _exit(0);
    if (take(&c->stall_signatures)) {
        a->action = FAKE_STALL;
        return;
    }
    if (take(&c->drop_signatures)) {
        a->action = FAKE_DROP;
        return;
    }
    if (take(&c->busy_signatures)) {
        problem(a, 503, "hsm_unavailable", "the HSM is away");
        a->headers = c->busy_headers;
        a->status = c->busy_status ? c->busy_status : a->status;
        return;
    }
    if (c->unapproved_stays || take(&c->unapproved_signatures)) {
        problem(a, 403, "approval_required", "no grant covers it");
        return;
    }
    if (!strstr(r->path, "/key_1/")) {
        problem(a, 403, "key_disabled", "rotated out");
        return;
    }
    struct json *order = NULL;
    status parsed = json_parse(buf_slice(&r->body), 65536, 8, &order, NULL);
    must(is_ok(parsed));
    signature_write(c, order, a);
    json_free(order);
    if (take(&c->half_signatures))
        a->action = FAKE_HALF;
}

static void on_request(struct fake_server *s, const struct fake_request *r, struct fake_answer *a, void *user)
{
    struct chancery *c = user;
    if (strcmp(r->path, "/v1/oauth/token") == 0) {
        token_answer(c, a);
    } else if (take(&c->unauthorized)) {
        problem(a, 401, "not_authenticated", "the token has ended");
    } else if (strcmp(r->path, "/v1/signing/keys") == 0) {
        keys_answer(c, r, a);
    } else if (strncmp(r->path, "/v1/signing/keys/", 17) == 0) {
        signature_answer(c, r, a);
    } else if (c->other) {
        c->other(s, r, a, c->other_user);
    } else {
        a->action = c->other_action;
        a->status = c->other_status ? c->other_status : 200;
        a->content_type = c->other_type;
        a->headers = a->status == 302 ? "Location: https://127.0.0.1:1/\r\n" : NULL;
        buf_add_text(&a->body, c->other_answer ? c->other_answer : "{}");
    }
}

void chancery_path(const struct chancery *c, const char *name, char out[192])
{
    (void)snprintf(out, 192, "%s/%s", c->directory, name);
}

void file_put(const char *path, const char *text, int mode)
{
    (void)unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t written = write(fd, text, strlen(text));
    must(written == (ssize_t)strlen(text) && fchmod(fd, (mode_t)mode) == 0);
    close(fd);
}

static const char usual[] = "[credential]\ntype = service_account\naccount = build-1\nkey = build-1.key\n"
                            "[cache]\npublic_data = public.json\n";

void chancery_configure_server(struct chancery *c, const char *lines)
{
    struct buf text = {0};
    buf_printf(&text, "[server]\n%s\n%s", lines, usual);
    file_put(c->config, buf_text(&text), 0600);
    buf_clear(&text);
}

void chancery_configure(struct chancery *c, const char *rest)
{
    struct buf text = {0};
    buf_printf(&text, "[server]\nurl = %s\nca = ca.pem\ntimeout_ms = 10000\n%s", fake_server_url(c->server),
               rest ? rest : usual);
    file_put(c->config, buf_text(&text), 0600);
    buf_clear(&text);
}

void chancery_start(struct chancery *c)
{
    chancery_start_with(c, (struct fake_options){0}, NULL);
}

void chancery_start_locked(struct chancery *c, const char *passphrase)
{
    chancery_start_with(c, (struct fake_options){0}, passphrase);
}

void chancery_start_with(struct chancery *c, struct fake_options options, const char *passphrase)
{
    char path[192];
    *c = (struct chancery){.directory = "/tmp/chancery-test-XXXXXX"};
    bool made = mkdtemp(c->directory) != NULL;
    must(made);
    c->key = EVP_EC_gen("P-256");
    options.handler = on_request;
    options.user = c;
    c->server = fake_server_start(&options);
    chancery_path(c, "ca.pem", path);
    file_put(path, fake_server_ca(c->server), 0644);
    struct buf pem = {0};
    chancery_path(c, "build-1.key", path);
    status enrolled = client_enroll(path, passphrase ? slice_of_text(passphrase) : (struct slice){0}, &pem, NULL);
    must(is_ok(enrolled));
    buf_clear(&pem);
    chancery_path(c, "client.conf", c->config);
    chancery_configure(c, NULL);
}

void chancery_stop(struct chancery *c)
{
    fake_server_stop(c->server);
    EVP_PKEY_free(c->key);
    char command[128];
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", c->directory);
    int removed = system(command);
    (void)removed;
}

struct client *chancery_client(struct chancery *c)
{
    struct client_config *config = NULL;
    struct client *client = NULL;
    struct error err = {0};
    status made = client_config_load(c->config, &config, &err);
    if (is_ok(made))
        made = client_new(config, &client, &err);
    if (!is_ok(made))
        fprintf(stderr, "no client: %s\n", err.text);
    must(is_ok(made));
    return client;
}

status chancery_sign(struct client *client, int64_t timeout_ms, struct error *err)
{
    static const uint8_t digest[32] = {1, 2, 3};
    const struct sign_input in = {
        .mechanism = MECHANISM_ECDSA, .hash = HASH_SHA256, .digest = {digest, sizeof(digest)}};
    cleanup_client_keys const struct client_keys *keys = NULL;
    cleanup_buf struct buf signature = {0};
    TRY(client_keys(client, deadline_in(10000), &keys, err));
    must(keys->count == 1);
    return client_sign(client, &keys->items[0], &in, deadline_in(timeout_ms), &signature, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "client/transport_settings.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "client/credential.h"
#include "client/libctx.h"
#include "common/file.h"
#include "common/openssl_scope.h"

enum { PEM_FILE_MAX = 1024 * 1024, CONNECT_TIMEOUT_MS = 5000 };

void transport_settings_clear(struct transport_settings *s)
{
    buf_clear(&s->ca);
    buf_clear(&s->certificate);
    buf_clear(&s->key);
    buf_clear(&s->proxy_user);
    buf_clear(&s->proxy_password);
    *s = (struct transport_settings){0};
}

static status pem_read(const char *path, int checks, struct buf *out, struct error *err)
{
    TRY(file_read(path, PEM_FILE_MAX, checks, out, err));
    if (!memmem(out->data, out->len, "-----BEGIN ", 11))
        return error_set(err, CODE_CONFIGURATION, "%s: no PEM stands in it", path);
    return OK;
}

static status ca_load(const char *path, struct buf *out, struct error *err)
{
    TRY(pem_read(path, FILE_NOT_WRITABLE_BY_OTHERS, out, err));
    if (!memmem(out->data, out->len, "CERTIFICATE-----", 16))
        return error_set(err, CODE_CONFIGURATION, "%s: no PEM certificate stands in it", path);
    return OK;
}

/* An encrypted key is refused here: libcurl would ask for its passphrase on the host's terminal. */
static status pair_check(const struct client_config *c, const struct transport_settings *s, struct error *err)
{
    cleanup_libctx struct libctx_scope scope = {0};
    TRY(libctx_enter(&scope, err));
    cleanup_pkey EVP_PKEY *key = NULL;
    bool encrypted = false;
    status read = private_key_read(buf_slice(&s->key), NULL, &key, &encrypted, err);
    if (!is_ok(read)) {
        error_prefix(err, "%s", c->client_key_path);
        return read;
    }
    if (encrypted)
        return error_set(err, CODE_CONFIGURATION, "%s: [server] client_key must not be encrypted", c->client_key_path);

    BIO *bio = BIO_new_mem_buf(s->certificate.data, (int)s->certificate.len);
    X509 *leaf = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    bool fits = leaf && X509_check_private_key(leaf, key) == 1;
    bool is_certificate = leaf != NULL;
    X509_free(leaf);
    BIO_free(bio);
    if (!is_certificate)
        return error_set(err, CODE_CONFIGURATION, "%s: no PEM certificate stands in it", c->client_certificate_path);
    return fits ? OK
                : error_set(err, CODE_CONFIGURATION, "%s: [server] client_key is not that of client_certificate",
                            c->client_key_path);
}

/* One line, "user:password" (RFC 7617 §2: the user's name holds no colon). */
static status proxy_credentials_load(const char *path, struct transport_settings *s, struct error *err)
{
    cleanup_buf struct buf line = {0};
    TRY(file_read_secret(path, &line, err));
    const char *text = buf_text(&line);
    const char *colon = strchr(text, ':');
    if (!colon || colon == text || strlen(text) != line.len || strpbrk(text, "\r\n"))
        return error_set(err, CODE_CONFIGURATION, "%s: one line, user:password, is expected", path);
    buf_add(&s->proxy_user, text, (size_t)(colon - text));
    buf_add_text(&s->proxy_password, colon + 1);
    TRY(buf_check(&s->proxy_user, err));
    return buf_check(&s->proxy_password, err);
}

static status settings_fill(const struct client_config *c, struct transport_settings *s, struct error *err)
{
    s->pin = c->pin;
    s->proxy = c->proxy;
    s->no_threads = c->no_threads;
    s->connect_timeout_ms = c->connect_timeout_ms > 0 ? c->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    if (c->ca_path)
        TRY(ca_load(c->ca_path, &s->ca, err));
    if (c->client_certificate_path && c->client_key_path) {
        TRY(pem_read(c->client_certificate_path, FILE_NOT_WRITABLE_BY_OTHERS, &s->certificate, err));
        TRY(pem_read(c->client_key_path, FILE_PRIVATE, &s->key, err));
        TRY(pair_check(c, s, err));
    }
    return c->proxy_credentials_path ? proxy_credentials_load(c->proxy_credentials_path, s, err) : OK;
}

status transport_settings_load(const struct client_config *config, struct transport_settings *out, struct error *err)
{
    CLEANUP(transport_settings_clear) struct transport_settings s = {0};
    TRY(settings_fill(config, &s, err));
    *out = s;
    s = (struct transport_settings){0};
    return OK;
}

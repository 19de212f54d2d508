/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a client, and login: from a locked credential to one that can be used. */
#include "client/client.h"

#include <string.h>

#include "client/libctx.h"
#include "client/origin.h"
#include "client/state.h"
#include "client/token.h"
#include "common/file.h"
#include "common/openssl_scope.h"

enum { KEY_FILE_MAX = 64 * 1024 };

/* The key file, opened with the passphrase where one is given. Nothing is set when it is encrypted and none is. */
static status key_load(const struct client *c, const struct slice *passphrase, struct credential *out, bool *encrypted,
                       struct error *err)
{
    cleanup_libctx struct libctx_scope scope = {0};
    TRY(libctx_enter(&scope, err));
    cleanup_buf struct buf pem = {0};
    TRY(file_read(c->config->key_path, KEY_FILE_MAX, FILE_PRIVATE, &pem, err));

    cleanup_pkey EVP_PKEY *key = NULL;
    status read = private_key_read(buf_slice(&pem), passphrase, &key, encrypted, err);
    if (is_ok(read) && key)
        read = private_key_encode(key, &out->key, err);
    if (!is_ok(read))
        error_prefix(err, "%s", c->config->key_path);
    return read;
}

static status api_key_load(const struct client *c, struct credential *out, struct error *err)
{
    TRY(file_read_secret(c->config->api_key_path, &out->api_key, err));
    status fits = api_key_check(buf_slice(&out->api_key), err);
    if (!is_ok(fits))
        error_prefix(err, "%s", c->config->api_key_path);
    return fits;
}

/* What can be used without anybody's help. */
static status credential_load(struct client *c, struct error *err)
{
    bool encrypted = false;
    if (c->config->credential == CREDENTIAL_SERVICE_ACCOUNT) {
        TRY(key_load(c, NULL, &c->credential, &encrypted, err));
        c->needs_login = encrypted;
        return OK;
    }
    c->needs_login = c->config->api_key_path == NULL;
    return c->needs_login ? OK : api_key_load(c, &c->credential, err);
}

status client_new(struct client_config *config, struct client **out, struct error *err)
{
    cleanup_client struct client *c = calloc(1, sizeof(*c));
    if (!c) {
        client_config_free(config);
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    }
    c->config = config;
    (void)pthread_mutex_init(&c->lock, NULL);
    origin_read(&c->origin);
    TRY(servers_new(config, &c->servers, err));
    TRY(credential_load(c, err));
    *out = steal(&c);
    return OK;
}

void client_free(struct client *c)
{
    if (!c)
        return;
    servers_free(c->servers);
    credential_clear(&c->credential);
    token_clear(&c->token);
    client_keys_unref(c->cache.keys);
    client_keys_unref(c->cache.disk.keys);
    client_config_free(c->config);
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

void client_abandon_after_fork(struct client *c)
{
    servers_abandon_after_fork(c->servers);
    libctx_abandon_after_fork();
    (void)pthread_mutex_init(&c->lock, NULL);
}

void client_fork_lock(struct client *c)
{
    servers_fork_lock(c->servers);
    (void)pthread_mutex_lock(&c->lock);
}

void client_fork_unlock(struct client *c)
{
    (void)pthread_mutex_unlock(&c->lock);
    servers_fork_unlock(c->servers);
}

/* The threads that were renewing and refreshing do not exist here. */
void client_fork_child(struct client *c)
{
    servers_abandon_after_fork(c->servers);
    libctx_abandon_after_fork();
    c->token.renewing = false;
    c->cache.refreshing = false;
    client_fork_unlock(c);
}

const struct client_config *client_config_of(const struct client *c)
{
    return c->config;
}

bool client_needs_login(const struct client *c)
{
    return c->needs_login;
}

bool client_is_logged_in(const struct client *c)
{
    cleanup_client_lock pthread_mutex_t *locked = client_lock((struct client *)c);
    return credential_is_set(&c->credential);
}

/* Everything learnt with the old credential goes with it. */
static void credential_put(struct client *c, struct credential *fresh)
{
    struct credential old;
    const struct client_keys *keys;
    {
        cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
        old = c->credential;
        keys = c->cache.keys;
        c->credential = *fresh;
        c->login_serial++;
        token_clear(&c->token);
        c->cache.keys = NULL;
        c->cache.refreshing = false;
        c->cache.from_disk = false;
        c->cache.asked_at_ms = 0;
        c->cache.saved_at_ms = 0;
    }
    *fresh = (struct credential){0};
    credential_clear(&old);
    client_keys_unref(keys);
}

status client_login(struct client *c, struct slice secret, struct error *err)
{
    if (!c->needs_login)
        return OK;

    cleanup_credential struct credential fresh = {0};
    if (c->config->credential == CREDENTIAL_API_KEY) {
        TRY(api_key_check(secret, err));
        buf_add(&fresh.api_key, secret.data, secret.len);
        TRY(buf_check(&fresh.api_key, err));
    } else {
        bool encrypted = false;
        TRY(key_load(c, &secret, &fresh, &encrypted, err));
    }
    credential_put(c, &fresh);
    return OK;
}

void client_logout(struct client *c)
{
    if (!c->needs_login) {
        /* A credential that lies open on disk has nothing to lock. */
        cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
        c->login_serial++;
        token_clear(&c->token);
        return;
    }
    struct credential none = {0};
    credential_put(c, &none);
}

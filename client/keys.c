/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys there are: answered from memory while young, else by one conditional request. A server that cannot be
 * reached leaves the last known keys in view, and is not asked again for some seconds, so that look-ups stay quick. */
#include <string.h>

#include "chancery/protocol.h"
#include "client/answer.h"
#include "client/keys_parse.h"
#include "client/problem.h"
#include "client/request.h"
#include "common/file.h"

enum { ANSWER_MAX = 16 * 1024 * 1024, FETCH_ATTEMPTS = 3, STALE_FETCH_MS = 5000, ASK_AGAIN_MS = 5000 };

static const struct client_keys *disk_read(const struct client *c)
{
    const char *path = c->config->public_data_path;
    const struct client_keys *keys = NULL;
    cleanup_buf struct buf text = {0};
    struct error err = {0};
    if (!path || !file_exists(path))
        return NULL;
    if (!is_ok(file_read(path, 2 * (size_t)ANSWER_MAX, FILE_NOT_WRITABLE_BY_OTHERS, &text, &err)) ||
        !is_ok(public_data_parse(buf_slice(&text), c->config->url, &keys, &err)))
        log_error(LOG_LEVEL_WARNING, "public data not used", &err);
    return keys;
}

/* What is known without the server: a reference, or NULL. */
static const struct client_keys *keys_from_disk(struct client *c)
{
    {
        cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
        if (c->cache.disk)
            return client_keys_ref(c->cache.disk);
    }
    const struct client_keys *read = disk_read(c);
    cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
    if (read && !c->cache.disk)
        c->cache.disk = client_keys_ref(read);
    return read;
}

/* Before login. */
static status keys_offline(struct client *c, const struct client_keys **out, struct error *err)
{
    *out = keys_from_disk(c);
    return *out ? OK : keys_parse(slice_of_text("{\"keys\":[]}"), "", out, err);
}

static status keys_fetch(struct client *c, const char *etag, struct deadline d, const struct client_keys **out,
                         struct error *err)
{
    cleanup_answer struct transport_answer answer = {0};
    const struct transport_request request = {
        .method = "GET", .path = ROUTE_SIGNING_KEYS, .if_none_match = *etag ? etag : NULL, .answer_max = ANSWER_MAX};
    TRY(exchange_run(c, &request, retry_at_most(d, FETCH_ATTEMPTS), &answer, err));
    if (answer.status == 304 && *etag)
        return OK;
    if (answer.status != 200)
        return problem_status(&answer, err);
    return answer_fault(&answer, keys_parse(buf_slice(&answer.body), answer.etag, out, err), err);
}

/* Takes over what came, unless somebody logged in or out meanwhile. True when these keys are not on disk yet. */
static bool keys_store(struct client *c, uint64_t serial, const struct client_keys *fresh)
{
    cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
    if (serial != c->login_serial)
        return false;
    c->cache.checked_at_ms = clock_monotonic_ms();
    c->cache.stale = false;
    c->cache.refreshing = false;
    if (!fresh)
        return false;
    client_keys_unref(c->cache.keys);
    c->cache.keys = client_keys_ref(fresh);
    bool first = !c->cache.saved;
    c->cache.saved = true;
    return first;
}

static void keys_store_failure(struct client *c, uint64_t serial)
{
    cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
    if (serial != c->login_serial)
        return;
    int64_t max_age = c->config->keys_max_age_ms;
    c->cache.refreshing = false;
    c->cache.stale = false;
    c->cache.checked_at_ms = clock_monotonic_ms() - max_age + (max_age < ASK_AGAIN_MS ? max_age : ASK_AGAIN_MS);
}

/* The public data follow each login; that they cannot be written is no failure of the look-up. */
static void public_data_refresh(struct client *c)
{
    struct error err = {0};
    if (c->config->public_data_path && !is_ok(client_save_public_data(c, &err)))
        log_error(LOG_LEVEL_WARNING, "public data not written", &err);
}

static bool is_unreachable(status s)
{
    return s.code == CODE_UNAVAILABLE || s.code == CODE_TIMEOUT;
}

static struct deadline earlier(struct deadline a, struct deadline b)
{
    return a.at_ms < b.at_ms ? a : b;
}

/* One request; `known`, a reference that is given away, is the answer when nothing changed or nobody answers. */
static status keys_refresh(struct client *c, uint64_t serial, const struct client_keys *known, struct deadline d,
                           const struct client_keys **out, struct error *err)
{
    const struct client_keys *fresh = NULL;
    struct deadline limit = known ? earlier(d, deadline_in(STALE_FETCH_MS)) : d;
    status got = keys_fetch(c, keys_etag(known), limit, &fresh, err);
    if (is_ok(got)) {
        if (keys_store(c, serial, fresh))
            public_data_refresh(c);
        if (fresh)
            client_keys_unref(known);
        *out = fresh ? fresh : known;
        return OK;
    }
    keys_store_failure(c, serial);
    if (is_unreachable(got)) {
        log_error(LOG_LEVEL_WARNING, "server not reached; last known keys are used", err);
        *out = known ? known : keys_from_disk(c);
        return *out ? OK : got;
    }
    client_keys_unref(known);
    return got;
}

status client_keys(struct client *c, struct deadline d, const struct client_keys **out, struct error *err)
{
    const struct client_keys *known = NULL;
    uint64_t serial = 0;
    bool logged_in = false;
    bool young = false;
    {
        cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
        struct key_cache *cache = &c->cache;
        int64_t age_ms = clock_monotonic_ms() - cache->checked_at_ms;
        logged_in = credential_is_set(&c->credential);
        serial = c->login_serial;
        known = client_keys_ref(cache->keys);
        young = known && !cache->stale && (age_ms < c->config->keys_max_age_ms || cache->refreshing);
        if (logged_in && !young)
            cache->refreshing = true;
    }
    if (logged_in && !young)
        return keys_refresh(c, serial, known, d, out, err);
    if (logged_in) {
        *out = known;
        return OK;
    }
    client_keys_unref(known);
    return keys_offline(c, out, err);
}

void client_keys_refresh(struct client *c)
{
    cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
    c->cache.stale = true;
}

status client_save_public_data(struct client *c, struct error *err)
{
    const char *path = c->config->public_data_path;
    if (!path)
        return error_set(err, CODE_CONFIGURATION, "%s: [cache] public_data is not set", c->config->path);

    const struct client_keys *keys = NULL;
    {
        cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
        keys = client_keys_ref(c->cache.keys);
    }
    if (!keys)
        return error_set(err, CODE_INVALID, "no keys were fetched yet");

    cleanup_buf struct buf text = {0};
    cleanup_buf struct buf old = {0};
    public_data_write(c->config->url, keys, &text);
    client_keys_unref(keys);
    TRY(buf_check(&text, err));
    if (is_ok(file_read(path, 2 * (size_t)ANSWER_MAX, FILE_NOT_WRITABLE_BY_OTHERS, &old, NULL)) &&
        slice_equal(buf_slice(&old), buf_slice(&text)))
        return OK;
    TRY(file_write(path, buf_slice(&text), 0644, err));

    cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
    client_keys_unref(c->cache.disk);
    c->cache.disk = client_keys_ref(c->cache.keys);
    return OK;
}

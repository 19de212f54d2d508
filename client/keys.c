/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys there are: answered from memory while young, or from public data on disk that are young, else by one
 * conditional request. A server that cannot be reached leaves the last known keys in view, and is not asked again for
 * some seconds, so that look-ups stay quick. */
#include <string.h>

#include "chancery/protocol.h"
#include "client/answer.h"
#include "client/keys_parse.h"
#include "client/problem.h"
#include "client/request.h"
#include "client/token.h"

enum { FETCH_ROUNDS = 3, STALE_FETCH_MS = 5000, ASK_AGAIN_MS = 5000, SAVES_PER_AGE = 4 };

/* ---- the public data on disk */

/* Of the file, read once: keys with a reference for the caller, or none. */
static struct public_data disk_get(struct client *c)
{
    struct public_data read = {0};
    {
        cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
        if (c->cache.disk.keys) {
            (void)client_keys_ref(c->cache.disk.keys);
            return c->cache.disk;
        }
    }
    struct error err = {0};
    if (!c->config->public_data_path || !is_ok(public_data_read(c->config, &read, &err))) {
        if (err.code != CODE_OK && (err.code != CODE_NOT_FOUND || strchr(err.text, ':')))
            log_error(LOG_LEVEL_WARNING, "public data not used", &err);
        return (struct public_data){0};
    }
    cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
    if (!c->cache.disk.keys) {
        c->cache.disk = read;
        (void)client_keys_ref(read.keys);
    }
    return read;
}

static status disk_save(struct client *c, const struct client_keys *keys, int64_t fetched_at_ms, struct error *err)
{
    struct public_data data = {.keys = keys, .fetched_at_ms = fetched_at_ms};
    TRY(public_data_write(c->config, &data, err));

    cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
    const struct client_keys *old = c->cache.disk.keys;
    (void)client_keys_ref(keys);
    c->cache.disk = data;
    client_keys_unref(old);
    return OK;
}

/* Before login. */
static status keys_offline(struct client *c, const struct client_keys **out, struct error *err)
{
    *out = disk_get(c).keys;
    return *out ? OK : keys_parse(slice_of_text("{\"keys\":[]}"), "", out, err);
}

/* ---- the server */

static status keys_fetch(struct client *c, const char *etag, struct deadline d, const struct client_keys **out,
                         struct error *err)
{
    cleanup_answer struct transport_answer answer = {0};
    const struct transport_request request = {.method = "GET",
                                              .path = ROUTE_SIGNING_KEYS,
                                              .if_none_match = *etag ? etag : NULL,
                                              .answer_max = KEYS_MAX_BYTES};
    TRY(exchange_run(c, &request, retry_at_most(c->servers, d, FETCH_ROUNDS), &answer, err));
    if (answer.status == 304 && *etag)
        return OK;
    if (answer.status != 200)
        return problem_status(&answer, err);
    return answer_fault(&answer, keys_parse(buf_slice(&answer.body), answer.etag, out, err), err);
}

/* Takes over what the server said, unless somebody logged in or out meanwhile. True when the file should follow: after
 * each login, after a change, and from time to time so that it stays young. */
static bool keys_store(struct client *c, uint64_t serial, const struct client_keys *keys)
{
    cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
    struct key_cache *cache = &c->cache;
    if (serial != c->login_serial)
        return false;
    int64_t now_ms = clock_monotonic_ms();
    bool changed = keys != cache->disk.keys;
    cache->checked_at_ms = cache->asked_at_ms = now_ms;
    cache->stale = cache->refreshing = cache->from_disk = false;
    (void)client_keys_ref(keys);
    client_keys_unref(cache->keys);
    cache->keys = keys;
    if (!c->config->public_data_path ||
        (!changed && cache->saved_at_ms != 0 &&
         now_ms - cache->saved_at_ms < c->config->public_data_max_age_ms / SAVES_PER_AGE))
        return false;
    cache->saved_at_ms = now_ms;
    return true;
}

static void keys_store_failure(struct client *c, uint64_t serial)
{
    cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
    if (serial != c->login_serial)
        return;
    int64_t max_age = c->config->keys_max_age_ms;
    int64_t now_ms = clock_monotonic_ms();
    c->cache.refreshing = false;
    c->cache.stale = false;
    c->cache.asked_at_ms = now_ms;
    c->cache.checked_at_ms = now_ms - max_age + (max_age < ASK_AGAIN_MS ? max_age : ASK_AGAIN_MS);
}

static bool is_unreachable(status s)
{
    return s.code == CODE_UNAVAILABLE || s.code == CODE_TIMEOUT;
}

static struct deadline earlier(struct deadline a, struct deadline b)
{
    return a.at_ms < b.at_ms ? a : b;
}

/* That the public data cannot be written is no failure of the look-up. */
static void keys_take(struct client *c, uint64_t serial, const struct client_keys *keys)
{
    struct error err = {0};
    if (keys_store(c, serial, keys) && !is_ok(disk_save(c, keys, clock_now_ms(), &err)))
        log_error(LOG_LEVEL_WARNING, "public data not written", &err);
}

/* One request; `known`, a reference that is given away, is the answer when nothing changed or nobody answers. */
static status keys_refresh(struct client *c, uint64_t serial, const struct client_keys *known, struct deadline d,
                           const struct client_keys **out, struct error *err)
{
    struct error reason = {0};
    const struct client_keys *fresh = NULL;
    struct deadline limit = known ? earlier(d, deadline_in(STALE_FETCH_MS)) : d;
    status got = keys_fetch(c, keys_etag(known), limit, &fresh, &reason);
    if (is_ok(got)) {
        if (fresh)
            client_keys_unref(known);
        *out = fresh ? fresh : known;
        keys_take(c, serial, *out);
        return OK;
    }
    keys_store_failure(c, serial);
    if (is_unreachable(got) && known) {
        log_error(LOG_LEVEL_WARNING, "server not reached; last known keys are used", &reason);
        *out = known;
        return OK;
    }
    client_keys_unref(known);
    if (err)
        *err = reason;
    return got;
}

/* ---- what callers see */

/* The cache as a call finds it. */
struct view {
    const struct client_keys *known; /* a reference, or NULL */
    uint64_t serial;
    bool logged_in;
    bool young;
    bool stale;
};

static struct view view_take(struct client *c)
{
    cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
    struct key_cache *cache = &c->cache;
    int64_t age_ms = clock_monotonic_ms() - cache->checked_at_ms;
    struct view v = {.known = client_keys_ref(cache->keys),
                     .serial = c->login_serial,
                     .logged_in = credential_is_set(&c->credential),
                     .stale = cache->stale};
    v.young = v.known && !cache->stale && (age_ms < c->config->keys_max_age_ms || cache->refreshing);
    if (v.logged_in && v.known && !v.young)
        cache->refreshing = true;
    return v;
}

/* Does the file still hold what the server would say? A service account needs a token anyway, and its answer names the
 * list's ETag; a user's API key has nothing that tells. Without an answer, or from a server that names none, the age
 * decides. */
static bool disk_is_confirmed(struct client *c, const struct public_data *disk, struct deadline d)
{
    cleanup_buf struct buf authorization = {0};
    const struct retry call = retry_at_most(c->servers, earlier(d, deadline_in(STALE_FETCH_MS)), FETCH_ROUNDS);
    if (c->config->credential != CREDENTIAL_SERVICE_ACCOUNT)
        return false;
    status got = authorization_get(c, &call, &authorization, NULL);
    if (!is_ok(got))
        return is_unreachable(got);

    cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
    return *c->token.keys_etag == '\0' || strcmp(c->token.keys_etag, keys_etag(disk->keys)) == 0;
}

/* The first look after a login: young public data stand for the list, older ones give its ETag and go on being the
 * answer while no server is there. */
static void view_from_disk(struct client *c, struct view *v, struct deadline d)
{
    struct public_data disk = disk_get(c);
    v->known = disk.keys;
    v->young = !v->stale && public_data_is_young(c->config, &disk) && disk_is_confirmed(c, &disk, d);
    if (!v->young)
        return;

    cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
    if (v->serial != c->login_serial || c->cache.keys)
        return;
    c->cache.keys = client_keys_ref(disk.keys);
    c->cache.checked_at_ms = clock_monotonic_ms();
    c->cache.from_disk = true;
}

status client_keys(struct client *c, struct deadline d, const struct client_keys **out, struct error *err)
{
    struct view v = view_take(c);
    if (!v.logged_in) {
        client_keys_unref(v.known);
        return keys_offline(c, out, err);
    }
    if (!v.known)
        view_from_disk(c, &v, d);
    if (!v.young)
        return keys_refresh(c, v.serial, v.known, d, out, err);
    *out = v.known;
    return OK;
}

void client_keys_refresh(struct client *c)
{
    cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
    c->cache.stale = true;
}

bool client_keys_search_missed(struct client *c)
{
    cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
    struct key_cache *cache = &c->cache;
    int64_t now_ms = clock_monotonic_ms();
    bool asked_lately = cache->asked_at_ms != 0 && now_ms - cache->asked_at_ms < ASK_AGAIN_MS;
    if (!credential_is_set(&c->credential) || asked_lately)
        return false;
    cache->asked_at_ms = now_ms;
    cache->stale = true;
    return true;
}

void keys_doubt(struct client *c, struct deadline d)
{
    bool from_disk = false;
    {
        cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
        c->cache.stale = true;
        from_disk = c->cache.from_disk;
    }
    const struct client_keys *keys = NULL;
    if (from_disk && is_ok(client_keys(c, d, &keys, NULL)))
        client_keys_unref(keys);
}

status client_save_public_data(struct client *c, struct error *err)
{
    if (!c->config->public_data_path)
        return error_set(err, CODE_CONFIGURATION, "%s: [cache] public_data is not set", c->config->path);

    cleanup_client_keys const struct client_keys *keys = NULL;
    bool on_disk = false;
    {
        cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
        keys = client_keys_ref(c->cache.keys);
        on_disk = keys && keys == c->cache.disk.keys && c->cache.saved_at_ms != 0;
    }
    if (!keys)
        return error_set(err, CODE_INVALID, "no keys were fetched yet");
    return on_disk ? OK : disk_save(c, keys, clock_now_ms(), err);
}

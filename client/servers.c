/* SPDX-License-Identifier: Apache-2.0 */
/* One lock guards breakers and choice; it is never held across I/O (I10). */
#include "client/servers.h"

#include <pthread.h>

#include "client/breaker.h"
#include "client/transport_settings.h"

struct server {
    const char *url; /* the configuration's */
    struct transport *transport;
    struct breaker breaker;
};

struct servers {
    struct transport_settings settings;
    size_t count;
    pthread_mutex_t lock; /* of what follows, and of the breakers */
    size_t last_good;
    struct server list[SERVERS_MAX];
};

DEFINE_CLEANUP_PTR(struct servers, servers_free)

status servers_new(const struct client_config *config, struct servers **out, struct error *err)
{
    CLEANUP(servers_free_cleanup) struct servers *s = calloc(1, sizeof(*s));
    if (!s)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    (void)pthread_mutex_init(&s->lock, NULL);
    TRY(transport_settings_load(config, &s->settings, err));

    size_t count = client_config_server_count(config);
    for (size_t i = 0; i < count && i < SERVERS_MAX; i++) {
        s->list[i].url = client_config_server(config, i);
        TRY(transport_new(s->list[i].url, &s->settings, &s->list[i].transport, err));
        s->count++;
    }
    *out = steal(&s);
    return OK;
}

void servers_free(struct servers *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        transport_free(s->list[i].transport);
    transport_settings_clear(&s->settings);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

void servers_abandon_after_fork(struct servers *s)
{
    for (size_t i = 0; i < s->count; i++)
        transport_abandon_after_fork(s->list[i].transport);
}

void servers_fork_lock(struct servers *s)
{
    for (size_t i = 0; i < s->count; i++)
        transport_fork_lock(s->list[i].transport);
    (void)pthread_mutex_lock(&s->lock);
}

void servers_fork_unlock(struct servers *s)
{
    (void)pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < s->count; i++)
        transport_fork_unlock(s->list[i].transport);
}

size_t servers_count(const struct servers *s)
{
    return s->count;
}

const char *servers_url(const struct servers *s, size_t i)
{
    return s->list[i].url;
}

struct transport *servers_transport(const struct servers *s, size_t i)
{
    return s->list[i].transport;
}

/* The first in this state, counted from the last good one; s->count when there is none. */
static size_t find_in_state(const struct servers *s, unsigned excluded, enum breaker_state state, int64_t now_ms)
{
    for (size_t n = 0; n < s->count; n++) {
        size_t i = (s->last_good + n) % s->count;
        if (!(excluded & 1u << i) && breaker_state(&s->list[i].breaker, now_ms) == state)
            return i;
    }
    return s->count;
}

static size_t find_failed_longest_ago(const struct servers *s, unsigned excluded)
{
    size_t best = s->count;
    for (size_t i = 0; i < s->count; i++) {
        if (excluded & 1u << i)
            continue;
        if (best == s->count || s->list[i].breaker.failed_at_ms < s->list[best].breaker.failed_at_ms)
            best = i;
    }
    return best < s->count ? best : s->last_good;
}

size_t servers_pick(struct servers *s, unsigned excluded, int64_t probe_until_ms)
{
    int64_t now_ms = clock_monotonic_ms();
    (void)pthread_mutex_lock(&s->lock);
    size_t i = find_in_state(s, excluded, BREAKER_CLOSED, now_ms);
    if (i == s->count) {
        i = find_in_state(s, excluded, BREAKER_HALF_OPEN, now_ms);
        if (i == s->count)
            i = find_failed_longest_ago(s, excluded);
        breaker_probe(&s->list[i].breaker, probe_until_ms);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return i;
}

void servers_note(struct servers *s, size_t i, enum servers_news news, int64_t retry_after_ms)
{
    int64_t now_ms = clock_monotonic_ms();
    (void)pthread_mutex_lock(&s->lock);
    struct breaker *b = &s->list[i].breaker;
    switch (news) {
    case SERVERS_GOOD:
        breaker_succeed(b);
        s->last_good = i;
        break;
    case SERVERS_BAD:
        breaker_fail(b, now_ms, retry_after_ms);
        break;
    case SERVERS_NOTHING:
        breaker_release(b);
        break;
    }
    (void)pthread_mutex_unlock(&s->lock);
}

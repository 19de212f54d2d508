/* SPDX-License-Identifier: Apache-2.0 */
/* Outside authorities, asked in the order of the configuration. Each is asked at most once in an interval: who comes
 * too early waits for his turn, or goes on to the next one if that would take too long. One that fails three times in a
 * row is left alone for a while. */
#include <openssl/pem.h>
#include <string.h>

#include "common/log.h"
#include "server/fetch/fetch.h"
#include "server/tsa/internal.h"

enum { FAILURES_MAX = 3, OPEN_MS = 30 * 1000, REPLY_MAX = 64 * 1024 };

struct upstream {
    char *url;
    int64_t next_ms; /* monotonic: not asked before */
    int64_t open_until_ms;
    int failures;
    int64_t granted;
};

struct relay {
    pthread_mutex_t lock; /* of what changes in upstreams */
    struct upstream *upstreams;
    size_t count;
    int64_t interval_ms, timeout_ms;
    X509_STORE *anchors; /* NULL: signatures are not judged */
    struct buf tls_ca;
};

/* ---- opening */

static status anchors_read(struct slice pem, X509_STORE **out, struct error *err)
{
    cleanup_err_mark bool marked = err_mark();
    cleanup_bio BIO *in = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509_STORE *store = X509_STORE_new();
    int count = 0;

    for (X509 *crt; in && store && (crt = PEM_read_bio_X509(in, NULL, NULL, NULL)); X509_free(crt))
        count += X509_STORE_add_cert(store, crt);
    if (count > 0) {
        *out = store;
        return OK;
    }
    X509_STORE_free(store);
    return error_set(err, CODE_CONFIGURATION, "tsa_relay_ca: no certificate is in the file");
}

static status upstreams_read(const struct tsa_config *c, struct relay *r, struct error *err)
{
    r->upstreams = calloc(c->relay_count, sizeof *r->upstreams);
    for (size_t i = 0; r->upstreams && i < c->relay_count; i++) {
        if (!is_ok(fetch_url_check(c->relay[i], err))) {
            error_prefix(err, "tsa_relay");
            return (status){err->code = CODE_CONFIGURATION};
        }
        r->upstreams[i].url = strdup(c->relay[i]);
        r->count += r->upstreams[i].url != NULL;
    }
    return r->count == c->relay_count ? OK : error_set(err, CODE_NO_MEMORY, "out of memory");
}

DEFINE_CLEANUP_PTR(struct relay, relay_free)

status relay_new(const struct tsa_config *c, struct relay **out, struct error *err)
{
    CLEANUP(relay_free_cleanup) struct relay *r = calloc(1, sizeof *r);

    if (!r)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    (void)pthread_mutex_init(&r->lock, NULL);
    r->interval_ms = c->relay_interval_ms;
    r->timeout_ms = c->relay_timeout_ms;
    TRY(upstreams_read(c, r, err));
    if (c->relay_ca.len > 0)
        TRY(anchors_read(c->relay_ca, &r->anchors, err));
    buf_add(&r->tls_ca, c->relay_tls_ca.data, c->relay_tls_ca.len);
    TRY(buf_check(&r->tls_ca, err));
    *out = steal(&r);
    return OK;
}

void relay_free(struct relay *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->count; i++)
        free(r->upstreams[i].url);
    free(r->upstreams);
    X509_STORE_free(r->anchors);
    buf_clear(&r->tls_ca);
    (void)pthread_mutex_destroy(&r->lock);
    free(r);
}

bool relay_upstream(struct relay *r, size_t i, struct tsa_upstream *out)
{
    if (i >= r->count)
        return false;
    (void)pthread_mutex_lock(&r->lock);
    const struct upstream *u = &r->upstreams[i];
    *out = (struct tsa_upstream){u->url, u->open_until_ms > clock_monotonic_ms(), u->failures, u->granted};
    (void)pthread_mutex_unlock(&r->lock);
    return true;
}

/* ---- asking */

/* Reserves the next turn; *wait_ms until then. False: not now. */
static bool turn_take(struct relay *r, struct upstream *u, struct deadline d, int64_t *wait_ms)
{
    int64_t now = clock_monotonic_ms();

    (void)pthread_mutex_lock(&r->lock);
    int64_t turn = u->next_ms > now ? u->next_ms : now;
    /* Half of what is left is kept for the answer, and for the authorities behind. */
    bool taken = u->open_until_ms <= now && turn - now <= deadline_left_ms(d) / 2;
    if (taken)
        u->next_ms = turn + r->interval_ms;
    (void)pthread_mutex_unlock(&r->lock);
    *wait_ms = turn - now;
    return taken;
}

static void wait_for(int64_t ms)
{
    struct timespec until = deadline_timespec(deadline_in(ms));

    while (ms > 0 && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0)
        ;
}

static void outcome_keep(struct relay *r, struct upstream *u, bool granted, bool refused)
{
    (void)pthread_mutex_lock(&r->lock);
    u->granted += granted;
    u->failures = granted || refused ? 0 : u->failures + 1;
    if (u->failures >= FAILURES_MAX)
        u->open_until_ms = clock_monotonic_ms() + OPEN_MS;
    (void)pthread_mutex_unlock(&r->lock);
}

static bool reply_fetch(struct relay *r, const char *url, const struct query *q, struct deadline d,
                        struct fetch_answer *answer, struct refusal *why)
{
    static const char *const headers[] = {"Content-Type: application/timestamp-query",
                                          "Accept: application/timestamp-reply", NULL};
    struct deadline own = deadline_in(r->timeout_ms);
    struct error err = {0};
    const struct fetch_request request = {
        .method = "POST",
        .url = url,
        .headers = headers,
        .body = q->der,
        .anchors = buf_slice(&r->tls_ca),
        .answer_max = REPLY_MAX,
        .deadline = own.at_ms < d.at_ms ? own : d,
    };

    if (!is_ok(fetch(&request, answer, &err)))
        return refuse(why, TS_INFO_SYSTEM_FAILURE, "%s", err.text);
    if (answer->status != 200)
        return refuse(why, TS_INFO_SYSTEM_FAILURE, "HTTP status %d", answer->status);
    if (!fetch_answer_is(answer, "application/timestamp-reply"))
        return refuse(why, TS_INFO_SYSTEM_FAILURE, "the answer is no application/timestamp-reply");
    return true;
}

static bool upstream_ask(struct relay *r, struct upstream *u, const struct query *q, struct deadline d,
                         struct buf *reply, struct refusal *why)
{
    cleanup_fetch_answer struct fetch_answer answer = {0};
    bool refused = false;

    bool granted = reply_fetch(r, u->url, q, d, &answer, why) &&
                   relay_answer_check(q, buf_slice(&answer.body), r->anchors, &refused, why);
    outcome_keep(r, u, granted, refused);
    if (granted) {
        buf_reset(reply);
        buf_add(reply, answer.body.data, answer.body.len);
        return true;
    }
    log_event(LOG_LEVEL_WARNING, "timestamp.relay", "upstream", u->url, "reason", why->text, NULL);
    return false;
}

bool relay_ask(struct relay *r, const struct query *q, struct deadline d, struct buf *reply, const char **served,
               struct refusal *why)
{
    struct refusal last = {.text = "each of them failed just before"};

    for (size_t i = 0; i < r->count; i++) {
        struct upstream *u = &r->upstreams[i];
        int64_t wait_ms = 0;
        if (!turn_take(r, u, d, &wait_ms))
            continue;
        wait_for(wait_ms);
        *served = u->url;
        if (upstream_ask(r, u, q, d, reply, &last))
            return true;
    }
    return refuse(why, last.failure ? last.failure : TS_INFO_SYSTEM_FAILURE,
                  "no outside authority granted a token: %.200s", last.text);
}

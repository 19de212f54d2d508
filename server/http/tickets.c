/* SPDX-License-Identifier: Apache-2.0 */
/* GnuTLS derives the key of a ticket from this one and the time, and so changes it every few hours (its ticket
 * lifetime) by itself; but who has this one can derive them all, so it is made anew as well. */
#include "server/http/tickets.h"

#include "common/clock.h"
#include "common/log.h"

enum { KEY_LIFE_MS = 12 * 60 * 60 * 1000 };

/* Lock held. Keeps the old key when there can be no new one: nothing is lost by it. */
static int key_renew(struct tickets *t)
{
    gnutls_datum_t fresh = {0};
    int rc = gnutls_session_ticket_key_generate(&fresh);
    if (rc < 0) {
        log_event(LOG_LEVEL_WARNING, "http.tickets", "reason", gnutls_strerror(rc), NULL);
        return rc;
    }
    gnutls_memset(t->key.data, 0, t->key.size);
    gnutls_free(t->key.data);
    t->key = fresh;
    t->made_ms = clock_monotonic_ms();
    return 0;
}

status tickets_init(struct tickets *t, struct error *err)
{
    (void)pthread_mutex_init(&t->lock, NULL);
    int rc = key_renew(t);
    return rc == 0 ? OK : error_set(err, CODE_INTERNAL, "TLS tickets: %s", gnutls_strerror(rc));
}

void tickets_clear(struct tickets *t)
{
    if (t->key.data) {
        gnutls_memset(t->key.data, 0, t->key.size);
        gnutls_free(t->key.data);
        (void)pthread_mutex_destroy(&t->lock);
    }
    *t = (struct tickets){0};
}

void tickets_enable(struct tickets *t, gnutls_session_t session)
{
    (void)pthread_mutex_lock(&t->lock);
    if (clock_monotonic_ms() - t->made_ms >= KEY_LIFE_MS)
        (void)key_renew(t);
    (void)gnutls_session_ticket_enable_server(session, &t->key); /* copies it */
    (void)pthread_mutex_unlock(&t->lock);
}

void tickets_forget(struct tickets *t)
{
    (void)pthread_mutex_lock(&t->lock);
    (void)key_renew(t);
    (void)pthread_mutex_unlock(&t->lock);
}

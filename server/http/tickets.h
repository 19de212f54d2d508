/* SPDX-License-Identifier: Apache-2.0 */
/* Session tickets (RFC 8446 §4.6.1): a client that comes again saves the certificate and its signature. Current
 * clients ask for a fresh key exchange even then (psk_dhe_ke), so that the ticket key alone opens no recorded
 * connection. */
#pragma once

#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdint.h>

#include "common/status.h"

struct tickets {
    pthread_mutex_t lock;
    gnutls_datum_t key;
    int64_t made_ms; /* monotonic */
};

status tickets_init(struct tickets *t, struct error *err);
void tickets_clear(struct tickets *t); /* after all sessions */
/* Before the handshake of this session. Makes a new key when the old one has served its time. */
void tickets_enable(struct tickets *t, gnutls_session_t session);
/* No session of before is resumed: after a change of certificate each client is to see the new one. */
void tickets_forget(struct tickets *t);

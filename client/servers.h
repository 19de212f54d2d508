/* SPDX-License-Identifier: Apache-2.0 */
/* The configured servers, all of one store: a transport and a circuit breaker each, shared by all threads of the
 * process. Calls stay with the server that answered last, so that its connections are used again. */
#pragma once

#include "client/config.h"
#include "client/transport.h"

struct servers;

/* Reads the configured files (CA, client certificate, proxy credentials); no network. */
status servers_new(const struct client_config *config, struct servers **out, struct error *err);
void servers_free(struct servers *s); /* NULL is fine */
/* As those of transport.h; in a child that goes on the breakers are what they were. */
void servers_abandon_after_fork(struct servers *s);
void servers_fork_lock(struct servers *s);
void servers_fork_unlock(struct servers *s);

size_t servers_count(const struct servers *s);
const char *servers_url(const struct servers *s, size_t i);
struct transport *servers_transport(const struct servers *s, size_t i);

/* Which server to try next, none of those whose bit is set in excluded (never all of them): the one that answered last,
 * else one that is closed, else a probe of one whose pause is over, else the one whose failure is longest ago, so that
 * a call fails only after a real attempt. probe_until_ms bounds the claim of a probe. */
size_t servers_pick(struct servers *s, unsigned excluded, int64_t probe_until_ms);

enum servers_news { SERVERS_GOOD, SERVERS_BAD, SERVERS_NOTHING };
/* What came of it; every pick is followed by one. retry_after_ms: of a bad answer, 0 when it named none. */
void servers_note(struct servers *s, size_t i, enum servers_news news, int64_t retry_after_ms);

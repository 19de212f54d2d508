/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a request is from where it came through proxies: of what they wrote into Forwarded (RFC 7239) or
 * X-Forwarded-For, the rightmost address that is not a trusted proxy's. What stands to the left of it may be made up.
 */
#pragma once

#include "server/http/http.h"

enum { FORWARDED_HOPS = 32, HOP_SIZE = 46 /* INET6_ADDRSTRLEN */ };
struct hops {
    char addresses[FORWARDED_HOPS][HOP_SIZE]; /* "": not an address; the nearest last */
    int count;
};
/* One header line; several stand for one (RFC 9110 §5.3). CODE_INVALID when it is malformed or there are too many. */
status forwarded_add(struct hops *h, const char *value, struct error *err);     /* Forwarded */
status forwarded_for_add(struct hops *h, const char *value, struct error *err); /* X-Forwarded-For */

bool proxies_have(const struct proxies *p, const char *address);
/* peer is a trusted proxy: the client's address, or the farthest one when all are trusted; peer without any hop.
 * CODE_INVALID when the proxy does not tell an address there. */
status forwarded_client(const struct proxies *p, const struct hops *h, const char *peer, const char **out,
                        struct error *err);

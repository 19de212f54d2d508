/* SPDX-License-Identifier: Apache-2.0 */
/* The router: the tables of routes compiled into a tree of path segments. A look-up walks the path once and compares
 * each segment with the few children of one node; nothing is copied. */
#pragma once

#include "server/http/http.h"

struct router;

enum { ROUTE_SEGMENTS = 16, ROUTE_PARAMS = 6 };

struct route_match {
    const struct route *route; /* NULL: the path is known, the method is not */
    size_t param_count;
    const char *param_names[ROUTE_PARAMS];   /* borrowed from the router */
    struct slice param_values[ROUTE_PARAMS]; /* still percent-encoded */
    char allow[64];                          /* for 405: "GET, POST" */
};

/* CODE_INTERNAL names the row: permission 0, an unknown method, a malformed pattern, a duplicate. */
status router_new(const struct route *const *tables, struct router **out, struct error *err);
void router_free(struct router *r);
DEFINE_CLEANUP_PTR(struct router, router_free)
#define cleanup_router CLEANUP(router_free_cleanup)
/* False: no such path. A literal segment is tried before a parameter. */
bool router_find(const struct router *r, const char *method, struct slice path, struct route_match *out);

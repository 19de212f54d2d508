/* SPDX-License-Identifier: Apache-2.0 */
/* The control port of tests/support/faulty_proxy. */
#pragma once

#include <stddef.h>

struct proxy_counts {
    int token, keys, signatures, connections;
    int trapped; /* connections to the host that redirects name, since asked last */
};
void proxy_set(const char *kind, const char *path, int first, int count, const char *payload, size_t len);
void proxy_off(void);
struct proxy_counts proxy_counts(void);

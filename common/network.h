/* SPDX-License-Identifier: Apache-2.0 */
/* Networks in CIDR notation. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct network { /* IPv4 as IPv4-mapped IPv6 */
    uint8_t address[16];
    int prefix_len;
};
/* "10.0.0.0/8", "2001:db8::/32", an address alone. False for host bits behind the prefix, too. */
bool network_parse(const char *text, struct network *out);
bool network_has(const struct network *n, const char *address);

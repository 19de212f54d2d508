/* SPDX-License-Identifier: Apache-2.0 */
/* Networks in CIDR notation (RFC 4632, RFC 4291 §2.3). IPv4 is looked at as IPv4-mapped IPv6, so that a client
 * that comes in over a dual-stack socket is the same client. */
#include "common/network.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/text.h"

enum { ADDRESS_BITS = 128, MAPPED_BITS = 96, ADDRESS_TEXT_SIZE = 64 };

static bool address_parse(const char *text, uint8_t out[16], bool *is_v4)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    *is_v4 = inet_pton(AF_INET, text, out + 12) == 1;
    if (*is_v4) {
        memcpy(out, mapped, sizeof(mapped));
        return true;
    }
    return inet_pton(AF_INET6, text, out) == 1;
}

static bool bits_equal(const uint8_t *a, const uint8_t *b, int from, int to)
{
    for (int bit = from; bit < to; bit++) {
        if ((a[bit / 8] ^ b[bit / 8]) & 0x80 >> bit % 8)
            return false;
    }
    return true;
}

bool network_parse(const char *text, struct network *out)
{
    static const uint8_t zeros[16];
    char address[ADDRESS_TEXT_SIZE];
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    int64_t prefix_len = 0;
    bool is_v4 = false;
    if (len >= sizeof(address))
        return false;
    memcpy(address, text, len);
    address[len] = '\0';
    if (!address_parse(address, out->address, &is_v4))
        return false;
    int most = is_v4 ? ADDRESS_BITS - MAPPED_BITS : ADDRESS_BITS;
    if (slash && (!text_to_int64(slash + 1, &prefix_len) || slash[1] == '-' || slash[1] == '+' || prefix_len > most))
        return false;
    out->prefix_len = (slash ? (int)prefix_len : most) + (is_v4 ? MAPPED_BITS : 0);
    return bits_equal(out->address, zeros, out->prefix_len, ADDRESS_BITS);
}

bool network_has(const struct network *n, const char *address)
{
    uint8_t bytes[16];
    bool is_v4 = false;
    return address && address_parse(address, bytes, &is_v4) && bits_equal(n->address, bytes, 0, n->prefix_len);
}

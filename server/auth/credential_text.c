/* SPDX-License-Identifier: Apache-2.0 */
/* "chancery_<id>_<secret>_<checksum>": 20 characters of the id, 43 of the secret, 6 of the checksum, which is the first
 * 32 bits of the SHA-256 of all before its '_', in base62. No part holds a '_'. */
#include "server/auth/credential_text.h"

#include <stdio.h>
#include <string.h>

static const char base62_digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

status base62_secret_add(struct buf *out, struct error *err)
{
    enum { FAIR = 62 * 4 }; /* bytes above would favour the first digits */
    uint8_t random[32];
    for (size_t have = 0; have < BASE62_SECRET_LEN;) {
        TRY(secret_random(random, sizeof(random), err));
        for (size_t i = 0; i < sizeof(random) && have < BASE62_SECRET_LEN; i++) {
            if (random[i] >= FAIR)
                continue;
            buf_add_byte(out, (uint8_t)base62_digits[random[i] % 62]);
            have++;
        }
    }
    secret_wipe(random, sizeof(random));
    return buf_check(out, err);
}

static status checksum_format(struct slice text, char out[API_KEY_CHECKSUM_LEN], struct error *err)
{
    uint8_t hash[32];
    TRY(sha256(text, hash, err));
    uint32_t value = (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 | hash[3];
    for (int i = API_KEY_CHECKSUM_LEN - 1; i >= 0; i--, value /= 62)
        out[i] = base62_digits[value % 62];
    return OK;
}

status api_key_text_format(const char *id, struct slice secret, struct buf *text, struct error *err)
{
    char checksum[API_KEY_CHECKSUM_LEN];
    cleanup_buf struct buf made = {0};
    buf_add_text(&made, API_KEY_PREFIX);
    buf_add_text(&made, id + strlen(API_KEY_ID_PREFIX "_"));
    buf_add_byte(&made, '_');
    buf_add(&made, secret.data, secret.len);
    TRY(buf_check(&made, err));
    TRY(checksum_format(buf_slice(&made), checksum, err));
    buf_add_byte(&made, '_');
    buf_add(&made, checksum, sizeof(checksum));
    buf_add(text, made.data, made.len);
    TRY(buf_check(&made, err));
    return buf_check(text, err);
}

static bool is_made_of(struct slice part, const char *characters)
{
    for (size_t i = 0; i < part.len; i++) {
        if (part.data[i] == '\0' || !strchr(characters, part.data[i]))
            return false;
    }
    return true;
}

/* Takes len characters from the front of what is left, and the '_' behind them unless they are the last. */
static bool part_take(struct slice *left, size_t len, struct slice *part)
{
    bool last = left->len == len;
    if (left->len < len || (!last && left->data[len] != '_'))
        return false;

    size_t taken = last ? len : len + 1;
    *part = (struct slice){left->data, len};
    *left = (struct slice){left->data + taken, left->len - taken};
    return true;
}

bool api_key_text_parse(struct slice text, char id[ID_SIZE], struct slice *secret)
{
    const size_t prefix_len = strlen(API_KEY_PREFIX);
    const size_t text_len = prefix_len + API_KEY_ID_LEN + 1 + BASE62_SECRET_LEN + 1 + API_KEY_CHECKSUM_LEN;
    char expected[API_KEY_CHECKSUM_LEN];
    struct slice left = text, key_id, key_secret, checksum;
    if (text.len != text_len || memcmp(text.data, API_KEY_PREFIX, prefix_len) != 0)
        return false;

    left.data += prefix_len;
    left.len -= prefix_len;
    if (!part_take(&left, API_KEY_ID_LEN, &key_id) || !part_take(&left, BASE62_SECRET_LEN, &key_secret) ||
        !part_take(&left, API_KEY_CHECKSUM_LEN, &checksum))
        return false;
    if (!is_made_of(key_id, "abcdefghijklmnopqrstuvwxyz234567") || !is_made_of(key_secret, base62_digits))
        return false;
    struct slice covered = {text.data, text.len - API_KEY_CHECKSUM_LEN - 1};
    if (!is_ok(checksum_format(covered, expected, NULL)) || memcmp(expected, checksum.data, sizeof(expected)) != 0)
        return false;

    (void)snprintf(id, ID_SIZE, API_KEY_ID_PREFIX "_%.*s", (int)key_id.len, (const char *)key_id.data);
    *secret = key_secret;
    return true;
}

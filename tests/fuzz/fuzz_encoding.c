/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte chooses a decoder. What a strict decoder takes must be exactly what the encoder makes of the result.
 */
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/encoding.h"
#include "common/signature.h"
#include "common/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void base64(struct slice in)
{
    cleanup_buf struct buf bytes = {0}, text = {0};
    if (is_ok(base64_decode((const char *)in.data, in.len, &bytes, NULL))) {
        base64_encode(buf_slice(&bytes), &text);
        require(slice_equal(buf_slice(&text), in));
    }
}

static void base64url(struct slice in)
{
    cleanup_buf struct buf bytes = {0}, text = {0};
    if (is_ok(base64url_decode((const char *)in.data, in.len, &bytes, NULL))) {
        base64url_encode(buf_slice(&bytes), &text);
        require(slice_equal(buf_slice(&text), in));
    }
}

static void hex(struct slice in)
{
    cleanup_buf struct buf bytes = {0}, text = {0};
    if (is_ok(hex_decode((const char *)in.data, in.len, &bytes, NULL))) {
        hex_encode(buf_slice(&bytes), &text);
        require(text.len == in.len &&
                (in.len == 0 || strncasecmp(buf_text(&text), (const char *)in.data, in.len) == 0));
    }
}

static void digest_info(struct slice in)
{
    enum hash h = HASH_NONE;
    struct slice digest = {0};
    cleanup_buf struct buf again = {0};
    if (digest_info_decode(in, &h, &digest)) {
        digest_info_encode(h, digest, &again);
        require(slice_equal(buf_slice(&again), in));
    }
}

static void ecdsa(struct slice in)
{
    cleanup_buf struct buf raw = {0}, der = {0};
    if (is_ok(ecdsa_der_to_raw(in, 66, &raw, NULL))) {
        require(is_ok(ecdsa_raw_to_der(buf_slice(&raw), &der, NULL)));
        require(slice_equal(buf_slice(&der), in));
    }
    ignore(ecdsa_raw_to_der(in, &der, NULL));
}

static void text(struct slice in)
{
    cleanup_buf struct buf copy = {0};
    buf_add(&copy, in.data, in.len);
    int64_t time = 0, again = 0;
    char formatted[TIME_TEXT_SIZE];
    if (is_ok(time_parse(buf_text(&copy), &time, NULL)) && time >= -62167219200000 && time < 253402300800000) {
        time_format(time, formatted);
        require(is_ok(time_parse(formatted, &again, NULL)) && again == time);
    }
    (void)text_is_printable(buf_text(&copy), 255);
    (void)text_is_name(buf_text(&copy));
    (void)text_to_int64(buf_text(&copy), &again);
    bool valid = false;
    char set[HASH_SET_SIZE];
    hash_set_format(hash_set_parse(buf_text(&copy), &valid), set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const targets[])(struct slice) = {base64, base64url, hex, digest_info, ecdsa, text};
    if (size > 0)
        targets[data[0] % COUNT_OF(targets)]((struct slice){data + 1, size - 1});
    return 0;
}

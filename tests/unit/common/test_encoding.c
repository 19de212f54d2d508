/* SPDX-License-Identifier: Apache-2.0 */
#include "common/encoding.h"

#include "expect.h"

/* RFC 4648 §10 */
static const struct {
    const char *plain, *base64, *base64url, *hex;
} vectors[] = {
    {"", "", "", ""},
    {"f", "Zg==", "Zg", "66"},
    {"fo", "Zm8=", "Zm8", "666f"},
    {"foo", "Zm9v", "Zm9v", "666f6f"},
    {"foob", "Zm9vYg==", "Zm9vYg", "666f6f62"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE", "666f6f6261"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy", "666f6f626172"},
    {"\xfb\xff\xbf", "+/+/", "-_-_", "fbffbf"},
};

typedef void encoder(struct slice in, struct buf *out);
typedef status decoder(const char *text, size_t len, struct buf *out, struct error *err);

static void check_both_ways(encoder *encode, decoder *decode, const char *plain, const char *text)
{
    cleanup_buf struct buf encoded = {0}, decoded = {0};
    encode(slice_of_text(plain), &encoded);
    assert_buf(&encoded, text);
    assert_ok(decode(text, strlen(text), &decoded, NULL));
    assert_buf(&decoded, plain);
}

static void the_vectors_of_rfc_4648_hold_in_both_directions(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        check_both_ways(base64_encode, base64_decode, vectors[i].plain, vectors[i].base64);
        check_both_ways(base64url_encode, base64url_decode, vectors[i].plain, vectors[i].base64url);
        check_both_ways(hex_encode, hex_decode, vectors[i].plain, vectors[i].hex);
    }
}

static void all_bytes_at_all_lengths_survive_the_round_trip(void **state)
{
    (void)state;
    uint8_t bytes[256];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + 3);
    static const struct {
        encoder *encode;
        decoder *decode;
    } codecs[] = {{base64_encode, base64_decode}, {base64url_encode, base64url_decode}, {hex_encode, hex_decode}};

    for (size_t c = 0; c < COUNT_OF(codecs); c++) {
        for (size_t len = 0; len <= sizeof(bytes); len++) {
            cleanup_buf struct buf text = {0}, back = {0};
            codecs[c].encode((struct slice){bytes, len}, &text);
            assert_ok(codecs[c].decode(buf_text(&text), text.len, &back, NULL));
            assert_true(slice_equal(buf_slice(&back), (struct slice){bytes, len}));
        }
    }
}

static void check_refused(decoder *decode, const char *text)
{
    cleanup_buf struct buf out = {0};
    buf_add_text(&out, "before");
    struct error err;
    assert_code(decode(text, strlen(text), &out, &err), CODE_INVALID);
    assert_buf(&out, "before");
}

static void base64_that_no_encoder_makes_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "Z",        "Zg",       "Zg=",       "Zg===", "=",    "==",      "====",       "A===",     "=AAA",
        "Zg==Zg==", "Zm9v=",    "Zm9v====",  "Z=9v",  "Zm=v", "Zh==",    "Zm9=",       "Zm9 ",     " Zm9",
        "Zm9v\n",   "Zm9v\r\n", "Zm9v Zg==", "Zm-v",  "Zm_v", "Zm9\xc3", "Zm9v\x01==", "Zm9v.Zm9",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check_refused(base64_decode, rows[i]);
}

static void base64url_that_no_encoder_makes_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {"Z",   "Zg==",  "Zm8=", "Zm+v",   "Zm/v",  "Zh",
                                       "Zm9", "Zm9v ", "=",    "Zm9v\n", "AAAAA", "Zm9v="};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check_refused(base64url_decode, rows[i]);
}

static void hex_is_pairs_of_digits_of_either_case(void **state)
{
    (void)state;
    static const char *const refused[] = {"0", "0g", "g0", "0x00", " 00", "00 ", "0 ", "-1", "000", "\xff\xff"};
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        check_refused(hex_decode, refused[i]);

    cleanup_buf struct buf out = {0};
    assert_ok(hex_decode("aAbBfF09", 8, &out, NULL));
    assert_true(slice_equal(buf_slice(&out), SLICE("\xaa\xbb\xff\x09")));
}

static void a_nul_inside_the_text_is_refused(void **state)
{
    (void)state;
    cleanup_buf struct buf out = {0};
    assert_code(base64_decode("Zm\0v", 4, &out, NULL), CODE_INVALID);
    assert_code(base64url_decode("Zm\0v", 4, &out, NULL), CODE_INVALID);
    assert_code(hex_decode("0\0", 2, &out, NULL), CODE_INVALID);
    assert_int_equal(out.len, 0);
}

static void hex_format_ends_its_text(void **state)
{
    (void)state;
    char text[7] = "xxxxxx";
    hex_format(SLICE("\x00\x9f\xff"), text);
    assert_string_equal(text, "009fff");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_rfc_4648_hold_in_both_directions),
        cmocka_unit_test(all_bytes_at_all_lengths_survive_the_round_trip),
        cmocka_unit_test(base64_that_no_encoder_makes_is_refused),
        cmocka_unit_test(base64url_that_no_encoder_makes_is_refused),
        cmocka_unit_test(hex_is_pairs_of_digits_of_either_case),
        cmocka_unit_test(a_nul_inside_the_text_is_refused),
        cmocka_unit_test(hex_format_ends_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

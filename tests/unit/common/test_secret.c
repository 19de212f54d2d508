/* SPDX-License-Identifier: Apache-2.0 */
#include "common/secret.h"

#include <openssl/crypto.h>
#include <openssl/provider.h>

#include "chancery/protocol.h"
#include "common/encoding.h"
#include "expect.h"

static void wiped_bytes_are_zero(void **state)
{
    (void)state;
    char secret[] = "hunter2";
    secret_wipe(secret, sizeof(secret));
    assert_memory_equal(secret, "\0\0\0\0\0\0\0\0", sizeof(secret));
    secret_wipe(NULL, 0);
}

static void equal_means_every_byte(void **state)
{
    (void)state;
    assert_true(secret_equal("abc", "abc", 3));
    assert_false(secret_equal("abc", "abd", 3));
    assert_false(secret_equal("abc", "bbc", 3));
    assert_true(secret_equal("abc", "abd", 2));
    assert_true(secret_equal(NULL, NULL, 0));
}

static void random_bytes_differ_and_fill_any_length(void **state)
{
    (void)state;
    static uint8_t a[100000], b[100000];
    assert_ok(secret_random(a, sizeof(a), NULL));
    assert_ok(secret_random(b, sizeof(b), NULL));
    assert_memory_not_equal(a, b, sizeof(a));
    assert_memory_not_equal(a + sizeof(a) - 32, a + sizeof(a) - 64, 32);
    assert_ok(secret_random(a, 0, NULL));
}

static void assert_sha256(const char *text, const char *expected)
{
    uint8_t digest[32];
    char hex[65];
    assert_ok(sha256(slice_of_text(text), digest, NULL));
    hex_format((struct slice){digest, sizeof(digest)}, hex);
    assert_string_equal(hex, expected);
}

/* FIPS 180-4 examples */
static void sha256_gives_the_published_values(void **state)
{
    (void)state;
    assert_sha256("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_sha256(NULL, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void sha256_works_under_a_foreign_default_context(void **state)
{
    (void)state;
    OSSL_LIB_CTX *private = OSSL_LIB_CTX_new();
    OSSL_LIB_CTX *before = OSSL_LIB_CTX_set0_default(private);
    assert_sha256("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    (void)OSSL_LIB_CTX_set0_default(before);
    OSSL_LIB_CTX_free(private);
}

static void an_id_is_prefix_underline_and_twenty_base32_digits(void **state)
{
    (void)state;
    unsigned seen = 0;
    char last[LIMIT_ID + 1] = "";
    for (int i = 0; i < 500; i++) {
        char id[LIMIT_ID + 1];
        assert_ok(id_new("key", id, NULL));
        assert_int_equal(strlen(id), 24);
        assert_memory_equal(id, "key_", 4);
        assert_int_equal(strspn(id + 4, "abcdefghijklmnopqrstuvwxyz234567"), 20);
        assert_string_not_equal(id, last);
        memcpy(last, id, sizeof(id));
        for (const char *c = id + 4; *c; c++)
            seen |= 1u << (*c >= 'a' ? *c - 'a' : *c - '2' + 26);
    }
    assert_int_equal(seen, 0xFFFFFFFF); /* all 32 digits are used */
}

static void an_id_never_exceeds_its_limit(void **state)
{
    (void)state;
    char id[LIMIT_ID + 1] = "untouched";
    assert_ok(id_new("nineteen_characters", id, NULL));
    assert_int_equal(strlen(id), LIMIT_ID);
    assert_code(id_new("twenty_characters_xx", id, NULL), CODE_INTERNAL);
    assert_memory_equal(id, "nineteen", 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wiped_bytes_are_zero),
        cmocka_unit_test(equal_means_every_byte),
        cmocka_unit_test(random_bytes_differ_and_fill_any_length),
        cmocka_unit_test(sha256_gives_the_published_values),
        cmocka_unit_test(sha256_works_under_a_foreign_default_context),
        cmocka_unit_test(an_id_is_prefix_underline_and_twenty_base32_digits),
        cmocka_unit_test(an_id_never_exceeds_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "common/certificate.h"

#include "common/openssl_scope.h"
#include "expect.h"
#include "keys.h"

enum { UNTOUCHED = 77 };

static const struct {
    const char *text; /* of 13 characters a UTCTime, of 15 a GeneralizedTime */
    int64_t ms;
} times[] = {
    {"19000101000000Z", -2208988800000}, /* as no certificate may say it, but some do */
    {"500101000000Z", -631152000000},
    {"19691231235959Z", -1000},
    {"700101000000Z", 0},
    {"000229120000Z", 951825600000},
    {"380119031407Z", 2147483647000},
    {"380119031408Z", 2147483648000},
    {"491231235959Z", 2524607999000}, /* the last of UTCTime */
    {"20500101000000Z", 2524608000000},
    {"21000228235959Z", 4107542399000},
    {"99991231235959Z", 253402300799000}, /* RFC 5280 §4.1.2.5: no end */
};

static void times_are_read_from_before_1970_to_the_year_9999(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        cleanup_asn1_time ASN1_TIME *t = ASN1_TIME_new();
        int64_t ms = UNTOUCHED;
        assert_true(ASN1_TIME_set_string(t, times[i].text));
        assert_true(certificate_time_ms(t, &ms));
        assert_int_equal(ms, times[i].ms);
    }
}

static void what_is_no_time_is_not_read(void **state)
{
    static const char *const texts[] = {"", "x", "20241301000000Z", "20230229000000Z", "20240101", "2024010100000"};
    (void)state;
    int64_t ms = UNTOUCHED;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        cleanup_asn1_time ASN1_TIME *t = ASN1_STRING_type_new(V_ASN1_GENERALIZEDTIME);
        assert_true(ASN1_STRING_set(t, texts[i], -1));
        assert_false(certificate_time_ms(t, &ms));
    }
    assert_false(certificate_time_ms(NULL, &ms));
    assert_int_equal(ms, UNTOUCHED);
    assert_int_equal(ERR_peek_error(), 0);
}

/* Self-signed, and no more in it than it needs. */
static void certificate_until(const char *end, struct buf *der)
{
    cleanup_x509 X509 *crt = X509_new();
    EVP_PKEY *key = key_of(KEY_TYPE_P256);
    assert_true(ASN1_TIME_set_string(X509_getm_notBefore(crt), "19000101000000Z"));
    assert_true(ASN1_TIME_set_string(X509_getm_notAfter(crt), end));
    assert_true(X509_set_pubkey(crt, key));
    assert_true(X509_sign(crt, key, EVP_sha256()) > 0);
    unsigned char *bytes = NULL;
    int len = i2d_X509(crt, &bytes);
    assert_true(len > 0);
    buf_add(der, bytes, (size_t)len);
    OPENSSL_free(bytes);
}

static void end_of_a_certificate_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        cleanup_buf struct buf der = {0};
        int64_t ms = UNTOUCHED;
        certificate_until(times[i].text, &der);
        assert_true(certificate_end_ms(buf_slice(&der), &ms));
        assert_int_equal(ms, times[i].ms);
        assert_int_equal(certificate_not_after_ms(buf_slice(&der)), times[i].ms > 0 ? times[i].ms : 0);
    }
}

static void what_is_no_certificate_has_no_end(void **state)
{
    const struct slice bad[] = {{NULL, 0}, SLICE("x"), SLICE("\x30\x00"), SLICE("\x30\x82\xff\xff")};
    (void)state;
    int64_t ms = UNTOUCHED;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(certificate_end_ms(bad[i], &ms));
        assert_int_equal(certificate_not_after_ms(bad[i]), 0);
    }
    assert_int_equal(ms, UNTOUCHED);
    assert_int_equal(ERR_peek_error(), 0);
}

static void der_values_behind_one_another_are_taken_one_by_one(void **state)
{
    struct slice rest = SLICE("\x30\x01x\x04\x00\x30\x05y"), one;
    (void)state;
    assert_true(der_next(&rest, &one));
    assert_int_equal(one.len, 3);
    assert_true(der_next(&rest, &one));
    assert_int_equal(one.len, 2);
    assert_false(der_next(&rest, &one)); /* longer than what is there */
    rest = SLICE("\x30\x80\x00\x00");
    assert_false(der_next(&rest, &one)); /* of indefinite length */
    rest.len = 0;
    assert_false(der_next(&rest, &one));
}

static int keys_drop(void **state)
{
    (void)state;
    keys_clear();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_from_before_1970_to_the_year_9999),
        cmocka_unit_test(what_is_no_time_is_not_read),
        cmocka_unit_test(end_of_a_certificate_is_read),
        cmocka_unit_test(what_is_no_certificate_has_no_end),
        cmocka_unit_test(der_values_behind_one_another_are_taken_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, keys_drop);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What is a query and what is served, and the form of refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "server/tsa/internal.h"
#include "tests/support/timestamp_query.h"

static struct refusal r;

static bool read_plan(struct query_plan plan, struct query *out, struct buf *der)
{
    query_make(&plan, der);
    r = (struct refusal){0};
    return query_read(buf_slice(der), out, &r);
}

static void assert_refused(struct query_plan plan, int failure, const char *part)
{
    cleanup_buf struct buf der = {0};
    cleanup_query struct query q = {0};

    assert_false(read_plan(plan, &q, &der));
    assert_int_equal(r.failure, failure);
    assert_non_null(strstr(r.text, part));
}

static void sha256_sha384_and_sha512_are_served(void **state)
{
    static const struct {
        int nid;
        enum hash hash;
    } rows[] = {{NID_sha256, HASH_SHA256}, {NID_sha384, HASH_SHA384}, {NID_sha512, HASH_SHA512}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_buf struct buf der = {0};
        cleanup_query struct query q = {0};
        assert_true(read_plan((struct query_plan){.nid = rows[i].nid, .byte = 7, .nonce = 5}, &q, &der));
        assert_int_equal(q.hash, rows[i].hash);
        assert_int_equal(q.digest.len, hash_len(rows[i].hash));
        assert_int_equal(q.digest.data[0], 7);
    }
}

static void other_hashes_are_bad_algorithms(void **state)
{
    static const int nids[] = {NID_md5, NID_sha1, NID_sha224, NID_sha512_256, NID_sha3_256, NID_sm3};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(nids); i++)
        assert_refused((struct query_plan){.nid = nids[i], .digest_len = 32}, TS_INFO_BAD_ALG, "SHA-256");
    assert_refused((struct query_plan){.has_parameter = true}, TS_INFO_BAD_ALG, "parameter");
}

static void a_digest_of_another_length_is_bad_data(void **state)
{
    (void)state;
    assert_refused((struct query_plan){.digest_len = 31}, TS_INFO_BAD_DATA_FORMAT, "31 bytes");
    assert_refused((struct query_plan){.digest_len = 33}, TS_INFO_BAD_DATA_FORMAT, "33 bytes");
    assert_refused((struct query_plan){.nid = NID_sha512, .digest_len = 32}, TS_INFO_BAD_DATA_FORMAT, "64");
}

static void another_version_and_any_extension_are_refused(void **state)
{
    (void)state;
    assert_refused((struct query_plan){.version = 2}, TS_INFO_BAD_REQUEST, "version");
    assert_refused((struct query_plan){.has_extension = true}, TS_INFO_UNACCEPTED_EXTENSION, "extension");
}

static void what_is_no_query_is_bad_data(void **state)
{
    cleanup_buf struct buf der = {0};
    struct query q;

    (void)state;
    query_make(&(struct query_plan){.wants_certificate = true, .nonce = 9}, &der);
    for (size_t len = 0; len < der.len; len++) {
        assert_false(query_read((struct slice){der.data, len}, &q, &r));
        assert_int_equal(r.failure, TS_INFO_BAD_DATA_FORMAT);
        query_clear(&q);
    }
    buf_add_byte(&der, 0);
    assert_false(query_read(buf_slice(&der), &q, &r));
    assert_int_equal(r.failure, TS_INFO_BAD_DATA_FORMAT);
    query_clear(&q);
}

static void a_policy_that_is_asked_for_must_be_ours(void **state)
{
    cleanup_asn1_object ASN1_OBJECT *ours = OBJ_txt2obj("1.2.3.4", 1);
    static const struct {
        const char *asked;
        bool served;
    } rows[] = {{NULL, true}, {"1.2.3.4", true}, {"1.2.3.4.5", false}, {"1.2.3", false}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_buf struct buf der = {0};
        cleanup_query struct query q = {0};
        assert_true(read_plan((struct query_plan){.policy = rows[i].asked}, &q, &der));
        assert_int_equal(query_policy(&q, ours, &r), rows[i].served);
        if (!rows[i].served)
            assert_int_equal(r.failure, TS_INFO_UNACCEPTED_POLICY);
    }
}

static void a_refusal_says_status_failure_and_why(void **state)
{
    cleanup_buf struct buf reply = {0};
    static const int failures[] = {TS_INFO_BAD_ALG,           TS_INFO_BAD_REQUEST,
                                   TS_INFO_BAD_DATA_FORMAT,   TS_INFO_TIME_NOT_AVAILABLE,
                                   TS_INFO_UNACCEPTED_POLICY, TS_INFO_SYSTEM_FAILURE};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(failures); i++) {
        (void)refuse(&r, failures[i], "because of %d", 7);
        assert_int_equal(refusal_encode(&r, &reply, NULL).code, CODE_OK);
        const unsigned char *at = reply.data;
        cleanup_ts_resp TS_RESP *response = d2i_TS_RESP(NULL, &at, (long)reply.len);
        assert_non_null(response);
        TS_STATUS_INFO *info = TS_RESP_get_status_info(response);
        assert_int_equal(ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(info)), TS_STATUS_REJECTION);
        assert_int_equal(ASN1_BIT_STRING_get_bit(TS_STATUS_INFO_get0_failure_info(info), failures[i]), 1);
        const ASN1_STRING *text = sk_ASN1_UTF8STRING_value(TS_STATUS_INFO_get0_text(info), 0);
        assert_string_equal((const char *)ASN1_STRING_get0_data(text), "because of 7");
        assert_null(TS_RESP_get_token(response));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_sha384_and_sha512_are_served),
        cmocka_unit_test(other_hashes_are_bad_algorithms),
        cmocka_unit_test(a_digest_of_another_length_is_bad_data),
        cmocka_unit_test(another_version_and_any_extension_are_refused),
        cmocka_unit_test(what_is_no_query_is_bad_data),
        cmocka_unit_test(a_policy_that_is_asked_for_must_be_ours),
        cmocka_unit_test(a_refusal_says_status_failure_and_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

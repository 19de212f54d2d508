/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

static CK_BYTE data[] = "abc";
/* FIPS 180-4 example: SHA-256 of "abc". */
static const CK_BYTE sha256_abc[32] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                       0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                       0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};

static void begin(CK_SESSION_HANDLE session)
{
    CK_MECHANISM mechanism = {CKM_SHA256, NULL, 0};
    assert_rv(C_DigestInit(session, &mechanism), CKR_OK);
}

static void digests_are_right_whole_and_in_parts(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    CK_BYTE digest[64];
    CK_ULONG len = sizeof digest;
    begin(session);
    assert_rv(C_Digest(session, data, 3, digest, &len), CKR_OK);
    assert_int_equal(len, 32);
    assert_memory_equal(digest, sha256_abc, 32);

    len = sizeof digest;
    begin(session);
    assert_rv(C_DigestUpdate(session, data, 1), CKR_OK);
    assert_rv(C_DigestUpdate(session, data + 1, 2), CKR_OK);
    assert_rv(C_DigestFinal(session, digest, &len), CKR_OK);
    assert_memory_equal(digest, sha256_abc, 32);
    assert_rv(C_DigestFinal(session, digest, &len), CKR_OPERATION_NOT_INITIALIZED);
}

static void every_digest_listed_has_its_length(void **state)
{
    (void)state;
    static const struct {
        CK_MECHANISM_TYPE type;
        CK_ULONG len;
    } rows[] = {{CKM_SHA_1, 20},    {CKM_SHA224, 28},   {CKM_SHA256, 32},   {CKM_SHA384, 48},  {CKM_SHA512, 64},
                {CKM_SHA3_224, 28}, {CKM_SHA3_256, 32}, {CKM_SHA3_384, 48}, {CKM_SHA3_512, 64}};
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CK_MECHANISM mechanism = {rows[i].type, NULL, 0};
        CK_ULONG len = 0;
        assert_rv(C_DigestInit(session, &mechanism), CKR_OK);
        assert_rv(C_Digest(session, data, 3, NULL, &len), CKR_OK);
        assert_int_equal(len, rows[i].len);
        assert_rv(C_SessionCancel(session, CKF_DIGEST), CKR_OK);
    }
}

static void short_buffers_keep_and_errors_end_the_operation(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    CK_BYTE digest[64];
    CK_ULONG len = 31;
    begin(session);
    assert_rv(C_Digest(session, data, 3, digest, &len), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(len, 32);
    assert_rv(C_Digest(session, data, 3, digest, &len), CKR_OK);
    assert_memory_equal(digest, sha256_abc, 32);

    begin(session);
    assert_rv(C_Digest(session, data, 3, digest, NULL), CKR_ARGUMENTS_BAD);
    assert_rv(C_Digest(session, data, 3, digest, &len), CKR_OPERATION_NOT_INITIALIZED);
    begin(session);
    assert_rv(C_DigestUpdate(session, NULL, 3), CKR_ARGUMENTS_BAD);
    assert_rv(C_DigestFinal(session, digest, &len), CKR_OPERATION_NOT_INITIALIZED);
    begin(session);
    assert_rv(C_DigestUpdate(session, data, 3), CKR_OK);
    assert_rv(C_Digest(session, data, 3, digest, &len), CKR_OPERATION_ACTIVE);
    begin(session);
}

static void init_takes_digest_mechanisms_only(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    CK_MECHANISM sign = {CKM_RSA_PKCS, NULL, 0}, with = {CKM_SHA256, data, 3};
    assert_rv(C_DigestInit(session, &sign), CKR_MECHANISM_INVALID);
    assert_rv(C_DigestInit(session, &with), CKR_MECHANISM_PARAM_INVALID);
    assert_rv(C_DigestInit(session, NULL), CKR_ARGUMENTS_BAD);
    begin(session);
}

static void random_bytes_come_without_login_and_need_no_seed(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    CK_BYTE a[32] = {0}, b[32] = {0};
    assert_rv(C_GenerateRandom(session, a, sizeof a), CKR_OK);
    assert_rv(C_GenerateRandom(session, b, sizeof b), CKR_OK);
    assert_memory_not_equal(a, b, sizeof a);
    assert_rv(C_GenerateRandom(session, NULL, 1), CKR_ARGUMENTS_BAD);
    assert_rv(C_GenerateRandom(0, a, 1), CKR_SESSION_HANDLE_INVALID);
    assert_rv(C_SeedRandom(session, a, sizeof a), CKR_RANDOM_SEED_NOT_SUPPORTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, host_setup, host_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(digests_are_right_whole_and_in_parts),
        TEST(every_digest_listed_has_its_length),
        TEST(short_buffers_keep_and_errors_end_the_operation),
        TEST(init_takes_digest_mechanisms_only),
        TEST(random_bytes_come_without_login_and_need_no_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

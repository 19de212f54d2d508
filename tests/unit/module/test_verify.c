/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

struct fixture {
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE private;
    CK_OBJECT_HANDLE public;
    CK_BYTE data[40];
    CK_BYTE signature[64];
};

/* A session with a signature of data by ECDSA-SHA256. */
static int setup(void **state)
{
    static struct fixture f;
    if (host_setup(state) != 0)
        return -1;
    f = (struct fixture){.session = host_open_logged_in(SLOT_MAIN), .data = "as it was"};
    f.private = host_find(f.session, CKO_PRIVATE_KEY, "demo-p256");
    f.public = host_find(f.session, CKO_PUBLIC_KEY, "demo-p256");
    CK_MECHANISM mechanism = {CKM_ECDSA_SHA256, NULL, 0};
    CK_ULONG len = sizeof f.signature;
    assert_rv(C_SignInit(f.session, &mechanism, f.private), CKR_OK);
    assert_rv(C_Sign(f.session, f.data, sizeof f.data, f.signature, &len), CKR_OK);
    *state = &f;
    return 0;
}

static void begin(const struct fixture *f)
{
    CK_MECHANISM mechanism = {CKM_ECDSA_SHA256, NULL, 0};
    assert_rv(C_VerifyInit(f->session, &mechanism, f->public), CKR_OK);
}

static void a_good_signature_verifies_whole_and_in_parts(void **state)
{
    struct fixture *f = *state;
    begin(f);
    assert_rv(C_Verify(f->session, f->data, sizeof f->data, f->signature, 64), CKR_OK);
    begin(f);
    assert_rv(C_VerifyUpdate(f->session, f->data, 7), CKR_OK);
    assert_rv(C_VerifyUpdate(f->session, f->data + 7, sizeof f->data - 7), CKR_OK);
    assert_rv(C_VerifyFinal(f->session, f->signature, 64), CKR_OK);
    assert_int_equal(fake.sign_calls, 1);
}

static void one_changed_bit_is_found_and_ends_the_operation(void **state)
{
    struct fixture *f = *state;
    f->signature[63] ^= 1;
    begin(f);
    assert_rv(C_Verify(f->session, f->data, sizeof f->data, f->signature, 64), CKR_SIGNATURE_INVALID);
    f->signature[63] ^= 1;
    assert_rv(C_Verify(f->session, f->data, sizeof f->data, f->signature, 64), CKR_OPERATION_NOT_INITIALIZED);
    f->data[0] ^= 1;
    begin(f);
    assert_rv(C_Verify(f->session, f->data, sizeof f->data, f->signature, 64), CKR_SIGNATURE_INVALID);
}

static void a_signature_of_another_length_is_out_of_range(void **state)
{
    struct fixture *f = *state;
    begin(f);
    assert_rv(C_Verify(f->session, f->data, sizeof f->data, f->signature, 63), CKR_SIGNATURE_LEN_RANGE);
    begin(f);
    assert_rv(C_Verify(f->session, f->data, sizeof f->data, NULL, 64), CKR_ARGUMENTS_BAD);
}

static void verifying_needs_the_public_key(void **state)
{
    struct fixture *f = *state;
    CK_MECHANISM mechanism = {CKM_ECDSA_SHA256, NULL, 0}, rsa = {CKM_RSA_PKCS, NULL, 0}, none = {CKM_SHA256, NULL, 0};
    assert_rv(C_VerifyInit(f->session, &mechanism, f->private), CKR_KEY_FUNCTION_NOT_PERMITTED);
    assert_rv(C_VerifyInit(f->session, &mechanism, 0), CKR_KEY_HANDLE_INVALID);
    assert_rv(C_VerifyInit(f->session, &rsa, f->public), CKR_KEY_TYPE_INCONSISTENT);
    assert_rv(C_VerifyInit(f->session, &none, f->public), CKR_MECHANISM_INVALID);
    assert_rv(C_Verify(f->session, f->data, 1, f->signature, 64), CKR_OPERATION_NOT_INITIALIZED);
}

static void no_login_is_needed_to_verify(void **state)
{
    struct fixture *f = *state;
    assert_rv(C_Logout(f->session), CKR_OK);
    begin(f);
    assert_rv(C_Verify(f->session, f->data, sizeof f->data, f->signature, 64), CKR_OK);
}

static void every_signing_mechanism_verifies(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < row_count; i++) {
        CK_SESSION_HANDLE session = host_open_logged_in(row_slot(&rows[i]));
        const char *label = row_key(&rows[i])->token_label;
        CK_MECHANISM mechanism = row_mechanism(&rows[i]);
        struct slice input = row_input(&rows[i], (struct slice){f->data, sizeof f->data});
        CK_BYTE signature[512], changed[128];
        CK_ULONG len = sizeof signature;
        memcpy(changed, input.data, input.len);
        changed[input.len - 1] ^= 1;
        CK_OBJECT_HANDLE public = host_find(session, CKO_PUBLIC_KEY, label);
        assert_rv(C_SignInit(session, &mechanism, host_find(session, CKO_PRIVATE_KEY, label)), CKR_OK);
        assert_rv(C_Sign(session, (CK_BYTE_PTR)input.data, input.len, signature, &len), CKR_OK);
        assert_rv(C_VerifyInit(session, &mechanism, public), CKR_OK);
        assert_rv(C_Verify(session, (CK_BYTE_PTR)input.data, input.len, signature, len), CKR_OK);
        assert_rv(C_VerifyInit(session, &mechanism, public), CKR_OK);
        assert_rv(C_Verify(session, changed, input.len, signature, len), CKR_SIGNATURE_INVALID);
    }
}

static void rsa_pkcs_verifies_its_digest_info(void **state)
{
    struct fixture *f = *state;
    CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
    struct buf info = {0};
    digest_info_encode(HASH_SHA256, (struct slice){f->data, 32}, &info);
    CK_BYTE signature[256];
    CK_ULONG len = sizeof signature;
    assert_rv(C_SignInit(f->session, &mechanism, host_find(f->session, CKO_PRIVATE_KEY, "demo-rsa2048")), CKR_OK);
    assert_rv(C_Sign(f->session, info.data, info.len, signature, &len), CKR_OK);
    assert_rv(C_VerifyInit(f->session, &mechanism, host_find(f->session, CKO_PUBLIC_KEY, "demo-rsa2048")), CKR_OK);
    assert_rv(C_Verify(f->session, info.data, info.len, signature, len), CKR_OK);
    buf_clear(&info);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, host_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_signature_verifies_whole_and_in_parts),
        TEST(one_changed_bit_is_found_and_ends_the_operation),
        TEST(a_signature_of_another_length_is_out_of_range),
        TEST(verifying_needs_the_public_key),
        TEST(no_login_is_needed_to_verify),
        TEST(every_signing_mechanism_verifies),
        TEST(rsa_pkcs_verifies_its_digest_info),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

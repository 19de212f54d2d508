/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include "chancery/protocol.h"

struct fixture {
    CK_SESSION_HANDLE session;
    CK_SESSION_HANDLE edwards;
    CK_OBJECT_HANDLE rsa, p256, ed25519;
};

static int setup(void **state)
{
    static struct fixture f;
    if (host_setup(state) != 0)
        return -1;
    f.session = host_open_logged_in(SLOT_MAIN);
    f.edwards = host_open_logged_in(SLOT_EDWARDS);
    f.rsa = host_find(f.session, CKO_PRIVATE_KEY, "demo-rsa2048");
    f.p256 = host_find(f.session, CKO_PRIVATE_KEY, "demo-p256");
    f.ed25519 = host_find(f.edwards, CKO_PRIVATE_KEY, "demo-ed25519");
    *state = &f;
    return 0;
}

static CK_BYTE data[100] = "To be sealed.";

static struct slice data_slice(void)
{
    return (struct slice){data, sizeof data};
}

static CK_SESSION_HANDLE session_for(const struct fixture *f, const struct row *row)
{
    return row_slot(row) == SLOT_EDWARDS ? f->edwards : f->session;
}

static CK_OBJECT_HANDLE handle_for(const struct fixture *f, const struct row *row)
{
    return host_find(session_for(f, row), CKO_PRIVATE_KEY, row_key(row)->token_label);
}

static void every_mechanism_signs_what_verifies(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < row_count; i++) {
        CK_SESSION_HANDLE session = session_for(f, &rows[i]);
        CK_MECHANISM mechanism = row_mechanism(&rows[i]);
        CK_BYTE signature[512];
        CK_ULONG len = sizeof signature;
        struct slice input = row_input(&rows[i], data_slice());
        assert_rv(C_SignInit(session, &mechanism, handle_for(f, &rows[i])), CKR_OK);
        assert_rv(C_Sign(session, (CK_BYTE_PTR)input.data, input.len, signature, &len), CKR_OK);
        assert_int_equal(len, key_type_signature_len(row_key(&rows[i])->type));
        row_assert_verifies(&rows[i], data_slice(), (struct slice){signature, len});
    }
}

static void every_hashing_mechanism_and_eddsa_sign_in_parts(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < row_count; i++) {
        if (!row_takes_parts(&rows[i]))
            continue;
        CK_SESSION_HANDLE session = session_for(f, &rows[i]);
        CK_MECHANISM mechanism = row_mechanism(&rows[i]);
        CK_BYTE signature[512];
        CK_ULONG len = sizeof signature;
        assert_rv(C_SignInit(session, &mechanism, handle_for(f, &rows[i])), CKR_OK);
        assert_rv(C_SignUpdate(session, data, 1), CKR_OK);
        assert_rv(C_SignUpdate(session, NULL, 0), CKR_OK);
        assert_rv(C_SignUpdate(session, data + 1, sizeof data - 1), CKR_OK);
        assert_rv(C_SignFinal(session, signature, &len), CKR_OK);
        row_assert_verifies(&rows[i], data_slice(), (struct slice){signature, len});
        assert_rv(C_SignFinal(session, signature, &len), CKR_OPERATION_NOT_INITIALIZED);
    }
}

static void single_part_mechanisms_take_no_parts(void **state)
{
    struct fixture *f = *state;
    CK_ULONG len = 512;
    for (size_t i = 0; i < row_count; i++) {
        if (row_takes_parts(&rows[i]))
            continue;
        CK_MECHANISM mechanism = row_mechanism(&rows[i]);
        assert_rv(C_SignInit(f->session, &mechanism, handle_for(f, &rows[i])), CKR_OK);
        assert_rv(C_SignUpdate(f->session, data, sizeof data), CKR_FUNCTION_NOT_SUPPORTED);
        assert_rv(C_SignFinal(f->session, data, &len), CKR_OPERATION_NOT_INITIALIZED);
    }
    assert_int_equal(fake.sign_calls, 0);
}

static void parts_without_any_sign_the_empty_message(void **state)
{
    struct fixture *f = *state;
    CK_MECHANISM mechanism = {CKM_ECDSA_SHA256, NULL, 0};
    CK_BYTE signature[64];
    CK_ULONG len = sizeof signature;
    assert_rv(C_SignInit(f->session, &mechanism, f->p256), CKR_OK);
    assert_rv(C_SignFinal(f->session, signature, &len), CKR_OK);
    struct slice empty = digest_of(HASH_SHA256, (struct slice){data, 0});
    assert_memory_equal(fake.last_digest, empty.data, empty.len);
}

static void a_size_query_signs_nothing_and_keeps_the_operation(void **state)
{
    struct fixture *f = *state;
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    CK_BYTE digest[32] = {1}, signature[64];
    CK_ULONG len = 0;
    assert_rv(C_SignInit(f->session, &mechanism, f->p256), CKR_OK);
    assert_rv(C_Sign(f->session, digest, 32, NULL, &len), CKR_OK);
    assert_int_equal(len, 64);
    len = 63;
    assert_rv(C_Sign(f->session, digest, 32, signature, &len), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(len, 64);
    assert_int_equal(fake.sign_calls, 0);
    assert_rv(C_Sign(f->session, digest, 32, signature, &len), CKR_OK);
    assert_int_equal(fake.sign_calls, 1);
    assert_rv(C_Sign(f->session, digest, 32, signature, &len), CKR_OPERATION_NOT_INITIALIZED);
}

static void a_size_query_of_the_final_keeps_the_parts(void **state)
{
    struct fixture *f = *state;
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE signature[256];
    CK_ULONG len = 0;
    assert_rv(C_SignInit(f->session, &mechanism, f->rsa), CKR_OK);
    assert_rv(C_SignUpdate(f->session, data, 50), CKR_OK);
    assert_rv(C_SignFinal(f->session, NULL, &len), CKR_OK);
    assert_int_equal(len, 256);
    len = 1;
    assert_rv(C_SignFinal(f->session, signature, &len), CKR_BUFFER_TOO_SMALL);
    assert_rv(C_SignUpdate(f->session, data + 50, 50), CKR_OK);
    assert_rv(C_SignFinal(f->session, signature, &len), CKR_OK);
    row_assert_verifies(&(struct row){CKM_SHA256_RSA_PKCS, MECHANISM_RSA_PKCS1, HASH_SHA256}, data_slice(),
                        (struct slice){signature, len});
}

/* Begins, calls C_Sign with these arguments, and sees that the operation has ended with it. */
static void assert_ends(const struct fixture *f, CK_RV expected, CK_BYTE *input, CK_ULONG input_len, CK_ULONG *len)
{
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    CK_BYTE signature[64];
    CK_ULONG again = sizeof signature;
    assert_rv(C_SignInit(f->session, &mechanism, f->p256), CKR_OK);
    assert_rv(C_Sign(f->session, input, input_len, signature, len), expected);
    assert_rv(C_Sign(f->session, data, 32, signature, &again), CKR_OPERATION_NOT_INITIALIZED);
}

static void every_other_error_ends_the_operation(void **state)
{
    struct fixture *f = *state;
    CK_ULONG len = 64;
    assert_ends(f, CKR_ARGUMENTS_BAD, data, 32, NULL);
    assert_ends(f, CKR_ARGUMENTS_BAD, NULL, 32, &len);
    assert_ends(f, CKR_DATA_LEN_RANGE, data, 33, &len);
    fake.sign_fails = CODE_HSM_UNAVAILABLE;
    assert_ends(f, CKR_DEVICE_ERROR, data, 32, &len);
}

static void reasons_of_the_server_have_their_codes(void **state)
{
    struct fixture *f = *state;
    CK_ULONG len = 64;
    static const struct {
        enum code code;
        CK_RV rv;
    } answers[] = {
        {CODE_NOT_FOUND, CKR_KEY_HANDLE_INVALID},         {CODE_KEY_DISABLED, CKR_KEY_FUNCTION_NOT_PERMITTED},
        {CODE_MECHANISM_DENIED, CKR_FUNCTION_REJECTED},   {CODE_QUOTA_EXCEEDED, CKR_FUNCTION_REJECTED},
        {CODE_NOT_AUTHENTICATED, CKR_USER_NOT_LOGGED_IN}, {CODE_TIMEOUT, CKR_DEVICE_ERROR}};
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        fake.sign_fails = answers[i].code;
        f->p256 = host_find(f->session, CKO_PRIVATE_KEY, "demo-p256");
        assert_ends(f, answers[i].rv, data, 32, &len);
    }
}

static void a_signature_of_another_length_is_not_handed_out(void **state)
{
    struct fixture *f = *state;
    CK_ULONG len = 64;
    fake.sign_spoils_length = true;
    assert_ends(f, CKR_DEVICE_ERROR, data, 32, &len);
}

static void sign_after_update_is_refused(void **state)
{
    struct fixture *f = *state;
    CK_MECHANISM mechanism = {CKM_ECDSA_SHA256, NULL, 0};
    CK_BYTE signature[64];
    CK_ULONG len = sizeof signature;
    assert_rv(C_SignInit(f->session, &mechanism, f->p256), CKR_OK);
    assert_rv(C_SignUpdate(f->session, data, 10), CKR_OK);
    assert_rv(C_Sign(f->session, data, 10, signature, &len), CKR_OPERATION_ACTIVE);
    assert_rv(C_SignFinal(f->session, signature, &len), CKR_OPERATION_NOT_INITIALIZED);
}

static void init_judges_key_and_mechanism(void **state)
{
    struct fixture *f = *state;
    CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0}, rsa = {CKM_RSA_PKCS, NULL, 0}, digest = {CKM_SHA256, NULL, 0},
                 aes = {CKM_AES_CBC, NULL, 0}, extra = {CKM_ECDSA, data, 1};
    CK_OBJECT_HANDLE public = host_find(f->session, CKO_PUBLIC_KEY, "demo-p256");
    CK_OBJECT_HANDLE certificate = host_find(f->session, CKO_CERTIFICATE, "demo-p256");
    assert_rv(C_SignInit(f->session, &ecdsa, f->rsa), CKR_KEY_TYPE_INCONSISTENT);
    assert_rv(C_SignInit(f->session, &rsa, f->p256), CKR_KEY_TYPE_INCONSISTENT);
    assert_rv(C_SignInit(f->session, &digest, f->p256), CKR_MECHANISM_INVALID);
    assert_rv(C_SignInit(f->session, &aes, f->p256), CKR_MECHANISM_INVALID);
    assert_rv(C_SignInit(f->session, &extra, f->p256), CKR_MECHANISM_PARAM_INVALID);
    assert_rv(C_SignInit(f->session, &ecdsa, 0), CKR_KEY_HANDLE_INVALID);
    assert_rv(C_SignInit(f->session, &ecdsa, f->ed25519), CKR_KEY_HANDLE_INVALID);
    assert_rv(C_SignInit(f->session, &ecdsa, public), CKR_KEY_FUNCTION_NOT_PERMITTED);
    assert_rv(C_SignInit(f->session, &ecdsa, certificate), CKR_KEY_HANDLE_INVALID);
    assert_rv(C_SignInit(f->session, NULL, f->p256), CKR_ARGUMENTS_BAD);
    assert_rv(C_SignInit(f->session, &ecdsa, f->p256), CKR_OK);
    assert_rv(C_SignInit(f->session, &ecdsa, f->p256), CKR_OPERATION_ACTIVE);
    assert_rv(C_SignInit(f->session, NULL, f->p256), CKR_OK); /* cancels */
    assert_rv(C_SignInit(f->session, &ecdsa, f->p256), CKR_OK);
}

/* The keys are listed anew, with these hashes only. */
static CK_OBJECT_HANDLE find_anew(const struct fixture *f, unsigned hashes, const char *label)
{
    fake.hashes = hashes;
    assert_rv(C_Logout(f->edwards), CKR_OK);
    assert_rv(C_Logout(f->session), CKR_OK);
    assert_rv(host_login(f->session, fake.pin), CKR_OK);
    return host_find(f->session, CKO_PRIVATE_KEY, label);
}

static void a_mechanism_the_key_does_not_allow_is_refused_at_init(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE key = find_anew(f, hash_bit(HASH_SHA256), "demo-p256");
    CK_MECHANISM sha1 = {CKM_ECDSA_SHA1, NULL, 0}, sha256 = {CKM_ECDSA_SHA256, NULL, 0};
    assert_rv(C_SignInit(f->session, &sha1, key), CKR_MECHANISM_INVALID);
    assert_rv(C_SignInit(f->session, &sha256, key), CKR_OK);
}

static void pss_hashes_the_key_does_not_allow_are_refused_at_init(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE key = find_anew(f, HASH_SET_DEFAULT, "demo-rsa2048");
    CK_RSA_PKCS_PSS_PARAMS sha3 = {CKM_SHA3_256, CKG_MGF1_SHA256, 32}, mask = {CKM_SHA256, CKG_MGF1_SHA1, 32},
                           good = {CKM_SHA256, CKG_MGF1_SHA384, 32};
    CK_MECHANISM mechanism = {CKM_RSA_PKCS_PSS, &sha3, sizeof sha3};
    assert_rv(C_SignInit(f->session, &mechanism, key), CKR_MECHANISM_PARAM_INVALID);
    mechanism.pParameter = &mask;
    assert_rv(C_SignInit(f->session, &mechanism, key), CKR_MECHANISM_PARAM_INVALID);
    mechanism.pParameter = &good;
    assert_rv(C_SignInit(f->session, &mechanism, key), CKR_OK);
}

static void a_bare_digest_is_of_a_hash_that_the_key_allows(void **state)
{
    struct fixture *f = *state;
    static const struct {
        unsigned hashes;
        enum hash hash;
    } cases[] = {{HASH_SET_ALL, HASH_SHA256},
                 {HASH_SET_DEFAULT, HASH_SHA256},
                 {1u << HASH_SHA3_256 | 1u << HASH_SHA512, HASH_SHA3_256},
                 {1u << HASH_SHA512, HASH_SHA256}}; /* the server will refuse it */
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CK_BYTE signature[64];
        CK_ULONG len = sizeof signature;
        CK_OBJECT_HANDLE key = find_anew(f, cases[i].hashes, "demo-p256");
        assert_rv(C_SignInit(f->session, &mechanism, key), CKR_OK);
        assert_rv(C_Sign(f->session, data, 32, signature, &len), CKR_OK);
        assert_int_equal(fake.last_input.hash, cases[i].hash);
        assert_rv(host_login(f->edwards, fake.pin), CKR_OK);
    }
}

static void pss_parameters_are_judged_at_init(void **state)
{
    struct fixture *f = *state;
    const struct {
        CK_MECHANISM_TYPE type;
        CK_RSA_PKCS_PSS_PARAMS pss;
        CK_RV rv;
    } cases[] = {
        {CKM_RSA_PKCS_PSS, {CKM_SHA256, CKG_MGF1_SHA256, 32}, CKR_OK},
        {CKM_RSA_PKCS_PSS, {CKM_SHA256, CKG_MGF1_SHA1, 0}, CKR_OK},
        {CKM_RSA_PKCS_PSS, {CKM_SHA256, CKG_MGF1_SHA256, 256 - 2 - 32}, CKR_OK},
        {CKM_RSA_PKCS_PSS, {CKM_SHA256, CKG_MGF1_SHA256, 256 - 2 - 32 + 1}, CKR_MECHANISM_PARAM_INVALID},
        {CKM_RSA_PKCS_PSS, {CKM_SHA256, CKG_MGF1_SHA256, (CK_ULONG)-1}, CKR_MECHANISM_PARAM_INVALID},
        {CKM_RSA_PKCS_PSS, {CKM_SHA256_RSA_PKCS, CKG_MGF1_SHA256, 32}, CKR_MECHANISM_PARAM_INVALID},
        {CKM_RSA_PKCS_PSS, {CKM_SHA256, 99, 32}, CKR_MECHANISM_PARAM_INVALID},
        {CKM_SHA256_RSA_PKCS_PSS, {CKM_SHA256, CKG_MGF1_SHA256, 32}, CKR_OK},
        {CKM_SHA256_RSA_PKCS_PSS, {CKM_SHA384, CKG_MGF1_SHA384, 32}, CKR_MECHANISM_PARAM_INVALID},
        {CKM_SHA3_256_RSA_PKCS_PSS, {CKM_SHA3_256, CKG_MGF1_SHA3_256, 32}, CKR_OK},
        {CKM_SHA3_256_RSA_PKCS_PSS, {CKM_SHA256, CKG_MGF1_SHA256, 32}, CKR_MECHANISM_PARAM_INVALID},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CK_RSA_PKCS_PSS_PARAMS pss = cases[i].pss;
        CK_MECHANISM mechanism = {cases[i].type, &pss, sizeof pss};
        assert_rv(C_SignInit(f->session, &mechanism, f->rsa), cases[i].rv);
        (void)C_SessionCancel(f->session, CKF_SIGN);
    }
    CK_MECHANISM none = {CKM_RSA_PKCS_PSS, NULL, 0}, cut = {CKM_RSA_PKCS_PSS, data, 8};
    assert_rv(C_SignInit(f->session, &none, f->rsa), CKR_MECHANISM_PARAM_INVALID);
    assert_rv(C_SignInit(f->session, &cut, f->rsa), CKR_MECHANISM_PARAM_INVALID);
}

static void pss_parameters_travel(void **state)
{
    struct fixture *f = *state;
    CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA384, CKG_MGF1_SHA1, 7};
    CK_MECHANISM mechanism = {CKM_RSA_PKCS_PSS, &pss, sizeof pss};
    CK_BYTE signature[256];
    CK_ULONG len = sizeof signature;
    assert_rv(C_SignInit(f->session, &mechanism, f->rsa), CKR_OK);
    assert_rv(C_Sign(f->session, data, 48, signature, &len), CKR_OK);
    assert_int_equal(fake.last_input.hash, HASH_SHA384);
    assert_int_equal(fake.last_input.mgf_hash, HASH_SHA1);
    assert_int_equal(fake.last_input.salt_len, 7);

    assert_rv(C_SignInit(f->session, &mechanism, f->rsa), CKR_OK);
    assert_rv(C_Sign(f->session, data, 32, signature, &len), CKR_DATA_LEN_RANGE);
}

static void i5_rsa_pkcs_signs_a_digest_info_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
    struct slice info = row_input(&(struct row){CKM_RSA_PKCS, MECHANISM_RSA_PKCS1, HASH_NONE}, data_slice());
    CK_BYTE bytes[256] = {0}, signature[256];
    memcpy(bytes, info.data, info.len);
    const struct {
        CK_ULONG len;
        CK_BYTE first;
        CK_RV rv;
    } cases[] = {{info.len, 0x30, CKR_OK},
                 {info.len, 0x31, CKR_DATA_INVALID},
                 {245, 0x30, CKR_DATA_INVALID},
                 {246, 0x30, CKR_DATA_LEN_RANGE},
                 {(CK_ULONG)-1, 0x30, CKR_DATA_LEN_RANGE},
                 {info.len - 1, 0x30, CKR_DATA_INVALID},
                 {info.len + 1, 0x30, CKR_DATA_INVALID},
                 {16 + 20, 0x30, CKR_DATA_INVALID}, /* MD5 and SHA-1 of TLS 1.0 */
                 {32, 0x30, CKR_DATA_INVALID},
                 {0, 0x30, CKR_DATA_INVALID}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CK_ULONG len = sizeof signature;
        bytes[0] = cases[i].first;
        assert_rv(C_SignInit(f->session, &mechanism, f->rsa), CKR_OK);
        assert_rv(C_Sign(f->session, bytes, cases[i].len, signature, &len), cases[i].rv);
    }
    assert_int_equal(fake.sign_calls, 1);
}

static void raw_ecdsa_takes_digests_of_known_lengths(void **state)
{
    struct fixture *f = *state;
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    CK_BYTE signature[64];
    for (CK_ULONG n = 0; n <= 70; n++) {
        CK_ULONG len = sizeof signature;
        bool known = n == 20 || n == 28 || n == 32 || n == 48 || n == 64;
        assert_rv(C_SignInit(f->session, &mechanism, f->p256), CKR_OK);
        assert_rv(C_Sign(f->session, data, n, signature, &len), known ? CKR_OK : CKR_DATA_LEN_RANGE);
        if (known)
            assert_int_equal(hash_len(fake.last_input.hash), n);
    }
}

static void an_ed25519_message_has_a_limit_in_one_part_and_in_many(void **state)
{
    struct fixture *f = *state;
    static CK_BYTE message[LIMIT_EDDSA_MESSAGE + 1];
    CK_MECHANISM mechanism = {CKM_EDDSA, NULL, 0};
    CK_BYTE signature[64];
    CK_ULONG len = sizeof signature;
    assert_rv(C_SignInit(f->edwards, &mechanism, f->ed25519), CKR_OK);
    assert_rv(C_Sign(f->edwards, message, LIMIT_EDDSA_MESSAGE, signature, &len), CKR_OK);
    assert_rv(C_SignInit(f->edwards, &mechanism, f->ed25519), CKR_OK);
    assert_rv(C_Sign(f->edwards, message, LIMIT_EDDSA_MESSAGE + 1, signature, &len), CKR_DATA_LEN_RANGE);
    assert_int_equal(fake.sign_calls, 1);

    assert_rv(C_SignInit(f->edwards, &mechanism, f->ed25519), CKR_OK);
    assert_rv(C_SignUpdate(f->edwards, message, LIMIT_EDDSA_MESSAGE), CKR_OK);
    assert_rv(C_SignUpdate(f->edwards, message, 1), CKR_DATA_LEN_RANGE);
    assert_rv(C_SignFinal(f->edwards, signature, &len), CKR_OPERATION_NOT_INITIALIZED);
}

static void ed25519_is_pure(void **state)
{
    struct fixture *f = *state;
    CK_EDDSA_PARAMS pure = {0}, prehashed = {.phFlag = 1}, context = {.ulContextDataLen = 1, .pContextData = data};
    CK_MECHANISM mechanism = {CKM_EDDSA, &pure, sizeof pure};
    assert_rv(C_SignInit(f->edwards, &mechanism, f->ed25519), CKR_OK);
    (void)C_SessionCancel(f->edwards, CKF_SIGN);
    mechanism.pParameter = &prehashed;
    assert_rv(C_SignInit(f->edwards, &mechanism, f->ed25519), CKR_MECHANISM_PARAM_INVALID);
    mechanism.pParameter = &context;
    assert_rv(C_SignInit(f->edwards, &mechanism, f->ed25519), CKR_MECHANISM_PARAM_INVALID);
}

static void a_big_file_is_hashed_here_and_only_its_digest_travels(void **state)
{
    struct fixture *f = *state;
    static CK_BYTE block[64 * 1024];
    CK_MECHANISM mechanism = {CKM_SHA512_RSA_PKCS, NULL, 0};
    CK_BYTE signature[256];
    CK_ULONG len = sizeof signature;
    assert_rv(C_SignInit(f->session, &mechanism, f->rsa), CKR_OK);
    for (int i = 0; i < 256; i++)
        assert_rv(C_SignUpdate(f->session, block, sizeof block), CKR_OK);
    assert_int_equal(fake.sign_calls, 0);
    assert_rv(C_SignFinal(f->session, signature, &len), CKR_OK);
    assert_int_equal(fake.last_input.digest.len, 64);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, host_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_mechanism_signs_what_verifies),
        TEST(every_hashing_mechanism_and_eddsa_sign_in_parts),
        TEST(single_part_mechanisms_take_no_parts),
        TEST(parts_without_any_sign_the_empty_message),
        TEST(a_size_query_signs_nothing_and_keeps_the_operation),
        TEST(a_size_query_of_the_final_keeps_the_parts),
        TEST(every_other_error_ends_the_operation),
        TEST(reasons_of_the_server_have_their_codes),
        TEST(a_signature_of_another_length_is_not_handed_out),
        TEST(sign_after_update_is_refused),
        TEST(init_judges_key_and_mechanism),
        TEST(a_mechanism_the_key_does_not_allow_is_refused_at_init),
        TEST(pss_hashes_the_key_does_not_allow_are_refused_at_init),
        TEST(a_bare_digest_is_of_a_hash_that_the_key_allows),
        TEST(pss_parameters_are_judged_at_init),
        TEST(pss_parameters_travel),
        TEST(i5_rsa_pkcs_signs_a_digest_info_and_nothing_else),
        TEST(raw_ecdsa_takes_digests_of_known_lengths),
        TEST(an_ed25519_message_has_a_limit_in_one_part_and_in_many),
        TEST(ed25519_is_pure),
        TEST(a_big_file_is_hashed_here_and_only_its_digest_travels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

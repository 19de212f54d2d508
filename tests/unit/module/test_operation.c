/* SPDX-License-Identifier: Apache-2.0 */
/* What operations of all kinds have in common: which may stand beside which, and what ends them. */
#include "rows.h"

static CK_BYTE data[100] = "To be sealed.";
static CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};

struct fixture {
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE private, public;
};

static int setup(void **state)
{
    static struct fixture f;
    if (host_setup(state) != 0)
        return -1;
    f.session = host_open_logged_in(SLOT_MAIN);
    f.private = host_find(f.session, CKO_PRIVATE_KEY, "demo-p256");
    f.public = host_find(f.session, CKO_PUBLIC_KEY, "demo-p256");
    *state = &f;
    return 0;
}

enum kind { DIGEST, SIGN, VERIFY, KINDS };

static CK_RV begin(const struct fixture *f, enum kind kind)
{
    CK_MECHANISM ecdsa = {CKM_ECDSA_SHA256, NULL, 0};
    switch (kind) {
    case DIGEST:
        return C_DigestInit(f->session, &sha256);
    case SIGN:
        return C_SignInit(f->session, &ecdsa, f->private);
    default:
        return C_VerifyInit(f->session, &ecdsa, f->public);
    }
}

static CK_RV update(const struct fixture *f, enum kind kind, CK_BYTE *part, CK_ULONG len)
{
    switch (kind) {
    case DIGEST:
        return C_DigestUpdate(f->session, part, len);
    case SIGN:
        return C_SignUpdate(f->session, part, len);
    default:
        return C_VerifyUpdate(f->session, part, len);
    }
}

static CK_RV whole(const struct fixture *f, enum kind kind, CK_BYTE *bytes, CK_ULONG len)
{
    CK_BYTE out[64] = {0};
    CK_ULONG out_len = sizeof out;
    switch (kind) {
    case DIGEST:
        return C_Digest(f->session, bytes, len, out, &out_len);
    case SIGN:
        return C_Sign(f->session, bytes, len, out, &out_len);
    default:
        return C_Verify(f->session, bytes, len, out, out_len);
    }
}

static void a_search_stands_beside_every_other_operation(void **state)
{
    struct fixture *f = *state;
    for (int kind = 0; kind < KINDS; kind++) {
        CK_OBJECT_HANDLE found = 0;
        CK_ULONG count = 0;
        assert_rv(begin(f, kind), CKR_OK);
        assert_rv(update(f, kind, data, 10), CKR_OK);
        assert_rv(C_FindObjectsInit(f->session, NULL, 0), CKR_OK);
        assert_rv(C_FindObjects(f->session, &found, 1, &count), CKR_OK);
        assert_int_equal(count, 1);
        assert_rv(update(f, kind, data, 10), CKR_OK);
        assert_rv(C_SessionCancel(f->session, CKF_DIGEST | CKF_SIGN | CKF_VERIFY), CKR_OK);
        assert_rv(begin(f, kind), CKR_OK); /* the other way round */
        assert_rv(C_SessionCancel(f->session, CKF_DIGEST | CKF_SIGN | CKF_VERIFY), CKR_OK);
        assert_rv(C_FindObjects(f->session, &found, 1, &count), CKR_OK);
        assert_int_equal(count, 1);
        assert_rv(C_FindObjectsFinal(f->session), CKR_OK);
    }
}

static void without_dual_operations_a_second_cryptographic_one_is_refused(void **state)
{
    struct fixture *f = *state;
    CK_TOKEN_INFO info;
    assert_rv(C_GetTokenInfo(SLOT_MAIN, &info), CKR_OK);
    assert_int_equal(info.flags & CKF_DUAL_CRYPTO_OPERATIONS, 0);
    for (int first = 0; first < KINDS; first++) {
        assert_rv(begin(f, first), CKR_OK);
        for (int second = 0; second < KINDS; second++)
            assert_rv(begin(f, second), CKR_OPERATION_ACTIVE);
        assert_rv(update(f, first, data, 10), CKR_OK);
        assert_rv(C_SessionCancel(f->session, CKF_DIGEST | CKF_SIGN | CKF_VERIFY), CKR_OK);
    }
}

static void a_part_that_is_none_ends_the_operation(void **state)
{
    struct fixture *f = *state;
    const struct {
        CK_BYTE *part;
        CK_ULONG len;
    } parts[] = {{NULL, 1}, {NULL, (CK_ULONG)-1}, {data, (CK_ULONG)-1}, {data, (CK_ULONG)-1 / 2 + 1}};
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; i < COUNT_OF(parts); i++) {
            assert_rv(begin(f, kind), CKR_OK);
            assert_rv(update(f, kind, parts[i].part, parts[i].len), CKR_ARGUMENTS_BAD);
            assert_rv(update(f, kind, data, 1), CKR_OPERATION_NOT_INITIALIZED);
            assert_rv(begin(f, kind), CKR_OK);
            assert_rv(whole(f, kind, parts[i].part, parts[i].len), CKR_ARGUMENTS_BAD);
            assert_rv(whole(f, kind, data, 1), CKR_OPERATION_NOT_INITIALIZED);
        }
    }
    assert_int_equal(fake.sign_calls, 0);
}

static void the_empty_part_is_a_part(void **state)
{
    struct fixture *f = *state;
    for (int kind = 0; kind < KINDS; kind++) {
        assert_rv(begin(f, kind), CKR_OK);
        assert_rv(update(f, kind, NULL, 0), CKR_OK);
        assert_rv(whole(f, kind, data, 1), CKR_OPERATION_ACTIVE);
        assert_rv(whole(f, kind, data, 1), CKR_OPERATION_NOT_INITIALIZED);
    }
}

static void raw_mechanisms_survive_every_length(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < row_count; i++) {
        if (rows[i].hash != HASH_NONE)
            continue;
        CK_SESSION_HANDLE session = host_open(row_slot(&rows[i]));
        CK_RV rv = host_login(session, fake.pin);
        assert_true(rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN);
        CK_MECHANISM mechanism = row_mechanism(&rows[i]);
        const CK_ULONG lengths[] = {(CK_ULONG)-1, (CK_ULONG)-1 / 2, 1ul << 32, 70000};
        for (size_t n = 0; n < COUNT_OF(lengths); n++) {
            CK_BYTE out[512];
            CK_ULONG len = sizeof out;
            CK_OBJECT_HANDLE key = host_find(session, CKO_PRIVATE_KEY, row_key(&rows[i])->token_label);
            assert_rv(C_SignInit(session, &mechanism, key), CKR_OK);
            assert_rv(C_Sign(session, data, lengths[n], out, &len), CKR_DATA_LEN_RANGE);
            assert_rv(C_Sign(session, data, 32, out, &len), CKR_OPERATION_NOT_INITIALIZED);
        }
    }
    (void)f;
    assert_int_equal(fake.sign_calls, 0);
}

static void the_length_of_a_parameter_decides_whether_there_is_one(void **state)
{
    struct fixture *f = *state;
    CK_MECHANISM pointer = {CKM_ECDSA_SHA256, data, 0}, length = {CKM_ECDSA_SHA256, NULL, 1},
                 both = {CKM_ECDSA_SHA256, data, 1}, digest = {CKM_SHA256, data, 0},
                 digest_length = {CKM_SHA256, NULL, 1};
    assert_rv(C_SignInit(f->session, &length, f->private), CKR_MECHANISM_PARAM_INVALID);
    assert_rv(C_SignInit(f->session, &both, f->private), CKR_MECHANISM_PARAM_INVALID);
    assert_rv(C_VerifyInit(f->session, &both, f->public), CKR_MECHANISM_PARAM_INVALID);
    assert_rv(C_DigestInit(f->session, &digest_length), CKR_MECHANISM_PARAM_INVALID);
    assert_rv(C_SignInit(f->session, &pointer, f->private), CKR_OK);
    assert_rv(C_SignInit(f->session, NULL, 0), CKR_OK); /* cancels */
    assert_rv(C_DigestInit(f->session, &digest), CKR_OK);
}

static void init_with_null_cancels_its_own_kind_only(void **state)
{
    struct fixture *f = *state;
    assert_rv(begin(f, VERIFY), CKR_OK);
    assert_rv(C_SignInit(f->session, NULL, f->private), CKR_ARGUMENTS_BAD);
    assert_rv(update(f, VERIFY, data, 1), CKR_OK);
    assert_rv(C_VerifyInit(f->session, NULL, f->public), CKR_OK);
    assert_rv(update(f, VERIFY, data, 1), CKR_OPERATION_NOT_INITIALIZED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, host_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_search_stands_beside_every_other_operation),
        TEST(without_dual_operations_a_second_cryptographic_one_is_refused),
        TEST(a_part_that_is_none_ends_the_operation),
        TEST(the_empty_part_is_a_part),
        TEST(raw_mechanisms_survive_every_length),
        TEST(the_length_of_a_parameter_decides_whether_there_is_one),
        TEST(init_with_null_cancels_its_own_kind_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

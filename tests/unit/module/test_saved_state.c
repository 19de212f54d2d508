/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include <stdlib.h>
#include <sys/wait.h>

enum { STATE_MAX = 1024 };
static CK_BYTE data[300] = "To be sealed, in two sittings.";
static CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0}, sha3 = {CKM_SHA3_512, NULL, 0},
                    ecdsa_sha256 = {CKM_ECDSA_SHA256, NULL, 0};

struct fixture {
    CK_SESSION_HANDLE session, other;
    CK_OBJECT_HANDLE private, public;
    CK_BYTE state[STATE_MAX];
    CK_ULONG len;
};

static int setup(void **state)
{
    static struct fixture f;
    if (host_setup(state) != 0)
        return -1;
    f = (struct fixture){.session = host_open_logged_in(SLOT_MAIN), .other = host_open(SLOT_MAIN), .len = STATE_MAX};
    f.private = host_find(f.session, CKO_PRIVATE_KEY, "demo-p256");
    f.public = host_find(f.session, CKO_PUBLIC_KEY, "demo-p256");
    *state = &f;
    return 0;
}

static void save(struct fixture *f)
{
    f->len = STATE_MAX;
    assert_rv(C_GetOperationState(f->session, f->state, &f->len), CKR_OK);
}

static void save_digest(struct fixture *f, CK_MECHANISM *mechanism)
{
    assert_rv(C_DigestInit(f->session, mechanism), CKR_OK);
    assert_rv(C_DigestUpdate(f->session, data, 150), CKR_OK);
    save(f);
}

static void assert_rest_is_hashed(CK_SESSION_HANDLE session, enum hash hash)
{
    CK_BYTE digest[64];
    CK_ULONG len = sizeof digest;
    assert_rv(C_DigestUpdate(session, data + 150, 150), CKR_OK);
    assert_rv(C_DigestFinal(session, digest, &len), CKR_OK);
    struct slice expected = digest_of(hash, (struct slice){data, sizeof data});
    assert_int_equal(len, expected.len);
    assert_memory_equal(digest, expected.data, len);
}

static void a_digest_goes_on_in_the_same_session_and_in_another(void **state)
{
    struct fixture *f = *state;
    save_digest(f, &sha3);
    assert_rv(C_SetOperationState(f->other, f->state, f->len, 0, 0), CKR_OK);
    assert_rest_is_hashed(f->other, HASH_SHA3_512);
    assert_rest_is_hashed(f->session, HASH_SHA3_512);
    assert_rv(C_SetOperationState(f->session, f->state, f->len, 0, 0), CKR_OK);
    assert_rest_is_hashed(f->session, HASH_SHA3_512);
}

static void a_restored_series_of_parts_is_still_one(void **state)
{
    struct fixture *f = *state;
    CK_BYTE digest[64];
    CK_ULONG len = sizeof digest;
    save_digest(f, &sha256);
    assert_rv(C_SetOperationState(f->other, f->state, f->len, 0, 0), CKR_OK);
    assert_rv(C_Digest(f->other, data, 10, digest, &len), CKR_OPERATION_ACTIVE);
}

static void every_hashing_mechanism_signs_and_verifies_after_a_restore(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < row_count; i++) {
        if (rows[i].hash == HASH_NONE)
            continue;
        CK_OBJECT_HANDLE private = host_find(f->session, CKO_PRIVATE_KEY, row_key(&rows[i])->token_label);
        CK_OBJECT_HANDLE public = host_find(f->session, CKO_PUBLIC_KEY, row_key(&rows[i])->token_label);
        CK_MECHANISM mechanism = row_mechanism(&rows[i]);
        CK_BYTE signature[512];
        CK_ULONG len = sizeof signature;
        assert_rv(C_SignInit(f->session, &mechanism, private), CKR_OK);
        assert_rv(C_SignUpdate(f->session, data, 150), CKR_OK);
        save(f);
        assert_rv(C_SignInit(f->session, NULL, 0), CKR_OK);
        assert_rv(C_SetOperationState(f->other, f->state, f->len, 0, private), CKR_OK);
        assert_rv(C_SignUpdate(f->other, data + 150, 150), CKR_OK);
        assert_rv(C_SignFinal(f->other, signature, &len), CKR_OK);
        row_assert_verifies(&rows[i], (struct slice){data, sizeof data}, (struct slice){signature, len});

        assert_rv(C_VerifyInit(f->session, &mechanism, public), CKR_OK);
        assert_rv(C_VerifyUpdate(f->session, data, 150), CKR_OK);
        save(f);
        assert_rv(C_VerifyInit(f->session, NULL, 0), CKR_OK);
        assert_rv(C_SetOperationState(f->other, f->state, f->len, 0, public), CKR_OK);
        assert_rv(C_VerifyUpdate(f->other, data + 150, 150), CKR_OK);
        assert_rv(C_VerifyFinal(f->other, signature, len), CKR_OK);
    }
}

static void a_size_query_and_a_short_buffer_keep_the_operation(void **state)
{
    struct fixture *f = *state;
    CK_ULONG size = 0;
    save_digest(f, &sha256);
    assert_rv(C_GetOperationState(f->session, NULL, &size), CKR_OK);
    assert_int_equal(size, f->len);
    size--;
    assert_rv(C_GetOperationState(f->session, f->state, &size), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(size, f->len);
    assert_rv(C_GetOperationState(f->session, f->state, NULL), CKR_ARGUMENTS_BAD);
    assert_rest_is_hashed(f->session, HASH_SHA256);
}

static void without_an_operation_there_is_no_state(void **state)
{
    struct fixture *f = *state;
    assert_rv(C_GetOperationState(f->session, f->state, &f->len), CKR_OPERATION_NOT_INITIALIZED);
    assert_rv(C_FindObjectsInit(f->session, NULL, 0), CKR_OK);
    assert_rv(C_GetOperationState(f->session, f->state, &f->len), CKR_OPERATION_NOT_INITIALIZED);
}

static void mechanisms_that_do_not_hash_here_are_unsaveable(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < row_count; i++) {
        if (rows[i].hash != HASH_NONE)
            continue;
        CK_SESSION_HANDLE session = host_open_logged_in(row_slot(&rows[i]));
        CK_MECHANISM mechanism = row_mechanism(&rows[i]);
        CK_OBJECT_HANDLE key = host_find(session, CKO_PRIVATE_KEY, row_key(&rows[i])->token_label);
        CK_ULONG len = STATE_MAX;
        assert_rv(C_SignInit(session, &mechanism, key), CKR_OK);
        assert_rv(C_GetOperationState(session, NULL, &len), CKR_STATE_UNSAVEABLE);
        assert_rv(C_GetOperationState(session, f->state, &len), CKR_STATE_UNSAVEABLE);
    }
}

static void any_damaged_bit_and_any_other_length_is_found(void **state)
{
    struct fixture *f = *state;
    save_digest(f, &sha256);
    for (CK_ULONG bit = 0; bit < 8 * f->len; bit++) {
        f->state[bit / 8] ^= (CK_BYTE)(1 << bit % 8);
        assert_rv(C_SetOperationState(f->other, f->state, f->len, 0, 0), CKR_SAVED_STATE_INVALID);
        f->state[bit / 8] ^= (CK_BYTE)(1 << bit % 8);
    }
    const CK_ULONG lengths[] = {0, 1, f->len - 1, f->len + 1, (CK_ULONG)-1};
    for (size_t i = 0; i < COUNT_OF(lengths); i++)
        assert_rv(C_SetOperationState(f->other, f->state, lengths[i], 0, 0), CKR_SAVED_STATE_INVALID);
    assert_rv(C_SetOperationState(f->other, NULL, f->len, 0, 0), CKR_ARGUMENTS_BAD);
    assert_rv(C_SetOperationState(f->other, f->state, f->len, 0, 0), CKR_OK);
}

static void a_bad_state_leaves_what_is_under_way_and_a_good_one_replaces_it(void **state)
{
    struct fixture *f = *state;
    save_digest(f, &sha256);
    assert_rv(C_VerifyInit(f->other, &ecdsa_sha256, f->public), CKR_OK);
    assert_rv(C_SetOperationState(f->other, f->state, f->len - 1, 0, 0), CKR_SAVED_STATE_INVALID);
    assert_rv(C_SetOperationState(f->other, f->state, f->len, 0, f->public), CKR_KEY_NOT_NEEDED);
    assert_rv(C_VerifyUpdate(f->other, data, 1), CKR_OK);
    assert_rv(C_SetOperationState(f->other, f->state, f->len, 0, 0), CKR_OK);
    assert_rv(C_VerifyUpdate(f->other, data, 1), CKR_OPERATION_NOT_INITIALIZED);
    assert_rest_is_hashed(f->other, HASH_SHA256);
}

static void the_key_must_be_given_where_there_was_one_and_be_the_same(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE p521 = host_find(f->session, CKO_PRIVATE_KEY, "demo-p521");
    save_digest(f, &sha256);
    assert_rv(C_SetOperationState(f->other, f->state, f->len, 0, f->private), CKR_KEY_NOT_NEEDED);
    assert_rv(C_SetOperationState(f->other, f->state, f->len, f->private, 0), CKR_KEY_NOT_NEEDED);
    assert_rv(C_SessionCancel(f->session, CKF_DIGEST), CKR_OK);

    assert_rv(C_SignInit(f->session, &ecdsa_sha256, f->private), CKR_OK);
    save(f);
    assert_rv(C_SetOperationState(f->other, f->state, f->len, 0, 0), CKR_KEY_NEEDED);
    assert_rv(C_SetOperationState(f->other, f->state, f->len, f->private, f->private), CKR_KEY_NOT_NEEDED);
    assert_rv(C_SetOperationState(f->other, f->state, f->len, 0, p521), CKR_KEY_CHANGED);
    assert_rv(C_SetOperationState(f->other, f->state, f->len, 0, f->public), CKR_KEY_CHANGED);
    assert_rv(C_SetOperationState(f->other, f->state, f->len, 0, 99999), CKR_KEY_CHANGED);
    assert_rv(C_SetOperationState(f->other, f->state, f->len, 0, f->private), CKR_OK);
}

static void a_state_outlives_logout_but_its_key_does_not(void **state)
{
    struct fixture *f = *state;
    assert_rv(C_SignInit(f->session, &ecdsa_sha256, f->private), CKR_OK);
    save(f);
    assert_rv(C_Logout(f->session), CKR_OK);
    assert_rv(C_SetOperationState(f->other, f->state, f->len, 0, f->private), CKR_KEY_CHANGED);
}

/* Forks, and the child exits with what check found. */
static int in_child(struct fixture *f, CK_RV (*check)(struct fixture *f))
{
    int ended = -1;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(check(f) == CKR_OK ? 0 : 1);
    assert_int_equal(waitpid(child, &ended, 0), child);
    return ended;
}

static CK_RV restore_anew(struct fixture *f)
{
    CK_SESSION_HANDLE session = 0;
    CK_BYTE digest[64];
    CK_ULONG len = sizeof digest;
    CK_RV rv = C_Initialize(NULL);
    if (rv == CKR_OK)
        rv = C_OpenSession(SLOT_MAIN, CKF_SERIAL_SESSION, NULL, NULL, &session);
    if (rv == CKR_OK)
        rv = C_SetOperationState(session, f->state, f->len, 0, 0);
    if (rv == CKR_OK)
        rv = C_DigestUpdate(session, data + 150, 150);
    if (rv == CKR_OK)
        rv = C_DigestFinal(session, digest, &len);
    struct slice expected = digest_of(HASH_SHA256, (struct slice){data, sizeof data});
    return rv == CKR_OK && memcmp(digest, expected.data, 32) != 0 ? CKR_GENERAL_ERROR : rv;
}

static void a_forked_child_restores_its_parent_s_state(void **state)
{
    struct fixture *f = *state;
    save_digest(f, &sha256);
    assert_int_equal(in_child(f, restore_anew), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, host_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_digest_goes_on_in_the_same_session_and_in_another),
        TEST(a_restored_series_of_parts_is_still_one),
        TEST(every_hashing_mechanism_signs_and_verifies_after_a_restore),
        TEST(a_size_query_and_a_short_buffer_keep_the_operation),
        TEST(without_an_operation_there_is_no_state),
        TEST(mechanisms_that_do_not_hash_here_are_unsaveable),
        TEST(any_damaged_bit_and_any_other_length_is_found),
        TEST(a_bad_state_leaves_what_is_under_way_and_a_good_one_replaces_it),
        TEST(the_key_must_be_given_where_there_was_one_and_be_the_same),
        TEST(a_state_outlives_logout_but_its_key_does_not),
        TEST(a_forked_child_restores_its_parent_s_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

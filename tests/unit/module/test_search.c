/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

static void an_empty_template_finds_everything_of_the_token(void **state)
{
    (void)state;
    /* three keys of three objects each, and one CA */
    assert_int_equal(host_count(host_open_logged_in(SLOT_MAIN), NULL, 0), 10);
    assert_int_equal(host_count(host_open_logged_in(SLOT_EDWARDS), NULL, 0), 4);
}

static void searches_of_the_clients_find_what_they_should(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open_logged_in(SLOT_MAIN);
    CK_OBJECT_CLASS private = CKO_PRIVATE_KEY, certificate = CKO_CERTIFICATE;
    CK_KEY_TYPE ec = CKK_EC;
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_BYTE id[20];
    memcpy(id, fake_key("p256")->cka_id, sizeof id);

    CK_ATTRIBUTE by_class[] = {ATTRIBUTE(CKA_CLASS, private)};
    assert_int_equal(host_count(session, by_class, 1), 3);
    CK_ATTRIBUTE by_id[] = {ATTRIBUTE(CKA_CLASS, private), ATTRIBUTE(CKA_ID, id)};
    assert_int_equal(host_count(session, by_id, 2), 1);
    CK_ATTRIBUTE as_ssh[] = {ATTRIBUTE(CKA_CLASS, private), ATTRIBUTE(CKA_ID, id), ATTRIBUTE(CKA_SIGN, yes)};
    assert_int_equal(host_count(session, as_ssh, 3), 1);
    CK_ATTRIBUTE as_java[] = {ATTRIBUTE(CKA_TOKEN, yes), ATTRIBUTE(CKA_CLASS, certificate), ATTRIBUTE(CKA_ID, id)};
    assert_int_equal(host_count(session, as_java, 3), 1);
    CK_ATTRIBUTE by_type[] = {ATTRIBUTE(CKA_CLASS, private), ATTRIBUTE(CKA_KEY_TYPE, ec)};
    assert_int_equal(host_count(session, by_type, 2), 2);
    CK_ATTRIBUTE session_objects[] = {ATTRIBUTE(CKA_TOKEN, no)};
    assert_int_equal(host_count(session, session_objects, 1), 0);
    CK_ATTRIBUTE half_a_label[] = {{CKA_LABEL, "demo", 4}};
    assert_int_equal(host_count(session, half_a_label, 1), 0);
    CK_ATTRIBUTE secret[] = {{CKA_PRIVATE_EXPONENT, "", 0}};
    assert_int_equal(host_count(session, secret, 1), 0);
}

static void results_come_in_portions(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open_logged_in(SLOT_MAIN);
    CK_OBJECT_HANDLE handles[7] = {0};
    CK_ULONG count = 0;
    assert_rv(C_FindObjectsInit(session, NULL, 0), CKR_OK);
    assert_rv(C_FindObjects(session, handles, 7, &count), CKR_OK);
    assert_int_equal(count, 7);
    assert_rv(C_FindObjects(session, handles, 7, &count), CKR_OK);
    assert_int_equal(count, 3);
    assert_rv(C_FindObjects(session, handles, 7, &count), CKR_OK);
    assert_int_equal(count, 0);
    assert_rv(C_FindObjects(session, NULL, 0, &count), CKR_OK);
    assert_rv(C_FindObjectsFinal(session), CKR_OK);
}

static void a_search_is_a_snapshot(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open_logged_in(SLOT_MAIN), other = host_open(SLOT_MAIN);
    CK_OBJECT_HANDLE handles[32];
    CK_ULONG count = 0;
    assert_rv(C_FindObjectsInit(session, NULL, 0), CKR_OK);
    fake.hidden = "p256";
    assert_rv(C_Logout(other), CKR_OK); /* others go on meanwhile */
    (void)host_count(other, NULL, 0);
    assert_rv(C_FindObjects(session, handles, 32, &count), CKR_OK);
    assert_int_equal(count, 10);
    assert_rv(C_FindObjectsFinal(session), CKR_OK);
}

static void one_search_at_a_time(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    CK_OBJECT_HANDLE handle = 0;
    CK_ULONG count = 0;
    assert_rv(C_FindObjects(session, &handle, 1, &count), CKR_OPERATION_NOT_INITIALIZED);
    assert_rv(C_FindObjectsFinal(session), CKR_OPERATION_NOT_INITIALIZED);
    assert_rv(C_FindObjectsInit(session, NULL, 0), CKR_OK);
    assert_rv(C_FindObjectsInit(session, NULL, 0), CKR_OPERATION_ACTIVE);
    assert_rv(C_FindObjects(session, &handle, 1, NULL), CKR_ARGUMENTS_BAD);
    assert_rv(C_FindObjects(session, NULL, 1, &count), CKR_ARGUMENTS_BAD);
    assert_rv(C_FindObjectsFinal(session), CKR_OK);
}

static void a_template_that_is_none_is_refused(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    CK_ATTRIBUTE no_place = {CKA_LABEL, NULL, 4};
    assert_rv(C_FindObjectsInit(session, NULL, 1), CKR_ARGUMENTS_BAD);
    assert_rv(C_FindObjectsInit(session, &no_place, 1), CKR_ARGUMENTS_BAD);
    assert_rv(C_FindObjectsInit(session, NULL, 0), CKR_OK);
}

static void a_server_that_is_down_fails_the_search_and_nothing_else(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open_logged_in(SLOT_MAIN);
    fake.keys_fail = CODE_UNAVAILABLE;
    assert_rv(C_FindObjectsInit(session, NULL, 0), CKR_DEVICE_ERROR);
    CK_SLOT_INFO info;
    assert_rv(C_GetSlotInfo(SLOT_MAIN, &info), CKR_OK);
    assert_true(info.flags & CKF_TOKEN_PRESENT);
    fake.keys_fail = CODE_OK;
    assert_rv(C_FindObjectsInit(session, NULL, 0), CKR_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, host_setup, host_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_template_finds_everything_of_the_token),
        TEST(searches_of_the_clients_find_what_they_should),
        TEST(results_come_in_portions),
        TEST(a_search_is_a_snapshot),
        TEST(one_search_at_a_time),
        TEST(a_template_that_is_none_is_refused),
        TEST(a_server_that_is_down_fails_the_search_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include "module/module.h"

static void an_empty_template_finds_everything_of_the_token(void **state)
{
    (void)state;
    /* three keys of three objects each, one CA, four profiles */
    assert_int_equal(host_count(host_open_logged_in(SLOT_MAIN), NULL, 0), 14);
    assert_int_equal(host_count(host_open_logged_in(SLOT_EDWARDS), NULL, 0), 8);
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
    assert_int_equal(count, 7);
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
    assert_int_equal(count, 14);
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

static void no_value_matches_an_empty_one_alone(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open_logged_in(SLOT_MAIN);
    CK_OBJECT_CLASS public = CKO_PUBLIC_KEY;
    CK_ATTRIBUTE no_date[] = {ATTRIBUTE(CKA_CLASS, public), {CKA_START_DATE, NULL, 0}};
    assert_int_equal(host_count(session, no_date, 2), 3);
    CK_ATTRIBUTE no_label[] = {ATTRIBUTE(CKA_CLASS, public), {CKA_LABEL, NULL, 0}};
    assert_int_equal(host_count(session, no_label, 2), 0);
}

static void an_attribute_given_twice_must_match_twice(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open_logged_in(SLOT_MAIN);
    CK_OBJECT_CLASS public = CKO_PUBLIC_KEY, private = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE same[] = {ATTRIBUTE(CKA_CLASS, public), ATTRIBUTE(CKA_CLASS, public)};
    assert_int_equal(host_count(session, same, 2), 3);
    CK_ATTRIBUTE two[] = {ATTRIBUTE(CKA_CLASS, public), ATTRIBUTE(CKA_CLASS, private)};
    assert_int_equal(host_count(session, two, 2), 0);
}

static void what_no_object_has_matches_nothing(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open_logged_in(SLOT_MAIN);
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE unknown = ATTRIBUTE(CKA_VENDOR_DEFINED | 7, yes), other_class = ATTRIBUTE(CKA_RESET_ON_INIT, yes);
    assert_int_equal(host_count(session, &unknown, 1), 0);
    assert_int_equal(host_count(session, &other_class, 1), 0);
    CK_ATTRIBUTE short_class = {CKA_CLASS, &yes, 1};
    assert_int_equal(host_count(session, &short_class, 1), 0);
}

/* NSS asks each token for its trust objects and revocation lists. */
static void classes_no_token_of_ours_has_are_answered_without_the_server(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open_logged_in(SLOT_MAIN);
    static const CK_OBJECT_CLASS classes[] = {CKO_DATA, CKO_SECRET_KEY, 0xce534351, 0xce534353, 0xce534354};
    fake.keys_fail = CODE_UNAVAILABLE;
    for (size_t i = 0; i < COUNT_OF(classes); i++) {
        CK_OBJECT_CLASS class = classes[i];
        CK_ATTRIBUTE wanted = ATTRIBUTE(CKA_CLASS, class);
        assert_int_equal(host_count(session, &wanted, 1), 0);
    }
    assert_int_equal(fake.keys_calls, 0);
}

static void certificates_come_first(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open_logged_in(SLOT_MAIN);
    CK_OBJECT_HANDLE handles[14];
    CK_ULONG count = 0;
    assert_rv(C_FindObjectsInit(session, NULL, 0), CKR_OK);
    assert_rv(C_FindObjects(session, handles, 14, &count), CKR_OK);
    for (CK_ULONG i = 0; i < count; i++) {
        CK_OBJECT_CLASS class = 0;
        CK_ATTRIBUTE wanted = ATTRIBUTE(CKA_CLASS, class);
        assert_rv(C_GetAttributeValue(session, handles[i], &wanted, 1), CKR_OK);
        assert_int_equal(class == CKO_CERTIFICATE, i < 4);
    }
}

static void a_key_by_name_that_is_not_there_is_asked_for_once_more(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open_logged_in(SLOT_MAIN);
    fake.hidden = "p256";
    fake.asked_lately = true;
    assert_int_equal(host_find(session, CKO_PRIVATE_KEY, "demo-p256"), 0);
    assert_int_equal(fake.refreshes, 0);
    fake.hidden = NULL;
    fake.asked_lately = false;
    assert_int_not_equal(host_find(session, CKO_PRIVATE_KEY, "demo-p256"), 0);
    assert_int_equal(fake.refreshes, 1);
    for (int i = 0; i < 10; i++)
        assert_int_equal(host_find(session, CKO_PRIVATE_KEY, "nobody"), 0);
    assert_int_equal(fake.refreshes, 1);
}

static void before_login_nothing_is_asked_for_again(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    assert_int_equal(host_find(session, CKO_PRIVATE_KEY, "demo-p256"), 0);
    assert_int_equal(host_find(session, CKO_PRIVATE_KEY, "demo-p256"), 0);
    assert_int_equal(fake.refreshes, 0);
}

static void a_key_of_the_other_token_is_not_asked_for_again(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open_logged_in(SLOT_MAIN);
    assert_int_equal(host_find(session, CKO_PRIVATE_KEY, "demo-ed25519"), 0);
    assert_int_equal(fake.refreshes, 0);
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
        TEST(no_value_matches_an_empty_one_alone),
        TEST(an_attribute_given_twice_must_match_twice),
        TEST(what_no_object_has_matches_nothing),
        TEST(classes_no_token_of_ours_has_are_answered_without_the_server),
        TEST(certificates_come_first),
        TEST(a_key_by_name_that_is_not_there_is_asked_for_once_more),
        TEST(before_login_nothing_is_asked_for_again),
        TEST(a_key_of_the_other_token_is_not_asked_for_again),
        TEST(a_server_that_is_down_fails_the_search_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

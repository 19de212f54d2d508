/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

static CK_UTF8CHAR standard[] = "PKCS 11";

static void both_lists_are_full(void **state)
{
    (void)state;
    CK_FUNCTION_LIST *list = NULL;
    assert_rv(C_GetFunctionList(&list), CKR_OK);
    assert_rv(C_GetFunctionList(NULL), CKR_ARGUMENTS_BAD);
    assert_int_equal(list->version.major, 2);
    assert_int_equal(list->version.minor, 40);
    void *const *functions = (void *const *)&list->C_Initialize;
    for (int i = 0; i < 68; i++)
        assert_non_null(functions[i]);
    assert_ptr_equal(list->C_Sign, C_Sign);

    CK_VERSION version = {3, 0};
    CK_INTERFACE *found = NULL;
    assert_rv(C_GetInterface(standard, &version, &found, 0), CKR_OK);
    const CK_FUNCTION_LIST_3_0 *list_3_0 = found->pFunctionList;
    functions = (void *const *)&list_3_0->C_Initialize;
    for (int i = 0; i < 92; i++)
        assert_non_null(functions[i]);
}

static void interfaces_are_found_by_name_and_version(void **state)
{
    (void)state;
    CK_VERSION v240 = {2, 40}, v30 = {3, 0}, v32 = {3, 2};
    CK_UTF8CHAR other[] = "Vendor";
    CK_INTERFACE *found = NULL;
    assert_rv(C_GetInterface(NULL, NULL, &found, 0), CKR_OK);
    assert_string_equal(found->pInterfaceName, "PKCS 11");
    assert_int_equal(((CK_VERSION *)found->pFunctionList)->major, 3);
    assert_rv(C_GetInterface(standard, &v240, &found, 0), CKR_OK);
    assert_int_equal(((CK_VERSION *)found->pFunctionList)->minor, 40);
    assert_rv(C_GetInterface(NULL, &v30, &found, 0), CKR_OK);
    assert_rv(C_GetInterface(standard, &v32, &found, 0), CKR_ARGUMENTS_BAD);
    assert_rv(C_GetInterface(other, NULL, &found, 0), CKR_ARGUMENTS_BAD);
    assert_rv(C_GetInterface(standard, NULL, NULL, 0), CKR_ARGUMENTS_BAD);
}

static void an_interface_has_at_least_the_flags_asked_for(void **state)
{
    (void)state;
    CK_VERSION v240 = {2, 40}, v30 = {3, 0};
    CK_INTERFACE *found = NULL;
    assert_rv(C_GetInterface(NULL, NULL, &found, 0), CKR_OK);
    assert_int_equal(found->flags, 0); /* fork tolerance is for those who ask */
    assert_rv(C_GetInterface(NULL, NULL, &found, CKF_INTERFACE_FORK_SAFE), CKR_OK);
    assert_int_equal(found->flags, CKF_INTERFACE_FORK_SAFE);
    assert_rv(C_GetInterface(standard, &v30, &found, CKF_INTERFACE_FORK_SAFE), CKR_OK);
    assert_int_equal(found->flags, CKF_INTERFACE_FORK_SAFE);
    assert_rv(C_GetInterface(standard, &v240, &found, CKF_INTERFACE_FORK_SAFE), CKR_ARGUMENTS_BAD);
    assert_rv(C_GetInterface(standard, NULL, &found, CKF_INTERFACE_FORK_SAFE | 0x2), CKR_ARGUMENTS_BAD);
}

static void the_list_of_interfaces_follows_the_convention(void **state)
{
    (void)state;
    CK_INTERFACE list[3];
    CK_ULONG count = 0;
    assert_rv(C_GetInterfaceList(NULL, NULL), CKR_ARGUMENTS_BAD);
    assert_rv(C_GetInterfaceList(NULL, &count), CKR_OK);
    assert_int_equal(count, 3);
    count = 2;
    assert_rv(C_GetInterfaceList(list, &count), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(count, 3);
    assert_rv(C_GetInterfaceList(list, &count), CKR_OK);
}

static void info_tells_the_version_of_the_interface_it_is_asked_by(void **state)
{
    (void)state;
    CK_VERSION version = {3, 0};
    CK_INTERFACE *found = NULL;
    CK_INFO info;
    assert_rv(C_GetInfo(&info), CKR_OK);
    assert_int_equal(info.cryptokiVersion.major, 2);
    assert_int_equal(info.cryptokiVersion.minor, 40);
    assert_memory_equal(info.manufacturerID, "Chancery                        ", 32);
    assert_rv(C_GetInterface(standard, &version, &found, 0), CKR_OK);
    assert_rv(((CK_FUNCTION_LIST_3_0 *)found->pFunctionList)->C_GetInfo(&info), CKR_OK);
    assert_int_equal(info.cryptokiVersion.major, 3);
    assert_rv(C_GetInfo(NULL), CKR_ARGUMENTS_BAD);
}

static void each_list_and_its_info_agree_on_the_version(void **state)
{
    (void)state;
    CK_INTERFACE list[3];
    CK_ULONG count = COUNT_OF(list);
    assert_rv(C_GetInterfaceList(list, &count), CKR_OK);
    for (CK_ULONG i = 0; i < count; i++) {
        const CK_FUNCTION_LIST *functions = list[i].pFunctionList;
        CK_INFO info;
        assert_rv(functions->C_GetInfo(&info), CKR_OK);
        assert_memory_equal(&info.cryptokiVersion, &functions->version, sizeof(CK_VERSION));
    }
}

/* Ten zeros are enough for every function and, where arguments travel in registers and then on the stack, harmless. */
typedef CK_RV any_function(CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG,
                           CK_ULONG);

static void every_function_says_when_nothing_is_initialized(void **state)
{
    (void)state;
    const struct {
        const char *name;
        void *function;
    } rows[] = {
#define SUPPORTED(name) {#name, (void *)name},
#define UNSUPPORTED(name, arguments) {#name, (void *)name},
#define SUPPORTED_3_0 SUPPORTED
#define UNSUPPORTED_3_0 UNSUPPORTED
#include "module/functions.def"
    };
    static const char *const work_before[] = {"C_Initialize", "C_GetFunctionList", "C_GetInterfaceList",
                                              "C_GetInterface"};
    assert_rv(C_Finalize(NULL), CKR_OK);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool works = false;
        for (size_t k = 0; k < COUNT_OF(work_before); k++)
            works |= strcmp(rows[i].name, work_before[k]) == 0;
        CK_RV rv =
            works ? CKR_CRYPTOKI_NOT_INITIALIZED : ((any_function *)rows[i].function)(0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        if (rv != CKR_CRYPTOKI_NOT_INITIALIZED)
            fail_msg("%s: 0x%lx", rows[i].name, rv);
    }
    assert_rv(C_Initialize(NULL), CKR_OK);
}

static void what_is_not_supported_says_so(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    CK_BYTE data[4] = {0};
    CK_ULONG len = sizeof data;
    CK_MECHANISM mechanism = {CKM_ECDSA_SHA256, NULL, 0};
    assert_rv(C_EncryptInit(session, NULL, 0), CKR_FUNCTION_NOT_SUPPORTED);
    assert_rv(C_DigestKey(session, 1), CKR_FUNCTION_NOT_SUPPORTED);
    assert_rv(C_SignRecoverInit(session, &mechanism, 1), CKR_FUNCTION_NOT_SUPPORTED);
    assert_rv(C_SignRecover(session, data, 4, data, &len), CKR_FUNCTION_NOT_SUPPORTED);
    assert_rv(C_VerifyRecoverInit(session, &mechanism, 1), CKR_FUNCTION_NOT_SUPPORTED);
    assert_rv(C_DigestEncryptUpdate(session, data, 4, data, &len), CKR_FUNCTION_NOT_SUPPORTED);
    assert_rv(C_SignEncryptUpdate(session, data, 4, data, &len), CKR_FUNCTION_NOT_SUPPORTED);
    assert_rv(C_MessageVerifyInit(session, &mechanism, 1), CKR_FUNCTION_NOT_SUPPORTED);
    assert_rv(C_GenerateKeyPair(session, NULL, NULL, 0, NULL, 0, NULL, NULL), CKR_FUNCTION_NOT_SUPPORTED);
    assert_rv(C_MessageSignInit(session, NULL, 0), CKR_FUNCTION_NOT_SUPPORTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, host_setup, host_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_lists_are_full),
        TEST(interfaces_are_found_by_name_and_version),
        TEST(an_interface_has_at_least_the_flags_asked_for),
        TEST(the_list_of_interfaces_follows_the_convention),
        TEST(info_tells_the_version_of_the_interface_it_is_asked_by),
        TEST(each_list_and_its_info_agree_on_the_version),
        TEST(every_function_says_when_nothing_is_initialized),
        TEST(what_is_not_supported_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* chancery-pkcs11.so as a host meets it: loaded, configured by a file, its server down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chancery/pkcs11.h"
#include "client/client.h"
#include "common/file.h"

struct fixture {
    char dir[64];
    char config[96];
};

/* A plain key, and a port on which nobody listens. */
static int setup(void **state)
{
    static struct fixture f;
    (void)snprintf(f.dir, sizeof f.dir, "/tmp/chancery-library-XXXXXX");
    if (!mkdtemp(f.dir))
        return -1;
    (void)snprintf(f.config, sizeof f.config, "%s/client.conf", f.dir);
    cleanup_buf struct buf text = {0}, key_path = {0}, public_pem = {0};
    buf_printf(&key_path, "%s/signer.key", f.dir);
    buf_printf(&text, "[server]\nurl = https://127.0.0.1:1\ntimeout_ms = 3000\n"
                      "[credential]\ntype = service_account\naccount = signer\nkey = signer.key\n"
                      "[token]\nlabel = library\n");
    if (!is_ok(client_enroll(buf_text(&key_path), (struct slice){0}, &public_pem, NULL)) ||
        !is_ok(file_write(f.config, buf_slice(&text), 0600, NULL)))
        return -1;
    *state = &f;
    return setenv("CHANCERY_CONF", f.config, 1);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    return system(command);
}

static CK_FUNCTION_LIST *load(void **library)
{
    CK_FUNCTION_LIST *p11 = NULL;
    *library = dlopen(MODULE_PATH, RTLD_NOW | RTLD_LOCAL);
    if (!*library)
        fail_msg("%s", dlerror());
    CK_C_GetFunctionList get = (CK_C_GetFunctionList)dlsym(*library, "C_GetFunctionList");
    assert_non_null(get);
    assert_int_equal(get(&p11), CKR_OK);
    return p11;
}

static int open_descriptors(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* One life of the module in a host: as far as it gets without a server. */
static void live_once(CK_FUNCTION_LIST *p11)
{
    CK_SLOT_ID slots[4];
    CK_ULONG count = 4;
    CK_TOKEN_INFO token;
    CK_SESSION_HANDLE session = 0;
    assert_int_equal(p11->C_Initialize(NULL), CKR_OK);
    assert_int_equal(p11->C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
    assert_int_equal(count, 2);
    assert_int_equal(p11->C_GetTokenInfo(slots[0], &token), CKR_OK);
    assert_memory_equal(token.label, "library ", 8);
    assert_int_equal(p11->C_OpenSession(slots[0], CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_OK);
    assert_int_equal(p11->C_FindObjectsInit(session, NULL, 0), CKR_DEVICE_ERROR);
    assert_int_equal(p11->C_Finalize(NULL), CKR_OK);
}

static void a_token_is_there_while_its_server_is_down(void **state)
{
    (void)state;
    void *library = NULL;
    live_once(load(&library));
    dlclose(library);
}

static void a_hundred_lives_leave_no_descriptor_behind(void **state)
{
    (void)state;
    int before = 0;
    for (int i = 0; i < 100; i++) {
        void *library = NULL;
        live_once(load(&library));
        assert_int_equal(dlclose(library), 0);
        if (i == 0)
            before = open_descriptors(); /* OpenSSL may keep what it opened first */
    }
    assert_int_equal(open_descriptors(), before);
}

static void a_forked_child_lives_its_own_life(void **state)
{
    (void)state;
    void *library = NULL;
    CK_FUNCTION_LIST *p11 = load(&library);
    assert_int_equal(p11->C_Initialize(NULL), CKR_OK);
    pid_t child = fork();
    if (child == 0) {
        CK_INFO info;
        if (p11->C_GetInfo(&info) != CKR_CRYPTOKI_NOT_INITIALIZED)
            _exit(1);
        live_once(p11); /* a failed assertion ends the child with another code */
        _exit(0);
    }
    int ended = -1;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);
    assert_int_equal(p11->C_Finalize(NULL), CKR_OK);
    dlclose(library);
}

static void a_host_that_exits_without_finalize_or_after_dlclose_ends_well(void **state)
{
    (void)state;
    for (int finalizes = 0; finalizes < 2; finalizes++) {
        pid_t child = fork();
        if (child == 0) {
            void *library = NULL;
            CK_FUNCTION_LIST *p11 = load(&library);
            CK_RV rv = p11->C_Initialize(NULL);
            if (finalizes)
                (void)atexit((void (*)(void))p11->C_Finalize);
            dlclose(library);
            exit(rv == CKR_OK ? 0 : 1); /* with exit handlers */
        }
        int ended = -1;
        assert_int_equal(waitpid(child, &ended, 0), child);
        assert_int_equal(ended, 0);
    }
}

static void the_wrong_configuration_is_an_error_and_a_missing_one_is_not(void **state)
{
    struct fixture *f = *state;
    void *library = NULL;
    CK_FUNCTION_LIST *p11 = load(&library);
    assert_int_equal(chmod(f->config, 0666), 0);
    assert_int_equal(p11->C_Initialize(NULL), CKR_GENERAL_ERROR);
    assert_int_equal(chmod(f->config, 0600), 0);

    CK_ULONG count = 9;
    assert_int_equal(unsetenv("CHANCERY_CONF"), 0);
    assert_int_equal(setenv("HOME", f->dir, 1), 0);
    if (file_exists("/etc/chancery/client.conf"))
        fail_msg("this machine has /etc/chancery/client.conf; run the tests where there is none");
    assert_int_equal(p11->C_Initialize(NULL), CKR_OK);
    assert_int_equal(p11->C_GetSlotList(CK_TRUE, NULL, &count), CKR_OK);
    assert_int_equal(count, 0);
    assert_int_equal(p11->C_Finalize(NULL), CKR_OK);
    assert_int_equal(setenv("CHANCERY_CONF", f->config, 1), 0);
    dlclose(library);
}

enum { NAMES_MAX = 200, NAME_SIZE = 64 };

/* Sorted names of what the library defines for others. */
static size_t exports_read(char names[NAMES_MAX][NAME_SIZE])
{
    FILE *nm = popen("nm -D --defined-only '" MODULE_PATH "' | awk '{ print $NF }' | LC_ALL=C sort", "r");
    assert_non_null(nm);
    size_t count = 0;
    while (count < NAMES_MAX && fscanf(nm, "%63s", names[count]) == 1)
        count++;
    assert_int_equal(pclose(nm), 0);
    return count;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void exports_are_the_functions_of_the_standard_and_nothing_else(void **state)
{
    (void)state;
    static char expected[][NAME_SIZE] = {
#define SUPPORTED(name) #name,
#define UNSUPPORTED(name, arguments) #name,
#define SUPPORTED_3_0 SUPPORTED
#define UNSUPPORTED_3_0 UNSUPPORTED
#include "module/functions.def"
    };
    static char names[NAMES_MAX][NAME_SIZE];
    size_t count = exports_read(names);
    qsort(expected, COUNT_OF(expected), NAME_SIZE, compare_names);
    for (size_t i = 0; i < count && i < COUNT_OF(expected); i++)
        assert_string_equal(names[i], expected[i]);
    assert_int_equal(count, COUNT_OF(expected));
    assert_int_equal(count, 92);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(exports_are_the_functions_of_the_standard_and_nothing_else),
        TEST(a_token_is_there_while_its_server_is_down),
        TEST(a_hundred_lives_leave_no_descriptor_behind),
        TEST(a_forked_child_lives_its_own_life),
        TEST(a_host_that_exits_without_finalize_or_after_dlclose_ends_well),
        TEST(the_wrong_configuration_is_an_error_and_a_missing_one_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

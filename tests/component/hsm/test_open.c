/* SPDX-License-Identifier: Apache-2.0 */
/* Making and opening a token: labels, PINs, the lock file, and what a wrong configuration is answered with. */
#include "fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file.h"
#include "raw.h"

static struct fixture f;
static struct faults *faults;

static int group_setup(void **state)
{
    (void)state;
    fixture_init(&f, FAULTY_MODULE);
    faults = raw_faults();
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    fixture_clear(&f);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    fixture_close(&f);
    memset(faults, 0, sizeof *faults);
    return 0;
}

static void assert_open_refused(const struct hsm_config *config, enum code code, const char *says)
{
    struct hsm *h = NULL;

    assert_code(&f, hsm_open(config, &h, &f.err), code);
    assert_null(h);
    if (!strstr(f.err.text, says))
        fail_msg("\"%s\" does not say \"%s\"", f.err.text, says);
}

static void a_wrong_pin_is_named_and_tried_once(void **state)
{
    struct hsm_config config = fixture_config(&f);

    (void)state;
    config.pin = slice_of_text("not the PIN");
    assert_open_refused(&config, CODE_CREDENTIAL, TOKEN_LABEL);
    assert_null(strstr(f.err.text, "not the PIN"));
    assert_null(strstr(f.err.detail, "not the PIN"));
    assert_int_equal(faults->logins, 1);
}

static void a_pin_with_one_try_left_is_not_tried(void **state)
{
    struct hsm_config config = fixture_config(&f);

    (void)state;
    faults->token_flags = CKF_USER_PIN_FINAL_TRY;
    assert_open_refused(&config, CODE_CREDENTIAL, "one try left");
    assert_int_equal(faults->logins, 0);
}

static void a_locked_pin_is_not_tried(void **state)
{
    struct hsm_config config = fixture_config(&f);

    (void)state;
    faults->token_flags = CKF_USER_PIN_LOCKED;
    assert_open_refused(&config, CODE_CREDENTIAL, "locked");
    assert_int_equal(faults->logins, 0);
}

static void a_module_that_is_not_there_is_named(void **state)
{
    struct hsm_config config = fixture_config(&f);

    (void)state;
    config.module_path = "/nowhere/module.so";
    assert_open_refused(&config, CODE_CONFIGURATION, "/nowhere/module.so");
    config.module_path = "module.so";
    assert_open_refused(&config, CODE_CONFIGURATION, "absolute");
}

static void a_file_that_is_no_module_is_named(void **state)
{
    struct hsm_config config = fixture_config(&f);
    char path[128];

    (void)state;
    (void)snprintf(path, sizeof path, "%s/softhsm2.conf", f.dir);
    config.module_path = path;
    assert_open_refused(&config, CODE_CONFIGURATION, path);
}

static void a_token_that_is_not_there_is_named(void **state)
{
    struct hsm_config config = fixture_config(&f);

    (void)state;
    config.token_label = "no such token";
    assert_open_refused(&config, CODE_CONFIGURATION, "no such token");
}

static void a_failed_open_gives_the_lock_back(void **state)
{
    struct hsm_config config = fixture_config(&f);

    (void)state;
    config.pin = slice_of_text("not the PIN");
    assert_open_refused(&config, CODE_CREDENTIAL, "PIN");
    fixture_open(&f, 2, 10000);
}

static void a_lock_file_that_cannot_be_made_is_named(void **state)
{
    struct hsm_config config = fixture_config(&f);

    (void)state;
    config.lock_path = "/nowhere/token.lock";
    assert_open_refused(&config, CODE_IO, "/nowhere/token.lock");
}

/* The child opens nothing but the lock: it ends before the module reads the token. */
static void a_second_process_is_refused_and_told_who_has_the_token(void **state)
{
    struct hsm_config config = fixture_config(&f);
    char expected[64];
    int result;

    (void)state;
    fixture_open(&f, 2, 10000);
    (void)snprintf(expected, sizeof expected, "process %ld;", (long)getpid());
    pid_t child = fork();
    if (child == 0) {
        struct hsm *h = NULL;
        struct error err = {0};
        status s = hsm_open(&config, &h, &err);
        bool told = strstr(err.text, expected) && strstr(err.text, config.lock_path);
        _exit(s.code == CODE_CONFLICT && told ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), 0);
    assert_ok(&f, hsm_check(f.h, deadline_in(10000), &f.err));
}

static void a_second_opening_in_the_same_process_is_refused(void **state)
{
    struct hsm_config config = fixture_config(&f);

    (void)state;
    fixture_open(&f, 2, 10000);
    assert_open_refused(&config, CODE_CONFLICT, f.lock_path);
}

static void the_lock_goes_with_the_closing(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        fixture_open(&f, 2, 10000);
        assert_ok(&f, hsm_check(f.h, deadline_in(10000), &f.err));
        fixture_close(&f);
    }
}

static void the_lock_is_not_inherited_by_programs(void **state)
{
    int descriptors = 0;

    (void)state;
    fixture_open(&f, 2, 10000);
    for (int fd = 3; fd < 256; fd++) {
        char link[64], path[256];
        (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t len = readlink(link, path, sizeof path - 1);
        path[len > 0 ? len : 0] = 0;
        if (strcmp(path, f.lock_path) != 0)
            continue;
        descriptors++;
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    }
    assert_int_equal(descriptors, 1);
}

static void a_label_already_taken_is_refused(void **state)
{
    (void)state;
    assert_code(&f,
                hsm_token_init(f.module, TOKEN_LABEL, slice_of_text(TOKEN_SO_PIN), slice_of_text(TOKEN_PIN), &f.err),
                CODE_CONFLICT);
}

static void a_second_token_is_another_one(void **state)
{
    struct hsm_config config = fixture_config(&f);
    struct hsm *h = NULL;

    (void)state;
    assert_ok(&f, hsm_token_init(f.module, "another", slice_of_text("officer-2"), slice_of_text("user-2"), &f.err));
    config.token_label = "another";
    assert_open_refused(&config, CODE_CREDENTIAL, "another");
    config.pin = slice_of_text("user-2");
    assert_ok(&f, hsm_open(&config, &h, &f.err));
    hsm_close(h);
}

static void pins_and_labels_out_of_bounds_are_refused(void **state)
{
    struct slice good = slice_of_text(TOKEN_PIN), tiny = slice_of_text("123");

    (void)state;
    assert_code(&f, hsm_token_init(f.module, "third", tiny, good, &f.err), CODE_INVALID);
    assert_non_null(strstr(f.err.text, "officer"));
    assert_code(&f, hsm_token_init(f.module, "third", good, tiny, &f.err), CODE_INVALID);
    assert_non_null(strstr(f.err.text, "user PIN"));
    assert_code(&f, hsm_token_init(f.module, "", good, good, &f.err), CODE_INVALID);
    assert_code(&f, hsm_token_init(f.module, "a label of more than thirty-two bytes", good, good, &f.err),
                CODE_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_wrong_pin_is_named_and_tried_once, setup),
        cmocka_unit_test_setup(a_pin_with_one_try_left_is_not_tried, setup),
        cmocka_unit_test_setup(a_locked_pin_is_not_tried, setup),
        cmocka_unit_test_setup(a_module_that_is_not_there_is_named, setup),
        cmocka_unit_test_setup(a_file_that_is_no_module_is_named, setup),
        cmocka_unit_test_setup(a_token_that_is_not_there_is_named, setup),
        cmocka_unit_test_setup(a_failed_open_gives_the_lock_back, setup),
        cmocka_unit_test_setup(a_lock_file_that_cannot_be_made_is_named, setup),
        cmocka_unit_test_setup(a_second_process_is_refused_and_told_who_has_the_token, setup),
        cmocka_unit_test_setup(a_second_opening_in_the_same_process_is_refused, setup),
        cmocka_unit_test_setup(the_lock_goes_with_the_closing, setup),
        cmocka_unit_test_setup(the_lock_is_not_inherited_by_programs, setup),
        cmocka_unit_test_setup(a_label_already_taken_is_refused, setup),
        cmocka_unit_test_setup(a_second_token_is_another_one, setup),
        cmocka_unit_test_setup(pins_and_labels_out_of_bounds_are_refused, setup),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}

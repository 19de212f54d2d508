/* SPDX-License-Identifier: Apache-2.0 */
/* Several HSMs in one process: two tokens of one module, and one of a second module. What happens to one of them stays
 * there. */
#include "fixture.h"

#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"
#include "raw.h"

#define SECOND_LABEL "second token"
#define THIRD_LABEL "third token"

enum { FIRST, SECOND, HSMS };

static struct fixture f;
static struct faults *faults;
static CK_FUNCTION_LIST *raw;
static CK_SLOT_ID slots[HSMS];
static struct hsm_set *set;
static struct hsm *hsms[HSMS];
static struct hsm_key keys[HSMS];
static char copy_path[128], copy_conf[128], conf[128];

static CK_SLOT_ID slot_labelled(const char *label)
{
    CK_SLOT_ID all[8];
    CK_ULONG count = COUNT_OF(all);
    CK_TOKEN_INFO info;

    assert_int_equal(raw->C_GetSlotList(CK_TRUE, all, &count), CKR_OK);
    for (CK_ULONG i = 0; i < count; i++) {
        if (raw->C_GetTokenInfo(all[i], &info) == CKR_OK && info.flags & CKF_TOKEN_INITIALIZED &&
            strncmp((const char *)info.label, label, strlen(label)) == 0)
            return all[i];
    }
    fail_msg("there is no token %s", label);
    return 0;
}

static struct hsm_config config_of(int which)
{
    struct hsm_config config = fixture_config(&f);

    config.name = which == FIRST ? "default" : "second";
    config.token_label = which == FIRST ? TOKEN_LABEL : SECOND_LABEL;
    config.lock_path = NULL;
    config.sessions = 4;
    return config;
}

static status hsm_add(const struct hsm_config *config, struct hsm **out)
{
    TRY(hsm_open(config, out, &f.err));
    return hsm_set_add(set, *out, &f.err);
}

static void set_close(void)
{
    hsm_set_free(set);
    set = NULL;
}

static void set_begin(void)
{
    set_close();
    assert_ok(&f, hsm_set_new(&set, &f.err));
}

static void set_open(int64_t timeout_ms)
{
    set_begin();
    for (int i = 0; i < HSMS; i++) {
        struct hsm_config config = config_of(i);
        config.timeout_ms = timeout_ms;
        assert_ok(&f, hsm_add(&config, &hsms[i]));
    }
}

/* The second module is a copy of SoftHSM at another path, with tokens of its own. */
static void copy_make(void)
{
    char command[512], tokens[128], text[512];

    (void)snprintf(copy_path, sizeof copy_path, "%s/copy.so", f.dir);
    (void)snprintf(command, sizeof command, "cp '%s' '%s'", SOFTHSM_MODULE, copy_path);
    assert_int_equal(system(command), 0);
    (void)snprintf(tokens, sizeof tokens, "%s/copy-tokens", f.dir);
    assert_int_equal(mkdir(tokens, 0700), 0);
    (void)snprintf(copy_conf, sizeof copy_conf, "%s/copy.conf", f.dir);
    (void)snprintf(conf, sizeof conf, "%s/softhsm2.conf", f.dir);
    (void)snprintf(text, sizeof text, "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n",
                   tokens);
    assert_ok(&f, file_write(copy_conf, slice_of_text(text), 0600, &f.err));
    assert_int_equal(setenv("SOFTHSM2_CONF", copy_conf, 1), 0);
    assert_ok(&f,
              hsm_token_init(copy_path, THIRD_LABEL, slice_of_text(TOKEN_SO_PIN), slice_of_text(TOKEN_PIN), &f.err));
    assert_int_equal(setenv("SOFTHSM2_CONF", conf, 1), 0);
}

static int group_setup(void **state)
{
    (void)state;
    fixture_init(&f, FAULTY_MODULE);
    faults = raw_faults();
    assert_ok(
        &f, hsm_token_init(FAULTY_MODULE, SECOND_LABEL, slice_of_text(TOKEN_SO_PIN), slice_of_text(TOKEN_PIN), &f.err));
    raw = raw_module(FAULTY_MODULE);
    set_open(10000);
    for (int i = 0; i < HSMS; i++) {
        assert_ok(&f, hsm_generate(hsms[i], KEY_TYPE_P256, "test-key", deadline_in(60000), &keys[i], &f.err));
        slots[i] = slot_labelled(i == FIRST ? TOKEN_LABEL : SECOND_LABEL);
    }
    copy_make();
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    set_close();
    for (int i = 0; i < HSMS; i++)
        hsm_key_clear(&keys[i]);
    fixture_clear(&f);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    set_close();
    memset(faults, 0, sizeof *faults);
    set_open(10000);
    return 0;
}

static status sign_in(struct hsm *h, const struct hsm_key *key)
{
    struct sign_input in = fixture_input(MECHANISM_ECDSA, HASH_SHA256);
    cleanup_buf struct buf signature = {0};
    EVP_PKEY *public_key = fixture_public_key(key);
    status s = hsm_sign(h, key->id, key->type, &in, deadline_in(10000), &signature, &f.err);

    if (is_ok(s))
        s = signature_verify(NULL, public_key, &in, buf_slice(&signature), &f.err);
    EVP_PKEY_free(public_key);
    return s;
}

static status sign(int which)
{
    return sign_in(hsms[which], &keys[which]);
}

static void await_signature(int which)
{
    struct deadline bound = deadline_in(30000);

    while (!is_ok(sign(which)))
        assert_false(deadline_passed(bound));
}

static void two_tokens_of_one_module_have_keys_of_their_own(void **state)
{
    cleanup_hsm_key struct hsm_key found = {0};

    (void)state;
    assert_int_equal(faults->initialized, 1);
    assert_int_equal(faults->logins, 2);
    assert_ok(&f, sign(FIRST));
    assert_ok(&f, sign(SECOND));
    assert_ok(&f, hsm_find(hsms[SECOND], keys[SECOND].id, deadline_in(10000), &found, &f.err));
    assert_code(&f, hsm_find(hsms[FIRST], keys[SECOND].id, deadline_in(10000), &found, &f.err), CODE_NOT_FOUND);
}

static void an_hsm_is_found_by_its_name_alone(void **state)
{
    (void)state;
    assert_int_equal(hsm_set_count(set), HSMS);
    assert_ptr_equal(hsm_set_find(set, "default"), hsms[FIRST]);
    assert_ptr_equal(hsm_set_find(set, ""), hsms[FIRST]);
    assert_ptr_equal(hsm_set_find(set, "second"), hsms[SECOND]);
    assert_null(hsm_set_find(set, "third"));
}

static void a_name_twice_is_refused(void **state)
{
    struct hsm_config config = config_of(SECOND);
    struct hsm *h = NULL;

    (void)state;
    hsm_set_free(set);
    assert_ok(&f, hsm_set_new(&set, &f.err));
    assert_ok(&f, hsm_add(&config, &h));
    config.token_label = TOKEN_LABEL;
    assert_code(&f, hsm_add(&config, &h), CODE_CONFIGURATION);
    assert_non_null(strstr(f.err.text, "second"));
    assert_int_equal(hsm_set_count(set), 1);
}

static void one_token_under_two_names_is_refused_and_both_are_told(void **state)
{
    struct hsm_config config = config_of(SECOND);
    struct hsm *h = NULL;

    (void)state;
    config.name = "third";
    assert_code(&f, hsm_open(&config, &h, &f.err), CODE_CONFIGURATION);
    assert_non_null(strstr(f.err.text, "third"));
    assert_non_null(strstr(f.err.text, "second already"));
    assert_ok(&f, sign(SECOND));
}

static void a_token_of_a_second_module_works_beside_them(void **state)
{
    struct hsm_config config = config_of(FIRST);
    cleanup_hsm_key struct hsm_key key = {0};
    struct hsm *h = NULL;

    (void)state;
    config.name = "third";
    config.module_path = copy_path;
    config.token_label = THIRD_LABEL;
    assert_int_equal(setenv("SOFTHSM2_CONF", copy_conf, 1), 0);
    assert_ok(&f, hsm_add(&config, &h));
    assert_int_equal(setenv("SOFTHSM2_CONF", conf, 1), 0);
    assert_ok(&f, hsm_generate(h, KEY_TYPE_P256, "test-key", deadline_in(60000), &key, &f.err));
    assert_ok(&f, sign_in(h, &key));
    assert_int_equal(raw->C_Finalize(NULL), CKR_OK); /* the first module's */
    assert_ok(&f, sign_in(h, &key));
    assert_ok(&f, sign(FIRST));
    assert_ok(&f, sign(SECOND));
}

/* ---- one hangs */

static void *sign_held(void *arg)
{
    struct sign_input in = fixture_input(MECHANISM_ECDSA, HASH_SHA256);
    cleanup_buf struct buf signature = {0};
    struct error err;

    (void)arg;
    ignore(hsm_sign(hsms[FIRST], keys[FIRST].id, KEY_TYPE_P256, &in, deadline_in(60000), &signature, &err));
    return NULL;
}

static void i9_one_that_hangs_does_not_delay_another_one_of_its_module(void **state)
{
    enum { THREADS = 6 }; /* more than it has sessions */
    pthread_t threads[THREADS];
    struct deadline bound = deadline_in(20000);

    (void)state;
    set_open(1000);
    assert_ok(&f, sign(FIRST));
    faults->hold_slot = slots[FIRST];
    faults->sign_hold = 1;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_held, NULL), 0);
    while (faults->signing == 0)
        assert_false(deadline_passed(bound));
    for (int i = 0; i < 20; i++)
        assert_ok(&f, sign(SECOND));
    assert_true(faults->signing > 0);

    while (is_ok(hsm_check(hsms[FIRST], deadline_in(10000), &f.err)))
        assert_false(deadline_passed(bound));
    assert_code(&f, sign(FIRST), CODE_HSM_UNAVAILABLE);
    assert_ok(&f, hsm_check(hsms[SECOND], deadline_in(10000), &f.err));
    assert_ok(&f, sign(SECOND));

    faults->sign_hold = 0;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    await_signature(FIRST);
}

/* ---- one is away */

static void a_token_that_is_away_at_the_start_is_found_when_it_is_there(void **state)
{
    struct hsm_config config = config_of(FIRST);
    unsigned mechanisms = 1u << MECHANISM_ECDSA, hashes = HASH_SET_DEFAULT;

    (void)state;
    set_begin();
    faults->absent_slot = slots[FIRST];
    assert_code(&f, hsm_open(&config, &hsms[FIRST], &f.err), CODE_CONFIGURATION);
    config.may_be_away = true;
    assert_ok(&f, hsm_add(&config, &hsms[FIRST]));
    config = config_of(SECOND);
    assert_ok(&f, hsm_add(&config, &hsms[SECOND]));

    assert_code(&f, sign(FIRST), CODE_HSM_UNAVAILABLE);
    assert_non_null(strstr(f.err.text, TOKEN_LABEL));
    assert_code(&f, hsm_check(hsms[FIRST], deadline_in(10000), &f.err), CODE_HSM_UNAVAILABLE);
    hsm_offer(hsms[FIRST], &mechanisms, &hashes); /* nothing is known of it, so nothing is taken away */
    assert_int_equal(mechanisms, 1u << MECHANISM_ECDSA);
    assert_ok(&f, hsm_check_type(hsms[FIRST], KEY_TYPE_RSA4096, &f.err));
    assert_ok(&f, sign(SECOND));
    assert_int_equal(faults->logins, 3); /* with the two of the set before */

    faults->absent_slot = 0;
    await_signature(FIRST);
    assert_ok(&f, sign(SECOND));
    assert_int_equal(faults->logins, 4);
}

static void a_module_that_answers_no_start_may_be_away_unless_it_is_set_up_wrongly(void **state)
{
    struct hsm_config config = config_of(FIRST);

    (void)state;
    set_begin();
    config.may_be_away = true;
    faults->initialize_fail = CKR_GENERAL_ERROR;
    assert_code(&f, hsm_open(&config, &hsms[FIRST], &f.err), CODE_CONFIGURATION);
    assert_non_null(strstr(f.err.text, FAULTY_MODULE));
    faults->initialize_fail = CKR_DEVICE_ERROR;
    assert_ok(&f, hsm_add(&config, &hsms[FIRST]));
    assert_code(&f, sign(FIRST), CODE_HSM_UNAVAILABLE);
    faults->initialize_fail = 0;
    await_signature(FIRST);
}

static void a_pin_refused_when_the_token_is_there_is_never_tried_again(void **state)
{
    struct hsm_config config = config_of(FIRST);
    struct deadline bound = deadline_in(20000);

    (void)state;
    set_begin();
    faults->absent_slot = slots[FIRST];
    faults->logins = 0;
    config.may_be_away = true;
    config.pin = slice_of_text("not the PIN");
    assert_ok(&f, hsm_add(&config, &hsms[FIRST]));
    faults->absent_slot = 0;
    while (faults->logins == 0) {
        assert_code(&f, sign(FIRST), CODE_HSM_UNAVAILABLE);
        assert_false(deadline_passed(bound));
    }
    assert_non_null(strstr(f.err.text, "PIN"));
    struct deadline beyond_the_pause = deadline_in(2500);
    while (!deadline_passed(beyond_the_pause))
        assert_code(&f, sign(FIRST), CODE_HSM_UNAVAILABLE);
    assert_int_equal(faults->logins, 1);
}

static void a_wrong_pin_at_the_start_is_refused_though_the_token_may_be_away(void **state)
{
    struct hsm_config config = config_of(FIRST);

    (void)state;
    set_begin();
    config.may_be_away = true;
    config.pin = slice_of_text("not the PIN");
    assert_code(&f, hsm_open(&config, &hsms[FIRST], &f.err), CODE_CREDENTIAL);
}

static void one_that_goes_away_leaves_the_other_one_logged_in(void **state)
{
    (void)state;
    assert_ok(&f, sign(FIRST));
    assert_ok(&f, sign(SECOND));
    faults->absent_slot = slots[FIRST];
    assert_code(&f, sign(FIRST), CODE_HSM_UNAVAILABLE);
    assert_ok(&f, sign(SECOND));
    assert_int_equal(faults->finalized, 0);
    assert_int_equal(faults->logins, 2);
    faults->absent_slot = 0;
    await_signature(FIRST);
    assert_int_equal(faults->logins, 3);
}

/* Handles of before would be numbers of others after. */
static void a_module_finalised_behind_our_back_is_started_once_for_all(void **state)
{
    (void)state;
    assert_ok(&f, sign(FIRST));
    assert_ok(&f, sign(SECOND));
    assert_int_equal(raw->C_Finalize(NULL), CKR_OK);
    assert_ok(&f, sign(FIRST));
    assert_ok(&f, sign(SECOND));
    assert_int_equal(faults->initialized, 2);
    assert_int_equal(faults->logins, 4);
    assert_ok(&f, sign(FIRST));
    assert_ok(&f, sign(SECOND));
    assert_int_equal(faults->logins, 4);
}

/* SoftHSM counts handles from one on: after the new start the first HSM's sessions and keys get the numbers that the
 * second one remembers. */
static void a_handle_of_before_signs_with_no_key_of_another_hsm(void **state)
{
    enum { SESSIONS = 2 };
    CK_SESSION_HANDLE sessions[SESSIONS];
    CK_OBJECT_HANDLE found[16];
    CK_ULONG count = 0;
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &class, sizeof class};
    cleanup_hsm_key struct hsm_key other = {0};

    (void)state;
    assert_ok(&f, hsm_generate(hsms[FIRST], KEY_TYPE_P256, "other", deadline_in(60000), &other, &f.err));
    set_open(10000);
    assert_ok(&f, sign(FIRST));
    assert_ok(&f, sign(SECOND));
    assert_int_equal(raw->C_Finalize(NULL), CKR_OK);
    assert_ok(&f, sign(FIRST));
    for (int i = 0; i < SESSIONS; i++)
        assert_int_equal(raw->C_OpenSession(slots[FIRST], CKF_SERIAL_SESSION, NULL, NULL, &sessions[i]), CKR_OK);
    assert_int_equal(raw->C_FindObjectsInit(sessions[0], &wanted, 1), CKR_OK);
    assert_int_equal(raw->C_FindObjects(sessions[0], found, COUNT_OF(found), &count), CKR_OK);
    assert_int_equal(raw->C_FindObjectsFinal(sessions[0]), CKR_OK);
    assert_ok(&f, sign(SECOND));
}

static void a_module_is_started_anew_when_all_its_hsms_are_lost(void **state)
{
    (void)state;
    assert_ok(&f, sign(FIRST));
    assert_ok(&f, sign(SECOND));
    for (int i = 0; i < HSMS; i++)
        assert_int_equal(raw->C_CloseAllSessions(slots[i]), CKR_OK);
    faults->open_session_fail = CKR_DEVICE_ERROR;
    assert_code(&f, sign(FIRST), CODE_HSM_UNAVAILABLE);
    assert_int_equal(faults->finalized, 0);
    assert_code(&f, sign(SECOND), CODE_HSM_UNAVAILABLE);
    assert_int_equal(faults->finalized, 1);
    faults->open_session_fail = 0;
    await_signature(FIRST);
    await_signature(SECOND);
}

/* ---- limits, URIs */

static bool limit_is(const struct hsm_info *info, const char *mechanism, int64_t max_bits)
{
    for (size_t i = 0; i < info->limit_count; i++) {
        if (strcmp(info->limits[i].name, mechanism) == 0)
            return info->limits[i].max_bits == max_bits;
    }
    return false;
}

static void a_key_that_the_token_cannot_make_is_refused_with_its_limit(void **state)
{
    struct hsm_config config = config_of(FIRST);
    struct hsm_info info;

    (void)state;
    set_begin();
    faults->rsa_max_bits = 2048;
    assert_ok(&f, hsm_add(&config, &hsms[FIRST]));
    assert_ok(&f, hsm_check_type(hsms[FIRST], KEY_TYPE_RSA2048, &f.err));
    assert_code(&f, hsm_check_type(hsms[FIRST], KEY_TYPE_RSA3072, &f.err), CODE_INVALID);
    assert_non_null(strstr(f.err.text, "CKM_RSA_PKCS_KEY_PAIR_GEN takes 512 to 2048 bits"));
    assert_ok(&f, hsm_describe(hsms[FIRST], deadline_in(10000), &info, &f.err));
    assert_int_equal(info.key_types & (1u << KEY_TYPE_RSA2048 | 1u << KEY_TYPE_RSA3072 | 1u << KEY_TYPE_P521),
                     1u << KEY_TYPE_RSA2048 | 1u << KEY_TYPE_P521);
    assert_true(limit_is(&info, "CKM_RSA_PKCS_KEY_PAIR_GEN", 2048));
    assert_true(limit_is(&info, "CKM_EC_KEY_PAIR_GEN", 521));
    assert_true(limit_is(&info, "CKM_AES_CBC", 256));
    assert_true(limit_is(&info, "CKM_SHA256", -1));
}

static void a_token_is_found_by_a_uri(void **state)
{
    struct hsm_config config = config_of(SECOND);
    char uri[256];
    CK_TOKEN_INFO info;

    (void)state;
    assert_int_equal(raw->C_GetTokenInfo(slots[SECOND], &info), CKR_OK);
    set_begin();
    (void)snprintf(uri, sizeof uri, "pkcs11:serial=%.16s;model=SoftHSM%%20v2", (const char *)info.serialNumber);
    config.uri = uri;
    config.token_label = "";
    assert_ok(&f, hsm_add(&config, &hsms[SECOND]));
    assert_ok(&f, sign(SECOND));

    set_begin();
    config.uri = "pkcs11:token=second%20token;manufacturer=Somebody%20else";
    assert_code(&f, hsm_open(&config, &hsms[SECOND], &f.err), CODE_CONFIGURATION);
    assert_non_null(strstr(f.err.text, SECOND_LABEL));
    config.uri = "pkcs11:manufacturer=SoftHSM%20project";
    assert_code(&f, hsm_open(&config, &hsms[SECOND], &f.err), CODE_CONFIGURATION);
    assert_non_null(strstr(f.err.text, "2 such tokens"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(two_tokens_of_one_module_have_keys_of_their_own, setup),
        cmocka_unit_test_setup(an_hsm_is_found_by_its_name_alone, setup),
        cmocka_unit_test_setup(a_name_twice_is_refused, setup),
        cmocka_unit_test_setup(one_token_under_two_names_is_refused_and_both_are_told, setup),
        cmocka_unit_test_setup(a_token_of_a_second_module_works_beside_them, setup),
        cmocka_unit_test_setup(i9_one_that_hangs_does_not_delay_another_one_of_its_module, setup),
        cmocka_unit_test_setup(a_token_that_is_away_at_the_start_is_found_when_it_is_there, setup),
        cmocka_unit_test_setup(a_module_that_answers_no_start_may_be_away_unless_it_is_set_up_wrongly, setup),
        cmocka_unit_test_setup(a_pin_refused_when_the_token_is_there_is_never_tried_again, setup),
        cmocka_unit_test_setup(a_wrong_pin_at_the_start_is_refused_though_the_token_may_be_away, setup),
        cmocka_unit_test_setup(one_that_goes_away_leaves_the_other_one_logged_in, setup),
        cmocka_unit_test_setup(a_module_finalised_behind_our_back_is_started_once_for_all, setup),
        cmocka_unit_test_setup(a_handle_of_before_signs_with_no_key_of_another_hsm, setup),
        cmocka_unit_test_setup(a_module_is_started_anew_when_all_its_hsms_are_lost, setup),
        cmocka_unit_test_setup(a_key_that_the_token_cannot_make_is_refused_with_its_limit, setup),
        cmocka_unit_test_setup(a_token_is_found_by_a_uri, setup),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Quotas and listed digests under load, on the real audit log and a store in a file: exact, whatever the threads do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/text.h"
#include "server/store/policy.h"
#include "sign_fixture.h"

enum { THREADS = 64, QUOTA = 100, TRIES = 4 };

struct setup {
    struct fixture f;
    char dir[64];
    atomic_int signed_count, refused_count, other_count;
};

static int setup(void **state)
{
    struct setup *s = calloc(1, sizeof(*s));
    char url[128];
    if (!s)
        return -1;
    (void)snprintf(s->dir, sizeof(s->dir), "%s/chancery-quota-XXXXXX", P_tmpdir);
    if (!mkdtemp(s->dir))
        return -1;
    (void)snprintf(url, sizeof(url), "sqlite:%s/store.db", s->dir);
    fixture_open(&s->f, url);
    assert_code(audit_open(s->f.store, NULL, &s->f.audit, &s->f.err), CODE_OK);
    fixture_signer(&s->f, false);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct setup *s = *state;
    char path[128];
    audit_close(s->f.audit);
    fixture_close(&s->f);
    static const char *const names[] = {"store.db", "store.db-wal", "store.db-shm"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", s->dir, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(s->dir);
    free(s);
    return 0;
}

static const char *document;
static int64_t version;

static status policy_change(struct db *db)
{
    cleanup_policy_row struct policy_row row = {.scope = SCOPE_KEY, .version = version, .created_ms = 1};
    (void)text_copy(row.scope_id, sizeof(row.scope_id), KEY_RSA);
    buf_add_text(&row.document, document);
    return policy_insert(db, &row, NULL);
}

static void policy_set(struct setup *s, const char *text)
{
    document = text;
    version++;
    fixture_change(&s->f, policy_change);
}

static void *sign_some(void *arg)
{
    struct setup *s = arg;
    for (int i = 0; i < TRIES; i++) {
        CLEANUP(sign_result_clear) struct sign_result result = {0};
        struct error err = {0};
        struct sign_order order = s->f.order;
        status made = signer_sign(s->f.signer, &s->f.alice, &order, deadline_in(60000), &result, &err);
        if (is_ok(made))
            atomic_fetch_add(&s->signed_count, 1);
        else if (made.code == CODE_QUOTA_EXCEEDED || made.code == CODE_DIGEST_NOT_LISTED)
            atomic_fetch_add(&s->refused_count, 1);
        else
            atomic_fetch_add(&s->other_count, 1);
    }
    return NULL;
}

static void load_run(struct setup *s)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_some, s), 0);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
}

static void a_quota_of_n_gives_exactly_n_signatures_to_64_signers(void **state)
{
    struct setup *s = *state;
    policy_set(s, "{\"quota\":{\"total\":100}}");
    load_run(s);
    assert_int_equal(s->other_count, 0);
    assert_int_equal(s->signed_count, QUOTA);
    assert_int_equal(s->refused_count, THREADS * TRIES - QUOTA);
    assert_int_equal(usage_of(&s->f, KEY_RSA).success, QUOTA);
}

static status digest_list(struct db *db)
{
    struct listed_digest d = {.key_id = KEY_RSA, .hash = "sha256", .remaining = 7, .created_ms = 1};
    memset(d.digest, 0, sizeof(d.digest));
    for (int i = 0; i < 32; i++)
        memcpy(d.digest + 2 * i, "d1", 2);
    return listed_digest_put(db, &d, "usr_carol", NULL);
}

static void a_digest_listed_seven_times_is_signed_seven_times_by_64_signers(void **state)
{
    struct setup *s = *state;
    policy_set(s, "{\"digests\":\"listed\"}");
    fixture_change(&s->f, digest_list);
    load_run(s);
    assert_int_equal(s->other_count, 0);
    assert_int_equal(s->signed_count, 7);
}

static void what_the_hsm_did_not_sign_is_given_back(void **state)
{
    struct setup *s = *state;
    policy_set(s, "{\"quota\":{\"total\":1,\"day\":1,\"month\":1},\"digests\":\"listed\"}");
    fixture_change(&s->f, digest_list);
    s->f.hsm.fail_with = CODE_HSM_UNAVAILABLE;
    for (int i = 0; i < 3; i++)
        assert_code(fixture_sign(&s->f, &s->f.alice), CODE_HSM_UNAVAILABLE);
    s->f.hsm.fail_with = CODE_OK;
    assert_code(fixture_sign(&s->f, &s->f.alice), CODE_OK);
    assert_code(fixture_sign(&s->f, &s->f.alice), CODE_QUOTA_EXCEEDED);

    struct listed_digest left;
    struct db *db = store_reader_acquire(s->f.store, &s->f.err);
    char digest[65] = "";
    for (int i = 0; i < 32; i++)
        strcat(digest, "d1");
    assert_code(listed_digest_find(db, KEY_RSA, "sha256", digest, &left, &s->f.err), CODE_OK);
    store_reader_release(s->f.store, db);
    assert_int_equal(left.remaining, 6);
}

static void a_repeated_request_is_counted_once(void **state)
{
    struct setup *s = *state;
    policy_set(s, "{\"quota\":{\"total\":1}}");
    s->f.order.idempotency_key = "0123456789abcdef";
    for (int i = 0; i < 5; i++)
        assert_code(fixture_sign(&s->f, &s->f.alice), CODE_OK);
    s->f.order.idempotency_key = "fedcba9876543210";
    assert_code(fixture_sign(&s->f, &s->f.alice), CODE_QUOTA_EXCEEDED);
}

#define QUOTA_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUOTA_TEST(a_quota_of_n_gives_exactly_n_signatures_to_64_signers),
        QUOTA_TEST(a_digest_listed_seven_times_is_signed_seven_times_by_64_signers),
        QUOTA_TEST(what_the_hsm_did_not_sign_is_given_back),
        QUOTA_TEST(a_repeated_request_is_counted_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

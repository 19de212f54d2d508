/* SPDX-License-Identifier: Apache-2.0 */
/* A client that lives on in both processes after fork(). */
#include <pthread.h>
#include <sys/wait.h>

#include "client/libctx.h"
#include "client/state.h"
#include "fake_chancery.h"
#include "tests/unit/common/expect.h"

static struct chancery c;
static struct client *client;
static struct error err;

static int set_up(void **state)
{
    (void)state;
    chancery_start_locked(&c, "open sesame");
    client = chancery_client(&c);
    err = (struct error){0};
    return is_ok(client_login(client, slice_of_text("open sesame"), &err)) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    client_free(client);
    client = NULL;
    chancery_stop(&c);
    return 0;
}

/* As pthread_atfork's handlers do; the child gets a minute, and its exit status is 0 when check holds. */
static void fork_and_expect(bool (*check)(void))
{
    client_fork_lock(client);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(60);
        client_fork_child(client);
        _exit(check() ? 0 : 1);
    }
    client_fork_unlock(client);
    int ended = -1;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);
}

static bool signs(void)
{
    return is_ok(chancery_sign(client, 10000, &err));
}

static int count(const char *method, const char *path)
{
    return fake_server_count(c.server, method, path);
}

static void a_child_signs_with_the_login_made_before(void **state)
{
    (void)state;
    fork_and_expect(signs);
    assert_true(signs());
    assert_int_equal(count("POST", "/v1/oauth/token"), 2);
}

static void a_child_shares_the_access_token_and_no_connection(void **state)
{
    (void)state;
    assert_true(signs());
    fork_and_expect(signs);
    assert_int_equal(fake_server_connections(c.server), 2); /* the child's is its own */
    assert_true(signs());
    assert_int_equal(count("POST", "/v1/oauth/token"), 1);
    assert_int_equal(count("GET", "/v1/signing/keys"), 1);
    assert_int_equal(fake_server_connections(c.server), 2);
}

static const struct client_keys *keys_before;
static EVP_PKEY *public_before;

static bool decodes_anew(void)
{
    cleanup_libctx struct libctx_scope scope = {0};
    if (!is_ok(libctx_enter(&scope, &err)))
        return false;
    EVP_PKEY *first = client_key_public(&keys_before->items[0]);
    return first && first != public_before && client_key_public(&keys_before->items[0]) == first;
}

static void a_child_uses_no_public_key_of_the_parents_openssl_context(void **state)
{
    (void)state;
    assert_ok(client_keys(client, deadline_in(10000), &keys_before, &err));
    public_before = client_key_public(&keys_before->items[0]);
    assert_non_null(public_before);
    fork_and_expect(decodes_anew);
    assert_ptr_equal(client_key_public(&keys_before->items[0]), public_before);
    client_keys_unref(keys_before);
}

static bool renews(void)
{
    return signs() && client->token.renew_at_ms > clock_monotonic_ms() && client->cache.checked_at_ms > 0;
}

static void a_child_renews_and_refreshes_what_a_thread_of_the_parent_had_begun_to(void **state)
{
    (void)state;
    assert_true(signs());
    client->token.renewing = true;
    client->token.renew_at_ms = clock_monotonic_ms();
    client->cache.refreshing = true;
    client->cache.checked_at_ms = -1000000;
    fork_and_expect(renews);
    assert_int_equal(count("POST", "/v1/oauth/token"), 2);
    assert_int_equal(count("GET", "/v1/signing/keys"), 2);
}

static bool logs_out(void)
{
    client_logout(client);
    return !client_is_logged_in(client) && !signs();
}

static void a_child_that_logs_out_leaves_the_parent_logged_in(void **state)
{
    (void)state;
    assert_true(signs());
    fork_and_expect(logs_out);
    assert_true(signs());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_child_signs_with_the_login_made_before),
        TEST(a_child_shares_the_access_token_and_no_connection),
        TEST(a_child_uses_no_public_key_of_the_parents_openssl_context),
        TEST(a_child_renews_and_refreshes_what_a_thread_of_the_parent_had_begun_to),
        TEST(a_child_that_logs_out_leaves_the_parent_logged_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

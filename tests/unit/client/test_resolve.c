/* SPDX-License-Identifier: Apache-2.0 */
/* Names are looked up in the calling thread where threads are forbidden. This program stands before the C library for
 * getaddrinfo and pthread_create: what libcurl calls is counted here. */
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "client/config.h"
#include "client/resolve.h"
#include "fake_chancery.h"
#include "tests/unit/common/expect.h"

#define NAME "signing.example"
#define SEEN_BY_LIBCURL __attribute__((visibility("default")))

static pthread_t tester;
static atomic_int threads_made; /* by the tester's calls */
static atomic_int looked_up_here, looked_up_elsewhere;

SEEN_BY_LIBCURL int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                                   void *argument)
{
    __typeof__(&pthread_create) real = (__typeof__(&pthread_create))dlsym(RTLD_NEXT, "pthread_create");
    if (pthread_equal(pthread_self(), tester))
        atomic_fetch_add(&threads_made, 1);
    return real(thread, attributes, run, argument);
}

SEEN_BY_LIBCURL int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                                struct addrinfo **found)
{
    __typeof__(&getaddrinfo) real = (__typeof__(&getaddrinfo))dlsym(RTLD_NEXT, "getaddrinfo");
    if (strcmp(node, NAME) != 0)
        return EAI_NONAME;
    atomic_fetch_add(pthread_equal(pthread_self(), tester) ? &looked_up_here : &looked_up_elsewhere, 1);
    return real("127.0.0.1", service, hints, found);
}

static void names_become_addresses_and_addresses_are_left_alone(void **state)
{
    (void)state;
    const struct {
        const char *url;
        const char *line;
    } rows[] = {
        {"https://" NAME ":8443", NAME ":8443:127.0.0.1"},
        {"https://" NAME, NAME ":443:127.0.0.1"},
        {"https://" NAME "/base", NAME ":443:127.0.0.1"},
        {"https://127.0.0.1:8443", ""},
        {"https://[::1]:8443", ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_buf struct buf line = {0};
        assert_ok(resolve_url(rows[i].url, &line, NULL));
        assert_string_equal(buf_text(&line), rows[i].line);
    }
}

static void a_name_that_does_not_exist_is_named(void **state)
{
    (void)state;
    struct error err = {0};
    cleanup_buf struct buf line = {0};
    assert_code(resolve_url("https://nowhere.example", &line, &err), CODE_UNAVAILABLE);
    assert_non_null(strstr(err.text, "nowhere.example"));
}

/* The server's certificate is of its address, so the call ends where TLS finds that out: behind the look-up. */
static void ask_by_name(bool no_threads, struct chancery *c)
{
    struct client_config *config = NULL;
    struct client *client = NULL;
    struct error err = {0};
    chancery_start(c);
    assert_ok(client_config_load(c->config, &config, &err));
    config->no_threads = no_threads;
    char *by_name = NULL;
    assert_true(asprintf(&by_name, "https://%s%s", NAME, strrchr(config->url, ':')) > 0);
    free(config->url);
    config->url = by_name;
    assert_ok(client_new(config, &client, &err));
    threads_made = looked_up_here = looked_up_elsewhere = 0;
    assert_code(chancery_sign(client, 10000, &err), CODE_CONFIGURATION);
    client_free(client);
}

static void no_thread_is_started_for_a_host_that_forbids_it(void **state)
{
    (void)state;
    struct chancery c;
    ask_by_name(true, &c);
    assert_int_equal(threads_made, 0);
    assert_true(looked_up_here > 0);
    assert_int_equal(looked_up_elsewhere, 0);
    assert_true(fake_server_connections(c.server) > 0);
    chancery_stop(&c);
}

/* That this test can see a thread. */
static void otherwise_the_look_up_is_a_thread_of_its_own(void **state)
{
    (void)state;
    struct chancery c;
    ask_by_name(false, &c);
    assert_true(threads_made > 0);
    assert_int_equal(looked_up_here, 0);
    assert_true(looked_up_elsewhere > 0);
    chancery_stop(&c);
}

int main(void)
{
    tester = pthread_self();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_become_addresses_and_addresses_are_left_alone),
        cmocka_unit_test(a_name_that_does_not_exist_is_named),
        cmocka_unit_test(no_thread_is_started_for_a_host_that_forbids_it),
        cmocka_unit_test(otherwise_the_look_up_is_a_thread_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

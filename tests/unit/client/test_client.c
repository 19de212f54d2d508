/* SPDX-License-Identifier: Apache-2.0 */
/* The client against a TLS server that behaves, misbehaves and goes away. */
#include <fcntl.h>
#include <openssl/err.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
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
    chancery_start(&c);
    client = chancery_client(&c);
    err = (struct error){0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    client_free(client);
    client = NULL;
    chancery_stop(&c);
    return 0;
}

static int signatures_asked(void)
{
    return fake_server_count(c.server, "POST", "/signatures");
}

static status get(const char *path, struct json **answer)
{
    return client_request(client, "GET", path, NULL, deadline_in(10000), answer, &err);
}

static void token_keys_and_signatures_share_one_connection(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        assert_ok(chancery_sign(client, 10000, &err));

    assert_int_equal(fake_server_connections(c.server), 1);
    assert_int_equal(signatures_asked(), 5);
    assert_int_equal(fake_server_count(c.server, "POST", "/v1/oauth/token"), 1);
    assert_int_equal(fake_server_count(c.server, "GET", "/v1/signing/keys"), 1);
}

static void i6_a_retry_after_a_lost_answer_carries_the_same_idempotency_key(void **state)
{
    (void)state;
    atomic_store(&c.drop_signatures, 2);

    assert_ok(chancery_sign(client, 10000, &err));

    /* libcurl may repeat on its own as well when a kept connection was closed: at least these three. */
    assert_true(signatures_asked() >= 3);
    const char *first = fake_server_request(c.server, "/signatures", 0)->idempotency_key;
    assert_int_equal(strlen(first), 36); /* 18 bytes in hex */
    for (int i = 1; i < signatures_asked(); i++)
        assert_string_equal(fake_server_request(c.server, "/signatures", i)->idempotency_key, first);
}

static void i6_two_signatures_have_two_idempotency_keys(void **state)
{
    (void)state;
    assert_ok(chancery_sign(client, 10000, &err));
    assert_ok(chancery_sign(client, 10000, &err));

    assert_string_not_equal(fake_server_request(c.server, "/signatures", 0)->idempotency_key,
                            fake_server_request(c.server, "/signatures", 1)->idempotency_key);
}

static void a_busy_server_is_asked_again_after_its_retry_after(void **state)
{
    (void)state;
    atomic_store(&c.busy_signatures, 1);
    c.busy_headers = "Retry-After: 1\r\n";
    int64_t begin = clock_monotonic_ms();

    assert_ok(chancery_sign(client, 10000, &err));

    assert_true(clock_monotonic_ms() - begin >= 1000);
    assert_int_equal(signatures_asked(), 2);
}

static void a_retry_after_behind_the_deadline_is_not_waited_for(void **state)
{
    (void)state;
    atomic_store(&c.busy_signatures, ALWAYS);
    c.busy_headers = "Retry-After: 60\r\n";

    assert_code(chancery_sign(client, 30000, &err), CODE_HSM_UNAVAILABLE);

    assert_int_equal(signatures_asked(), 1);
    assert_non_null(strstr(err.text, "the HSM is away (request req_1, HTTP 503, https://127.0.0.1:"));
}

static void i9_a_silent_server_ends_the_call_at_the_deadline(void **state)
{
    (void)state;
    atomic_store(&c.stall_signatures, ALWAYS);
    int64_t begin = clock_monotonic_ms();

    assert_code(chancery_sign(client, 400, &err), CODE_TIMEOUT);

    assert_true(clock_monotonic_ms() - begin < 8000);
}

static void i9_retries_end_at_the_deadline(void **state)
{
    (void)state;
    atomic_store(&c.drop_signatures, ALWAYS);
    int64_t begin = clock_monotonic_ms();

    assert_int_not_equal(chancery_sign(client, 600, &err).code, CODE_OK);

    assert_true(clock_monotonic_ms() - begin < 8000);
    assert_true(signatures_asked() >= 2);
}

static void a_signature_that_does_not_verify_is_not_handed_on(void **state)
{
    (void)state;
    atomic_store(&c.spoil_signatures, 1);

    assert_code(chancery_sign(client, 10000, &err), CODE_BAD_SIGNATURE);
}

static void only_where_configured_is_an_ec_signature_left_to_the_server(void **state)
{
    (void)state;
    client->config->verify_rsa_only = true;
    atomic_store(&c.spoil_signatures, 1);

    assert_ok(chancery_sign(client, 10000, &err));
}

static void an_endless_answer_is_refused(void **state)
{
    (void)state;
    c.keys_action = FAKE_ENDLESS;

    assert_code(chancery_sign(client, 10000, &err), CODE_INTERNAL);

    assert_non_null(strstr(err.text, "larger than"));
}

static void an_answer_that_declares_too_much_is_refused_at_its_head(void **state)
{
    (void)state;
    c.keys_action = FAKE_HUGE;

    assert_code(chancery_sign(client, 10000, &err), CODE_INTERNAL);

    assert_non_null(strstr(err.text, "larger than"));
}

static void an_answer_that_is_no_json_is_refused(void **state)
{
    (void)state;
    c.keys_answer = "<html>hello</html>";

    assert_code(chancery_sign(client, 10000, &err), CODE_INTERNAL);

    assert_non_null(strstr(err.text, "not understood"));
}

static void a_key_with_a_malformed_public_key_is_refused(void **state)
{
    (void)state;
    c.keys_answer = "{\"keys\":[{\"id\":\"key_1\",\"project\":\"demo\",\"label\":\"p256\",\"type\":\"p256\","
                    "\"public_key\":\"AAAA\"}]}";

    assert_code(chancery_sign(client, 10000, &err), CODE_INTERNAL);

    assert_non_null(strstr(err.text, "demo-p256"));
}

static void a_token_that_is_refused_is_renewed_once(void **state)
{
    (void)state;
    assert_ok(chancery_sign(client, 10000, &err));
    atomic_store(&c.unauthorized, 1);

    assert_ok(chancery_sign(client, 10000, &err));

    assert_int_equal(fake_server_count(c.server, "POST", "/v1/oauth/token"), 2);
    const struct fake_request *last = fake_server_request(c.server, "/signatures", signatures_asked() - 1);
    assert_string_equal(last->authorization, "Bearer token-2");
}

static void a_token_that_is_always_refused_ends_the_call(void **state)
{
    (void)state;
    atomic_store(&c.unauthorized, ALWAYS);

    assert_code(chancery_sign(client, 10000, &err), CODE_NOT_AUTHENTICATED);

    assert_int_equal(fake_server_count(c.server, "POST", "/v1/oauth/token"), 2);
}

static void a_token_about_to_end_is_renewed_before_it_is_used(void **state)
{
    (void)state;
    assert_ok(chancery_sign(client, 10000, &err));
    assert_true(client->token.expires_at_ms - client->token.renew_at_ms == 60000);
    client->token.renew_at_ms = clock_monotonic_ms();

    assert_ok(chancery_sign(client, 10000, &err));

    const struct fake_request *last = fake_server_request(c.server, "/signatures", 1);
    assert_string_equal(last->authorization, "Bearer token-2");
}

static void each_attempt_at_a_token_has_an_assertion_of_its_own(void **state)
{
    (void)state;
    atomic_store(&c.drop_tokens, 1);

    assert_ok(chancery_sign(client, 10000, &err));

    assert_int_equal(fake_server_count(c.server, "POST", "/v1/oauth/token"), 2);
    const struct fake_request *first = fake_server_request(c.server, "/v1/oauth/token", 0);
    const struct fake_request *second = fake_server_request(c.server, "/v1/oauth/token", 1);
    assert_string_not_equal(buf_text(&first->body), buf_text(&second->body));
}

static void a_refused_assertion_names_the_servers_reason(void **state)
{
    (void)state;
    atomic_store(&c.refuse_tokens, 1);

    assert_code(chancery_sign(client, 10000, &err), CODE_NOT_AUTHENTICATED);

    char expected[160];
    (void)snprintf(expected, sizeof(expected), "no: the assertion is refused (request req_1, HTTP 401, %s)",
                   fake_server_url(c.server));
    assert_string_equal(err.text, expected);
}

static void what_changes_something_is_sent_once(void **state)
{
    (void)state;
    cleanup_buf struct buf body = {0};
    buf_add_text(&body, "{}");
    c.other_action = FAKE_DROP;

    assert_code(client_request(client, "POST", "/v1/projects", &body, deadline_in(10000), NULL, &err),
                CODE_UNAVAILABLE);

    assert_int_equal(fake_server_count(c.server, "POST", "/v1/projects"), 1);
}

static void what_reads_is_tried_three_times(void **state)
{
    (void)state;
    c.other_action = FAKE_DROP;

    assert_code(get("/v1/projects", NULL), CODE_UNAVAILABLE);

    assert_true(fake_server_count(c.server, "GET", "/v1/projects") >= 3);
}

static void a_redirect_is_not_followed(void **state)
{
    (void)state;
    c.other_status = 302;

    assert_code(get("/v1/whoami", NULL), CODE_INTERNAL);

    assert_non_null(strstr(err.text, "redirect"));
}

static void an_answer_without_body_is_no_value(void **state)
{
    (void)state;
    struct json *answer = (struct json *)&c;
    c.other_status = 204;

    assert_ok(get("/v1/whoami", &answer));

    assert_null(answer);
}

static void a_server_with_another_root_is_refused_without_a_request(void **state)
{
    (void)state;
    struct chancery other;
    char path[192];
    chancery_start(&other);
    chancery_path(&c, "ca.pem", path);
    file_put(path, fake_server_ca(other.server), 0644);
    client_free(client);
    client = chancery_client(&c);

    assert_code(chancery_sign(client, 10000, &err), CODE_CONFIGURATION);

    assert_int_equal(fake_server_count(c.server, "POST", "/"), 0);
    chancery_stop(&other);
}

static void a_server_that_cannot_tls_1_3_is_refused_at_once(void **state)
{
    (void)state;
    struct chancery old = c;
    struct fake_options options = {.handler = NULL, .tls12 = true};
    old.server = fake_server_start(&options);
    char path[192];
    chancery_path(&c, "ca.pem", path);
    file_put(path, fake_server_ca(old.server), 0644);
    chancery_configure(&old, NULL);
    client_free(client);
    client = chancery_client(&c);

    assert_code(get("/v1/whoami", NULL), CODE_CONFIGURATION);

    assert_non_null(strstr(err.text, "TLS 1.3"));
    assert_int_equal(fake_server_connections(old.server), 1);
    fake_server_stop(old.server);
}

static void keys_are_answered_from_memory_while_young(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        cleanup_client_keys const struct client_keys *keys = NULL;
        assert_ok(client_keys(client, deadline_in(10000), &keys, &err));
        assert_int_equal(keys->count, 1);
        assert_string_equal(keys->items[0].token_label, "demo-p256");
    }
    assert_int_equal(fake_server_count(c.server, "GET", "/v1/signing/keys"), 1);
}

static void keys_come_in_the_order_of_their_labels(void **state)
{
    (void)state;
#define KEY(id, label)                                                                                                 \
    "{\"id\":\"" id "\",\"project\":\"demo\",\"label\":\"" label "\",\"type\":\"ed25519\","                            \
    "\"public_key\":\"MCowBQYDK2VwAyEAR23Na3WH365qw4wkEzSLyeyln03nOTzqbdbsezUtSGk=\"}"
    c.keys_answer = "{\"keys\":[" KEY("key_1", "c") "," KEY("key_2", "a") "," KEY("key_3", "b") "]}";
    cleanup_client_keys const struct client_keys *keys = NULL;
    assert_ok(client_keys(client, deadline_in(10000), &keys, &err));

    assert_int_equal(keys->count, 3);
    assert_string_equal(keys->items[0].token_label, "demo-a");
    assert_string_equal(keys->items[1].token_label, "demo-b");
    assert_string_equal(keys->items[2].token_label, "demo-c");
}

static void unchanged_keys_are_not_sent_again(void **state)
{
    (void)state;
    cleanup_client_keys const struct client_keys *first = NULL;
    cleanup_client_keys const struct client_keys *second = NULL;
    assert_ok(client_keys(client, deadline_in(10000), &first, &err));
    client_keys_refresh(client);

    assert_ok(client_keys(client, deadline_in(10000), &second, &err));

    assert_ptr_equal(first, second);
    assert_string_equal(fake_server_request(c.server, "/v1/signing/keys", 1)->if_none_match, "\"e1\"");
}

static void an_unreachable_server_leaves_the_last_known_keys(void **state)
{
    (void)state;
    cleanup_client_keys const struct client_keys *first = NULL;
    cleanup_client_keys const struct client_keys *second = NULL;
    assert_ok(client_keys(client, deadline_in(10000), &first, &err));
    c.keys_action = FAKE_DROP;
    client_keys_refresh(client);

    assert_ok(client_keys(client, deadline_in(10000), &second, &err));

    assert_ptr_equal(first, second);
    /* and it is not asked again at once */
    int asked = fake_server_count(c.server, "GET", "/v1/signing/keys");
    cleanup_client_keys const struct client_keys *third = NULL;
    assert_ok(client_keys(client, deadline_in(10000), &third, &err));
    assert_int_equal(fake_server_count(c.server, "GET", "/v1/signing/keys"), asked);
}

static void a_refused_principal_gets_no_last_known_keys(void **state)
{
    (void)state;
    cleanup_client_keys const struct client_keys *first = NULL;
    const struct client_keys *second = NULL;
    assert_ok(client_keys(client, deadline_in(10000), &first, &err));
    atomic_store(&c.unauthorized, ALWAYS);
    client_keys_refresh(client);

    assert_code(client_keys(client, deadline_in(10000), &second, &err), CODE_NOT_AUTHENTICATED);
}

/* The key file again, with a passphrase. */
static void encrypt_key(void)
{
    char path[192];
    cleanup_buf struct buf pem = {0};
    chancery_path(&c, "build-1.key", path);
    (void)unlink(path);
    assert_ok(client_enroll(path, slice_of_text("open sesame"), &pem, &err));
    client_free(client);
    client = chancery_client(&c);
}

static void before_login_the_public_data_on_disk_are_shown(void **state)
{
    (void)state;
    assert_ok(chancery_sign(client, 10000, &err)); /* writes them */
    encrypt_key();
    int requests = fake_server_count(c.server, "GET", "/");

    cleanup_client_keys const struct client_keys *keys = NULL;
    assert_true(client_needs_login(client));
    assert_false(client_is_logged_in(client));
    assert_ok(client_keys(client, deadline_in(10000), &keys, &err));

    assert_int_equal(keys->count, 1);
    assert_int_equal(fake_server_count(c.server, "GET", "/"), requests);
}

static void before_login_nothing_is_signed(void **state)
{
    (void)state;
    assert_ok(chancery_sign(client, 10000, &err));
    encrypt_key();

    assert_code(chancery_sign(client, 10000, &err), CODE_NOT_AUTHENTICATED);
}

static void a_wrong_passphrase_is_told_without_a_request(void **state)
{
    (void)state;
    encrypt_key();

    assert_code(client_login(client, slice_of_text("open barley"), &err), CODE_CREDENTIAL);
    assert_code(client_login(client, slice_of_text(""), &err), CODE_CREDENTIAL);
    assert_false(client_is_logged_in(client));
    assert_ok(client_login(client, slice_of_text("open sesame"), &err));

    assert_int_equal(fake_server_connections(c.server), 0);
    assert_ok(chancery_sign(client, 10000, &err));
}

static void i8_logout_wipes_credential_and_token(void **state)
{
    (void)state;
    encrypt_key();
    assert_ok(client_login(client, slice_of_text("open sesame"), &err));
    assert_ok(chancery_sign(client, 10000, &err));

    client_logout(client);

    assert_false(client_is_logged_in(client));
    assert_int_equal(client->credential.key.len, 0);
    assert_int_equal(client->token.value.len, 0);
    assert_code(chancery_sign(client, 10000, &err), CODE_NOT_AUTHENTICATED);
}

static void public_data_of_another_server_are_not_used(void **state)
{
    (void)state;
    char path[192];
    chancery_path(&c, "public.json", path);
    file_put(path, "{\"url\":\"https://127.0.0.1:1\",\"keys_answer\":{\"keys\":[]}}", 0644);
    encrypt_key();

    cleanup_client_keys const struct client_keys *keys = NULL;
    assert_ok(client_keys(client, deadline_in(10000), &keys, &err));

    assert_null(client->cache.disk.keys);
}

static void an_api_key_is_the_bearer(void **state)
{
    (void)state;
    char path[192];
    chancery_path(&c, "api.key", path);
    file_put(path, "chancery_ak1_0123456789abcdef_00\n", 0600);
    chancery_configure(&c, "[credential]\ntype = api_key\napi_key_file = api.key\n");
    client_free(client);
    client = chancery_client(&c);

    assert_ok(chancery_sign(client, 10000, &err));

    assert_int_equal(fake_server_count(c.server, "POST", "/v1/oauth/token"), 0);
    assert_string_equal(fake_server_request(c.server, "/signatures", 0)->authorization,
                        "Bearer chancery_ak1_0123456789abcdef_00");
}

static void i8_a_credential_that_others_can_read_is_refused(void **state)
{
    (void)state;
    struct client_config *config = NULL;
    struct client *made = NULL;
    char path[192];
    chancery_path(&c, "build-1.key", path);
    assert_int_equal(chmod(path, 0640), 0);
    assert_ok(client_config_load(c.config, &config, &err));

    assert_code(client_new(config, &made, &err), CODE_CONFIGURATION);

    assert_non_null(strstr(err.text, "build-1.key"));
}

static void a_connection_closed_while_idle_costs_no_failure(void **state)
{
    (void)state;
    assert_ok(chancery_sign(client, 10000, &err));
    fake_server_hang_up(c.server);

    assert_ok(chancery_sign(client, 10000, &err));

    assert_int_equal(fake_server_connections(c.server), 2);
}

static void *sign_thread(void *user)
{
    struct error mine = {0};
    atomic_int *failures = user;
    for (int i = 0; i < 5; i++)
        if (!is_ok(chancery_sign(client, 10000, &mine)))
            atomic_fetch_add(failures, 1);
    return NULL;
}

static void threads_sign_over_at_most_a_connection_each(void **state)
{
    (void)state;
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    atomic_int failures = 0;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_thread, &failures), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    assert_int_equal(failures, 0);
    assert_int_equal(signatures_asked(), 5 * THREADS);
    /* Each thread's token request may have opened one of its own. */
    assert_true(fake_server_connections(c.server) <= 2 * THREADS);
}

static int sockets_count(void)
{
    int found = 0;
    for (int fd = 3; fd < 256; fd++) {
        int domain = 0;
        socklen_t len = sizeof(domain);
        found += getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_INET;
    }
    return found;
}

/* In the child: only what is asked for here may happen to the parent's connection. */
static int child_run(bool with_new_client)
{
    int before = sockets_count();
    client_abandon_after_fork(client);
    if (sockets_count() != before - 1)
        return 2;
    if (!with_new_client)
        return 0;
    client = chancery_client(&c);
    return is_ok(chancery_sign(client, 10000, &err)) ? 0 : 1;
}

static void fork_and_expect_well(bool with_new_client)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(60);
        _exit(child_run(with_new_client));
    }
    int ended = -1;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFEXITED(ended));
    assert_int_equal(WEXITSTATUS(ended), 0);
}

static void i10_a_forked_child_leaves_the_parents_connection_alone(void **state)
{
    (void)state;
    assert_ok(chancery_sign(client, 10000, &err));

    fork_and_expect_well(false);

    assert_ok(chancery_sign(client, 10000, &err));
    assert_int_equal(fake_server_connections(c.server), 1);
}

static void i10_a_forked_child_signs_with_a_client_of_its_own(void **state)
{
    (void)state;
    assert_ok(chancery_sign(client, 10000, &err));

    fork_and_expect_well(true);

    assert_ok(chancery_sign(client, 10000, &err));
    assert_int_equal(fake_server_connections(c.server), 2);
    assert_int_equal(signatures_asked(), 3);
}

static void i10_connections_are_closed_on_exec(void **state)
{
    (void)state;
    int found = 0;
    assert_ok(chancery_sign(client, 10000, &err));

    for (int fd = 3; fd < 256; fd++) {
        int domain = 0;
        socklen_t len = sizeof(domain);
        if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) != 0 || domain != AF_INET)
            continue;
        found++;
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    }
    assert_true(found >= 3); /* the client's, and the server's listener and connection */
}

static void i8_tls_secrets_do_not_follow_the_environment(void **state)
{
    (void)state;
    const char *path = getenv("SSLKEYLOGFILE"); /* set in main, before libcurl started */
    assert_non_null(path);
    assert_ok(chancery_sign(client, 10000, &err));

    FILE *file = fopen(path, "re");
    if (file) {
        assert_int_equal(fgetc(file), EOF);
        fclose(file);
    }
}

static void a_proxy_of_the_environment_is_not_used(void **state)
{
    (void)state;
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);

    assert_ok(chancery_sign(client, 10000, &err));

    unsetenv("https_proxy");
    unsetenv("ALL_PROXY");
}

static void the_hosts_openssl_context_and_errors_stay_as_they_are(void **state)
{
    (void)state;
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 42);
    OSSL_LIB_CTX *hosts = OSSL_LIB_CTX_new();
    OSSL_LIB_CTX *before = OSSL_LIB_CTX_set0_default(hosts);
    atomic_store(&c.spoil_signatures, 1);

    assert_code(chancery_sign(client, 10000, &err), CODE_BAD_SIGNATURE);

    assert_ptr_equal(OSSL_LIB_CTX_set0_default(before), hosts);
    OSSL_LIB_CTX_free(hosts);
    assert_int_equal(ERR_GET_REASON(ERR_get_error()), 42);
    assert_int_equal(ERR_peek_error(), 0);
}

static void the_context_tells_program_host_and_user(void **state)
{
    (void)state;
    cleanup_json struct json *order = NULL;
    assert_ok(chancery_sign(client, 10000, &err));
    const struct fake_request *r = fake_server_request(c.server, "/signatures", 0);

    assert_ok(json_parse(buf_slice(&r->body), 65536, 8, &order, &err));

    const struct json *context = json_get(order, "context");
    assert_string_equal(json_get_text(context, "program", ""), "test_client");
    assert_true(strlen(json_get_text(context, "host", "")) > 0);
    assert_true(strlen(json_get_text(context, "user", "")) > 0);
}

static void fields_of_the_configuration_stand_in_the_context(void **state)
{
    (void)state;
    cleanup_json struct json *order = NULL;
    setenv("CHANCERY_TEST_BUILD", "4711", 1);
    chancery_configure(&c, "[credential]\ntype = service_account\naccount = build-1\nkey = build-1.key\n"
                           "[context]\nbuild_id = env:CHANCERY_TEST_BUILD\n");
    client_free(client);
    client = chancery_client(&c);
    assert_ok(chancery_sign(client, 10000, &err));
    const struct fake_request *r = fake_server_request(c.server, "/signatures", 0);

    assert_ok(json_parse(buf_slice(&r->body), 65536, 8, &order, &err));

    assert_string_equal(json_get_text(json_get(order, "context"), "build_id", ""), "4711");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    char key_log[64];
    (void)snprintf(key_log, sizeof(key_log), "/tmp/chancery-keylog-%d", (int)getpid());
    setenv("SSLKEYLOGFILE", key_log, 1);
    const struct CMUnitTest tests[] = {
        TEST(token_keys_and_signatures_share_one_connection),
        TEST(i6_a_retry_after_a_lost_answer_carries_the_same_idempotency_key),
        TEST(i6_two_signatures_have_two_idempotency_keys),
        TEST(a_busy_server_is_asked_again_after_its_retry_after),
        TEST(a_retry_after_behind_the_deadline_is_not_waited_for),
        TEST(i9_a_silent_server_ends_the_call_at_the_deadline),
        TEST(i9_retries_end_at_the_deadline),
        TEST(a_signature_that_does_not_verify_is_not_handed_on),
        TEST(only_where_configured_is_an_ec_signature_left_to_the_server),
        TEST(an_endless_answer_is_refused),
        TEST(an_answer_that_declares_too_much_is_refused_at_its_head),
        TEST(an_answer_that_is_no_json_is_refused),
        TEST(a_key_with_a_malformed_public_key_is_refused),
        TEST(a_token_that_is_refused_is_renewed_once),
        TEST(a_token_that_is_always_refused_ends_the_call),
        TEST(a_token_about_to_end_is_renewed_before_it_is_used),
        TEST(each_attempt_at_a_token_has_an_assertion_of_its_own),
        TEST(a_refused_assertion_names_the_servers_reason),
        TEST(what_changes_something_is_sent_once),
        TEST(what_reads_is_tried_three_times),
        TEST(a_redirect_is_not_followed),
        TEST(an_answer_without_body_is_no_value),
        TEST(a_server_with_another_root_is_refused_without_a_request),
        TEST(a_server_that_cannot_tls_1_3_is_refused_at_once),
        TEST(keys_are_answered_from_memory_while_young),
        TEST(keys_come_in_the_order_of_their_labels),
        TEST(unchanged_keys_are_not_sent_again),
        TEST(an_unreachable_server_leaves_the_last_known_keys),
        TEST(a_refused_principal_gets_no_last_known_keys),
        TEST(before_login_the_public_data_on_disk_are_shown),
        TEST(before_login_nothing_is_signed),
        TEST(a_wrong_passphrase_is_told_without_a_request),
        TEST(i8_logout_wipes_credential_and_token),
        TEST(public_data_of_another_server_are_not_used),
        TEST(an_api_key_is_the_bearer),
        TEST(i8_a_credential_that_others_can_read_is_refused),
        TEST(a_connection_closed_while_idle_costs_no_failure),
        TEST(threads_sign_over_at_most_a_connection_each),
        TEST(i10_a_forked_child_leaves_the_parents_connection_alone),
        TEST(i10_a_forked_child_signs_with_a_client_of_its_own),
        TEST(i10_connections_are_closed_on_exec),
        TEST(i8_tls_secrets_do_not_follow_the_environment),
        TEST(a_proxy_of_the_environment_is_not_used),
        TEST(the_hosts_openssl_context_and_errors_stay_as_they_are),
        TEST(the_context_tells_program_host_and_user),
        TEST(fields_of_the_configuration_stand_in_the_context),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(key_log);
    return failures;
}

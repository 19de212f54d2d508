/* SPDX-License-Identifier: Apache-2.0 */
/* The public data on disk: what a cold process needs no request for, when it asks all the same, and which file is not
 * believed. Each test begins with a file that an earlier process left. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "client/state.h"
#include "common/file.h"
#include "fake_chancery.h"
#include "tests/unit/common/expect.h"

static struct chancery c;
static struct client *client;
static struct error err;
static char file[192], log_file[192];
/* What the earlier process asked. */
static int tokens, listings, signatures, handshakes;

static int count(const char *method, const char *path)
{
    return fake_server_count(c.server, method, path);
}

static void process_end(void)
{
    client_free(client);
    client = NULL;
    tokens = count("POST", "/v1/oauth/token");
    listings = count("GET", "/v1/signing/keys");
    signatures = count("POST", "/signatures");
    handshakes = fake_server_handshakes(c.server);
}

static void process_start(void)
{
    client_free(client); /* of a test that needs no count from before */
    client = chancery_client(&c);
}

static void assert_asked(int new_tokens, int new_listings, int new_signatures)
{
    assert_int_equal(count("POST", "/v1/oauth/token") - tokens, new_tokens);
    assert_int_equal(count("GET", "/v1/signing/keys") - listings, new_listings);
    assert_int_equal(count("POST", "/signatures") - signatures, new_signatures);
}

static void look(void)
{
    cleanup_client_keys const struct client_keys *keys = NULL;
    assert_ok(client_keys(client, deadline_in(10000), &keys, &err));
    assert_int_equal(keys->count, 1);
}

static int set_up(void **state)
{
    (void)state;
    err = (struct error){0};
    chancery_start(&c);
    chancery_path(&c, "public.json", file);
    chancery_path(&c, "log", log_file);
    status opened = log_open(log_file, LOG_LEVEL_WARNING, LOG_FORMAT_TEXT, &err);
    process_start();
    status signed_once = chancery_sign(client, 10000, &err);
    process_end();
    process_start();
    return is_ok(opened) && is_ok(signed_once) && file_exists(file) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    log_close();
    client_free(client);
    client = NULL;
    chancery_stop(&c);
    return 0;
}

/* The file's text with one piece replaced. */
static void file_change(const char *from, const char *to)
{
    cleanup_buf struct buf text = {0};
    cleanup_buf struct buf changed = {0};
    assert_ok(file_read(file, 1 << 20, FILE_ANY, &text, &err));
    const char *at = strstr(buf_text(&text), from);
    assert_non_null(at);
    buf_add(&changed, text.data, (size_t)(at - buf_text(&text)));
    buf_add_text(&changed, to);
    buf_add_text(&changed, at + strlen(from));
    file_put(file, buf_text(&changed), 0644);
}

/* fetched_at, so many seconds from now. */
static void file_fetched(int64_t seconds)
{
    char at[TIME_TEXT_SIZE], member[64];
    cleanup_buf struct buf text = {0};
    assert_ok(file_read(file, 1 << 20, FILE_ANY, &text, &err));
    const char *old = strstr(buf_text(&text), "\"fetched_at\":\"");
    assert_non_null(old);
    char was[64];
    (void)snprintf(was, sizeof(was), "%.*s", (int)(strlen("\"fetched_at\":\"") + 24), old);
    time_format(clock_now_ms() + seconds * 1000, at);
    (void)snprintf(member, sizeof(member), "\"fetched_at\":\"%s", at);
    file_change(was, member);
}

static void assert_logged(const char *what)
{
    cleanup_buf struct buf text = {0};
    assert_ok(file_read(log_file, 1 << 20, FILE_ANY, &text, &err));
    if (!strstr(buf_text(&text), what))
        fail_msg("the log does not say '%s': %s", what, buf_text(&text));
}

static void a_cold_process_signs_with_a_token_and_a_signature_request_over_one_tls_connection(void **state)
{
    (void)state;
    assert_int_equal(fake_server_handshakes(c.server), handshakes); /* none before it is needed */

    assert_ok(chancery_sign(client, 10000, &err));

    assert_asked(1, 0, 1);
    assert_int_equal(fake_server_handshakes(c.server) - handshakes, 1);
}

static void a_list_that_has_changed_is_told_by_the_token_and_asked_for(void **state)
{
    (void)state;
    c.token_etag = "e2";
    process_start();
    look();
    assert_asked(1, 1, 0);
    look();
    assert_asked(1, 1, 0);
}

static void a_list_that_the_token_confirms_is_not_asked_for(void **state)
{
    (void)state;
    c.token_etag = "e1";
    process_start();
    look();
    assert_asked(1, 0, 0);
}

static void a_refused_account_is_shown_no_list_from_disk(void **state)
{
    (void)state;
    cleanup_client_keys const struct client_keys *keys = NULL;
    c.refuse_tokens = 10;
    process_start();
    assert_code(client_keys(client, deadline_in(10000), &keys, &err), CODE_NOT_AUTHENTICATED);
}

static void the_list_from_disk_ages_like_any_other(void **state)
{
    (void)state;
    look();
    assert_asked(1, 0, 0);
    client->cache.checked_at_ms -= client->config->keys_max_age_ms;

    look();

    assert_asked(1, 1, 0);
}

static void data_older_than_configured_are_refreshed_by_a_conditional_request(void **state)
{
    (void)state;
    file_fetched(-3601);

    look();

    assert_asked(1, 1, 0);
    assert_string_equal(fake_server_request(c.server, "/v1/signing/keys", 2)->if_none_match, "\"e1\"");
    /* and young again for the next process, though nothing changed */
    process_end();
    process_start();
    look();
    assert_asked(1, 0, 0);
}

static void a_time_of_change_does_not_make_old_data_young(void **state)
{
    (void)state;
    file_fetched(-3601); /* written a moment ago */
    look();
    assert_asked(1, 1, 0);
}

static void data_from_the_future_are_old(void **state)
{
    (void)state;
    file_fetched(60);
    look();
    assert_asked(1, 1, 0);
}

static void data_without_a_time_are_old(void **state)
{
    (void)state;
    file_change("fetched_at", "fetched_when");
    look();
    assert_asked(1, 1, 0);
}

static void an_age_of_zero_switches_it_off(void **state)
{
    (void)state;
    client->config->public_data_max_age_ms = 0;
    look();
    assert_asked(1, 1, 0);
}

static void old_data_are_shown_while_no_server_answers(void **state)
{
    (void)state;
    file_fetched(-360000);
    c.keys_action = FAKE_DROP;
    look();
}

static void what_is_not_found_is_asked_for_once_in_a_few_seconds(void **state)
{
    (void)state;
    look();

    assert_true(client_keys_search_missed(client));
    look();
    assert_asked(1, 1, 0);
    assert_false(client_keys_search_missed(client));
    look();
    assert_asked(1, 1, 0);

    client->cache.asked_at_ms -= 5000;
    assert_true(client_keys_search_missed(client));
    look();
    assert_asked(1, 2, 0);
}

static void before_login_a_miss_asks_nobody(void **state)
{
    (void)state;
    char path[192];
    cleanup_buf struct buf pem = {0};
    chancery_path(&c, "build-1.key", path);
    (void)unlink(path);
    assert_ok(client_enroll(path, slice_of_text("open sesame"), &pem, &err));
    process_start();
    look();
    assert_false(client_keys_search_missed(client));
}

static status sign_with_key(const char *id)
{
    static const uint8_t digest[32] = {1};
    const struct client_key key = {.type = KEY_TYPE_P256};
    struct client_key gone = key;
    (void)snprintf(gone.id, sizeof(gone.id), "%s", id);
    const struct sign_input in = {.mechanism = MECHANISM_ECDSA, .hash = HASH_SHA256, .digest = {digest, 32}};
    cleanup_buf struct buf signature = {0};
    return client_sign(client, &gone, &in, deadline_in(10000), &signature, &err);
}

static void a_refused_signature_renews_the_file(void **state)
{
    (void)state;
    look();
    assert_asked(1, 0, 0);

    assert_code(sign_with_key("key_gone"), CODE_KEY_DISABLED);

    assert_asked(1, 1, 1);
    assert_non_null(strstr(err.text, "rotated out"));
}

static void a_signature_by_another_version_of_the_key_renews_the_file(void **state)
{
    (void)state;
    atomic_store(&c.spoil_signatures, 1);
    assert_code(chancery_sign(client, 10000, &err), CODE_BAD_SIGNATURE);
    assert_asked(1, 1, 1);
}

static void the_file_holds_public_data_only_and_is_readable_by_all(void **state)
{
    (void)state;
    struct stat st;
    cleanup_buf struct buf text = {0};
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_ok(file_read(file, 1 << 20, FILE_ANY, &text, &err));
    assert_null(strstr(buf_text(&text), "token-"));
    assert_null(strstr(buf_text(&text), "PRIVATE"));
    assert_non_null(strstr(buf_text(&text), "\"etag\":\"\\\"e1\\\"\""));
}

static void a_file_that_others_can_write_is_not_believed(void **state)
{
    (void)state;
    assert_int_equal(chmod(file, 0666), 0);
    look();
    assert_asked(1, 1, 0);
    assert_logged("public.json");
}

static void a_damaged_file_is_not_believed(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "{", "[]", "{\"url\":\"%s\",\"account\":\"build-1\",\"keys_answer\":7}",
        "{\"url\":\"%s\",\"account\":\"build-1\",\"keys_answer\":{\"keys\":[{\"type\":\"p256\"}]}}"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        cleanup_buf struct buf text = {0};
        process_end();
        const char *hole = strstr(texts[i], "%s");
        buf_add(&text, texts[i], hole ? (size_t)(hole - texts[i]) : strlen(texts[i]));
        buf_add_text(&text, hole ? fake_server_url(c.server) : "");
        buf_add_text(&text, hole ? hole + 2 : "");
        file_put(file, buf_text(&text), 0644);
        file_put(log_file, "", 0600);
        assert_ok(log_open(log_file, LOG_LEVEL_WARNING, LOG_FORMAT_TEXT, &err));
        process_start();
        look();
        assert_asked(1, 1, 0);
        assert_logged("public.json");
    }
}

static void the_file_of_another_server_or_account_is_not_believed(void **state)
{
    (void)state;
    file_change("https://127.0.0.1:", "https://127.0.0.2:");
    look();
    assert_asked(1, 1, 0);
    assert_string_equal(fake_server_request(c.server, "/v1/signing/keys", 2)->if_none_match, "");
    assert_logged("another server");

    process_end();
    file_change("\"build-1\"", "\"build-2\"");
    process_start();
    look();
    assert_asked(1, 1, 0);
    assert_logged("another account");
}

static void a_file_that_cannot_be_written_is_no_failure(void **state)
{
    (void)state;
    process_end();
    assert_int_equal(unlink(file), 0);
    assert_int_equal(mkdir(file, 0700), 0); /* in the way */
    process_start();
    look();
    assert_logged("public data not written");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_cold_process_signs_with_a_token_and_a_signature_request_over_one_tls_connection),
        TEST(a_list_that_has_changed_is_told_by_the_token_and_asked_for),
        TEST(a_list_that_the_token_confirms_is_not_asked_for),
        TEST(a_refused_account_is_shown_no_list_from_disk),
        TEST(the_list_from_disk_ages_like_any_other),
        TEST(data_older_than_configured_are_refreshed_by_a_conditional_request),
        TEST(a_time_of_change_does_not_make_old_data_young),
        TEST(data_from_the_future_are_old),
        TEST(data_without_a_time_are_old),
        TEST(an_age_of_zero_switches_it_off),
        TEST(old_data_are_shown_while_no_server_answers),
        TEST(what_is_not_found_is_asked_for_once_in_a_few_seconds),
        TEST(before_login_a_miss_asks_nobody),
        TEST(a_refused_signature_renews_the_file),
        TEST(a_signature_by_another_version_of_the_key_renews_the_file),
        TEST(the_file_holds_public_data_only_and_is_readable_by_all),
        TEST(a_file_that_others_can_write_is_not_believed),
        TEST(a_damaged_file_is_not_believed),
        TEST(the_file_of_another_server_or_account_is_not_believed),
        TEST(a_file_that_cannot_be_written_is_no_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

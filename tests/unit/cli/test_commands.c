/* SPDX-License-Identifier: Apache-2.0 */
/* Commands from words to exit code, against a server that says what the test wants. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "run.h"
#include "tests/unit/client/fake_chancery.h"
#include "tests/unit/common/expect.h"

static struct chancery c;

/* What the server answers beside the signing path: the first row whose path is the request's. */
struct page {
    const char *method;
    const char *path;
    int http;
    const char *body;
};
static const struct page *pages;

static void on_other(struct fake_server *s, const struct fake_request *r, struct fake_answer *a, void *user)
{
    (void)s;
    (void)user;
    for (const struct page *p = pages; p && p->path; p++) {
        if (strcmp(p->path, r->path) != 0 || strcmp(p->method, r->method) != 0)
            continue;
        a->status = p->http;
        a->content_type = p->http >= 400 ? "application/problem+json" : NULL;
        buf_add_text(&a->body, p->body);
        return;
    }
    a->status = 404;
    a->content_type = "application/problem+json";
    buf_printf(&a->body, "{\"code\":\"not_found\",\"title\":\"nothing there\",\"request_id\":\"req_2\"}");
}

static int set_up(void **state)
{
    (void)state;
    unsetenv("CHANCERY_ADMIN_TOKEN");
    unsetenv("CHANCERY_URL");
    unsetenv("CHANCERY_CA");
    chancery_start(&c);
    c.other = on_other;
    pages = NULL;
    setenv("CHANCERY_CONF", c.config, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    run_end();
    chancery_stop(&c);
    return 0;
}

static const char *in_directory(const char *name)
{
    static char path[4][192];
    static int next;
    next = (next + 1) % 4;
    chancery_path(&c, name, path[next]);
    return path[next];
}

static void assert_said(const struct ran *r, int code, const char *out, const char *err_part)
{
    if (r->code != code || strcmp(r->out, out) != 0 || !strstr(r->err, err_part))
        fail_msg("exit %d, not %d\nsaid: %s\nnot:  %s\nerror: %s\nnot:   %s", r->code, code, r->out, out, r->err,
                 err_part);
}

/* ---- lists and objects */

static void a_list_follows_all_its_pages(void **state)
{
    (void)state;
    static const struct page rows[] = {
        {"GET", "/v1/users", 200, "{\"items\":[{\"name\":\"a\",\"role\":\"user\"}],\"next\":\"c 1\"}"},
        {"GET", "/v1/users?after=c%201", 200, "{\"items\":[{\"name\":\"bcd\",\"role\":null}],\"next\":null}"},
        {0}};
    pages = rows;
    assert_said(run("user", "list", NULL), 0,
                "NAME  ROLE  STATE  ID  CREATED\na     user  -      -   -\nbcd   -     -      -   -\n", "");
    assert_said(run("user", "list", "--json", NULL), 0,
                "{\"name\":\"a\",\"role\":\"user\"}\n{\"name\":\"bcd\",\"role\":null}\n", "");
}

static void a_server_that_gives_the_same_page_for_ever_is_left(void **state)
{
    (void)state;
    static const struct page rows[] = {{"GET", "/v1/users", 200, "{\"items\":[],\"next\":\"1\"}"},
                                       {"GET", "/v1/users?after=1", 200, "{\"items\":[],\"next\":\"1\"}"},
                                       {0}};
    pages = rows;
    assert_said(run("user", "list", NULL), 1, "", "same page again");
}

static void an_object_is_printed_for_people_and_for_programs(void **state)
{
    (void)state;
    static const struct page rows[] = {
        {"GET", "/v1/whoami", 200,
         "{\"id\":\"x\",\"hsm\":{\"local\":true},\"hashes\":[\"a\",\"b\"],\"keys\":[{\"id\":1}]}"},
        {0}};
    pages = rows;
    assert_said(run("whoami", NULL), 0,
                "id:                    x\nhsm.local:             yes\nhashes:                a,b\n"
                "keys.1.id:             1\n",
                "");
    assert_said(run("whoami", "--json", NULL), 0,
                "{\"id\":\"x\",\"hsm\":{\"local\":true},\"hashes\":[\"a\",\"b\"],\"keys\":[{\"id\":1}]}\n", "");
}

static void control_characters_of_a_server_do_not_reach_the_terminal(void **state)
{
    (void)state;
    static const struct page rows[] = {
        {"GET", "/v1/whoami", 200, "{\"name\":\"a\\u001b[2Jb\"}"},
        {"GET", "/v1/users", 200, "{\"items\":[{\"name\":\"a\\u009bb\"}],\"next\":null}"},
        {0}};
    pages = rows;
    assert_said(run("whoami", NULL), 0, "name:                  a?[2Jb\n", "");
    assert_said(run("user", "list", NULL), 0, "NAME  ROLE  STATE  ID  CREATED\na??b  -     -      -   -\n", "");
}

static void a_refusal_names_the_servers_reason_and_code(void **state)
{
    (void)state;
    static const struct page rows[] = {{"POST", "/v1/projects", 409,
                                        "{\"code\":\"conflict\",\"title\":\"it exists\",\"detail\":\"demo\","
                                        "\"request_id\":\"req_9\"}"},
                                       {0}};
    pages = rows;
    const struct ran *r = run("project", "create", "demo", NULL);
    assert_said(r, 1, "", "chancery project create: it exists: demo (request req_9, HTTP 409, https://127.0.0.1:");
    assert_non_null(strstr(r->err, ") [conflict]\n"));
}

static void names_in_paths_are_percent_encoded(void **state)
{
    (void)state;
    (void)run("project", "show", "a/../b?c=d e", NULL);
    assert_int_equal(fake_server_count(c.server, "GET", "/v1/projects/a%2F..%2Fb%3Fc%3Dd%20e"), 1);
}

static void a_key_is_found_by_the_name_programs_see(void **state)
{
    (void)state;
    static const struct page rows[] = {
        {"GET", "/v1/keys?limit=1000", 200,
         "{\"items\":[{\"project\":\"a\",\"label\":\"b-c\",\"id\":\"key_9\"}],\"next\":null}"},
        {"GET", "/v1/keys/key_9", 200, "{\"id\":\"key_9\"}"},
        {"GET", "/v1/keys/a:b-c", 200, "{\"id\":\"key_9\"}"},
        {0}};
    pages = rows;
    assert_said(run("key", "show", "a-b-c", NULL), 0, "id:                    key_9\n", "");
    assert_said(run("key", "show", "a:b-c", NULL), 0, "id:                    key_9\n", "");
    assert_said(run("key", "show", "a-b", NULL), 1, "", "no key is named a-b");
}

static void a_new_key_is_asked_for_as_the_contract_says(void **state)
{
    (void)state;
    (void)run("key", "create", "demo", "k", "--type", "rsa3072", "--subject", "CN=x", "--days", "9", "--hash", "sha256",
              "--hash", "sha384", NULL);
    assert_string_equal(buf_text(&fake_server_request(c.server, "/v1/projects/demo/keys", 0)->body),
                        "{\"label\":\"k\",\"type\":\"rsa3072\",\"certificate\":{\"issuer\":\"builtin\","
                        "\"subject\":\"CN=x\",\"days\":9},\"hashes\":[\"sha256\",\"sha384\"]}");
}

static void the_administrators_token_needs_no_configuration(void **state)
{
    (void)state;
    static const struct page rows[] = {{"GET", "/v1/users", 200, "{\"items\":[],\"next\":null}"}, {0}};
    pages = rows;
    setenv("CHANCERY_CONF", "/nonexistent", 1);
    setenv("CHANCERY_ADMIN_TOKEN", "chancery_ak1_0123456789abcdef_00", 1);
    setenv("CHANCERY_URL", fake_server_url(c.server), 1);
    setenv("CHANCERY_CA", in_directory("ca.pem"), 1);
    assert_int_equal(run("user", "list", NULL)->code, 0);
    assert_string_equal(fake_server_request(c.server, "/v1/users", 0)->authorization,
                        "Bearer chancery_ak1_0123456789abcdef_00");
    assert_int_equal(run("user", "list", "--config", c.config, NULL)->code, 0);
    assert_string_equal(fake_server_request(c.server, "/v1/users", 1)->authorization, "Bearer token-1");
}

/* ---- signing */

static void a_signature_is_der_and_verifies_until_the_file_changes(void **state)
{
    (void)state;
    const char *file = in_directory("data");
    const char *signature = in_directory("data.sig");
    file_put(file, "hello", 0644);
    assert_said(run("sign", "--key", "demo-p256", file, NULL), 0, "", "");

    struct buf der = {0};
    assert_ok(file_read(signature, 1000, FILE_ANY, &der, NULL));
    assert_int_equal(der.data[0], 0x30);
    buf_clear(&der);
    assert_said(run("verify", "--key", "demo:p256", "--signature", signature, file, NULL), 0, "the signature is good\n",
                "");
    file_put(file, "hellp", 0644);
    assert_said(run("verify", "--key", "key_1", "--signature", signature, file, NULL), 1, "", "[bad_signature]");
}

static void a_raw_signature_is_r_and_s(void **state)
{
    (void)state;
    const char *file = in_directory("data");
    const char *signature = in_directory("raw");
    file_put(file, "hello", 0644);
    assert_said(run("sign", "--raw", "--output", signature, "--key", "demo-p256", file, NULL), 0, "", "");
    struct buf raw = {0};
    assert_ok(file_read(signature, 1000, FILE_ANY, &raw, NULL));
    assert_int_equal(raw.len, 64);
    buf_clear(&raw);
    assert_int_equal(run("verify", "--raw", "--key", "demo-p256", "--signature", signature, file, NULL)->code, 0);
    assert_int_equal(run("verify", "--key", "demo-p256", "--signature", signature, file, NULL)->code, 1);
}

static void a_key_of_the_public_data_on_disk_needs_no_passphrase(void **state)
{
    (void)state;
    static const struct page rows[] = {{"GET", "/v1/whoami", 200, "{\"name\":\"build-1\"}"}, {0}};
    pages = rows;
    const char *file = in_directory("data");
    const char *signature = in_directory("data.sig");
    file_put(file, "hello", 0644);
    assert_int_equal(run("login", NULL)->code, 0);
    assert_int_equal(run("sign", "--key", "demo-p256", file, NULL)->code, 0);

    cleanup_buf struct buf pem = {0};
    assert_int_equal(unlink(in_directory("build-1.key")), 0);
    assert_ok(client_enroll(in_directory("build-1.key"), slice_of_text("open sesame"), &pem, NULL));
    int before = fake_server_connections(c.server);
    assert_int_equal(run("verify", "--key", "demo-p256", "--signature", signature, file, NULL)->code, 0);
    assert_int_equal(fake_server_connections(c.server), before);
}

static void a_key_that_is_not_listed_is_refused_by_the_server_with_its_reason(void **state)
{
    (void)state;
    const char *file = in_directory("data");
    file_put(file, "hello", 0644);
    const struct ran *r = run("sign", "--key", "demo-gone", file, NULL);
    assert_said(r, 1, "", "rotated out (request req_1, HTTP 403, https://");
    assert_non_null(strstr(r->err, ") [key_disabled]\n"));
    assert_int_equal(fake_server_count(c.server, "POST", "/v1/signing/keys/demo:gone/signatures"), 1);
    assert_int_equal(access(in_directory("data.sig"), F_OK), -1);
}

static void a_file_that_is_not_there_asks_for_no_signature(void **state)
{
    (void)state;
    assert_said(run("sign", "--key", "demo-p256", in_directory("nothing"), NULL), 1, "", "nothing");
    assert_int_equal(fake_server_count(c.server, "POST", "/signatures"), 0);
}

/* ---- audit */

/* The first three records of a chain, made with sha256sum. */
#include "chain.inc"

static const struct page chain_pages[] = {
    {"GET", "/v1/audit/head", 200, "{\"seq\":3,\"record_hash\":\"" HASH_3 "\"}"},
    {"GET", "/v1/audit?limit=1000", 200, "{ \"items\": [" RECORD_1 ", " RECORD_2 "], \"next\": \"2\" }"},
    {"GET", "/v1/audit?limit=1000&after=2", 200, "{\"items\":[" RECORD_3 "],\"next\":null}"},
    {0}};

static void records_are_printed_byte_for_byte(void **state)
{
    (void)state;
    pages = chain_pages;
    assert_said(run("audit", "list", "--json", NULL), 0, RECORD_1 "\n" RECORD_2 "\n" RECORD_3 "\n", "");
}

static void a_limit_ends_the_list(void **state)
{
    (void)state;
    static const struct page rows[] = {
        {"GET", "/v1/audit?limit=1&type=t&after=7", 200, "{\"items\":[" RECORD_1 "," RECORD_2 "],\"next\":\"9\"}"},
        {0}};
    pages = rows;
    assert_said(run("audit", "list", "--json", "--limit", "1", "--after", "7", "--type", "t", NULL), 0, RECORD_1 "\n",
                "");
}

static void i7_a_servers_log_is_verified_up_to_its_head(void **state)
{
    (void)state;
    pages = chain_pages;
    assert_said(run("audit", "verify", NULL), 0, "the audit log is intact: 3 records, head 3:" HASH_3 "\n", "");
}

static void i7_a_servers_log_that_ends_before_its_head_is_not_intact(void **state)
{
    (void)state;
    static const struct page rows[] = {
        {"GET", "/v1/audit/head", 200, "{\"seq\":3,\"record_hash\":\"" HASH_3 "\"}"},
        {"GET", "/v1/audit?limit=1000", 200, "{\"items\":[" RECORD_1 "," RECORD_2 "],\"next\":null}"},
        {0}};
    pages = rows;
    assert_said(run("audit", "verify", NULL), 1, "record 3 is missing at the end\n", "not intact");
}

static void i7_an_export_is_verified_without_a_server(void **state)
{
    (void)state;
    const char *export = in_directory("log.jsonl");
    pages = chain_pages;
    assert_said(run("audit", "export", export, NULL), 0, "", "");
    setenv("CHANCERY_CONF", "/nonexistent", 1);
    assert_int_equal(run("audit", "verify", export, NULL)->code, 0);
    assert_int_equal(run("audit", "verify", export, "--head", "3:" HASH_3, NULL)->code, 0);
    file_put(export, RECORD_1 "\n" RECORD_2 "\n", 0600);
    assert_int_equal(run("audit", "verify", export, NULL)->code, 0);
    assert_said(run("audit", "verify", export, "--head", "3:" HASH_3, NULL), 1, "record 3 is missing at the end\n",
                "not intact: 1 finding in 2 records");
    file_put(export, RECORD_2 "\n" RECORD_1 "\n", 0600);
    assert_said(run("audit", "verify", export, NULL), 1, "record 1 is out of order (line 2)\n", "not intact");
}

static void an_export_writes_over_nothing_and_leaves_no_half(void **state)
{
    (void)state;
    const char *export = in_directory("log.jsonl");
    static const struct page rows[] = {
        {"GET", "/v1/audit?limit=1000", 200, "{\"items\":[" RECORD_1 "],\"next\":\"1\"}"}, {0}};
    pages = rows;
    assert_said(run("audit", "export", export, NULL), 1, "", "[not_found]");
    assert_int_equal(access(export, F_OK), -1);
    file_put(export, "mine", 0600);
    pages = chain_pages;
    assert_int_equal(run("audit", "export", export, NULL)->code, 1);
    struct buf kept = {0};
    assert_ok(file_read(export, 100, FILE_ANY, &kept, NULL));
    assert_buf(&kept, "mine");
    buf_clear(&kept);
}

/* ---- login */

static mode_t mode_of(const char *path)
{
    struct stat st = {0};
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 0777;
}

static void a_first_login_makes_private_files_and_sends_nothing(void **state)
{
    (void)state;
    char config[192];
    char key[192];
    chancery_path(&c, "new/client.conf", config);
    chancery_path(&c, "new/robot.key", key);
    const char *secret = in_directory("secret");
    file_put(secret, "open sesame\n", 0600);

    const struct ran *r = run("login", "--config", config, "--server", fake_server_url(c.server), "--ca",
                              in_directory("ca.pem"), "--account", "robot", "--passphrase-file", secret, NULL);
    assert_int_equal(r->code, 0);
    assert_non_null(strstr(r->out, "-----BEGIN PUBLIC KEY-----"));
    assert_non_null(strstr(r->out, "chancery account create robot --public-key "));
    assert_int_equal(mode_of(in_directory("new")), 0700);
    assert_int_equal(mode_of(config), 0600);
    assert_int_equal(mode_of(key), 0600);
    assert_int_equal(mode_of(in_directory("new/robot.pub")), 0644);
    struct buf pem = {0};
    assert_ok(file_read(key, 10000, FILE_ANY, &pem, NULL));
    assert_non_null(strstr(buf_text(&pem), "ENCRYPTED"));
    buf_clear(&pem);
    assert_int_equal(fake_server_connections(c.server), 0);
}

static void a_later_login_fetches_the_public_data(void **state)
{
    (void)state;
    static const struct page rows[] = {{"GET", "/v1/whoami", 200, "{\"name\":\"build-1\"}"}, {0}};
    pages = rows;
    const struct ran *r = run("login", NULL);
    assert_int_equal(r->code, 0);
    assert_non_null(strstr(r->out, "as build-1; 1 key to sign with"));
    assert_int_equal(mode_of(in_directory("public.json")), 0644);
}

static void a_login_for_another_server_or_account_is_refused(void **state)
{
    (void)state;
    assert_said(run("login", "--server", "https://127.0.0.1", NULL), 1, "", "use another --config");
    assert_said(run("login", "--account", "other", NULL), 1, "", "is for build-1");
}

static void a_private_key_is_never_written_over(void **state)
{
    (void)state;
    char config[192];
    chancery_path(&c, "second.conf", config);
    struct buf before = {0};
    struct buf after = {0};
    assert_ok(file_read(in_directory("build-1.key"), 10000, FILE_ANY, &before, NULL));
    assert_said(run("login", "--config", config, "--server", fake_server_url(c.server), "--account", "build-1",
                    "--no-passphrase", NULL),
                1, "", "never written over");
    assert_ok(file_read(in_directory("build-1.key"), 10000, FILE_ANY, &after, NULL));
    assert_true(slice_equal(buf_slice(&before), buf_slice(&after)));
    assert_int_equal(access(config, F_OK), -1);
    buf_clear(&before);
    buf_clear(&after);
}

static const struct ran *login_user(void)
{
    static char config[192];
    chancery_path(&c, "user/client.conf", config);
    file_put(in_directory("given"), "chancery_ak1_0123456789abcdef_00\n", 0644);
    return run("login", "--config", config, "--server", fake_server_url(c.server), "--ca", in_directory("ca.pem"),
               "--api-key-file", in_directory("given"), NULL);
}

static void an_api_key_is_stored_privately_and_tried(void **state)
{
    (void)state;
    static const struct page rows[] = {{"GET", "/v1/whoami", 200, "{\"name\":\"alice\"}"}, {0}};
    pages = rows;
    const struct ran *r = login_user();
    assert_int_equal(r->code, 0);
    assert_non_null(strstr(r->out, "as alice"));
    assert_int_equal(mode_of(in_directory("user/api.key")), 0600);
}

static void an_api_key_that_is_refused_leaves_nothing_behind(void **state)
{
    (void)state;
    static const struct page rows[] = {
        {"GET", "/v1/whoami", 401, "{\"code\":\"not_authenticated\",\"title\":\"unknown key\"}"}, {0}};
    pages = rows;
    assert_said(login_user(), 1, "", "unknown key (HTTP 401, https://127.0.0.1:");
    assert_int_equal(access(in_directory("user/api.key"), F_OK), -1);
    assert_int_equal(access(in_directory("user/client.conf"), F_OK), -1);
}

static void a_new_api_key_can_go_to_a_private_file_alone(void **state)
{
    (void)state;
    static const struct page rows[] = {
        {"POST", "/v1/users/alice/api-keys", 201, "{\"id\":\"ak_1\",\"api_key\":\"chancery_secret\"}"}, {0}};
    pages = rows;
    const char *file = in_directory("alice.key");
    assert_said(run("apikey", "create", "alice", "laptop", "--json", "--output", file, NULL), 0, "{\"id\":\"ak_1\"}\n",
                "");
    assert_int_equal(mode_of(file), 0600);
    struct buf key = {0};
    assert_ok(file_read(file, 100, FILE_ANY, &key, NULL));
    assert_buf(&key, "chancery_secret\n");
    buf_clear(&key);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_list_follows_all_its_pages),
        TEST(a_server_that_gives_the_same_page_for_ever_is_left),
        TEST(an_object_is_printed_for_people_and_for_programs),
        TEST(control_characters_of_a_server_do_not_reach_the_terminal),
        TEST(a_refusal_names_the_servers_reason_and_code),
        TEST(names_in_paths_are_percent_encoded),
        TEST(a_key_is_found_by_the_name_programs_see),
        TEST(a_new_key_is_asked_for_as_the_contract_says),
        TEST(the_administrators_token_needs_no_configuration),
        TEST(a_signature_is_der_and_verifies_until_the_file_changes),
        TEST(a_raw_signature_is_r_and_s),
        TEST(a_key_of_the_public_data_on_disk_needs_no_passphrase),
        TEST(a_key_that_is_not_listed_is_refused_by_the_server_with_its_reason),
        TEST(a_file_that_is_not_there_asks_for_no_signature),
        TEST(records_are_printed_byte_for_byte),
        TEST(a_limit_ends_the_list),
        TEST(i7_a_servers_log_is_verified_up_to_its_head),
        TEST(i7_a_servers_log_that_ends_before_its_head_is_not_intact),
        TEST(i7_an_export_is_verified_without_a_server),
        TEST(an_export_writes_over_nothing_and_leaves_no_half),
        TEST(a_first_login_makes_private_files_and_sends_nothing),
        TEST(a_later_login_fetches_the_public_data),
        TEST(a_login_for_another_server_or_account_is_refused),
        TEST(a_private_key_is_never_written_over),
        TEST(an_api_key_is_stored_privately_and_tried),
        TEST(an_api_key_that_is_refused_leaves_nothing_behind),
        TEST(a_new_api_key_can_go_to_a_private_file_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* `chanceryd init` on a real SoftHSM token and SQLite: what it leaves, and that it leaves nothing when it fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <ftw.h>
#include <sys/stat.h>

#include "common/file.h"
#include "server/app/app.h"
#include "server/app/init_files.h"
#include "server/app/parts.h"
#include "tests/support/https_client.h"

struct place {
    char *root; /* temporary */
    char *dir;  /* where init goes; does not exist yet */
    struct init_options options;
    struct buf report;
    struct error err;
};

static int up(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    p->root = mkdtemp(strdup("/tmp/chancery-init-XXXXXX"));
    p->dir = path_join(p->root, "server");
    p->options = (struct init_options){.directory = p->dir, .port = 8443};
    *state = p;
    return p->root ? 0 : -1;
}

static int entry_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static int down(void **state)
{
    struct place *p = *state;
    (void)nftw(p->root, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
    buf_clear(&p->report);
    free(p->dir);
    free(p->root);
    free(p);
    return 0;
}

static void init_ok(struct place *p)
{
    if (!is_ok(init_run(&p->options, &p->report, &p->err)))
        fail_msg("%s (%s)", p->err.text, p->err.detail);
}

static int entries(const char *dir)
{
    DIR *d = opendir(dir);
    int count = -2;
    while (d && readdir(d))
        count++;
    if (d)
        (void)closedir(d);
    return d ? count : -1;
}

static void read_file(const char *dir, const char *name, struct buf *out)
{
    struct error err = {0};
    cleanup_free char *path = path_join(dir, name);
    if (!is_ok(file_read(path, 1 << 22, FILE_ANY, out, &err)))
        fail_msg("%s", err.text);
}

static void what_init_leaves_can_be_opened(void **state)
{
    struct place *p = *state;
    cleanup_config struct config *c = NULL;
    cleanup_parts struct parts parts = {0};
    struct ca_chains chains = {0};
    int64_t count = 0, bad = 0;
    init_ok(p);

    assert_true(is_ok(config_load(p->dir, &c, &p->err)));
    assert_true(is_ok(parts_open_base(&parts, c, &p->err)));
    assert_true(is_ok(parts_open_service(&parts, c, "", &p->err)));

    assert_true(is_ok(ca_chains_load(parts.ca, &chains, &p->err)));
    assert_int_equal(ca_chain_find(&chains, "")->count, 2);
    ca_chains_clear(&chains);
    struct db *db = store_reader_acquire(parts.store, &p->err);
    assert_non_null(db);
    assert_true(is_ok(audit_verify(db, &count, &bad, &p->err)));
    store_reader_release(parts.store, db);
    assert_int_equal(count, 1);
    assert_int_equal(bad, 0);
}

static void i8_secrets_are_in_files_of_their_own_that_others_cannot_read(void **state)
{
    struct place *p = *state;
    static const char *const secrets[] = {FILE_SO_PIN, FILE_USER_PIN, FILE_SECRET_KEY, FILE_KEY, FILE_SERVER_CA_KEY, FILE_DATABASE};
    cleanup_buf struct buf conf = {0};
    cleanup_buf struct buf pin = {0};
    struct stat st;
    init_ok(p);
    assert_int_equal(stat(p->dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    for (size_t i = 0; i < COUNT_OF(secrets); i++) {
        cleanup_free char *path = path_join(p->dir, secrets[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 077, 0);
    }
    read_file(p->dir, CONFIG_FILE_NAME, &conf);
    read_file(p->dir, FILE_USER_PIN, &pin);
    pin.data[pin.len - 1] = '\0';
    assert_true(pin.len >= 24);
    assert_null(strstr(buf_text(&conf), buf_text(&pin)));
}

static void i8_the_api_key_is_shown_once_and_stored_only_hashed(void **state)
{
    struct place *p = *state;
    cleanup_buf struct buf database = {0};
    char key[200] = "";
    init_ok(p);
    const char *at = strstr(buf_text(&p->report), "  chancery_");
    assert_non_null(at);
    assert_int_equal(sscanf(at, " %199s", key), 1);
    assert_null(strstr(at + 12, "chancery_"));
    const char *secret = strrchr(key, '_') - 20; /* the end of the secret, before the checksum */
    read_file(p->dir, FILE_DATABASE, &database);
    assert_null(memmem(database.data, database.len, secret, 20));
}

static void an_api_key_file_takes_the_key_and_the_report_does_not(void **state)
{
    struct place *p = *state;
    struct stat st;
    cleanup_free char *file = path_join(p->root, "admin.key");
    cleanup_buf struct buf key = {0};
    p->options.api_key_file = file;
    init_ok(p);
    read_file(p->root, "admin.key", &key);
    assert_memory_equal(key.data, "chancery_", 9);
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_null(strstr(buf_text(&p->report), "chancery_"));
}

static void names_and_port_are_in_the_public_urls(void **state)
{
    struct place *p = *state;
    cleanup_config struct config *c = NULL;
    p->options.names[0] = "sign.example.org";
    p->options.names[1] = "::1";
    p->options.name_count = 2;
    p->options.port = 9443;
    init_ok(p);
    assert_true(is_ok(config_load(p->dir, &c, &p->err)));
    assert_int_equal(c->listen_port, 9443);
    assert_int_equal(c->public_url.count, 2);
    assert_string_equal(c->public_url.items[0], "https://sign.example.org:9443");
    assert_string_equal(c->public_url.items[1], "https://[::1]:9443");
}

static void a_directory_that_is_not_empty_is_refused_and_left_alone(void **state)
{
    struct place *p = *state;
    cleanup_free char *file = path_join(p->dir, "precious");
    assert_int_equal(mkdir(p->dir, 0755), 0);
    assert_true(is_ok(file_write(file, slice_of_text("x"), 0644, &p->err)));
    assert_int_equal(init_run(&p->options, &p->report, &p->err).code, CODE_CONFLICT);
    assert_non_null(strstr(p->err.text, "not empty"));
    assert_int_equal(entries(p->dir), 1);
}

static void a_second_init_in_the_same_directory_is_refused(void **state)
{
    struct place *p = *state;
    init_ok(p);
    int before = entries(p->dir);
    assert_int_equal(init_run(&p->options, &p->report, &p->err).code, CODE_CONFLICT);
    assert_int_equal(entries(p->dir), before);
}

static void an_absent_hsm_module_is_named_and_nothing_stays(void **state)
{
    struct place *p = *state;
    p->options.hsm_module = "/nonexistent/module.so";
    assert_false(is_ok(init_run(&p->options, &p->report, &p->err)));
    assert_non_null(strstr(p->err.text, "/nonexistent/module.so"));
    assert_int_equal(entries(p->dir), 0);
}

static void a_failure_at_the_last_step_leaves_nothing(void **state)
{
    struct place *p = *state;
    cleanup_free char *file = path_join(p->root, "absent/admin.key");
    p->options.api_key_file = file;
    assert_false(is_ok(init_run(&p->options, &p->report, &p->err)));
    assert_non_null(strstr(p->err.text, "left nothing"));
    assert_int_equal(entries(p->dir), 0);
    assert_int_equal(p->report.len, 0);

    p->options.api_key_file = NULL;
    init_ok(p);
}

static void a_store_that_cannot_be_opened_leaves_nothing(void **state)
{
    struct place *p = *state;
    p->options.store = "sqlite:/nonexistent/dir/a.db";
    assert_false(is_ok(init_run(&p->options, &p->report, &p->err)));
    assert_int_equal(entries(p->dir), 0);
}

static void a_given_certificate_is_checked_and_used_in_place(void **state)
{
    struct place *p = *state;
    cleanup_buf struct buf certificate = {0};
    cleanup_buf struct buf key = {0};
    cleanup_buf struct buf other = {0};
    cleanup_buf struct buf other_key = {0};
    cleanup_config struct config *c = NULL;
    cleanup_free char *certificate_file = path_join(p->root, "given.pem");
    cleanup_free char *key_file = path_join(p->root, "given.key");
    certificate_make("given", &certificate, &key);
    certificate_make("other", &other, &other_key);
    p->options.tls_certificate = certificate_file;
    p->options.tls_key = key_file;
    assert_true(is_ok(file_write(certificate_file, buf_slice(&certificate), 0644, &p->err)));
    assert_true(is_ok(file_write(key_file, buf_slice(&other_key), 0600, &p->err)));
    assert_false(is_ok(init_run(&p->options, &p->report, &p->err)));
    assert_non_null(strstr(p->err.text, "does not belong"));

    assert_true(is_ok(file_write(key_file, buf_slice(&key), 0600, &p->err)));
    init_ok(p);
    assert_true(is_ok(config_load(p->dir, &c, &p->err)));
    assert_string_equal(c->tls_certificate, certificate_file);
    cleanup_free char *own = path_join(p->dir, FILE_SERVER_CA);
    assert_false(file_exists(own));
}

static void an_unfit_administrator_name_is_refused_before_anything_is_made(void **state)
{
    struct place *p = *state;
    p->options.admin = "Root User";
    assert_int_equal(init_run(&p->options, &p->report, &p->err).code, CODE_INVALID);
    assert_int_equal(entries(p->dir), -1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, up, down)
    const struct CMUnitTest tests[] = {
        T(what_init_leaves_can_be_opened),
        T(i8_secrets_are_in_files_of_their_own_that_others_cannot_read),
        T(i8_the_api_key_is_shown_once_and_stored_only_hashed),
        T(an_api_key_file_takes_the_key_and_the_report_does_not),
        T(names_and_port_are_in_the_public_urls),
        T(a_directory_that_is_not_empty_is_refused_and_left_alone),
        T(a_second_init_in_the_same_directory_is_refused),
        T(an_absent_hsm_module_is_named_and_nothing_stays),
        T(a_failure_at_the_last_step_leaves_nothing),
        T(a_store_that_cannot_be_opened_leaves_nothing),
        T(a_given_certificate_is_checked_and_used_in_place),
        T(an_unfit_administrator_name_is_refused_before_anything_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

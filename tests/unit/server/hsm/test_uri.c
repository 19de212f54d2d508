/* SPDX-License-Identifier: Apache-2.0 */
/* pkcs11: URIs (RFC 7512): what of one is taken, and what is refused. */
#include "unit.h"

#include <string.h>

static void assert_refused(const char *text, const char *says)
{
    struct hsm_uri uri = {0};
    struct error err = {0};

    assert_int_equal(hsm_uri_read(text, &uri, &err).code, CODE_CONFIGURATION);
    if (!strstr(err.text, says))
        fail_msg("%s: \"%s\" does not say \"%s\"", text, err.text, says);
    assert_null(uri.module_path);
    assert_null(uri.pin_file);
}

static void module_path_and_pin_source_are_taken(void **state)
{
    cleanup_hsm_uri struct hsm_uri uri = {0};
    struct error err = {0};

    (void)state;
    assert_true(is_ok(hsm_uri_read(
        "pkcs11:token=My%20token;serial=01?module-path=/usr/lib/a.so&pin-source=file:/run/pin", &uri, &err)));
    assert_string_equal(uri.module_path, "/usr/lib/a.so");
    assert_string_equal(uri.pin_file, "/run/pin");
}

static void what_is_not_said_is_null(void **state)
{
    cleanup_hsm_uri struct hsm_uri uri = {0};
    struct error err = {0};

    (void)state;
    assert_true(is_ok(hsm_uri_read("pkcs11:model=x", &uri, &err)));
    assert_null(uri.module_path);
    assert_null(uri.pin_file);
}

static void a_pin_source_is_a_file_in_any_of_its_forms(void **state)
{
    static const struct {
        const char *source, *file;
    } rows[] = {{"file:///run/pin", "/run/pin"}, {"file:two.pin", "two.pin"}, {"/run/pin", "/run/pin"}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_hsm_uri struct hsm_uri uri = {0};
        cleanup_buf struct buf text = {0};
        struct error err = {0};
        buf_printf(&text, "pkcs11:token=a?pin-source=%s", rows[i].source);
        assert_true(is_ok(hsm_uri_read(buf_text(&text), &uri, &err)));
        assert_string_equal(uri.pin_file, rows[i].file);
    }
    assert_refused("pkcs11:token=a?pin-source=|/bin/pin", "pin-source");
    assert_refused("pkcs11:token=a?pin-source=pin", "pin-source");
    assert_refused("pkcs11:token=a?pin-source=file:", "pin-source");
}

static void i8_a_pin_in_the_uri_is_refused_and_not_repeated(void **state)
{
    struct hsm_uri uri = {0};
    struct error err = {0};

    (void)state;
    assert_refused("pkcs11:token=a?pin-value=hunter2", "a PIN does not belong here");
    assert_int_equal(hsm_uri_read("pkcs11:token=a?pin-value=hunter2", &uri, &err).code, CODE_CONFIGURATION);
    assert_null(strstr(err.text, "hunter2"));
    assert_null(strstr(err.detail, "hunter2"));
}

static void what_names_no_token_is_refused(void **state)
{
    (void)state;
    assert_refused("", "pkcs11:");
    assert_refused("file:/a", "pkcs11:");
    assert_refused("pkcs11:", "names no token");
    assert_refused("pkcs11:library-manufacturer=a", "names no token");
    assert_refused("pkcs11:token=%zz", "RFC 7512");
    assert_refused("pkcs11:token=a;object=b", "attributes");
    assert_refused("pkcs11:token=a;tokn=b", "attributes");
    assert_refused("pkcs11:token=a?module-name=softhsm", "module-name");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(module_path_and_pin_source_are_taken),
        cmocka_unit_test(what_is_not_said_is_null),
        cmocka_unit_test(a_pin_source_is_a_file_in_any_of_its_forms),
        cmocka_unit_test(i8_a_pin_in_the_uri_is_refused_and_not_repeated),
        cmocka_unit_test(what_names_no_token_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

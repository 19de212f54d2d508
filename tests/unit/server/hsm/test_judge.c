/* SPDX-License-Identifier: Apache-2.0 */
/* I3: which attributes a generated key must have come back with. */
#include "unit.h"

#include <string.h>

static const struct hsm_key good = {
    .sensitive = true, .always_sensitive = true, .extractable = false, .never_extractable = true, .local = true};

static void i3_a_key_as_asked_for_is_accepted(void **state)
{
    (void)state;
    assert_true(is_ok(key_judge(&good, NULL)));
}

static void i3_each_weaker_attribute_is_refused_and_named(void **state)
{
    struct hsm_key rows[] = {good, good, good, good};
    const char *const names[] = {"CKA_SENSITIVE", "CKA_EXTRACTABLE", "CKA_ALWAYS_SENSITIVE", "CKA_NEVER_EXTRACTABLE"};

    (void)state;
    rows[0].sensitive = false;
    rows[1].extractable = true;
    rows[2].always_sensitive = false;
    rows[3].never_extractable = false;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct error err = {0};
        assert_int_equal(key_judge(&rows[i], &err).code, CODE_INTERNAL);
        assert_non_null(strstr(err.text, names[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(i3_a_key_as_asked_for_is_accepted),
        cmocka_unit_test(i3_each_weaker_attribute_is_refused_and_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* docs/chanceryd.8 tells every option of the configuration with the default it has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/file.h"

static const struct {
    const char *name, *value, *help;
} options[] = {
#define OPTION(name, kind, value, min, max, choices, when, help) {#name, value, help},
#include "server/config/config.def"
#include "server/config/hsm.def"
#undef OPTION
};

/* Text as it stands in the page's source. */
static void roff_add(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '-')
            buf_add_byte(out, '\\');
        buf_add_byte(out, (uint8_t)*text);
    }
}

static void every_option_is_in_the_manual_with_default_and_help(void **state)
{
    cleanup_buf struct buf page = {0};
    struct error err = {0};
    (void)state;

    if (!is_ok(file_read(MANUAL_PATH, 1 << 20, FILE_ANY, &page, &err)))
        fail_msg("%s", err.text);
    for (size_t i = 0; i < COUNT_OF(options); i++) {
        cleanup_buf struct buf row = {0};
        buf_printf(&row, "\\fB%s\\fR = ", options[i].name);
        if (*options[i].value) {
            buf_add_text(&row, "\\fI");
            roff_add(&row, options[i].value);
            buf_add_text(&row, "\\fR");
        } else {
            buf_add_text(&row, "(empty)");
        }
        buf_add_byte(&row, '\n');
        roff_add(&row, options[i].help);
        buf_add_byte(&row, '\n');
        if (!strstr(buf_text(&page), buf_text(&row)))
            fail_msg("not in the manual:\n%s", buf_text(&row));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_is_in_the_manual_with_default_and_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

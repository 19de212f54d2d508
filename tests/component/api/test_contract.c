/* SPDX-License-Identifier: Apache-2.0 */
/* After the other programs of this folder: every answer that docs/openapi.yaml names, and every error code that a
 * server can give, was seen from the running server. What a test cannot provoke stands in a list with its reason, and
 * may not stand there any more once it was seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/text.h"
#include "openapi.h"
#include "server/api/api.h"

/* method and pattern NULL: at any route. */
static const struct exemption {
    const char *method, *pattern;
    int status;
    const char *reason;
} exemptions[] = {
    {"GET", "/livez", 500, "it touches nothing that could fail"},
    {"GET", "/livez", 503, "given by the gate when it is full or draining: tests/unit/server/http"},
    {"POST", "/tsa", 503, "as of /livez; the authority itself refuses in its own protocol"},
    {"GET", "/readyz", 500, "whatever fails behind it makes it 503"},
    {NULL, NULL, 504, "a deadline that passes between two steps: a matter of time, which no test is gated on"},
};

/* Codes that no answer of these programs can have. */
static const struct {
    enum code code;
    const char *reason;
} code_exemptions[] = {
    {CODE_TIMEOUT, "as 504 above"},
    {CODE_METHOD_NOT_ALLOWED, "given by the router before any route: tests/unit/server/http"},
    {CODE_NO_MEMORY, "of one machine alone (errors.def)"},
    {CODE_CONFIGURATION, "of one machine alone (errors.def)"},
    {CODE_CREDENTIAL, "of one machine alone (errors.def)"},
    {CODE_IO, "of one machine alone (errors.def)"},
    {CODE_BAD_SIGNATURE, "of one machine alone (errors.def)"},
};

static char *seen; /* "\nMETHOD pattern status code\n…" of all programs */

static void seen_read(const char *path)
{
    static size_t len;
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    for (size_t got = 1; got > 0; len += got) {
        seen = realloc(seen, len + 65537);
        assert_non_null(seen);
        got = fread(seen + len, 1, 65536, file);
        seen[len + got] = '\0';
    }
    fclose(file);
}

static int setup(void **state)
{
    static const char *const programs[] = {CONTRACT_PROGRAMS, NULL};
    char path[512];
    (void)state;
    for (size_t i = 0; programs[i]; i++) {
        (void)snprintf(path, sizeof(path), "%s/test_api_%s", getenv("CHANCERY_SEEN"), programs[i]);
        seen_read(path);
    }
    return 0;
}

static bool was_seen(const char *method, const char *pattern, int http_status)
{
    char line[256];
    (void)snprintf(line, sizeof(line), "\n%s %s %d ", method, pattern, http_status);
    return strstr(seen, line) != NULL;
}

static bool is_exempt(const char *method, const char *pattern, int http_status)
{
    for (size_t i = 0; i < COUNT_OF(exemptions); i++) {
        const struct exemption *e = &exemptions[i];
        if (e->status == http_status &&
            (!e->method || (strcmp(e->method, method) == 0 && strcmp(e->pattern, pattern) == 0)))
            return true;
    }
    return false;
}

static void every_documented_answer_was_seen(void **state)
{
    int missing = 0;
    cleanup_json struct json *document = openapi_load(OPENAPI_PATH);
    (void)state;
    for (const struct route *const *table = api_tables; *table; table++) {
        for (const struct route *r = *table; r->method; r++) {
            const struct json *answers = json_get(openapi_operation(document, r->method, r->pattern), "responses");
            assert_true(json_count(answers) > 0);
            for (size_t i = 0; i < json_count(answers); i++) {
                int http_status = atoi(json_name_at(answers, i));
                if (was_seen(r->method, r->pattern, http_status) || is_exempt(r->method, r->pattern, http_status))
                    continue;
                print_error("not seen: %s %s %d\n", r->method, r->pattern, http_status);
                missing++;
            }
        }
    }
    assert_int_equal(missing, 0);
}

static void every_error_code_was_seen(void **state)
{
    int missing = 0;
    char end[64];
    (void)state;
    for (int code = CODE_OK + 1; code < CODE_COUNT; code++) {
        bool exempt = false;
        for (size_t i = 0; i < COUNT_OF(code_exemptions); i++)
            exempt |= (int)code_exemptions[i].code == code;
        (void)snprintf(end, sizeof(end), " %d %s\n", code_http((enum code)code), code_wire((enum code)code));
        if (exempt || strstr(seen, end))
            continue;
        print_error("not seen: code %s\n", code_wire((enum code)code));
        missing++;
    }
    assert_int_equal(missing, 0);
}

static void no_exemption_outlives_its_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(exemptions); i++) {
        if (exemptions[i].method && was_seen(exemptions[i].method, exemptions[i].pattern, exemptions[i].status))
            fail_msg("%s %s %d was seen", exemptions[i].method, exemptions[i].pattern, exemptions[i].status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_documented_answer_was_seen),
        cmocka_unit_test(every_error_code_was_seen),
        cmocka_unit_test(no_exemption_outlives_its_reason),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

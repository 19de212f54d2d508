/* SPDX-License-Identifier: Apache-2.0 */
/* True of every case: the call ends by itself, with the right code, one line in the log when it failed and none when it
 * did not, its operation ended, the host as it was, and the next call, with the fault off, works. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "evidence.h"
#include "host.h"
#include "proxy.h"

enum { END_MS = 30000, PAYLOAD_MAX = 256 * 1024 };

char deep_json[100001];

static int pairs_known; /* records on the server before the case */

/* Where the call ends by itself it gets all the time a slow machine needs; where the deadline ends it, little. */
static void configure(const struct fault_case *c)
{
    bool ends_by_itself = c->requests > 0 && c->min_ms < TIMEOUT_MS / 2 + 1;
    const char *conf = environment(ends_by_itself ? "FAULT_CONF_PATIENT" : "FAULT_CONF_HASTY");
    assert_int_equal(setenv("CHANCERY_CONF", conf, 1), 0);
}

/* TRAP in a header is the port of the host to which nobody must go. */
static void headers_write(char *out, size_t size, const char *headers)
{
    const char *trap = strstr(headers, "TRAP");
    if (trap)
        (void)snprintf(out, size, "%.*s%s%s", (int)(trap - headers), headers, environment("FAULT_TRAP"), trap + 4);
    else
        (void)snprintf(out, size, "%s", headers);
}

static void fault_on(const struct fault_case *c, const char *path)
{
    static char raw[PAYLOAD_MAX];
    char headers[512];
    const char *payload = c->payload ? c->payload : "";
    if (strcmp(c->kind, "answer") != 0) {
        proxy_set(c->kind, path, 1, c->count, payload, strlen(payload));
        return;
    }
    headers_write(headers, sizeof headers, c->headers);
    int len = snprintf(raw, sizeof raw, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", c->status, headers,
                       strlen(payload), payload);
    proxy_set("raw_keep", path, 1, c->count, raw, (size_t)len);
}

struct measure {
    int64_t started_ms, cpu_ms;
};

static struct measure measure_begin(void)
{
    log_mark();
    return (struct measure){now_ms(), cpu_ms()};
}

static void measure_end(struct measure m, const struct fault_case *c)
{
    int64_t took_ms = now_ms() - m.started_ms;
    assert_in_range(took_ms, c->min_ms, END_MS);
    if (c->min_ms >= TIMEOUT_MS / 2) /* waiting costs nothing */
        assert_in_range(cpu_ms() - m.cpu_ms, 0, took_ms / 2);
}

static void log_holds(const struct fault_case *c)
{
    char line[2048];
    int lines = log_errors(line, sizeof line);
    assert_int_equal(lines, c->expected == CKR_OK ? 0 : 1);
    if (lines == 1 && !strstr(line, c->reason))
        fail_msg("the log does not say \"%s\": %s", c->reason, line);
}

static void call_was_told(CK_RV rv, struct measure m, const struct fault_case *c, const char *path)
{
    struct proxy_counts counts = proxy_counts();
    int requests = *path == 's' ? counts.signatures : *path == 'k' ? counts.keys : counts.token;
    measure_end(m, c);
    log_holds(c);
    assert_int_equal(rv, c->expected);
    if (c->requests)
        assert_int_equal(requests, c->requests);
    assert_int_equal(counts.trapped, 0);
    if (*path != 't')
        assert_in_range(counts.token, 0, *path == 's' ? 1 : 2);
    host_is_untouched();
}

static void records_grew_by(int pairs)
{
    int now = audit_pairs();
    assert_int_equal(now, pairs_known + pairs);
    pairs_known = now;
}

void run_signature_case(void **state)
{
    const struct fault_case *c = *state;
    CK_BYTE signature[512];
    CK_ULONG len = 0;
    int at_rest = open_descriptors();
    configure(c);
    CK_SESSION_HANDLE session = host_begin();
    CK_OBJECT_HANDLE key = find_private(session);
    int open = open_descriptors();
    assert_int_equal(sign_begin(session, key), CKR_OK);

    fault_on(c, "signatures");
    struct measure m = measure_begin();
    CK_RV rv = sign(session, c->rule, signature, &len);
    call_was_told(rv, m, c, "signatures");
    assert_int_equal(sign(session, c->rule, signature, &len), CKR_OPERATION_NOT_INITIALIZED);

    proxy_off();
    sign_well(session, key);
    records_grew_by(c->pairs + 1);
    assert_int_equal(open_descriptors(), open);
    host_end();
    assert_int_equal(open_descriptors(), at_rest);
}

/* The first look-up after the login. */
static void run_look_up_case(const struct fault_case *c, const char *path)
{
    CK_OBJECT_HANDLE found;
    CK_ULONG count = 0;
    int at_rest = open_descriptors();
    configure(c);
    CK_SESSION_HANDLE session = host_begin();

    fault_on(c, path);
    struct measure m = measure_begin();
    CK_RV rv = find_begin(session, CKO_PRIVATE_KEY, "demo-rsa2048");
    call_was_told(rv, m, c, path);
    CK_RV next = p11->C_FindObjects(session, &found, 1, &count);
    assert_int_equal(next, rv == CKR_OK ? CKR_OK : CKR_OPERATION_NOT_INITIALIZED);
    if (rv == CKR_OK) {
        assert_int_equal(count, 1);
        assert_int_equal(p11->C_FindObjectsFinal(session), CKR_OK);
    }

    proxy_off();
    sign_well(session, find_private(session));
    records_grew_by(1);
    host_end();
    assert_int_equal(open_descriptors(), at_rest);
}

void run_keys_case(void **state)
{
    run_look_up_case(*state, "keys");
}

void run_token_case(void **state)
{
    run_look_up_case(*state, "token");
}

/* A second answer behind the first is not taken for that to the next request. */
static void an_answer_behind_the_answer_is_not_taken_for_the_next(void **state)
{
    (void)state;
    static const char forged[] = "HTTP/1.1 201 Created\r\nContent-Length: 20\r\n\r\n{\"signature\":\"AAAA\"}";
    configure(&(struct fault_case){.requests = 1});
    CK_SESSION_HANDLE session = host_begin();
    CK_OBJECT_HANDLE key = find_private(session);
    proxy_set("surplus", "signatures", 1, 1, forged, sizeof forged - 1);
    sign_well(session, key);
    sign_well(session, key);
    proxy_off();
    records_grew_by(2);
    host_end();
}

/* A descriptor may be left by what is loaded once. */
static int warm_up(void **state)
{
    (void)state;
    configure(&(struct fault_case){.requests = 1});
    CK_SESSION_HANDLE session = host_begin();
    sign_well(session, find_private(session));
    host_end();
    pairs_known = audit_pairs();
    return 0;
}

static int settle(void **state)
{
    (void)state;
    proxy_off();
    (void)p11->C_Finalize(NULL); /* after a failed case */
    pairs_known = audit_pairs();
    return 0;
}

static size_t tests_add(struct CMUnitTest *tests, size_t count, const struct fault_case *cases, CMUnitTestFunction run)
{
    for (; cases->rule; cases++)
        tests[count++] = (struct CMUnitTest){cases->rule, run, NULL, settle, (void *)cases};
    return count;
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[256];
    memset(deep_json, '[', sizeof deep_json - 1);
    module_load();
    if (argc == 2)
        cmocka_set_test_filter(argv[1]);

    size_t count = tests_add(tests, 0, signature_cases, run_signature_case);
    count = tests_add(tests, count, keys_cases, run_keys_case);
    count = tests_add(tests, count, token_cases, run_token_case);
    tests[count++] = (struct CMUnitTest){"an_answer_behind_the_answer_is_not_taken_for_the_next",
                                         an_answer_behind_the_answer_is_not_taken_for_the_next, NULL, settle, NULL};
    return _cmocka_run_group_tests("faults", tests, count, warm_up, NULL);
}

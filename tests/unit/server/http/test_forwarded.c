/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a request is from behind proxies: what is believed of whom, and what is malformed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "server/http/forwarded.h"

/* Proxies of the tests: 10.0.0.0/8 and 2001:db8:10::/48. */
static struct network trusted[2];
static const struct proxies proxies = {trusted, 2};

static int setup(void **state)
{
    (void)state;
    return network_parse("10.0.0.0/8", &trusted[0]) && network_parse("2001:db8:10::/48", &trusted[1]) ? 0 : -1;
}

static status handle_show(void *api, struct request *req, struct response *res, struct error *err)
{
    (void)api, (void)err;
    struct json_writer *w = response_json(res, 200);
    json_add_text(w, NULL, request_client_address(req));
    return OK;
}

static const struct route routes[] = {{"GET", "/show", 1, handle_show, 0}, {0}};
static const struct route *const tables[] = {routes, NULL};

/* The address that the handler sees, or "400". */
static void ask(const char *peer, const char *const *headers, char out[64])
{
    const struct http_config config = {.tables = tables, .proxies = proxies};
    struct http_exchange x = {.method = "GET", .target = "/show", .headers = headers, .address = peer};
    struct error err = {0};
    assert_true(is_ok(http_route_in_memory(&config, &x, &err)));
    if (x.status == 200)
        (void)snprintf(out, 64, "%.*s", (int)x.response_body.len - 2, buf_text(&x.response_body) + 1);
    else
        (void)snprintf(out, 64, "%d", x.status);
    buf_clear(&x.response_headers);
    buf_clear(&x.response_body);
}

static const struct row {
    const char *peer, *first, *second, *client;
} rows[] = {
    /* nobody who is not trusted is believed, nor refused */
    {"192.0.2.1", "X-Forwarded-For: 203.0.113.1", NULL, "192.0.2.1"},
    {"192.0.2.1", "Forwarded: for=203.0.113.1", NULL, "192.0.2.1"},
    {"192.0.2.1", "Forwarded: ,,;=\"", "X-Forwarded-For: ,", "192.0.2.1"},
    {"11.0.0.1", "X-Forwarded-For: 10.0.0.1", NULL, "11.0.0.1"},
    /* a proxy for itself */
    {"10.0.0.1", NULL, NULL, "10.0.0.1"},
    /* the rightmost that is not trusted */
    {"10.0.0.1", "X-Forwarded-For: 203.0.113.1", NULL, "203.0.113.1"},
    {"10.0.0.1", "X-Forwarded-For: 10.9.9.9, 198.51.100.1, 203.0.113.1", NULL, "203.0.113.1"},
    {"10.0.0.1", "X-Forwarded-For: 203.0.113.1, 10.0.0.2", NULL, "203.0.113.1"},
    {"10.0.0.1", "X-Forwarded-For: 203.0.113.1", "X-Forwarded-For: 203.0.113.2", "203.0.113.2"},
    {"10.0.0.1", "X-Forwarded-For: 203.0.113.1", "x-forwarded-for: 10.0.0.2", "203.0.113.1"},
    {"10.0.0.1", "X-Forwarded-For: 10.0.0.3, 10.0.0.2", NULL, "10.0.0.3"},
    {"2001:db8:10::1", "X-Forwarded-For: 2001:db8:20::1, 10.0.0.1", NULL, "2001:db8:20::1"},
    /* what a client made up stands to the left */
    {"10.0.0.1", "X-Forwarded-For: nonsense, 203.0.113.1", NULL, "203.0.113.1"},
    {"10.0.0.1", "Forwarded: for=unknown, for=203.0.113.1", NULL, "203.0.113.1"},
    /* spellings */
    {"10.0.0.1", "X-Forwarded-For:   203.0.113.1 ,\t 10.0.0.2 ", NULL, "203.0.113.1"},
    {"10.0.0.1", "X-Forwarded-For: 203.0.113.1:4711", NULL, "203.0.113.1"},
    {"10.0.0.1", "X-Forwarded-For: [2001:DB8::0:1]:4711", NULL, "2001:db8::1"},
    {"10.0.0.1", "X-Forwarded-For: ::ffff:203.0.113.1", NULL, "203.0.113.1"},
    {"10.0.0.1", "X-Forwarded-For: ::ffff:10.0.0.1", NULL, "10.0.0.1"},
    {"10.0.0.1", "Forwarded: For=\"[2001:db8::1]:4711\"", NULL, "2001:db8::1"},
    {"10.0.0.1", "Forwarded: proto=https;for=203.0.113.1;by=10.0.0.1", NULL, "203.0.113.1"},
    {"10.0.0.1", "Forwarded: host=\"a,b;for=1.2.3.4\\\"\";for=203.0.113.1", NULL, "203.0.113.1"},
    {"10.0.0.1", "Forwarded: for=203.0.113.1 , for=10.0.0.2", NULL, "203.0.113.1"},
    /* no address where one is expected */
    {"10.0.0.1", "X-Forwarded-For: unknown", NULL, "400"},
    {"10.0.0.1", "X-Forwarded-For: 203.0.113.1, unknown", NULL, "400"},
    {"10.0.0.1", "Forwarded: for=unknown", NULL, "400"},
    {"10.0.0.1", "Forwarded: for=_hidden, for=10.0.0.2", NULL, "400"},
    {"10.0.0.1", "Forwarded: proto=https", NULL, "400"},
    {"10.0.0.1", "X-Forwarded-For: 203.0.113", NULL, "400"},
    {"10.0.0.1", "X-Forwarded-For: 203.0.113.1:", NULL, "400"},
    {"10.0.0.1", "X-Forwarded-For: 203.0.113.1:123456", NULL, "400"},
    {"10.0.0.1", "X-Forwarded-For: 203.0.113.1:80x", NULL, "400"},
    {"10.0.0.1", "X-Forwarded-For: [203.0.113.1]", NULL, "400"},
    {"10.0.0.1", "X-Forwarded-For: [2001:db8::1", NULL, "400"},
    {"10.0.0.1", "X-Forwarded-For: 203.0.113.1/32", NULL, "400"},
    {"10.0.0.1", "X-Forwarded-For: 0313.0.0.1", NULL, "400"},
    {"10.0.0.1", "X-Forwarded-For: fe80::1%eth0", NULL, "400"},
    /* malformed */
    {"10.0.0.1", "X-Forwarded-For: ", NULL, "400"},
    {"10.0.0.1", "X-Forwarded-For: 203.0.113.1,", NULL, "400"},
    {"10.0.0.1", "X-Forwarded-For: ,203.0.113.1", NULL, "400"},
    {"10.0.0.1", "Forwarded: ", NULL, "400"},
    {"10.0.0.1", "Forwarded: for=203.0.113.1,", NULL, "400"},
    {"10.0.0.1", "Forwarded: for=203.0.113.1;", NULL, "400"},
    {"10.0.0.1", "Forwarded: for = 203.0.113.1", NULL, "400"},
    {"10.0.0.1", "Forwarded: for=\"203.0.113.1", NULL, "400"},
    {"10.0.0.1", "Forwarded: for=\"203.0.113.1\\", NULL, "400"},
    {"10.0.0.1", "Forwarded: for=203.0.113.1;for=203.0.113.2", NULL, "400"},
    {"10.0.0.1", "Forwarded: for=[2001:db8::1]", NULL, "400"},
    {"10.0.0.1", "Forwarded: for=203.0.113.1 for=203.0.113.2", NULL, "400"},
    /* a quote that a client left open takes nothing from the proxy's own line */
    {"10.0.0.1", "Forwarded: for=\"x", "Forwarded: for=203.0.113.1", "400"},
    /* both: one is the client's */
    {"10.0.0.1", "Forwarded: for=198.51.100.1", "X-Forwarded-For: 203.0.113.1", "400"},
};

static void the_client_is_the_rightmost_address_that_is_no_trusted_proxys(void **state)
{
    char client[64];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *const headers[] = {rows[i].first, rows[i].second, NULL};
        ask(rows[i].peer, headers, client);
        if (strcmp(client, rows[i].client) != 0)
            fail_msg("row %zu: %s: %s, expected %s", i, rows[i].first, client, rows[i].client);
    }
}

static void as_many_hops_are_read_as_there_is_room_for(void **state)
{
    cleanup_buf struct buf line = {0};
    char client[64];
    (void)state;
    buf_add_text(&line, "X-Forwarded-For: 203.0.113.1");
    for (int i = 1; i < FORWARDED_HOPS; i++)
        buf_add_text(&line, ", 10.0.0.2");
    const char *headers[] = {buf_text(&line), NULL};
    ask("10.0.0.1", headers, client);
    assert_string_equal(client, "203.0.113.1");
    buf_add_text(&line, ", 10.0.0.2");
    headers[0] = buf_text(&line);
    ask("10.0.0.1", headers, client);
    assert_string_equal(client, "400");
}

/* Whatever bytes: an address that was there, the peer, or a refusal; and the address is in one spelling. */
static void made_up_lines_give_an_address_or_a_refusal(void **state)
{
    static const char alphabet[] = "for=\"[]:.,; 0127dbx\\_";
    uint32_t seed = 1;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        char line[80], client[64];
        int n = snprintf(line, sizeof(line), round & 1 ? "Forwarded: for=" : "X-Forwarded-For: 1");
        for (int len = round % 48; len > 0; len--) {
            seed = seed * 1664525 + 1013904223;
            line[n++] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
        }
        line[n] = '\0';
        const char *const headers[] = {line, NULL};
        struct network exact;
        ask("10.0.0.1", headers, client);
        if (strcmp(client, "400") != 0 && !network_parse(client, &exact))
            fail_msg("%s: %s", line, client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_client_is_the_rightmost_address_that_is_no_trusted_proxys),
        cmocka_unit_test(as_many_hops_are_read_as_there_is_room_for),
        cmocka_unit_test(made_up_lines_give_an_address_or_a_refusal),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* If-Match: who changes what has changed since he saw it is told so, and nothing is lost. */
#include "world.h"

#include <stdio.h>
#include <string.h>

static int patch(struct world *w, const char *if_match, const char *description)
{
    char body[128], header[128];
    (void)snprintf(body, sizeof(body), "{\"description\":\"%s\"}", description);
    (void)snprintf(header, sizeof(header), "If-Match: %s", if_match ? if_match : "");
    const struct call call = {.who = OWNER,
                              .method = "PATCH",
                              .target = "/v1/projects/demo",
                              .body = slice_of_text(body),
                              .headers = {if_match ? header : NULL}};
    return world_call(w, &call);
}

static int64_t revision_now(struct world *w)
{
    char expected[32];
    assert_status(w, world_get(w, OWNER, "/v1/projects/demo"), 200);
    int64_t revision = json_get_integer(w->answer, "revision", 0);
    (void)snprintf(expected, sizeof(expected), "\"%lld\"", (long long)revision);
    assert_string_equal(answer_header(w, "ETag"), expected);
    return revision;
}

static void the_revision_is_the_etag_and_grows_with_each_change(void **state)
{
    struct world *w = *state;
    int64_t before = revision_now(w);

    assert_status(w, patch(w, NULL, "one"), 200);
    assert_int_equal(json_get_integer(w->answer, "revision", 0), before + 1);
    assert_int_equal(revision_now(w), before + 1);
}

static void a_stale_write_changes_nothing_and_leaves_no_record(void **state)
{
    struct world *w = *state;
    char etag[32];
    (void)snprintf(etag, sizeof(etag), "\"%lld\"", (long long)revision_now(w));
    assert_status(w, patch(w, etag, "first"), 200);
    int64_t head = world_head(w);

    assert_status(w, patch(w, etag, "second"), 412);
    assert_problem(w, CODE_STALE, "changed since");
    assert_int_equal(world_head(w), head);
    assert_status(w, world_get(w, OWNER, "/v1/projects/demo"), 200);
    assert_string_equal(answer_text(w, "description"), "first");
}

static void if_match_takes_a_list_or_a_star_and_no_weak_tag(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *format;
        int status;
    } rows[] = {{"\"%lld\"", 200},   {"*", 200},    {"*, *", 412}, {"\"0\", \"%lld\"", 200}, {"\"%lld\" ,", 200},
                {"W/\"%lld\"", 412}, {"%lld", 412}, {"", 412},     {"\"%lld\"x", 412}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char if_match[64];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
        (void)snprintf(if_match, sizeof(if_match), rows[i].format, (long long)revision_now(w));
#pragma GCC diagnostic pop
        assert_status(w, patch(w, if_match, "listed"), rows[i].status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_revision_is_the_etag_and_grows_with_each_change),
        cmocka_unit_test(a_stale_write_changes_nothing_and_leaves_no_record),
        cmocka_unit_test(if_match_takes_a_list_or_a_star_and_no_weak_tag),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}

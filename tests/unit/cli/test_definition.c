/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions as text: what is refused and where, and which steps lead from the server's to the text's. */
#include "cli/definition.h"
#include "tests/unit/common/expect.h"

static struct error err;

static struct json *parsed(const char *text)
{
    struct json *root = NULL;
    assert_ok(json_parse(slice_of_text(text), 65536, 32, &root, &err));
    return root;
}

/* "+ project a; ~ …" */
static void plan_text(const char *wanted, const char *present, struct buf *out)
{
    cleanup_json struct json *to = NULL, *from = parsed(present);
    cleanup_plan struct plan plan = {0};
    assert_ok(definition_parse(slice_of_text(wanted), &to, &err));
    assert_ok(plan_make(to, from, &plan, &err));
    for (size_t i = 0; i < plan.count; i++)
        buf_printf(out, "%s%c %s", i ? "; " : "", plan.steps[i].sign, buf_text(&plan.steps[i].text));
}

#define KEY(state, policy) "{\"label\":\"k\",\"type\":\"p256\",\"state\":\"" state "\",\"policy\":" policy "}"
#define PROJECT(description, members, policy, keys)                                                                    \
    "{\"name\":\"a\",\"description\":\"" description "\",\"members\":[" members "],\"policy\":" policy                 \
    ",\"keys\":[" keys "]}"
#define ALL(policy, projects) "{\"chancery\":1,\"policy\":" policy ",\"projects\":[" projects "]}"
#define SIGNER_UNTIL(name, end) "{\"principal\":\"" name "\",\"role\":\"signer\",\"not_after\":\"" end "\"}"
#define SIGNER(name) "{\"principal\":\"" name "\",\"role\":\"signer\"}"

static void a_plan_has_a_step_for_each_difference_in_their_order(void **state)
{
    (void)state;
    static const struct {
        const char *wanted, *present, *steps;
    } rows[] = {
        {ALL("null", PROJECT("d", SIGNER("x"), "null", KEY("active", "null"))), ALL("null", ""),
         "+ project a; + signer x of project a; + key a:k, p256"},
        {ALL("null", PROJECT("d", "", "null", "")), ALL("null", PROJECT("d", "", "null", "")), ""},
        {ALL("null", PROJECT("e", "", "null", "")), ALL("null", PROJECT("d", "", "null", "")),
         "~ project a: description \"e\", was \"d\""},
        {ALL("null", PROJECT("d", SIGNER("y"), "null", "")), ALL("null", PROJECT("d", SIGNER("x"), "null", "")),
         "+ signer y of project a; - signer x of project a"},
        {ALL("null", PROJECT("d", SIGNER_UNTIL("x", "2040-01-01T00:00:00Z"), "null", "")),
         ALL("null", PROJECT("d", SIGNER("x"), "null", "")),
         "- signer x of project a; + signer x of project a, not_after 2040-01-01T00:00:00Z"},
        {ALL("null", PROJECT("d", SIGNER_UNTIL("x", "2040-01-01T00:00:00Z"), "null", "")),
         ALL("null", PROJECT("d", SIGNER_UNTIL("x", "2040-01-01T00:00:00.000Z"), "null", "")), ""},
        {ALL("{\"hashes\":[\"sha256\"]}", ""), ALL("{\"hashes\":[\"sha384\"],\"digests\":\"any\"}", ""),
         "~ policy of the platform: ~hashes, -digests"},
        {ALL("{\"quota\":{\"day\":1,\"total\":2}}", ""), ALL("{\"quota\":{\"total\":2,\"day\":1}}", ""), ""},
        {ALL("null", ""), ALL("{\"digests\":\"any\"}", ""), "- policy of the platform: -digests"},
        {ALL("null", PROJECT("d", "", "null", KEY("disabled", "{\"digests\":\"any\"}"))),
         ALL("null", PROJECT("d", "", "null", KEY("active", "null"))),
         "+ policy of key a:k: +digests; ~ key a:k: disabled, was active"},
        {ALL("null", PROJECT("d", "", "null", KEY("disabled", "null"))), ALL("null", PROJECT("d", "", "null", "")),
         "+ key a:k, p256; ~ key a:k: disabled, was active"},
        {ALL("null", PROJECT("d", "", "null", "")), ALL("null", PROJECT("d", "", "null", KEY("active", "null"))), ""},
        {"{\"chancery\":1,\"projects\":[{\"name\":\"a\"}]}",
         ALL("{\"digests\":\"any\"}", PROJECT("d", SIGNER("x"), "{\"digests\":\"any\"}", KEY("disabled", "null"))), ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_buf struct buf steps = {0};
        plan_text(rows[i].wanted, rows[i].present, &steps);
        assert_string_equal(steps.len ? buf_text(&steps) : "", rows[i].steps);
    }
}

static void what_exists_is_changed_at_its_revision_only(void **state)
{
    (void)state;
    cleanup_json struct json *to = NULL;
    cleanup_json struct json *from = parsed("{\"policy\":{\"digests\":\"any\"},\"policy_version\":7,\"projects\":[{"
                                            "\"name\":\"a\",\"description\":\"d\",\"revision\":3}]}");
    cleanup_plan struct plan plan = {0};
    assert_ok(definition_parse(
        slice_of_text("{\"chancery\":1,\"policy\":null,\"projects\":[{\"name\":\"a\",\"description\":\"e\",\"policy\":"
                      "{\"digests\":\"any\"}}]}"),
        &to, &err));

    assert_ok(plan_make(to, from, &plan, &err));

    assert_int_equal(plan.count, 3);
    assert_int_equal(plan.steps[0].revision, 7);
    assert_string_equal(plan.steps[0].method, "DELETE");
    assert_int_equal(plan.steps[1].revision, 3);
    assert_int_equal(plan.steps[2].revision, 0); /* there is none yet, and nobody else may have made one */
}

static void a_key_becomes_no_other_type_and_no_state_that_ends_it(void **state)
{
    (void)state;
    static const struct {
        const char *key, *reason;
    } rows[] = {{"{\"label\":\"k\",\"type\":\"rsa2048\"}", "key a:k is of type p256, which cannot become rsa2048"},
                {"{\"label\":\"k\",\"type\":\"p256\",\"state\":\"retired\"}",
                 "key a:k is active; apply does not make it retired"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_buf struct buf text = {0};
        cleanup_json struct json *to = NULL,
                                 *from = parsed(ALL("null", PROJECT("d", "", "null", KEY("active", "null"))));
        cleanup_plan struct plan plan = {0};
        buf_printf(&text, "{\"chancery\":1,\"projects\":[{\"name\":\"a\",\"keys\":[%s]}]}", rows[i].key);
        assert_ok(definition_parse(buf_slice(&text), &to, &err));
        assert_code(plan_make(to, from, &plan, &err), CODE_INVALID);
        assert_string_equal(err.text, rows[i].reason);
    }
}

static void a_text_is_refused_with_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason;
    } rows[] = {
        {"{", ""},
        {"[]", ""},
        {"{\"chancery\":1}", "projects"},
        {"{\"chancery\":2,\"projects\":[]}", "chancery: 1 is the only format"},
        {"{\"chancery\":1,\"projects\":[],\"nope\":1}", "nope"},
        {"{\"chancery\":1,\"projects\":[7]}", "projects[0]"},
        {"{\"chancery\":1,\"projects\":[{\"name\":\"a\",\"nope\":1}]}", "projects[0]: nope"},
        {"{\"chancery\":1,\"projects\":[{\"name\":\"a\"},{\"name\":\"a\"}]}",
         "projects[1]: name: a stands in the list"},
        {"{\"chancery\":1,\"projects\":[{\"name\":\"a\",\"policy\":[]}]}", "projects[0]: policy"},
        {"{\"chancery\":1,\"projects\":[{\"name\":\"a\",\"members\":[{\"principal\":\"x\"}]}]}",
         "projects[0]: members[0]: role"},
        {"{\"chancery\":1,\"projects\":[{\"name\":\"a\",\"members\":[" SIGNER_UNTIL("x", "soon") "]}]}",
         "projects[0]: members[0]: not_after: an RFC 3339 time"},
        {"{\"chancery\":1,\"projects\":[{\"name\":\"a\",\"members\":[" SIGNER("x") "," SIGNER("x") "]}]}",
         "projects[0]: members[1]: principal: x stands"},
        {"{\"chancery\":1,\"projects\":[{\"name\":\"a\",\"keys\":[{\"label\":\"k\",\"type\":\"p1\"}]}]}",
         "projects[0]: keys[0]: type: there is no key type p1"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json *root = NULL;
        assert_code(definition_parse(slice_of_text(rows[i].text), &root, &err), CODE_INVALID);
        if (!strstr(err.text, rows[i].reason))
            fail_msg("'%s' does not say '%s'", err.text, rows[i].reason);
    }
}

static void a_text_is_laid_out_a_line_a_member_without_revisions(void **state)
{
    (void)state;
    cleanup_buf struct buf out = {0};
    cleanup_json struct json *v = parsed("{\"chancery\":1,\"policy\":{\"revision\":[\"a\",\"b\"],\"x\":{}},"
                                         "\"policy_version\":3,\"projects\":[{\"name\":\"a\",\"revision\":2}]}");
    definition_format(v, &out);
    assert_string_equal(buf_text(&out), "{\n  \"chancery\": 1,\n  \"policy\": {\n    \"revision\": [\n      \"a\",\n"
                                        "      \"b\"\n    ],\n    \"x\": {}\n  },\n  \"projects\": [\n    {\n"
                                        "      \"name\": \"a\"\n    }\n  ]\n}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_has_a_step_for_each_difference_in_their_order),
        cmocka_unit_test(what_exists_is_changed_at_its_revision_only),
        cmocka_unit_test(a_key_becomes_no_other_type_and_no_state_that_ends_it),
        cmocka_unit_test(a_text_is_refused_with_the_place),
        cmocka_unit_test(a_text_is_laid_out_a_line_a_member_without_revisions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

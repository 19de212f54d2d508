/* SPDX-License-Identifier: Apache-2.0 */
/* Policy at use, through the API: saved in versions, judged at the next signature, explained, tried on the past. */
#include "world.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGEST_HEX "abababababababababababababababababababababababababababababababab"

static const char *fresh_key(struct world *w)
{
    static int made;
    static char id[ID_SIZE];
    char label[32];
    (void)snprintf(label, sizeof(label), "policy-%d", made++);
    world_key(w, label, "p256", id);
    return id;
}

static int policy_put(struct world *w, enum who who, const char *target, const char *document)
{
    return world_ask(w, who, "PUT", target, document);
}

static int key_policy(struct world *w, const char *key, const char *document)
{
    char target[128];
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/policy", key);
    return policy_put(w, OWNER, target, document);
}

static int sign(struct world *w, const char *key, const char *context)
{
    cleanup_buf struct buf body = {0};
    digest_body("ecdsa", 0xab, &body);
    if (context) {
        body.len--;
        buf_printf(&body, ",\"context\":%s}", context);
    }
    return world_sign(w, SIGNER, key, buf_text(&body));
}

static void each_save_is_a_version_with_its_diff_on_record(void **state)
{
    struct world *w = *state;
    const char *key = fresh_key(w);
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s/policy", key), 200);
    assert_int_equal(json_get_integer(w->answer, "version", -1), 0);
    assert_status(w, key_policy(w, key, "{\"quota\":{\"day\":5}}"), 200);
    assert_int_equal(json_get_integer(w->answer, "version", 0), 1);
    assert_status(w, key_policy(w, key, "{\"quota\":{\"day\":6},\"hashes\":[\"sha256\"]}"), 200);

    cleanup_json struct json *record = world_last_record(w);
    const struct json *diff = json_get(json_get(record, "detail"), "diff");
    assert_string_equal(json_get_text(record, "type", ""), "policy.update");
    assert_string_equal(json_get_text(record, "key_id", ""), key);
    assert_non_null(strstr(json_get_text(record, "key", ""), "demo-policy-"));
    assert_non_null(strstr(json_get_text(json_get(record, "target"), "name", ""), "policy-"));
    assert_int_equal(json_count(diff), 2);
    assert_string_equal(json_get_text(json_at(diff, 0), "member", ""), "quota");
    assert_int_equal(json_get_integer(json_get(json_at(diff, 0), "before"), "day", 0), 5);
    assert_int_equal(json_get_integer(json_get(json_at(diff, 0), "after"), "day", 0), 6);
    assert_string_equal(json_get_text(json_at(diff, 1), "member", ""), "hashes");

    assert_status(w, world_get(w, OWNER, "/v1/keys/%s/policy/versions", key), 200);
    const struct json *items = json_get(w->answer, "items");
    assert_int_equal(json_count(items), 2);
    assert_int_equal(json_get_integer(json_at(items, 0), "version", 0), 2);
    assert_string_equal(json_get_text(json_at(items, 1), "author", ""), "owner");
}

static void a_stale_policy_is_not_saved(void **state)
{
    struct world *w = *state;
    char target[128];
    const char *key = fresh_key(w);
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/policy", key);
    assert_status(w, key_policy(w, key, "{}"), 200);
    const struct call call = {.who = OWNER,
                              .method = "PUT",
                              .target = target,
                              .body = slice_of_text("{\"hashes\":[\"sha384\"]}"),
                              .headers = {"If-Match: \"0\""}};
    assert_status(w, world_call(w, &call), 412);
    assert_problem(w, CODE_STALE, "revision 1");
}

static void i4_a_policy_stops_the_next_signature_and_names_the_rule(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *document, *context;
        enum code code;
        const char *said;
    } rows[] = {
        {"{\"mechanisms\":[\"rsa_pss\"]}", NULL, CODE_MECHANISM_DENIED, "policy of the key: the mechanism ecdsa"},
        {"{\"hashes\":[\"sha384\"]}", NULL, CODE_MECHANISM_DENIED, "policy of the key: the hash sha256"},
        {"{\"networks\":[\"203.0.113.0/24\"]}", NULL, CODE_NETWORK_DENIED, "the address"},
        {"{\"releases\":[{\"from\":\"2020-01-01T00:00:00Z\",\"to\":\"2020-01-02T00:00:00Z\"}]}", NULL,
         CODE_WINDOW_CLOSED, "release windows"},
        {"{\"context\":[\"build_id\"]}", NULL, CODE_CONTEXT_REQUIRED, "build_id is missing"},
        {"{\"context\":[\"build_id\"]}", "{\"build_id\":\"\"}", CODE_CONTEXT_REQUIRED, "build_id is missing"},
        {"{\"certificate\":{\"min_days_left\":3650}}", NULL, CODE_KEY_EXPIRED, "3650 are needed"},
        {"{\"digests\":\"listed\"}", NULL, CODE_DIGEST_NOT_LISTED, "not on the list"},
    };
    const char *key = fresh_key(w);
    assert_status(w, sign(w, key, NULL), 201);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int before = w->signed_count;
        assert_status(w, key_policy(w, key, rows[i].document), 200);
        (void)sign(w, key, rows[i].context);
        assert_problem(w, rows[i].code, rows[i].said);
        assert_int_equal(w->signed_count, before);
        cleanup_json struct json *record = world_last_record(w);
        assert_string_equal(json_get_text(record, "outcome", ""), "refused");
    }
    assert_status(w, key_policy(w, key, "{}"), 200);
    assert_status(w, sign(w, key, NULL), 201);
}

static void context_and_policy_versions_are_on_record(void **state)
{
    struct world *w = *state;
    const char *key = fresh_key(w);
    assert_status(w, key_policy(w, key, "{\"context\":[\"build_id\"],\"programs\":[\"jarsigner\"]}"), 200);
    assert_status(w, sign(w, key, "{\"build_id\":\"42\",\"program\":\"else\"}"), 201);
    cleanup_json struct json *record = world_last_record(w);
    const struct json *detail = json_get(record, "detail");
    assert_string_equal(json_get_text(json_get(detail, "context"), "build_id", ""), "42");
    assert_int_equal(json_get_integer(json_get(detail, "policy"), "key", 0), 1);
    assert_non_null(strstr(json_get_text(detail, "note", ""), "the program else is not a listed one"));
}

static void the_platform_limits_what_a_key_s_policy_allows(void **state)
{
    struct world *w = *state;
    const char *key = fresh_key(w);
    assert_status(w, policy_put(w, ADMIN, "/v1/policy", "{\"hashes\":[\"sha384\"]}"), 200);
    assert_status(w, key_policy(w, key, "{\"hashes\":[\"sha256\",\"sha384\"]}"), 200);
    (void)sign(w, key, NULL);
    assert_problem(w, CODE_MECHANISM_DENIED, "policy of the platform");
    assert_status(w, policy_put(w, OWNER, "/v1/policy", "{}"), 403);
    assert_status(w, world_ask(w, ADMIN, "DELETE", "/v1/policy", NULL), 200);
    assert_status(w, sign(w, key, NULL), 201);
}

static void a_key_s_policy_takes_the_place_of_its_project_s(void **state)
{
    struct world *w = *state;
    const char *key = fresh_key(w);
    assert_status(w, policy_put(w, OWNER, "/v1/projects/demo/policy", "{\"hashes\":[\"sha384\"]}"), 200);
    (void)sign(w, key, NULL);
    assert_problem(w, CODE_MECHANISM_DENIED, "policy of the project");
    assert_status(w, key_policy(w, key, "{}"), 200);
    assert_status(w, sign(w, key, NULL), 201);
    assert_status(w, world_ask(w, OWNER, "DELETE", "/v1/projects/demo/policy", NULL), 200);
}

static void i4_a_freeze_stops_the_next_signature(void **state)
{
    struct world *w = *state;
    const char *key = fresh_key(w);
    assert_status(w, world_post(w, ADMIN, "/v1/freeze", "{\"reason\":\"incident 7\"}"), 200);
    (void)sign(w, key, NULL);
    assert_problem(w, CODE_FROZEN, "the platform: incident 7");
    (void)world_post(w, ADMIN, "/v1/freeze", "{\"reason\":\"again\"}");
    assert_problem(w, CODE_CONFLICT, "frozen already");
    assert_status(w, world_post(w, ADMIN, "/v1/unfreeze", "{\"reason\":\"over\"}"), 200);
    assert_status(w, world_post(w, OWNER, "/v1/projects/demo/freeze", "{\"reason\":\"audit\"}"), 200);
    (void)sign(w, key, NULL);
    assert_problem(w, CODE_FROZEN, "the project: audit");
    assert_status(w, world_post(w, OWNER, "/v1/projects/demo/unfreeze", "{\"reason\":\"done\"}"), 200);
    assert_status(w, sign(w, key, NULL), 201);
    (void)world_post(w, OWNER, "/v1/freeze", "{\"reason\":\"mine\"}");
    assert_problem(w, CODE_FORBIDDEN, NULL);
    (void)world_post(w, ADMIN, "/v1/freeze", "{\"reason\":\"\"}");
    assert_problem(w, CODE_INVALID, "reason");
}

static void a_quota_is_what_may_be_signed_and_not_one_more(void **state)
{
    struct world *w = *state;
    const char *key = fresh_key(w);
    assert_status(w, sign(w, key, NULL), 201); /* counts, though there was no quota then */
    assert_status(w, key_policy(w, key, "{\"quota\":{\"total\":3}}"), 200);
    assert_status(w, sign(w, key, NULL), 201);
    assert_status(w, sign(w, key, NULL), 201);
    (void)sign(w, key, NULL);
    assert_problem(w, CODE_QUOTA_EXCEEDED, "3 signatures");
    assert_status(w, key_policy(w, key, "{\"quota\":{\"total\":4,\"day\":100}}"), 200);
    assert_status(w, sign(w, key, NULL), 201);
    (void)sign(w, key, NULL);
    assert_problem(w, CODE_QUOTA_EXCEEDED, "4 signatures");
    assert_status(w, key_policy(w, key, "{\"quota\":{\"day\":4}}"), 200);
    (void)sign(w, key, NULL);
    assert_problem(w, CODE_QUOTA_EXCEEDED, "a day");
}

static int64_t warnings(struct world *w)
{
    assert_status(w, world_get(w, AUDITOR, "/v1/audit?type=quota.warning"), 200);
    return (int64_t)json_count(json_get(w->answer, "items"));
}

static void a_quota_warns_at_80_90_and_100_percent_once_each(void **state)
{
    struct world *w = *state;
    static const int expected[] = {0, 0, 0, 0, 0, 0, 0, 1, 2, 3};
    const char *key = fresh_key(w);
    int64_t before = warnings(w);
    assert_status(w, key_policy(w, key, "{\"quota\":{\"total\":10}}"), 200);
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_status(w, sign(w, key, NULL), 201);
        assert_int_equal(warnings(w) - before, expected[i]);
    }
    (void)sign(w, key, NULL);
    assert_int_equal(warnings(w) - before, 3);
    const struct json *items = json_get(w->answer, "items");
    const struct json *detail = json_get(json_at(items, json_count(items) - 1), "detail");
    assert_int_equal(json_get_integer(detail, "percent", 0), 100);
}

/* The hashes that the signer's listing has with a key, joined. */
static const char *hashes_listed(struct world *w, const char *key)
{
    static char joined[128];
    assert_status(w, world_get(w, SIGNER, "/v1/signing/keys"), 200);
    const struct json *keys = json_get(w->answer, "keys");
    for (size_t i = 0; i < json_count(keys); i++) {
        const struct json *found = json_at(keys, i), *hashes = json_get(found, "hashes");
        if (strcmp(json_get_text(found, "id", ""), key) != 0)
            continue;
        joined[0] = '\0';
        for (size_t h = 0; h < json_count(hashes); h++)
            (void)snprintf(joined + strlen(joined), sizeof(joined) - strlen(joined), "%s%s", h ? "," : "",
                           json_text(json_at(hashes, h), ""));
        return joined;
    }
    return "not listed";
}

static void a_token_is_shown_what_policy_leaves(void **state)
{
    struct world *w = *state;
    const char *key = fresh_key(w);
    assert_status(w, key_policy(w, key, "{\"hashes\":[\"sha384\"],\"mechanisms\":[\"ecdsa\"]}"), 200);
    assert_string_equal(hashes_listed(w, key), "sha384");
}

/* Policies of Projects are read once for all keys of a listing. */
static void a_token_of_several_projects_is_shown_what_the_policy_of_each_leaves(void **state)
{
    struct world *w = *state;
    char of_demo[2][ID_SIZE], own[ID_SIZE], of_other[2][ID_SIZE];
    assert_status(w, world_post(w, ADMIN, "/v1/projects", "{\"name\":\"other\"}"), 201);
    assert_status(w,
                  world_post(w, ADMIN, "/v1/projects/other/members", "{\"principal\":\"%s\",\"role\":\"signer\"}",
                             w->users[SIGNER].id),
                  201);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(of_demo[i], ID_SIZE, "%s", fresh_key(w));
        assert_status(w, world_post(w, ADMIN, "/v1/projects/other/keys", "{\"label\":\"k%d\",\"type\":\"p256\"}", i),
                      201);
        (void)snprintf(of_other[i], ID_SIZE, "%s", answer_text(w, "id"));
    }
    (void)snprintf(own, ID_SIZE, "%s", fresh_key(w));
    assert_status(w, key_policy(w, own, "{\"hashes\":[\"sha512\"]}"), 200);
    assert_status(w, policy_put(w, OWNER, "/v1/projects/demo/policy", "{\"hashes\":[\"sha256\"]}"), 200);

    for (int i = 0; i < 2; i++) {
        assert_string_equal(hashes_listed(w, of_demo[i]), "sha256");
        assert_string_equal(hashes_listed(w, of_other[i]), "sha256,sha384,sha512");
    }
    assert_string_equal(hashes_listed(w, own), "sha512");
    assert_status(w, policy_put(w, ADMIN, "/v1/projects/other/policy", "{\"hashes\":[\"sha384\"]}"), 200);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(hashes_listed(w, of_demo[i]), "sha256");
        assert_string_equal(hashes_listed(w, of_other[i]), "sha384");
    }
    assert_status(w, policy_put(w, OWNER, "/v1/projects/demo/policy", "{}"), 200);
}

static void a_rate_is_kept_and_tells_when_to_come_again(void **state)
{
    struct world *w = *state;
    const char *key = fresh_key(w);
    assert_status(w, key_policy(w, key, "{\"rate\":{\"per_principal\":{\"count\":2,\"seconds\":3600}}}"), 200);
    assert_status(w, sign(w, key, NULL), 201);
    assert_status(w, sign(w, key, NULL), 201);
    assert_status(w, sign(w, key, NULL), 429);
    assert_problem(w, CODE_RATE_LIMITED, "2 signatures in 3600 seconds");
    int after = atoi(answer_header(w, "Retry-After"));
    assert_true(after > 1700 && after <= 1800);
}

static void a_listed_digest_is_signed_as_often_as_listed(void **state)
{
    struct world *w = *state;
    const char *key = fresh_key(w);
    char target[160];
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/digests", key);
    assert_status(w, key_policy(w, key, "{\"digests\":\"listed\"}"), 200);
    assert_status(w, world_post(w, OWNER, target, "{\"hash\":\"sha256\",\"digest\":\"" DIGEST_HEX "\",\"count\":2}"),
                  201);
    assert_status(w, sign(w, key, NULL), 201);
    assert_status(w, sign(w, key, NULL), 201);
    (void)sign(w, key, NULL);
    assert_problem(w, CODE_DIGEST_NOT_LISTED, "as often as");
    assert_status(w, world_post(w, OWNER, target, "{\"hash\":\"sha256\",\"digest\":\"" DIGEST_HEX "\"}"), 201);
    for (int i = 0; i < 3; i++)
        assert_status(w, sign(w, key, NULL), 201);
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/digests/sha256/" DIGEST_HEX, key);
    assert_status(w, world_ask(w, OWNER, "DELETE", target, NULL), 204);
    (void)sign(w, key, NULL);
    assert_problem(w, CODE_DIGEST_NOT_LISTED, NULL);
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/digests", key);
    (void)world_post(w, OWNER, target, "{\"hash\":\"sha256\",\"digest\":\"AB\"}");
    assert_problem(w, CODE_INVALID, "digest: 64 lower-case");
}

static const struct json *step(struct world *w, const char *rule)
{
    const struct json *steps = json_get(w->answer, "steps");
    for (size_t i = 0; i < json_count(steps); i++) {
        if (strcmp(json_get_text(json_at(steps, i), "rule", ""), rule) == 0)
            return json_at(steps, i);
    }
    fail_msg("no step %s", rule);
    return NULL;
}

static int explain(struct world *w, enum who who, const char *principal, const char *key, const char *more)
{
    return world_post(w, who, "/v1/access/explain",
                      "{\"principal\":\"%s\",\"key\":\"%s\",\"mechanism\":\"ecdsa\",\"hash\":\"sha256\"%s}", principal,
                      key, more);
}

static void explain_says_what_the_signer_would_be_told(void **state)
{
    struct world *w = *state;
    const char *key = fresh_key(w);
    int before = w->signed_count;
    assert_status(w, key_policy(w, key, "{\"networks\":[\"192.0.2.0/24\"],\"quota\":{\"total\":1}}"), 200);

    assert_status(w, explain(w, ADMIN, "signer", key, ",\"address\":\"192.0.2.9\""), 200);
    assert_true(json_get_bool(w->answer, "allowed", false));
    assert_string_equal(json_get_text(step(w, "policy.network"), "verdict", ""), "allows");

    assert_status(w, explain(w, AUDITOR, "signer", key, ",\"address\":\"198.51.100.1\""), 200);
    assert_false(json_get_bool(w->answer, "allowed", true));
    assert_string_equal(answer_text(w, "code"), "network_denied");
    assert_string_equal(json_get_text(step(w, "policy.network"), "verdict", ""), "refuses");
    assert_string_equal(json_get_text(step(w, "role"), "verdict", ""), "allows");

    assert_status(w, explain(w, OWNER, "admin", key, ""), 200);
    assert_string_equal(answer_text(w, "code"), "not_found");
    assert_string_equal(json_get_text(step(w, "role"), "reason", ""), "the principal is not a signer of the project");
    assert_int_equal(w->signed_count, before);
}

static void explain_is_not_for_strangers(void **state)
{
    struct world *w = *state;
    const char *key = fresh_key(w);
    assert_status(w, explain(w, STRANGER, "signer", key, ""), 404);
    assert_status(w, explain(w, SIGNER, "owner", key, ""), 404);
    assert_status(w, explain(w, SIGNER, "signer", key, ""), 200);
}

static void a_dry_run_tells_what_a_policy_would_have_refused(void **state)
{
    struct world *w = *state;
    const char *key = fresh_key(w);
    for (int i = 0; i < 4; i++)
        assert_status(w, sign(w, key, i % 2 ? "{\"build_id\":\"1\"}" : NULL), 201);
    int before = w->signed_count;
    assert_status(w,
                  world_post(w, OWNER, "/v1/policies/dry-run",
                             "{\"key\":\"%s\",\"policy\":{\"context\":[\"build_id\"],\"quota\":{\"total\":1}}}", key),
                  200);
    assert_int_equal(json_get_integer(w->answer, "judged", 0), 4);
    assert_int_equal(json_get_integer(w->answer, "refused", 0), 3);
    assert_true(json_get_bool(w->answer, "complete", false));
    const struct json *rules = json_get(w->answer, "rules");
    assert_string_equal(json_get_text(json_at(rules, 0), "rule", ""), "policy.context");
    assert_int_equal(json_get_integer(json_at(rules, 0), "refused", 0), 2);
    assert_string_equal(json_get_text(json_at(rules, 1), "rule", ""), "policy.quota");
    assert_int_equal(w->signed_count, before);
    assert_status(w, sign(w, key, NULL), 201);

    assert_status(w,
                  world_post(w, OWNER, "/v1/policies/dry-run",
                             "{\"key\":\"%s\",\"policy\":{\"hashes\":[\"sha384\"]},\"from\":\"2100-01-01T00:00:00Z\","
                             "\"to\":\"2100-01-02T00:00:00Z\"}",
                             key),
                  200);
    assert_int_equal(json_get_integer(w->answer, "judged", -1), 0);
    assert_status(
        w,
        world_post(w, OWNER, "/v1/policies/dry-run", "{\"key\":\"%s\",\"policy\":{\"approval\":{\"needed\":1}}}", key),
        200);
    assert_int_equal(json_get_integer(w->answer, "refused", 0), 5);
    assert_string_equal(json_get_text(json_at(json_get(w->answer, "rules"), 0), "rule", ""), "policy.approval");
    (void)world_post(w, SIGNER, "/v1/policies/dry-run", "{\"policy\":{}}");
    assert_problem(w, CODE_FORBIDDEN, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_save_is_a_version_with_its_diff_on_record),
        cmocka_unit_test(a_stale_policy_is_not_saved),
        cmocka_unit_test(i4_a_policy_stops_the_next_signature_and_names_the_rule),
        cmocka_unit_test(context_and_policy_versions_are_on_record),
        cmocka_unit_test(the_platform_limits_what_a_key_s_policy_allows),
        cmocka_unit_test(a_key_s_policy_takes_the_place_of_its_project_s),
        cmocka_unit_test(i4_a_freeze_stops_the_next_signature),
        cmocka_unit_test(a_quota_is_what_may_be_signed_and_not_one_more),
        cmocka_unit_test(a_quota_warns_at_80_90_and_100_percent_once_each),
        cmocka_unit_test(a_token_is_shown_what_policy_leaves),
        cmocka_unit_test(a_token_of_several_projects_is_shown_what_the_policy_of_each_leaves),
        cmocka_unit_test(a_rate_is_kept_and_tells_when_to_come_again),
        cmocka_unit_test(a_listed_digest_is_signed_as_often_as_listed),
        cmocka_unit_test(explain_says_what_the_signer_would_be_told),
        cmocka_unit_test(explain_is_not_for_strangers),
        cmocka_unit_test(a_dry_run_tells_what_a_policy_would_have_refused),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}

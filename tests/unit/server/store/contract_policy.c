/* SPDX-License-Identifier: Apache-2.0 */
/* Policies, freezes, listed digests and quota counters, on any store. */
#include "server/store/policy.h"
#include "world.h"

static const struct quota no_limit;

static status version_text(void *arg, const struct policy_row *r)
{
    char text[64];
    (void)snprintf(text, sizeof(text), "%lld:%s", (long long)r->version, r->document.len ? "set" : "none");
    collect(arg, text);
    return OK;
}

static void policy_put(struct world *w, int64_t version, const char *document)
{
    cleanup_policy_row struct policy_row row = {.scope = SCOPE_PROJECT, .scope_id = "prj_a", .version = version};
    buf_add_text(&row.document, document);
    assert_ok(policy_insert(w->db, &row, &w->err), &w->err);
}

static void the_newest_policy_counts_and_the_others_stay(void **state)
{
    struct world *w = *state;
    cleanup_policy_row struct policy_row found = {0};
    assert_ok(policy_find(w->db, SCOPE_PROJECT, "prj_a", &found, &w->err), &w->err);
    assert_int_equal(found.version, 0);
    policy_put(w, 1, "{}");
    policy_put(w, 2, "{\"hashes\":[\"sha256\"]}");
    policy_put(w, 3, "");
    assert_ok(policy_find(w->db, SCOPE_PROJECT, "prj_a", &found, &w->err), &w->err);
    assert_int_equal(found.version, 3);
    assert_int_equal(found.document.len, 0);

    struct collected c = {0};
    assert_ok(policy_versions(w->db, SCOPE_PROJECT, "prj_a", 0, 10, version_text, &c, &w->err), &w->err);
    assert_string_equal(c.text, "3:none,2:set,1:set");
    c = (struct collected){0};
    assert_ok(policy_versions(w->db, SCOPE_PROJECT, "prj_a", 3, 1, version_text, &c, &w->err), &w->err);
    assert_string_equal(c.text, "2:set");
    struct policy_row again = {.scope = SCOPE_PROJECT, .scope_id = "prj_a", .version = 3};
    assert_code(policy_insert(w->db, &again, &w->err), CODE_CONFLICT);
}

static void a_scope_is_frozen_once_and_thawed_once(void **state)
{
    struct world *w = *state;
    struct freeze f;
    assert_ok(freeze_insert(w->db, SCOPE_PLATFORM, "", "why", "usr_x", 5, &w->err), &w->err);
    assert_ok(freeze_find(w->db, SCOPE_PLATFORM, "", &f, &w->err), &w->err);
    assert_true(f.is_frozen && f.since_ms == 5);
    assert_string_equal(f.reason, "why");
    assert_ok(freeze_find(w->db, SCOPE_PROJECT, "prj_a", &f, &w->err), &w->err);
    assert_false(f.is_frozen);
    assert_ok(freeze_delete(w->db, SCOPE_PLATFORM, "", &w->err), &w->err);
    assert_code(freeze_delete(w->db, SCOPE_PLATFORM, "", &w->err), CODE_NOT_FOUND);
}

static int64_t day_ms(int month, int day)
{
    char text[32];
    int64_t ms = 0;
    (void)snprintf(text, sizeof(text), "2026-%02d-%02dT12:00:00Z", month, day);
    if (!is_ok(time_parse(text, &ms, NULL)))
        fail_msg("%s", text);
    return ms;
}

static bool take(struct world *w, const char *mark, struct quota limit, int64_t now_ms, struct quota *count)
{
    struct quota_use use;
    assert_ok(quota_take(w->db, "key_a", mark, &limit, now_ms, &use, &w->err), &w->err);
    if (count)
        *count = use.count;
    return use.is_taken;
}

static void a_quota_is_counted_by_total_day_and_month(void **state)
{
    struct world *w = *state;
    struct quota count;
    assert_true(take(w, "1", (struct quota){.day = 2}, day_ms(1, 1), &count));
    assert_true(take(w, "1", (struct quota){.day = 2}, day_ms(1, 1), &count));
    assert_true(count.total == 2 && count.day == 2 && count.month == 2);
    assert_false(take(w, "1", (struct quota){.day = 2}, day_ms(1, 1), &count));
    assert_int_equal(count.day, 2);
    assert_true(take(w, "1", (struct quota){.day = 2}, day_ms(1, 2), &count));
    assert_true(count.total == 3 && count.day == 1 && count.month == 3);
    assert_false(take(w, "1", (struct quota){.month = 3}, day_ms(1, 3), NULL));
    assert_true(take(w, "1", (struct quota){.month = 3}, day_ms(2, 1), &count));
    assert_true(count.total == 4 && count.month == 1);
    assert_false(take(w, "1", (struct quota){.total = 4}, day_ms(3, 1), NULL));
}

static void what_was_signed_without_a_quota_counts_under_the_next(void **state)
{
    struct world *w = *state;
    struct quota count;
    for (int i = 0; i < 5; i++)
        assert_ok(usage_add(w->db, "key_a", "usr_a", day_ms(1, i < 3 ? 1 : 2), USAGE_SUCCESS, &w->err), &w->err);
    assert_ok(usage_add(w->db, "key_a", "usr_a", day_ms(1, 2), USAGE_FAILED, &w->err), &w->err);
    assert_true(take(w, "1", no_limit, day_ms(1, 2), &count));
    assert_true(count.total == 6 && count.day == 3 && count.month == 6);
    /* Two more without a quota, then another policy: intents that are counted already are not lost. */
    for (int i = 0; i < 2; i++)
        assert_ok(usage_add(w->db, "key_a", "usr_a", day_ms(1, 2), USAGE_SUCCESS, &w->err), &w->err);
    assert_true(take(w, "2", no_limit, day_ms(1, 2), &count));
    assert_true(count.total == 8 && count.day == 5);
}

static void what_is_given_back_can_be_taken_again_but_not_tomorrow(void **state)
{
    struct world *w = *state;
    struct quota count;
    assert_true(take(w, "1", (struct quota){.day = 1}, day_ms(1, 31), NULL));
    assert_false(take(w, "1", (struct quota){.day = 1}, day_ms(1, 31), NULL));
    assert_ok(quota_give_back(w->db, "key_a", day_ms(1, 31), &w->err), &w->err);
    assert_true(take(w, "1", (struct quota){.day = 1}, day_ms(1, 31), NULL));
    assert_true(take(w, "1", (struct quota){.day = 1}, day_ms(2, 1), NULL));
    assert_ok(quota_give_back(w->db, "key_a", day_ms(1, 31), &w->err), &w->err);
    assert_false(take(w, "1", (struct quota){.day = 1}, day_ms(2, 1), &count));
    assert_true(count.total == 1 && count.day == 1 && count.month == 1);
}

static status digest_text(void *arg, const struct listed_digest *d)
{
    char text[160];
    (void)snprintf(text, sizeof(text), "%s.%s=%lld", d->hash, d->digest, (long long)d->remaining);
    collect(arg, text);
    return OK;
}

static void digests_are_listed_counted_and_replaced(void **state)
{
    struct world *w = *state;
    (void)world_project(w, "prj_a", "demo");
    world_key(w, "key_a", "prj_a", "rsa", 1);
    struct listed_digest d = {.key_id = "key_a", .hash = "sha256", .digest = "bb", .remaining = 2};
    assert_ok(listed_digest_put(w->db, &d, "usr_x", &w->err), &w->err);
    d = (struct listed_digest){.key_id = "key_a", .hash = "sha256", .digest = "aa", .remaining = -1};
    assert_ok(listed_digest_put(w->db, &d, "usr_x", &w->err), &w->err);
    assert_ok(listed_digest_add(w->db, "key_a", "sha256", "bb", -1, &w->err), &w->err);
    assert_ok(listed_digest_add(w->db, "key_a", "sha256", "aa", -1, &w->err), &w->err);
    struct collected c = {0};
    assert_ok(listed_digest_list(w->db, "key_a", (struct page){0}, digest_text, &c, &w->err), &w->err);
    assert_string_equal(c.text, "sha256.aa=-1,sha256.bb=1");
    struct page next = {.after = "sha256.aa", .limit = 1};
    c = (struct collected){0};
    assert_ok(listed_digest_list(w->db, "key_a", next, digest_text, &c, &w->err), &w->err);
    assert_string_equal(c.text, "sha256.bb=1");
    assert_ok(listed_digest_delete(w->db, "key_a", "sha256", "bb", &w->err), &w->err);
    assert_code(listed_digest_find(w->db, "key_a", "sha256", "bb", &d, &w->err), CODE_NOT_FOUND);
}

const struct CMUnitTest policy_tests[] = {
    WORLD_TEST(the_newest_policy_counts_and_the_others_stay),
    WORLD_TEST(a_scope_is_frozen_once_and_thawed_once),
    WORLD_TEST(a_quota_is_counted_by_total_day_and_month),
    WORLD_TEST(what_was_signed_without_a_quota_counts_under_the_next),
    WORLD_TEST(what_is_given_back_can_be_taken_again_but_not_tomorrow),
    WORLD_TEST(digests_are_listed_counted_and_replaced),
};
const size_t policy_test_count = COUNT_OF(policy_tests);

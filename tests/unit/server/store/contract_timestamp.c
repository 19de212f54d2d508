/* SPDX-License-Identifier: Apache-2.0 */
/* The timestamp authority's rows, on any store. */
#include "world.h"

#include "server/store/timestamp.h"

static struct timestamp_key key_of(int version, enum timestamp_key_state state)
{
    struct timestamp_key k = {.version = version, .state = state, .type = KEY_TYPE_P256, .created_ms = 1000};
    (void)snprintf(k.hsm_attributes, sizeof(k.hsm_attributes), "{}");
    (void)snprintf(k.subject, sizeof(k.subject), "CN=%d", version);
    k.hsm_id[0] = (uint8_t)version;
    buf_add_text(&k.spki, "spki");
    if (state != TIMESTAMP_KEY_PENDING) {
        buf_add_text(&k.certificate, "certificate");
        buf_add_text(&k.chain, "chain");
    }
    return k;
}

static void key_put(struct world *w, int version, enum timestamp_key_state state, enum code expected)
{
    struct timestamp_key k = key_of(version, state);
    assert_code(timestamp_key_insert(w->db, &k, &w->err), expected);
    timestamp_key_clear(&k);
}

static void there_is_one_authority_and_its_revision_grows(void **state)
{
    struct world *w = *state;
    struct timestamp_authority a = {.version = 1, .created_ms = 5}, found = {0};
    assert_code(timestamp_authority_find(w->db, &found, &w->err), CODE_NOT_FOUND);
    assert_code(timestamp_authority_update(w->db, &a, &w->err), CODE_NOT_FOUND);
    assert_ok(timestamp_authority_insert(w->db, &a, &w->err), &w->err);
    assert_ok(timestamp_authority_find(w->db, &found, &w->err), &w->err);
    assert_int_equal(found.revision, 1);
    found.is_disabled = true;
    (void)snprintf(found.disabled_reason, sizeof(found.disabled_reason), "why");
    assert_ok(timestamp_authority_update(w->db, &found, &w->err), &w->err);
    assert_int_equal(found.revision, 2);
    assert_ok(timestamp_authority_find(w->db, &a, &w->err), &w->err);
    assert_int_equal(a.revision, 2);
    assert_true(a.is_disabled);
    assert_string_equal(a.disabled_reason, "why");
    assert_int_equal(a.created_ms, 5);
}

static void a_second_authority_is_a_conflict(void **state)
{
    struct world *w = *state;
    const struct timestamp_authority a = {.version = 0};
    assert_ok(timestamp_authority_insert(w->db, &a, &w->err), &w->err);
    assert_code(timestamp_authority_insert(w->db, &a, &w->err), CODE_CONFLICT);
}

static void a_key_is_found_as_it_was_put(void **state)
{
    struct world *w = *state;
    cleanup_timestamp_key struct timestamp_key found = {0}, pending = {0};
    key_put(w, 1, TIMESTAMP_KEY_ACTIVE, CODE_OK);
    assert_code(timestamp_key_find_pending(w->db, &pending, &w->err), CODE_NOT_FOUND);
    key_put(w, 2, TIMESTAMP_KEY_PENDING, CODE_OK);
    assert_ok(timestamp_key_find(w->db, 1, &found, &w->err), &w->err);
    assert_int_equal(found.state, TIMESTAMP_KEY_ACTIVE);
    assert_int_equal(found.type, KEY_TYPE_P256);
    assert_int_equal(found.hsm_id[0], 1);
    assert_string_equal(buf_text(&found.certificate), "certificate");
    assert_string_equal(buf_text(&found.chain), "chain");
    assert_string_equal(found.subject, "CN=1");
    assert_ok(timestamp_key_find_pending(w->db, &pending, &w->err), &w->err);
    assert_int_equal(pending.version, 2);
    assert_int_equal(pending.certificate.len, 0);
    assert_code(timestamp_key_find(w->db, 3, &found, &w->err), CODE_NOT_FOUND);
}

static status certificate_count(void *arg, int version, struct slice certificate, int64_t replaced_ms)
{
    int *count = arg;
    assert_int_equal(version, 1);
    assert_int_equal(certificate.len, strlen("certificate"));
    assert_int_equal(replaced_ms, 77);
    (*count)++;
    return OK;
}

static void a_certificate_that_is_replaced_is_kept(void **state)
{
    struct world *w = *state;
    struct timestamp_key k = key_of(1, TIMESTAMP_KEY_ACTIVE);
    int count = 0;
    assert_ok(timestamp_key_insert(w->db, &k, &w->err), &w->err);
    assert_ok(timestamp_key_update(w->db, &k, 76, &w->err), &w->err); /* the same one */
    buf_add_text(&k.certificate, " renewed");
    assert_ok(timestamp_key_update(w->db, &k, 77, &w->err), &w->err);
    assert_ok(timestamp_certificate_list(w->db, certificate_count, &count, &w->err), &w->err);
    assert_int_equal(count, 1);
    timestamp_key_clear(&k);
}

static void ranges_of_numbers_do_not_touch(void **state)
{
    struct world *w = *state;
    int64_t first = 0, next = 0;
    assert_ok(timestamp_serials_take(w->db, 1000, 50, 0, &first, &w->err), &w->err);
    assert_ok(timestamp_serials_take(w->db, 10, 50, 0, &next, &w->err), &w->err);
    assert_int_equal(next, first + 1000);
    assert_ok(timestamp_serials_take(w->db, 10, 50, 0, &first, &w->err), &w->err);
    assert_int_equal(first, next + 10);
}

static void a_time_behind_one_that_was_reached_gets_no_numbers(void **state)
{
    struct world *w = *state;
    int64_t first = 0, next = 0;
    assert_ok(timestamp_serials_take(w->db, 10, 5000, 1000, &first, &w->err), &w->err);
    assert_ok(timestamp_serials_take(w->db, 10, 4000, 1000, &first, &w->err), &w->err);
    assert_code(timestamp_serials_take(w->db, 10, 3999, 1000, &next, &w->err), CODE_CONFLICT);
    assert_ok(timestamp_clock_reset(w->db, &w->err), &w->err);
    assert_ok(timestamp_serials_take(w->db, 10, 100, 1000, &next, &w->err), &w->err);
    assert_int_equal(next, first + 10); /* no number was lost or repeated */
}

static void counters_are_of_days_and_add_up(void **state)
{
    struct world *w = *state;
    const int64_t day_ms = 24 * 3600 * 1000;
    struct timestamp_usage day = {0}, total = {0};
    assert_ok(timestamp_usage_add(w->db, day_ms, &(struct timestamp_usage){2, 1}, &w->err), &w->err);
    assert_ok(timestamp_usage_add(w->db, day_ms + 1, &(struct timestamp_usage){3, 0}, &w->err), &w->err);
    assert_ok(timestamp_usage_add(w->db, 2 * day_ms, &(struct timestamp_usage){10, 5}, &w->err), &w->err);
    assert_ok(timestamp_usage_find(w->db, day_ms, &day, &total, &w->err), &w->err);
    assert_int_equal(day.granted, 5);
    assert_int_equal(day.refused, 1);
    assert_int_equal(total.granted, 15);
    assert_int_equal(total.refused, 6);
}

const struct CMUnitTest timestamp_tests[] = {
    WORLD_TEST(there_is_one_authority_and_its_revision_grows),
    WORLD_TEST(a_second_authority_is_a_conflict),
    WORLD_TEST(a_key_is_found_as_it_was_put),
    WORLD_TEST(a_certificate_that_is_replaced_is_kept),
    WORLD_TEST(ranges_of_numbers_do_not_touch),
    WORLD_TEST(a_time_behind_one_that_was_reached_gets_no_numbers),
    WORLD_TEST(counters_are_of_days_and_add_up),
};
const size_t timestamp_test_count = COUNT_OF(timestamp_tests);

/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of creates that may be repeated, on any store. */
#include "world.h"

#include "server/store/idempotent_create.h"

enum { DAY_MS = 24 * 3600 * 1000 };

static void create_put(struct world *w, const char *who, int64_t when_ms, const char *answer, enum code expected)
{
    struct idempotent_create c = {.request_sha256 = {7}, .created_ms = when_ms};
    (void)snprintf(c.principal_id, sizeof(c.principal_id), "%s", who);
    (void)snprintf(c.idempotency_key, sizeof(c.idempotency_key), "key-0123456789abcdef");
    (void)snprintf(c.target_id, sizeof(c.target_id), "prj_a");
    buf_add_text(&c.answer, answer);
    assert_code(idempotent_create_insert(w->db, &c, &w->err), expected);
    buf_clear(&c.answer);
}

static status create_find(struct world *w, const char *who, int64_t now_ms, struct idempotent_create *out)
{
    return idempotent_create_find(w->db, who, "key-0123456789abcdef", now_ms, out, &w->err);
}

static void an_answer_is_kept_for_its_principal_for_a_day(void **state)
{
    struct world *w = *state;
    cleanup_idempotent_create struct idempotent_create found = {0};
    create_put(w, "usr_a", 1000, "{\"id\":\"prj_a\"}", CODE_OK);

    assert_ok(create_find(w, "usr_a", 1000 + DAY_MS - 1, &found), &w->err);
    assert_string_equal(buf_text(&found.answer), "{\"id\":\"prj_a\"}");
    assert_string_equal(found.target_id, "prj_a");
    assert_int_equal(found.request_sha256[0], 7);
    assert_code(create_find(w, "usr_b", 1000, &found), CODE_NOT_FOUND);
    assert_code(create_find(w, "usr_a", 1000 + DAY_MS, &found), CODE_NOT_FOUND);
}

static void an_answer_is_not_replaced_before_its_day_is_over(void **state)
{
    struct world *w = *state;
    create_put(w, "usr_a", 1000, "1", CODE_OK);
    create_put(w, "usr_a", 1000 + DAY_MS - 1, "2", CODE_CONFLICT);
}

static void after_a_day_the_key_is_free_again(void **state)
{
    struct world *w = *state;
    cleanup_idempotent_create struct idempotent_create found = {0};
    create_put(w, "usr_a", 1000, "1", CODE_OK);
    create_put(w, "usr_a", 1000 + DAY_MS, "", CODE_OK);
    assert_ok(create_find(w, "usr_a", 1000 + DAY_MS, &found), &w->err);
    assert_int_equal(found.answer.len, 0);
}

static void old_answers_go_while_others_come(void **state)
{
    struct world *w = *state;
    cleanup_idempotent_create struct idempotent_create found = {0};
    char who[16];
    for (int i = 0; i < 5; i++) {
        (void)snprintf(who, sizeof(who), "usr_%d", i);
        create_put(w, who, 1000, "1", CODE_OK);
    }
    create_put(w, "usr_new", 1000 + DAY_MS, "1", CODE_OK);
    for (int i = 0; i < 5; i++) { /* as if it were still the first day: gone, not only too old */
        (void)snprintf(who, sizeof(who), "usr_%d", i);
        assert_code(create_find(w, who, 1000, &found), CODE_NOT_FOUND);
    }
}

const struct CMUnitTest idempotent_tests[] = {
    WORLD_TEST(an_answer_is_kept_for_its_principal_for_a_day),
    WORLD_TEST(an_answer_is_not_replaced_before_its_day_is_over),
    WORLD_TEST(after_a_day_the_key_is_free_again),
    WORLD_TEST(old_answers_go_while_others_come),
};
const size_t idempotent_test_count = COUNT_OF(idempotent_tests);

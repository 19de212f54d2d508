/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of bearer credentials over a real store: it answers what the store would, or does not answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "store_fixture.h"

static const int64_t now_ms = 1700000000000;

struct world {
    void *state;
    struct fixture *f;
    struct identity_cache *cache;
    struct buf header;
    char key_id[ID_SIZE];
};

static void api_key_add(struct world *w, int64_t expires_ms)
{
    cleanup_buf struct buf text = {0};
    struct api_key row = {0};
    assert_int_equal(api_key_make("usr_alice", "laptop", expires_ms, 1, &text, &row, NULL).code, CODE_OK);
    assert_int_equal(api_key_insert(w->f->db, &row, NULL).code, CODE_OK);
    memcpy(w->key_id, row.id, sizeof(w->key_id));
    buf_reset(&w->header);
    buf_printf(&w->header, "Bearer %s", buf_text(&text));
}

static enum code ask(struct world *w, int64_t at_ms)
{
    struct identity who = {0};
    enum code code = identity_cache_bearer(w->cache, w->f->db, buf_text(&w->header), at_ms, &who, NULL).code;
    assert_string_equal(who.principal.id, code == CODE_OK ? "usr_alice" : "");
    return code;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    if (!w || fixture_open(&w->state) != 0)
        return -1;
    w->f = w->state;
    principal_add(w->f, "usr_alice", "alice", PRINCIPAL_USER);
    *state = w;
    return is_ok(identity_cache_new(&w->cache, NULL)) ? 0 : -1;
}

static int teardown(void **state)
{
    struct world *w = *state;
    identity_cache_free(w->cache);
    buf_clear(&w->header);
    int closed = fixture_close(&w->state);
    free(w);
    return closed;
}

static void a_known_credential_costs_no_look_up(void **state)
{
    struct world *w = *state;
    api_key_add(w, 0);
    assert_int_equal(ask(w, now_ms), CODE_OK);

    /* behind the cache's back: the generation does not move, so it is not asked for */
    assert_int_equal(api_key_delete(w->f->db, "usr_alice", w->key_id, NULL).code, CODE_OK);
    assert_int_equal(ask(w, now_ms), CODE_OK);
}

static void i4_a_moved_generation_asks_the_store_again(void **state)
{
    struct world *w = *state;
    api_key_add(w, 0);
    assert_int_equal(ask(w, now_ms), CODE_OK);

    assert_int_equal(api_key_delete(w->f->db, "usr_alice", w->key_id, NULL).code, CODE_OK);
    assert_int_equal(store_generation_bump(w->f->db, NULL).code, CODE_OK);
    assert_int_equal(ask(w, now_ms), CODE_NOT_AUTHENTICATED);
}

static void an_expired_credential_is_refused_though_it_is_known(void **state)
{
    struct world *w = *state;
    api_key_add(w, now_ms + 10);
    assert_int_equal(ask(w, now_ms + 9), CODE_OK);
    assert_int_equal(ask(w, now_ms + 10), CODE_NOT_AUTHENTICATED);
}

static void a_refusal_is_not_remembered(void **state)
{
    struct world *w = *state;
    struct api_key row = {0};
    cleanup_buf struct buf text = {0};
    assert_int_equal(api_key_make("usr_alice", "later", 0, 1, &text, &row, NULL).code, CODE_OK);
    buf_printf(&w->header, "Bearer %s", buf_text(&text));
    assert_int_equal(ask(w, now_ms), CODE_NOT_AUTHENTICATED);

    assert_int_equal(api_key_insert(w->f->db, &row, NULL).code, CODE_OK);
    assert_int_equal(ask(w, now_ms), CODE_OK);
}

static void another_credential_is_not_taken_for_a_known_one(void **state)
{
    struct world *w = *state;
    api_key_add(w, 0);
    assert_int_equal(ask(w, now_ms), CODE_OK);

    w->header.data[w->header.len - 1] ^= 1;
    assert_int_equal(ask(w, now_ms), CODE_NOT_AUTHENTICATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_known_credential_costs_no_look_up, setup, teardown),
        cmocka_unit_test_setup_teardown(i4_a_moved_generation_asks_the_store_again, setup, teardown),
        cmocka_unit_test_setup_teardown(an_expired_credential_is_refused_though_it_is_known, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refusal_is_not_remembered, setup, teardown),
        cmocka_unit_test_setup_teardown(another_credential_is_not_taken_for_a_known_one, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a signing key through the interface: every state with every action, and what destroying one takes. */
#include "world.h"

#include <stdio.h>
#include <string.h>

#include "../hsm/faulty.h"
#include "common/text.h"

static const char *const actions[] = {"activate", "disable", "enable", "retire", "destroy"};

/* Where each action leads from each state; NULL: refused. Written down here once more, so that a change of
 * key_states.def is a change of two files. */
static const char *const expected[KEY_STATE_COUNT][COUNT_OF(actions)] = {
    [KEY_PENDING] = {"active", NULL, NULL, NULL, NULL},       [KEY_ACTIVE] = {NULL, "disabled", NULL, "retired", NULL},
    [KEY_DISABLED] = {NULL, NULL, "active", "retired", NULL}, [KEY_MISSING] = {NULL, NULL, NULL, "retired", NULL},
    [KEY_RETIRED] = {NULL, NULL, NULL, NULL, "destroyed"},    [KEY_DESTROYED] = {NULL, NULL, NULL, NULL, NULL},
};

struct forced {
    const char *id;
    enum key_state state;
    int64_t retired_ms;
};

static status force_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    const struct forced *f = arg;
    struct signing_key key = {.retired_ms = f->retired_ms};
    (void)record;
    (void)text_copy(key.id, sizeof(key.id), f->id);
    TRY(signing_key_set_state(db, f->id, f->state, "", err));
    return f->retired_ms ? signing_key_set_retirement(db, &key, err) : OK;
}

static void force_state(struct world *w, const char *id, enum key_state state, int64_t retired_ms)
{
    struct forced f = {id, state, retired_ms};
    struct audit_work work = {.change = force_rows, .arg = &f, .alters_rights = true};
    assert_ok(w, audit_commit(w->audit, &work, deadline_in(10000), &w->err));
}

/* A key in this state; a pending one is made as that. */
static void key_in_state(struct world *w, const char *label, enum key_state state, char id[ID_SIZE])
{
    if (state != KEY_PENDING) {
        world_key(w, label, "p256", id);
        force_state(w, id, state, 0);
        return;
    }
    assert_status(w,
                  world_post(w, OWNER, "/v1/projects/demo/keys",
                             "{\"label\":\"%s\",\"type\":\"p256\",\"generate\":\"later\"}", label),
                  201);
    (void)text_copy(id, ID_SIZE, answer_text(w, "id"));
}

static int act(struct world *w, enum who who, const char *id, const char *action, const char *if_match)
{
    char target[256], header[64];
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/%s", id, action);
    (void)snprintf(header, sizeof(header), "If-Match: %s", if_match ? if_match : "");
    const struct call call = {.who = who,
                              .method = "POST",
                              .target = target,
                              .body = slice_of_text("{}"),
                              .headers = {if_match ? header : NULL}};
    return world_call(w, &call);
}

static void every_action_in_every_state_does_what_the_table_says(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE], label[64];

    for (int from = 0; from < KEY_STATE_COUNT; from++) {
        for (size_t a = 0; a < COUNT_OF(actions); a++) {
            enum key_state before = (enum key_state)from;
            const char *to = expected[from][a];
            (void)snprintf(label, sizeof(label), "%s.%s", key_state_name(before), actions[a]);
            key_in_state(w, label, before, id);
            int answer = act(w, ADMIN, id, actions[a], NULL);
            if (answer != (to ? 200 : 409))
                fail_msg("%s: %d: %s", label, answer, buf_text(&w->x.response_body));
            assert_status(w, world_get(w, ADMIN, "/v1/keys/%s", id), 200);
            assert_string_equal(answer_text(w, "state"), to ? to : key_state_name(before));
        }
    }
}

static void only_an_active_key_signs_and_is_shown_to_tokens(void **state)
{
    struct world *w = *state;
    cleanup_buf struct buf body = {0};
    char id[ID_SIZE];

    digest_body("ecdsa", 3, &body);
    world_key(w, "signs", "p256", id);
    for (int s = 0; s < KEY_STATE_COUNT; s++) {
        force_state(w, id, (enum key_state)s, 0);
        int before = w->signed_count;
        (void)world_sign(w, SIGNER, id, buf_text(&body));
        if (s == KEY_ACTIVE) {
            assert_status(w, w->x.status, 201);
            continue;
        }
        assert_problem(w, CODE_KEY_DISABLED, key_state_name((enum key_state)s));
        assert_int_equal(w->signed_count, before);
        assert_status(w, world_get(w, SIGNER, "/v1/signing/keys"), 200);
        assert_null(strstr(buf_text(&w->x.response_body), id));
    }
}

static void a_step_says_in_the_log_from_where_to_where_and_why(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE], target[256];

    world_key(w, "told", "p256", id);
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/retire", id);
    assert_status(w, world_post(w, OWNER, target, "{\"reason\":\"end of the line\"}"), 200);
    assert_string_equal(answer_text(w, "disabled_reason"), "end of the line");
    assert_string_not_equal(answer_text(w, "retired"), "");

    cleanup_json struct json *record = world_last_record(w);
    const struct json *detail = json_get(record, "detail");
    assert_string_equal(json_get_text(record, "type", ""), "key.retire");
    assert_string_equal(json_get_text(detail, "from", ""), "active");
    assert_string_equal(json_get_text(detail, "to", ""), "retired");
    assert_string_equal(json_get_text(detail, "reason", ""), "end of the line");
}

static void a_stale_step_changes_nothing(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE], etag[64];

    world_key(w, "stale", "p256", id);
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s", id), 200);
    (void)text_copy(etag, sizeof(etag), answer_header(w, "ETag"));
    assert_string_equal(etag, "\"1\"");
    assert_status(w, act(w, OWNER, id, "disable", etag), 200);
    assert_string_equal(answer_header(w, "ETag"), "\"2\"");
    int64_t head = world_head(w);
    assert_status(w, act(w, OWNER, id, "enable", etag), 412);
    assert_problem(w, CODE_STALE, "revision 2");
    assert_int_equal(world_head(w), head);
    assert_status(w, act(w, OWNER, id, "enable", "\"2\""), 200);
}

static void a_key_is_destroyed_only_after_the_waiting_time(void **state)
{
    struct world *w = *state;
    struct hsm_key found = {0};
    char id[ID_SIZE];
    enum { HOUR_MS = 3600 * 1000 };

    world_key(w, "waits", "p256", id);
    assert_status(w, act(w, ADMIN, id, "retire", NULL), 200);
    w->api.destroy_wait_ms = 72 * (int64_t)HOUR_MS;
    (void)act(w, ADMIN, id, "destroy", NULL);
    assert_problem(w, CODE_CONFLICT, "may be destroyed from");
    force_state(w, id, KEY_RETIRED, clock_now_ms() - 72 * (int64_t)HOUR_MS);
    cleanup_signing_key struct signing_key key = {0};
    assert_ok(w, signing_key_find(store_writer(w->store), id, &key, &w->err));
    assert_status(w, act(w, ADMIN, id, "destroy", NULL), 200);
    w->api.destroy_wait_ms = 0;
    assert_code(w, hsm_find(w->hsm.h, key.hsm_id, deadline_in(10000), &found, &w->err), CODE_NOT_FOUND);
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s", id), 200);
    assert_int_equal(json_count(json_get(w->answer, "certificates")), 3); /* rows and certificates stay */
}

/* From here on there are two administrators: this test is the last but one. */
static void with_two_administrators_one_asks_and_another_confirms(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];

    world_key(w, "two", "p256", id);
    assert_status(w, act(w, ADMIN, id, "retire", NULL), 200);
    assert_status(w, world_ask(w, ADMIN, "PATCH", "/v1/users/stranger", "{\"role\":\"administrator\"}"), 200);
    assert_status(w, act(w, ADMIN, id, "destroy", NULL), 202);
    assert_string_equal(answer_text(w, "state"), "retired");
    assert_string_equal(json_get_text(json_get(w->answer, "destruction"), "asked_by", ""), w->users[ADMIN].id);
    (void)act(w, ADMIN, id, "destroy", NULL);
    assert_problem(w, CODE_CONFLICT, "another administrator");
    assert_status(w, act(w, STRANGER, id, "destroy", NULL), 200);
    assert_string_equal(answer_text(w, "state"), "destroyed");
    cleanup_json struct json *record = world_last_record(w);
    assert_string_equal(json_get_text(record, "type", ""), "key.destroy");
    assert_string_equal(json_get_text(record, "principal", ""), "stranger");
}

static void who_asked_and_is_no_administrator_any_more_has_not_asked(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];

    world_key(w, "third", "p256", id);
    assert_status(w, act(w, ADMIN, id, "retire", NULL), 200);
    assert_status(w, world_ask(w, ADMIN, "PATCH", "/v1/users/approver", "{\"role\":\"administrator\"}"), 200);
    assert_status(w, act(w, APPROVER, id, "destroy", NULL), 202);
    assert_status(w, world_ask(w, ADMIN, "PATCH", "/v1/users/approver", "{\"role\":\"user\"}"), 200);
    assert_status(w, act(w, ADMIN, id, "destroy", NULL), 202);
    assert_status(w, act(w, STRANGER, id, "destroy", NULL), 200);
}

static void a_lost_answer_of_the_hsm_leaves_a_retired_key_that_can_be_destroyed_again(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];

    world_key(w, "lost", "p256", id);
    assert_status(w, act(w, ADMIN, id, "retire", NULL), 200);
    w->faults->destroy_fail = 0x30; /* CKR_DEVICE_ERROR, though the object is gone */
    int answer = act(w, ADMIN, id, "destroy", NULL);
    w->faults->destroy_fail = 0;
    assert_status(w, answer, 503);
    cleanup_json struct json *record = world_last_record(w);
    assert_string_equal(json_get_text(record, "type", ""), "key.destroy");
    assert_string_equal(json_get_text(record, "outcome", ""), "failed");
    assert_status(w, world_get(w, ADMIN, "/v1/keys/%s", id), 200);
    assert_string_equal(answer_text(w, "state"), "retired");
    assert_status(w, act(w, ADMIN, id, "destroy", NULL), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_action_in_every_state_does_what_the_table_says),
        cmocka_unit_test(only_an_active_key_signs_and_is_shown_to_tokens),
        cmocka_unit_test(a_step_says_in_the_log_from_where_to_where_and_why),
        cmocka_unit_test(a_stale_step_changes_nothing),
        cmocka_unit_test(a_key_is_destroyed_only_after_the_waiting_time),
        cmocka_unit_test(a_lost_answer_of_the_hsm_leaves_a_retired_key_that_can_be_destroyed_again),
        cmocka_unit_test(with_two_administrators_one_asks_and_another_confirms),
        cmocka_unit_test(who_asked_and_is_no_administrator_any_more_has_not_asked),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}

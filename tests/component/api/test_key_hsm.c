/* SPDX-License-Identifier: Apache-2.0 */
/* Store against HSM: keys that somebody else made are adopted, and what differs is found. */
#include "world.h"

#include <stdio.h>
#include <string.h>

#include "../hsm/raw.h"
#include "common/encoding.h"
#include "common/secret.h"
#include "common/text.h"
#include "server/api/reconcile.h"

/* A session behind the server's back; the login is the token's. */
static CK_FUNCTION_LIST *f;
static CK_SESSION_HANDLE session;

static int setup(void **state)
{
    (void)world_open(state);
    f = raw_module(FAULTY_MODULE);
    assert_int_equal(f->C_OpenSession(raw_slot(f), CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session), CKR_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)f->C_CloseSession(session);
    return world_close(state);
}

/* A P-256 pair as another program would make it. */
static void foreign_key(const char *label, const char *id, bool is_weak)
{
    static CK_BYTE p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
    CK_OBJECT_HANDLE public_handle, private_handle;
    CK_ATTRIBUTE public[] = {{CKA_TOKEN, &yes, 1},
                             {CKA_EC_PARAMS, p256, sizeof(p256)},
                             {CKA_LABEL, (void *)label, strlen(label)},
                             {CKA_ID, (void *)id, strlen(id)}};
    CK_ATTRIBUTE private[] = {{CKA_TOKEN, &yes, 1},
                              {CKA_PRIVATE, &yes, 1},
                              {CKA_SIGN, &yes, 1},
                              {CKA_SENSITIVE, &yes, 1},
                              {CKA_EXTRACTABLE, is_weak ? &yes : &no, 1},
                              {CKA_LABEL, (void *)label, strlen(label)},
                              {CKA_ID, (void *)id, strlen(id)}};
    assert_int_equal(f->C_GenerateKeyPair(session, &mechanism, public, COUNT_OF(public), private, COUNT_OF(private),
                                          &public_handle, &private_handle),
                     CKR_OK);
}

/* Gives every object with one CKA_ID another one. */
static void id_change(struct slice from, struct slice to)
{
    CK_OBJECT_HANDLE found[4];
    CK_ULONG count = 0;
    CK_ATTRIBUTE wanted = {CKA_ID, (void *)from.data, from.len}, id = {CKA_ID, (void *)to.data, to.len};
    assert_int_equal(f->C_FindObjectsInit(session, &wanted, 1), CKR_OK);
    assert_int_equal(f->C_FindObjects(session, found, COUNT_OF(found), &count), CKR_OK);
    assert_int_equal(f->C_FindObjectsFinal(session), CKR_OK);
    assert_int_equal(count, 2);
    for (CK_ULONG i = 0; i < count; i++)
        assert_int_equal(f->C_SetAttributeValue(session, found[i], &id, 1), CKR_OK);
}

static int import(struct world *w, enum who who, const char *body)
{
    return world_ask(w, who, "POST", "/v1/projects/demo/keys/import", body);
}

static int sign(struct world *w, const char *id)
{
    cleanup_buf struct buf body = {0};
    digest_body("ecdsa", 5, &body);
    return world_sign(w, SIGNER, id, buf_text(&body));
}

static int reconcile(struct world *w)
{
    return world_ask(w, ADMIN, "POST", "/v1/hsms/default/reconcile", "{}");
}

/* The element of a report's array about this key or HSM label; NULL when there is none. */
static const struct json *finding(const struct world *w, const char *array, const char *member, const char *text)
{
    const struct json *rows = json_get(w->answer, array);
    for (size_t i = 0; i < json_count(rows); i++) {
        if (strcmp(json_get_text(json_at(rows, i), member, ""), text) == 0)
            return json_at(rows, i);
    }
    return NULL;
}

static void a_key_is_imported_by_label_or_id_and_signs(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];

    foreign_key("legacy", "legacy-1", false);
    foreign_key("other", "\x01\x02", false);
    assert_status(w, import(w, ADMIN, "{\"label\":\"imported\",\"hsm_label\":\"legacy\"}"), 201);
    (void)text_copy(id, sizeof(id), answer_text(w, "id"));
    assert_string_equal(answer_text(w, "type"), "p256");
    assert_int_equal(strlen(answer_text(w, "cka_id")), 40);
    assert_true(json_get_bool(json_get(w->answer, "hsm"), "never_extractable", false));
    assert_int_equal(json_count(json_get(w->answer, "certificates")), 3);
    cleanup_json struct json *record = world_last_record(w);
    assert_string_equal(json_get_text(record, "type", ""), "key.import");
    assert_string_equal(json_get_text(json_get(record, "detail"), "cka_id_before", ""), "6c65676163792d31");
    assert_status(w, sign(w, id), 201);

    assert_status(w, import(w, ADMIN, "{\"label\":\"by-id\",\"cka_id\":\"0102\"}"), 201);
    assert_status(w, sign(w, answer_text(w, "id")), 201);
}

/* Tokens have public keys that nobody may change. */
static void a_key_that_can_be_adopted_by_half_keeps_its_id_and_may_be_imported_later(void **state)
{
    struct world *w = *state;
    const char *const body = "{\"label\":\"half\",\"cka_id\":\"68616c66\"}";

    foreign_key("half", "half", false);
    atomic_store(&w->faults->write_fail, CKR_ATTRIBUTE_READ_ONLY);
    (void)import(w, ADMIN, body);
    atomic_store(&w->faults->write_fail, 0);
    assert_problem(w, CODE_INTERNAL, NULL);
    id_change(slice_of_text("half"), slice_of_text("half")); /* finds both halves */
    assert_status(w, import(w, ADMIN, body), 201);
    assert_status(w, sign(w, answer_text(w, "id")), 201);
}

static void a_weak_key_is_refused_unless_accepted_and_then_marked(void **state)
{
    struct world *w = *state;

    foreign_key("weak", "weak-1", true);
    (void)import(w, ADMIN, "{\"label\":\"weak\",\"hsm_label\":\"weak\"}");
    assert_problem(w, CODE_CONFLICT, "extractable");
    assert_status(w, import(w, ADMIN, "{\"label\":\"weak\",\"hsm_label\":\"weak\",\"accept_weak\":true}"), 201);
    assert_non_null(strstr(answer_text(w, "findings"), "extractable"));
    assert_true(json_get_bool(json_get(w->answer, "hsm"), "extractable", false));
    assert_status(w, reconcile(w), 200); /* what was accepted is no news */
    assert_null(finding(w, "weakened", "label", "weak"));
}

static void a_key_that_is_not_free_or_not_one_is_not_imported(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];

    world_key(w, "taken", "p256", id);
    (void)import(w, ADMIN, "{\"label\":\"again\",\"hsm_label\":\"demo-taken\"}");
    assert_problem(w, CODE_CONFLICT, "already");
    (void)import(w, ADMIN, "{\"label\":\"ca\",\"hsm_label\":\"chancery-ca-issuing\"}");
    assert_problem(w, CODE_CONFLICT, "built-in CA");
    (void)import(w, ADMIN, "{\"label\":\"none\",\"hsm_label\":\"nothing\"}");
    assert_problem(w, CODE_NOT_FOUND, "no private key");
    foreign_key("twins", "twin-1", false);
    foreign_key("twins", "twin-2", false);
    (void)import(w, ADMIN, "{\"label\":\"twins\",\"hsm_label\":\"twins\"}");
    assert_problem(w, CODE_CONFLICT, "2 private keys");
    (void)import(w, ADMIN, "{\"label\":\"both\",\"hsm_label\":\"twins\",\"cka_id\":\"00\"}");
    assert_problem(w, CODE_INVALID, "cka_id");
    (void)import(w, ADMIN, "{\"label\":\"neither\"}");
    assert_problem(w, CODE_INVALID, "cka_id");
    (void)import(w, ADMIN, "{\"label\":\"no-hex\",\"cka_id\":\"xyz\"}");
    assert_problem(w, CODE_INVALID, "cka_id");
}

static void a_key_gone_from_the_hsm_is_missing_until_it_is_found_again_and_others_sign_on(void **state)
{
    struct world *w = *state;
    char gone[ID_SIZE], disabled[ID_SIZE], stays[ID_SIZE], target[256];
    cleanup_signing_key struct signing_key key = {0}, second = {0};
    static const uint8_t elsewhere[] = "elsewhere", too[] = "elsewhere-too";

    world_key(w, "gone", "p256", gone);
    world_key(w, "disabled", "p256", disabled);
    world_key(w, "stays", "p256", stays);
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/disable", disabled);
    assert_status(w, world_post(w, OWNER, target, "{}"), 200);
    assert_ok(w, signing_key_find(store_writer(w->store), gone, &key, &w->err));
    assert_ok(w, signing_key_find(store_writer(w->store), disabled, &second, &w->err));
    assert_status(w, sign(w, gone), 201);

    id_change((struct slice){key.hsm_id, 20}, (struct slice){elsewhere, 9});
    id_change((struct slice){second.hsm_id, 20}, (struct slice){too, 13});
    assert_status(w, reconcile(w), 200);
    assert_int_equal(json_get_integer(json_get(w->answer, "counts"), "lost", -1), 2);
    assert_non_null(finding(w, "missing", "key", gone));
    assert_non_null(finding(w, "orphan", "hsm_label", "demo-gone"));
    assert_null(finding(w, "missing", "key", stays));
    (void)sign(w, gone);
    assert_problem(w, CODE_KEY_DISABLED, "missing");
    assert_status(w, sign(w, stays), 201);

    id_change((struct slice){elsewhere, 9}, (struct slice){key.hsm_id, 20});
    id_change((struct slice){too, 13}, (struct slice){second.hsm_id, 20});
    assert_status(w, reconcile(w), 200);
    assert_int_equal(json_get_integer(json_get(w->answer, "counts"), "recovered", -1), 2);
    assert_status(w, sign(w, gone), 201);
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s", disabled), 200);
    assert_string_equal(answer_text(w, "state"), "disabled");
}

static void orphans_are_reported_and_the_ca_is_none(void **state)
{
    struct world *w = *state;

    foreign_key("orphan", "orphan-1", false);
    assert_status(w, reconcile(w), 200);
    assert_non_null(finding(w, "orphan", "hsm_label", "orphan"));
    assert_null(finding(w, "orphan", "hsm_label", "chancery-ca-root"));
    assert_null(finding(w, "orphan", "hsm_label", "chancery-ca-issuing"));
    cleanup_json struct json *record = world_last_record(w);
    assert_string_equal(json_get_text(record, "type", ""), "hsm.reconcile");
    assert_true(json_get_integer(json_get(json_get(record, "detail"), "counts"), "orphan", 0) >= 1);
    assert_status(w, world_get(w, AUDITOR, "/v1/hsms/default/reconcile"), 200);
    assert_non_null(finding(w, "orphan", "hsm_label", "orphan"));
}

/* Rows like the key's, whose pairs no token has. */
static void ghosts(struct world *w, const char *like, int first, int end)
{
    cleanup_signing_key struct signing_key key = {0};

    assert_ok(w, signing_key_find(store_writer(w->store), like, &key, &w->err));
    for (int i = first; i < end; i++) {
        assert_ok(w, id_new("key", key.id, &w->err));
        (void)snprintf(key.label, sizeof(key.label), "ghost-%03d", i);
        memset(key.hsm_id, 0xee, sizeof(key.hsm_id));
        memcpy(key.hsm_id, &i, sizeof(i));
        assert_ok(w, signing_key_insert(store_writer(w->store), &key, &w->err));
    }
}

static int64_t counted(const struct world *w, const char *what)
{
    return json_get_integer(json_get(w->answer, "counts"), what, -1);
}

static void with_the_wrong_token_no_key_becomes_missing_unless_the_loss_is_accepted(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];

    world_key(w, "lonely", "p256", id);
    ghosts(w, id, 0, 100);
    assert_status(w, reconcile(w), 200); /* a hundred are still called missing */
    assert_int_equal(counted(w, "lost"), 100);
    assert_int_equal(counted(w, "withheld"), 0);
    assert_ok(w,
              db_exec(store_writer(w->store), "UPDATE signing_key SET lifecycle = 'active' WHERE label LIKE 'ghost-%'",
                      NULL, 0, NULL, &w->err));
    ghosts(w, id, 100, 101);
    assert_status(w, reconcile(w), 200);
    assert_int_equal(counted(w, "lost"), 0);
    assert_int_equal(counted(w, "withheld"), 101);
    assert_status(w, world_ask(w, ADMIN, "POST", "/v1/hsms/default/reconcile", "{\"accept_loss\":true}"), 200);
    assert_int_equal(counted(w, "lost"), 101);
}

static status acceptance_forget(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    (void)record;
    return db_exec(db, "UPDATE key_version SET findings = '' WHERE key_id = $1", DB_PARAMS(db_text(arg)), NULL, err);
}

static void attributes_weaker_than_accepted_are_reported_and_the_key_works_on(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];
    struct audit_work work = {.change = acceptance_forget, .arg = id, .alters_rights = true};

    foreign_key("weakened", "weakened-1", true);
    assert_status(w, import(w, ADMIN, "{\"label\":\"weakened\",\"hsm_label\":\"weakened\",\"accept_weak\":true}"), 201);
    (void)text_copy(id, sizeof(id), answer_text(w, "id"));
    assert_ok(w, audit_commit(w->audit, &work, deadline_in(10000), &w->err));
    assert_status(w, reconcile(w), 200);
    const struct json *found = finding(w, "weakened", "key", id);
    assert_non_null(found);
    assert_non_null(strstr(json_get_text(found, "findings", ""), "extractable"));
    assert_status(w, sign(w, id), 201);
}

static bool array_has(const struct json *array, const char *text)
{
    for (size_t i = 0; i < json_count(array); i++) {
        if (strcmp(json_text(json_at(array, i), ""), text) == 0)
            return true;
    }
    return false;
}

static void softhsm_is_told_with_its_limits_and_marked_as_software(void **state)
{
    struct world *w = *state;
    static const char *const types[] = {"rsa2048", "rsa4096", "p256", "p521", "ed25519"};

    assert_status(w, world_get(w, AUDITOR, "/v1/hsms/default"), 200);
    assert_string_equal(answer_text(w, "state"), "available");
    assert_string_equal(answer_text(w, "token"), TOKEN_LABEL);
    assert_string_equal(answer_text(w, "notice"), "software, not for publicly trusted keys");
    assert_string_not_equal(answer_text(w, "firmware_version"), "0.0");
    for (size_t i = 0; i < COUNT_OF(types); i++)
        assert_true(array_has(json_get(w->answer, "key_types"), types[i]));
    assert_true(array_has(json_get(w->answer, "mechanisms"), "ecdsa"));
    assert_status(w, world_get(w, ADMIN, "/v1/hsms"), 200);
    assert_int_equal(json_count(json_get(w->answer, "items")), 1);
    assert_status(w, world_get(w, ADMIN, "/v1/hsms/other"), 404);
}

static void an_hsm_that_does_not_answer_is_told_with_the_reason(void **state)
{
    struct world *w = *state;

    w->faults->session_info_fail = 0x30; /* CKR_DEVICE_ERROR */
    w->faults->login_fail = 0x30;
    int answer = world_get(w, ADMIN, "/v1/hsms/default");
    w->faults->session_info_fail = w->faults->login_fail = 0;
    assert_status(w, answer, 200);
    assert_string_equal(answer_text(w, "state"), "unavailable");
    assert_string_not_equal(answer_text(w, "reason"), "");
}

static void the_server_itself_reconciles_and_a_destroyed_key_still_there_is_told(void **state)
{
    struct world *w = *state;
    cleanup_buf struct buf report = {0};
    char id[ID_SIZE];

    world_key(w, "lie", "p256", id);
    assert_ok(w, signing_key_set_state(store_writer(w->store), id, KEY_DESTROYED, "", &w->err));
    assert_ok(w,
              reconcile_run(&w->api, &(struct reconcile_order){.hsm = w->hsm.h}, deadline_in(60000), &report, &w->err));
    cleanup_json struct json *record = world_last_record(w);
    assert_string_equal(json_get_text(record, "type", ""), "hsm.reconcile");
    assert_string_equal(json_get_text(record, "principal", ""), "");
    assert_status(w, world_get(w, ADMIN, "/v1/hsms/default/reconcile"), 200);
    assert_non_null(finding(w, "undestroyed", "key", id));
    assert_status(w, world_get(w, ADMIN, "/v1/hsms/other/reconcile"), 404);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_imported_by_label_or_id_and_signs),
        cmocka_unit_test(a_key_that_can_be_adopted_by_half_keeps_its_id_and_may_be_imported_later),
        cmocka_unit_test(a_weak_key_is_refused_unless_accepted_and_then_marked),
        cmocka_unit_test(a_key_that_is_not_free_or_not_one_is_not_imported),
        cmocka_unit_test(a_key_gone_from_the_hsm_is_missing_until_it_is_found_again_and_others_sign_on),
        cmocka_unit_test(orphans_are_reported_and_the_ca_is_none),
        cmocka_unit_test(attributes_weaker_than_accepted_are_reported_and_the_key_works_on),
        cmocka_unit_test(the_server_itself_reconciles_and_a_destroyed_key_still_there_is_told),
        cmocka_unit_test(with_the_wrong_token_no_key_becomes_missing_unless_the_loss_is_accepted),
        cmocka_unit_test(softhsm_is_told_with_its_limits_and_marked_as_software),
        cmocka_unit_test(an_hsm_that_does_not_answer_is_told_with_the_reason),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

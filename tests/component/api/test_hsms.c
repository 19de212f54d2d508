/* SPDX-License-Identifier: Apache-2.0 */
/* Two HSMs behind one server, tokens of one module: each key version is in one of them, and what happens to one HSM is
 * told of its keys alone. */
#include "server/api/builtin_ca.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

#include "../hsm/raw.h"
#include "common/text.h"

#define SECOND_LABEL "second token"

static CK_FUNCTION_LIST *raw;
static CK_SLOT_ID second_slot;
static struct hsm *second;

static void *find(void *hsms, const char *name)
{
    return hsm_set_find(hsms, name);
}

static status sign_plain(void *hsm, const uint8_t id[20], enum key_type type, const struct sign_input *in,
                         struct deadline d, struct buf *signature, struct error *err)
{
    return hsm_sign(hsm, id, type, in, d, signature, err);
}

static CK_SLOT_ID slot_find(void)
{
    CK_SLOT_ID all[8];
    CK_ULONG count = COUNT_OF(all);
    CK_TOKEN_INFO info;

    assert_int_equal(raw->C_GetSlotList(CK_TRUE, all, &count), CKR_OK);
    for (CK_ULONG i = 0; i < count; i++) {
        if (raw->C_GetTokenInfo(all[i], &info) == CKR_OK &&
            strncmp((const char *)info.label, SECOND_LABEL, strlen(SECOND_LABEL)) == 0)
            return all[i];
    }
    fail_msg("the second token is not there");
    return 0;
}

/* The second token makes RSA keys of 2048 bits at most. */
static void second_open(struct world *w)
{
    struct hsm_config config = fixture_config(&w->hsm);

    assert_ok(
        w, hsm_token_init(FAULTY_MODULE, SECOND_LABEL, slice_of_text(TOKEN_SO_PIN), slice_of_text(TOKEN_PIN), &w->err));
    config.name = "second";
    config.token_label = SECOND_LABEL;
    config.lock_path = NULL;
    w->faults->rsa_max_bits = 2048;
    assert_ok(w, hsm_open(&config, &second, &w->err));
    w->faults->rsa_max_bits = 0;
    assert_ok(w, hsm_set_new(&w->hsms, &w->err));
    assert_ok(w, hsm_set_add(w->hsms, w->hsm.h, &w->err));
    assert_ok(w, hsm_set_add(w->hsms, second, &w->err));
    w->api.hsms = w->hsms;
}

static int setup(void **state)
{
    (void)world_open(state);
    struct world *w = *state;
    second_open(w);
    signer_free(w->signer);
    struct signer_config signing = {
        .store = w->store, .audit = w->audit, .hsm = {sign_plain, find, w->hsms}, .verify_all = true};
    assert_ok(w, signer_new(&signing, &w->signer, &w->err));
    w->api.signer = w->signer;
    raw = raw_module(FAULTY_MODULE);
    second_slot = slot_find();
    return 0;
}

static int faults_clear(void **state)
{
    struct world *w = *state;

    w->faults->absent_slot = 0;
    w->faults->sign_hold = 0;
    return 0;
}

static int create(struct world *w, const char *label, const char *rest)
{
    return world_post(w, OWNER, "/v1/projects/demo/keys", "{\"label\":\"%s\",%s}", label, rest);
}

static void key_in(struct world *w, const char *label, const char *hsm, char id[ID_SIZE])
{
    char rest[128];

    (void)snprintf(rest, sizeof(rest), "\"type\":\"p256\",\"hsm\":\"%s\"", hsm);
    assert_status(w, create(w, label, rest), 201);
    assert_string_equal(answer_text(w, "hsm_name"), hsm);
    (void)text_copy(id, ID_SIZE, answer_text(w, "id"));
}

static int act(struct world *w, const char *id, const char *action, const char *body)
{
    char target[256];

    (void)snprintf(target, sizeof(target), "/v1/keys/%s/%s", id, action);
    return world_ask(w, strcmp(action, "destroy") == 0 ? ADMIN : OWNER, "POST", target, body);
}

static int sign(struct world *w, const char *id, int version)
{
    cleanup_buf struct buf body = {0};

    digest_body("ecdsa", 5, &body);
    body.len--; /* the brace */
    if (version)
        buf_printf(&body, ",\"version\":%d", version);
    buf_add_text(&body, "}");
    return world_sign(w, SIGNER, id, buf_text(&body));
}

static int reconcile(struct world *w, const char *hsm)
{
    char target[128];

    (void)snprintf(target, sizeof(target), "/v1/hsms/%s/reconcile", hsm);
    return world_ask(w, ADMIN, "POST", target, "{}");
}

static bool report_names(const struct world *w, const char *array, const char *member, const char *text)
{
    const struct json *rows = json_get(w->answer, array);

    for (size_t i = 0; i < json_count(rows); i++) {
        if (strcmp(json_get_text(json_at(rows, i), member, ""), text) == 0)
            return true;
    }
    return false;
}

static enum code code_in(struct world *w, struct hsm *h, const char *id)
{
    cleanup_signing_key struct signing_key key = {0};
    cleanup_hsm_key struct hsm_key found = {0};

    assert_ok(w, signing_key_find(store_writer(w->store), id, &key, &w->err));
    return hsm_find(h, key.hsm_id, deadline_in(10000), &found, NULL).code;
}

/* ---- where keys are */

static void a_key_is_made_in_the_hsm_named_and_signs_there(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE], other[ID_SIZE];

    key_in(w, "there", "second", id);
    assert_int_equal(code_in(w, second, id), CODE_OK);
    assert_int_equal(code_in(w, w->hsm.h, id), CODE_NOT_FOUND);
    assert_status(w, sign(w, id, 0), 201);
    world_key(w, "here", "p256", other);
    assert_string_equal(answer_text(w, "hsm_name"), "default");
    assert_int_equal(code_in(w, w->hsm.h, other), CODE_OK);
    assert_status(w, sign(w, other, 0), 201);
    cleanup_json struct json *record = NULL;
    key_in(w, "recorded", "second", id);
    record = world_last_record(w);
    assert_string_equal(json_get_text(json_get(record, "detail"), "hsm_name", ""), "second");
}

static void an_hsm_that_the_server_has_not_is_refused_by_name(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];

    (void)create(w, "nowhere", "\"type\":\"p256\",\"hsm\":\"third\"");
    assert_problem(w, CODE_INVALID, "hsm: this server has no HSM third");
    (void)create(w, "nowhere", "\"type\":\"p256\",\"hsm\":\"No Name\"");
    assert_problem(w, CODE_INVALID, "hsm");
    (void)world_post(w, ADMIN, "/v1/projects/demo/keys/import",
                     "{\"label\":\"nowhere\",\"hsm_label\":\"a\",\"hsm\":\"third\"}");
    assert_problem(w, CODE_INVALID, "hsm: this server has no HSM third");
    key_in(w, "stays", "second", id);
    (void)act(w, id, "rotate", "{\"hsm\":\"third\"}");
    assert_problem(w, CODE_INVALID, "hsm: this server has no HSM third");
}

static void a_pending_key_is_made_in_its_hsm(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];

    assert_status(w, create(w, "later", "\"type\":\"p256\",\"hsm\":\"second\",\"generate\":\"later\""), 201);
    assert_string_equal(answer_text(w, "hsm_name"), "second");
    (void)text_copy(id, sizeof(id), answer_text(w, "id"));
    assert_status(w, act(w, id, "activate", "{}"), 200);
    assert_int_equal(code_in(w, second, id), CODE_OK);
    assert_status(w, sign(w, id, 0), 201);
}

static void a_csr_and_a_job_for_a_certificate_use_the_hsm_that_has_the_key(void **state)
{
    struct world *w = *state;
    const struct runner_config config = {
        .store = w->store, .audit = w->audit, .hsm = w->hsm.h, .hsms = w->hsms, .builtin = builtin_ca_of(w->ca)};
    struct runner *runner = NULL;
    bool did = false;
    char id[ID_SIZE];

    assert_status(w, world_post(w, ADMIN, "/v1/connectors", "{\"name\":\"own\",\"type\":\"builtin\"}"), 201);
    assert_status(
        w, create(w, "certified", "\"type\":\"p256\",\"hsm\":\"second\",\"certificate\":{\"connector\":\"own\"}"), 201);
    (void)text_copy(id, sizeof(id), answer_text(w, "id"));
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s/csr", id), 200);
    assert_ok(w, runner_new(&config, &runner, &w->err));
    assert_ok(w, runner_step(runner, &did, &w->err));
    runner_free(runner);
    assert_true(did);
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s/certificate", id), 200);
    assert_string_equal(answer_text(w, "ca"), "issuing");
}

static void a_type_that_the_token_cannot_make_is_refused_with_its_limit_before_it_is_asked(void **state)
{
    struct world *w = *state;
    static const char limit[] = "CKM_RSA_PKCS_KEY_PAIR_GEN takes 512 to 2048 bits";
    int generated = w->faults->generated;

    (void)create(w, "large", "\"type\":\"rsa3072\",\"hsm\":\"second\"");
    assert_problem(w, CODE_INVALID, limit);
    (void)create(w, "large", "\"type\":\"rsa3072\",\"hsm\":\"second\",\"generate\":\"later\"");
    assert_problem(w, CODE_INVALID, limit);
    assert_int_equal(w->faults->generated, generated);
    assert_status(w, create(w, "large", "\"type\":\"rsa3072\""), 201);
    char id[ID_SIZE];
    (void)text_copy(id, sizeof(id), answer_text(w, "id"));
    (void)act(w, id, "rotate", "{\"hsm\":\"second\"}");
    assert_problem(w, CODE_INVALID, limit);
}

static void a_rotation_keeps_the_hsm_or_moves_to_the_one_named_and_each_version_signs_in_its_own(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];
    static const char *const expected[] = {"default", "second", "second"};

    key_in(w, "wanders", "second", id);
    assert_status(w, act(w, id, "rotate", "{\"grace_hours\":9}"), 200);
    assert_string_equal(answer_text(w, "hsm_name"), "second");
    assert_int_equal(code_in(w, second, id), CODE_OK);
    assert_status(w, act(w, id, "rotate", "{\"grace_hours\":9,\"hsm\":\"default\"}"), 200);
    assert_string_equal(answer_text(w, "hsm_name"), "default");
    assert_int_equal(code_in(w, w->hsm.h, id), CODE_OK);
    for (int version = 0; version <= 3; version++)
        assert_status(w, sign(w, id, version), 201);
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s/versions", id), 200);
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        assert_string_equal(json_get_text(json_at(json_get(w->answer, "items"), i), "hsm_name", ""), expected[i]);
    assert_status(w, act(w, id, "rotate", "{}"), 200);
    assert_string_equal(answer_text(w, "hsm_name"), "default");
}

static void destroying_a_key_destroys_its_versions_in_both(void **state)
{
    struct world *w = *state;
    cleanup_signing_key struct signing_key first = {0};
    cleanup_hsm_key struct hsm_key found = {0};
    char id[ID_SIZE];

    key_in(w, "gone", "second", id);
    assert_ok(w, signing_key_find(store_writer(w->store), id, &first, &w->err));
    assert_status(w, act(w, id, "rotate", "{\"hsm\":\"default\"}"), 200);
    assert_status(w, act(w, id, "retire", "{}"), 200);
    assert_status(w, act(w, id, "destroy", "{}"), 200);
    assert_int_equal(code_in(w, w->hsm.h, id), CODE_NOT_FOUND);
    assert_code(w, hsm_find(second, first.hsm_id, deadline_in(10000), &found, &w->err), CODE_NOT_FOUND);
}

static void foreign_key(const char *label)
{
    static CK_BYTE p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE made[2];
    CK_ATTRIBUTE label_is = {CKA_LABEL, (void *)label, strlen(label)}, id_is = {CKA_ID, (void *)label, strlen(label)};
    CK_ATTRIBUTE public[] = {{CKA_TOKEN, &yes, 1}, {CKA_EC_PARAMS, p256, sizeof(p256)}, label_is, id_is};
    CK_ATTRIBUTE private[] = {{CKA_TOKEN, &yes, 1},
                              {CKA_PRIVATE, &yes, 1},
                              {CKA_SIGN, &yes, 1},
                              {CKA_SENSITIVE, &yes, 1},
                              {CKA_EXTRACTABLE, &no, 1},
                              label_is,
                              id_is};

    assert_int_equal(raw->C_OpenSession(second_slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
                     CKR_OK);
    assert_int_equal(raw->C_GenerateKeyPair(session, &mechanism, public, COUNT_OF(public), private, COUNT_OF(private),
                                            &made[0], &made[1]),
                     CKR_OK);
    assert_int_equal(raw->C_CloseSession(session), CKR_OK);
}

static void a_key_is_imported_from_the_hsm_named(void **state)
{
    struct world *w = *state;

    foreign_key("legacy");
    (void)world_post(w, ADMIN, "/v1/projects/demo/keys/import", "{\"label\":\"legacy\",\"hsm_label\":\"legacy\"}");
    assert_problem(w, CODE_NOT_FOUND, "no private key");
    assert_status(w,
                  world_post(w, ADMIN, "/v1/projects/demo/keys/import",
                             "{\"label\":\"legacy\",\"hsm_label\":\"legacy\",\"hsm\":\"second\"}"),
                  201);
    assert_string_equal(answer_text(w, "hsm_name"), "second");
    assert_status(w, sign(w, answer_text(w, "id"), 0), 201);
}

/* ---- what happens to one */

static void reconciliation_is_of_one_hsm_and_its_keys(void **state)
{
    struct world *w = *state;
    char here[ID_SIZE], there[ID_SIZE];

    key_in(w, "compare-here", "default", here);
    key_in(w, "compare-there", "second", there);
    foreign_key("stray");
    assert_status(w, reconcile(w, "default"), 200);
    assert_string_equal(answer_text(w, "hsm"), "default");
    assert_false(report_names(w, "missing", "key", there));
    assert_false(report_names(w, "orphan", "hsm_label", "stray"));
    assert_false(report_names(w, "orphan", "hsm_label", "demo-compare-there"));
    assert_status(w, reconcile(w, "second"), 200);
    assert_string_equal(answer_text(w, "hsm"), "second");
    assert_false(report_names(w, "missing", "key", here));
    assert_true(report_names(w, "orphan", "hsm_label", "stray"));
    assert_status(w, world_get(w, AUDITOR, "/v1/hsms/default/reconcile"), 200);
    assert_string_equal(answer_text(w, "hsm"), "default");
    assert_status(w, reconcile(w, "third"), 404);
}

static void keys_of_an_hsm_that_is_away_are_unavailable_and_not_missing_and_others_sign(void **state)
{
    struct world *w = *state;
    char here[ID_SIZE], there[ID_SIZE];
    struct deadline bound = deadline_in(30000);

    key_in(w, "away-here", "default", here);
    key_in(w, "away-there", "second", there);
    w->faults->absent_slot = second_slot;
    (void)sign(w, there, 0);
    assert_problem(w, CODE_HSM_UNAVAILABLE, "second");
    assert_status(w, sign(w, here, 0), 201);
    (void)reconcile(w, "second");
    assert_problem(w, CODE_HSM_UNAVAILABLE, "second");
    (void)create(w, "away-new", "\"type\":\"p256\",\"hsm\":\"second\"");
    assert_problem(w, CODE_HSM_UNAVAILABLE, "second");
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s", there), 200);
    assert_string_equal(answer_text(w, "state"), "active");

    assert_status(w, world_get(w, NOBODY, "/readyz"), 200);
    assert_string_equal(answer_text(w, "status"), "degraded");
    assert_string_equal(json_get_text(json_get(w->answer, "checks"), "hsm", ""), "hsm_unavailable");
    assert_status(w, world_get(w, AUDITOR, "/v1/hsms/second"), 200);
    assert_string_equal(answer_text(w, "state"), "unavailable");
    assert_non_null(strstr(answer_text(w, "reason"), SECOND_LABEL));

    w->faults->absent_slot = 0;
    while (sign(w, there, 0) != 201)
        assert_false(deadline_passed(bound));
    assert_status(w, world_get(w, NOBODY, "/readyz"), 200);
    assert_string_equal(answer_text(w, "status"), "ready");
}

static status hsm_rename(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    (void)record;
    return db_exec(db, "UPDATE key_version SET hsm = 'former' WHERE key_id = $1", DB_PARAMS(db_text(arg)), NULL, err);
}

static void a_key_of_an_hsm_that_is_no_longer_configured_is_unavailable(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];
    struct audit_work work = {.change = hsm_rename, .arg = id, .alters_rights = true};

    key_in(w, "former", "second", id);
    assert_ok(w, audit_commit(w->audit, &work, deadline_in(10000), &w->err));
    (void)sign(w, id, 0);
    assert_problem(w, CODE_HSM_UNAVAILABLE, "the HSM former, which has the key, is not configured");
    (void)act(w, id, "rotate", "{}");
    assert_problem(w, CODE_HSM_UNAVAILABLE, "not configured");
    assert_status(w, world_get(w, SIGNER, "/v1/signing/keys"), 200);
    assert_status(w, act(w, id, "rotate", "{\"hsm\":\"second\"}"), 200);
    assert_status(w, sign(w, id, 0), 201);
}

static void both_are_told_with_the_limits_of_their_mechanisms(void **state)
{
    struct world *w = *state;
    static const int64_t most[] = {16384, 2048};

    assert_status(w, world_get(w, AUDITOR, "/v1/hsms"), 200);
    const struct json *items = json_get(w->answer, "items");
    assert_int_equal(json_count(items), 2);
    for (size_t i = 0; i < 2; i++) {
        const struct json *limits = json_get(json_at(items, i), "mechanism_limits");
        assert_string_equal(json_get_text(json_at(items, i), "name", ""), i == 0 ? "default" : "second");
        assert_string_equal(json_get_text(json_at(items, i), "notice", ""), "software, not for publicly trusted keys");
        bool is_there = false;
        for (size_t k = 0; k < json_count(limits); k++) {
            const struct json *limit = json_at(limits, k);
            if (strcmp(json_get_text(limit, "mechanism", ""), "CKM_RSA_PKCS_KEY_PAIR_GEN") != 0)
                continue;
            is_there = true;
            assert_int_equal(json_get_integer(limit, "min_bits", 0), 512);
            assert_int_equal(json_get_integer(limit, "max_bits", 0), most[i]);
        }
        assert_true(is_there);
    }
}

static void an_owner_is_told_what_keys_can_be_made_in_and_nothing_of_the_tokens(void **state)
{
    struct world *w = *state;
    bool makes_large[2] = {false};

    assert_status(w, world_get(w, OWNER, "/v1/projects/demo/key-sources"), 200);
    const struct json *items = json_get(w->answer, "hsms");
    assert_int_equal(json_count(items), 2);
    for (size_t i = 0; i < 2; i++) {
        const struct json *types = json_get(json_at(items, i), "key_types");
        assert_string_equal(json_get_text(json_at(items, i), "name", ""), i == 0 ? "default" : "second");
        assert_string_equal(json_get_text(json_at(items, i), "state", ""), "available");
        assert_string_equal(json_get_text(json_at(items, i), "notice", ""), "software, not for publicly trusted keys");
        for (size_t t = 0; t < json_count(types); t++)
            makes_large[i] |= strcmp(json_text(json_at(types, t), ""), "rsa4096") == 0;
    }
    assert_true(makes_large[0]);
    assert_false(makes_large[1]);
    assert_null(strstr(buf_text(&w->x.response_body), SECOND_LABEL));

    w->faults->absent_slot = second_slot;
    assert_status(w, world_get(w, OWNER, "/v1/projects/demo/key-sources"), 200);
    items = json_get(w->answer, "hsms");
    assert_string_equal(json_get_text(json_at(items, 0), "state", ""), "available");
    assert_string_equal(json_get_text(json_at(items, 1), "state", ""), "unavailable");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_made_in_the_hsm_named_and_signs_there),
        cmocka_unit_test(an_hsm_that_the_server_has_not_is_refused_by_name),
        cmocka_unit_test(a_pending_key_is_made_in_its_hsm),
        cmocka_unit_test(a_csr_and_a_job_for_a_certificate_use_the_hsm_that_has_the_key),
        cmocka_unit_test(a_type_that_the_token_cannot_make_is_refused_with_its_limit_before_it_is_asked),
        cmocka_unit_test(a_rotation_keeps_the_hsm_or_moves_to_the_one_named_and_each_version_signs_in_its_own),
        cmocka_unit_test(destroying_a_key_destroys_its_versions_in_both),
        cmocka_unit_test(a_key_is_imported_from_the_hsm_named),
        cmocka_unit_test(reconciliation_is_of_one_hsm_and_its_keys),
        cmocka_unit_test_teardown(keys_of_an_hsm_that_is_away_are_unavailable_and_not_missing_and_others_sign,
                                  faults_clear),
        cmocka_unit_test(a_key_of_an_hsm_that_is_no_longer_configured_is_unavailable),
        cmocka_unit_test(both_are_told_with_the_limits_of_their_mechanisms),
        cmocka_unit_test_teardown(an_owner_is_told_what_keys_can_be_made_in_and_nothing_of_the_tokens, faults_clear),
    };
    return cmocka_run_group_tests(tests, setup, world_close);
}

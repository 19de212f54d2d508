/* SPDX-License-Identifier: Apache-2.0 */
/* Rotation, renewal and deferred creation, on a real HSM and CA. */
#include "world.h"

#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "../hsm/faulty.h"
#include "common/encoding.h"
#include "common/openssl_scope.h"
#include "common/text.h"

static int act(struct world *w, const char *id, const char *action, const char *body)
{
    char target[256];
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/%s", id, action);
    return world_post(w, OWNER, target, "%s", body);
}

static X509 *certificate_of(struct world *w, const struct json *text)
{
    cleanup_buf struct buf der = {0};
    const char *base64 = json_text(text, "");
    assert_ok(w, base64_decode(base64, strlen(base64), &der, &w->err));
    const unsigned char *at = der.data;
    X509 *crt = d2i_X509(NULL, &at, (long)der.len);
    assert_non_null(crt);
    return crt;
}

static EVP_PKEY *public_key_of(struct world *w, const char *base64)
{
    cleanup_buf struct buf spki = {0};
    assert_ok(w, base64_decode(base64, strlen(base64), &spki, &w->err));
    const unsigned char *at = spki.data;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)spki.len);
    assert_non_null(key);
    return key;
}

/* Signs 32 bytes of 0x07, with the version named when it is not 0; the answer's status. */
static int sign(struct world *w, const char *id, int version)
{
    cleanup_buf struct buf body = {0};
    char named[32] = "";
    digest_body("ecdsa", 7, &body);
    body.len--; /* the brace */
    if (version)
        (void)snprintf(named, sizeof(named), ",\"version\":%d", version);
    buf_printf(&body, "%s}", named);
    return world_sign(w, SIGNER, id, buf_text(&body));
}

static void assert_signed_by(struct world *w, const char *public_key)
{
    uint8_t digest[32];
    cleanup_buf struct buf signature = {0};
    cleanup_pkey EVP_PKEY *key = public_key_of(w, public_key);
    const char *text = answer_text(w, "signature");
    memset(digest, 7, sizeof(digest));
    const struct sign_input in = {MECHANISM_ECDSA, HASH_SHA256, {digest, sizeof(digest)}, HASH_NONE, 0};
    assert_ok(w, base64_decode(text, strlen(text), &signature, &w->err));
    assert_ok(w, signature_verify(NULL, key, &in, buf_slice(&signature), &w->err));
}

static void public_key_keep(struct world *w, char out[512])
{
    (void)text_copy(out, 512, answer_text(w, "public_key"));
}

static void after_a_rotation_the_new_version_signs_and_the_old_one_only_when_named_in_its_grace(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE], first[512], second[512];

    world_key(w, "graceful", "p256", id);
    public_key_keep(w, first);
    assert_status(w, act(w, id, "rotate", "{\"grace_hours\":1}"), 200);
    public_key_keep(w, second);
    assert_string_not_equal(first, second);
    assert_int_equal(json_get_integer(w->answer, "version", 0), 2);

    assert_status(w, sign(w, id, 0), 201);
    assert_int_equal(json_get_integer(w->answer, "version", 0), 2);
    assert_signed_by(w, second);
    assert_status(w, sign(w, id, 2), 201);
    assert_signed_by(w, second);
    assert_status(w, sign(w, id, 1), 201);
    assert_int_equal(json_get_integer(w->answer, "version", 0), 1);
    assert_signed_by(w, first);
    cleanup_json struct json *record = world_last_record(w);
    assert_int_equal(json_get_integer(record, "version", 0), 1);
    (void)sign(w, id, 3);
    assert_problem(w, CODE_KEY_DISABLED, "version 3");
}

static void without_a_grace_the_old_version_signs_no_more(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];

    world_key(w, "abrupt", "p256", id);
    assert_status(w, sign(w, id, 1), 201);
    assert_status(w, act(w, id, "rotate", "{}"), 200);
    int before = w->signed_count;
    (void)sign(w, id, 1);
    assert_problem(w, CODE_KEY_DISABLED, "version 1");
    assert_int_equal(w->signed_count, before);
    assert_status(w, sign(w, id, 2), 201);
}

static status grace_end_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    (void)record;
    return key_version_set_grace(db, arg, 1, clock_now_ms() + 300, err);
}

static void a_grace_ends_by_itself(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];

    world_key(w, "ends", "p256", id);
    assert_status(w, act(w, id, "rotate", "{\"grace_hours\":1}"), 200);
    struct audit_work work = {.change = grace_end_rows, .arg = id, .alters_rights = true};
    assert_ok(w, audit_commit(w->audit, &work, deadline_in(10000), &w->err));
    struct deadline limit = deadline_in(60000);
    while (sign(w, id, 1) == 201 && !deadline_passed(limit))
        (void)nanosleep(&(struct timespec){0, 50000000}, NULL);
    assert_problem(w, CODE_KEY_DISABLED, "version 1");
}

static size_t listed(struct world *w, const char *array, const char *id, int *version)
{
    size_t count = 0;
    assert_status(w, world_get(w, SIGNER, "/v1/signing/keys"), 200);
    const struct json *keys = json_get(w->answer, array);
    for (size_t i = 0; i < json_count(keys); i++) {
        if (strcmp(json_get_text(json_at(keys, i), "id", ""), id) != 0)
            continue;
        *version = (int)json_get_integer(json_at(keys, i), "version", 0);
        count++;
    }
    return count;
}

static void a_token_is_shown_the_current_version_and_apart_from_it_the_one_in_grace(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];
    int version = 0;

    world_key(w, "shown", "p256", id);
    assert_int_equal(listed(w, "earlier", id, &version), 0);
    assert_status(w, act(w, id, "rotate", "{\"grace_hours\":1}"), 200);
    assert_int_equal(listed(w, "keys", id, &version), 1);
    assert_int_equal(version, 2);
    assert_int_equal(listed(w, "earlier", id, &version), 1);
    assert_int_equal(version, 1);
    assert_status(w, act(w, id, "disable", "{}"), 200);
    assert_int_equal(listed(w, "earlier", id, &version), 0);
}

static void versions_tell_their_states_and_keep_their_certificates(void **state)
{
    struct world *w = *state;
    static const char *const states[] = {"current", "grace", "retired"};
    char id[ID_SIZE];

    world_key(w, "versions", "p256", id);
    assert_status(w, act(w, id, "rotate", "{}"), 200);
    assert_status(w, act(w, id, "rotate", "{\"grace_hours\":2}"), 200);
    assert_status(w, world_get(w, APPROVER, "/v1/keys/%s/versions", id), 200);
    const struct json *items = json_get(w->answer, "items");
    assert_int_equal(json_count(items), 3);
    for (size_t i = 0; i < 3; i++) {
        const struct json *v = json_at(items, i);
        assert_int_equal(json_get_integer(v, "version", 0), 3 - (int)i);
        assert_string_equal(json_get_text(v, "state", ""), states[i]);
        X509 *crt = certificate_of(w, json_get(v, "certificate"));
        EVP_PKEY *key = public_key_of(w, json_get_text(v, "public_key", ""));
        assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(crt), key), 1);
        EVP_PKEY_free(key);
        X509_free(crt);
    }
}

static void a_renewed_certificate_is_like_the_one_before_but_for_its_serial(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE], key_before[512];
    int days = 0, seconds = 0;

    assert_status(
        w,
        world_post(w, OWNER, "/v1/projects/demo/keys",
                   "{\"label\":\"renewed\",\"type\":\"p256\",\"certificate\":{\"subject\":\"CN=B\\u00e4r\\\\, "
                   "Inc,O=Example\",\"days\":30}}"),
        201);
    (void)text_copy(id, sizeof(id), answer_text(w, "id"));
    public_key_keep(w, key_before);
    X509 *before = certificate_of(w, json_at(json_get(w->answer, "certificates"), 0));
    assert_status(w, act(w, id, "renew", "{}"), 200);
    assert_string_equal(answer_text(w, "public_key"), key_before);
    assert_int_equal(json_get_integer(w->answer, "version", 0), 1);
    X509 *after = certificate_of(w, json_at(json_get(w->answer, "certificates"), 0));
    assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(before), X509_get0_serialNumber(after)), 0);
    assert_int_equal(X509_NAME_cmp(X509_get_subject_name(before), X509_get_subject_name(after)), 0);
    assert_int_equal(ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(after), X509_get0_notAfter(after)), 1);
    assert_in_range(days * 86400 + seconds, 29 * 86400 + 1, 31 * 86400);

    assert_status(w, act(w, id, "renew", "{\"subject\":\"CN=Other\",\"days\":10}"), 200);
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s/versions", id), 200);
    const struct json *kept = json_get(json_at(json_get(w->answer, "items"), 0), "replaced_certificates");
    assert_int_equal(json_count(kept), 2);
    X509 *first = certificate_of(w, json_get(json_at(kept, 0), "certificate"));
    assert_int_equal(X509_cmp(first, before), 0);
    X509_free(first);
    X509_free(before);
    X509_free(after);
}

static status key_count(void *arg, const struct hsm_found *found, struct error *err)
{
    (void)found, (void)err;
    (*(int *)arg)++;
    return OK;
}

static int hsm_keys(struct world *w)
{
    int count = 0;
    assert_ok(w, hsm_list(w->hsm.h, deadline_in(10000), key_count, &count, &w->err));
    return count;
}

static void a_stale_rotation_is_refused_before_the_hsm_makes_a_key(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE], target[256];

    world_key(w, "undone", "p256", id);
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/rotate", id);
    int generated = w->faults->generated;
    const struct call call = {
        .who = OWNER, .method = "POST", .target = target, .body = slice_of_text("{}"), .headers = {"If-Match: \"9\""}};
    assert_status(w, world_call(w, &call), 412);
    assert_int_equal(w->faults->generated, generated); /* refused before the HSM works for nothing */
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s", id), 200);
    assert_int_equal(json_get_integer(w->answer, "version", 0), 1);
}

static struct {
    struct world *w;
    struct signing_key key;
} other;

static void somebody_else_chooses_a_connector(void)
{
    struct error err = {0};
    (void)text_copy(other.key.connector, sizeof(other.key.connector), CONNECTOR_MANUAL);
    assert_ok(other.w, signing_key_set_connector(store_writer(other.w->store), &other.key, &err));
}

static void a_rotation_whose_connector_is_changed_meanwhile_is_refused_and_leaves_no_key(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];

    world_key(w, "meanwhile", "p256", id);
    other.w = w;
    assert_ok(w, signing_key_find(store_writer(w->store), id, &other.key, &w->err));
    int before = hsm_keys(w);
    w->faults->then = somebody_else_chooses_a_connector;
    (void)act(w, id, "rotate", "{}");
    assert_problem(w, CODE_CONFLICT, "changed by somebody else meanwhile");
    assert_int_equal(hsm_keys(w), before);
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s", id), 200);
    assert_int_equal(json_get_integer(w->answer, "version", 0), 1);
    assert_string_equal(answer_text(w, "connector_name"), "manual");
    signing_key_clear(&other.key);
}

static void a_retired_key_is_neither_rotated_nor_renewed(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];

    world_key(w, "over", "p256", id);
    assert_status(w, act(w, id, "retire", "{}"), 200);
    int generated = w->faults->generated;
    (void)act(w, id, "rotate", "{}");
    assert_problem(w, CODE_CONFLICT, "retired");
    (void)act(w, id, "renew", "{}");
    assert_problem(w, CODE_CONFLICT, "retired");
    assert_int_equal(w->faults->generated, generated);
}

static void destroying_a_key_destroys_every_version(void **state)
{
    struct world *w = *state;
    struct hsm_key found = {0};
    cleanup_signing_key struct signing_key first = {0}, second = {0};
    char id[ID_SIZE], target[256];

    world_key(w, "all.versions", "p256", id);
    assert_ok(w, signing_key_find(store_writer(w->store), id, &first, &w->err));
    assert_status(w, act(w, id, "rotate", "{\"grace_hours\":9}"), 200);
    assert_ok(w, signing_key_find(store_writer(w->store), id, &second, &w->err));
    assert_status(w, act(w, id, "retire", "{}"), 200);
    (void)sign(w, id, 1);
    assert_problem(w, CODE_KEY_DISABLED, "retired");
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/destroy", id);
    assert_status(w, world_ask(w, ADMIN, "POST", target, "{}"), 200);
    assert_code(w, hsm_find(w->hsm.h, first.hsm_id, deadline_in(10000), &found, &w->err), CODE_NOT_FOUND);
    assert_code(w, hsm_find(w->hsm.h, second.hsm_id, deadline_in(10000), &found, &w->err), CODE_NOT_FOUND);
}

static void a_pending_key_is_made_when_it_is_activated_as_it_was_ordered(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];
    int generated = w->faults->generated;

    assert_status(
        w,
        world_post(w, OWNER, "/v1/projects/demo/keys",
                   "{\"label\":\"later\",\"type\":\"p384\",\"generate\":\"later\",\"certificate\":{\"subject\":"
                   "\"CN=Later\",\"days\":20}}"),
        201);
    (void)text_copy(id, sizeof(id), answer_text(w, "id"));
    assert_string_equal(answer_text(w, "state"), "pending");
    assert_int_equal(w->faults->generated, generated);
    (void)sign(w, id, 0);
    assert_problem(w, CODE_KEY_DISABLED, "pending");
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s/versions", id), 200);
    assert_int_equal(json_count(json_get(w->answer, "items")), 0);

    assert_status(w, act(w, id, "activate", "{}"), 200);
    assert_int_equal(w->faults->generated, generated + 1);
    assert_string_equal(answer_text(w, "state"), "active");
    assert_string_equal(answer_text(w, "type"), "p384");
    X509 *crt = certificate_of(w, json_at(json_get(w->answer, "certificates"), 0));
    char name[64] = "";
    assert_true(X509_NAME_get_text_by_NID(X509_get_subject_name(crt), NID_commonName, name, sizeof(name)) > 0);
    assert_string_equal(name, "Later");
    X509_free(crt);
    assert_status(w, sign(w, id, 0), 201);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_a_rotation_the_new_version_signs_and_the_old_one_only_when_named_in_its_grace),
        cmocka_unit_test(without_a_grace_the_old_version_signs_no_more),
        cmocka_unit_test(a_grace_ends_by_itself),
        cmocka_unit_test(a_token_is_shown_the_current_version_and_apart_from_it_the_one_in_grace),
        cmocka_unit_test(versions_tell_their_states_and_keep_their_certificates),
        cmocka_unit_test(a_renewed_certificate_is_like_the_one_before_but_for_its_serial),
        cmocka_unit_test(a_stale_rotation_is_refused_before_the_hsm_makes_a_key),
        cmocka_unit_test(a_rotation_whose_connector_is_changed_meanwhile_is_refused_and_leaves_no_key),
        cmocka_unit_test(a_retired_key_is_neither_rotated_nor_renewed),
        cmocka_unit_test(destroying_a_key_destroys_every_version),
        cmocka_unit_test(a_pending_key_is_made_when_it_is_activated_as_it_was_ordered),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}

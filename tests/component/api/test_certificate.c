/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that a person brings, in every form and order; refusals change nothing. And what becomes of certificates
 * that end. */
#include <stdio.h>
#include <string.h>

#include "common/encoding.h"
#include "common/file.h"
#include "common/text.h"
#include "peers.h"

static struct peers peers;
static char key_id[ID_SIZE];

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

static void manual_key(struct world *w, const char *label, char id[ID_SIZE])
{
    assert_status(w,
                  world_post(w, OWNER, "/v1/projects/demo/keys",
                             "{\"label\":\"%s\",\"type\":\"p256\",\"certificate\":{\"connector\":\"manual\","
                             "\"subject\":\"CN=%s,O=Example\"}}",
                             label, label),
                  201);
    (void)text_copy(id, ID_SIZE, answer_text(w, "id"));
    assert_string_equal(answer_text(w, "job"), "");
}

static int setup(void **state)
{
    (void)world_open(state);
    peers_open(&peers, *state);
    manual_key(*state, "by-hand", key_id);
    peers_issue(&peers, key_id, "leaf", "leaf");
    peers_run(&peers, "openssl x509 -in leaf.pem -noout -subject | grep -q by-hand");
    return 0;
}

static int teardown(void **state)
{
    peers_close(&peers);
    return world_close(state);
}

/* The file as it is, or its base64. */
static int put(struct world *w, const char *id, const char *file, bool as_text, const char *header)
{
    cleanup_buf struct buf content = {0}, text = {0}, body = {0};
    char path[512], target[128];

    (void)snprintf(path, sizeof(path), "%s/%s", peers.dir, file);
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/certificate", id);
    assert_ok(w, file_read(path, 1 << 20, FILE_ANY, &content, &w->err));
    if (as_text)
        buf_add_text(&text, buf_text(&content));
    else
        base64_encode(buf_slice(&content), &text);
    struct json_writer writer = json_writer_on(&body);
    json_begin_object(&writer, NULL);
    json_add_text(&writer, "certificate", buf_text(&text));
    json_end_object(&writer);
    const struct call call = {
        .who = OWNER, .method = "PUT", .target = target, .body = buf_slice(&body), .headers = {header}};
    return world_call(w, &call);
}

static void assert_has_chain(void)
{
    assert_true(peers_certificate(&peers, key_id, 0, "got0"));
    assert_true(peers_certificate(&peers, key_id, 1, "got1"));
    assert_true(peers_certificate(&peers, key_id, 2, "got2"));
    peers_run(&peers, "openssl x509 -in leaf.pem | cmp - got0.pem");
    peers_run(&peers, "openssl x509 -in issuing.pem | cmp - got1.pem && openssl x509 -in root.pem | cmp - got2.pem");
}

static void pem_der_and_pkcs7_are_taken_in_any_order(void **state)
{
    static const struct {
        const char *make;
        bool as_text;
    } rows[] = {
        {"cat leaf.pem issuing.pem root.pem >in", true},
        {"cat root.pem leaf.pem issuing.pem >in", true},
        {"{ echo comment; cat issuing.pem root.pem leaf.pem leaf.pem; echo end; } >in", true},
        {"for n in root leaf issuing; do openssl x509 -in $n.pem -outform DER; done >in", false},
        {"test-ca pkcs7 . in issuing.pem leaf.pem root.pem", false},
        {"test-ca pkcs7 . p7 root.pem issuing.pem leaf.pem && openssl pkcs7 -inform DER -in p7 -out in", true},
        {"cat leaf.pem client.pem issuing.pem tls.pem root.pem >in", true},
    };
    struct world *w = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        peers_run(&peers, "%s", rows[i].make);
        assert_status(w, put(w, key_id, "in", rows[i].as_text, NULL), 200);
        assert_int_equal(json_get_integer(w->answer, "version", 0), 1);
        assert_true(json_count(json_get(w->answer, "findings")) > 0); /* names no place to ask for revocation */
        assert_has_chain();
    }
}

static void a_token_is_shown_the_foreign_chain_at_once(void **state)
{
    struct world *w = *state;
    const struct json *key = NULL;

    peers_run(&peers, "cat leaf.pem issuing.pem root.pem >in");
    assert_status(w, put(w, key_id, "in", true, NULL), 200);
    assert_status(w, world_get(w, SIGNER, "/v1/signing/keys"), 200);
    const struct json *keys = json_get(w->answer, "keys");
    for (size_t i = 0; i < json_count(keys); i++) {
        if (strcmp(json_get_text(json_at(keys, i), "label", ""), "by-hand") == 0)
            key = json_at(keys, i);
    }
    assert_non_null(key);
    assert_int_equal(json_count(json_get(key, "certificates")), 3);
}

static void what_does_not_fit_is_refused_and_nothing_changes(void **state)
{
    static const struct {
        const char *make, *said;
        enum code code;
        bool as_text;
    } rows[] = {
        {"cat client.pem issuing.pem root.pem >in", "is of this key", CODE_CONFLICT, true},
        {"cat leaf.pem root.pem >in", "its issuer is unknown", CODE_CONFLICT, true},
        {"cat leaf.pem issuing.pem >in", "its issuer is unknown", CODE_CONFLICT, true},
        {"cat leaf.pem >in", "its issuer is unknown", CODE_CONFLICT, true},
        {"test-ca issue . leaf.csr tls-leaf.pem server_auth && cat tls-leaf.pem issuing.pem root.pem >in",
         "code signing", CODE_CONFLICT, true},
        {"test-ca issue . leaf.csr ca-leaf.pem ca && cat ca-leaf.pem issuing.pem root.pem >in", "CA's certificate",
         CODE_CONFLICT, true},
        {"faketime -f -10d $(command -v test-ca) issue . leaf.csr old.pem leaf 1 && cat old.pem issuing.pem root.pem "
         ">in",
         "has expired", CODE_CONFLICT, true},
        {"mkdir -p b && test-ca create b && cat leaf.pem b/issuing.pem b/root.pem >in", "its issuer is unknown",
         CODE_CONFLICT, true},
        {"head -c 200 leaf.pem >in", "certificate", CODE_INVALID, true},
        {"cat leaf.csr >in", "CERTIFICATE REQUEST", CODE_INVALID, true},
        {"openssl x509 -in leaf.pem -outform DER | head -c 100 >in", "certificate", CODE_INVALID, false},
        {"{ openssl x509 -in leaf.pem -outform DER; echo x; } >in", "certificate", CODE_INVALID, false},
        {"head -c 1000 /dev/urandom >in", "certificate", CODE_INVALID, false},
        {"echo '*** no base64 ***' >in", "base64", CODE_INVALID, true},
        {"for i in $(seq 17); do openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "
         "/dev/null "
         "-subj /CN=$i; done >in 2>/dev/null",
         "more than 16", CODE_TOO_LARGE, true},
        {"head -c 150000 /dev/zero >in", "131072", CODE_TOO_LARGE, false},
    };
    struct world *w = *state;

    peers_run(&peers, "cat leaf.pem issuing.pem root.pem >in");
    assert_status(w, put(w, key_id, "in", true, NULL), 200);
    int64_t head = world_head(w);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        peers_run(&peers, "%s", rows[i].make);
        (void)put(w, key_id, "in", rows[i].as_text, NULL);
        assert_problem(w, rows[i].code, rows[i].said);
    }
    assert_status(w, put(w, key_id, "in", false, "If-Match: \"999\""), 413);
    peers_run(&peers, "cat leaf.pem issuing.pem root.pem >in");
    assert_status(w, put(w, key_id, "in", true, "If-Match: \"999\""), 412);
    assert_int_equal(world_head(w), head);
    assert_has_chain();
}

/* The certificate is of the version before: it goes there, and the present one keeps what it has. */
static void a_certificate_finds_its_version(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE], target[128];

    manual_key(w, "versions", id);
    peers_issue(&peers, id, "first", "leaf");
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/rotate", id);
    assert_status(w, world_post(w, OWNER, target, "{\"grace_hours\":1}"), 200);
    peers_run(&peers, "cat first.pem issuing.pem root.pem >in");
    assert_status(w, put(w, id, "in", true, NULL), 200);
    assert_int_equal(json_get_integer(w->answer, "version", 0), 1);
    assert_false(peers_certificate(&peers, id, 0, "none"));
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s/csr?version=1&subject=CN%%3Dother", id), 200);
    assert_int_equal(json_get_integer(w->answer, "version", 0), 1);
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s/csr?version=3", id), 404);
}

static void a_manual_key_is_renewed_by_hand_and_a_retired_one_not_at_all(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE], target[128];

    manual_key(w, "retiring", id);
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/renew", id);
    (void)world_post(w, OWNER, target, "{}");
    assert_problem(w, CODE_CONFLICT, "CSR");
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/retire", id);
    assert_status(w, world_post(w, OWNER, target, "{}"), 200);
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s/csr", id), 409);
}

static void a_manual_connector_believes_only_its_own_anchors(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];

    peers_run(&peers, "mkdir -p other && test-ca create other");
    assert_status(w,
                  world_post(w, ADMIN, "/v1/connectors",
                             "{\"name\":\"only\",\"type\":\"manual\",\"settings\":{\"trust_file\":\"%s/root.pem\"}}",
                             peers.dir),
                  201);
    assert_status(w,
                  world_post(w, OWNER, "/v1/projects/demo/keys",
                             "{\"label\":\"anchored\",\"type\":\"p256\",\"certificate\":{\"connector\":\"only\"}}"),
                  201);
    (void)text_copy(id, sizeof(id), answer_text(w, "id"));
    peers_issue(&peers, id, "anchored", "leaf");
    peers_run(&peers,
              "test-ca issue other anchored.csr foreign.pem && cat foreign.pem other/issuing.pem other/root.pem >in");
    (void)put(w, id, "in", true, NULL);
    assert_problem(w, CODE_CONFLICT, "issuer is unknown");
    peers_run(&peers, "cat anchored.pem issuing.pem >in"); /* the root is the connector's */
    assert_status(w, put(w, id, "in", true, NULL), 200);
    assert_true(peers_certificate(&peers, id, 2, "root-shown"));
}

/* ---- the end of certificates */

static int records_of(struct world *w, const char *type)
{
    assert_status(w, world_get(w, AUDITOR, "/v1/audit?type=%s&limit=1000", type), 200);
    return (int)json_count(json_get(w->answer, "items"));
}

static void scan(struct world *w)
{
    for (bool more = true; more;)
        assert_ok(w, runner_scan(w->runner, &more, &w->err));
}

static void end_set(struct world *w, const char *id, int64_t in_days)
{
    struct db *db = store_writer(w->store);

    assert_ok(w, store_writer_lock(w->store, &w->err));
    assert_ok(w, db_exec(db, "UPDATE key_version SET not_after_ms = $2 WHERE key_id = $1",
                         DB_PARAMS(db_text(id), db_int(in_days == 0 ? 0 : clock_now_ms() + in_days * DAY_MS - 1000)),
                         NULL, &w->err));
    store_writer_unlock(w->store);
}

static void each_notice_is_given_once_a_certificate(void **state)
{
    static const int days[] = {61, 60, 60, 45, 30, 14, 14, 7, 1, -1};
    static const int given[] = {0, 1, 1, 1, 2, 3, 3, 4, 5, 5};
    struct world *w = *state;
    char id[ID_SIZE];

    world_key(w, "ending", "p256", id);
    scan(w);
    int before = records_of(w, "certificate.expiring");
    for (size_t i = 0; i < COUNT_OF(days); i++) {
        end_set(w, id, days[i]);
        scan(w);
        assert_int_equal(records_of(w, "certificate.expiring") - before, given[i]);
    }
}

static void keys_whose_certificate_ends_are_listed(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];

    world_key(w, "soon", "p256", id);
    end_set(w, id, 20);
    assert_status(w, world_get(w, OWNER, "/v1/keys?label=soon&expiring_within=19"), 200);
    assert_int_equal(json_count(json_get(w->answer, "items")), 0);
    assert_status(w, world_get(w, ADMIN, "/v1/keys?label=soon&expiring_within=20"), 200);
    assert_int_equal(json_count(json_get(w->answer, "items")), 1);
    (void)world_get(w, ADMIN, "/v1/keys?expiring_within=0");
    assert_problem(w, CODE_INVALID, "expiring_within");
}

static void an_end_that_the_row_does_not_tell_is_read_from_the_certificate(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];

    world_key(w, "older", "p256", id);
    end_set(w, id, 0);
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s", id), 200);
    assert_string_equal(answer_text(w, "certificate_expires"), "");
    scan(w);
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s", id), 200);
    assert_string_not_equal(answer_text(w, "certificate_expires"), "");
}

static void a_certificate_is_renewed_before_it_ends_where_a_connector_can(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE], off[ID_SIZE], job[ID_SIZE], target[128];

    world_key(w, "self-renewing", "p256", id);
    world_key(w, "not-renewing", "p256", off);
    (void)snprintf(target, sizeof(target), "/v1/keys/%s", off);
    assert_status(w, world_ask(w, OWNER, "PATCH", target, "{\"renew_before_days\":0}"), 200);
    end_set(w, id, 29);
    end_set(w, off, 29);
    assert_true(peers_certificate(&peers, id, 0, "before"));
    scan(w);
    scan(w); /* no second job while there is one */
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s/jobs", id), 200);
    assert_int_equal(json_count(json_get(w->answer, "items")), 1);
    (void)text_copy(job, sizeof(job), json_get_text(json_at(json_get(w->answer, "items"), 0), "id", ""));
    job_run(w);
    assert_string_equal(job_state(w, job), "done");
    assert_true(peers_certificate(&peers, id, 0, "after"));
    assert_int_not_equal(peers_try(&peers, "cmp before.pem after.pem"), 0);
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s/jobs", off), 200);
    assert_int_equal(json_count(json_get(w->answer, "items")), 0);
    scan(w);
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s/jobs", id), 200);
    assert_int_equal(json_count(json_get(w->answer, "items")), 1);
}

static void a_renewal_by_itself_has_its_row_at_the_ca_and_a_revoked_certificate_has_none(void **state)
{
    struct world *w = *state;
    char kept[ID_SIZE], revoked[ID_SIZE], target[128];

    world_key(w, "row-kept", "p256", kept);
    world_key(w, "row-revoked", "p256", revoked);
    end_set(w, kept, 29);
    end_set(w, revoked, 29);
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/versions/1/revoke", revoked);
    assert_status(w, world_post(w, OWNER, target, "{\"reason\":\"key_compromise\"}"), 200);
    scan(w);
    job_run(w);
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s/jobs", revoked), 200);
    assert_int_equal(json_count(json_get(w->answer, "items")), 0);
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s/certificate", kept), 200);
    assert_string_equal(answer_text(w, "ca"), "issuing");
    assert_string_equal(answer_text(w, "connector"), "");
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/versions/1/revoke", kept);
    assert_status(w, world_post(w, OWNER, target, "{\"reason\":\"superseded\"}"), 200);
    assert_int_equal(json_count(json_get(w->answer, "items")), 2); /* the one before, too */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pem_der_and_pkcs7_are_taken_in_any_order),
        cmocka_unit_test(a_token_is_shown_the_foreign_chain_at_once),
        cmocka_unit_test(what_does_not_fit_is_refused_and_nothing_changes),
        cmocka_unit_test(a_certificate_finds_its_version),
        cmocka_unit_test(a_manual_key_is_renewed_by_hand_and_a_retired_one_not_at_all),
        cmocka_unit_test(a_manual_connector_believes_only_its_own_anchors),
        cmocka_unit_test(each_notice_is_given_once_a_certificate),
        cmocka_unit_test(keys_whose_certificate_ends_are_listed),
        cmocka_unit_test(an_end_that_the_row_does_not_tell_is_read_from_the_certificate),
        cmocka_unit_test(a_certificate_is_renewed_before_it_ends_where_a_connector_can),
        cmocka_unit_test(a_renewal_by_itself_has_its_row_at_the_ca_and_a_revoked_certificate_has_none),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One contract for every connector that works without a person: against the built-in CA, openssl's CMP server and an
 * EST server, with keys in a real HSM. Then what only one of them has. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "../hsm/faulty.h"
#include "peers.h"
#include "server/api/builtin_ca.h"

static struct peers peers;

static int setup(void **state)
{
    (void)world_open(state);
    struct world *w = *state;
    peers_open(&peers, w);
    peers_est_start(&peers);
    peers_est_connector(&peers, "est");
    peers_cmp_connector(&peers, "cmp", "");
    peers_cmp_tls_connector(&peers, "cmp-tls");
    return world_post(w, ADMIN, "/v1/connectors",
                      "{\"name\":\"own\",\"type\":\"builtin\",\"settings\":{\"days\":90}}") == 201
               ? 0
               : -1;
}

static int teardown(void **state)
{
    peers_close(&peers);
    return world_close(state);
}

static void mode_set(const char *mode)
{
    peers_write(&peers, "mode", mode, 0600);
}

/* A key whose certificate the connector fetches; key and job are ids. */
static void key_make(struct world *w, const char *connector, const char *label, const char *type, char key[ID_SIZE],
                     char job[ID_SIZE])
{
    assert_status(w,
                  world_post(w, OWNER, "/v1/projects/demo/keys",
                             "{\"label\":\"%s\",\"type\":\"%s\",\"certificate\":{\"connector\":\"%s\",\"subject\":"
                             "\"CN=%s,O=Example\"}}",
                             label, type, connector, label),
                  201);
    (void)text_copy(key, ID_SIZE, answer_text(w, "id"));
    (void)text_copy(job, ID_SIZE, answer_text(w, "job"));
    assert_string_equal(answer_text(w, "state"), "active");
    assert_int_equal(json_count(json_get(w->answer, "certificates")), 0);
}

/* openssl's CMP server gives one certificate, so it is made before: by the CSR that the server signs. */
static void peer_ready(struct world *w, const char *connector, const char *key, const char *label)
{
    char arguments[256];

    (void)w;
    if (strncmp(connector, "cmp", 3) != 0)
        return;
    peers_issue(&peers, key, label, "leaf");
    (void)snprintf(arguments, sizeof(arguments), "-rsp_cert %s.pem", label);
    peers_cmp_start(&peers, arguments);
}

static void assert_done(struct world *w, const char *job)
{
    job_run(w);
    if (strcmp(job_state(w, job), "done") != 0)
        fail_msg("%s: %s: %s", job, answer_text(w, "state"), answer_text(w, "error"));
}

static void assert_chain(const char *key, const char *subject)
{
    assert_true(peers_certificate(&peers, key, 0, "got"));
    assert_true(peers_certificate(&peers, key, 1, "got1"));
    assert_true(peers_certificate(&peers, key, 2, "got2"));
    assert_false(peers_certificate(&peers, key, 3, "got3"));
    peers_run(&peers, "openssl verify -x509_strict -CAfile got2.pem -untrusted got1.pem got.pem");
    peers_run(&peers, "openssl x509 -in got.pem -noout -subject | grep -q '%s'", subject);
}

static const char *const contracted[] = {"own", "cmp", "cmp-tls", "est"};

static void every_connector_fetches_the_certificate_of_a_new_key(void **state)
{
    static const char *const types[] = {"p256", "rsa2048", "ed25519"};
    struct world *w = *state;
    char key[ID_SIZE], job[ID_SIZE], label[64];

    for (size_t i = 0; i < COUNT_OF(contracted); i++) {
        for (size_t t = 0; t < COUNT_OF(types); t++) {
            (void)snprintf(label, sizeof(label), "new-%s-%s", contracted[i], types[t]);
            key_make(w, contracted[i], label, types[t], key, job);
            peer_ready(w, contracted[i], key, label);
            assert_done(w, job);
            assert_chain(key, label);
        }
    }
}

static void every_connector_renews_and_the_certificate_before_is_kept(void **state)
{
    struct world *w = *state;
    char key[ID_SIZE], job[ID_SIZE], label[64], target[128];

    for (size_t i = 0; i < COUNT_OF(contracted); i++) {
        (void)snprintf(label, sizeof(label), "renew-%s", contracted[i]);
        key_make(w, contracted[i], label, "p256", key, job);
        peer_ready(w, contracted[i], key, label);
        assert_done(w, job);

        (void)snprintf(target, sizeof(target), "/v1/keys/%s/renew", key);
        assert_status(w, world_post(w, OWNER, target, "{}"), 202);
        (void)text_copy(job, sizeof(job), answer_text(w, "job"));
        assert_status(w, world_post(w, OWNER, target, "{}"), 409); /* one at a time */
        assert_done(w, job);
        assert_chain(key, label);
        assert_status(w, world_get(w, OWNER, "/v1/keys/%s/versions", key), 200);
        assert_int_equal(json_count(json_get(json_at(json_get(w->answer, "items"), 0), "replaced_certificates")), 1);
    }
}

static void every_connector_can_be_tested(void **state)
{
    struct world *w = *state;
    char target[128], job[ID_SIZE];

    peers_cmp_start(&peers, "-rsp_cert client.pem");
    for (size_t i = 0; i < COUNT_OF(contracted); i++) {
        (void)snprintf(target, sizeof(target), "/v1/connectors/%s/test", contracted[i]);
        assert_status(w, world_post(w, ADMIN, target, "{}"), 202);
        (void)text_copy(job, sizeof(job), answer_text(w, "id"));
        assert_done(w, job);
        assert_int_equal(json_type(json_get(json_get(w->answer, "result"), "findings")), JSON_ARRAY);
    }
}

/* Nobody there: the job waits for a better time, and may be given up. */
static void every_remote_connector_survives_that_nobody_answers(void **state)
{
    struct world *w = *state;
    char key[ID_SIZE], job[ID_SIZE], target[128];

    peers_cmp_stop(&peers);
    assert_status(w,
                  world_post(w, ADMIN, "/v1/connectors",
                             "{\"name\":\"est-away\",\"type\":\"est\",\"settings\":{\"url\":"
                             "\"https://127.0.0.1:%d/.well-known/est\",\"tls_trust_file\":\"%s/root.pem\","
                             "\"certificate_file\":\"%s/client.pem\",\"key_file\":\"%s/client.key\"}}",
                             peers.cmp_port, peers.dir, peers.dir, peers.dir),
                  201);
    static const char *const away[] = {"cmp", "est-away"};
    for (size_t i = 0; i < COUNT_OF(away); i++) {
        char label[64];
        (void)snprintf(label, sizeof(label), "away-%s", away[i]);
        key_make(w, away[i], label, "p256", key, job);
        job_run(w);
        assert_string_equal(job_state(w, job), "queued");
        assert_int_equal(json_get_integer(w->answer, "attempts", 0), 1);
        assert_string_not_equal(answer_text(w, "error"), "");
        (void)snprintf(target, sizeof(target), "/v1/jobs/%s/cancel", job);
        assert_status(w, world_post(w, ADMIN, target, "{}"), 200);
        assert_string_equal(answer_text(w, "state"), "failed");
        assert_status(w, world_post(w, ADMIN, target, "{}"), 409);
        assert_status(w, world_get(w, OWNER, "/v1/keys/%s/jobs", key), 200);
        assert_int_equal(json_count(json_get(w->answer, "items")), 1);
    }
}

/* ---- EST */

static void est_waits_as_long_as_it_is_told_and_asks_with_the_same_request(void **state)
{
    struct world *w = *state;
    char key[ID_SIZE], job[ID_SIZE], target[128];
    int issued = peers_lines(&peers, "issued");

    mode_set("wait");
    key_make(w, "est", "patient", "p256", key, job);
    job_run(w);
    assert_string_equal(job_state(w, job), "waiting");
    mode_set("normal");
    (void)snprintf(target, sizeof(target), "/v1/jobs/%s/retry", job);
    assert_status(w, world_post(w, ADMIN, target, "{}"), 200);
    assert_done(w, job);
    assert_chain(key, "patient");
    assert_int_equal(peers_lines(&peers, "issued"), issued + 1);
    assert_status(w, world_post(w, ADMIN, target, "{}"), 409); /* done */
}

/* The server was killed when the CA had its request, before it had the answer: the CA sees the same request again. */
static void a_job_that_was_cut_off_is_taken_up_without_a_second_certificate(void **state)
{
    struct world *w = *state;
    char key[ID_SIZE], job[ID_SIZE];
    struct job row = {0};
    int issued = peers_lines(&peers, "issued");

    key_make(w, "est", "cut-off", "p256", key, job);
    job_run(w);
    assert_string_equal(job_state(w, job), "done");
    assert_int_equal(peers_lines(&peers, "issued"), issued + 1);
    /* What the store had in that moment: taken, under a lease, with its transaction. */
    struct db *db = store_writer(w->store);
    assert_ok(w, store_writer_lock(w->store, &w->err));
    assert_ok(w, job_find(db, job, &row, &w->err));
    assert_true(row.transaction.len > 0);
    assert_ok(w,
              db_exec(db,
                      "UPDATE job SET state = 'running', finished_ms = 0, lease_owner = 'srv_dead', lease_until_ms = "
                      "9000000000000 WHERE id = $1",
                      DB_PARAMS(db_text(job)), NULL, &w->err));
    store_writer_unlock(w->store);
    job_clear(&row);

    job_run(w);
    assert_string_equal(job_state(w, job), "running"); /* another server may be at it */
    struct runner *after = NULL;
    const struct runner_config alone = {
        .store = w->store, .audit = w->audit, .hsm = w->hsm.h, .builtin = builtin_ca_of(w->ca), .is_alone = true};
    assert_ok(w, runner_new(&alone, &after, &w->err)); /* the start of a server that shares its store with none */
    runner_free(after);
    assert_done(w, job);
    assert_int_equal(peers_lines(&peers, "issued"), issued + 1);
}

enum { SHARED_JOBS = 8, SHARED_RUNNERS = 2, IDLE_STEPS = 50, REQUESTS_OF_AN_ENROLMENT = 2 };

struct shared_runner {
    struct runner *runner;
    pthread_t thread;
    bool failed;
};

static void *shared_run(void *arg)
{
    struct shared_runner *s = arg;
    struct error err = {0};

    for (int idle = 0; idle < IDLE_STEPS && !s->failed;) { /* a job that the other one took is no end */
        bool did = false;
        s->failed = !is_ok(runner_step(s->runner, &did, &err));
        idle = did ? 0 : idle + 1;
    }
    return NULL;
}

static void servers_that_share_a_store_do_each_job_once(void **state)
{
    struct world *w = *state;
    struct shared_runner runners[SHARED_RUNNERS] = {0};
    char key[ID_SIZE], jobs[SHARED_JOBS][ID_SIZE], label[64];
    const struct runner_config config = {
        .store = w->store, .audit = w->audit, .hsm = w->hsm.h, .builtin = builtin_ca_of(w->ca), .is_alone = false};

    for (int i = 0; i < SHARED_JOBS; i++) {
        (void)snprintf(label, sizeof(label), "shared-%d", i);
        key_make(w, "est", label, "p256", key, jobs[i]);
    }
    int asked = peers_lines(&peers, "requests"), issued = peers_lines(&peers, "issued");
    for (size_t i = 0; i < SHARED_RUNNERS; i++) {
        assert_ok(w, runner_new(&config, &runners[i].runner, &w->err));
        assert_int_equal(pthread_create(&runners[i].thread, NULL, shared_run, &runners[i]), 0);
    }
    for (size_t i = 0; i < SHARED_RUNNERS; i++) {
        assert_int_equal(pthread_join(runners[i].thread, NULL), 0);
        runner_free(runners[i].runner);
        assert_false(runners[i].failed);
    }
    for (int i = 0; i < SHARED_JOBS; i++) {
        assert_string_equal(job_state(w, jobs[i]), "done");
        assert_int_equal(json_get_integer(w->answer, "attempts", 0), 1);
    }
    assert_int_equal(peers_lines(&peers, "requests"), asked + SHARED_JOBS * REQUESTS_OF_AN_ENROLMENT);
    assert_int_equal(peers_lines(&peers, "issued"), issued + SHARED_JOBS);
}

static void est_answers_that_are_not_as_they_must_be_end_the_job_and_change_nothing(void **state)
{
    static const struct {
        const char *mode, *said;
    } rows[] = {
        {"refuse", "not for you"},      {"malformed", "PKCS#7"},         {"oversize", "longer than"},
        {"wrong-key", "is of the key"}, {"server-auth", "code signing"}, {"wrong-type", "text/html"},
    };
    struct world *w = *state;
    char key[ID_SIZE], job[ID_SIZE], label[64];

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        mode_set(rows[i].mode);
        (void)snprintf(label, sizeof(label), "bad-%s", rows[i].mode);
        key_make(w, "est", label, "p256", key, job);
        job_run(w);
        assert_string_equal(job_state(w, job), "failed");
        if (!strstr(answer_text(w, "error"), rows[i].said))
            fail_msg("%s: %s", rows[i].mode, answer_text(w, "error"));
        assert_false(peers_certificate(&peers, key, 0, "none"));
    }
    mode_set("busy");
    key_make(w, "est", "bad-busy", "p256", key, job);
    job_run(w);
    assert_string_equal(job_state(w, job), "queued");
    mode_set("normal");
}

static void est_believes_no_server_outside_of_its_anchors(void **state)
{
    struct world *w = *state;
    char key[ID_SIZE], job[ID_SIZE];

    peers_run(&peers, "mkdir -p foreign && test-ca create foreign");
    assert_status(w,
                  world_post(w, ADMIN, "/v1/connectors",
                             "{\"name\":\"est-foreign\",\"type\":\"est\",\"settings\":{\"url\":"
                             "\"https://127.0.0.1:%d/.well-known/est\",\"tls_trust_file\":\"%s/foreign/root.pem\","
                             "\"username\":\"est\",\"password_file\":\"%s/est.secret\"}}",
                             peers.est_port, peers.dir, peers.dir),
                  201);
    int asked = peers_lines(&peers, "requests");
    key_make(w, "est-foreign", "foreign", "p256", key, job);
    job_run(w);
    assert_string_equal(job_state(w, job), "queued");
    assert_non_null(strstr(answer_text(w, "error"), "certificate"));
    assert_int_equal(peers_lines(&peers, "requests"), asked);
}

static void est_takes_a_client_certificate(void **state)
{
    struct world *w = *state;
    char key[ID_SIZE], job[ID_SIZE];

    assert_status(w,
                  world_post(w, ADMIN, "/v1/connectors",
                             "{\"name\":\"est-tls\",\"type\":\"est\",\"settings\":{\"url\":"
                             "\"https://127.0.0.1:%d/.well-known/est\",\"tls_trust_file\":\"%s/root.pem\","
                             "\"trust_file\":\"%s/root.pem\",\"certificate_file\":\"%s/client.pem\",\"key_file\":"
                             "\"%s/client.key\"}}",
                             peers.est_port, peers.dir, peers.dir, peers.dir, peers.dir),
                  201);
    key_make(w, "est-tls", "by-tls", "p256", key, job);
    assert_done(w, job);
    assert_chain(key, "by-tls");
}

/* ---- CMP */

static void cmp_polls_in_one_transaction(void **state)
{
    struct world *w = *state;
    char key[ID_SIZE], job[ID_SIZE], target[128];

    key_make(w, "cmp", "polled", "p256", key, job);
    peers_issue(&peers, key, "polled", "leaf");
    peers_cmp_start(&peers, "-rsp_cert polled.pem -poll_count 3 -check_after 300");
    (void)snprintf(target, sizeof(target), "/v1/jobs/%s/retry", job);
    for (int i = 0; i < 2; i++) {
        job_run(w);
        assert_string_equal(job_state(w, job), "waiting");
        assert_status(w, world_post(w, ADMIN, target, "{}"), 200);
    }
    assert_done(w, job);
    assert_chain(key, "polled");
}

static void cmp_takes_every_kind_of_request(void **state)
{
    static const char *const kinds[] = {"ir", "cr", "p10cr"};
    struct world *w = *state;
    char key[ID_SIZE], job[ID_SIZE], name[64], more[256];

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        (void)snprintf(name, sizeof(name), "cmp-%s", kinds[i]);
        /* The root comes with an answer to ir only. */
        (void)snprintf(more, sizeof(more), ",\"request\":\"%s\",\"days\":30,\"trust_file\":\"%s/root.pem\"", kinds[i],
                       peers.dir);
        peers_cmp_connector(&peers, name, more);
        key_make(w, name, name, "p256", key, job);
        peers_issue(&peers, key, name, "leaf");
        (void)snprintf(more, sizeof(more), "-rsp_cert %s.pem", name);
        peers_cmp_start(&peers, more);
        assert_done(w, job);
        assert_chain(key, name);
    }
}

static void cmp_takes_a_client_certificate_and_signed_answers(void **state)
{
    struct world *w = *state;
    char key[ID_SIZE], job[ID_SIZE];

    peers_run(&peers, "cat client.pem issuing.pem > client-chain.pem");
    assert_status(w,
                  world_post(w, ADMIN, "/v1/connectors",
                             "{\"name\":\"cmp-signed\",\"type\":\"cmp\",\"settings\":{\"url\":"
                             "\"http://127.0.0.1:%d/pkix/\",\"trust_file\":\"%s/root.pem\",\"certificate_file\":"
                             "\"%s/client-chain.pem\",\"key_file\":\"%s/client.key\"}}",
                             peers.cmp_port, peers.dir, peers.dir, peers.dir),
                  201);
    key_make(w, "cmp-signed", "signed", "p256", key, job);
    peers_issue(&peers, key, "signed", "leaf");
    peers_cmp_start(&peers, "-rsp_cert signed.pem -srv_cert cmp.pem -srv_key cmp.key -srv_untrusted issuing.pem");
    assert_done(w, job);
    assert_chain(key, "signed");
}

static void cmp_answers_that_are_not_as_they_must_be_end_the_job_and_change_nothing(void **state)
{
    static const struct {
        const char *label, *arguments, *said;
    } rows[] = {
        {"cmp-other", "-rsp_cert client.pem", ""},
        {"cmp-refused", "-rsp_cert client.pem -pkistatus 2 -failure 17 -statusstring never", "refused"},
        {"cmp-error", "-rsp_cert client.pem -send_error", ""},
        {"cmp-naked", "-rsp_cert client.pem -send_unprotected", ""},
        {"cmp-liar", "-rsp_cert client.pem -srv_secret pass:another", ""},
    };
    struct world *w = *state;
    char key[ID_SIZE], job[ID_SIZE];

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        key_make(w, "cmp", rows[i].label, "p256", key, job);
        peers_cmp_start(&peers, rows[i].arguments);
        job_run(w);
        assert_string_equal(job_state(w, job), "failed");
        if (!*answer_text(w, "error") || !strstr(answer_text(w, "error"), rows[i].said))
            fail_msg("%s: %s", rows[i].label, answer_text(w, "error"));
        assert_false(peers_certificate(&peers, key, 0, "none"));
    }
    key_make(w, "cmp", "cmp-tls", "p256", key, job);
    peers_issue(&peers, key, "cmp-tls", "server_auth");
    peers_cmp_start(&peers, "-rsp_cert cmp-tls.pem");
    job_run(w);
    assert_string_equal(job_state(w, job), "failed");
    assert_non_null(strstr(answer_text(w, "error"), "code signing"));
}

static const char revocation_body[] = "{\"reason\":\"key_compromise\"}";

static void i4_a_revoked_certificate_signs_no_more_whatever_its_ca_says(void **state)
{
    static const char *const connectors[] = {"cmp", "est"};
    struct world *w = *state;
    char key[ID_SIZE], job[ID_SIZE], label[64], target[128], rotate[128];
    cleanup_buf struct buf digest = {0};

    digest_body("ecdsa", 7, &digest);
    for (size_t i = 0; i < COUNT_OF(connectors); i++) {
        (void)snprintf(label, sizeof(label), "marked-%s", connectors[i]);
        key_make(w, connectors[i], label, "p256", key, job);
        peer_ready(w, connectors[i], key, label);
        assert_done(w, job);
        assert_status(w, world_sign(w, SIGNER, key, buf_text(&digest)), 201);
        (void)snprintf(target, sizeof(target), "/v1/keys/%s/versions/1/revoke", key);
        (void)snprintf(rotate, sizeof(rotate), "/v1/keys/%s/rotate", key);
        assert_status(w, world_post(w, OWNER, target, "%s", revocation_body), 200);
        assert_string_equal(answer_text(w, "connector"), connectors[i]);

        (void)world_sign(w, SIGNER, key, buf_text(&digest)); /* before any job has run */
        assert_problem(w, CODE_KEY_EXPIRED, "revoked");
        assert_status(w, world_get(w, OWNER, "/v1/keys/%s/certificate", key), 200);
        assert_string_not_equal(answer_text(w, "revoked"), "");
        assert_string_equal(answer_text(w, "connector"), connectors[i]);
        (void)world_post(w, OWNER, target, "%s", revocation_body);
        assert_problem(w, CODE_CONFLICT, "not revoked");

        assert_status(w, world_post(w, OWNER, rotate, "{\"connector\":\"builtin\"}"), 200);
        assert_status(w, world_get(w, OWNER, "/v1/keys/%s/versions", key), 200);
        const struct json *present = json_at(json_get(w->answer, "items"), 0);
        const struct json *before = json_at(json_get(w->answer, "items"), 1);
        assert_null(json_get_text(present, "connector", NULL));
        assert_null(json_get_text(present, "revoked", NULL));
        assert_string_equal(json_get_text(before, "connector", ""), connectors[i]);
        assert_non_null(json_get_text(before, "revoked", NULL));
    }
}

static void cmp_revokes_by_a_job_and_est_has_none(void **state)
{
    struct world *w = *state;
    char key[ID_SIZE], job[ID_SIZE], target[128];

    key_make(w, "cmp", "revoked", "p256", key, job);
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/versions/1/revoke", key);
    peer_ready(w, "cmp", key, "revoked");
    (void)world_post(w, OWNER, target, "%s", revocation_body);
    assert_problem(w, CODE_CONFLICT, "no certificate");
    assert_done(w, job);
    assert_status(w, world_post(w, OWNER, target, "%s", revocation_body), 200);
    (void)text_copy(job, sizeof(job), answer_text(w, "job"));
    assert_done(w, job);
    cleanup_json struct json *record = world_last_record(w);
    assert_string_equal(json_get_text(record, "type", ""), "key.certificate_revoke");

    key_make(w, "est", "not-revoked", "p256", key, job);
    assert_done(w, job);
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/versions/1/revoke", key);
    assert_status(w, world_post(w, OWNER, target, "%s", revocation_body), 200);
    assert_string_equal(answer_text(w, "job"), "");
}

static void what_was_on_its_way_when_a_certificate_was_revoked_is_not_taken(void **state)
{
    struct world *w = *state;
    char key[ID_SIZE], job[ID_SIZE], target[128];

    key_make(w, "est", "renewing", "p256", key, job);
    assert_done(w, job);
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/renew", key);
    assert_status(w, world_post(w, OWNER, target, "{}"), 202);
    (void)text_copy(job, sizeof(job), answer_text(w, "job"));
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/versions/1/revoke", key);
    assert_status(w, world_post(w, OWNER, target, "%s", revocation_body), 200);

    job_run(w);
    assert_string_equal(job_state(w, job), "failed");
    assert_non_null(strstr(answer_text(w, "error"), "revoked"));
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s/certificate", key), 200);
    assert_string_not_equal(answer_text(w, "revoked"), "");
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/renew", key);
    assert_status(w, world_post(w, OWNER, target, "{}"), 202); /* asked for afterwards, it is */
    (void)text_copy(job, sizeof(job), answer_text(w, "job"));
    assert_done(w, job);
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s/certificate", key), 200);
    assert_string_equal(answer_text(w, "revoked"), "");
}

/* ---- the rows themselves */

static void settings_are_read_strictly(void **state)
{
    static const struct {
        const char *type, *settings, *said;
    } rows[] = {
        {"cmp", "{}", "settings.url"},
        {"cmp", "{\"url\":\"ftp://a\",\"secret_file\":\"/etc/hostname\"}", "settings.secret_file"},
        {"cmp", "{\"url\":\"http://a\",\"password_file\":\"/a\"}", "settings.password_file"},
        {"cmp", "{\"url\":\"http://a\",\"secret_file\":\"secret\"}", "absolute path"},
        {"cmp", "{\"url\":\"http://a\",\"secret_file\":\"/nothing/there\"}", "/nothing/there"},
        {"cmp", "{\"url\":\"http://a\"}", "secret_file"},
        {"cmp", "{\"url\":\"http://a\",\"days\":0}", "settings.days"},
        {"cmp", "{\"url\":\"http://a\",\"request\":\"kur\"}", "settings.request"},
        {"cmp", "{\"url\":\"http://a\",\"implicit_confirm\":1}", "settings.implicit_confirm"},
        {"est", "{\"url\":\"https://a\"}", "settings.tls_trust_file"},
        {"est", "{\"url\":7}", "settings.url"},
        {"builtin", "{\"days\":461}", "settings.days"},
        {"builtin", "{\"url\":\"http://a\"}", "settings.url"},
        {"manual", "{\"trust_file\":\"/etc/hostname\"}", "settings.trust_file"},
        {"acme", "{}", "type"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)world_post(w, ADMIN, "/v1/connectors", "{\"name\":\"bad\",\"type\":\"%s\",\"settings\":%s}", rows[i].type,
                         rows[i].settings);
        assert_problem(w, CODE_INVALID, rows[i].said);
    }
    (void)world_post(w, ADMIN, "/v1/connectors", "{\"name\":\"none\",\"type\":\"manual\"}");
    assert_problem(w, CODE_INVALID, "none");
    (void)world_post(w, ADMIN, "/v1/connectors", "{\"name\":\"manual\",\"type\":\"manual\"}");
    assert_problem(w, CODE_CONFLICT, "manual");
}

static int change(struct world *w, const char *method, const char *target, const char *body, const char *header)
{
    const struct call call = {
        .who = ADMIN, .method = method, .target = target, .body = slice_of_text(body), .headers = {header}};
    return world_call(w, &call);
}

static void a_connector_is_changed_and_removed_by_revision_and_never_while_in_use(void **state)
{
    struct world *w = *state;
    char key[ID_SIZE], job[ID_SIZE];
    static const char stale[] = "If-Match: \"9\"", path[] = "/v1/connectors/short-lived";

    assert_status(w, world_post(w, ADMIN, "/v1/connectors", "{\"name\":\"short-lived\",\"type\":\"builtin\"}"), 201);
    assert_status(w, world_get(w, AUDITOR, "/v1/connectors?type=builtin"), 200);
    assert_int_equal(json_count(json_get(w->answer, "items")), 3);
    assert_status(w, world_get(w, AUDITOR, path), 200);
    assert_status(w, change(w, "PATCH", path, "{\"settings\":{\"days\":5}}", stale), 412);
    assert_status(w, change(w, "PATCH", path, "{\"settings\":{\"days\":5}}", "If-Match: \"1\""), 200);
    assert_int_equal(json_get_integer(json_get(w->answer, "settings"), "days", 0), 5);
    assert_status(w, change(w, "POST", "/v1/connectors/short-lived/test", "{}", stale), 412);
    assert_status(w, change(w, "DELETE", path, "", stale), 412);
    key_make(w, "short-lived", "in-use", "p256", key, job);
    assert_status(w, change(w, "DELETE", path, "", NULL), 409);
    job_run(w);
    assert_status(w, change(w, "DELETE", path, "", NULL), 409); /* the key has it */
    char target[128];
    (void)snprintf(target, sizeof(target), "/v1/keys/%s", key);
    assert_status(w, change(w, "PATCH", target, "{\"connector\":\"none\"}", stale), 412);
    assert_status(w, change(w, "PATCH", target, "{\"connector\":\"none\",\"renew_before_days\":0}", NULL), 200);
    assert_status(w, change(w, "DELETE", path, "", NULL), 204);
    assert_status(w, world_get(w, ADMIN, path), 404);
    assert_status(w, change(w, "DELETE", "/v1/connectors/manual", "", NULL), 409);
    assert_status(w, change(w, "PATCH", "/v1/connectors/manual", "{\"settings\":{}}", NULL), 409);
    assert_status(w, change(w, "POST", "/v1/connectors/manual/test", "{}", NULL), 409);
}

static void a_rotated_or_activated_key_gets_its_certificate_by_its_connector(void **state)
{
    struct world *w = *state;
    char key[ID_SIZE], job[ID_SIZE], target[128];

    assert_status(w,
                  world_post(w, OWNER, "/v1/projects/demo/keys",
                             "{\"label\":\"later\",\"type\":\"p256\",\"generate\":\"later\",\"certificate\":"
                             "{\"connector\":\"est\",\"subject\":\"CN=later\"}}"),
                  201);
    assert_string_equal(answer_text(w, "job"), "");
    (void)text_copy(key, sizeof(key), answer_text(w, "id"));
    static const char *const steps[] = {"activate", "rotate"};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        (void)snprintf(target, sizeof(target), "/v1/keys/%s/%s", key, steps[i]);
        assert_status(w, world_post(w, OWNER, target, "{}"), 200);
        (void)text_copy(job, sizeof(job), answer_text(w, "job"));
        assert_done(w, job);
        assert_chain(key, "later");
    }
    assert_status(w, world_get(w, AUDITOR, "/v1/jobs?state=done&kind=enroll"), 200);
}

/* ---- where the next certificate comes from */

static void an_owner_is_told_the_connectors_without_their_settings(void **state)
{
    static const char *const secrets[] = {"settings", "127.0.0.1", "est.secret", ".pem", "created"};
    struct world *w = *state;
    bool is_there = false;

    assert_status(w, world_get(w, OWNER, "/v1/projects/demo/key-sources"), 200);
    const struct json *items = json_get(w->answer, "connectors");
    for (size_t i = 0; i < json_count(items); i++) {
        const struct json *item = json_at(items, i);
        if (strcmp(json_get_text(item, "name", ""), "est") != 0)
            continue;
        is_there = true;
        assert_int_equal(json_count(item), 3);
        assert_string_equal(json_get_text(item, "type", ""), "est");
        assert_int_equal(json_count(json_get(item, "capabilities")), 3); /* but revocation */
    }
    assert_true(is_there);
    for (size_t i = 0; i < COUNT_OF(secrets); i++)
        assert_null(strstr(buf_text(&w->x.response_body), secrets[i]));
}

static void a_job_names_its_key_and_a_test_has_none(void **state)
{
    struct world *w = *state;
    char key[ID_SIZE], job[ID_SIZE];

    key_make(w, "own", "named", "p256", key, job);
    assert_done(w, job);
    assert_string_equal(answer_text(w, "key_name"), "demo:named");
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s/jobs", key), 200);
    assert_string_equal(json_get_text(json_at(json_get(w->answer, "items"), 0), "key_name", ""), "demo:named");
    assert_status(w, world_post(w, ADMIN, "/v1/connectors/own/test", "{}"), 202);
    (void)text_copy(job, sizeof(job), answer_text(w, "id"));
    assert_done(w, job);
    assert_int_equal(json_type(json_get(w->answer, "key_name")), JSON_NULL);
}

static void builtin_key(struct world *w, const char *label, char key[ID_SIZE])
{
    assert_status(
        w,
        world_post(w, OWNER, "/v1/projects/demo/keys",
                   "{\"label\":\"%s\",\"type\":\"p256\",\"certificate\":{\"subject\":\"CN=Moved %s,O=Example\"}}",
                   label, label),
        201);
    (void)text_copy(key, ID_SIZE, answer_text(w, "id"));
}

static int key_act(struct world *w, const char *key, const char *action, const char *body)
{
    char target[128];

    (void)snprintf(target, sizeof(target), "/v1/keys/%s/%s", key, action);
    return world_post(w, OWNER, target, "%s", body);
}

/* The last record says from where to where; "": the built-in CA. */
static void assert_moved(struct world *w, const char *type, const char *from, const char *to)
{
    cleanup_json struct json *record = world_last_record(w);
    const struct json *detail = json_get(record, "detail");

    assert_string_equal(json_get_text(record, "type", ""), type);
    assert_non_null(json_get(detail, "connector_before"));
    assert_string_equal(json_get_text(detail, "connector_before", ""), from);
    assert_string_equal(json_get_text(detail, "connector", ""), to);
}

static void a_rotation_or_renewal_moves_the_key_to_the_connector_named_with_its_name(void **state)
{
    struct world *w = *state;
    char key[ID_SIZE], job[ID_SIZE];

    builtin_key(w, "around", key);
    assert_status(w, key_act(w, key, "rotate", "{\"connector\":\"est\"}"), 200);
    assert_string_equal(answer_text(w, "connector_name"), "est");
    int64_t revision = json_get_integer(w->answer, "revision", 0);
    (void)text_copy(job, sizeof(job), answer_text(w, "job"));
    assert_moved(w, "key.rotate", "", "est");
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s", key), 200);
    assert_int_equal(json_get_integer(w->answer, "revision", 0), revision);
    assert_string_equal(answer_text(w, "connector_name"), "est");
    assert_done(w, job);
    assert_chain(key, "Moved around");

    assert_status(w, key_act(w, key, "renew", "{\"connector\":\"builtin\"}"), 200);
    assert_int_equal(json_type(json_get(w->answer, "connector")), JSON_NULL);
    assert_moved(w, "key.renew", "est", "");
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s/certificate", key), 200);
    assert_string_equal(answer_text(w, "ca"), "issuing");
    assert_non_null(strstr(answer_text(w, "subject"), "CN=Moved around"));

    assert_status(w, key_act(w, key, "renew", "{\"connector\":\"cmp\"}"), 202);
    (void)text_copy(job, sizeof(job), answer_text(w, "job"));
    assert_moved(w, "key.renew", "", "cmp");
    peer_ready(w, "cmp", key, "around");
    assert_done(w, job);
    assert_chain(key, "Moved around");
    assert_status(
        w, key_act(w, key, "rotate", "{\"connector\":\"builtin\",\"subject\":\"CN=Other\",\"ca\":\"issuing\"}"), 200);
    assert_moved(w, "key.rotate", "cmp", "");
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s/certificate", key), 200);
    assert_string_equal(answer_text(w, "subject"), "CN=Other");
}

/* An update of another CA's certificate would be refused by the new one, which does not know it. */
static void a_certificate_of_another_ca_is_no_reenrolment(void **state)
{
    struct world *w = *state;
    char key[ID_SIZE], job[ID_SIZE];

    builtin_key(w, "enrolled", key);
    static const char *const asked[] = {"simpleenroll", "simplereenroll"};
    for (size_t i = 0; i < COUNT_OF(asked); i++) {
        assert_status(w, key_act(w, key, "renew", "{\"connector\":\"est\"}"), 202);
        (void)text_copy(job, sizeof(job), answer_text(w, "job"));
        peers_write(&peers, "requests", "", 0600);
        assert_done(w, job);
        assert_chain(key, "Moved enrolled");
        peers_run(&peers, "grep -q '%s' requests", asked[i]);
    }
    cleanup_json struct json *record = world_last_record(w);
    assert_null(json_get(json_get(record, "detail"), "connector_before"));
}

static void a_connector_that_does_not_fit_changes_nothing(void **state)
{
    static const struct {
        const char *action, *body;
        enum code code;
        const char *said;
    } rows[] = {
        {"rotate", "{\"connector\":\"nowhere\"}", CODE_INVALID, "connector: there is none of the name nowhere"},
        {"renew", "{\"connector\":\"nowhere\"}", CODE_INVALID, "connector: there is none of the name nowhere"},
        {"rotate", "{\"connector\":\"none\"}", CODE_INVALID, "connector"},
        {"renew", "{\"connector\":\"No Name\"}", CODE_INVALID, "connector: the name of"},
        {"rotate", "{\"connector\":\"est\",\"ca\":\"issuing\"}", CODE_INVALID, "ca:"},
        {"renew", "{\"connector\":\"est\",\"ca\":\"issuing\"}", CODE_INVALID, "ca:"},
        {"renew", "{\"connector\":\"manual\"}", CODE_CONFLICT, "CSR"},
    };
    struct world *w = *state;
    char key[ID_SIZE];

    builtin_key(w, "steady", key);
    int generated = w->faults->generated;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)key_act(w, key, rows[i].action, rows[i].body);
        assert_problem(w, rows[i].code, rows[i].said);
    }
    assert_int_equal(w->faults->generated, generated);
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s", key), 200);
    assert_int_equal(json_get_integer(w->answer, "revision", 0), 1);
    assert_int_equal(json_type(json_get(w->answer, "connector")), JSON_NULL);
    assert_status(w, key_act(w, key, "rotate", "{\"connector\":\"manual\"}"), 200);
    assert_string_equal(answer_text(w, "connector_name"), "manual");
    assert_int_equal(json_count(json_get(w->answer, "certificates")), 0);
    assert_moved(w, "key.rotate", "", "manual");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_connector_fetches_the_certificate_of_a_new_key),
        cmocka_unit_test(every_connector_renews_and_the_certificate_before_is_kept),
        cmocka_unit_test(every_connector_can_be_tested),
        cmocka_unit_test(every_remote_connector_survives_that_nobody_answers),
        cmocka_unit_test(est_waits_as_long_as_it_is_told_and_asks_with_the_same_request),
        cmocka_unit_test(a_job_that_was_cut_off_is_taken_up_without_a_second_certificate),
        cmocka_unit_test(servers_that_share_a_store_do_each_job_once),
        cmocka_unit_test(est_answers_that_are_not_as_they_must_be_end_the_job_and_change_nothing),
        cmocka_unit_test(est_believes_no_server_outside_of_its_anchors),
        cmocka_unit_test(est_takes_a_client_certificate),
        cmocka_unit_test(cmp_polls_in_one_transaction),
        cmocka_unit_test(cmp_takes_every_kind_of_request),
        cmocka_unit_test(cmp_takes_a_client_certificate_and_signed_answers),
        cmocka_unit_test(cmp_answers_that_are_not_as_they_must_be_end_the_job_and_change_nothing),
        cmocka_unit_test(i4_a_revoked_certificate_signs_no_more_whatever_its_ca_says),
        cmocka_unit_test(cmp_revokes_by_a_job_and_est_has_none),
        cmocka_unit_test(what_was_on_its_way_when_a_certificate_was_revoked_is_not_taken),
        cmocka_unit_test(settings_are_read_strictly),
        cmocka_unit_test(a_connector_is_changed_and_removed_by_revision_and_never_while_in_use),
        cmocka_unit_test(a_rotated_or_activated_key_gets_its_certificate_by_its_connector),
        cmocka_unit_test(an_owner_is_told_the_connectors_without_their_settings),
        cmocka_unit_test(a_job_names_its_key_and_a_test_has_none),
        cmocka_unit_test(a_rotation_or_renewal_moves_the_key_to_the_connector_named_with_its_name),
        cmocka_unit_test(a_certificate_of_another_ca_is_no_reenrolment),
        cmocka_unit_test(a_connector_that_does_not_fit_changes_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

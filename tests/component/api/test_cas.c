/* SPDX-License-Identifier: Apache-2.0 */
/* CAs, what they issue, revocation, and what those who verify fetch without TLS, on a real HSM. The judges are
 * OpenSSL's own verification and the answers' signatures. */
#include "world.h"

#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "../hsm/faulty.h"
#include "common/encoding.h"
#include "common/openssl_scope.h"
#include "common/text.h"

#define CKR_TOKEN_NOT_PRESENT_ 0xe0UL /* PKCS#11: only server/hsm sees its header */

/* ---- the listener without TLS */

static int public_ask(struct world *w, const char *method, const char *target, struct slice body, const char *type)
{
    char header[80];
    const struct http_config config = {.request_timeout_ms = 60000, .tables = api_public_tables, .api = &w->api};
    const char *const headers[] = {type ? header : NULL, NULL};
    (void)snprintf(header, sizeof(header), "Content-Type: %s", type ? type : "");
    w->x.method = method;
    w->x.target = target;
    w->x.headers = headers;
    w->x.body = body;
    assert_ok(w, http_route_in_memory(&config, &w->x, &w->err));
    return w->x.status;
}

static X509 *public_certificate(struct world *w, const char *ca)
{
    char target[128];
    (void)snprintf(target, sizeof(target), "/ca/%s.cer", ca);
    assert_int_equal(public_ask(w, "GET", target, (struct slice){0}, NULL), 200);
    const unsigned char *at = w->x.response_body.data;
    X509 *crt = d2i_X509(NULL, &at, (long)w->x.response_body.len);
    assert_non_null(crt);
    return crt;
}

static X509_CRL *public_crl(struct world *w, const char *ca)
{
    char target[128];
    (void)snprintf(target, sizeof(target), "/ca/%s.crl", ca);
    assert_int_equal(public_ask(w, "GET", target, (struct slice){0}, NULL), 200);
    assert_string_equal(answer_header(w, "Content-Type"), "application/pkix-crl");
    const unsigned char *at = w->x.response_body.data;
    X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)w->x.response_body.len);
    assert_non_null(crl);
    return crl;
}

static int64_t crl_number(X509_CRL *crl)
{
    int64_t number = 0;
    ASN1_INTEGER *value = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    assert_non_null(value);
    assert_int_equal(ASN1_INTEGER_get_int64(&number, value), 1);
    ASN1_INTEGER_free(value);
    return number;
}

/* Whether the CRL is the CA's, and lists the certificate; *reason is -1 where the entry has none. */
static bool crl_lists(struct world *w, const char *ca, X509 *crt, int *reason, int64_t *number)
{
    X509_CRL *crl = public_crl(w, ca);
    cleanup_x509 X509 *issuer = public_certificate(w, ca);
    X509_REVOKED *entry = NULL;
    assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(issuer)), 1);
    assert_int_equal(X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer)), 0);
    bool listed = X509_CRL_get0_by_serial(crl, &entry, X509_get_serialNumber(crt)) == 1;
    ASN1_ENUMERATED *code = listed ? X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL) : NULL;
    *reason = code ? (int)ASN1_ENUMERATED_get(code) : -1;
    *number = crl_number(crl);
    ASN1_ENUMERATED_free(code);
    X509_CRL_free(crl);
    return listed;
}

/* ---- keys */

/* A key of the project demo with a certificate of the CA; its id and certificate. */
static X509 *key_make(struct world *w, const char *label, const char *ca, char id[ID_SIZE])
{
    cleanup_buf struct buf der = {0};
    assert_status(w,
                  world_post(w, OWNER, "/v1/projects/demo/keys",
                             "{\"label\":\"%s\",\"type\":\"p256\",\"certificate\":{\"ca\":\"%s\"}}", label, ca),
                  201);
    (void)text_copy(id, ID_SIZE, answer_text(w, "id"));
    const char *text = json_text(json_at(json_get(w->answer, "certificates"), 0), "");
    assert_ok(w, base64_decode(text, strlen(text), &der, &w->err));
    const unsigned char *at = der.data;
    X509 *crt = d2i_X509(NULL, &at, (long)der.len);
    assert_non_null(crt);
    return crt;
}

static int certificate_revoke(struct world *w, const char *id, const char *body)
{
    char target[128];
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/versions/1/revoke", id);
    return world_post(w, OWNER, target, "%s", body);
}

/* ---- OCSP */

static OCSP_REQUEST *ocsp_question(const EVP_MD *md, X509 *crt, X509 *issuer, bool nonce)
{
    OCSP_REQUEST *r = OCSP_REQUEST_new();
    assert_non_null(OCSP_request_add0_id(r, OCSP_cert_to_id(md, crt, issuer)));
    if (nonce)
        assert_int_equal(OCSP_request_add1_nonce(r, NULL, 32), 1);
    return r;
}

/* The status of the certificate, or minus the response's status where that is not successful. The response must be
 * signed by a certificate that the issuer made for it, and carry the nonce when asked to. */
static int ocsp_status(struct world *w, const char *ca, OCSP_REQUEST *question, X509 *crt, X509 *issuer)
{
    char target[64];
    unsigned char *der = NULL;
    int len = i2d_OCSP_REQUEST(question, &der), found = -1;
    (void)snprintf(target, sizeof(target), "/ocsp/%s", ca);
    assert_int_equal(public_ask(w, "POST", target, (struct slice){der, (size_t)len}, "application/ocsp-request"), 200);
    OPENSSL_free(der);
    assert_string_equal(answer_header(w, "Content-Type"), "application/ocsp-response");
    const unsigned char *at = w->x.response_body.data;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)w->x.response_body.len);
    assert_non_null(response);
    if (OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
        found = -OCSP_response_status(response);
        OCSP_RESPONSE_free(response);
        return found;
    }
    OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
    X509_STORE *trusted = X509_STORE_new();
    STACK_OF(X509) *others = sk_X509_new_null();
    cleanup_x509 X509 *root = public_certificate(w, "root");
    assert_int_equal(X509_STORE_add_cert(trusted, root), 1);
    sk_X509_push(others, issuer);
    assert_int_equal(OCSP_basic_verify(basic, others, trusted, 0), 1);
    assert_true(OCSP_check_nonce(question, basic) > 0);
    int hash = NID_sha1;
    ASN1_OBJECT *algorithm = NULL;
    (void)OCSP_id_get0_info(NULL, &algorithm, NULL, NULL, OCSP_onereq_get0_id(OCSP_request_onereq_get0(question, 0)));
    hash = OBJ_obj2nid(algorithm);
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_get_digestbynid(hash), crt, issuer);
    assert_int_equal(OCSP_resp_find_status(basic, id, &found, NULL, NULL, NULL, NULL), 1);
    OCSP_CERTID_free(id);
    sk_X509_free(others);
    X509_STORE_free(trusted);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    return found;
}

static int ocsp_ask(struct world *w, const char *ca, const EVP_MD *md, X509 *crt, bool nonce)
{
    cleanup_x509 X509 *issuer = public_certificate(w, ca);
    OCSP_REQUEST *question = ocsp_question(md, crt, issuer, nonce);
    int found = ocsp_status(w, ca, question, crt, issuer);
    OCSP_REQUEST_free(question);
    return found;
}

/* ---- tests */

static void a_ca_below_the_root_issues_and_its_chain_verifies(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];

    assert_status(w,
                  world_post(w, ADMIN, "/v1/cas",
                             "{\"name\":\"release\",\"purpose\":\"code_signing\",\"subject\":\"CN=Release CA,O=E\","
                             "\"key_type\":\"rsa3072\",\"policy\":\"1.3.6.1.4.1.99999.1\",\"leaf_days\":30}"),
                  201);
    assert_string_equal(answer_text(w, "parent"), "root");
    assert_string_equal(answer_text(w, "crl_url"), PUBLIC_URL "/ca/release.crl");
    cleanup_x509 X509 *leaf = key_make(w, "of-release", "release", id);
    cleanup_x509 X509 *ca = public_certificate(w, "release");
    cleanup_x509 X509 *root = public_certificate(w, "root");
    assert_int_equal(X509_verify(leaf, X509_get0_pubkey(ca)), 1);
    assert_int_equal(X509_verify(ca, X509_get0_pubkey(root)), 1);
    assert_true(X509_get_ext_by_NID(leaf, NID_certificate_policies, -1) >= 0);
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s", id), 200);
    assert_int_equal(json_count(json_get(w->answer, "certificates")), 3);
    assert_status(w,
                  world_post(w, OWNER, "/v1/projects/demo/keys",
                             "{\"label\":\"long\",\"type\":\"p256\",\"certificate\":{\"ca\":\"release\",\"days\":31}}"),
                  400);
    assert_problem(w, CODE_INVALID, "days: 1 to 30");
}

static void a_ca_issues_what_it_is_for_and_nothing_when_retired(void **state)
{
    struct world *w = *state;
    static const char key[] = "{\"label\":\"k\",\"type\":\"p256\",\"certificate\":{\"ca\":\"%s\"}}";

    assert_status(
        w, world_post(w, ADMIN, "/v1/cas", "{\"name\":\"times\",\"purpose\":\"timestamping\",\"subject\":\"CN=T\"}"),
        201);
    assert_status(w, world_post(w, OWNER, "/v1/projects/demo/keys", key, "times"), 409);
    assert_problem(w, CODE_CONFLICT, "the CA times is for timestamping");
    assert_status(w, world_post(w, OWNER, "/v1/projects/demo/keys", key, "root"), 409);
    assert_status(w, world_post(w, OWNER, "/v1/projects/demo/keys", key, "nothing"), 404);
    assert_status(
        w, world_post(w, ADMIN, "/v1/cas", "{\"name\":\"old\",\"purpose\":\"code_signing\",\"subject\":\"CN=O\"}"),
        201);
    assert_status(w, world_ask(w, ADMIN, "PATCH", "/v1/cas/old", "{\"state\":\"retired\"}"), 200);
    assert_status(w, world_post(w, OWNER, "/v1/projects/demo/keys", key, "old"), 409);
    assert_problem(w, CODE_CONFLICT, "retired");
    assert_status(
        w,
        world_post(w, ADMIN, "/v1/cas",
                   "{\"name\":\"below\",\"purpose\":\"code_signing\",\"subject\":\"CN=B\",\"parent\":\"issuing\"}"),
        409);
    assert_problem(w, CODE_CONFLICT, "certifies no other CA");
}

static void a_revocation_is_on_the_next_crl_and_in_the_next_ocsp_answer(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];
    int reason = 0;
    int64_t before = 0, after = 0;
    cleanup_x509 X509 *crt = key_make(w, "revoked", "issuing", id);

    assert_false(crl_lists(w, "issuing", crt, &reason, &before));
    assert_int_equal(ocsp_ask(w, "issuing", EVP_sha1(), crt, false), V_OCSP_CERTSTATUS_GOOD);
    assert_status(
        w, certificate_revoke(w, id, "{\"reason\":\"key_compromise\",\"invalid_since\":\"2026-01-01T00:00:00Z\"}"),
        200);
    assert_true(crl_lists(w, "issuing", crt, &reason, &after));
    assert_int_equal(reason, 1);
    assert_int_equal(after, before + 1);
    assert_int_equal(ocsp_ask(w, "issuing", EVP_sha1(), crt, false), V_OCSP_CERTSTATUS_REVOKED);
    assert_int_equal(ocsp_ask(w, "issuing", EVP_sha256(), crt, true), V_OCSP_CERTSTATUS_REVOKED);
    assert_status(w, certificate_revoke(w, id, "{\"reason\":\"superseded\"}"), 409);
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s/certificate", id), 200);
    assert_true(*answer_text(w, "revoked"));
}

static void an_unspecified_reason_is_left_out_of_the_crl(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];
    int reason = 0;
    int64_t number = 0;
    cleanup_x509 X509 *crt = key_make(w, "unspecified", "issuing", id);

    assert_status(w, certificate_revoke(w, id, "{\"reason\":\"unspecified\"}"), 200);
    assert_true(crl_lists(w, "issuing", crt, &reason, &number));
    assert_int_equal(reason, -1);
}

static void a_fresh_crl_is_given_again_as_it_is(void **state)
{
    struct world *w = *state;
    X509_CRL *one = public_crl(w, "root"), *two = public_crl(w, "root");

    assert_int_equal(crl_number(one), crl_number(two));
    assert_string_equal(answer_header(w, "Cache-Control"), "public, max-age=3600, no-transform");
    assert_true(*answer_header(w, "Last-Modified") && *answer_header(w, "Expires"));
    X509_CRL_free(one);
    X509_CRL_free(two);
}

/* Ages the CRL in the store: half of its time is over, the rest is not. */
static void crl_age(struct world *w, const char *ca)
{
    struct db *db = store_writer(w->store);
    assert_ok(w, store_writer_lock(w->store, &w->err));
    assert_ok(w, db_exec(db,
                         "UPDATE certificate_authority SET crl_this_ms = crl_this_ms - 345600000, crl_next_ms = "
                         "crl_next_ms - 345600000 WHERE name = $1",
                         DB_PARAMS(db_text(ca)), NULL, &w->err));
    store_writer_unlock(w->store);
}

static void a_crl_past_half_of_its_time_is_made_anew_or_given_while_the_hsm_is_away(void **state)
{
    struct world *w = *state;
    X509_CRL *crl = public_crl(w, "root");
    int64_t number = crl_number(crl);
    X509_CRL_free(crl);

    crl_age(w, "root");
    atomic_store(&w->faults->sign_fail, CKR_TOKEN_NOT_PRESENT_);
    atomic_store(&w->faults->open_session_fail, CKR_TOKEN_NOT_PRESENT_);
    crl = public_crl(w, "root");
    assert_int_equal(crl_number(crl), number);
    X509_CRL_free(crl);
    atomic_store(&w->faults->open_session_fail, 0);
    struct deadline bound = deadline_in(20000);
    while (!is_ok(hsm_check(w->hsm.h, deadline_in(10000), &w->err)))
        assert_false(deadline_passed(bound));
    crl = public_crl(w, "root");
    assert_int_equal(crl_number(crl), number + 1);
    X509_CRL_free(crl);
}

static void ocsp_answers_by_sha1_and_sha256_with_the_nonce_asked_for(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];
    cleanup_x509 X509 *crt = key_make(w, "asked", "issuing", id);

    assert_int_equal(ocsp_ask(w, "issuing", EVP_sha1(), crt, true), V_OCSP_CERTSTATUS_GOOD);
    assert_string_equal(answer_header(w, "Cache-Control"), "public, max-age=86400, no-transform"); /* root.cer's */
    assert_int_equal(ocsp_ask(w, "issuing", EVP_sha256(), crt, true), V_OCSP_CERTSTATUS_GOOD);
    assert_int_equal(ocsp_ask(w, "issuing", EVP_sha256(), crt, false), V_OCSP_CERTSTATUS_GOOD);
}

static void ocsp_calls_unknown_what_was_never_issued_and_is_not_for_other_issuers(void **state)
{
    struct world *w = *state;
    cleanup_x509 X509 *issuing = public_certificate(w, "issuing");
    cleanup_x509 X509 *root = public_certificate(w, "root");

    assert_int_equal(ocsp_ask(w, "root", EVP_sha1(), issuing, false), V_OCSP_CERTSTATUS_GOOD);
    assert_int_equal(ocsp_ask(w, "root", EVP_sha1(), root, false), V_OCSP_CERTSTATUS_UNKNOWN);
    OCSP_REQUEST *question = ocsp_question(EVP_sha1(), issuing, root, false);
    assert_int_equal(ocsp_status(w, "issuing", question, issuing, root), -OCSP_RESPONSE_STATUS_UNAUTHORIZED);
    OCSP_REQUEST_free(question);
}

static int hsm_signatures(struct world *w, const char *target, struct slice body)
{
    int before = atomic_load(&w->faults->signed_count);
    assert_int_equal(public_ask(w, "POST", target, body, "application/ocsp-request"), 200);
    return atomic_load(&w->faults->signed_count) - before;
}

static void the_same_question_without_a_nonce_asks_the_hsm_once(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];
    unsigned char *der = NULL;
    cleanup_x509 X509 *crt = key_make(w, "often", "issuing", id);
    cleanup_x509 X509 *issuer = public_certificate(w, "issuing");
    OCSP_REQUEST *question = ocsp_question(EVP_sha1(), crt, issuer, false);
    int len = i2d_OCSP_REQUEST(question, &der);
    struct slice body = {der, (size_t)len};

    assert_int_equal(ocsp_ask(w, "issuing", EVP_sha256(), crt, true),
                     V_OCSP_CERTSTATUS_GOOD); /* the responder is there */
    assert_int_equal(hsm_signatures(w, "/ocsp/issuing", body), 1);
    assert_string_equal(answer_header(w, "Cache-Control"), "public, max-age=3600, no-transform");
    assert_int_equal(hsm_signatures(w, "/ocsp/issuing", body), 0);
    OCSP_REQUEST_free(question);
    question = ocsp_question(EVP_sha1(), crt, issuer, true);
    OPENSSL_free(der);
    der = NULL;
    len = i2d_OCSP_REQUEST(question, &der);
    body = (struct slice){der, (size_t)len};
    int searches = atomic_load(&w->faults->searches);
    assert_int_equal(hsm_signatures(w, "/ocsp/issuing", body), 1);
    assert_int_equal(hsm_signatures(w, "/ocsp/issuing", body), 1);
    assert_int_equal(atomic_load(&w->faults->searches), searches); /* for its signature alone */
    assert_string_equal(answer_header(w, "Cache-Control"), "no-store");
    OCSP_REQUEST_free(question);
    OPENSSL_free(der);
}

static void bad_ocsp_requests_are_answered_as_malformed_or_refused(void **state)
{
    struct world *w = *state;
    static const uint8_t malformed[] = {0x30, 0x03, 0x0a, 0x01, 0x01};
    static uint8_t big[OCSP_REQUEST_MOST + 1];
    static const char *const rows[] = {"", "garbage", "\x30\x00"};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(public_ask(w, "POST", "/ocsp/issuing", slice_of_text(rows[i]), "application/ocsp-request"),
                         200);
        assert_int_equal(w->x.response_body.len, sizeof(malformed));
        assert_memory_equal(w->x.response_body.data, malformed, sizeof(malformed));
    }
    assert_int_equal(public_ask(w, "GET", "/ocsp/issuing/not-base64!", (struct slice){0}, NULL), 200);
    assert_memory_equal(w->x.response_body.data, malformed, sizeof(malformed));
    assert_int_equal(public_ask(w, "POST", "/ocsp/issuing", slice_of_text("x"), "application/json"), 415);
    assert_int_equal(public_ask(w, "POST", "/ocsp/issuing", slice_of_text("x"), NULL), 415);
    assert_int_equal(public_ask(w, "POST", "/ocsp/nothing", slice_of_text("x"), "application/ocsp-request"), 404);
    assert_int_equal(
        public_ask(w, "POST", "/ocsp/issuing", (struct slice){big, sizeof(big)}, "application/ocsp-request"), 413);
    assert_int_equal(public_ask(w, "GET", "/ca/nothing.crl", (struct slice){0}, NULL), 404);
    assert_int_equal(public_ask(w, "GET", "/ca/nothing.cer", (struct slice){0}, NULL), 404);
    assert_int_equal(public_ask(w, "GET", "/ca/issuing.pem", (struct slice){0}, NULL), 404);
    assert_int_equal(public_ask(w, "GET", "/v1/ca", (struct slice){0}, NULL), 404);
}

static void issued_certificates_are_listed_and_revoked_by_serial(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE], serial[64];
    cleanup_x509 X509 *crt = key_make(w, "listed", "issuing", id);

    assert_status(w, world_get(w, OWNER, "/v1/keys/%s/certificate", id), 200);
    (void)text_copy(serial, sizeof(serial), answer_text(w, "serial"));
    char target[160];
    (void)snprintf(target, sizeof(target), "/v1/cas/issuing/certificates/%s/revoke", serial);
    assert_status(w, world_post(w, ADMIN, target, "{\"reason\":\"superseded\",\"at\":\"2001-01-01T00:00:00Z\"}"), 400);
    assert_problem(w, CODE_INVALID, "at: the certificate was not valid then");
    assert_status(w, world_post(w, ADMIN, target, "{\"reason\":\"hold\"}"), 400);
    assert_problem(w, CODE_INVALID, "reason: one of unspecified, key_compromise");
    assert_status(
        w, world_post(w, ADMIN, target, "{\"reason\":\"superseded\",\"invalid_since\":\"2001-01-01T00:00:00Z\"}"), 400);
    assert_status(w, world_post(w, ADMIN, target, "{\"reason\":\"superseded\",\"at\":\"2999-01-01T00:00:00Z\"}"), 400);
    assert_status(w, world_post(w, ADMIN, target, "{\"reason\":\"superseded\"}"), 200);
    assert_string_equal(answer_text(w, "reason"), "superseded");
    assert_status(w, world_post(w, ADMIN, target, "{\"reason\":\"superseded\"}"), 409);
    assert_status(w, world_get(w, AUDITOR, "/v1/cas/issuing/certificates?state=revoked&limit=1"), 200);
    assert_int_equal(json_count(json_get(w->answer, "items")), 1);
    assert_status(w, world_get(w, AUDITOR, "/v1/cas/issuing/certificates?state=expiring"), 200);
    assert_status(w, world_get(w, AUDITOR, "/v1/cas/nothing/certificates"), 404);
    struct json *record = world_last_record(w);
    assert_string_equal(json_get_text(record, "type", ""), "certificate.revoke");
    json_free(record);
}

static int sign(struct world *w, const char *id)
{
    cleanup_buf struct buf body = {0};
    digest_body("ecdsa", 7, &body);
    return world_sign(w, SIGNER, id, buf_text(&body));
}

static void a_key_with_a_revoked_certificate_signs_only_where_policy_says_so(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE], target[128];
    cleanup_x509 X509 *crt = key_make(w, "signs", "issuing", id);

    assert_status(w, sign(w, id), 201);
    assert_status(w, certificate_revoke(w, id, "{\"reason\":\"superseded\"}"), 200);
    assert_status(w, sign(w, id), 403);
    assert_problem(w, CODE_KEY_EXPIRED, "the certificate was revoked at");
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/policy", id);
    assert_status(w, world_ask(w, OWNER, "PUT", target, "{\"hashes\":[\"sha256\"]}"), 200);
    assert_status(w, sign(w, id), 403);
    assert_problem(w, CODE_KEY_EXPIRED, "policy of the key: the certificate was revoked at");
    assert_status(w, world_ask(w, OWNER, "PUT", target, "{\"certificate\":{\"refuse_revoked\":false}}"), 200);
    assert_status(w, sign(w, id), 201);
    assert_status(w,
                  world_post(w, ADMIN, "/v1/access/explain",
                             "{\"principal\":\"signer\",\"key\":\"%s\",\"mechanism\":\"ecdsa\",\"hash\":\"sha256\"}",
                             id),
                  200);
    assert_non_null(strstr(buf_text(&w->x.response_body), "policy.revoked"));
    assert_non_null(strstr(buf_text(&w->x.response_body), "the policy allows it"));
    assert_status(w, world_ask(w, OWNER, "DELETE", target, NULL), 200);
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/renew", id);
    assert_status(w, world_ask(w, OWNER, "POST", target, "{}"), 200);
    assert_status(w, sign(w, id), 201);
}

/* ---- a CA certified by somebody outside */

struct outside {
    EVP_PKEY *key;
    X509 *root;
};

static X509 *outside_sign(const struct outside *o, EVP_PKEY *subject_key, const char *cn, const char *constraints,
                          const char *usage)
{
    static long serial = 1000;
    X509 *crt = X509_new();
    X509V3_CTX ctx;
    X509_set_version(crt, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(crt), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(crt), -60);
    X509_gmtime_adj(X509_getm_notAfter(crt), 86400);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(crt), "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0);
    X509_set_issuer_name(crt, o->root ? X509_get_subject_name(o->root) : X509_get_subject_name(crt));
    X509_set_pubkey(crt, subject_key);
    X509V3_set_ctx(&ctx, o->root ? o->root : crt, crt, NULL, NULL, 0);
    const struct {
        int nid;
        const char *value;
    } extensions[] = {{NID_basic_constraints, constraints},
                      {NID_key_usage, usage},
                      {NID_subject_key_identifier, "hash"},
                      {NID_authority_key_identifier, "keyid:always"}};
    for (size_t i = 0; i < COUNT_OF(extensions); i++) {
        X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, extensions[i].nid, extensions[i].value);
        assert_non_null(e);
        X509_add_ext(crt, e, -1);
        X509_EXTENSION_free(e);
    }
    assert_true(X509_sign(crt, o->key, EVP_sha256()) > 0);
    return crt;
}

/* PEM of some certificates as a JSON string's content. */
static void pem_json(X509 *const *certificates, size_t count, struct buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    for (size_t i = 0; i < count; i++)
        assert_int_equal(PEM_write_bio_X509(bio, certificates[i]), 1);
    long len = BIO_get_mem_data(bio, &text);
    for (long i = 0; i < len; i++) {
        if (text[i] == '\n')
            buf_add_text(out, "\\n");
        else
            buf_add(out, &text[i], 1);
    }
    BIO_free(bio);
}

static int certificate_put(struct world *w, X509 *const *certificates, size_t count)
{
    cleanup_buf struct buf body = {0};
    buf_add_text(&body, "{\"certificate\":\"");
    pem_json(certificates, count, &body);
    buf_add_text(&body, "\"}");
    return world_ask(w, ADMIN, "PUT", "/v1/cas/outside/certificate", buf_text(&body));
}

static EVP_PKEY *csr_key(struct world *w)
{
    assert_status(w, world_get(w, ADMIN, "/v1/cas/outside/csr"), 200);
    const char *pem = answer_text(w, "csr");
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509_REQ *req = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    assert_non_null(req);
    EVP_PKEY *key = X509_REQ_get_pubkey(req);
    assert_int_equal(X509_REQ_verify(req, key), 1);
    X509_REQ_free(req);
    BIO_free(bio);
    return key;
}

static void a_ca_certified_from_outside_takes_what_fits_and_nothing_else(void **state)
{
    struct world *w = *state;
    struct outside o = {.key = EVP_EC_gen("P-256")};
    o.root = outside_sign(&o, o.key, "Outside Root", "critical,CA:TRUE", "critical,keyCertSign,cRLSign");
    char id[ID_SIZE];

    assert_status(w,
                  world_post(w, ADMIN, "/v1/cas",
                             "{\"name\":\"outside\",\"purpose\":\"code_signing\",\"subject\":\"CN=Ours\","
                             "\"external\":true}"),
                  201);
    assert_string_equal(answer_text(w, "state"), "awaiting_certificate");
    assert_status(w,
                  world_post(w, OWNER, "/v1/projects/demo/keys",
                             "{\"label\":\"early\",\"type\":\"p256\",\"certificate\":{\"ca\":\"outside\"}}"),
                  409);
    assert_status(w, world_ask(w, ADMIN, "PATCH", "/v1/cas/outside", "{\"state\":\"retired\"}"), 409);
    assert_int_equal(public_ask(w, "GET", "/ca/outside.crl", (struct slice){0}, NULL), 404);
    cleanup_pkey EVP_PKEY *key = csr_key(w);
    X509 *good = outside_sign(&o, key, "Ours", "critical,CA:TRUE,pathlen:0", "critical,keyCertSign,cRLSign");
    X509 *leaf = outside_sign(&o, key, "Ours", "critical,CA:FALSE", "critical,digitalSignature");
    X509 *mute = outside_sign(&o, key, "Ours", "critical,CA:TRUE", "critical,keyCertSign");
    X509 *other = outside_sign(&o, o.key, "Ours", "critical,CA:TRUE", "critical,keyCertSign,cRLSign");
    struct outside stranger = {.key = EVP_EC_gen("P-256")};
    stranger.root = outside_sign(&stranger, stranger.key, "Outside Root", "critical,CA:TRUE", "critical,keyCertSign");
    const struct {
        X509 *certificates[2];
        size_t count;
        const char *why;
    } refused[] = {{{leaf, o.root}, 2, "no CA certificate"},
                   {{mute, o.root}, 2, "keyUsage needs"},
                   {{other, o.root}, 2, "is of the key"},
                   {{good}, 1, "root: the root certificate is not"},
                   {{good, stranger.root}, 2, "does not verify"}};
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        assert_status(w, certificate_put(w, refused[i].certificates, refused[i].count), 400);
        assert_problem(w, CODE_INVALID, refused[i].why);
        assert_status(w, world_get(w, ADMIN, "/v1/cas/outside"), 200);
        assert_string_equal(answer_text(w, "state"), "awaiting_certificate");
    }
    X509 *const both[] = {o.root, good};
    assert_status(w, certificate_put(w, both, 2), 200);
    assert_true(json_count(json_get(w->answer, "findings")) > 0);
    cleanup_x509 X509 *crt = key_make(w, "of-outside", "outside", id);
    assert_int_equal(X509_verify(crt, key), 1);
    assert_status(w, world_get(w, OWNER, "/v1/keys/%s", id), 200);
    assert_int_equal(json_count(json_get(w->answer, "certificates")), 3);
    X509 *const all[] = {good, leaf, mute, other, o.root, stranger.root};
    for (size_t i = 0; i < COUNT_OF(all); i++)
        X509_free(all[i]);
    EVP_PKEY_free(o.key);
    EVP_PKEY_free(stranger.key);
}

static void the_orders_of_a_ca_are_judged(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *members, *why;
    } rows[] = {
        {"\"name\":\"A\",\"purpose\":\"code_signing\",\"subject\":\"CN=A\"", "name"},
        {"\"name\":\"a\",\"purpose\":\"root\",\"subject\":\"CN=A\"", "purpose"},
        {"\"name\":\"a\",\"purpose\":\"code_signing\",\"subject\":\"A\"", "subject"},
        {"\"name\":\"a\",\"purpose\":\"code_signing\",\"subject\":\"CN=A\",\"key_type\":\"ed25519\"", "key_type"},
        {"\"name\":\"a\",\"purpose\":\"code_signing\",\"subject\":\"CN=A\",\"key_type\":\"rsa2048\"", "key_type"},
        {"\"name\":\"a\",\"purpose\":\"code_signing\",\"subject\":\"CN=A\",\"parent\":\"nothing\"", "parent"},
        {"\"name\":\"a\",\"purpose\":\"code_signing\",\"subject\":\"CN=A\",\"policy\":\"1..2\"", "policy"},
        {"\"name\":\"a\",\"purpose\":\"code_signing\",\"subject\":\"CN=A\",\"leaf_days\":461", "leaf_days"},
        {"\"name\":\"a\",\"purpose\":\"code_signing\",\"subject\":\"CN=A\",\"crl_days\":-1", "crl_days"},
        {"\"name\":\"a\",\"purpose\":\"code_signing\",\"subject\":\"CN=A\",\"external\":true,\"days\":3", "external"},
    };
    int before = atomic_load(&w->faults->generated);

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_status(w, world_post(w, ADMIN, "/v1/cas", "{%s}", rows[i].members), 400);
        assert_problem(w, CODE_INVALID, rows[i].why);
    }
    assert_status(
        w, world_post(w, ADMIN, "/v1/cas", "{\"name\":\"issuing\",\"purpose\":\"code_signing\",\"subject\":\"CN=A\"}"),
        409);
    assert_int_equal(atomic_load(&w->faults->generated), before);
    assert_status(w, world_get(w, STRANGER, "/v1/cas?state=active&name=iss"), 200);
    assert_int_equal(json_count(json_get(w->answer, "items")), 1);
    assert_status(w, world_get(w, ADMIN, "/v1/cas/nothing"), 404);
    assert_status(w, world_get(w, ADMIN, "/v1/cas/issuing/csr"), 409);
    assert_status(w, world_get(w, ADMIN, "/v1/cas/nothing/csr"), 404);
    assert_status(w, world_get(w, ADMIN, "/v1/cas/issuing/crl"), 200);
    assert_status(w, world_get(w, ADMIN, "/v1/cas/nothing/crl"), 404);
    assert_status(w, world_ask(w, ADMIN, "PUT", "/v1/cas/issuing/certificate", "{\"certificate\":\"MAA=\"}"), 409);
    assert_status(w, world_ask(w, ADMIN, "PUT", "/v1/cas/nothing/certificate", "{\"certificate\":\"MAA=\"}"), 404);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ca_below_the_root_issues_and_its_chain_verifies),
        cmocka_unit_test(a_ca_issues_what_it_is_for_and_nothing_when_retired),
        cmocka_unit_test(a_revocation_is_on_the_next_crl_and_in_the_next_ocsp_answer),
        cmocka_unit_test(an_unspecified_reason_is_left_out_of_the_crl),
        cmocka_unit_test(a_fresh_crl_is_given_again_as_it_is),
        cmocka_unit_test(a_crl_past_half_of_its_time_is_made_anew_or_given_while_the_hsm_is_away),
        cmocka_unit_test(ocsp_answers_by_sha1_and_sha256_with_the_nonce_asked_for),
        cmocka_unit_test(ocsp_calls_unknown_what_was_never_issued_and_is_not_for_other_issuers),
        cmocka_unit_test(the_same_question_without_a_nonce_asks_the_hsm_once),
        cmocka_unit_test(bad_ocsp_requests_are_answered_as_malformed_or_refused),
        cmocka_unit_test(issued_certificates_are_listed_and_revoked_by_serial),
        cmocka_unit_test(a_key_with_a_revoked_certificate_signs_only_where_policy_says_so),
        cmocka_unit_test(a_ca_certified_from_outside_takes_what_fits_and_nothing_else),
        cmocka_unit_test(the_orders_of_a_ca_are_judged),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}

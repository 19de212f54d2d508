/* SPDX-License-Identifier: Apache-2.0 */
/* The timestamp authority through the API: making and changing it, an outside CA's certificate, and queries. */
#include "world.h"

#include <openssl/pem.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "common/encoding.h"

#define QUERY_TYPE "application/timestamp-query"

/* SEQUENCE { 1, { sha256, 32 bytes }, certReq TRUE } */
static const uint8_t query[] = {
    0x30, 0x37, 0x02, 0x01, 0x01, 0x30, 0x2f, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
    0x01, 0x04, 0x20, 1,    2,    3,    4,    5,    6,    7,    8,    1,    2,    3,    4,    5,    6,    7,    8,
    1,    2,    3,    4,    5,    6,    7,    8,    1,    2,    3,    4,    5,    6,    7,    8,    0x01, 0x01, 0xff};

static int stamp(struct world *w, struct slice body, const char *type)
{
    const struct call call = {.who = NOBODY, .method = "POST", .target = "/tsa", .body = body, .content_type = type};

    return world_call(w, &call);
}

/* The answer to a query; freed by the caller. */
static TS_RESP *asked(struct world *w, struct slice body)
{
    assert_status(w, stamp(w, body, QUERY_TYPE), 200);
    assert_string_equal(answer_header(w, "Content-Type"), "application/timestamp-reply");
    const unsigned char *at = w->x.response_body.data;
    TS_RESP *response = d2i_TS_RESP(NULL, &at, (long)w->x.response_body.len);
    assert_non_null(response);
    return response;
}

static const struct slice good = {query, sizeof query};

static void assert_granted(struct world *w)
{
    TS_RESP *response = asked(w, good);

    assert_int_equal(ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(TS_RESP_get_status_info(response))),
                     TS_STATUS_GRANTED);
    assert_non_null(TS_RESP_get_token(response));
    TS_RESP_free(response);
}

static void assert_refused(struct world *w, struct slice body, int failure, const char *part)
{
    TS_RESP *response = asked(w, body);
    TS_STATUS_INFO *info = TS_RESP_get_status_info(response);

    assert_int_equal(ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(info)), TS_STATUS_REJECTION);
    assert_true(ASN1_BIT_STRING_get_bit(TS_STATUS_INFO_get0_failure_info(info), failure));
    const char *text = (const char *)ASN1_STRING_get0_data(sk_ASN1_UTF8STRING_value(TS_STATUS_INFO_get0_text(info), 0));
    assert_non_null(strstr(text, part));
    TS_RESP_free(response);
}

static const struct json *active(struct world *w)
{
    assert_status(w, world_get(w, AUDITOR, "/v1/tsa"), 200);
    return json_get(w->answer, "active");
}

static int post(struct world *w, const char *what, const char *body)
{
    char target[64];

    (void)snprintf(target, sizeof target, "/v1/tsa%s", what);
    return world_ask(w, ADMIN, "POST", target, body);
}

static void assert_last_record(struct world *w, const char *type)
{
    cleanup_json struct json *record = world_last_record(w);

    assert_string_equal(json_get_text(record, "type", ""), type);
    assert_string_equal(json_get_text(record, "principal", ""), "admin");
}

/* ---- before there is one */

static void without_an_authority_every_query_is_a_system_failure(void **state)
{
    struct world *w = *state;

    assert_refused(w, good, TS_INFO_SYSTEM_FAILURE, "no timestamp authority");
    assert_status(w, world_get(w, ADMIN, "/v1/tsa"), 200);
    assert_string_equal(answer_text(w, "state"), "none");
    assert_false(json_get_bool(w->answer, "ready", true));
    (void)post(w, "/rotate", "{\"type\":\"p256\"}");
    assert_problem(w, CODE_NOT_FOUND, "timestamp authority");
    (void)post(w, "/renew", "{}");
    assert_problem(w, CODE_NOT_FOUND, NULL);
    (void)post(w, "/disable", "{\"reason\":\"r\"}");
    assert_problem(w, CODE_NOT_FOUND, NULL);
    (void)post(w, "/enable", "{}");
    assert_problem(w, CODE_NOT_FOUND, NULL);
    (void)post(w, "/certificate", "{\"certificates\":\"-----BEGIN CERTIFICATE-----\"}");
    assert_problem(w, CODE_NOT_FOUND, NULL);
    assert_status(w, world_get(w, ADMIN, "/v1/tsa/csr"), 404);
}

static void a_type_that_is_too_weak_or_hashes_by_itself_is_refused(void **state)
{
    struct world *w = *state;
    static const char *const types[] = {"rsa2048", "ed25519", "p521", "rsa", ""};
    char body[64];

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        (void)snprintf(body, sizeof body, "{\"type\":\"%s\"}", types[i]);
        (void)post(w, "", body);
        assert_problem(w, CODE_INVALID, "type");
    }
    (void)post(w, "", "{\"type\":\"p256\",\"issuer\":\"somebody\"}");
    assert_problem(w, CODE_INVALID, "issuer");
    (void)post(w, "", "{\"type\":\"p256\",\"days\":4109}");
    assert_problem(w, CODE_INVALID, "days");
    (void)post(w, "", "{\"type\":\"p256\",\"subject\":\"no name\"}");
    assert_problem(w, CODE_INVALID, "subject");
}

/* ---- the built-in CA */

static X509 *certificate_of(const struct json *key)
{
    cleanup_buf struct buf der = {0};
    const char *text = json_get_text(key, "certificate", "");

    assert_true(is_ok(base64_decode(text, strlen(text), &der, NULL)));
    const unsigned char *at = der.data;
    X509 *crt = d2i_X509(NULL, &at, (long)der.len);
    assert_non_null(crt);
    return crt;
}

static void one_is_made_with_a_critical_sole_usage(void **state)
{
    struct world *w = *state;
    int critical = 0;

    assert_status(w, post(w, "", "{\"type\":\"p256\",\"subject\":\"CN=Stamps,O=Example\"}"), 201);
    assert_string_equal(answer_text(w, "state"), "active");
    X509 *crt = certificate_of(w->answer);
    EXTENDED_KEY_USAGE *usage = X509_get_ext_d2i(crt, NID_ext_key_usage, &critical, NULL);
    assert_int_equal(critical, 1);
    assert_int_equal(sk_ASN1_OBJECT_num(usage), 1);
    assert_int_equal(OBJ_obj2nid(sk_ASN1_OBJECT_value(usage, 0)), NID_time_stamp);
    assert_int_equal(X509_check_purpose(crt, X509_PURPOSE_TIMESTAMP_SIGN, 0), 1);
    EXTENDED_KEY_USAGE_free(usage);
    X509_free(crt);
    assert_last_record(w, "tsa.create");
    assert_granted(w);
    assert_status(w, world_get(w, ADMIN, "/v1/tsa"), 200);
    assert_true(json_get_bool(w->answer, "ready", false));
    assert_int_equal(json_get_integer(json_get(w->answer, "today"), "granted", 0), 1);
    (void)post(w, "", "{\"type\":\"p256\"}");
    assert_problem(w, CODE_CONFLICT, "already");
}

static void a_renewal_keeps_the_key_and_counts_from_the_next_token_on(void **state)
{
    struct world *w = *state;
    char before[256], after[256];

    (void)snprintf(before, sizeof before, "%s", json_get_text(active(w), "public_key", ""));
    X509 *old = certificate_of(active(w));
    assert_status(w, post(w, "/renew", "{\"days\":30}"), 200);
    assert_last_record(w, "tsa.renew");
    (void)snprintf(after, sizeof after, "%s", json_get_text(active(w), "public_key", ""));
    assert_string_equal(before, after);
    X509 *fresh = certificate_of(active(w));
    assert_int_not_equal(X509_cmp(old, fresh), 0);
    assert_int_equal(X509_NAME_cmp(X509_get_subject_name(old), X509_get_subject_name(fresh)), 0);
    X509_free(old);
    X509_free(fresh);
    assert_granted(w);
    (void)post(w, "/renew", "{\"type\":\"p384\"}");
    assert_problem(w, CODE_INVALID, "type");
    (void)post(w, "/renew", "{\"issuer\":\"external\"}");
    assert_problem(w, CODE_INVALID, "issuer");
}

static void a_rotation_makes_another_key_and_destroys_the_one_before(void **state)
{
    struct world *w = *state;
    cleanup_buf struct buf id = {0};
    cleanup_hsm_key struct hsm_key key = {0};
    const char *text = json_get_text(active(w), "cka_id", "");

    assert_true(is_ok(hex_decode(text, strlen(text), &id, NULL)));
    assert_ok(w, hsm_find(w->hsm.h, id.data, deadline_in(10000), &key, &w->err));
    assert_status(w, post(w, "/rotate", "{\"type\":\"rsa3072\"}"), 200);
    assert_last_record(w, "tsa.rotate");
    assert_int_equal(json_get_integer(active(w), "version", 0), 2);
    assert_string_equal(json_get_text(active(w), "type", ""), "rsa3072");
    assert_granted(w);
    hsm_forget(w->hsm.h, id.data);
    assert_int_equal(hsm_find(w->hsm.h, id.data, deadline_in(10000), &key, NULL).code, CODE_NOT_FOUND);
    assert_status(w, world_ask(w, ADMIN, "POST", "/v1/hsms/default/reconcile", "{}"), 200);
    assert_int_equal(json_count(json_get(w->answer, "orphan")), 0);
}

static void a_stale_change_changes_nothing(void **state)
{
    struct world *w = *state;
    static const char *const rows[][2] = {
        {"/v1/tsa/rotate", "{}"},
        {"/v1/tsa/renew", "{}"},
        {"/v1/tsa/disable", "{\"reason\":\"r\"}"},
        {"/v1/tsa/enable", "{}"},
        {"/v1/tsa/certificate", "{\"certificates\":\"-----BEGIN CERTIFICATE-----\"}"}};
    int64_t head = world_head(w);

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct call call = {.who = ADMIN,
                                  .method = "POST",
                                  .target = rows[i][0],
                                  .body = slice_of_text(rows[i][1]),
                                  .headers = {"If-Match: \"999\""}};
        (void)world_call(w, &call);
        assert_problem(w, CODE_STALE, NULL);
    }
    assert_int_equal(world_head(w), head);
}

static void a_disabled_authority_refuses_until_it_is_enabled(void **state)
{
    struct world *w = *state;

    (void)post(w, "/enable", "{}");
    assert_problem(w, CODE_CONFLICT, "not disabled");
    assert_status(w, post(w, "/disable", "{\"reason\":\"clock under repair\"}"), 200);
    assert_string_equal(answer_text(w, "state"), "disabled");
    assert_string_equal(answer_text(w, "disabled_reason"), "clock under repair");
    assert_refused(w, good, TS_INFO_SYSTEM_FAILURE, "disabled");
    (void)post(w, "/disable", "{\"reason\":\"again\"}");
    assert_problem(w, CODE_CONFLICT, "already");
    assert_status(w, post(w, "/enable", "{}"), 200);
    assert_granted(w);
    (void)post(w, "/disable", "{\"reason\":\"\"}");
    assert_problem(w, CODE_INVALID, "reason");
}

/* ---- an outside CA */

static EVP_PKEY *ca_key;
static X509 *ca_root;

static void extension_add(X509 *crt, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;

    X509V3_set_ctx(&ctx, issuer, crt, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(e);
    assert_int_equal(X509_add_ext(crt, e, -1), 1);
    X509_EXTENSION_free(e);
}

static X509 *certificate_make(const char *name, EVP_PKEY *key, X509 *issuer, const char *usage, long until)
{
    X509 *crt = X509_new();

    assert_int_equal(X509_set_version(crt, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(crt), 7), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(crt), -7200));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(crt), until));
    assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(crt), "CN", MBSTRING_ASC,
                                                (const unsigned char *)name, -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(crt, X509_get_subject_name(issuer ? issuer : crt)), 1);
    assert_int_equal(X509_set_pubkey(crt, key), 1);
    extension_add(crt, issuer ? issuer : crt, NID_basic_constraints, issuer ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (usage)
        extension_add(crt, issuer ? issuer : crt, NID_ext_key_usage, usage);
    assert_true(X509_sign(crt, ca_key, EVP_sha256()) > 0);
    return crt;
}

static EVP_PKEY *requested_key(struct world *w)
{
    assert_status(w, world_get(w, ADMIN, "/v1/tsa/csr"), 200);
    BIO *in = BIO_new_mem_buf(answer_text(w, "request"), -1);
    X509_REQ *request = PEM_read_bio_X509_REQ(in, NULL, NULL, NULL);
    assert_non_null(request);
    assert_int_equal(X509_REQ_verify(request, X509_REQ_get0_pubkey(request)), 1);
    STACK_OF(X509_EXTENSION) *asked_for = X509_REQ_get_extensions(request);
    assert_true(X509v3_get_ext_by_NID(asked_for, NID_ext_key_usage, -1) >= 0);
    sk_X509_EXTENSION_pop_free(asked_for, X509_EXTENSION_free);
    EVP_PKEY *key = X509_REQ_get_pubkey(request);
    X509_REQ_free(request);
    BIO_free(in);
    return key;
}

/* Posts these, PEM, one behind the other; NULL is left out. */
static int certificates_post(struct world *w, X509 *first, X509 *second)
{
    X509 *const all[] = {first, second};
    cleanup_buf struct buf body = {0};
    struct json_writer writer = json_writer_on(&body);
    BIO *out = BIO_new(BIO_s_mem());
    char *pem = NULL;

    for (size_t i = 0; i < COUNT_OF(all); i++) {
        if (all[i])
            assert_int_equal(PEM_write_bio_X509(out, all[i]), 1);
    }
    assert_int_equal(BIO_write(out, "", 1), 1);
    assert_true(BIO_get_mem_data(out, &pem) > 0);
    json_begin_object(&writer, NULL);
    json_add_text(&writer, "certificates", pem);
    json_end_object(&writer);
    BIO_free(out);
    return post(w, "/certificate", buf_text(&body));
}

static void an_outside_ca_certifies_a_key_that_waits(void **state)
{
    struct world *w = *state;
    int64_t before = json_get_integer(active(w), "version", 0);

    ca_key = EVP_EC_gen("P-256");
    ca_root = certificate_make("Outside root", ca_key, NULL, NULL, 86400);
    assert_status(w, post(w, "/rotate", "{\"type\":\"p384\",\"issuer\":\"external\"}"), 200);
    assert_int_equal(json_get_integer(active(w), "version", 0), before);
    assert_string_equal(json_get_text(json_get(w->answer, "pending"), "state", ""), "pending");
    assert_granted(w); /* by the key before */
    EVP_PKEY *key = requested_key(w);
    X509 *leaf = certificate_make("Outside stamps", key, ca_root, "critical,timeStamping", 3600);
    assert_status(w, certificates_post(w, ca_root, leaf), 200);
    assert_last_record(w, "tsa.certificate");
    assert_int_equal(json_get_integer(active(w), "version", 0), before + 1);
    assert_granted(w);
    X509_free(leaf);
    EVP_PKEY_free(key);
}

static void a_certificate_that_does_not_fit_is_refused_and_nothing_changes(void **state)
{
    struct world *w = *state;
    EVP_PKEY *key = requested_key(w);
    X509 *good_leaf = certificate_make("Stamps", key, ca_root, "critical,timeStamping", 3600);
    X509 *strange = certificate_make("Stamps", ca_key, ca_root, "critical,timeStamping", 3600);
    const struct {
        const char *usage;
        long until;
        const char *why;
    } bad[] = {{"timeStamping", 3600, "critical"},
               {"critical,timeStamping,codeSigning", 3600, "alone"},
               {NULL, 3600, "extended key usage"},
               {"critical,timeStamping", -3600, "expired"}};
    int64_t head = world_head(w);

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        X509 *leaf = certificate_make("Stamps", key, ca_root, bad[i].usage, bad[i].until);
        (void)certificates_post(w, leaf, ca_root);
        assert_problem(w, CODE_INVALID, bad[i].why);
        X509_free(leaf);
    }
    (void)certificates_post(w, strange, ca_root);
    assert_problem(w, CODE_INVALID, "key");
    (void)certificates_post(w, good_leaf, NULL);
    assert_problem(w, CODE_INVALID, "missing");
    (void)certificates_post(w, NULL, NULL);
    assert_problem(w, CODE_INVALID, "BEGIN CERTIFICATE");
    (void)post(w, "/certificate",
               "{\"certificates\":\"-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n\"}");
    assert_problem(w, CODE_INVALID, "malformed");
    assert_int_equal(world_head(w), head);
    assert_granted(w);
    X509_free(good_leaf);
    X509_free(strange);
    EVP_PKEY_free(key);
    X509_free(ca_root);
    EVP_PKEY_free(ca_key);
}

/* ---- HTTP */

static void another_content_type_and_too_long_a_query_are_problems_of_http(void **state)
{
    struct world *w = *state;
    static uint8_t large[64 * 1024 + 1];

    (void)stamp(w, good, "application/octet-stream");
    assert_problem(w, CODE_UNSUPPORTED_MEDIA, QUERY_TYPE);
    (void)stamp(w, (struct slice){large, sizeof large}, QUERY_TYPE);
    assert_problem(w, CODE_TOO_LARGE, NULL);
    assert_refused(w, (struct slice){large, sizeof large - 1}, TS_INFO_BAD_DATA_FORMAT, "TimeStampReq");
    assert_refused(w, (struct slice){query, sizeof query - 1}, TS_INFO_BAD_DATA_FORMAT, "TimeStampReq");
    assert_refused(w, (struct slice){0}, TS_INFO_BAD_DATA_FORMAT, "TimeStampReq");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_an_authority_every_query_is_a_system_failure),
        cmocka_unit_test(a_type_that_is_too_weak_or_hashes_by_itself_is_refused),
        cmocka_unit_test(one_is_made_with_a_critical_sole_usage),
        cmocka_unit_test(a_renewal_keeps_the_key_and_counts_from_the_next_token_on),
        cmocka_unit_test(a_rotation_makes_another_key_and_destroys_the_one_before),
        cmocka_unit_test(a_stale_change_changes_nothing),
        cmocka_unit_test(a_disabled_authority_refuses_until_it_is_enabled),
        cmocka_unit_test(an_outside_ca_certifies_a_key_that_waits),
        cmocka_unit_test(a_certificate_that_does_not_fit_is_refused_and_nothing_changes),
        cmocka_unit_test(another_content_type_and_too_long_a_query_are_problems_of_http),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}

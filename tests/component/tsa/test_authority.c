/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: what stands in them, and when there is none. OpenSSL's verifier judges each. */
#include "world.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "common/encoding.h"
#include "common/json.h"

static const struct query_plan plain = {.byte = 1, .nonce = 77, .wants_certificate = true};

static void every_hash_and_type_of_key_verifies(void **state)
{
    struct world *w = *state;
    static const enum key_type types[] = {KEY_TYPE_P256, KEY_TYPE_P384, KEY_TYPE_RSA3072};
    static const int nids[] = {NID_sha256, NID_sha384, NID_sha512};

    for (size_t t = 0; t < COUNT_OF(types); t++) {
        world_certify(w, types[t]);
        for (size_t n = 0; n < COUNT_OF(nids); n++)
            TS_RESP_free(world_granted(w, &(struct query_plan){.nid = nids[n], .wants_certificate = true}));
    }
}

static void a_token_has_the_terms_of_the_authority(void **state)
{
    struct world *w = *state;
    char policy[64];

    TS_RESP *response = world_granted(w, &plain);
    TS_TST_INFO *info = TS_RESP_get_tst_info(response);
    OBJ_obj2txt(policy, sizeof policy, TS_TST_INFO_get_policy_id(info), 1);
    assert_string_equal(policy, POLICY);
    assert_int_equal(ASN1_INTEGER_get(TS_TST_INFO_get_nonce(info)), 77);
    assert_int_equal(TS_TST_INFO_get_ordering(info), 0);
    assert_int_equal(ASN1_INTEGER_get(TS_ACCURACY_get_seconds(TS_TST_INFO_get_accuracy(info))), 1);
    assert_int_equal(ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(TS_RESP_get_status_info(response))), 0);
    TS_RESP_free(response);
}

/* RFC 5816: the signing certificate is named by its SHA-256. */
static void the_certificate_is_named_by_its_sha256(void **state)
{
    struct world *w = *state;
    uint8_t fingerprint[32];

    TS_RESP *response = world_granted(w, &plain);
    PKCS7 *token = TS_RESP_get_token(response);
    PKCS7_SIGNER_INFO *signer = sk_PKCS7_SIGNER_INFO_value(PKCS7_get_signer_info(token), 0);
    ASN1_TYPE *v2 = PKCS7_get_signed_attribute(signer, NID_id_smime_aa_signingCertificateV2);
    assert_non_null(v2);
    assert_null(PKCS7_get_signed_attribute(signer, NID_id_smime_aa_signingCertificate));
    X509 *leaf = sk_X509_value(token->d.sign->cert, 0);
    assert_int_equal(X509_digest(leaf, EVP_sha256(), fingerprint, NULL), 1);
    assert_non_null(memmem(ASN1_STRING_get0_data(v2->value.sequence), (size_t)ASN1_STRING_length(v2->value.sequence),
                           fingerprint, sizeof fingerprint));
    TS_RESP_free(response);
}

static int certificates_in(TS_RESP *response)
{
    return sk_X509_num(TS_RESP_get_token(response)->d.sign->cert);
}

static void certificates_are_there_when_they_are_asked_for(void **state)
{
    struct world *w = *state;
    TS_RESP *with = world_granted(w, &plain);
    TS_RESP *without = world_granted(w, &(struct query_plan){.nonce = 1});

    assert_int_equal(certificates_in(with), 3);
    assert_true(certificates_in(without) <= 0);
    TS_RESP_free(with);
    TS_RESP_free(without);
}

static void another_policy_is_refused_and_ours_is_granted(void **state)
{
    struct world *w = *state;

    world_refused(w, &(struct query_plan){.policy = "1.2.3"}, TS_INFO_UNACCEPTED_POLICY, "policy");
    TS_RESP_free(world_granted(w, &(struct query_plan){.policy = POLICY}));
}

static void a_sha1_query_is_a_bad_algorithm(void **state)
{
    world_refused(*state, &(struct query_plan){.nid = NID_sha1}, TS_INFO_BAD_ALG, "SHA-256");
}

/* ---- the clock */

static struct tsa_reading now_reading(void)
{
    struct tsa_reading r = {.is_synchronised = true};

    (void)clock_gettime(CLOCK_REALTIME, &r.now);
    return r;
}

static void a_clock_that_is_not_synchronised_is_not_attested(void **state)
{
    struct world *w = *state;

    w->is_set = true;
    w->reading = now_reading();
    w->reading.is_synchronised = false;
    world_refused(w, &plain, TS_INFO_TIME_NOT_AVAILABLE, "not synchronised");
    assert_int_equal(tsa_check(w->tsa, &w->err).code, CODE_UNAVAILABLE);
    w->reading = now_reading();
    TS_RESP_free(world_granted(w, &plain));
    assert_ok(w, tsa_check(w->tsa, &w->err));
    w->is_set = false;
}

static status clock_forget(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    struct timestamp_authority a = {0};
    (void)record, (void)arg;

    TRY(timestamp_clock_reset(db, err));
    TRY(timestamp_authority_find(db, &a, err));
    return timestamp_authority_update(db, &a, err);
}

static void a_clock_set_back_is_found_before_and_after_a_restart(void **state)
{
    struct world *w = *state;
    struct audit_work work = {.change = clock_forget};

    w->is_set = true;
    w->reading = now_reading();
    TS_RESP_free(world_granted(w, &plain));
    w->reading.now.tv_sec -= 3600;
    world_refused(w, &plain, TS_INFO_TIME_NOT_AVAILABLE, "set back");
    world_restart(w);
    world_refused(w, &plain, TS_INFO_TIME_NOT_AVAILABLE, "behind a time that was reached");
    assert_ok(w, audit_commit(w->audit, &work, deadline_in(10000), &w->err)); /* what enabling does */
    TS_RESP_free(world_granted(w, &plain));
    w->is_set = false;
    TS_RESP_free(world_granted(w, &plain));
}

/* ---- records */

static int64_t head(struct world *w)
{
    int64_t seq = 0;
    uint8_t hash[32];
    struct db *db = store_reader_acquire(w->store, &w->err);

    assert_non_null(db);
    assert_ok(w, record_head(db, &seq, hash, &w->err));
    store_reader_release(w->store, db);
    return seq;
}

static status line_keep(void *arg, const struct record_row *r)
{
    buf_reset(arg);
    buf_add_text(arg, r->line);
    return OK;
}

static void a_token_has_a_record_only_where_all_are_recorded(void **state)
{
    struct world *w = *state;
    cleanup_buf struct buf line = {0};
    int64_t before = head(w);

    TS_RESP_free(world_granted(w, &plain));
    assert_int_equal(head(w), before);
    w->config.records_all = true;
    world_restart(w);
    TS_RESP_free(world_granted(w, &plain));
    assert_int_equal(head(w), before + 1);
    struct db *db = store_reader_acquire(w->store, &w->err);
    const struct record_filter filter = {.after_seq = before, .limit = 1};
    assert_ok(w, record_list(db, &filter, line_keep, &line, &w->err));
    store_reader_release(w->store, db);
    assert_non_null(strstr(buf_text(&line), "\"type\":\"timestamp.issue\""));
    assert_non_null(strstr(buf_text(&line), "\"digest\":\"0101010101"));
    assert_non_null(strstr(buf_text(&line), "\"serial\":\"40"));
    w->config.records_all = false;
    world_restart(w);
}

static void answers_are_counted_per_day_over_restarts(void **state)
{
    struct world *w = *state;
    struct timestamp_usage day, total, later;

    world_restart(w); /* writes what was counted */
    struct db *db = store_reader_acquire(w->store, &w->err);
    assert_ok(w, timestamp_usage_find(db, clock_now_ms(), &day, &total, &w->err));
    store_reader_release(w->store, db);
    TS_RESP_free(world_granted(w, &plain));
    TS_RESP_free(world_granted(w, &plain));
    world_refused(w, &(struct query_plan){.nid = NID_sha1}, TS_INFO_BAD_ALG, "");
    world_restart(w);
    db = store_reader_acquire(w->store, &w->err);
    assert_ok(w, timestamp_usage_find(db, clock_now_ms(), &day, &later, &w->err));
    store_reader_release(w->store, db);
    assert_int_equal(later.granted, total.granted + 2);
    assert_int_equal(later.refused, total.refused + 1);
}

static void a_key_that_is_gone_is_a_system_failure(void **state)
{
    struct world *w = *state;
    cleanup_timestamp_key struct timestamp_key key = {0};
    struct timestamp_authority a = {0};
    struct db *db = store_reader_acquire(w->store, &w->err);

    assert_ok(w, timestamp_authority_find(db, &a, &w->err));
    assert_ok(w, timestamp_key_find(db, a.version, &key, &w->err));
    store_reader_release(w->store, db);
    TS_RESP_free(world_granted(w, &plain));
    assert_ok(w, hsm_destroy(w->hsm.h, key.hsm_id, deadline_in(10000), &w->err));
    world_refused(w, &plain, TS_INFO_SYSTEM_FAILURE, "could not be signed");
    world_restart(w);
    world_refused(w, &plain, TS_INFO_SYSTEM_FAILURE, "cannot be used");
    world_certify(w, KEY_TYPE_P256);
    TS_RESP_free(world_granted(w, &plain));
}

static void a_policy_that_is_no_identifier_is_a_wrong_option(void **state)
{
    struct world *w = *state;
    struct tsa_config config = w->config;
    struct tsa *none = NULL;

    config.policy = "policy";
    assert_code(w, tsa_new(&config, &none, &w->err), CODE_CONFIGURATION);
    assert_non_null(strstr(w->err.text, "tsa_policy"));
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_hash_and_type_of_key_verifies),
        cmocka_unit_test(a_token_has_the_terms_of_the_authority),
        cmocka_unit_test(the_certificate_is_named_by_its_sha256),
        cmocka_unit_test(certificates_are_there_when_they_are_asked_for),
        cmocka_unit_test(another_policy_is_refused_and_ours_is_granted),
        cmocka_unit_test(a_sha1_query_is_a_bad_algorithm),
        cmocka_unit_test(a_clock_that_is_not_synchronised_is_not_attested),
        cmocka_unit_test(a_clock_set_back_is_found_before_and_after_a_restart),
        cmocka_unit_test(a_token_has_a_record_only_where_all_are_recorded),
        cmocka_unit_test(answers_are_counted_per_day_over_restarts),
        cmocka_unit_test(a_key_that_is_gone_is_a_system_failure),
        cmocka_unit_test(a_policy_that_is_no_identifier_is_a_wrong_option),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}

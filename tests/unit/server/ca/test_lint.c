/* SPDX-License-Identifier: Apache-2.0 */
/* Each rule of the findings: a certificate that keeps them all has none, and one that breaks a rule has that one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/x509v3.h>

#include "server/ca/certificate.h"
#include "server/ca/lint.h"

#define SUBJECT "CN=Example,O=Example,L=Berlin,C=DE"
#define ACCESS "OCSP;URI:http://pki.example.org/ocsp/a,caIssuers;URI:http://pki.example.org/ca/a.cer"

struct found {
    char rules[512]; /* "key,validity," */
};

static void take(void *arg, const struct lint_finding *f)
{
    struct found *found = arg;
    size_t len = strlen(found->rules);
    assert_true(strcmp(f->severity, "error") == 0 || strcmp(f->severity, "warning") == 0);
    assert_true(*f->text);
    (void)snprintf(found->rules + len, sizeof(found->rules) - len, "%s,", f->rule);
}

static EVP_PKEY *key_of(const char *kind)
{
    EVP_PKEY *key = strcmp(kind, "rsa2048") == 0   ? EVP_RSA_gen(2048)
                    : strcmp(kind, "ed25519") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                                                   : EVP_EC_gen("P-256");
    assert_non_null(key);
    return key;
}

static void lint(const struct certificate_plan *changed, const char *kind, const EVP_MD *digest, struct found *out)
{
    struct certificate_plan plan = *changed;
    struct error err = {0};
    cleanup_buf struct buf der = {0};
    cleanup_pkey EVP_PKEY *subject_key = key_of(kind);
    cleanup_pkey EVP_PKEY *issuer_key = EVP_EC_gen("P-256");
    cleanup_x509 X509 *crt = NULL;

    plan.public_key = subject_key;
    if (!is_ok(certificate_sign(&plan, NULL, issuer_key, digest, &crt, &err)) ||
        !is_ok(certificate_encode(crt, &der, &err)) || !is_ok(lint_certificate(buf_slice(&der), take, out, &err)))
        fail_msg("%s (%s)", err.text, err.detail);
}

static const struct certificate_plan good = {
    .subject = SUBJECT,
    .days = 460,
    .basic_constraints = "critical,CA:FALSE",
    .key_usage = "critical,digitalSignature",
    .extended_key_usage = "codeSigning",
    .crl_points = "URI:http://pki.example.org/ca/a.crl",
    .information_access = ACCESS,
    .policy = "2.23.140.1.4.1",
};

static void a_certificate_that_keeps_all_rules_has_no_findings(void **state)
{
    struct found found = {0};
    (void)state;
    lint(&good, "p256", EVP_sha256(), &found);
    assert_string_equal(found.rules, "");
}

static void each_broken_rule_is_found_and_no_other(void **state)
{
#define BUT(member, value)                                                                                             \
    ({                                                                                                                 \
        struct certificate_plan p = good;                                                                              \
        p.member = value;                                                                                              \
        p;                                                                                                             \
    })
    const struct {
        struct certificate_plan plan;
        const char *kind;
        const EVP_MD *digest;
        const char *rules;
    } rows[] = {
        {good, "rsa2048", EVP_sha256(), "key,"},
        {good, "ed25519", EVP_sha256(), "key,"},
        {good, "p256", EVP_sha1(), "signature,"},
        {BUT(extended_key_usage, NULL), "p256", EVP_sha256(), "extended_key_usage,"},
        {BUT(extended_key_usage, "codeSigning,serverAuth"), "p256", EVP_sha256(), "extended_key_usage,"},
        {BUT(extended_key_usage, "codeSigning,anyExtendedKeyUsage"), "p256", EVP_sha256(), "extended_key_usage,"},
        {BUT(extended_key_usage, "timeStamping"), "p256", EVP_sha256(), "extended_key_usage,"},
        {BUT(key_usage, "digitalSignature"), "p256", EVP_sha256(), "key_usage,"},
        {BUT(key_usage, "critical,keyAgreement"), "p256", EVP_sha256(), "key_usage,"},
        {BUT(key_usage, "critical,digitalSignature,keyCertSign"), "p256", EVP_sha256(), "key_usage,"},
        {BUT(basic_constraints, "critical,CA:TRUE"), "p256", EVP_sha256(), "basic_constraints,"},
        {BUT(days, 461), "p256", EVP_sha256(), "validity,"},
        {BUT(crl_points, NULL), "p256", EVP_sha256(), "crl_distribution_points,"},
        {BUT(information_access, NULL), "p256", EVP_sha256(),
         "authority_information_access,authority_information_access,"},
        {BUT(information_access, "caIssuers;URI:http://pki.example.org/ca/a.cer"), "p256", EVP_sha256(),
         "authority_information_access,"},
        {BUT(policy, NULL), "p256", EVP_sha256(), "policies,"},
        {BUT(subject, "CN=Example,O=Example,C=DE"), "p256", EVP_sha256(), "subject,"},
        {BUT(subject, "CN=Example,ST=Berlin,C=DE"), "p256", EVP_sha256(), "subject,"},
        {BUT(subject, "CN=Example"), "p256", EVP_sha256(), "subject,subject,subject,"},
    };
#undef BUT
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct found found = {0};
        lint(&rows[i].plan, rows[i].kind, rows[i].digest, &found);
        if (strcmp(found.rules, rows[i].rules) != 0)
            fail_msg("row %zu: %s instead of %s", i, found.rules, rows[i].rules);
    }
}

static void what_is_no_certificate_is_an_error(void **state)
{
    struct found found = {0};
    struct error err = {0};
    (void)state;
    assert_int_equal(lint_certificate(slice_of_text("garbage"), take, &found, &err).code, CODE_INTERNAL);
    assert_string_equal(found.rules, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_that_keeps_all_rules_has_no_findings),
        cmocka_unit_test(each_broken_rule_is_found_and_no_other),
        cmocka_unit_test(what_is_no_certificate_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

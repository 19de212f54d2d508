/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in CA on a real SoftHSM; the openssl program is the judge of what it issues. */
#include "tests/component/hsm/fixture.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "server/ca/ca.h"

static struct fixture f;
static struct store *store;
static struct ca *ca;
static struct hsm_key leaf_key;

static struct ca_request request(const char *subject, int days)
{
    return (struct ca_request){.spki = buf_slice(&leaf_key.spki), .subject = subject, .days = days};
}

static X509 *decoded(const struct buf *der)
{
    const unsigned char *at = der->data;
    X509 *crt = d2i_X509(NULL, &at, (long)der->len);

    assert_non_null(crt);
    assert_true(at == der->data + der->len);
    return crt;
}

static void pem_write(const char *name, const struct buf *der)
{
    char path[128];
    X509 *crt = decoded(der);

    (void)snprintf(path, sizeof path, "%s/%s", f.dir, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(PEM_write_X509(out, crt), 1);
    assert_int_equal(fclose(out), 0);
    X509_free(crt);
}

static int openssl_run(const char *arguments)
{
    char command[512];

    (void)snprintf(command, sizeof command, "cd '%s' && openssl %s >openssl.out 2>&1", f.dir, arguments);
    return system(command);
}

static X509 *issue(const char *subject, int days)
{
    cleanup_issued_certificate struct issued_certificate issued = {0};
    struct ca_request r = request(subject, days);

    assert_ok(&f, ca_issue(ca, &r, deadline_in(10000), &issued, &f.err));
    pem_write("leaf.pem", &issued.certificate);
    return decoded(&issued.certificate);
}

static struct ca_config config(struct store *s)
{
    return (struct ca_config){.hsm = f.h, .store = s, .public_url = "http://pki.example.org"};
}

/* Issuing certificate and root. */
static void chain_read(struct buf *issuing, struct buf *root)
{
    struct ca_chains chains = {0};

    assert_ok(&f, ca_chains_load(ca, &chains, &f.err));
    const struct ca_chain *chain = ca_chain_find(&chains, "");
    assert_non_null(chain);
    assert_int_equal(chain->count, 2);
    buf_add(issuing, chain->certificates[0].data, chain->certificates[0].len);
    buf_add(root, chain->certificates[1].data, chain->certificates[1].len);
    ca_chains_clear(&chains);
}

static int setup(void **state)
{
    cleanup_buf struct buf issuing = {0}, root = {0};

    (void)state;
    fixture_init(&f, SOFTHSM_MODULE);
    fixture_open(&f, 4, 10000);
    fixture_key(&f, KEY_TYPE_RSA3072, &leaf_key);
    assert_ok(&f, store_open("sqlite::memory:", &store, &f.err));
    assert_ok(&f, store_migrate(store, &f.err));
    assert_ok(&f, ca_create(f.h, store_writer(store), "Example, Incorporated", "http://pki.example.org", &f.err));
    const struct ca_config c = config(store);
    assert_ok(&f, ca_open(&c, &ca, &f.err));
    chain_read(&issuing, &root);
    pem_write("root.pem", &root);
    pem_write("issuing.pem", &issuing);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ca_close(ca);
    store_close(store);
    hsm_key_clear(&leaf_key);
    fixture_clear(&f);
    return 0;
}

static void openssl_verify_accepts_the_chain(void **state)
{
    (void)state;
    X509_free(issue("CN=leaf", 0));
    assert_int_equal(openssl_run("verify -x509_strict -CAfile root.pem -untrusted issuing.pem leaf.pem"), 0);
    assert_int_equal(openssl_run("verify -x509_strict -CAfile root.pem issuing.pem"), 0);
    assert_int_equal(openssl_run("verify -x509_strict -check_ss_sig -CAfile root.pem root.pem"), 0);
}

static void openssl_verify_refuses_a_leaf_without_its_issuing_certificate(void **state)
{
    (void)state;
    X509_free(issue("CN=leaf", 0));
    assert_int_not_equal(openssl_run("verify -CAfile root.pem leaf.pem"), 0);
}

static void a_leaf_is_good_for_neither_tls_nor_mail_nor_issuing(void **state)
{
    const char *const purposes[] = {"sslserver", "sslclient", "smimesign", "timestampsign", "crlsign"};
    char arguments[160];

    (void)state;
    X509_free(issue("CN=leaf", 0));
    for (size_t i = 0; i < COUNT_OF(purposes); i++) {
        (void)snprintf(arguments, sizeof arguments,
                       "verify -purpose %s -CAfile root.pem -untrusted issuing.pem leaf.pem", purposes[i]);
        assert_int_not_equal(openssl_run(arguments), 0);
    }
}

/* One row for each extension: text as OpenSSL prints it, or NULL where only its presence and criticality count. */
struct extension_row {
    int nid;
    int critical;
    const char *text;
};

/* Where those who verify look, as OpenSSL prints it. */
#define CRL_OF(ca) "Full Name:\n  URI:http://pki.example.org/ca/" ca ".crl"
#define ACCESS_OF(ca)                                                                                                  \
    "OCSP - URI:http://pki.example.org/ocsp/" ca "\nCA Issuers - URI:http://pki.example.org/ca/" ca ".cer"

static void assert_extension(X509 *crt, const struct extension_row *row)
{
    int at = X509_get_ext_by_NID(crt, row->nid, -1);
    char *text = NULL;

    assert_true(at >= 0);
    X509_EXTENSION *extension = X509_get_ext(crt, at);
    assert_int_equal(X509_EXTENSION_get_critical(extension), row->critical);
    if (!row->text)
        return;
    BIO *out = BIO_new(BIO_s_mem());
    assert_int_equal(X509V3_EXT_print(out, extension, 0, 0), 1);
    (void)BIO_write(out, "", 1);
    assert_true(BIO_get_mem_data(out, &text) > 0);
    assert_string_equal(text, row->text);
    BIO_free(out);
}

static void assert_extensions(X509 *crt, const struct extension_row *rows, size_t count)
{
    assert_int_equal(X509_get_ext_count(crt), count);
    for (size_t i = 0; i < count; i++)
        assert_extension(crt, &rows[i]);
}

static void a_leaf_has_the_extensions_of_the_code_signing_profile_and_no_others(void **state)
{
    const struct extension_row rows[] = {
        {NID_basic_constraints, 1, "CA:FALSE"},     {NID_key_usage, 1, "Digital Signature"},
        {NID_ext_key_usage, 0, "Code Signing"},     {NID_crl_distribution_points, 0, CRL_OF("issuing")},
        {NID_info_access, 0, ACCESS_OF("issuing")}, {NID_subject_key_identifier, 0, NULL},
        {NID_authority_key_identifier, 0, NULL}};
    X509 *crt = issue("CN=leaf", 0);

    (void)state;
    assert_extensions(crt, rows, COUNT_OF(rows));
    X509_free(crt);
}

static void the_ca_certificates_have_their_extensions(void **state)
{
    const struct extension_row root_rows[] = {{NID_basic_constraints, 1, "CA:TRUE"},
                                              {NID_key_usage, 1, "Certificate Sign, CRL Sign"},
                                              {NID_subject_key_identifier, 0, NULL},
                                              {NID_authority_key_identifier, 0, NULL}};
    const struct extension_row issuing_rows[] = {
        {NID_basic_constraints, 1, "CA:TRUE, pathlen:0"}, {NID_key_usage, 1, "Certificate Sign, CRL Sign"},
        {NID_ext_key_usage, 0, "Code Signing"},           {NID_crl_distribution_points, 0, CRL_OF("root")},
        {NID_info_access, 0, ACCESS_OF("root")},          {NID_subject_key_identifier, 0, NULL},
        {NID_authority_key_identifier, 0, NULL}};
    cleanup_buf struct buf issuing = {0}, root = {0};

    (void)state;
    chain_read(&issuing, &root);
    X509 *root_crt = decoded(&root), *issuing_crt = decoded(&issuing);
    assert_extensions(root_crt, root_rows, COUNT_OF(root_rows));
    assert_extensions(issuing_crt, issuing_rows, COUNT_OF(issuing_rows));
    X509_free(root_crt);
    X509_free(issuing_crt);
}

static int64_t validity_seconds(const X509 *crt)
{
    int days = 0, seconds = 0;

    assert_int_equal(ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(crt), X509_get0_notAfter(crt)), 1);
    return days * 86400LL + seconds + 1; /* both ends count */
}

static void a_leaf_is_valid_now_and_for_the_days_asked(void **state)
{
    const struct {
        int asked, expected;
    } rows[] = {{0, 365}, {1, 1}, {460, 460}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        X509 *crt = issue("CN=leaf", rows[i].asked);
        assert_int_equal(validity_seconds(crt), rows[i].expected * 86400LL);
        assert_true(X509_cmp_current_time(X509_get0_notBefore(crt)) < 0);
        assert_true(X509_cmp_current_time(X509_get0_notAfter(crt)) > 0);
        X509_free(crt);
    }
}

static void days_out_of_range_are_refused(void **state)
{
    const int rows[] = {-1, 461, 100000};
    cleanup_issued_certificate struct issued_certificate out = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ca_request r = request("CN=leaf", rows[i]);
        assert_code(&f, ca_issue(ca, &r, deadline_in(10000), &out, &f.err), CODE_INVALID);
    }
    assert_int_equal(out.certificate.len, 0);
}

static void serials_are_sixteen_bytes_positive_and_differ(void **state)
{
    X509 *one = issue("CN=leaf", 0), *two = issue("CN=leaf", 0);

    (void)state;
    assert_int_equal(ASN1_STRING_length(X509_get0_serialNumber(one)), 16);
    assert_int_equal(ASN1_STRING_length(X509_get0_serialNumber(two)), 16);
    assert_int_equal(ASN1_STRING_type(X509_get0_serialNumber(one)), V_ASN1_INTEGER);
    assert_true(ASN1_STRING_get0_data(X509_get0_serialNumber(one))[0] < 0x80);
    assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(one), X509_get0_serialNumber(two)), 0);
    X509_free(one);
    X509_free(two);
}

static void a_leaf_carries_the_subject_and_key_asked_for(void **state)
{
    char text[256];
    X509 *crt = issue("CN=Zo\xc3\xab Builder,OU=Tools,O=Example\\, Incorporated,C=DE", 0);

    (void)state;
    BIO *out = BIO_new(BIO_s_mem());
    assert_true(X509_NAME_print_ex(out, X509_get_subject_name(crt), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) > 0);
    int len = BIO_read(out, text, sizeof text - 1);
    text[len > 0 ? len : 0] = 0;
    assert_string_equal(text, "CN=Zo\xc3\xab Builder,OU=Tools,O=Example\\, Incorporated,C=DE");
    EVP_PKEY *expected = fixture_public_key(&leaf_key);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(crt), expected), 1);
    EVP_PKEY_free(expected);
    BIO_free(out);
    X509_free(crt);
}

static void every_key_type_gets_a_leaf(void **state)
{
    (void)state;
    for (int t = KEY_TYPE_NONE + 1; t < KEY_TYPE_COUNT; t++) {
        cleanup_hsm_key struct hsm_key k = {0};
        cleanup_issued_certificate struct issued_certificate out = {0};
        fixture_key(&f, (enum key_type)t, &k);
        struct ca_request r = {.spki = buf_slice(&k.spki), .subject = "CN=leaf"};
        assert_ok(&f, ca_issue(ca, &r, deadline_in(10000), &out, &f.err));
        pem_write("leaf.pem", &out.certificate);
        assert_int_equal(openssl_run("verify -x509_strict -CAfile root.pem -untrusted issuing.pem leaf.pem"), 0);
    }
}

static void a_public_key_that_is_none_is_refused(void **state)
{
    cleanup_buf struct buf longer = {0};
    cleanup_issued_certificate struct issued_certificate out = {0};

    (void)state;
    buf_add(&longer, leaf_key.spki.data, leaf_key.spki.len);
    buf_add_byte(&longer, 0);
    const struct slice rows[] = {{(const uint8_t *)"garbage", 7}, {NULL, 0}, buf_slice(&longer)};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ca_request r = {.spki = rows[i], .subject = "CN=leaf"};
        assert_code(&f, ca_issue(ca, &r, deadline_in(10000), &out, &f.err), CODE_INVALID);
    }
}

static void a_key_too_weak_for_chancery_is_refused(void **state)
{
    unsigned char *der = NULL;
    cleanup_issued_certificate struct issued_certificate out = {0};
    EVP_PKEY *weak = EVP_RSA_gen(1024);
    int len = i2d_PUBKEY(weak, &der);

    (void)state;
    struct ca_request r = {.spki = {der, (size_t)len}, .subject = "CN=leaf"};
    assert_code(&f, ca_issue(ca, &r, deadline_in(10000), &out, &f.err), CODE_INVALID);
    OPENSSL_free(der);
    EVP_PKEY_free(weak);
}

/* SoftHSM keeps each object in a file. */
static int object_count(void)
{
    char command[128];
    int count = -1;

    (void)snprintf(command, sizeof command, "find '%s/tokens' -name '*.object' | wc -l", f.dir);
    FILE *in = popen(command, "r");
    assert_non_null(in);
    assert_int_equal(fscanf(in, "%d", &count), 1);
    (void)pclose(in);
    return count;
}

static void a_second_creation_is_refused_and_leaves_no_keys_behind(void **state)
{
    int before = object_count();

    (void)state;
    assert_true(before > 4);
    assert_code(&f, ca_create(f.h, store_writer(store), "Example", NULL, &f.err), CODE_CONFLICT);
    assert_int_equal(object_count(), before);
    struct ca *again = NULL;
    const struct ca_config c = config(store);
    assert_ok(&f, ca_open(&c, &again, &f.err));
    ca_close(again);
}

static void a_ca_whose_key_is_gone_from_the_hsm_does_not_open(void **state)
{
    struct store *other = NULL;
    struct ca *opened = NULL;
    struct ca_row row = {0};

    (void)state;
    assert_ok(&f, store_open("sqlite::memory:", &other, &f.err));
    assert_ok(&f, store_migrate(other, &f.err));
    const struct ca_config c = config(other);
    assert_code(&f, ca_open(&c, &opened, &f.err), CODE_NOT_FOUND);
    assert_ok(&f, ca_create(f.h, store_writer(other), "Other", NULL, &f.err));
    assert_ok(&f, ca_row_find(store_writer(other), "issuing", &row, &f.err));
    assert_ok(&f, hsm_destroy(f.h, row.hsm_id, deadline_in(10000), &f.err));
    assert_code(&f, ca_open(&c, &opened, &f.err), CODE_NOT_FOUND);
    assert_null(opened);
    ca_row_clear(&row);
    store_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssl_verify_accepts_the_chain),
        cmocka_unit_test(openssl_verify_refuses_a_leaf_without_its_issuing_certificate),
        cmocka_unit_test(a_leaf_is_good_for_neither_tls_nor_mail_nor_issuing),
        cmocka_unit_test(a_leaf_has_the_extensions_of_the_code_signing_profile_and_no_others),
        cmocka_unit_test(the_ca_certificates_have_their_extensions),
        cmocka_unit_test(a_leaf_is_valid_now_and_for_the_days_asked),
        cmocka_unit_test(days_out_of_range_are_refused),
        cmocka_unit_test(serials_are_sixteen_bytes_positive_and_differ),
        cmocka_unit_test(a_leaf_carries_the_subject_and_key_asked_for),
        cmocka_unit_test(every_key_type_gets_a_leaf),
        cmocka_unit_test(a_public_key_that_is_none_is_refused),
        cmocka_unit_test(a_key_too_weak_for_chancery_is_refused),
        cmocka_unit_test(a_second_creation_is_refused_and_leaves_no_keys_behind),
        cmocka_unit_test(a_ca_whose_key_is_gone_from_the_hsm_does_not_open),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

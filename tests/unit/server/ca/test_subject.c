/* SPDX-License-Identifier: Apache-2.0 */
/* The subject's text: what is taken, how it comes out, what is refused and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/ca/ca.h"
#include "server/ca/certificate.h"

#define LONG_64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void assert_parses(const char *text, const char *printed)
{
    cleanup_x509_name X509_NAME *name = NULL;
    struct error err = {0};
    char out[2048];

    if (!is_ok(subject_parse(text, &name, &err)))
        fail_msg("\"%s\": %s", text, err.text);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_true(X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0);
    int len = BIO_read(bio, out, sizeof out - 1);
    out[len > 0 ? len : 0] = 0;
    BIO_free(bio);
    assert_string_equal(out, printed);
}

static void good_subjects_come_out_as_they_went_in(void **state)
{
    static const char *const rows[][2] = {
        {"CN=build", "CN=build"},
        {"CN=a,O=b,C=DE", "CN=a,O=b,C=DE"},
        {"  cn = spaced out  ,  o = b ", "CN=spaced out,O=b"},
        {"CN=comma\\, plus\\+ quote\\\" less\\< more\\> semi\\; back\\\\",
         "CN=comma\\, plus\\+ quote\\\" less\\< more\\> "
         "semi\\; back\\\\"},
        {"CN=a=b", "CN=a=b"},
        {"CN=\\#1", "CN=\\#1"},
        {"CN=C#", "CN=C#"},
        {"CN=\\ kept\\ ", "CN=\\ kept\\ "},
        {"CN=Zo\\C3\\AB", "CN=Zo\xc3\xab"},
        {"CN=\xe5\x8d\xb0\xe9\x91\x91", "CN=\xe5\x8d\xb0\xe9\x91\x91"},
        {"CN=a,OU=one,OU=two,O=b", "CN=a,OU=one,OU=two,O=b"},
        {"CN=a,DC=example,DC=org", "CN=a,DC=example,DC=org"},
        {"CN=a,ST=Bavaria,L=Munich,STREET=Road 1,POSTALCODE=80331", "CN=a,ST=Bavaria,L=Munich,street=Road "
                                                                    "1,postalCode=80331"},
        {"CN=" LONG_64, "CN=" LONG_64},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_parses(rows[i][0], rows[i][1]);
}

static void bad_subjects_are_refused_with_their_reason(void **state)
{
    static const char *const rows[][2] = {
        {"", "empty"},
        {"CN", "NAME=value"},
        {"=a", "NAME=value"},
        {",CN=a", "NAME=value"},
        {"CN=a,", "NAME=value"},
        {"CN=a,,O=b", "NAME=value"},
        {"CN=", "CN is empty"},
        {"CN=   ,O=b", "CN is empty"},
        {"O=b", "CN is missing"},
        {"CN=a,CN=b", "CN is there twice"},
        {"CN=a,O=b,O=c", "O is there twice"},
        {"UID=x,CN=a", "\"UID\" is not one of"},
        {"2.5.4.3=a", "\"2.5.4.3\" is not one of"},
        {"CNN=a", "\"CNN\" is not one of"},
        {"CN=a\nb", "control characters"},
        {"CN=a\\0Ab", "control characters"},
        {"CN=a\\00b", "NUL"},
        {"CN=a\x7f", "control characters"},
        {"CN=\xff\xfe", "UTF-8"},
        {"CN=\\C3", "UTF-8"},
        {"CN=\xe2\x80\xae"
         "evil",
         "control characters"}, /* right-to-left override */
        {"CN=a+O=b", "backslash"},
        {"CN=\"a\"", "backslash"},
        {"CN=a;O=b", "backslash"},
        {"CN=<a>", "backslash"},
        {"CN=#0403", "backslash"},
        {"CN=a\\", "escape"},
        {"CN=a\\z", "escape"},
        {"CN=a\\4", "escape"},
        {"CN=" LONG_64 "a", "more than 64"},
        {"CN=a,C=de", "two capital letters"},
        {"CN=a,C=DEU", "C has more than 2"},
        {"CN=a,C=D", "two capital letters"},
        {"CN=a,DC=\xc3\xa4", "ASCII"},
        {"CN=a,EMAILADDRESS=\xc3\xa4@example.org", "ASCII"},
        {"CN=a/O=b,X", "NAME=value"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct error err = {0};
        status s = ca_subject_check(rows[i][0], &err);
        if (s.code != CODE_INVALID || !strstr(err.text, rows[i][1]))
            fail_msg("row %zu \"%s\": %s \"%s\", expected \"%s\"", i, rows[i][0], code_wire(s.code), err.text,
                     rows[i][1]);
    }
}

static void a_subject_that_is_too_long_or_has_too_many_parts_is_refused(void **state)
{
    cleanup_buf struct buf many = {0}, large = {0};

    (void)state;
    buf_add_text(&many, "CN=a");
    for (int i = 0; i < 16; i++)
        buf_add_text(&many, ",OU=a");
    assert_int_equal(ca_subject_check(buf_text(&many), NULL).code, CODE_INVALID);
    buf_add_text(&large, "CN=a");
    while (large.len <= 1024)
        buf_add_byte(&large, ' ');
    assert_int_equal(ca_subject_check(buf_text(&large), NULL).code, CODE_INVALID);
    assert_int_equal(ca_subject_check(NULL, NULL).code, CODE_INVALID);
}

static void an_escaped_value_comes_back_whole(void **state)
{
    const char *const rows[] = {"Example, Inc.", "a+b=c", " edge ", "#1", "\"<>;\\", "plain"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_buf struct buf text = {0};
        cleanup_x509_name X509_NAME *name = NULL;
        char value[64];
        buf_add_text(&text, "CN=");
        subject_escape(rows[i], &text);
        assert_int_equal(subject_parse(buf_text(&text), &name, NULL).code, CODE_OK);
        assert_true(X509_NAME_get_text_by_NID(name, NID_commonName, value, sizeof value) > 0);
        assert_string_equal(value, rows[i]);
    }
}

/* Whatever the bytes are: it ends, with a name or with a reason. Run under ASan it also shows that it stays in bounds.
 */
static void arbitrary_bytes_never_do_harm(void **state)
{
    static const char alphabet[] = "CNOUSTL=,\\+\"#<>; \n\x01\xc3\xa4\xff"
                                   "0123aA";
    unsigned seed = 1;

    (void)state;
    for (int i = 0; i < 50000; i++) {
        char text[80] = "CN=";
        int len = 3 * (i % 2) + rand_r(&seed) % 60;
        for (int j = 3 * (i % 2); j < len; j++)
            text[j] = alphabet[(size_t)rand_r(&seed) % (sizeof alphabet - 1)];
        text[len] = 0;
        struct error err = {0};
        status s = ca_subject_check(text, &err);
        assert_true(s.code == CODE_OK || (s.code == CODE_INVALID && err.text[0]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_subjects_come_out_as_they_went_in),
        cmocka_unit_test(bad_subjects_are_refused_with_their_reason),
        cmocka_unit_test(a_subject_that_is_too_long_or_has_too_many_parts_is_refused),
        cmocka_unit_test(an_escaped_value_comes_back_whole),
        cmocka_unit_test(arbitrary_bytes_never_do_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

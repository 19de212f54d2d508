/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <openssl/x509.h>

struct fixture {
    CK_SESSION_HANDLE session;
    CK_SESSION_HANDLE edwards;
};

static int setup(void **state)
{
    static struct fixture f;
    if (host_setup(state) != 0)
        return -1;
    f.session = host_open_logged_in(SLOT_MAIN);
    f.edwards = host_open_logged_in(SLOT_EDWARDS);
    *state = &f;
    return 0;
}

static CK_ULONG length_of(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
    CK_ATTRIBUTE wanted = {type, NULL, 0};
    assert_rv(C_GetAttributeValue(session, object, &wanted, 1), CKR_OK);
    return wanted.ulValueLen;
}

static CK_ULONG number_of(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
    CK_ULONG value = 0;
    CK_ATTRIBUTE wanted = ATTRIBUTE(type, value);
    assert_rv(C_GetAttributeValue(session, object, &wanted, 1), CKR_OK);
    assert_int_equal(wanted.ulValueLen, sizeof value);
    return value;
}

static bool flag_of(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
    CK_BBOOL value = 7;
    CK_ATTRIBUTE wanted = ATTRIBUTE(type, value);
    assert_rv(C_GetAttributeValue(session, object, &wanted, 1), CKR_OK);
    assert_int_equal(wanted.ulValueLen, sizeof value);
    assert_true(value == CK_TRUE || value == CK_FALSE);
    return value == CK_TRUE;
}

static void assert_bytes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                         struct slice expected)
{
    CK_BYTE value[2048];
    CK_ATTRIBUTE wanted = {type, value, sizeof value};
    assert_rv(C_GetAttributeValue(session, object, &wanted, 1), CKR_OK);
    assert_int_equal(wanted.ulValueLen, expected.len);
    assert_memory_equal(value, expected.data, expected.len);
}

static void five_cases_are_answered_in_one_call(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE key = host_find(f->session, CKO_PRIVATE_KEY, "demo-rsa2048");
    CK_BYTE secret[512], modulus[512], small[3];
    CK_ULONG class = 0;
    CK_ATTRIBUTE wanted[] = {
        {CKA_PRIVATE_EXPONENT, secret, sizeof secret}, /* 1: nobody gets it */
        {CKA_HW_FEATURE_TYPE, secret, sizeof secret},  /* 2: no such attribute here */
        {CKA_MODULUS, NULL, 0},                        /* 3: how long? */
        {CKA_MODULUS, modulus, sizeof modulus},        /* 4: here it is */
        {CKA_MODULUS, small, sizeof small},            /* 5: does not fit */
        ATTRIBUTE(CKA_CLASS, class),
    };
    assert_rv(C_GetAttributeValue(f->session, key, wanted, COUNT_OF(wanted)), CKR_ATTRIBUTE_SENSITIVE);
    assert_int_equal(wanted[0].ulValueLen, CK_UNAVAILABLE_INFORMATION);
    assert_int_equal(wanted[1].ulValueLen, CK_UNAVAILABLE_INFORMATION);
    assert_int_equal(wanted[2].ulValueLen, 256);
    assert_int_equal(wanted[3].ulValueLen, 256);
    assert_int_equal(wanted[4].ulValueLen, CK_UNAVAILABLE_INFORMATION);
    assert_int_equal(class, CKO_PRIVATE_KEY);
}

static void each_case_alone_has_its_code(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE key = host_find(f->session, CKO_PRIVATE_KEY, "demo-rsa2048");
    CK_BYTE bytes[512];
    CK_ATTRIBUTE sensitive = {CKA_PRIME_1, bytes, sizeof bytes}, unknown = {CKA_HW_FEATURE_TYPE, bytes, sizeof bytes},
                 small = {CKA_MODULUS, bytes, 255};
    assert_rv(C_GetAttributeValue(f->session, key, &sensitive, 1), CKR_ATTRIBUTE_SENSITIVE);
    assert_rv(C_GetAttributeValue(f->session, key, &unknown, 1), CKR_ATTRIBUTE_TYPE_INVALID);
    assert_rv(C_GetAttributeValue(f->session, key, &small, 1), CKR_BUFFER_TOO_SMALL);
    assert_rv(C_GetAttributeValue(f->session, key, NULL, 0), CKR_OK);
    assert_rv(C_GetAttributeValue(f->session, key, NULL, 1), CKR_ARGUMENTS_BAD);
    assert_rv(C_GetAttributeValue(f->session, 0, &small, 1), CKR_OBJECT_HANDLE_INVALID);
    assert_rv(C_GetAttributeValue(0, key, &small, 1), CKR_SESSION_HANDLE_INVALID);
}

static void i3_no_part_of_a_private_key_is_ever_readable(void **state)
{
    struct fixture *f = *state;
    static const CK_ATTRIBUTE_TYPE rsa[] = {CKA_PRIVATE_EXPONENT, CKA_PRIME_1,    CKA_PRIME_2,
                                            CKA_EXPONENT_1,       CKA_EXPONENT_2, CKA_COEFFICIENT};
    CK_OBJECT_HANDLE key = host_find(f->session, CKO_PRIVATE_KEY, "demo-rsa2048");
    for (size_t i = 0; i < COUNT_OF(rsa); i++) {
        CK_ATTRIBUTE wanted = {rsa[i], NULL, 0};
        assert_rv(C_GetAttributeValue(f->session, key, &wanted, 1), CKR_ATTRIBUTE_SENSITIVE);
    }
    CK_ATTRIBUTE value = {CKA_VALUE, NULL, 0};
    CK_OBJECT_HANDLE ec = host_find(f->session, CKO_PRIVATE_KEY, "demo-p256");
    assert_rv(C_GetAttributeValue(f->session, ec, &value, 1), CKR_ATTRIBUTE_SENSITIVE);
    CK_OBJECT_HANDLE ed = host_find(f->edwards, CKO_PRIVATE_KEY, "demo-ed25519");
    assert_rv(C_GetAttributeValue(f->edwards, ed, &value, 1), CKR_ATTRIBUTE_SENSITIVE);
    assert_true(flag_of(f->session, key, CKA_SENSITIVE));
    assert_true(flag_of(f->session, key, CKA_ALWAYS_SENSITIVE));
    assert_false(flag_of(f->session, key, CKA_EXTRACTABLE));
    assert_true(flag_of(f->session, key, CKA_NEVER_EXTRACTABLE));
}

static const CK_ATTRIBUTE_TYPE storage_attributes[] = {CKA_CLASS, CKA_TOKEN,    CKA_PRIVATE,     CKA_MODIFIABLE,
                                                       CKA_LABEL, CKA_COPYABLE, CKA_DESTROYABLE, CKA_UNIQUE_ID};
static const CK_ATTRIBUTE_TYPE key_attributes[] = {
    CKA_KEY_TYPE,           CKA_ID,      CKA_START_DATE,     CKA_END_DATE, CKA_DERIVE, CKA_LOCAL, CKA_KEY_GEN_MECHANISM,
    CKA_ALLOWED_MECHANISMS, CKA_SUBJECT, CKA_PUBLIC_KEY_INFO};
static const CK_ATTRIBUTE_TYPE public_attributes[] = {CKA_ENCRYPT, CKA_VERIFY,  CKA_VERIFY_RECOVER,
                                                      CKA_WRAP,    CKA_TRUSTED, CKA_WRAP_TEMPLATE};
static const CK_ATTRIBUTE_TYPE private_attributes[] = {CKA_SENSITIVE,
                                                       CKA_DECRYPT,
                                                       CKA_SIGN,
                                                       CKA_SIGN_RECOVER,
                                                       CKA_UNWRAP,
                                                       CKA_EXTRACTABLE,
                                                       CKA_ALWAYS_SENSITIVE,
                                                       CKA_NEVER_EXTRACTABLE,
                                                       CKA_WRAP_WITH_TRUSTED,
                                                       CKA_UNWRAP_TEMPLATE,
                                                       CKA_DERIVE_TEMPLATE,
                                                       CKA_ALWAYS_AUTHENTICATE};
static const CK_ATTRIBUTE_TYPE certificate_attributes[] = {CKA_CERTIFICATE_TYPE,
                                                           CKA_TRUSTED,
                                                           CKA_CERTIFICATE_CATEGORY,
                                                           CKA_CHECK_VALUE,
                                                           CKA_START_DATE,
                                                           CKA_END_DATE,
                                                           CKA_PUBLIC_KEY_INFO,
                                                           CKA_SUBJECT,
                                                           CKA_ID,
                                                           CKA_ISSUER,
                                                           CKA_SERIAL_NUMBER,
                                                           CKA_VALUE,
                                                           CKA_URL,
                                                           CKA_HASH_OF_SUBJECT_PUBLIC_KEY,
                                                           CKA_HASH_OF_ISSUER_PUBLIC_KEY,
                                                           CKA_JAVA_MIDP_SECURITY_DOMAIN,
                                                           CKA_NAME_HASH_ALGORITHM};

#define assert_answered(session, object, list)                                                                         \
    for (size_t i_ = 0; i_ < COUNT_OF(list); i_++)                                                                     \
    (void)length_of(session, object, (list)[i_])

static void every_standard_attribute_of_the_class_is_answered(void **state)
{
    struct fixture *f = *state;
    static const char *const labels[] = {"demo-rsa2048", "demo-p256", "demo-p521"};
    for (size_t k = 0; k < COUNT_OF(labels); k++) {
        CK_OBJECT_HANDLE private = host_find(f->session, CKO_PRIVATE_KEY, labels[k]);
        CK_OBJECT_HANDLE public = host_find(f->session, CKO_PUBLIC_KEY, labels[k]);
        CK_OBJECT_HANDLE certificate = host_find(f->session, CKO_CERTIFICATE, labels[k]);
        assert_answered(f->session, private, storage_attributes);
        assert_answered(f->session, private, key_attributes);
        assert_answered(f->session, private, private_attributes);
        assert_answered(f->session, public, storage_attributes);
        assert_answered(f->session, public, key_attributes);
        assert_answered(f->session, public, public_attributes);
        assert_answered(f->session, certificate, storage_attributes);
        assert_answered(f->session, certificate, certificate_attributes);
    }
}

static void lengths_of_empty_arrays_are_none(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE private = host_find(f->session, CKO_PRIVATE_KEY, "demo-rsa2048");
    CK_ATTRIBUTE inner[2] = {{CKA_CLASS, NULL, 0}, {CKA_CLASS, NULL, 0}};
    CK_ATTRIBUTE wanted[] = {{CKA_UNWRAP_TEMPLATE, NULL, 0},
                             {CKA_UNWRAP_TEMPLATE, inner, sizeof inner},
                             {CKA_DERIVE_TEMPLATE, inner, sizeof inner}};
    assert_rv(C_GetAttributeValue(f->session, private, wanted, COUNT_OF(wanted)), CKR_OK);
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        assert_int_equal(wanted[i].ulValueLen, 0);
    CK_MECHANISM_TYPE allowed[64];
    CK_ATTRIBUTE mechanisms = ATTRIBUTE(CKA_ALLOWED_MECHANISMS, allowed);
    assert_rv(C_GetAttributeValue(f->session, private, &mechanisms, 1), CKR_OK);
    assert_int_equal(mechanisms.ulValueLen % sizeof(CK_MECHANISM_TYPE), 0);
    assert_int_equal(allowed[0], CKM_RSA_PKCS);
}

static void a_private_rsa_key_tells_the_size_of_its_pair(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE key = host_find(f->session, CKO_PRIVATE_KEY, "demo-rsa2048");
    assert_int_equal(number_of(f->session, key, CKA_MODULUS_BITS), 2048);
    assert_bytes(f->session, key, CKA_PUBLIC_EXPONENT, (struct slice){(const uint8_t *)"\x01\x00\x01", 3});
    assert_bytes(f->session, key, CKA_PUBLIC_KEY_INFO, buf_slice(&fake_key("rsa2048")->spki));
}

/* Over everything the token shows. */
static void unique_ids_are_unique(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE objects[32];
    CK_BYTE ids[32][128] = {0};
    CK_ULONG count = 0;
    assert_rv(C_FindObjectsInit(f->session, NULL, 0), CKR_OK);
    assert_rv(C_FindObjects(f->session, objects, 32, &count), CKR_OK);
    assert_int_equal(count, 14);
    for (CK_ULONG i = 0; i < count; i++) {
        CK_ATTRIBUTE wanted = ATTRIBUTE(CKA_UNIQUE_ID, ids[i]);
        assert_rv(C_GetAttributeValue(f->session, objects[i], &wanted, 1), CKR_OK);
        assert_in_range(wanted.ulValueLen, 1, sizeof ids[i]);
        for (CK_ULONG k = 0; k < i; k++)
            assert_memory_not_equal(ids[i], ids[k], sizeof ids[i]);
    }
}

static void values_are_written_at_any_address(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE key = host_find(f->session, CKO_PUBLIC_KEY, "demo-rsa2048");
    CK_BYTE place[1 + sizeof(CK_ULONG)] = {0};
    CK_ATTRIBUTE wanted = {CKA_MODULUS_BITS, place + 1, sizeof(CK_ULONG)};
    CK_ULONG bits = 0;
    assert_rv(C_GetAttributeValue(f->session, key, &wanted, 1), CKR_OK);
    memcpy(&bits, place + 1, sizeof bits);
    assert_int_equal(bits, 2048);
    assert_int_equal(place[0], 0);
}

static void a_value_that_does_not_fit_is_not_touched(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE key = host_find(f->session, CKO_PUBLIC_KEY, "demo-rsa2048");
    CK_BYTE place[8] = {9, 9, 9, 9, 9, 9, 9, 9}, untouched[8] = {9, 9, 9, 9, 9, 9, 9, 9};
    CK_ATTRIBUTE wanted = {CKA_MODULUS_BITS, place, sizeof(CK_ULONG) - 1};
    assert_rv(C_GetAttributeValue(f->session, key, &wanted, 1), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(wanted.ulValueLen, CK_UNAVAILABLE_INFORMATION);
    assert_memory_equal(place, untouched, sizeof place);
}

static void handles_of_any_size_mean_nothing_or_something(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE key = host_find(f->session, CKO_PRIVATE_KEY, "demo-p256"), copy = 0;
    static const CK_OBJECT_HANDLE high[] = {1UL << 32, 1UL << 63, ~0UL};
    CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
    CK_ULONG size = 0;
    for (size_t i = 0; i < COUNT_OF(high); i++) {
        CK_OBJECT_HANDLE wrong[] = {high[i], high[i] | key};
        for (size_t k = 0; k < 2; k++) {
            assert_rv(C_GetObjectSize(f->session, wrong[k], &size), CKR_OBJECT_HANDLE_INVALID);
            assert_rv(C_GetAttributeValue(f->session, wrong[k], NULL, 0), CKR_OBJECT_HANDLE_INVALID);
            assert_rv(C_SetAttributeValue(f->session, wrong[k], NULL, 0), CKR_OBJECT_HANDLE_INVALID);
            assert_rv(C_CopyObject(f->session, wrong[k], NULL, 0, &copy), CKR_OBJECT_HANDLE_INVALID);
            assert_rv(C_DestroyObject(f->session, wrong[k]), CKR_OBJECT_HANDLE_INVALID);
            assert_rv(C_SignInit(f->session, &ecdsa, wrong[k]), CKR_KEY_HANDLE_INVALID);
            assert_rv(C_VerifyInit(f->session, &ecdsa, wrong[k]), CKR_KEY_HANDLE_INVALID);
        }
    }
}

static void one_id_joins_private_key_public_key_and_certificate(void **state)
{
    struct fixture *f = *state;
    static const CK_OBJECT_CLASS classes[] = {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_CERTIFICATE};
    for (size_t i = 0; i < COUNT_OF(classes); i++)
        assert_bytes(f->session, host_find(f->session, classes[i], "demo-rsa2048"), CKA_ID,
                     (struct slice){fake_key("rsa2048")->cka_id, 20});
}

static void rsa_numbers_are_whole(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE key = host_find(f->session, CKO_PUBLIC_KEY, "demo-rsa2048");
    assert_int_equal(number_of(f->session, key, CKA_CLASS), CKO_PUBLIC_KEY);
    assert_int_equal(number_of(f->session, key, CKA_KEY_TYPE), CKK_RSA);
    assert_int_equal(number_of(f->session, key, CKA_MODULUS_BITS), 2048);
    assert_int_equal(length_of(f->session, key, CKA_MODULUS), 256);
    assert_bytes(f->session, key, CKA_PUBLIC_EXPONENT, (struct slice){(const uint8_t *)"\x01\x00\x01", 3});
    assert_bytes(f->session, key, CKA_PUBLIC_KEY_INFO, buf_slice(&fake_key("rsa2048")->spki));
}

static void ec_points_stand_in_an_octet_string(void **state)
{
    struct fixture *f = *state;
    static const uint8_t p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    CK_OBJECT_HANDLE key = host_find(f->session, CKO_PUBLIC_KEY, "demo-p256");
    const struct buf *spki = &fake_key("p256")->spki;
    uint8_t point[67] = {0x04, 0x41};
    memcpy(point + 2, spki->data + spki->len - 65, 65); /* the SPKI ends with the point */
    assert_bytes(f->session, key, CKA_EC_PARAMS, (struct slice){p256, sizeof p256});
    assert_bytes(f->session, key, CKA_EC_POINT, (struct slice){point, sizeof point});
    assert_bytes(f->session, host_find(f->session, CKO_PRIVATE_KEY, "demo-p256"), CKA_EC_POINT,
                 (struct slice){point, sizeof point});
}

static void a_long_point_has_a_long_length(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE key = host_find(f->session, CKO_PUBLIC_KEY, "demo-p521");
    const struct buf *spki = &fake_key("p521")->spki;
    uint8_t point[136] = {0x04, 0x81, 0x85};
    memcpy(point + 3, spki->data + spki->len - 133, 133);
    assert_bytes(f->session, key, CKA_EC_POINT, (struct slice){point, sizeof point});
}

static void edwards_keys_tell_curve_name_and_point(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE key = host_find(f->edwards, CKO_PUBLIC_KEY, "demo-ed25519");
    const struct buf *spki = &fake_key("ed25519")->spki;
    uint8_t point[34] = {0x04, 0x20};
    memcpy(point + 2, spki->data + spki->len - 32, 32);
    assert_int_equal(number_of(f->edwards, key, CKA_KEY_TYPE), CKK_EC_EDWARDS);
    assert_bytes(f->edwards, key, CKA_EC_PARAMS,
                 slice_of_text("\x13\x0c"
                               "edwards25519"));
    assert_bytes(f->edwards, key, CKA_EC_POINT, (struct slice){point, sizeof point});
}

static void certificates_carry_their_names_in_der(void **state)
{
    struct fixture *f = *state;
    const struct buf *der = &fake_key("p256")->certificates[0];
    const uint8_t *at = der->data;
    X509 *crt = d2i_X509(NULL, &at, (long)der->len);
    uint8_t *subject = NULL;
    int subject_len = i2d_X509_NAME(X509_get_subject_name(crt), &subject);

    CK_OBJECT_HANDLE certificate = host_find(f->session, CKO_CERTIFICATE, "demo-p256");
    assert_bytes(f->session, certificate, CKA_VALUE, buf_slice(der));
    assert_bytes(f->session, certificate, CKA_SUBJECT, (struct slice){subject, (size_t)subject_len});
    assert_bytes(f->session, certificate, CKA_SERIAL_NUMBER, slice_of_text("\x02\x02\x03\xe9")); /* 1001 */
    assert_bytes(f->session, certificate, CKA_START_DATE, slice_of_text("20260102"));
    assert_bytes(f->session, certificate, CKA_END_DATE, slice_of_text("20361231"));
    assert_int_equal(number_of(f->session, certificate, CKA_CERTIFICATE_TYPE), CKC_X_509);
    assert_int_equal(number_of(f->session, certificate, CKA_CERTIFICATE_CATEGORY), CK_CERTIFICATE_CATEGORY_TOKEN_USER);
    assert_bytes(f->session, host_find(f->session, CKO_PRIVATE_KEY, "demo-p256"), CKA_SUBJECT,
                 (struct slice){subject, (size_t)subject_len});
    OPENSSL_free(subject);
    X509_free(crt);
}

static void the_issuing_ca_is_there_once_and_found_by_the_leaf_issuer(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE leaf = host_find(f->session, CKO_CERTIFICATE, "demo-p256");
    CK_OBJECT_HANDLE ca = host_find(f->session, CKO_CERTIFICATE, "Test CA");
    assert_int_not_equal(ca, 0);
    assert_int_equal(number_of(f->session, ca, CKA_CERTIFICATE_CATEGORY), CK_CERTIFICATE_CATEGORY_AUTHORITY);
    assert_bytes(f->session, ca, CKA_VALUE, fake_ca_certificate());
    assert_int_equal(length_of(f->session, ca, CKA_ID), 20);

    CK_BYTE issuer[256];
    CK_ATTRIBUTE wanted = {CKA_ISSUER, issuer, sizeof issuer};
    assert_rv(C_GetAttributeValue(f->session, leaf, &wanted, 1), CKR_OK);
    CK_ATTRIBUTE by_subject = {CKA_SUBJECT, issuer, wanted.ulValueLen};
    assert_int_equal(host_count(f->session, &by_subject, 1), 1);
}

static void allowed_mechanisms_follow_the_hashes_of_the_key(void **state)
{
    struct fixture *f = *state;
    fake.hashes = hash_bit(HASH_SHA256);
    assert_rv(C_Logout(f->edwards), CKR_OK);
    assert_rv(C_Logout(f->session), CKR_OK); /* the last logout: the next look is at a new listing */
    assert_rv(host_login(f->session, fake.pin), CKR_OK);
    CK_OBJECT_HANDLE key = host_find(f->session, CKO_PRIVATE_KEY, "demo-p256");
    CK_MECHANISM_TYPE expected[] = {CKM_ECDSA, CKM_ECDSA_SHA256};
    assert_bytes(f->session, key, CKA_ALLOWED_MECHANISMS, (struct slice){(const uint8_t *)expected, sizeof expected});
}

static void reading_asks_the_server_for_nothing(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE key = host_find(f->session, CKO_PRIVATE_KEY, "demo-rsa2048");
    int before = fake.keys_calls;
    for (int i = 0; i < 100; i++)
        (void)length_of(f->session, key, CKA_MODULUS);
    assert_int_equal(fake.keys_calls, before);
}

static void a_handle_means_the_same_object_after_a_new_listing(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE rsa = host_find(f->session, CKO_PRIVATE_KEY, "demo-rsa2048");
    CK_OBJECT_HANDLE p256 = host_find(f->session, CKO_PRIVATE_KEY, "demo-p256");
    CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
    CK_BYTE digest[32] = {0}, signature[64];
    CK_ULONG len = sizeof signature, size = 0;

    fake.sign_fails = CODE_KEY_DISABLED; /* makes the module look again */
    fake.hidden = "p256";
    assert_rv(C_SignInit(f->session, &ecdsa, p256), CKR_OK);
    assert_rv(C_Sign(f->session, digest, sizeof digest, signature, &len), CKR_KEY_FUNCTION_NOT_PERMITTED);
    assert_int_equal(fake.refreshes, 1);
    assert_int_equal(host_find(f->session, CKO_PRIVATE_KEY, "demo-p256"), 0);
    assert_int_equal(host_find(f->session, CKO_PRIVATE_KEY, "demo-rsa2048"), rsa);
    assert_rv(C_GetObjectSize(f->session, p256, &size), CKR_OBJECT_HANDLE_INVALID);
    assert_rv(C_SignInit(f->session, &ecdsa, p256), CKR_KEY_HANDLE_INVALID);
}

static void writing_to_the_token_is_refused_as_the_session_and_object_say(void **state)
{
    struct fixture *f = *state;
    CK_SESSION_HANDLE rw = 0;
    assert_rv(C_OpenSession(SLOT_MAIN, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &rw), CKR_OK);
    CK_OBJECT_HANDLE key = host_find(rw, CKO_PUBLIC_KEY, "demo-p256"), made = 0;
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_ATTRIBUTE label = {CKA_LABEL, "x", 1}, on_token = ATTRIBUTE(CKA_TOKEN, yes),
                 off_token = ATTRIBUTE(CKA_TOKEN, no);

    assert_rv(C_CreateObject(f->session, &on_token, 1, &made), CKR_SESSION_READ_ONLY);
    assert_rv(C_CreateObject(rw, &on_token, 1, &made), CKR_TOKEN_WRITE_PROTECTED);
    assert_rv(C_SetAttributeValue(f->session, key, &label, 1), CKR_SESSION_READ_ONLY);
    assert_rv(C_SetAttributeValue(rw, key, &label, 1), CKR_ACTION_PROHIBITED);
    assert_rv(C_DestroyObject(f->session, key), CKR_SESSION_READ_ONLY);
    assert_rv(C_DestroyObject(rw, key), CKR_ACTION_PROHIBITED);
    assert_rv(C_DestroyObject(rw, 0), CKR_OBJECT_HANDLE_INVALID);
    assert_rv(C_CopyObject(f->session, key, &on_token, 1, &made), CKR_SESSION_READ_ONLY);
    assert_rv(C_CopyObject(f->session, key, &off_token, 1, &made), CKR_ACTION_PROHIBITED);
    assert_rv(C_CopyObject(rw, key, NULL, 0, NULL), CKR_ARGUMENTS_BAD);
    assert_int_equal(host_find(rw, CKO_PUBLIC_KEY, "demo-p256"), key);
}

static void private_keys_are_private_only_where_a_login_is_needed(void **state)
{
    struct fixture *f = *state;
    assert_true(flag_of(f->session, host_find(f->session, CKO_PRIVATE_KEY, "demo-p256"), CKA_PRIVATE));
    assert_false(flag_of(f->session, host_find(f->session, CKO_PUBLIC_KEY, "demo-p256"), CKA_PRIVATE));
    assert_rv(C_Logout(f->session), CKR_OK);
    fake.needs_login = false;
    assert_false(flag_of(f->session, host_find(f->session, CKO_PRIVATE_KEY, "demo-p256"), CKA_PRIVATE));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, host_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(five_cases_are_answered_in_one_call),
        TEST(each_case_alone_has_its_code),
        TEST(i3_no_part_of_a_private_key_is_ever_readable),
        TEST(every_standard_attribute_of_the_class_is_answered),
        TEST(lengths_of_empty_arrays_are_none),
        TEST(a_private_rsa_key_tells_the_size_of_its_pair),
        TEST(unique_ids_are_unique),
        TEST(values_are_written_at_any_address),
        TEST(a_value_that_does_not_fit_is_not_touched),
        TEST(handles_of_any_size_mean_nothing_or_something),
        TEST(one_id_joins_private_key_public_key_and_certificate),
        TEST(rsa_numbers_are_whole),
        TEST(ec_points_stand_in_an_octet_string),
        TEST(a_long_point_has_a_long_length),
        TEST(edwards_keys_tell_curve_name_and_point),
        TEST(certificates_carry_their_names_in_der),
        TEST(the_issuing_ca_is_there_once_and_found_by_the_leaf_issuer),
        TEST(allowed_mechanisms_follow_the_hashes_of_the_key),
        TEST(reading_asks_the_server_for_nothing),
        TEST(a_handle_means_the_same_object_after_a_new_listing),
        TEST(writing_to_the_token_is_refused_as_the_session_and_object_say),
        TEST(private_keys_are_private_only_where_a_login_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

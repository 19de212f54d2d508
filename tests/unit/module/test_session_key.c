/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys that the host brings: session objects, for C_Verify. */
#include "host.h"

struct fixture {
    CK_SESSION_HANDLE session;
    CK_SESSION_HANDLE rw;
    CK_SESSION_HANDLE edwards;
};

static int setup(void **state)
{
    static struct fixture f;
    if (host_setup(state) != 0)
        return -1;
    f.session = host_open_logged_in(SLOT_MAIN);
    f.edwards = host_open_logged_in(SLOT_EDWARDS);
    assert_rv(C_OpenSession(SLOT_MAIN, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &f.rw), CKR_OK);
    *state = &f;
    return 0;
}

/* A template that grows. The values of flags and numbers live as long as the program. */
struct draft {
    CK_ATTRIBUTE attributes[16];
    CK_ULONG count;
    CK_ULONG numbers[4];
    size_t number_count;
    CK_BYTE bytes[3][1100];
};
static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

static void put(struct draft *d, CK_ATTRIBUTE_TYPE type, const void *value, size_t len)
{
    d->attributes[d->count++] = (CK_ATTRIBUTE){type, (void *)(uintptr_t)value, len};
}

static void put_number(struct draft *d, CK_ATTRIBUTE_TYPE type, CK_ULONG number)
{
    CK_ULONG *place = &d->numbers[d->number_count++];
    *place = number;
    put(d, type, place, sizeof *place);
}

static void put_text(struct draft *d, CK_ATTRIBUTE_TYPE type, const char *text)
{
    put(d, type, text, strlen(text));
}

static CK_ATTRIBUTE *get(struct draft *d, CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < d->count; i++) {
        if (d->attributes[i].type == type)
            return &d->attributes[i];
    }
    fail();
    return NULL;
}

static void drop(struct draft *d, CK_ATTRIBUTE_TYPE type)
{
    CK_ATTRIBUTE *dropped = get(d, type);
    *dropped = d->attributes[--d->count];
}

static CK_ULONG read_into(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, CK_BYTE *out,
                          size_t room)
{
    CK_ATTRIBUTE wanted = {type, out, room};
    assert_rv(C_GetAttributeValue(session, object, &wanted, 1), CKR_OK);
    return wanted.ulValueLen;
}

/* What describes the token's public key of this label. */
static void draft_of(struct draft *d, CK_SESSION_HANDLE session, const char *label, CK_KEY_TYPE type)
{
    static const CK_ATTRIBUTE_TYPE rsa[] = {CKA_MODULUS, CKA_PUBLIC_EXPONENT}, ec[] = {CKA_EC_PARAMS, CKA_EC_POINT};
    CK_OBJECT_HANDLE key = host_find(session, CKO_PUBLIC_KEY, label);
    *d = (struct draft){0};
    put_number(d, CKA_CLASS, CKO_PUBLIC_KEY);
    put_number(d, CKA_KEY_TYPE, type);
    for (size_t i = 0; i < 2; i++) {
        CK_ATTRIBUTE_TYPE wanted = type == CKK_RSA ? rsa[i] : ec[i];
        CK_ULONG len = read_into(session, key, wanted, d->bytes[i], sizeof d->bytes[i]);
        put(d, wanted, d->bytes[i], len);
    }
}

static CK_RV create(CK_SESSION_HANDLE session, struct draft *d, CK_OBJECT_HANDLE *out)
{
    return C_CreateObject(session, d->attributes, d->count, out);
}

static CK_OBJECT_HANDLE made(CK_SESSION_HANDLE session, struct draft *d)
{
    CK_OBJECT_HANDLE object = 0;
    assert_rv(create(session, d, &object), CKR_OK);
    assert_int_not_equal(object, 0);
    return object;
}

static CK_OBJECT_HANDLE made_p256(CK_SESSION_HANDLE session)
{
    struct draft d;
    draft_of(&d, session, "demo-p256", CKK_EC);
    return made(session, &d);
}

#define assert_refused(session, d, code)                                                                               \
    do {                                                                                                               \
        CK_OBJECT_HANDLE none_ = 77;                                                                                   \
        assert_rv(create(session, d, &none_), code);                                                                   \
        assert_int_equal(none_, 77);                                                                                   \
    } while (0)

static void sign(CK_SESSION_HANDLE session, const char *label, CK_MECHANISM *m, CK_BYTE *data, CK_ULONG data_len,
                 CK_BYTE *signature, CK_ULONG *len)
{
    assert_rv(C_SignInit(session, m, host_find(session, CKO_PRIVATE_KEY, label)), CKR_OK);
    assert_rv(C_Sign(session, data, data_len, signature, len), CKR_OK);
}

static void assert_verifies(CK_SESSION_HANDLE session, const char *label, CK_OBJECT_HANDLE key, CK_MECHANISM *m,
                            CK_ULONG data_len)
{
    CK_BYTE data[100] = {3}, signature[512];
    CK_ULONG len = sizeof signature;
    if (m->mechanism == CKM_RSA_PKCS) { /* a DigestInfo */
        static const CK_BYTE info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                       0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
        memcpy(data, info, sizeof info);
    }
    sign(session, label, m, data, data_len, signature, &len);
    assert_rv(C_VerifyInit(session, m, key), CKR_OK);
    assert_rv(C_Verify(session, data, data_len, signature, len), CKR_OK);
    signature[len / 2] ^= 1;
    assert_rv(C_VerifyInit(session, m, key), CKR_OK);
    assert_rv(C_Verify(session, data, data_len, signature, len), CKR_SIGNATURE_INVALID);
}

static void an_rsa_key_verifies_by_every_mechanism_of_its_family(void **state)
{
    struct fixture *f = *state;
    static const struct {
        CK_MECHANISM_TYPE type;
        CK_ULONG data_len;
        CK_RSA_PKCS_PSS_PARAMS pss;
    } rows[] = {
        {CKM_RSA_PKCS, 51, {0}},
        {CKM_SHA1_RSA_PKCS, 9, {0}},
        {CKM_SHA224_RSA_PKCS, 9, {0}},
        {CKM_SHA256_RSA_PKCS, 9, {0}},
        {CKM_SHA384_RSA_PKCS, 9, {0}},
        {CKM_SHA512_RSA_PKCS, 9, {0}},
        {CKM_RSA_PKCS_PSS, 32, {CKM_SHA256, CKG_MGF1_SHA256, 32}},
        {CKM_SHA1_RSA_PKCS_PSS, 9, {CKM_SHA_1, CKG_MGF1_SHA1, 20}},
        {CKM_SHA224_RSA_PKCS_PSS, 9, {CKM_SHA224, CKG_MGF1_SHA224, 28}},
        {CKM_SHA256_RSA_PKCS_PSS, 9, {CKM_SHA256, CKG_MGF1_SHA256, 32}},
        {CKM_SHA384_RSA_PKCS_PSS, 9, {CKM_SHA384, CKG_MGF1_SHA384, 48}},
        {CKM_SHA512_RSA_PKCS_PSS, 9, {CKM_SHA512, CKG_MGF1_SHA512, 0}},
    };
    struct draft d;
    draft_of(&d, f->session, "demo-rsa2048", CKK_RSA);
    CK_OBJECT_HANDLE key = made(f->session, &d);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CK_RSA_PKCS_PSS_PARAMS pss = rows[i].pss;
        CK_MECHANISM m = {rows[i].type, pss.hashAlg ? &pss : NULL, pss.hashAlg ? sizeof pss : 0};
        assert_verifies(f->session, "demo-rsa2048", key, &m, rows[i].data_len);
    }
}

static void ec_keys_verify_by_every_mechanism_of_their_family(void **state)
{
    struct fixture *f = *state;
    static const char *const labels[] = {"demo-p256", "demo-p521"};
    static const CK_MECHANISM_TYPE types[] = {CKM_ECDSA,        CKM_ECDSA_SHA1,   CKM_ECDSA_SHA224,
                                              CKM_ECDSA_SHA256, CKM_ECDSA_SHA384, CKM_ECDSA_SHA512};
    for (size_t k = 0; k < COUNT_OF(labels); k++) {
        struct draft d;
        draft_of(&d, f->session, labels[k], CKK_EC);
        CK_OBJECT_HANDLE key = made(f->session, &d);
        for (size_t i = 0; i < COUNT_OF(types); i++)
            assert_verifies(f->session, labels[k], key, &(CK_MECHANISM){types[i], NULL, 0}, 32);
    }
}

static void an_edwards_key_verifies_on_the_token_that_has_the_mechanism(void **state)
{
    struct fixture *f = *state;
    struct draft d;
    draft_of(&d, f->edwards, "demo-ed25519", CKK_EC_EDWARDS);
    assert_verifies(f->edwards, "demo-ed25519", made(f->edwards, &d), &(CK_MECHANISM){CKM_EDDSA, NULL, 0}, 40);
    assert_refused(f->session, &d, CKR_ATTRIBUTE_VALUE_INVALID);
    draft_of(&d, f->session, "demo-p256", CKK_EC);
    assert_refused(f->edwards, &d, CKR_ATTRIBUTE_VALUE_INVALID);
}

static void a_curve_goes_by_oid_and_by_name(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"\x13\x09secp256r1", "\x13\x0aprime256v1", "\x13\x05P-256"};
    struct draft d;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        draft_of(&d, f->session, "demo-p256", CKK_EC);
        *get(&d, CKA_EC_PARAMS) = (CK_ATTRIBUTE){CKA_EC_PARAMS, (void *)(uintptr_t)names[i], strlen(names[i])};
        CK_OBJECT_HANDLE key = made(f->session, &d);
        assert_verifies(f->session, "demo-p256", key, &(CK_MECHANISM){CKM_ECDSA, NULL, 0}, 32);
        CK_BYTE params[32];
        assert_int_equal(read_into(f->session, key, CKA_EC_PARAMS, params, sizeof params), strlen(names[i]));
        assert_memory_equal(params, names[i], strlen(names[i]));
    }
    draft_of(&d, f->edwards, "demo-ed25519", CKK_EC_EDWARDS);
    *get(&d, CKA_EC_PARAMS) = (CK_ATTRIBUTE){CKA_EC_PARAMS, "\x06\x03\x2b\x65\x70", 5};
    assert_verifies(f->edwards, "demo-ed25519", made(f->edwards, &d), &(CK_MECHANISM){CKM_EDDSA, NULL, 0}, 1);
}

/* P-384 and the larger RSA sizes have no key on the token here. */
static void other_sizes_are_taken(void **state)
{
    struct fixture *f = *state;
    struct draft d = {0};
    EVP_PKEY *pair = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
    size_t len = 0;
    assert_int_equal(EVP_PKEY_get_octet_string_param(pair, "pub", d.bytes[0] + 2, 200, &len), 1);
    assert_int_equal(len, 97);
    d.bytes[0][0] = 0x04;
    d.bytes[0][1] = 97;
    put_number(&d, CKA_CLASS, CKO_PUBLIC_KEY);
    put_number(&d, CKA_KEY_TYPE, CKK_EC);
    put_text(&d, CKA_EC_PARAMS, "\x13\x09secp384r1");
    put(&d, CKA_EC_POINT, d.bytes[0], len + 2);
    CK_OBJECT_HANDLE key = made(f->session, &d);
    CK_BYTE id[4];
    assert_int_equal(read_into(f->session, key, CKA_ID, id, sizeof id), 0);
    EVP_PKEY_free(pair);

    static const CK_ULONG bytes[] = {384, 512};
    for (size_t i = 0; i < COUNT_OF(bytes); i++) {
        draft_of(&d, f->session, "demo-rsa2048", CKK_RSA);
        memset(d.bytes[0], 0xc1, bytes[i]); /* odd, and of this size: nobody factors it here */
        get(&d, CKA_MODULUS)->ulValueLen = bytes[i];
        key = made(f->session, &d);
        CK_ULONG bits = 0;
        (void)read_into(f->session, key, CKA_MODULUS_BITS, (CK_BYTE *)&bits, sizeof bits);
        assert_int_equal(bits, bytes[i] * 8);
    }
}

static void a_bare_point_is_taken_and_told_in_its_octet_string(void **state)
{
    struct fixture *f = *state;
    struct draft d;
    CK_BYTE before[160], after[160];
    draft_of(&d, f->session, "demo-p521", CKK_EC);
    CK_ATTRIBUTE *point = get(&d, CKA_EC_POINT);
    CK_ULONG len = point->ulValueLen;
    memcpy(before, point->pValue, len);
    point->pValue = (CK_BYTE *)point->pValue + 3;
    point->ulValueLen -= 3;
    CK_OBJECT_HANDLE key = made(f->session, &d);
    assert_int_equal(read_into(f->session, key, CKA_EC_POINT, after, sizeof after), len);
    assert_memory_equal(before, after, len);
}

static void numbers_with_leading_zeros_are_the_same_numbers(void **state)
{
    struct fixture *f = *state;
    struct draft d;
    draft_of(&d, f->session, "demo-rsa2048", CKK_RSA);
    CK_ATTRIBUTE *modulus = get(&d, CKA_MODULUS);
    memmove(d.bytes[0] + 2, d.bytes[0], modulus->ulValueLen);
    d.bytes[0][0] = d.bytes[0][1] = 0;
    modulus->ulValueLen += 2;
    CK_OBJECT_HANDLE key = made(f->session, &d);
    CK_BYTE told[512];
    assert_int_equal(read_into(f->session, key, CKA_MODULUS, told, sizeof told), 256);
    assert_memory_equal(told, d.bytes[0] + 2, 256);
    assert_verifies(f->session, "demo-rsa2048", key, &(CK_MECHANISM){CKM_SHA256_RSA_PKCS, NULL, 0}, 5);
}

static void what_is_missing_is_told(void **state)
{
    struct fixture *f = *state;
    static const CK_ATTRIBUTE_TYPE rsa[] = {CKA_CLASS, CKA_KEY_TYPE, CKA_MODULUS, CKA_PUBLIC_EXPONENT},
                                   ec[] = {CKA_CLASS, CKA_KEY_TYPE, CKA_EC_PARAMS, CKA_EC_POINT};
    struct draft d;
    for (size_t i = 0; i < 4; i++) {
        draft_of(&d, f->session, "demo-rsa2048", CKK_RSA);
        drop(&d, rsa[i]);
        assert_refused(f->session, &d, CKR_TEMPLATE_INCOMPLETE);
        draft_of(&d, f->session, "demo-p256", CKK_EC);
        drop(&d, ec[i]);
        assert_refused(f->session, &d, CKR_TEMPLATE_INCOMPLETE);
    }
    d.count = 0;
    assert_refused(f->session, &d, CKR_TEMPLATE_INCOMPLETE);
}

static void wrong_rsa_numbers_are_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        CK_ATTRIBUTE_TYPE type;
        const char *bytes;
        size_t len;
    } rows[] = {
        {CKA_PUBLIC_EXPONENT, "\x01\x00\x02", 3},
        {CKA_PUBLIC_EXPONENT, "\x01", 1},
        {CKA_PUBLIC_EXPONENT, "\x00", 1},
        {CKA_PUBLIC_EXPONENT, "", 0},
        {CKA_PUBLIC_EXPONENT, "\1\0\0\0\0\0\0\0\1", 9},
        {CKA_MODULUS, "\xff\xff\x01", 3},
        {CKA_MODULUS, "", 0},
    };
    struct draft d;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        draft_of(&d, f->session, "demo-rsa2048", CKK_RSA);
        *get(&d, rows[i].type) = (CK_ATTRIBUTE){rows[i].type, (void *)(uintptr_t)rows[i].bytes, rows[i].len};
        assert_refused(f->session, &d, CKR_ATTRIBUTE_VALUE_INVALID);
    }
    static const CK_ULONG sizes[] = {128, 255, 257, 320, 513, 1024};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        draft_of(&d, f->session, "demo-rsa2048", CKK_RSA);
        memset(d.bytes[0], 0xc1, sizes[i]);
        get(&d, CKA_MODULUS)->ulValueLen = sizes[i];
        assert_refused(f->session, &d, CKR_ATTRIBUTE_VALUE_INVALID);
    }
    draft_of(&d, f->session, "demo-rsa2048", CKK_RSA);
    d.bytes[0][255] &= 0xfe;
    assert_refused(f->session, &d, CKR_ATTRIBUTE_VALUE_INVALID);
}

static void wrong_curves_are_told_from_no_curves(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *params;
        size_t len;
        CK_RV rv;
    } rows[] = {
        {"\x06\x05\x2b\x81\x04\x00\x0a", 7, CKR_CURVE_NOT_SUPPORTED}, /* secp256k1 */
        {"\x13\x09secp256k1", 11, CKR_CURVE_NOT_SUPPORTED},
        {"\x13\x09SECP256R1", 11, CKR_CURVE_NOT_SUPPORTED},
        {"\x05\x00", 2, CKR_DOMAIN_PARAMS_INVALID},                             /* implicitlyCA */
        {"\x30\x03\x02\x01\x01", 5, CKR_DOMAIN_PARAMS_INVALID},                 /* explicit */
        {"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01", 9, CKR_DOMAIN_PARAMS_INVALID}, /* cut */
        {"\x06\x00", 2, CKR_DOMAIN_PARAMS_INVALID},
        {"", 0, CKR_DOMAIN_PARAMS_INVALID},
        {"\x06\x03\x2b\x65\x70", 5, CKR_TEMPLATE_INCONSISTENT},           /* Ed25519 is of another key type */
        {"\x06\x05\x2b\x81\x04\x00\x22", 7, CKR_ATTRIBUTE_VALUE_INVALID}, /* a point of another curve */
    };
    struct draft d;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        draft_of(&d, f->session, "demo-p256", CKK_EC);
        *get(&d, CKA_EC_PARAMS) = (CK_ATTRIBUTE){CKA_EC_PARAMS, (void *)(uintptr_t)rows[i].params, rows[i].len};
        assert_refused(f->session, &d, rows[i].rv);
    }
}

static void a_point_that_is_none_is_refused(void **state)
{
    struct fixture *f = *state;
    struct draft d;
    for (CK_ULONG len = 0; len < 67; len++) {
        draft_of(&d, f->session, "demo-p256", CKK_EC);
        get(&d, CKA_EC_POINT)->ulValueLen = len;
        assert_refused(f->session, &d, CKR_ATTRIBUTE_VALUE_INVALID);
    }
    static const size_t places[] = {0, 1, 2, 66}; /* tag, length, form, and off the curve */
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        draft_of(&d, f->session, "demo-p256", CKK_EC);
        d.bytes[1][places[i]] ^= 1;
        assert_refused(f->session, &d, CKR_ATTRIBUTE_VALUE_INVALID);
    }
}

static void attributes_that_are_not_the_caller_s_are_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        CK_ATTRIBUTE_TYPE type;
        const char *value;
        size_t len;
        CK_RV rv;
    } rows[] = {
        {CKA_LOCAL, "\x01", 1, CKR_ATTRIBUTE_READ_ONLY},
        {CKA_KEY_GEN_MECHANISM, "\0\0\0\0\0\0\0\0", 8, CKR_ATTRIBUTE_READ_ONLY},
        {CKA_UNIQUE_ID, "mine", 4, CKR_ATTRIBUTE_READ_ONLY},
        {CKA_MODULUS_BITS, "\0\x08\0\0\0\0\0\0", 8, CKR_ATTRIBUTE_READ_ONLY},
        {CKA_TRUSTED, "\x01", 1, CKR_ATTRIBUTE_READ_ONLY},
        {CKA_SENSITIVE, "\x01", 1, CKR_ATTRIBUTE_TYPE_INVALID},
        {CKA_EC_PARAMS, "\x06\x00", 2, CKR_ATTRIBUTE_TYPE_INVALID},
        {CKA_VENDOR_DEFINED | 1, "x", 1, CKR_ATTRIBUTE_TYPE_INVALID},
        {CKA_VERIFY, "\x02", 1, CKR_ATTRIBUTE_VALUE_INVALID},
        {CKA_VERIFY, "\x01\0\0\0", 4, CKR_ATTRIBUTE_VALUE_INVALID},
        {CKA_START_DATE, "2026", 4, CKR_ATTRIBUTE_VALUE_INVALID},
        {CKA_START_DATE, "2026ab01", 8, CKR_ATTRIBUTE_VALUE_INVALID},
        {CKA_ALLOWED_MECHANISMS, "\x06\0\0", 3, CKR_ATTRIBUTE_VALUE_INVALID},
        {CKA_PUBLIC_KEY_INFO, "0", 1, CKR_TEMPLATE_INCONSISTENT},
        {CKA_PUBLIC_EXPONENT, "\x03", 1, CKR_TEMPLATE_INCONSISTENT}, /* a second one */
    };
    struct draft d;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        draft_of(&d, f->session, "demo-rsa2048", CKK_RSA);
        put(&d, rows[i].type, rows[i].value, rows[i].len);
        assert_refused(f->session, &d, rows[i].rv);
    }
    draft_of(&d, f->session, "demo-rsa2048", CKK_RSA);
    put(&d, CKA_PUBLIC_EXPONENT, "\x01\x00\x01", 3); /* the same again */
    put(&d, CKA_TRUSTED, &no, 1);
    put(&d, CKA_PUBLIC_KEY_INFO, fake_key("rsa2048")->spki.data, fake_key("rsa2048")->spki.len);
    (void)made(f->session, &d);
}

static void other_classes_and_places_are_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        CK_OBJECT_CLASS class;
        CK_RV rv;
    } rows[] = {{CKO_PRIVATE_KEY, CKR_TEMPLATE_INCONSISTENT}, {CKO_SECRET_KEY, CKR_TEMPLATE_INCONSISTENT},
                {CKO_CERTIFICATE, CKR_TEMPLATE_INCONSISTENT}, {CKO_DATA, CKR_TEMPLATE_INCONSISTENT},
                {CKO_PROFILE, CKR_TEMPLATE_INCONSISTENT},     {0x4711, CKR_ATTRIBUTE_VALUE_INVALID}};
    struct draft d;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        draft_of(&d, f->session, "demo-p256", CKK_EC);
        d.numbers[0] = rows[i].class;
        assert_refused(f->session, &d, rows[i].rv);
    }
    draft_of(&d, f->session, "demo-p256", CKK_EC);
    d.numbers[1] = CKK_DSA;
    assert_refused(f->session, &d, CKR_ATTRIBUTE_VALUE_INVALID);

    draft_of(&d, f->session, "demo-p256", CKK_EC);
    put(&d, CKA_TOKEN, &yes, 1);
    assert_refused(f->session, &d, CKR_SESSION_READ_ONLY);
    assert_refused(f->rw, &d, CKR_TOKEN_WRITE_PROTECTED);
    draft_of(&d, f->session, "demo-p256", CKK_EC);
    put(&d, CKA_PRIVATE, &yes, 1);
    assert_refused(f->session, &d, CKR_TEMPLATE_INCONSISTENT);
    assert_rv(C_Logout(f->session), CKR_OK);
    assert_refused(f->session, &d, CKR_USER_NOT_LOGGED_IN);
}

static void bad_arguments_are_told(void **state)
{
    struct fixture *f = *state;
    struct draft d;
    CK_OBJECT_HANDLE object = 0;
    draft_of(&d, f->session, "demo-p256", CKK_EC);
    assert_rv(create(0, &d, &object), CKR_SESSION_HANDLE_INVALID);
    assert_rv(create(f->session, &d, NULL), CKR_ARGUMENTS_BAD);
    assert_rv(C_CreateObject(f->session, NULL, 4, &object), CKR_ARGUMENTS_BAD);
    get(&d, CKA_KEY_TYPE)->pValue = NULL;
    assert_rv(create(f->session, &d, &object), CKR_ARGUMENTS_BAD);
}

static void every_standard_attribute_is_answered(void **state)
{
    struct fixture *f = *state;
    static const CK_ATTRIBUTE_TYPE types[] = {CKA_CLASS,
                                              CKA_TOKEN,
                                              CKA_PRIVATE,
                                              CKA_MODIFIABLE,
                                              CKA_LABEL,
                                              CKA_COPYABLE,
                                              CKA_DESTROYABLE,
                                              CKA_KEY_TYPE,
                                              CKA_UNIQUE_ID,
                                              CKA_ID,
                                              CKA_START_DATE,
                                              CKA_END_DATE,
                                              CKA_DERIVE,
                                              CKA_LOCAL,
                                              CKA_KEY_GEN_MECHANISM,
                                              CKA_SUBJECT,
                                              CKA_ENCRYPT,
                                              CKA_VERIFY,
                                              CKA_VERIFY_RECOVER,
                                              CKA_WRAP,
                                              CKA_TRUSTED,
                                              CKA_WRAP_TEMPLATE,
                                              CKA_PUBLIC_KEY_INFO,
                                              CKA_ALLOWED_MECHANISMS,
                                              CKA_EC_PARAMS,
                                              CKA_EC_POINT};
    static const CK_ATTRIBUTE_TYPE false_ones[] = {CKA_TOKEN, CKA_PRIVATE, CKA_LOCAL, CKA_TRUSTED, CKA_ENCRYPT};
    static const CK_ATTRIBUTE_TYPE true_ones[] = {CKA_MODIFIABLE, CKA_COPYABLE, CKA_DESTROYABLE, CKA_VERIFY};
    CK_OBJECT_HANDLE key = made_p256(f->session);
    CK_BYTE value[512];
    for (size_t i = 0; i < COUNT_OF(types); i++)
        (void)read_into(f->session, key, types[i], value, sizeof value);
    for (size_t i = 0; i < COUNT_OF(false_ones); i++) {
        assert_int_equal(read_into(f->session, key, false_ones[i], value, 1), 1);
        assert_int_equal(value[0], CK_FALSE);
    }
    for (size_t i = 0; i < COUNT_OF(true_ones); i++) {
        assert_int_equal(read_into(f->session, key, true_ones[i], value, 1), 1);
        assert_int_equal(value[0], CK_TRUE);
    }
    CK_ULONG generator = 0;
    (void)read_into(f->session, key, CKA_KEY_GEN_MECHANISM, (CK_BYTE *)&generator, sizeof generator);
    assert_int_equal(generator, CK_UNAVAILABLE_INFORMATION);
    const struct buf *spki = &fake_key("p256")->spki;
    assert_int_equal(read_into(f->session, key, CKA_PUBLIC_KEY_INFO, value, sizeof value), spki->len);
    assert_memory_equal(value, spki->data, spki->len);
    CK_ULONG size = 0;
    assert_rv(C_GetObjectSize(f->session, key, &size), CKR_OK);
    assert_true(size > spki->len);
}

static void unique_ids_are_unique(void **state)
{
    struct fixture *f = *state;
    CK_BYTE a[64], b[64], c[64];
    CK_OBJECT_HANDLE first = made_p256(f->session), second = made_p256(f->session), third = 0;
    assert_rv(C_CopyObject(f->session, first, NULL, 0, &third), CKR_OK);
    CK_ULONG a_len = read_into(f->session, first, CKA_UNIQUE_ID, a, sizeof a);
    CK_ULONG b_len = read_into(f->session, second, CKA_UNIQUE_ID, b, sizeof b);
    CK_ULONG c_len = read_into(f->session, third, CKA_UNIQUE_ID, c, sizeof c);
    assert_true(a_len > 0);
    assert_false(a_len == b_len && memcmp(a, b, a_len) == 0);
    assert_false(a_len == c_len && memcmp(a, c, a_len) == 0);
    assert_false(b_len == c_len && memcmp(b, c, b_len) == 0);
}

static void all_sessions_of_the_token_see_it_and_no_others(void **state)
{
    struct fixture *f = *state;
    struct draft d;
    draft_of(&d, f->session, "demo-p256", CKK_EC);
    put_text(&d, CKA_LABEL, "theirs");
    CK_OBJECT_HANDLE key = made(f->session, &d);
    assert_int_equal(host_find(f->session, CKO_PUBLIC_KEY, "theirs"), key);
    assert_int_equal(host_find(f->rw, CKO_PUBLIC_KEY, "theirs"), key);
    assert_int_equal(host_find(f->edwards, CKO_PUBLIC_KEY, "theirs"), 0);
    CK_ATTRIBUTE off_token = ATTRIBUTE(CKA_TOKEN, no), on_token = ATTRIBUTE(CKA_TOKEN, yes);
    assert_int_equal(host_count(f->session, &off_token, 1), 1);
    assert_int_equal(host_count(f->session, &on_token, 1), 14);
    CK_ULONG size = 0;
    assert_rv(C_GetObjectSize(f->edwards, key, &size), CKR_OBJECT_HANDLE_INVALID);
    assert_rv(C_Logout(f->rw), CKR_OK); /* it is public */
    assert_int_equal(host_find(f->rw, CKO_PUBLIC_KEY, "theirs"), key);
}

static void it_dies_with_the_session_that_made_it(void **state)
{
    struct fixture *f = *state;
    CK_SESSION_HANDLE mine = host_open(SLOT_MAIN);
    CK_OBJECT_HANDLE key = made_p256(mine), other = made_p256(f->session);
    CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
    CK_BYTE digest[32] = {7}, signature[64];
    CK_ULONG len = sizeof signature, size = 0;
    sign(f->session, "demo-p256", &ecdsa, digest, sizeof digest, signature, &len);

    assert_rv(C_VerifyInit(f->rw, &ecdsa, key), CKR_OK);
    assert_rv(C_CloseSession(mine), CKR_OK);
    assert_rv(C_GetObjectSize(f->rw, key, &size), CKR_OBJECT_HANDLE_INVALID);
    assert_rv(C_Verify(f->rw, digest, sizeof digest, signature, len), CKR_OK); /* what was begun is kept */
    assert_rv(C_VerifyInit(f->rw, &ecdsa, key), CKR_KEY_HANDLE_INVALID);
    assert_rv(C_GetObjectSize(f->rw, other, &size), CKR_OK);

    assert_rv(C_CloseAllSessions(SLOT_MAIN), CKR_OK);
    assert_rv(C_GetObjectSize(host_open(SLOT_MAIN), other, &size), CKR_OBJECT_HANDLE_INVALID);
}

static void its_attributes_are_changed_where_the_standard_lets_them(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE key = made_p256(f->session);
    CK_BYTE value[64], before[64];
    CK_ULONG before_len = read_into(f->session, key, CKA_UNIQUE_ID, before, sizeof before);
    CK_ATTRIBUTE several[] = {{CKA_LABEL, "new", 3}, {CKA_ID, "\1\2", 2}, {CKA_START_DATE, "20260101", 8}};
    assert_rv(C_SetAttributeValue(f->rw, key, several, 3), CKR_OK); /* any session, of any kind */
    assert_rv(C_SetAttributeValue(f->session, key, several, 1), CKR_OK);
    assert_int_equal(host_find(f->session, CKO_PUBLIC_KEY, "new"), key);
    assert_int_equal(read_into(f->session, key, CKA_ID, value, sizeof value), 2);
    assert_int_equal(read_into(f->session, key, CKA_UNIQUE_ID, value, sizeof value), before_len);
    assert_memory_equal(value, before, before_len);

    CK_ATTRIBUTE verify = ATTRIBUTE(CKA_VERIFY, no);
    CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
    assert_rv(C_SetAttributeValue(f->session, key, &verify, 1), CKR_OK);
    assert_rv(C_VerifyInit(f->session, &ecdsa, key), CKR_KEY_FUNCTION_NOT_PERMITTED);
}

static void a_change_that_is_refused_changes_nothing(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE key = made_p256(f->session);
    CK_ULONG class = CKO_PUBLIC_KEY;
    CK_ATTRIBUTE rows[][2] = {
        {{CKA_LABEL, "new", 3}, ATTRIBUTE(CKA_CLASS, class)},     {{CKA_LABEL, "new", 3}, {CKA_EC_POINT, "x", 1}},
        {{CKA_LABEL, "new", 3}, ATTRIBUTE(CKA_TOKEN, no)},        {{CKA_LABEL, "new", 3}, {CKA_UNIQUE_ID, "x", 1}},
        {{CKA_LABEL, "new", 3}, ATTRIBUTE(CKA_MODIFIABLE, no)},   {{CKA_LABEL, "new", 3}, ATTRIBUTE(CKA_LOCAL, yes)},
        {{CKA_LABEL, "new", 3}, {CKA_ALLOWED_MECHANISMS, "", 0}},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_rv(C_SetAttributeValue(f->session, key, rows[i], 2), CKR_ATTRIBUTE_READ_ONLY);
    CK_ATTRIBUTE unknown = {CKA_VALUE, "x", 1}, wrong = {CKA_VERIFY, "x", 1}, copyable = ATTRIBUTE(CKA_COPYABLE, no);
    assert_rv(C_SetAttributeValue(f->session, key, &unknown, 1), CKR_ATTRIBUTE_TYPE_INVALID);
    assert_rv(C_SetAttributeValue(f->session, key, &wrong, 1), CKR_ATTRIBUTE_VALUE_INVALID);
    assert_rv(C_SetAttributeValue(f->session, key, NULL, 1), CKR_ARGUMENTS_BAD);
    assert_rv(C_SetAttributeValue(f->session, 0, NULL, 0), CKR_OBJECT_HANDLE_INVALID);
    assert_int_equal(host_find(f->session, CKO_PUBLIC_KEY, "new"), 0);

    assert_rv(C_SetAttributeValue(f->session, key, &copyable, 1), CKR_OK);
    copyable.pValue = &yes;
    assert_rv(C_SetAttributeValue(f->session, key, &copyable, 1), CKR_ATTRIBUTE_READ_ONLY);
}

static void it_is_copied_to_another_session_object(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE key = made_p256(f->session), copy = 0;
    CK_ATTRIBUTE named[] = {{CKA_LABEL, "copy", 4}, ATTRIBUTE(CKA_TOKEN, no), ATTRIBUTE(CKA_MODIFIABLE, no)};
    assert_rv(C_CopyObject(f->rw, key, named, 3, &copy), CKR_OK);
    assert_int_not_equal(copy, key);
    assert_int_equal(host_find(f->session, CKO_PUBLIC_KEY, "copy"), copy);
    assert_verifies(f->session, "demo-p256", copy, &(CK_MECHANISM){CKM_ECDSA_SHA256, NULL, 0}, 9);
    assert_rv(C_SetAttributeValue(f->session, copy, named, 1), CKR_ACTION_PROHIBITED);
    assert_rv(C_CloseSession(f->rw), CKR_OK); /* the copy's owner */
    assert_int_equal(host_find(f->session, CKO_PUBLIC_KEY, "copy"), 0);
    CK_ULONG size = 0;
    assert_rv(C_GetObjectSize(f->session, key, &size), CKR_OK);
}

static void copies_that_are_not_to_be_are_refused(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE key = made_p256(f->session), copy = 77;
    CK_ATTRIBUTE on_token = ATTRIBUTE(CKA_TOKEN, yes), type = {CKA_EC_PARAMS, "", 0}, unknown = {CKA_VALUE, "", 0},
                 private = ATTRIBUTE(CKA_PRIVATE, yes), copyable = ATTRIBUTE(CKA_COPYABLE, no);
    assert_rv(C_CopyObject(f->session, key, &on_token, 1, &copy), CKR_SESSION_READ_ONLY);
    assert_rv(C_CopyObject(f->rw, key, &on_token, 1, &copy), CKR_TOKEN_WRITE_PROTECTED);
    assert_rv(C_CopyObject(f->session, key, &type, 1, &copy), CKR_ATTRIBUTE_READ_ONLY);
    assert_rv(C_CopyObject(f->session, key, &unknown, 1, &copy), CKR_ATTRIBUTE_TYPE_INVALID);
    assert_rv(C_CopyObject(f->session, key, &private, 1, &copy), CKR_TEMPLATE_INCONSISTENT);
    assert_rv(C_CopyObject(f->session, key, NULL, 0, NULL), CKR_ARGUMENTS_BAD);
    assert_rv(C_SetAttributeValue(f->session, key, &copyable, 1), CKR_OK);
    assert_rv(C_CopyObject(f->session, key, NULL, 0, &copy), CKR_ACTION_PROHIBITED);
    assert_int_equal(copy, 77);
}

static void it_is_destroyed_unless_it_says_otherwise(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE key = made_p256(f->session);
    CK_ULONG size = 0;
    assert_rv(C_DestroyObject(f->rw, key), CKR_OK);
    assert_rv(C_DestroyObject(f->session, key), CKR_OBJECT_HANDLE_INVALID);
    assert_rv(C_GetObjectSize(f->session, key, &size), CKR_OBJECT_HANDLE_INVALID);

    struct draft d;
    draft_of(&d, f->session, "demo-p256", CKK_EC);
    put(&d, CKA_DESTROYABLE, &no, 1);
    key = made(f->session, &d);
    assert_rv(C_DestroyObject(f->session, key), CKR_ACTION_PROHIBITED);
    assert_rv(C_GetObjectSize(f->session, key, &size), CKR_OK);
}

static void allowed_mechanisms_are_the_only_ones(void **state)
{
    struct fixture *f = *state;
    CK_MECHANISM_TYPE allowed[] = {CKM_ECDSA_SHA256};
    struct draft d;
    draft_of(&d, f->session, "demo-p256", CKK_EC);
    put(&d, CKA_ALLOWED_MECHANISMS, allowed, sizeof allowed);
    CK_OBJECT_HANDLE key = made(f->session, &d);
    assert_rv(C_VerifyInit(f->session, &(CK_MECHANISM){CKM_ECDSA, NULL, 0}, key), CKR_MECHANISM_INVALID);
    assert_rv(C_VerifyInit(f->session, &(CK_MECHANISM){CKM_RSA_PKCS, NULL, 0}, key), CKR_KEY_TYPE_INCONSISTENT);
    assert_verifies(f->session, "demo-p256", key, &(CK_MECHANISM){CKM_ECDSA_SHA256, NULL, 0}, 9);
}

static void a_saved_verification_comes_back_to_a_key_that_may_verify(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE key = made_p256(f->session), other = 0;
    CK_MECHANISM ecdsa = {CKM_ECDSA_SHA256, NULL, 0};
    CK_ATTRIBUTE verify = ATTRIBUTE(CKA_VERIFY, no);
    CK_BYTE saved[4096], data[40] = "in two parts", signature[64];
    CK_ULONG len = sizeof signature, saved_len = sizeof saved;
    sign(f->session, "demo-p256", &ecdsa, data, sizeof data, signature, &len);
    assert_rv(C_VerifyInit(f->session, &ecdsa, key), CKR_OK);
    assert_rv(C_VerifyUpdate(f->session, data, 7), CKR_OK);
    assert_rv(C_GetOperationState(f->session, saved, &saved_len), CKR_OK);
    assert_rv(C_CopyObject(f->session, key, &verify, 1, &other), CKR_OK);
    assert_rv(C_SetOperationState(f->rw, saved, saved_len, 0, other), CKR_SAVED_STATE_INVALID);
    assert_rv(C_SetOperationState(f->rw, saved, saved_len, 0, key), CKR_OK);
    assert_rv(C_VerifyUpdate(f->rw, data + 7, sizeof data - 7), CKR_OK);
    assert_rv(C_VerifyFinal(f->rw, signature, len), CKR_OK);
}

static void it_does_not_sign(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE key = made_p256(f->session);
    assert_rv(C_SignInit(f->session, &(CK_MECHANISM){CKM_ECDSA, NULL, 0}, key), CKR_KEY_FUNCTION_NOT_PERMITTED);
}

static void number_and_size_of_session_objects_have_an_end(void **state)
{
    struct fixture *f = *state;
    static CK_BYTE long_label[2049];
    struct draft d;
    draft_of(&d, f->session, "demo-p256", CKK_EC);
    put(&d, CKA_LABEL, long_label, sizeof long_label);
    assert_refused(f->session, &d, CKR_DEVICE_MEMORY);
    get(&d, CKA_LABEL)->ulValueLen--;
    CK_OBJECT_HANDLE key = made(f->session, &d), copy = 0;
    for (int i = 1; i < 1024; i++)
        assert_rv(C_CopyObject(f->session, key, NULL, 0, &copy), CKR_OK);
    assert_rv(C_CopyObject(f->session, key, NULL, 0, &copy), CKR_DEVICE_MEMORY);
    assert_rv(C_DestroyObject(f->session, key), CKR_OK);
    assert_rv(C_CopyObject(f->session, copy, NULL, 0, &copy), CKR_OK);
}

/* The values of a template stand where the caller likes. */
static void values_are_read_at_any_address(void **state)
{
    struct fixture *f = *state;
    struct draft d;
    static CK_BYTE odd[4][300];
    draft_of(&d, f->session, "demo-rsa2048", CKK_RSA);
    for (CK_ULONG i = 0; i < d.count; i++) {
        memcpy(odd[i] + 1, d.attributes[i].pValue, d.attributes[i].ulValueLen);
        d.attributes[i].pValue = odd[i] + 1;
    }
    CK_OBJECT_HANDLE key = made(f->session, &d);
    CK_BYTE out[16];
    assert_int_equal(read_into(f->session, key, CKA_MODULUS_BITS, out + 1, 8), 8);
    CK_ATTRIBUTE wanted = {CKA_CLASS, odd[0] + 1, sizeof(CK_OBJECT_CLASS)};
    assert_int_equal(host_count(f->session, &wanted, 1), 4);
}

static void a_token_that_needs_no_server_for_it_asks_none(void **state)
{
    struct fixture *f = *state;
    CK_OBJECT_HANDLE key = made_p256(f->session);
    int before = fake.keys_calls;
    CK_ATTRIBUTE off_token = ATTRIBUTE(CKA_TOKEN, no);
    assert_int_equal(host_count(f->session, &off_token, 1), 1);
    assert_rv(C_DestroyObject(f->session, key), CKR_OK);
    assert_int_equal(fake.keys_calls, before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, host_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_rsa_key_verifies_by_every_mechanism_of_its_family),
        TEST(ec_keys_verify_by_every_mechanism_of_their_family),
        TEST(an_edwards_key_verifies_on_the_token_that_has_the_mechanism),
        TEST(a_curve_goes_by_oid_and_by_name),
        TEST(other_sizes_are_taken),
        TEST(a_bare_point_is_taken_and_told_in_its_octet_string),
        TEST(numbers_with_leading_zeros_are_the_same_numbers),
        TEST(what_is_missing_is_told),
        TEST(wrong_rsa_numbers_are_refused),
        TEST(wrong_curves_are_told_from_no_curves),
        TEST(a_point_that_is_none_is_refused),
        TEST(attributes_that_are_not_the_caller_s_are_refused),
        TEST(other_classes_and_places_are_refused),
        TEST(bad_arguments_are_told),
        TEST(every_standard_attribute_is_answered),
        TEST(unique_ids_are_unique),
        TEST(all_sessions_of_the_token_see_it_and_no_others),
        TEST(it_dies_with_the_session_that_made_it),
        TEST(its_attributes_are_changed_where_the_standard_lets_them),
        TEST(a_change_that_is_refused_changes_nothing),
        TEST(it_is_copied_to_another_session_object),
        TEST(copies_that_are_not_to_be_are_refused),
        TEST(it_is_destroyed_unless_it_says_otherwise),
        TEST(allowed_mechanisms_are_the_only_ones),
        TEST(a_saved_verification_comes_back_to_a_key_that_may_verify),
        TEST(it_does_not_sign),
        TEST(number_and_size_of_session_objects_have_an_end),
        TEST(values_are_read_at_any_address),
        TEST(a_token_that_needs_no_server_for_it_asks_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Compact JWS: three strict base64url parts, two strict JSON objects, one signature checked by common/signature.h. This
 * file reads bytes of callers that nobody has authenticated yet; tests/fuzz/fuzz_jws.c feeds it. */
#include "server/auth/jws.h"

#include <openssl/x509.h>
#include <string.h>
#include <strings.h>

#include "chancery/protocol.h"
#include "common/encoding.h"
#include "common/openssl_scope.h"
#include "common/text.h"

/* The first row that fits is the default of a key type. */
static const struct jws_algorithm algorithms[] = {
    {"EdDSA", MECHANISM_EDDSA, HASH_NONE, KEY_TYPE_ED25519},    /* RFC 8037 §3.1 */
    {"ES256", MECHANISM_ECDSA, HASH_SHA256, KEY_TYPE_P256},     /* RFC 7518 §3.4 */
    {"ES384", MECHANISM_ECDSA, HASH_SHA384, KEY_TYPE_P384},     /* RFC 7518 §3.4 */
    {"PS256", MECHANISM_RSA_PSS, HASH_SHA256, KEY_TYPE_NONE},   /* RFC 7518 §3.5: salt and MGF hash as the hash */
    {"RS256", MECHANISM_RSA_PKCS1, HASH_SHA256, KEY_TYPE_NONE}, /* RFC 7518 §3.3 */
};

const struct jws_algorithm *jws_algorithm_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(algorithms); i++) {
        if (strcmp(algorithms[i].name, name) == 0)
            return &algorithms[i];
    }
    return NULL;
}

const struct jws_algorithm *jws_algorithm_for(enum key_type type)
{
    for (size_t i = 0; i < COUNT_OF(algorithms); i++) {
        if (jws_algorithm_fits(&algorithms[i], type))
            return &algorithms[i];
    }
    return NULL;
}

bool jws_algorithm_fits(const struct jws_algorithm *a, enum key_type type)
{
    if (type == KEY_TYPE_NONE)
        return false;
    return a->type == KEY_TYPE_NONE ? key_type_family(type) == mechanism_family(a->mechanism) : a->type == type;
}

void jws_clear(struct jws *j)
{
    json_free(j->header);
    json_free(j->payload);
    buf_clear(&j->signature);
    *j = (struct jws){0};
}

static status refuse(struct error *err, const char *what)
{
    return error_set(err, CODE_NOT_AUTHENTICATED, "assertion: %s", what);
}

/* Exactly three parts, none empty: an unsecured JWS ends with a dot (RFC 7515 A.5), and five parts are a JWE. */
static bool split(struct slice text, struct slice part[3])
{
    const uint8_t *at = text.data, *end = text.data + text.len;
    for (int i = 0; i < 3; i++) {
        const uint8_t *dot = at < end ? memchr(at, '.', (size_t)(end - at)) : NULL;
        if ((i < 2) != (dot != NULL))
            return false;
        part[i] = (struct slice){at, (size_t)((dot ? dot : end) - at)};
        at = dot ? dot + 1 : end;
        if (part[i].len == 0)
            return false;
    }
    return true;
}

static status part_decode(struct slice part, const char *name, struct buf *out, struct error *err)
{
    status decoded = base64url_decode((const char *)part.data, part.len, out, err);
    if (decoded.code == CODE_INVALID) {
        decoded = refuse(err, name);
        error_detail(err, "not base64url without padding");
    }
    return decoded;
}

static status object_decode(struct slice part, const char *name, struct json **out, struct error *err)
{
    cleanup_buf struct buf text = {0};
    TRY(part_decode(part, name, &text, err));
    status parsed = json_parse(buf_slice(&text), JWS_TEXT_MAX, LIMIT_JSON_DEPTH, out, err);
    if (parsed.code == CODE_INVALID || parsed.code == CODE_TOO_LARGE) {
        char reason[160];
        (void)text_copy(reason, sizeof(reason), err ? err->text : "");
        parsed = refuse(err, name);
        error_detail(err, "%s", reason);
    }
    TRY(parsed);
    return json_type(*out) == JSON_OBJECT ? OK : refuse(err, name);
}

/* A text member; NULL when absent. False when it is there and no string. */
static bool member_text(const struct json *object, const char *name, const char **out)
{
    const struct json *member = json_get(object, name);
    *out = member && json_type(member) == JSON_STRING ? json_text(member, NULL) : NULL;
    return !member || *out;
}

/* RFC 7515 §4.1.11: an extension that is critical must be understood, and none is. Keys named in the header (jwk, jku,
 * x5c, x5u) are never looked at. */
static status header_read(struct jws *j, struct error *err)
{
    const char *alg = NULL, *typ = NULL;
    if (json_get(j->header, "crit") || json_get(j->header, "b64"))
        return refuse(err, "the header has a critical extension");
    if (!member_text(j->header, "alg", &alg) || !member_text(j->header, "typ", &typ) ||
        !member_text(j->header, "kid", &j->kid))
        return refuse(err, "alg, typ and kid in the header must be strings");
    if (typ && strcasecmp(typ, "JWT") != 0)
        return refuse(err, "the header's typ must be JWT");

    j->algorithm = alg ? jws_algorithm_find(alg) : NULL;
    return j->algorithm ? OK : refuse(err, "the header's alg must be EdDSA, ES256, ES384, RS256 or PS256");
}

status jws_parse(struct slice text, struct jws *out, struct error *err)
{
    cleanup_jws struct jws j = {0};
    struct slice part[3] = {0};
    if (text.len > JWS_TEXT_MAX)
        return refuse(err, "more than 8192 characters");
    if (!split(text, part))
        return refuse(err, "three parts, separated by dots, are expected");

    j.signed_part = (struct slice){text.data, part[0].len + 1 + part[1].len};
    TRY(object_decode(part[0], "the header is not a base64url-encoded JSON object", &j.header, err));
    TRY(header_read(&j, err));
    TRY(object_decode(part[1], "the payload is not a base64url-encoded JSON object", &j.payload, err));
    TRY(part_decode(part[2], "the signature is not base64url-encoded", &j.signature, err));
    *out = j;
    j = (struct jws){0};
    return OK;
}

static status verify(const struct jws *j, EVP_PKEY *key, struct error *err)
{
    uint8_t hash[32 + 16];
    struct sign_input in = {.mechanism = j->algorithm->mechanism, .hash = j->algorithm->hash, .digest = j->signed_part};
    if (in.hash != HASH_NONE) {
        if (EVP_Q_digest(NULL, hash_openssl(in.hash), NULL, j->signed_part.data, j->signed_part.len, hash, NULL) != 1)
            return error_set(err, CODE_INTERNAL, "%s is not available", hash_name(in.hash));
        in.digest = (struct slice){hash, hash_len(in.hash)};
    }
    if (in.mechanism == MECHANISM_RSA_PSS) {
        in.mgf_hash = in.hash;
        in.salt_len = hash_len(in.hash);
    }
    return signature_verify(NULL, key, &in, buf_slice(&j->signature), err);
}

status jws_verify(const struct jws *j, const char *registered_algorithm, EVP_PKEY *key, struct error *err)
{
    enum key_type type = KEY_TYPE_NONE;
    TRY(key_type_of(key, &type, err));
    if (strcmp(j->algorithm->name, registered_algorithm) != 0 || !jws_algorithm_fits(j->algorithm, type))
        return error_set(err, CODE_BAD_SIGNATURE, "%s", code_text(CODE_BAD_SIGNATURE));
    return verify(j, key, err);
}

/* Public halves of pairs whose private halves were never kept: SubjectPublicKeyInfo, base64. */
static const char *nobodys_key(enum mechanism mechanism, enum hash hash)
{
    if (mechanism == MECHANISM_EDDSA)
        return "MCowBQYDK2VwAyEAL6X9nmKOs0B5K7QB4RgmCljPwSLtKzuOiYXHXTI/940=";
    if (mechanism == MECHANISM_ECDSA && hash == HASH_SHA256)
        return "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2FrMILSxaOKND1kOP23FxR4utJYP9+"
               "GzTXlSd2aZQzu75LnIPSynr3xrkFI6Typyc2hv"
               "ycCsycjfffukO+Xd2g==";
    if (mechanism == MECHANISM_ECDSA)
        return "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE6Rswduh5gwbWCltv5pBq52GrCay+v68cDJZvtFHhP8tGDXQE3E6yOUV+"
               "O5JiWLDMZVLUjdtk"
               "RqUipfu7w9RNoRcL5Je9t72Ius1y8+KQY55CZLgwYmdEjE+2yOqODK/U";
    return "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAs99cAUOenueDupX9ShzYV8RYUm0miJUzbr1FKckQjMnEhDViifIBm6/"
           "JqFKhXn6i"
           "A9vk+W/QzaY+c9ssZdU0B2XKnn6N96t9wpi6x8kczzN1/"
           "ENc60sc4zLy4A3N7y0PRCYlVUxYhVVLOX4Lz4IymVII1RsEAzsipFKVJx+DWvBW"
           "IMzZTNm06PgmYKtoK0BCaHdsiKFB3OWJZug5iC6fTGubXHny9+"
           "FyhueKApJfXXrMV9Yggi6uME5Sg2LAqL3Y0sZYN1iCXsdEBUsJpOjsfFpN"
           "iNR3VjBlfs6vT21sB/0nHeM38soyCtaKkw4+mzMve7cyR1X+wgAm35/E5NeG2wIDAQAB";
}

void jws_verify_for_nobody(const struct jws *j)
{
    cleanup_err_mark bool marked = err_mark();
    cleanup_buf struct buf spki = {0};
    const char *text = nobodys_key(j->algorithm->mechanism, j->algorithm->hash);
    if (!is_ok(base64_decode(text, strlen(text), &spki, NULL)))
        return;

    cleanup_pkey EVP_PKEY *key = NULL;
    if (is_ok(public_key_decode(NULL, buf_slice(&spki), &key, NULL)))
        ignore(verify(j, key, NULL));
}

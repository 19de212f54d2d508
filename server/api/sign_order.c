/* SPDX-License-Identifier: Apache-2.0 */
/* Strict reading of a signature request: every request names mechanism, hash and digest (I5); only eddsa takes a
 * message, and that one is bounded. What is malformed ends here, before key, records and HSM are touched. */
#include "server/api/sign_order.h"

#include <limits.h>
#include <string.h>

#include "common/encoding.h"
#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/parse.h"

enum { SALT_LEN_MOST = 512 };
#define VERSION_NONE INT64_MIN /* it is not named */

struct sign_body {
    const char *mechanism, *hash, *digest, *message;
    const struct json *pss, *context;
    int64_t version;
};

static status bytes_decode(const char *field, const char *text, size_t most, struct buf *bytes, struct error *err)
{
    size_t len = strlen(text);

    if (len > (most + 2) / 3 * 4)
        return error_set(err, CODE_TOO_LARGE, "%s: at most %zu bytes", field, most);
    if (!is_ok(base64_decode(text, len, bytes, NULL)))
        return error_set(err, CODE_INVALID, "%s: not base64", field);
    if (bytes->len > most)
        return error_set(err, CODE_TOO_LARGE, "%s: at most %zu bytes", field, most);
    return OK;
}

static status message_parse(struct sign_order *order, const struct sign_body *body, struct buf *bytes,
                            struct error *err)
{
    if (body->hash || body->digest)
        return error_set(err, CODE_INVALID, "%s: eddsa signs a message and has no hash or digest",
                         body->hash ? "hash" : "digest");
    if (!body->message)
        return error_set(err, CODE_INVALID, "message: needed for eddsa");

    TRY(bytes_decode("message", body->message, LIMIT_EDDSA_MESSAGE, bytes, err));
    order->input.digest = buf_slice(bytes);
    return OK;
}

static status hash_read(const char *field, const char *name, enum hash *hash, struct error *err)
{
    char names[HASH_SET_SIZE];

    if (hash_parse(name, hash))
        return OK;
    hash_set_format(HASH_SET_ALL, names);
    return error_set(err, CODE_INVALID, "%s: one of %s is expected", field, names);
}

static status digest_parse(struct sign_order *order, const struct sign_body *body, struct buf *bytes, struct error *err)
{
    struct sign_input *input = &order->input;

    if (body->message)
        return error_set(err, CODE_INVALID, "message: only eddsa signs a message; give hash and digest");
    if (!body->hash || !body->digest)
        return error_set(err, CODE_INVALID, "%s: needed for %s", body->hash ? "digest" : "hash", body->mechanism);
    TRY(hash_read("hash", body->hash, &input->hash, err));
    size_t len = strlen(body->digest);
    if (!is_ok(base64_decode(body->digest, len, bytes, NULL)))
        return error_set(err, CODE_INVALID, "digest: not base64");
    if (bytes->len != hash_len(input->hash))
        return error_set(err, CODE_DIGEST_MALFORMED, "digest: %zu bytes where %s has %zu", bytes->len, body->hash,
                         hash_len(input->hash));

    input->digest = buf_slice(bytes);
    return OK;
}

static status pss_parse(struct sign_input *input, const struct json *pss, struct error *err)
{
    const char *mgf_hash = NULL;
    int64_t salt_len = (int64_t)hash_len(input->hash);
    const struct json_field fields[] = {
        {"mgf_hash", JSON_STRING, 0, &mgf_hash},
        {"salt_length", JSON_INTEGER, 0, &salt_len},
    };

    input->mgf_hash = input->hash;
    if (pss) {
        status s = json_read_object(pss, fields, COUNT_OF(fields), err);
        if (!is_ok(s)) {
            error_prefix(err, "pss");
            return s;
        }
    }
    if (mgf_hash)
        TRY(hash_read("pss.mgf_hash", mgf_hash, &input->mgf_hash, err));
    if (salt_len < 0 || salt_len > SALT_LEN_MOST)
        return error_set(err, CODE_INVALID, "pss.salt_length: 0 to %d is expected", SALT_LEN_MOST);
    input->salt_len = (size_t)salt_len;
    return OK;
}

static status input_parse(struct sign_order *order, const struct sign_body *body, struct buf *bytes, struct error *err)
{
    if (!mechanism_parse(body->mechanism, &order->input.mechanism))
        return error_set(err, CODE_INVALID, "mechanism: rsa_pkcs1, rsa_pss, ecdsa or eddsa is expected");
    if (body->pss && order->input.mechanism != MECHANISM_RSA_PSS)
        return error_set(err, CODE_INVALID, "pss: only with the mechanism rsa_pss");
    if (order->input.mechanism == MECHANISM_EDDSA)
        return message_parse(order, body, bytes, err);

    TRY(digest_parse(order, body, bytes, err));
    return order->input.mechanism == MECHANISM_RSA_PSS ? pss_parse(&order->input, body->pss, err) : OK;
}

static status context_take(struct sign_order *order, const char *name, const struct json *v, struct error *err)
{
    static const char *const known[] = {"program", "host", "user"};
    const char **const targets[] = {&order->program, &order->host, &order->user};
    const char *value = json_text(v, NULL);
    if (json_type(v) == JSON_NULL)
        return OK;
    if (!value)
        return error_set(err, CODE_INVALID, "%.60s: a string is expected", name);
    TRY(check_text(name, value, err));
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (strcmp(known[i], name) == 0) {
            *targets[i] = value;
            return OK;
        }
    }
    if (order->context_count == SIGN_CONTEXT_MAX)
        return error_set(err, CODE_INVALID, "at most %d fields beside program, host and user", SIGN_CONTEXT_MAX);
    order->context[order->context_count++] = (struct sign_context){name, value};
    return OK;
}

static status version_parse(struct sign_order *order, int64_t version, struct error *err)
{
    if (version == VERSION_NONE)
        return OK;
    if (version < 1 || version > INT_MAX)
        return error_set(err, CODE_INVALID, "version: a version of the key is expected");
    order->version = (int)version;
    return OK;
}

/* program, host, user, and what else the client wants on record, such as a build's number. */
status sign_context_parse(struct sign_order *order, const struct json *context, struct error *err)
{
    for (size_t i = 0; i < json_count(context); i++) {
        const char *name = json_name_at(context, i);
        status s = text_is_name(name) ? context_take(order, name, json_at(context, i), err)
                                      : error_set(err, CODE_INVALID,
                                                  "a field's name is 1 to %d of a-z 0-9 . _ - and "
                                                  "begins with a letter or digit",
                                                  LIMIT_NAME);
        if (!is_ok(s)) {
            error_prefix(err, "context");
            return s;
        }
    }
    return OK;
}

status sign_order_parse(struct sign_order *order, struct request *req, struct buf *bytes, struct error *err)
{
    struct sign_body body = {.version = VERSION_NONE};
    const struct json_field fields[] = {
        {"mechanism", JSON_STRING, JSON_REQUIRED, &body.mechanism},
        {"hash", JSON_STRING, 0, &body.hash},
        {"digest", JSON_STRING, 0, &body.digest},
        {"message", JSON_STRING, 0, &body.message},
        {"pss", JSON_OBJECT, 0, &body.pss},
        {"version", JSON_INTEGER, 0, &body.version},
        {"context", JSON_OBJECT, 0, &body.context},
    };

    *order = (struct sign_order){
        .key = request_param(req, "key"),
        .idempotency_key = request_header(req, HEADER_IDEMPOTENCY_KEY),
        .client_address = request_client_address(req),
        .request_id = request_id(req),
    };
    if (order->idempotency_key && !idempotency_key_is_valid(order->idempotency_key))
        return error_set(err, CODE_INVALID, HEADER_IDEMPOTENCY_KEY ": 16 to %d characters of A-Z a-z 0-9 _ -",
                         LIMIT_IDEMPOTENCY_KEY);
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(version_parse(order, body.version, err));
    TRY(input_parse(order, &body, bytes, err));
    return sign_context_parse(order, body.context, err);
}

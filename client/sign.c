/* SPDX-License-Identifier: Apache-2.0 */
/* One signature: one idempotency key over all attempts, so that a retry after a lost answer gives the same signature
 * and one pair of records (I6); checked with the public key before it is handed on, but for EC and Edwards keys where
 * the configuration leaves that to the server: there it costs more than the signature. */
#include <openssl/evp.h>
#include <string.h>

#include "chancery/protocol.h"
#include "client/answer.h"
#include "client/approval.h"
#include "client/libctx.h"
#include "client/problem.h"
#include "client/request.h"
#include "common/encoding.h"
#include "common/secret.h"

enum { ANSWER_MAX = 16 * 1024, IDEMPOTENCY_BYTES = 18, TIME_BYTES = 6 };

static void text_if_known(struct json_writer *w, const char *name, const char *text)
{
    if (*text)
        json_add_text(w, name, text);
}

static void order_write(const struct client *c, int version, const struct sign_input *in, struct buf *out)
{
    bool eddsa = in->mechanism == MECHANISM_EDDSA;
    struct json_writer w = json_writer_on(out);
    json_begin_object(&w, NULL);
    json_add_text(&w, "mechanism", mechanism_name(in->mechanism));
    if (!eddsa)
        json_add_text(&w, "hash", hash_name(in->hash));
    json_add_base64(&w, eddsa ? "message" : "digest", in->digest);
    if (version > 0) /* the one whose public key the caller has; a key that is only named has none */
        json_add_integer(&w, "version", version);
    if (in->mechanism == MECHANISM_RSA_PSS) {
        json_begin_object(&w, "pss");
        json_add_text(&w, "mgf_hash", hash_name(in->mgf_hash));
        json_add_integer(&w, "salt_length", (int64_t)in->salt_len);
        json_end_object(&w);
    }
    json_begin_object(&w, "context");
    text_if_known(&w, "program", c->origin.program);
    text_if_known(&w, "host", c->origin.host);
    text_if_known(&w, "user", c->origin.user);
    for (size_t i = 0; i < c->config->context.count; i++)
        json_add_text(&w, c->config->context.fields[i].name, c->config->context.fields[i].value);
    json_end_object(&w);
    json_end_object(&w);
}

/* Begins with the time, so that the server's index grows at its end instead of all over; the rest is random. */
static status idempotency_key_make(char out[2 * IDEMPOTENCY_BYTES + 1], struct error *err)
{
    uint8_t key[IDEMPOTENCY_BYTES];
    int64_t now_ms = clock_now_ms();
    for (int i = 0; i < TIME_BYTES; i++)
        key[i] = (uint8_t)(now_ms >> 8 * (TIME_BYTES - 1 - i));
    TRY(secret_random(key + TIME_BYTES, sizeof(key) - TIME_BYTES, err));
    hex_format((struct slice){key, sizeof(key)}, out);
    return OK;
}

static status signature_request(struct client *c, const struct client_key *key, const struct buf *order,
                                struct deadline d, struct transport_answer *answer, struct error *err)
{
    char idempotency_key[2 * IDEMPOTENCY_BYTES + 1];
    cleanup_buf struct buf path = {0};
    buf_printf(&path, "%s/%s%s", ROUTE_SIGNING_KEYS, key->id, ROUTE_SIGNATURES_SUFFIX);
    TRY(buf_check(&path, err));
    TRY(idempotency_key_make(idempotency_key, err));

    const struct transport_request request = {.method = "POST",
                                              .path = buf_text(&path),
                                              .content_type = "application/json",
                                              .body = buf_slice(order),
                                              .idempotency_key = idempotency_key,
                                              .answer_max = ANSWER_MAX};
    TRY(exchange_run(c, &request, retry_until(c->servers, d), answer, err));
    return answer->status == 201 ? OK : problem_status(answer, err);
}

/* The server knows better than our listing whether the key may still be used; and a signature that does not verify may
 * be one of its next version. */
static bool shows_listing_is_old(enum code code)
{
    return code == CODE_NOT_FOUND || code == CODE_KEY_DISABLED || code == CODE_KEY_EXPIRED || code == CODE_FORBIDDEN ||
           code == CODE_MECHANISM_DENIED || code == CODE_BAD_SIGNATURE;
}

static status signature_read(const struct transport_answer *answer, struct buf *signature, struct error *err)
{
    cleanup_json struct json *root = NULL;
    TRY(answer_json(answer, ANSWER_MAX, &root, err));
    const char *text = json_get_text(root, "signature", "");
    status decoded = base64_decode(text, strlen(text), signature, err);
    if (decoded.code == CODE_NO_MEMORY)
        return decoded;
    if (!is_ok(decoded) || signature->len == 0)
        return answer_fault(answer, error_set(err, CODE_INTERNAL, "the server's answer holds no signature"), err);
    return OK;
}

static status signature_check(const struct client_key *key, const struct sign_input *in, const struct buf *signature,
                              struct error *err)
{
    cleanup_libctx struct libctx_scope scope = {0};
    TRY(libctx_enter(&scope, err));
    return signature_verify(scope.ctx, client_key_public(key), in, buf_slice(signature), err);
}

static status signature_get(struct client *c, const struct client_key *key, const struct sign_input *in,
                            struct deadline d, struct buf *signature, struct error *err)
{
    cleanup_buf struct buf order = {0};
    cleanup_buf struct buf made = {0};
    cleanup_answer struct transport_answer answer = {0};
    order_write(c, key->version, in, &order);
    TRY(buf_check(&order, err));
    TRY(signature_request(c, key, &order, d, &answer, err));
    TRY(signature_read(&answer, &made, err));
    if (key_type_family(key->type) == FAMILY_RSA || !c->config->verify_rsa_only)
        TRY(answer_fault(&answer, signature_check(key, in, &made, err), err));

    buf_clear(signature);
    *signature = made;
    made = (struct buf){0};
    return OK;
}

status client_sign_unasked(struct client *c, const struct client_key *key, const struct sign_input *in,
                           struct deadline d, struct buf *signature, struct error *err)
{
    TRY(sign_input_check(in, key->type, err));
    status got = signature_get(c, key, in, d, signature, err);
    if (shows_listing_is_old(got.code))
        keys_doubt(c, d);
    return got;
}

/* The second try has a deadline of its own: the wait for people may have used up the first. */
status client_sign(struct client *c, const struct client_key *key, const struct sign_input *in, struct deadline d,
                   struct buf *signature, struct error *err)
{
    struct error unread = {0};
    struct error *why = err ? err : &unread;
    status made = client_sign_unasked(c, key, in, d, signature, why);
    if (made.code != CODE_APPROVAL_REQUIRED)
        return made;
    TRY(approval_seek(c, key, in, d, why));
    return client_sign_unasked(c, key, in, deadline_in(c->config->timeout_ms), signature, why);
}

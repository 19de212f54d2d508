/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/oauth/token: which assertions open a token, and which do not. */
#include "world.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "common/encoding.h"
#include "common/secret.h"

#define AUDIENCE "https://sign.example/v1/oauth/token"
#define GRANT "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"

static EVP_PKEY *account_private_key;

struct claims {
    const char *header;                            /* NULL: {"alg":"EdDSA"} */
    const char *issuer, *subject, *audience, *jti; /* NULL: the good one, a fresh jti */
    int64_t issued, life;                          /* seconds relative to now; life 0: 300 */
    bool unsigned_one, spoiled;
};

static void part_add(struct buf *out, const char *text)
{
    base64url_encode(slice_of_text(text), out);
}

static void signature_add(struct buf *out, bool spoiled)
{
    uint8_t signature[64];
    size_t len = sizeof(signature);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, account_private_key), 1);
    assert_int_equal(EVP_DigestSign(ctx, signature, &len, out->data, out->len), 1);
    EVP_MD_CTX_free(ctx);
    signature[10] ^= spoiled;
    buf_add_byte(out, '.');
    base64url_encode((struct slice){signature, len}, out);
}

static void assertion_make(struct claims c, struct buf *out)
{
    cleanup_buf struct buf payload = {0};
    struct json_writer w = json_writer_on(&payload);
    char jti[ID_SIZE];
    int64_t now = clock_now_ms() / 1000;

    assert_true(is_ok(id_new("jti", jti, NULL)));
    json_begin_object(&w, NULL);
    json_add_text(&w, "iss", c.issuer ? c.issuer : "build");
    json_add_text(&w, "sub", c.subject ? c.subject : c.issuer ? c.issuer : "build");
    json_add_text(&w, "aud", c.audience ? c.audience : AUDIENCE);
    json_add_integer(&w, "iat", now + c.issued);
    json_add_integer(&w, "exp", now + c.issued + (c.life ? c.life : 300));
    json_add_text(&w, "jti", c.jti ? c.jti : jti);
    json_end_object(&w);

    part_add(out, c.header ? c.header : "{\"alg\":\"EdDSA\"}");
    buf_add_byte(out, '.');
    part_add(out, buf_text(&payload));
    if (c.unsigned_one)
        buf_add_byte(out, '.');
    else
        signature_add(out, c.spoiled);
}

static int form_send(struct world *w, const char *form)
{
    const struct call call = {.method = "POST",
                              .target = "/v1/oauth/token",
                              .body = slice_of_text(form),
                              .content_type = "application/x-www-form-urlencoded"};
    return world_call(w, &call);
}

static int assertion_send(struct world *w, const char *assertion)
{
    cleanup_buf struct buf form = {0};

    buf_printf(&form, "%s&assertion=%s", GRANT, assertion);
    return form_send(w, buf_text(&form));
}

static int claims_send(struct world *w, struct claims c)
{
    cleanup_buf struct buf assertion = {0};

    assertion_make(c, &assertion);
    return assertion_send(w, buf_text(&assertion));
}

static void assert_invalid_grant(struct world *w)
{
    assert_problem(w, CODE_NOT_AUTHENTICATED, NULL);
    assert_string_equal(answer_text(w, "error"), "invalid_grant");
    assert_string_equal(answer_header(w, "WWW-Authenticate"), "Bearer");
    assert_string_equal(answer_text(w, "access_token"), "");
}

/* A body with the public key, the account's name and the key's expiry; both may be NULL. */
static void key_body(const char *name, const char *expires, struct buf *body)
{
    struct json_writer writer = json_writer_on(body);
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem = NULL;

    assert_int_equal(PEM_write_bio_PUBKEY(bio, account_private_key), 1);
    assert_int_equal(BIO_write(bio, "", 1), 1);
    (void)BIO_get_mem_data(bio, &pem);
    json_begin_object(&writer, NULL);
    if (name)
        json_add_text(&writer, "name", name);
    if (expires)
        json_add_text(&writer, "expires", expires);
    json_add_text(&writer, "public_key", pem);
    json_end_object(&writer);
    BIO_free(bio);
}

static int setup(void **state)
{
    cleanup_buf struct buf body = {0};
    char id[ID_SIZE];

    (void)world_open(state);
    world_key(*state, "key", "p256", id);
    account_private_key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    assert_non_null(account_private_key);
    key_body("build", NULL, &body);
    return world_ask(*state, ADMIN, "POST", "/v1/service-accounts", buf_text(&body)) == 201 ? 0 : -1;
}

static int teardown(void **state)
{
    EVP_PKEY_free(account_private_key);
    return world_close(state);
}

static int ask_with(struct world *w, const char *token, const char *target)
{
    const struct call call = {.bearer = token, .method = "GET", .target = target};

    return world_call(w, &call);
}

static void token_get(struct world *w, char token[256])
{
    assert_status(w, claims_send(w, (struct claims){0}), 200);
    assert_true((size_t)snprintf(token, 256, "%s", answer_text(w, "access_token")) < 256);
}

static void a_good_assertion_opens_a_token_for_its_account(void **state)
{
    struct world *w = *state;
    char token[256];

    token_get(w, token);
    assert_string_equal(answer_text(w, "token_type"), "Bearer");
    assert_int_equal(json_get_integer(w->answer, "expires_in", 0), 600);
    assert_string_equal(answer_header(w, "Cache-Control"), "no-store");
    assert_status(w, ask_with(w, token, "/v1/whoami"), 200);
    assert_string_equal(answer_text(w, "name"), "build");
    assert_string_equal(answer_text(w, "type"), "service_account");
    assert_int_equal(json_type(json_get(w->answer, "role")), JSON_NULL);
    assert_status(w, world_get(w, ADMIN, "/v1/service-accounts/build"), 200);
    assert_int_equal(json_type(json_get(json_at(json_get(w->answer, "keys"), 0), "last_used")), JSON_STRING);
}

static void a_replayed_assertion_opens_nothing(void **state)
{
    struct world *w = *state;
    cleanup_buf struct buf assertion = {0};

    assertion_make((struct claims){0}, &assertion);
    assert_status(w, assertion_send(w, buf_text(&assertion)), 200);
    (void)assertion_send(w, buf_text(&assertion));
    assert_invalid_grant(w);
    (void)claims_send(w, (struct claims){.jti = "0123456789abcdef"});
    (void)claims_send(w, (struct claims){.jti = "0123456789abcdef", .issued = -1});
    assert_invalid_grant(w);
}

static void an_assertion_that_is_not_good_opens_nothing(void **state)
{
    struct world *w = *state;
    static const struct claims rows[] = {
        {.issued = -400},                                                   /* expired */
        {.issued = 120},                                                    /* not yet */
        {.life = 301},                                                      /* too long */
        {.audience = "https://other.example/v1/oauth/token"},               /* another server */
        {.audience = "https://sign.example"},                               /* not the token URL */
        {.issuer = "nobody"},                                               /* unknown account */
        {.issuer = "owner"},                                                /* a user */
        {.subject = "signer"},                                              /* iss is not sub */
        {.jti = "short"},                                                   /* guessable */
        {.spoiled = true},                                                  /* signature */
        {.header = "{\"alg\":\"none\"}", .unsigned_one = true},             /* none */
        {.header = "{\"alg\":\"none\"}"},                                   /* none, with a signature */
        {.header = "{\"alg\":\"NonE\"}", .unsigned_one = true},             /* none, disguised */
        {.unsigned_one = true},                                             /* no signature */
        {.header = "{\"alg\":\"HS256\"}"},                                  /* symmetric */
        {.header = "{\"alg\":\"ES256\"}"},                                  /* not the registered one */
        {.header = "{}"},                                                   /* none said */
        {.header = "{\"alg\":\"EdDSA\",\"crit\":[\"b64\"],\"b64\":false}"}, /* extension not known */
        {.header = "{\"alg\":\"EdDSA\",\"kid\":\"sk_aaaaaaaaaaaaaaaaaaaa\"}"},
    };
    int64_t head = world_head(w);

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)claims_send(w, rows[i]);
        assert_invalid_grant(w);
    }
    static const char *const texts[] = {"x", "a.b.c", "..", "e30.e30.", "a.b", "%2E%2E%2E"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        (void)assertion_send(w, texts[i]);
        assert_invalid_grant(w);
    }
    assert_int_equal(world_head(w), head);
}

static void a_form_that_is_not_one_is_invalid(void **state)
{
    struct world *w = *state;
    static const char *const forms[] = {
        "",
        GRANT,
        "assertion=a.b.c",
        "grant_type=password&assertion=a",
        GRANT "&assertion=",
        GRANT "&assertion",
        GRANT "&assertion=a&assertion=b",
        GRANT "&assertion=a&scope=all",
        GRANT "&assertion=%4",
        GRANT "&assertion=%00",
        GRANT "&assertion=%zz",
        GRANT "&&assertion=a",
        "{\"grant_type\":\"x\"}",
        "=&=",
    };

    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        (void)form_send(w, forms[i]);
        assert_problem(w, CODE_INVALID, NULL);
    }
}

static void another_content_type_or_size_is_refused(void **state)
{
    struct world *w = *state;
    cleanup_buf struct buf form = {0};
    struct call call = {.method = "POST",
                        .target = "/v1/oauth/token",
                        .body = slice_of_text(GRANT "&assertion=a"),
                        .content_type = "application/json"};

    (void)world_call(w, &call);
    assert_problem(w, CODE_UNSUPPORTED_MEDIA, "Content-Type");
    buf_add_text(&form, GRANT "&assertion=");
    while (form.len <= (size_t)16 * 1024)
        buf_add_byte(&form, 'a');
    (void)form_send(w, buf_text(&form));
    assert_problem(w, CODE_TOO_LARGE, NULL);
}

static void i4_a_disabled_account_s_tokens_stop_at_the_next_request(void **state)
{
    struct world *w = *state;
    char token[256];

    token_get(w, token);
    assert_status(w, world_post(w, ADMIN, "/v1/service-accounts/build/disable", "{}"), 200);
    assert_string_equal(answer_text(w, "state"), "disabled");
    (void)ask_with(w, token, "/v1/whoami");
    assert_problem(w, CODE_NOT_AUTHENTICATED, NULL);
    (void)claims_send(w, (struct claims){0});
    assert_invalid_grant(w);
    (void)world_post(w, ADMIN, "/v1/service-accounts/build/disable", "{}");
    assert_problem(w, CODE_CONFLICT, "disabled already");
    assert_status(w, world_post(w, ADMIN, "/v1/service-accounts/build/enable", "{}"), 200);
    assert_status(w, ask_with(w, token, "/v1/whoami"), 200);
}

static void i4_a_removed_key_opens_no_token_and_ends_those_there_are(void **state)
{
    struct world *w = *state;
    char target[128], token[256];

    token_get(w, token);
    assert_status(w, world_get(w, ADMIN, "/v1/service-accounts/build"), 200);
    (void)snprintf(target, sizeof(target), "/v1/service-accounts/build/keys/%s",
                   json_get_text(json_at(json_get(w->answer, "keys"), 0), "id", ""));
    assert_status(w, world_ask(w, ADMIN, "DELETE", target, NULL), 204);
    (void)ask_with(w, token, "/v1/whoami");
    assert_problem(w, CODE_NOT_AUTHENTICATED, NULL);
    (void)claims_send(w, (struct claims){0});
    assert_invalid_grant(w);
    (void)world_ask(w, ADMIN, "DELETE", target, NULL);
    assert_problem(w, CODE_NOT_FOUND, NULL);
}

static int key_add(struct world *w, int64_t expires_ms)
{
    cleanup_buf struct buf body = {0};
    char expires[TIME_TEXT_SIZE];

    time_format(expires_ms, expires);
    key_body(NULL, expires_ms ? expires : NULL, &body);
    return world_ask(w, ADMIN, "POST", "/v1/service-accounts/build/keys", buf_text(&body));
}

/* After the test before: the account has no key. */
static void i4_an_expired_key_opens_no_token_and_its_tokens_end_with_it(void **state)
{
    struct world *w = *state;
    char token[256];
    int64_t expires_ms = clock_now_ms() + 4000;
    const struct timespec pause = {.tv_nsec = 20000000};

    assert_status(w, key_add(w, expires_ms), 201);
    assert_string_not_equal(answer_text(w, "expires"), "");
    token_get(w, token);
    assert_true(json_get_integer(w->answer, "expires_in", 600) <= 4);
    assert_status(w, ask_with(w, token, "/v1/whoami"), 200);
    while (clock_now_ms() < expires_ms)
        (void)nanosleep(&pause, NULL);
    (void)ask_with(w, token, "/v1/whoami");
    assert_problem(w, CODE_NOT_AUTHENTICATED, NULL);
    (void)claims_send(w, (struct claims){0});
    assert_invalid_grant(w);
    assert_status(w, key_add(w, 0), 201);
    token_get(w, token);
}

static int sign_with(struct world *w, const char *token)
{
    cleanup_buf struct buf body = {0};

    digest_body("ecdsa", 1, &body);
    const struct call call = {
        .bearer = token, .method = "POST", .target = "/v1/signing/keys/demo:key/signatures", .body = buf_slice(&body)};
    return world_call(w, &call);
}

static void i4_a_removed_account_signs_no_more_with_the_token_it_has(void **state)
{
    struct world *w = *state;
    cleanup_buf struct buf again = {0};
    char token[256];

    assert_status(w, world_post(w, OWNER, "/v1/projects/demo/members", "{\"principal\":\"build\",\"role\":\"signer\"}"),
                  201);
    token_get(w, token);
    assert_status(w, sign_with(w, token), 201);
    assert_status(w, world_ask(w, ADMIN, "DELETE", "/v1/service-accounts/build", NULL), 204);
    (void)sign_with(w, token);
    assert_problem(w, CODE_NOT_AUTHENTICATED, NULL);
    (void)claims_send(w, (struct claims){0});
    assert_invalid_grant(w);

    assert_status(w, world_get(w, ADMIN, "/v1/service-accounts/build"), 404);
    key_body("build", NULL, &again);
    (void)world_ask(w, ADMIN, "POST", "/v1/service-accounts", buf_text(&again));
    assert_problem(w, CODE_CONFLICT, "is or was the name");
    assert_status(w, world_get(w, ADMIN, "/v1/audit?principal=build&type=signature.outcome"), 200);
    assert_int_equal(json_count(json_get(w->answer, "items")), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_assertion_opens_a_token_for_its_account),
        cmocka_unit_test(a_replayed_assertion_opens_nothing),
        cmocka_unit_test(an_assertion_that_is_not_good_opens_nothing),
        cmocka_unit_test(a_form_that_is_not_one_is_invalid),
        cmocka_unit_test(another_content_type_or_size_is_refused),
        cmocka_unit_test(i4_a_disabled_account_s_tokens_stop_at_the_next_request),
        cmocka_unit_test(i4_a_removed_key_opens_no_token_and_ends_those_there_are),
        cmocka_unit_test(i4_an_expired_key_opens_no_token_and_its_tokens_end_with_it),
        cmocka_unit_test(i4_a_removed_account_signs_no_more_with_the_token_it_has),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller who is not authenticated yet can send: an assertion, and a bearer credential. The store has one service
 * account, with the key of RFC 8037 A.1, so that a seed can be a good assertion. */
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "server/auth/credential_text.h"
#include "server/auth/jws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const audiences[] = {"https://sign.example/v1/oauth/token", NULL};
static const int64_t now_ms = 1700000000000;

static struct db *store_once(void)
{
    static struct store *store;
    if (store)
        return store_writer(store);

    struct account_key key = {0};
    const struct principal account = {.id = "svc_1", .name = "build-1", .type = PRINCIPAL_SERVICE_ACCOUNT};
    if (!is_ok(store_open("sqlite::memory:", &store, NULL)) || !is_ok(store_migrate(store, NULL)) ||
        !is_ok(principal_insert(store_writer(store), &account, NULL)) ||
        !is_ok(account_key_parse("-----BEGIN PUBLIC KEY-----\n"
                                 "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
                                 "-----END PUBLIC KEY-----\n",
                                 NULL, &key, NULL)))
        abort();
    (void)text_copy(key.account_id, sizeof(key.account_id), "svc_1");
    if (!is_ok(account_key_insert(store_writer(store), &key, NULL)))
        abort();
    account_key_clear(&key);
    return store_writer(store);
}

static void parse(struct slice text)
{
    cleanup_jws struct jws j = {0};
    struct error err = {0};
    if (!is_ok(jws_parse(text, &j, &err))) {
        if (j.header || j.payload || j.signature.data || !err.text[0])
            abort();
        return;
    }
    if (!j.algorithm || j.signature.len == 0 || j.signed_part.data != text.data || j.signed_part.len >= text.len ||
        json_type(j.header) != JSON_OBJECT || json_type(j.payload) != JSON_OBJECT)
        abort();
}

static void check(struct slice text)
{
    struct auth_assertion out = {0};
    struct error err = {0};
    if (is_ok(auth_assertion_check(store_once(), text, audiences, now_ms, &out, &err))) {
        size_t jti_len = strlen(out.jti);
        if (strcmp(out.principal.id, "svc_1") != 0 || jti_len < 16 || jti_len > 64 || out.expires_ms <= now_ms)
            abort();
    } else if (out.principal.id[0] || err.code != CODE_NOT_AUTHENTICATED) {
        abort();
    }
}

static void bearer(struct slice text)
{
    char id[ID_SIZE] = "";
    struct slice secret = {0};
    struct identity who = {0};
    cleanup_buf struct buf header = {0};
    if (api_key_text_parse(text, id, &secret) && (strlen(id) != 23 || secret.len != BASE62_SECRET_LEN))
        abort();
    buf_add_text(&header, "Bearer ");
    buf_add(&header, text.data, text.len);
    if (auth_bearer(store_once(), buf_text(&header), now_ms, &who, NULL).code != CODE_NOT_AUTHENTICATED)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice text = {data, size};
    parse(text);
    check(text);
    bearer(text);
    return 0;
}

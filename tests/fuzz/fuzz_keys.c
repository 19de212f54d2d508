/* SPDX-License-Identifier: Apache-2.0 */
/* A listing of signing keys, and the objects that the module makes of it. What is taken can be kept on disk and read
 * again as the same, and no id leads to another path. */
#include <stdlib.h>
#include <string.h>

#include "chancery/protocol.h"
#include "client/keys_parse.h"
#include "client/libctx.h"
#include "client/public_data.h"
#include "common/text.h"
#include "module/attribute.h"
#include "module/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char url[] = "https://127.0.0.1:8443";
static const struct client_config config = {.url = url};

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void objects_make(const struct client_key *key)
{
    struct attributes private = {0}, public = {0};
    must(object_fill_private_key(&private, key, true) && attributes_are_whole(&private));
    must(object_fill_public_key(&public, key) && attributes_are_whole(&public));
    attributes_clear(&private);
    attributes_clear(&public);
    for (size_t i = 0; i < key->certificate_count; i++) {
        struct attributes certificate = {0}; /* may be none */
        if (object_fill_certificate(&certificate, buf_slice(&key->certificates[i]), i == 0 ? key : NULL))
            must(attributes_are_whole(&certificate));
        attributes_clear(&certificate);
    }
}

static void key_judge(const struct client_key *key)
{
    must(*key->id && !strpbrk(key->id, "/?#%. \r\n") && text_is_printable(key->id, LIMIT_ID));
    must(text_is_printable(key->token_label, sizeof(key->token_label)));
    must(key->public_key && key->spki.len > 0);
    objects_make(key);
}

static void keep_and_read(const struct client_keys *keys)
{
    cleanup_buf struct buf text = {0};
    const struct public_data data = {.keys = keys, .fetched_at_ms = 1700000000000};
    struct public_data read = {0};
    public_data_format(&config, &data, &text);
    must(is_ok(public_data_parse(&config, buf_slice(&text), &read, NULL)) && read.keys->count == keys->count);
    must(read.fetched_at_ms == data.fetched_at_ms);
    cleanup_client_keys const struct client_keys *again = read.keys;
    for (size_t i = 0; i < keys->count; i++)
        must(memcmp(keys->items[i].cka_id, again->items[i].cka_id, sizeof(keys->items[i].cka_id)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_client_keys const struct client_keys *keys = NULL;
    struct public_data kept = {0};
    struct error err = {0};
    ignore(public_data_parse(&config, (struct slice){data, size}, &kept, NULL));
    client_keys_unref(kept.keys);
    if (!is_ok(keys_parse((struct slice){data, size}, "\"e\"", &keys, &err))) {
        must(!keys && err.code != CODE_OK && *err.text);
        must(text_is_printable(err.text, sizeof(err.text)));
        return 0;
    }
    cleanup_libctx struct libctx_scope scope = {0};
    must(is_ok(libctx_enter(&scope, NULL)));
    for (size_t i = 0; i < keys->count; i++)
        key_judge(&keys->items[i]);
    keep_and_read(keys);
    return 0;
}

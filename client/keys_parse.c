/* SPDX-License-Identifier: Apache-2.0 */
/* From JSON to a snapshot of keys. The answer is trusted to be the server's but not to be well made: every length is
 * checked before it is copied. */
#include "client/keys_parse.h"

#include <openssl/x509.h>
#include <stdatomic.h>
#include <string.h>

#include "chancery/protocol.h"
#include "client/libctx.h"
#include "common/encoding.h"
#include "common/text.h"

enum { CERTIFICATES_MAX = 16, KEYS_MAX = 100000 };

static void snapshot_free(struct keys_snapshot *s)
{
    for (size_t i = 0; i < s->keys.count; i++)
        client_key_clear(&s->keys.items[i]);
    free(s->keys.items);
    for (size_t i = 0; i < s->keys.earlier_count; i++)
        client_key_clear(&s->keys.earlier[i]);
    free(s->keys.earlier);
    buf_clear(&s->json);
    free(s);
}
DEFINE_CLEANUP_PTR(struct keys_snapshot, snapshot_free)

const struct client_keys *client_keys_ref(const struct client_keys *keys)
{
    if (keys)
        atomic_fetch_add(&((struct keys_snapshot *)keys)->refs, 1);
    return keys;
}

void client_keys_unref(const struct client_keys *keys)
{
    struct keys_snapshot *s = (struct keys_snapshot *)keys;
    if (!s || atomic_fetch_sub(&s->refs, 1) > 1)
        return;
    cleanup_libctx struct libctx_scope scope = {0};
    ignore(libctx_enter(&scope, NULL));
    snapshot_free(s);
}

const char *keys_text(const struct client_keys *keys)
{
    return buf_text(&((const struct keys_snapshot *)keys)->json);
}

const char *keys_etag(const struct client_keys *keys)
{
    return keys ? ((const struct keys_snapshot *)keys)->etag : "";
}

static status text_field(const struct json *object, const char *name, char *out, size_t size, struct error *err)
{
    const char *text = json_get_text(object, name, NULL);
    if (!text || !text_is_printable(text, size - 1) || !text_copy(out, size, text))
        return error_set(err, CODE_INTERNAL, "a signing key of the server has no usable %s", name);
    return OK;
}

/* It becomes part of a path: nothing that could lead to another one. */
static bool id_is_plain(const char *id)
{
    size_t len = strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    return len > 0 && len <= LIMIT_ID && id[len] == '\0';
}

static status names_parse(const struct json *v, struct client_key *key, struct error *err)
{
    TRY(text_field(v, "id", key->id, sizeof(key->id), err));
    if (!id_is_plain(key->id))
        return error_set(err, CODE_INTERNAL, "a signing key of the server has no usable id");
    TRY(text_field(v, "project", key->project, sizeof(key->project), err));
    TRY(text_field(v, "label", key->label, sizeof(key->label), err));

    struct buf label = {.data = NULL};
    buf_printf(&label, "%s-%s", key->project, key->label);
    bool fits = !label.failed && text_copy(key->token_label, sizeof(key->token_label), buf_text(&label));
    buf_clear(&label);
    return fits ? OK : error_set(err, CODE_NO_MEMORY, "out of memory");
}

static void mechanisms_parse(const struct json *v, struct client_key *key)
{
    for (size_t i = 0; i < json_count(v); i++) {
        enum mechanism m = MECHANISM_NONE;
        if (mechanism_parse(json_text(json_at(v, i), ""), &m))
            key->mechanisms[m] = true;
    }
}

static void hashes_parse(const struct json *v, struct client_key *key)
{
    for (size_t i = 0; i < json_count(v); i++) {
        enum hash h = HASH_NONE;
        if (hash_parse(json_text(json_at(v, i), ""), &h))
            key->hashes |= hash_bit(h);
    }
}

static status bytes_decode(const struct json *v, const char *what, const struct client_key *key, struct buf *out,
                           struct error *err)
{
    const char *text = json_text(v, "");
    status decoded = base64_decode(text, strlen(text), out, err);
    if (is_ok(decoded) || decoded.code == CODE_NO_MEMORY)
        return decoded;
    return error_set(err, CODE_INTERNAL, "%s of %s is malformed", what, key->token_label);
}

static status public_key_parse(const struct json *v, struct client_key *key, struct error *err)
{
    enum key_type found = KEY_TYPE_NONE;
    TRY(bytes_decode(json_get(v, "public_key"), "the public key", key, &key->spki, err));
    EVP_PKEY *public_key = NULL;
    status decoded = client_key_decode(key, &public_key, err);
    if (decoded.code == CODE_NO_MEMORY)
        return decoded;
    if (!is_ok(decoded) || !is_ok(key_type_of(public_key, &found, NULL)) || found != key->type)
        return error_set(err, CODE_INTERNAL, "the public key of %s is malformed", key->token_label);
    /* Computed here rather than believed: the same on key and certificate is what clients rely on. */
    return key_cka_id(public_key, key->cka_id, err);
}

static status certificates_parse(const struct json *v, struct client_key *key, struct error *err)
{
    size_t count = json_count(v);
    if (count > CERTIFICATES_MAX)
        return error_set(err, CODE_INTERNAL, "%s has more than %d certificates", key->token_label, CERTIFICATES_MAX);
    if (count == 0)
        return OK;
    key->certificates = calloc(count, sizeof(*key->certificates));
    if (!key->certificates)
        return error_set(err, CODE_NO_MEMORY, "out of memory");

    for (size_t i = 0; i < count; i++) {
        key->certificate_count = i + 1;
        TRY(bytes_decode(json_at(v, i), "a certificate", key, &key->certificates[i], err));
    }
    return OK;
}

static status key_parse(const struct json *v, struct client_key *key, struct error *err)
{
    TRY(names_parse(v, key, err));
    key->version = (int)json_get_integer(v, "version", 1);
    mechanisms_parse(json_get(v, "mechanisms"), key);
    hashes_parse(json_get(v, "hashes"), key);
    TRY(public_key_parse(v, key, err));
    return certificates_parse(json_get(v, "certificates"), key, err);
}

/* The same order every time, and one that people expect: tools list keys, and some take the first. */
static int by_label(const void *a, const void *b)
{
    return strcmp(((const struct client_key *)a)->token_label, ((const struct client_key *)b)->token_label);
}

/* *items and *count are filled as far as the reading went. */
static status list_fill(const struct json *list, struct client_key **items, size_t *count, struct error *err)
{
    size_t given = json_count(list);
    if (json_type(list) != JSON_ARRAY || given > KEYS_MAX)
        return error_set(err, CODE_INTERNAL, "the server's answer holds no list of keys");
    *items = calloc(given ? given : 1, sizeof(**items));
    if (!*items)
        return error_set(err, CODE_NO_MEMORY, "out of memory");

    for (size_t i = 0; i < given; i++) {
        const struct json *v = json_at(list, i);
        struct client_key key = {0};
        if (!key_type_parse(json_get_text(v, "type", ""), &key.type))
            continue; /* of a newer server */
        status parsed = key_parse(v, &key, err);
        if (!is_ok(parsed)) {
            client_key_clear(&key);
            return parsed;
        }
        (*items)[(*count)++] = key;
    }
    qsort(*items, *count, sizeof(**items), by_label);
    return OK;
}

/* An older server tells no earlier versions. */
static status snapshot_fill(struct keys_snapshot *s, const struct json *root, struct error *err)
{
    const struct json *earlier = json_get(root, "earlier");
    TRY(list_fill(json_get(root, "keys"), &s->keys.items, &s->keys.count, err));
    return earlier ? list_fill(earlier, &s->keys.earlier, &s->keys.earlier_count, err) : OK;
}

status keys_of_json(const struct json *root, struct slice text, const char *etag, const struct client_keys **out,
                    struct error *err)
{
    cleanup_libctx struct libctx_scope scope = {0};
    TRY(libctx_enter(&scope, err));
    CLEANUP(snapshot_free_cleanup) struct keys_snapshot *s = calloc(1, sizeof(*s));
    if (!s)
        return error_set(err, CODE_NO_MEMORY, "out of memory");

    atomic_init(&s->refs, 1);
    (void)text_copy(s->etag, sizeof(s->etag), etag);
    buf_add(&s->json, text.data, text.len);
    TRY(buf_check(&s->json, err));
    TRY(snapshot_fill(s, root, err));
    *out = &steal(&s)->keys;
    return OK;
}

status keys_parse(struct slice answer, const char *etag, const struct client_keys **out, struct error *err)
{
    cleanup_json struct json *root = NULL;
    struct error reason = {0};
    status parsed = json_parse(answer, KEYS_MAX_BYTES, LIMIT_JSON_DEPTH, &root, &reason);
    if (parsed.code == CODE_NO_MEMORY)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    if (!is_ok(parsed))
        return error_set(err, CODE_INTERNAL, "the server's answer is not understood: %s", reason.text);
    return keys_of_json(root, answer, etag, out, err);
}

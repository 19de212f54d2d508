/* SPDX-License-Identifier: Apache-2.0 */
/* See line.h. This runs once a record, inside the transaction: nothing is allocated once the buffer has grown, and no
 * printf is used. */
#include "server/audit/line.h"

#include <string.h>

#include "common/encoding.h"
#include "common/json.h"

#define HASH_MEMBER ",\"record_hash\":\""

enum { HASH_HEX = 2 * RECORD_HASH_LEN, TAIL_LEN = sizeof(HASH_MEMBER) - 1 + HASH_HEX + 2 /* "} */ };

status line_init(struct line *l, struct error *err)
{
    *l = (struct line){.time_ms = -1};
    l->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    l->context = EVP_MD_CTX_new();
    if (!l->sha256 || !l->context)
        return error_set(err, CODE_NO_MEMORY, "SHA-256 is not available");
    return OK;
}

void line_clear(struct line *l)
{
    EVP_MD_CTX_free(l->context);
    EVP_MD_free(l->sha256);
    buf_clear(&l->text);
    *l = (struct line){0};
}

static void add_literal(struct buf *out, const char *text)
{
    buf_add(out, text, strlen(text));
}

/* lead: the member's name with its punctuation, `,"type":`. */
static void add_text(struct buf *out, const char *lead, const char *text)
{
    add_literal(out, lead);
    if (text)
        json_escape(out, text);
    else
        add_literal(out, "null");
}

/* absent: written as null when the value is 0. */
static void add_integer(struct buf *out, const char *lead, int64_t value, bool absent)
{
    char digits[24];
    size_t at = sizeof(digits);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    add_literal(out, lead);
    if (value == 0 && absent) {
        add_literal(out, "null");
        return;
    }
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0)
        digits[--at] = '-';
    buf_add(out, digits + at, sizeof(digits) - at);
}

static bool is_signature(const struct audit_record *r)
{
    return strncmp(r->type, "signature.", 10) == 0;
}

static void add_signature(struct buf *out, const struct audit_record *r)
{
    add_integer(out, ",\"version\":", r->version, true);
    add_text(out, ",\"mechanism\":", r->mechanism);
    add_text(out, ",\"hash\":", r->hash);
    add_text(out, ",\"digest\":", r->digest_hex);
    add_text(out, ",\"signature_sha256\":", r->signature_sha256_hex);
    if (r->detail_json) {
        add_literal(out, ",\"detail\":");
        add_literal(out, r->detail_json);
    }
}

static void add_administrative(struct buf *out, const struct audit_record *r)
{
    if (r->target_type) {
        add_text(out, ",\"target\":{\"type\":", r->target_type);
        add_text(out, ",\"id\":", r->target_id);
        add_text(out, ",\"name\":", r->target_name);
        buf_add_byte(out, '}');
    } else {
        add_literal(out, ",\"target\":null");
    }
    add_literal(out, ",\"detail\":");
    add_literal(out, r->detail_json ? r->detail_json : "{}");
}

static void add_members(struct line *l, const struct audit_record *r)
{
    struct buf *out = &l->text;
    if (l->time_ms != r->time_ms)
        time_format(l->time_ms = r->time_ms, l->time_text);

    add_integer(out, "{\"v\":1,\"seq\":", r->seq, false);
    add_text(out, ",\"time\":", l->time_text);
    add_text(out, ",\"type\":", r->type);
    add_text(out, ",\"principal\":", r->principal);
    add_text(out, ",\"principal_id\":", r->principal_id);
    add_text(out, ",\"project\":", r->project);
    add_text(out, ",\"key\":", r->key);
    add_text(out, ",\"key_id\":", r->key_id);
    if (is_signature(r))
        add_signature(out, r);
    else
        add_administrative(out, r);
    add_text(out, ",\"outcome\":", r->outcome);
    add_text(out, ",\"reason\":", r->reason);
    if (is_signature(r))
        add_integer(out, ",\"intent\":", r->intent, true);
    add_text(out, ",\"client\":{\"address\":", r->client_address);
    add_text(out, ",\"program\":", r->client_program);
    add_text(out, ",\"host\":", r->client_host);
    add_text(out, ",\"user\":", r->client_user);
    add_text(out, "},\"request_id\":", r->request_id);
}

static bool digest(struct line *l, struct slice head, const char *end, uint8_t hash[RECORD_HASH_LEN])
{
    return EVP_DigestInit_ex2(l->context, l->sha256, NULL) == 1 &&
           EVP_DigestUpdate(l->context, head.data, head.len) == 1 &&
           EVP_DigestUpdate(l->context, end, strlen(end)) == 1 && EVP_DigestFinal_ex(l->context, hash, NULL) == 1;
}

static void add_hex(struct buf *out, const char *lead, const uint8_t hash[RECORD_HASH_LEN])
{
    char hex[HASH_HEX + 1];
    hex_format((struct slice){hash, RECORD_HASH_LEN}, hex);
    add_literal(out, lead);
    buf_add(out, hex, HASH_HEX);
    buf_add_byte(out, '"');
}

status line_build(struct line *l, const struct audit_record *r, const uint8_t previous[RECORD_HASH_LEN],
                  uint8_t hash[RECORD_HASH_LEN], struct error *err)
{
    buf_reset(&l->text);
    add_members(l, r);
    add_hex(&l->text, ",\"previous\":\"", previous);
    TRY(buf_check(&l->text, err));
    if (!digest(l, buf_slice(&l->text), "}", hash))
        return error_set(err, CODE_INTERNAL, "SHA-256 failed");

    add_hex(&l->text, HASH_MEMBER, hash);
    buf_add_byte(&l->text, '}');
    return buf_check(&l->text, err);
}

bool line_hash(struct line *l, struct slice text, uint8_t hash[RECORD_HASH_LEN])
{
    if (text.len < TAIL_LEN || memcmp(text.data + text.len - TAIL_LEN, HASH_MEMBER, sizeof(HASH_MEMBER) - 1) != 0)
        return false;
    return digest(l, (struct slice){text.data, text.len - TAIL_LEN}, "}", hash);
}

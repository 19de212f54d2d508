/* SPDX-License-Identifier: Apache-2.0 */
/* A state is a struct copied out, with a MAC of this process over it: the hash's inner state is the library's own
 * layout, and what was damaged, or comes from elsewhere, must not get into it. A forked child inherits the MAC's key.
 */
#include "module/saved_state.h"

#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/version.h>
#include <pthread.h>
#include <string.h>

#include "client/client.h"
#include "common/secret.h"
#include "module/key_operation.h"
#include "module/object.h"

enum { STATE_VERSION = 1, MAC_LEN = SHA256_DIGEST_SIZE };

struct saved_state {
    char magic[8];
    uint32_t version;
    uint32_t nettle; /* whose layout the hash has */
    enum operation_kind kind;
    bool in_parts;
    CK_MECHANISM_TYPE mechanism; /* sign, verify */
    enum hash pss_hash, mgf_hash;
    size_t salt_len;
    uint8_t key[SHA256_DIGEST_SIZE]; /* sign, verify: of the public key */
    struct hasher hasher;
    uint8_t mac[MAC_LEN];
};
static const char magic[8] = "ChancOpS";

static struct {
    pthread_once_t once;
    bool made;
    uint8_t bytes[32];
} mac_key = {.once = PTHREAD_ONCE_INIT};

static void mac_key_make(void)
{
    mac_key.made = is_ok(secret_random(mac_key.bytes, sizeof mac_key.bytes, NULL));
}

static bool mac_make(const struct saved_state *state, uint8_t out[MAC_LEN])
{
    struct hmac_sha256_ctx hmac;
    (void)pthread_once(&mac_key.once, mac_key_make);
    if (!mac_key.made)
        return false;
    hmac_sha256_set_key(&hmac, sizeof mac_key.bytes, mac_key.bytes);
    hmac_sha256_update(&hmac, offsetof(struct saved_state, mac), (const uint8_t *)state);
    hmac_sha256_digest(&hmac, MAC_LEN, out);
    return true;
}

static uint32_t nettle_number(void)
{
    return (uint32_t)nettle_version_major() << 16 | (uint32_t)nettle_version_minor();
}

static void key_name(const struct client_key *key, uint8_t out[SHA256_DIGEST_SIZE])
{
    struct hasher h;
    hasher_begin(&h, HASH_SHA256);
    (void)hasher_add(&h, buf_slice(&key->spki));
    hasher_end(&h, out);
}

static void state_fill(struct saved_state *state, const struct operation *op)
{
    memset(state, 0, sizeof *state); /* the gaps, too, go into the MAC and out to the host */
    memcpy(state->magic, magic, sizeof magic);
    state->version = STATE_VERSION;
    state->nettle = nettle_number();
    state->kind = op->kind;
    state->in_parts = op->in_parts;
    if (op->kind == OPERATION_DIGEST) {
        state->hasher = op->digest;
        return;
    }
    state->mechanism = op->message.row->type;
    state->pss_hash = op->message.pss_hash;
    state->mgf_hash = op->message.mgf_hash;
    state->salt_len = op->message.salt_len;
    state->hasher = op->message.hasher;
    key_name(op->key, state->key);
}

CK_RV saved_state_get(struct session *s, CK_BYTE *out, CK_ULONG *len)
{
    const struct operation *op = &s->operation;
    struct saved_state state;
    if (!len)
        return CKR_ARGUMENTS_BAD;
    if (op->kind == OPERATION_NONE)
        return CKR_OPERATION_NOT_INITIALIZED;
    if (op->kind != OPERATION_DIGEST && !message_hashes(&op->message))
        return CKR_STATE_UNSAVEABLE;

    enum output output = output_judge(out, len, sizeof state);
    if (output != OUTPUT_WRITE)
        return output_answer(output);
    state_fill(&state, op);
    if (!mac_make(&state, state.mac))
        return CKR_FUNCTION_FAILED;
    memcpy(out, &state, sizeof state);
    *len = sizeof state;
    return CKR_OK;
}

static bool state_read(struct slice in, struct saved_state *out)
{
    uint8_t mac[MAC_LEN];
    if (in.len != sizeof *out)
        return false;
    memcpy(out, in.data, sizeof *out);
    return memcmp(out->magic, magic, sizeof magic) == 0 && out->version == STATE_VERSION &&
           out->nettle == nettle_number() && mac_make(out, mac) && memeql_sec(mac, out->mac, MAC_LEN);
}

/* The list of §5.6.6 has no CKR_KEY_HANDLE_INVALID: what is not that key is another one. */
static CK_RV key_restore(struct session *s, const struct saved_state *state, CK_OBJECT_HANDLE handle,
                         struct operation *op)
{
    CK_OBJECT_CLASS wanted = state->kind == OPERATION_SIGN ? CKO_PRIVATE_KEY : CKO_PUBLIC_KEY;
    uint8_t name[SHA256_DIGEST_SIZE];
    if (key_operation_find(s, handle, wanted, op) != CKR_OK)
        return CKR_KEY_CHANGED;
    key_name(op->key, name);
    if (memcmp(name, state->key, sizeof name) != 0)
        return CKR_KEY_CHANGED;

    op->message = (struct message){.row = mechanism_find_sign(state->mechanism),
                                   .type = op->key->type,
                                   .hashes = op->key->hashes,
                                   .pss_hash = state->pss_hash,
                                   .mgf_hash = state->mgf_hash,
                                   .salt_len = state->salt_len,
                                   .hasher = state->hasher};
    bool is_allowed = mechanism_is_allowed(op->message.row, op->key) &&
                      object_use_check(object_set_find(op->objects, handle), state->mechanism) == CKR_OK;
    return is_allowed ? CKR_OK : CKR_SAVED_STATE_INVALID;
}

static CK_RV operation_restore(struct session *s, const struct saved_state *state, CK_OBJECT_HANDLE authentication_key,
                               struct operation *op)
{
    *op = (struct operation){.kind = state->kind, .in_parts = state->in_parts};
    if (state->kind == OPERATION_DIGEST) {
        op->digest = state->hasher;
        return authentication_key ? CKR_KEY_NOT_NEEDED : CKR_OK;
    }
    return authentication_key ? key_restore(s, state, authentication_key, op) : CKR_KEY_NEEDED;
}

CK_RV saved_state_set(struct session *s, struct slice in, CK_OBJECT_HANDLE encryption_key,
                      CK_OBJECT_HANDLE authentication_key)
{
    struct saved_state state;
    struct operation op;
    if (!in.data)
        return CKR_ARGUMENTS_BAD;
    if (!state_read(in, &state))
        return CKR_SAVED_STATE_INVALID;
    if (encryption_key)
        return CKR_KEY_NOT_NEEDED;

    CK_RV rv = operation_restore(s, &state, authentication_key, &op);
    operation_end(rv == CKR_OK ? &s->operation : &op);
    if (rv == CKR_OK)
        s->operation = op;
    return rv;
}

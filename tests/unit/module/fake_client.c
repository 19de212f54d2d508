/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_client.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "client/libctx.h"

struct client {
    struct client_config *config;
    atomic_bool logged_in;
    pthread_mutex_t lock;
    const struct client_keys *listed;
};

struct listing {
    struct client_keys keys; /* first: what the module sees */
    atomic_int references;
};

struct fake fake;

static struct {
    bool made;
    struct client_key keys[FAKE_KEYS_MAX];
    EVP_PKEY *pairs[FAKE_KEYS_MAX];
    size_t count;
    EVP_PKEY *ca;
    struct buf ca_certificate;
} store;

static EVP_PKEY *pair_make(enum key_type type)
{
    switch (type) {
    case KEY_TYPE_RSA2048:
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    case KEY_TYPE_P256:
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    case KEY_TYPE_P521:
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");
    default:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    }
}

static void certificate_make(EVP_PKEY *subject_key, const char *subject, const char *issuer, long serial,
                             struct buf *out)
{
    X509 *crt = X509_new();
    X509_set_version(crt, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(crt), serial);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(crt), "CN", MBSTRING_ASC, (const unsigned char *)subject, -1, -1,
                               0);
    X509_NAME_add_entry_by_txt(X509_get_issuer_name(crt), "CN", MBSTRING_ASC, (const unsigned char *)issuer, -1, -1, 0);
    ASN1_TIME_set_string(X509_getm_notBefore(crt), "20260102030405Z");
    ASN1_TIME_set_string(X509_getm_notAfter(crt), "20361231235959Z");
    X509_set_pubkey(crt, subject_key);
    X509_sign(crt, store.ca, EVP_sha256());
    uint8_t *der = NULL;
    int len = i2d_X509(crt, &der);
    buf_add(out, der, (size_t)len);
    OPENSSL_free(der);
    X509_free(crt);
}

static void key_make(enum key_type type)
{
    size_t i = store.count++;
    struct client_key *key = &store.keys[i];
    EVP_PKEY *pair = store.pairs[i] = pair_make(type);
    *key = (struct client_key){.project = "demo", .version = 1, .type = type};
    (void)snprintf(key->id, sizeof key->id, "key_%s", key_type_name(type));
    (void)snprintf(key->label, sizeof key->label, "%s", key_type_name(type));
    (void)snprintf(key->token_label, sizeof key->token_label, "demo-%s", key_type_name(type));
    uint8_t *der = NULL;
    int len = i2d_PUBKEY(pair, &der);
    buf_add(&key->spki, der, (size_t)len);
    OPENSSL_free(der);
    (void)client_key_public(key); /* before it is copied */
    ignore(key_cka_id(pair, key->cka_id, NULL));
    for (int m = MECHANISM_NONE + 1; m < MECHANISM_COUNT; m++)
        key->mechanisms[m] = mechanism_family((enum mechanism)m) == key_type_family(type);
    key->certificates = calloc(2, sizeof *key->certificates);
    key->certificate_count = 2;
    certificate_make(pair, key->token_label, "Test CA", (long)i + 1000, &key->certificates[0]);
    buf_add(&key->certificates[1], store.ca_certificate.data, store.ca_certificate.len);
}

void fake_reset(void)
{
    fake = (struct fake){.needs_login = true, .pin = "open sesame"};
    if (store.made)
        return;
    store.made = true;
    store.ca = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    certificate_make(store.ca, "Test CA", "Test CA", 1, &store.ca_certificate);
    key_make(KEY_TYPE_RSA2048);
    key_make(KEY_TYPE_P256);
    key_make(KEY_TYPE_P521);
    key_make(KEY_TYPE_ED25519);
}

const struct client_key *fake_key(const char *label)
{
    for (size_t i = 0; i < store.count; i++) {
        if (strcmp(store.keys[i].label, label) == 0)
            return &store.keys[i];
    }
    return NULL;
}

struct slice fake_ca_certificate(void)
{
    return buf_slice(&store.ca_certificate);
}

status client_config_load(const char *path, struct client_config **out, struct error *err)
{
    (void)path;
    if (fake.no_configuration)
        return error_set(err, CODE_NOT_FOUND, "no configuration");
    if (fake.configuration_fails != CODE_OK)
        return error_set(err, fake.configuration_fails, "wrong");
    struct client_config *c = calloc(1, sizeof *c);
    c->url = strdup("https://127.0.0.1:1");
    c->token_label = strdup("test");
    c->account = strdup("build-1");
    c->public_data_path = fake.no_public_data ? NULL : strdup("public.json");
    c->timeout_ms = 5000;
    c->eddsa_same = fake.eddsa_same;
    *out = c;
    return OK;
}

void client_config_free(struct client_config *c)
{
    if (!c)
        return;
    free(c->url);
    free(c->token_label);
    free(c->account);
    free(c->public_data_path);
    free(c);
}

status client_new(struct client_config *config, struct client **out, struct error *err)
{
    if (fake.client_fails != CODE_OK) {
        client_config_free(config);
        return error_set(err, fake.client_fails, "wrong");
    }
    struct client *c = calloc(1, sizeof *c);
    c->config = config;
    pthread_mutex_init(&c->lock, NULL);
    atomic_fetch_add(&fake.clients, 1);
    *out = c;
    return OK;
}

void client_free(struct client *c)
{
    client_keys_unref(c->listed);
    client_config_free(c->config);
    free(c);
    atomic_fetch_sub(&fake.clients, 1);
}

void client_abandon_after_fork(struct client *c)
{
    (void)c;
    atomic_fetch_add(&fake.abandoned, 1);
}

void client_fork_lock(struct client *c)
{
    pthread_mutex_lock(&c->lock);
}

void client_fork_unlock(struct client *c)
{
    pthread_mutex_unlock(&c->lock);
}

void client_fork_child(struct client *c)
{
    libctx_abandon_after_fork();
    atomic_fetch_add(&fake.continued, 1);
    client_fork_unlock(c);
}

const struct client_config *client_config_of(const struct client *c)
{
    return c->config;
}

bool client_needs_login(const struct client *c)
{
    (void)c;
    return fake.needs_login;
}

bool client_is_logged_in(const struct client *c)
{
    return c->logged_in;
}

static void listing_forget(struct client *c)
{
    pthread_mutex_lock(&c->lock);
    client_keys_unref(c->listed);
    c->listed = NULL;
    pthread_mutex_unlock(&c->lock);
}

status client_login(struct client *c, struct slice secret, struct error *err)
{
    atomic_fetch_add(&fake.logins, 1);
    if (!slice_equal(secret, slice_of_text(fake.pin)))
        return error_set(err, CODE_CREDENTIAL, "wrong passphrase");
    c->logged_in = true;
    return OK;
}

/* As in the real one, a listing goes with the credential it was read with. */
void client_logout(struct client *c)
{
    atomic_fetch_add(&fake.logouts, 1);
    c->logged_in = false;
    listing_forget(c);
}

const struct client_keys *client_keys_ref(const struct client_keys *keys)
{
    atomic_fetch_add(&((struct listing *)(uintptr_t)keys)->references, 1);
    return keys;
}

void client_keys_unref(const struct client_keys *keys)
{
    struct listing *l = (struct listing *)(uintptr_t)keys;
    if (!l || atomic_fetch_sub(&l->references, 1) != 1)
        return;
    free(l->keys.items);
    free(l);
}

/* The keys' innards are the store's and live on. */
static const struct client_keys *listing_make(void)
{
    struct listing *l = calloc(1, sizeof *l);
    l->keys.items = calloc(FAKE_KEYS_MAX, sizeof *l->keys.items);
    atomic_init(&l->references, 1);
    for (size_t i = 0; i < store.count; i++) {
        if (fake.hidden && strcmp(store.keys[i].label, fake.hidden) == 0)
            continue;
        struct client_key *key = &l->keys.items[l->keys.count++];
        *key = store.keys[i];
        key->hashes = fake.hashes ? fake.hashes : (1u << HASH_COUNT) - 1;
    }
    return &l->keys;
}

status client_keys(struct client *c, struct deadline d, const struct client_keys **out, struct error *err)
{
    (void)d;
    atomic_fetch_add(&fake.keys_calls, 1);
    if (fake.keys_fail != CODE_OK)
        return error_set(err, fake.keys_fail, "no keys");
    pthread_mutex_lock(&c->lock);
    if (!c->listed)
        c->listed = listing_make();
    *out = client_keys_ref(c->listed);
    pthread_mutex_unlock(&c->lock);
    return OK;
}

void client_keys_refresh(struct client *c)
{
    atomic_fetch_add(&fake.refreshes, 1);
    listing_forget(c);
}

bool client_keys_search_missed(struct client *c)
{
    if (fake.asked_lately || (fake.needs_login && !c->logged_in))
        return false;
    fake.asked_lately = true;
    client_keys_refresh(c);
    return true;
}

static void sign_hold(void)
{
    atomic_fetch_add(&fake.held, 1);
    for (int i = 0; i < 10000 && atomic_load(&fake.holding); i++)
        usleep(1000);
    atomic_fetch_sub(&fake.held, 1);
}

static bool sign_prehashed(EVP_PKEY *pair, const struct sign_input *in, uint8_t *out, size_t *len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pair, NULL);
    bool good = EVP_PKEY_sign_init(ctx) == 1;
    good = good && EVP_PKEY_CTX_set_signature_md(ctx, EVP_get_digestbyname(hash_openssl(in->hash))) == 1;
    if (in->mechanism == MECHANISM_RSA_PSS) {
        good = good && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1;
        good = good && EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int)in->salt_len) == 1;
        good = good && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_get_digestbyname(hash_openssl(in->mgf_hash))) == 1;
    }
    good = good && EVP_PKEY_sign(ctx, out, len, in->digest.data, in->digest.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return good;
}

static bool sign_message(EVP_PKEY *pair, const struct sign_input *in, uint8_t *out, size_t *len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = EVP_DigestSignInit(ctx, NULL, NULL, NULL, pair) == 1 &&
                EVP_DigestSign(ctx, out, len, in->digest.data, in->digest.len) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

static bool sign_with(EVP_PKEY *pair, const struct client_key *key, const struct sign_input *in, struct buf *out)
{
    uint8_t bytes[1024];
    size_t len = sizeof bytes;
    bool good =
        in->mechanism == MECHANISM_EDDSA ? sign_message(pair, in, bytes, &len) : sign_prehashed(pair, in, bytes, &len);
    if (!good)
        return false;
    if (in->mechanism == MECHANISM_ECDSA)
        return is_ok(ecdsa_der_to_raw((struct slice){bytes, len}, key_type_signature_len(key->type) / 2, out, NULL));
    buf_add(out, bytes, len);
    return true;
}

static void input_remember(const struct sign_input *in)
{
    fake.last_input = *in;
    size_t len = in->digest.len < sizeof fake.last_digest ? in->digest.len : sizeof fake.last_digest;
    if (len)
        memcpy(fake.last_digest, in->digest.data, len);
}

status client_sign(struct client *c, const struct client_key *key, const struct sign_input *in, struct deadline d,
                   struct buf *signature, struct error *err)
{
    (void)d;
    atomic_fetch_add(&fake.sign_calls, 1);
    sign_hold();
    if (fake.sign_fails != CODE_OK) {
        client_keys_refresh(c); /* as the real one does */
        return error_set(err, fake.sign_fails, "refused");
    }
    TRY(sign_input_check(in, key->type, err));
    pthread_mutex_lock(&c->lock);
    input_remember(in);
    pthread_mutex_unlock(&c->lock);
    for (size_t i = 0; i < store.count; i++) {
        if (strcmp(store.keys[i].id, key->id) == 0 && !sign_with(store.pairs[i], key, in, signature))
            return error_set(err, CODE_INTERNAL, "OpenSSL cannot sign");
    }
    if (fake.sign_spoils_length)
        buf_add_byte(signature, 0);
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The Code Sign Client as a library, for the module and the command line. Thread-safe; holds no lock across I/O; starts
 * no thread; touches the network only in the calls that say so. All OpenSSL and libcurl use runs under a private
 * OSSL_LIB_CTX. */
#pragma once

#include "client/config.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/signature.h"

struct client;
struct public_key;

/* One key as GET /v1/signing/keys lists it. Certificates are DER, leaf first, then its issuers. */
struct client_key {
    char id[48];
    char project[64];
    char label[64];
    char token_label[136]; /* "<project>-<label>": CKA_LABEL */
    int version;
    enum key_type type;
    struct buf spki;                         /* DER SubjectPublicKeyInfo */
    _Atomic(struct public_key *) public_key; /* the same, decoded: client_key_public */
    uint8_t cka_id[20];
    unsigned hashes; /* hash_bit set */
    bool mechanisms[MECHANISM_COUNT];
    struct buf *certificates;
    size_t certificate_count;
};
/* The public half in the private OSSL_LIB_CTX, borrowed from the key: use it inside a libctx scope only. Decoded once,
 * and once more in a child that forked and goes on with the key. NULL when OpenSSL cannot decode it. */
EVP_PKEY *client_key_public(const struct client_key *key);
status client_key_decode(const struct client_key *key, EVP_PKEY **out,
                         struct error *err); /* the same, with the reason */
void client_key_clear(struct client_key *key);

/* An immutable snapshot, shared by reference count. */
struct client_keys {
    struct client_key *items;
    size_t count;
    /* earlier versions that may still sign: for who has one in hand, not for who looks for a key */
    struct client_key *earlier;
    size_t earlier_count;
};
const struct client_keys *client_keys_ref(const struct client_keys *keys);
void client_keys_unref(const struct client_keys *keys); /* NULL is fine */
DEFINE_CLEANUP_PTR(const struct client_keys, client_keys_unref)
#define cleanup_client_keys CLEANUP(client_keys_unref_cleanup)

/* No I/O but reading the configured files. Takes the configuration. */
status client_new(struct client_config *config, struct client **out, struct error *err);
void client_free(struct client *c);
DEFINE_CLEANUP_PTR(struct client, client_free)
#define cleanup_client CLEANUP(client_free_cleanup)
/* In a forked child: closes inherited sockets without sending a byte, drops locks, frees nothing that is shared. The
 * client is not to be used afterwards, nor freed: its memory may have been in the middle of a change when the parent
 * forked. Make a new one. */
void client_abandon_after_fork(struct client *c);

/* A client that lives on in both processes (PKCS#11 3.0 §5.4.6, fork tolerant): lock before fork(), unlock after it in
 * the parent. In the child instead: closes the inherited sockets without a byte, gives the OSSL_LIB_CTX up and goes on
 * with login, token and keys of its own copy; calls that other threads had under way are forgotten. These are for
 * pthread_atfork: no allocation, no I/O but close. */
void client_fork_lock(struct client *c);
void client_fork_unlock(struct client *c);
void client_fork_child(struct client *c);
const struct client_config *client_config_of(const struct client *c);

bool client_needs_login(const struct client *c); /* encrypted key file, or an API key that is not stored */
bool client_is_logged_in(const struct client *c);
/* Decrypts the key file with the passphrase, or takes the API key. Local: no network. CODE_CREDENTIAL when wrong. */
status client_login(struct client *c, struct slice secret, struct error *err);
void client_logout(struct client *c); /* wipes credential and token */

/* Keys this principal may use: from memory while younger than the configured age; at first from the public data on
 * disk, when these are young; else one conditional GET (ETag). When the server cannot be reached and an older snapshot
 * or the public data exist, that is returned. Before login: the public data on disk (an empty set when there is none).
 * The caller unrefs. */
status client_keys(struct client *c, struct deadline d, const struct client_keys **out, struct error *err);
/* Forgets the age, so that the next client_keys asks the server. */
void client_keys_refresh(struct client *c);
/* Something was looked for that client_keys did not list. True: look again, the next client_keys asks the server.
 * False: it was asked in the last seconds, or nobody is logged in. */
bool client_keys_search_missed(struct client *c);

/* One signature (one idempotency key over all retries); verified with the key's public half before it is
 * returned (EC and Edwards: unless [token] verify = rsa). At most one token request and one
 * signature request over one connection, unless a server fails. A refusal that shows the list of keys to be old
 * forgets its age. Where the key's use needs an approval and [approval] request = auto, asks for one, waits wait_ms for
 * it, beyond the deadline, and tries once more. */
status client_sign(struct client *c, const struct client_key *key, const struct sign_input *in, struct deadline d,
                   struct buf *signature, struct error *err);

/* The same without asking for an approval: it is refused. */
status client_sign_unasked(struct client *c, const struct client_key *key, const struct sign_input *in,
                           struct deadline d, struct buf *signature, struct error *err);

/* Waits until a request for approval is decided. OK: it is approved. CODE_APPROVAL_REQUIRED: it was denied, has ended
 * otherwise, or is undecided at the deadline. */
status client_approval_wait(struct client *c, const char *id, struct deadline d, struct error *err);

/* Any request, authenticated, for administration. body NULL: none. answer may be NULL. A problem+json answer becomes
 * its code and text ("<title>: <detail> (request req_…, HTTP 403, https://host:port)"). */
status client_request(struct client *c, const char *method, const char *path, const struct buf *body, struct deadline d,
                      struct json **answer, struct error *err);
/* The same with an If-Match: CODE_STALE when the object is not at that revision any more. */
struct client_call {
    const char *method, *path;
    const struct buf *body;
    int64_t revision; /* -1: any */
};
status client_request_at(struct client *c, const struct client_call *call, struct deadline d, struct json **answer,
                         struct error *err);
/* The same, raw bytes (audit export). */
status client_request_raw(struct client *c, const char *method, const char *path, const struct buf *body,
                          struct deadline d, struct buf *answer, struct error *err);

/* Can this server of the configuration (0 is the first) be reached and trusted? One unauthenticated request, no
 * retries. CODE_CONFIGURATION: its certificate is not trusted. */
struct client_probe {
    int64_t round_trip_ms;
    bool knows_time;        /* the answer had a Date */
    int64_t clock_ahead_ms; /* of this machine, against the server's; to about a second */
};
status client_probe(struct client *c, size_t server, struct deadline d, struct client_probe *out, struct error *err);

/* Enrolment: a fresh Ed25519 key pair; private PKCS#8 PEM (encrypted with AES-256-CBC + PBKDF2 when passphrase.len > 0)
 * written 0600 to key_path, never overwriting; public SPKI PEM out. */
status client_enroll(const char *key_path, struct slice passphrase, struct buf *public_pem, struct error *err);
/* Writes what client_keys got to the configured public-data file (atomic). */
status client_save_public_data(struct client *c, struct error *err);

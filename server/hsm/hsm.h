/* SPDX-License-Identifier: Apache-2.0 */
/* The HSM behind a PKCS#11 module (p11-kit loads it): session pool, keys, signatures. Only this folder sees pkcs11.h
 * and p11-kit. Handles are looked up by CKA_ID and forgotten whenever a session is lost; a lock file keeps two
 * processes off one token. I3: keys are generated CKA_SENSITIVE, never CKA_EXTRACTABLE, and the attributes are read
 * back. */
#pragma once

#include <openssl/evp.h>

#include "common/clock.h"
#include "common/signature.h"

struct hsm;

#define HSM_DEFAULT "default"
enum { HSM_ID_LEN = 20, HSM_NAME_SIZE = 64 };

struct hsm_config {
    const char *name;        /* NULL: HSM_DEFAULT */
    const char *module_path; /* e.g. the SoftHSM module */
    const char *uri;         /* pkcs11: URI of the token (RFC 7512); NULL: token_label names it */
    const char *token_label;
    struct slice pin;
    const char *lock_path; /* file locked while the token is open; NULL: none */
    int sessions;          /* pool size */
    int64_t timeout_ms;    /* per operation; see hsm_sign */
    bool may_be_away;      /* opens without its token; the first call that finds it there logs in */
};

struct hsm_key {
    uint8_t id[HSM_ID_LEN]; /* CKA_ID: NSS's SHA-1 of the public key */
    char label[160];        /* CKA_LABEL */
    enum key_type type;
    struct buf spki; /* DER SubjectPublicKeyInfo */
    /* as read back from the private key */
    bool sensitive, always_sensitive, extractable, never_extractable, local;
};
void hsm_key_clear(struct hsm_key *k);
#define cleanup_hsm_key CLEANUP(hsm_key_clear)

/* Initialises a new token in a free slot (SoftHSM: of SOFTHSM2_CONF): C_InitToken, then the user PIN. */
status hsm_token_init(const char *module_path, const char *token_label, struct slice so_pin, struct slice user_pin,
                      struct error *err);

/* What a pkcs11: URI says besides the token. Both may be NULL: not said. */
struct hsm_uri {
    char *module_path;
    char *pin_file; /* of pin-source; perhaps relative */
};
/* CODE_CONFIGURATION when it is no URI of a token, or holds what does not belong in a configuration (I8: pin-value). */
status hsm_uri_read(const char *text, struct hsm_uri *out, struct error *err);
void hsm_uri_clear(struct hsm_uri *u);
#define cleanup_hsm_uri CLEANUP(hsm_uri_clear)

/* CODE_CREDENTIAL when the PIN is refused: it is tried once. CODE_CONFIGURATION when there is no such token, unless it
 * may be away. */
status hsm_open(const struct hsm_config *config, struct hsm **out, struct error *err);
const char *hsm_name(const struct hsm *h);
void hsm_close(struct hsm *h);
DEFINE_CLEANUP_PTR(struct hsm, hsm_close)
#define cleanup_hsm CLEANUP(hsm_close_cleanup)
/* Cheap: does the token still answer? */
status hsm_check(struct hsm *h, struct deadline d, struct error *err);

/* CODE_INTERNAL when the attributes read back are weaker than asked; the pair is destroyed then. */
status hsm_generate(struct hsm *h, enum key_type type, const char *label, struct deadline d, struct hsm_key *out,
                    struct error *err);
status hsm_find(struct hsm *h, const uint8_t id[HSM_ID_LEN], struct deadline d, struct hsm_key *out, struct error *err);
status hsm_destroy(struct hsm *h, const uint8_t id[HSM_ID_LEN], struct deadline d, struct error *err);

/* A mechanism of the token, and the sizes of the keys it takes. */
struct hsm_mechanism {
    char name[40];              /* CKM_…, or 0x… when it has no name here */
    int64_t min_bits, max_bits; /* -1: not told, or in a unit that depends on the token */
};

/* What the token says of itself, and what it can do. */
struct hsm_info {
    char token[40], manufacturer[40], model[24], serial[24], library[40];
    int firmware_major, firmware_minor, hardware_major, hardware_minor, library_major, library_minor;
    bool is_software;    /* SoftHSM: not for publicly trusted keys */
    unsigned key_types;  /* 1u << enum key_type that it can make */
    unsigned mechanisms; /* 1u << enum mechanism that it can sign with */
    unsigned pss_hashes; /* hash_bit set */
    int sessions;
    const struct hsm_mechanism *limits; /* the HSM's own, until it is closed */
    size_t limit_count;
};
/* With a failure, what is known without asking the token stands in out. */
status hsm_describe(struct hsm *h, struct deadline d, struct hsm_info *out, struct error *err);

/* CODE_INVALID names the limit of the token that keeps it from making such keys. OK as long as nothing is known. */
status hsm_check_type(const struct hsm *h, enum key_type type, struct error *err);

/* A private key of the token, whoever made it. */
struct hsm_found {
    struct hsm_key key; /* its id is the one that it would have here, of its public key */
    struct buf id;      /* CKA_ID as it stands in the token */
    bool is_known;      /* false: no public key with that CKA_ID, or of a type not known; key has the label alone */
};
typedef status (*hsm_each)(void *arg, const struct hsm_found *found, struct error *err);
status hsm_list(struct hsm *h, struct deadline d, hsm_each each, void *arg, struct error *err);
/* Gives key and public key the CKA_ID of their public key, by which all other calls find them. */
status hsm_adopt(struct hsm *h, const struct hsm_found *found, struct deadline d, struct error *err);
/* The next call looks for the key in the token, whatever was known of it. */
void hsm_forget(struct hsm *h, const uint8_t id[HSM_ID_LEN]);
/* Attributes weaker than a key made here has, as text; "" when there are none. */
void hsm_key_findings(const struct hsm_key *k, char *out, size_t size);

/* The HSMs of a server, each with sessions, lock, deadline and health of its own. Nothing changes after the start, so
 * no lock is needed. */
struct hsm_set;
enum { HSM_SET_MAX = 16 };
status hsm_set_new(struct hsm_set **out, struct error *err);
void hsm_set_free(struct hsm_set *s); /* closes all */
/* Takes it, after a failure too. CODE_CONFIGURATION: the name is taken, or there are too many. */
status hsm_set_add(struct hsm_set *s, struct hsm *h, struct error *err);
struct hsm *hsm_set_find(const struct hsm_set *s, const char *name); /* "" is HSM_DEFAULT; NULL: none */
size_t hsm_set_count(const struct hsm_set *s);
struct hsm *hsm_set_at(const struct hsm_set *s, size_t i);

/* I5: builds the DigestInfo itself. Signature in PKCS#11 form. CODE_HSM_UNAVAILABLE when the HSM does not answer in
 * time, CODE_NOT_FOUND when it has no such key. Waiting for a session ends at d or after timeout_ms. A call into the
 * HSM's module cannot be cancelled: a caller inside one that hangs hangs with it; from timeout_ms on all other calls,
 * hsm_check too, fail at once until it is back (I9). */
status hsm_sign(struct hsm *h, const uint8_t id[HSM_ID_LEN], enum key_type type, const struct sign_input *in,
                struct deadline d, struct buf *signature, struct error *err);

/* Takes away what this token cannot sign: mechanisms (1u << enum mechanism) and hashes (hash_bit) stay such that each
 * of them works with each. */
void hsm_offer(const struct hsm *h, unsigned *mechanisms, unsigned *hashes);

/* An EVP_PKEY whose private half is in the HSM, for OpenSSL's own X509_sign and friends, through a built-in provider in
 * a library context of the HSM's (hsm_libctx). Freed with EVP_PKEY_free, before hsm_close. */
status hsm_evp_key(struct hsm *h, const uint8_t id[HSM_ID_LEN], EVP_PKEY **out, struct error *err);
/* The same of a key that hsm_generate made, when its public half is known: the HSM is not asked before it signs, which
 * then may be CODE_NOT_FOUND. CODE_INTERNAL: the CKA_ID is that of another public key. */
status hsm_evp_key_of(struct hsm *h, const uint8_t id[HSM_ID_LEN], EVP_PKEY *public_key, EVP_PKEY **out,
                      struct error *err);
OSSL_LIB_CTX *hsm_libctx(struct hsm *h);
/* After OpenSSL failed with such a key: why the HSM did not sign, in this thread, once. CODE_OK when it was not the
 * HSM. */
status hsm_evp_failure(struct error *err);

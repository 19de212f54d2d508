/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. One token, one login, a pool of sessions: every operation runs through hsm_run,
 * which takes a session, and after a lost one brings the token back and tries once more. */
#pragma once

#include "chancery/pkcs11.h"

#include <pthread.h>
#include <stdatomic.h>

#include "server/hsm/hsm.h"

enum {
    TIMEOUT_DEFAULT_MS = 10 * 1000,
    GENERATE_LIMIT_MS = 120 * 1000, /* an RSA-4096 pair may take long */
    RECOVER_PAUSE_MS = 1000,        /* between two attempts on a token that is gone; doubles with each ... */
    RECOVER_PAUSE_MAX_MS = 16000,   /* ... up to this */
    STALL_MS = 2000,                /* how long who waits for a session sees none come free, before he gives up */
    SESSIONS_DEFAULT = 16,
    SESSIONS_MAX = 1024,
    LABEL_LEN = 32,
};

/* Results of an operation that are not the module's; the vendor range keeps them apart. */
#define RV_NOT_FOUND (CKR_VENDOR_DEFINED | 0x43480001UL)
#define RV_AMBIGUOUS (CKR_VENDOR_DEFINED | 0x43480002UL)
#define RV_MALFORMED (CKR_VENDOR_DEFINED | 0x43480003UL)

struct session {
    _Alignas(64) atomic_bool busy;
    bool open; /* handle is valid; touched by the holder, or by the recoverer when nobody holds */
    CK_SESSION_HANDLE handle;
    const char *call;       /* the last function called, for the error's text */
    _Atomic int64_t due_ms; /* when the operation under way is overdue; 0: idle */
};

struct pool {
    struct session *sessions; /* count of them, and the anchor behind: it holds the login and serves no operation */
    int count;
    struct session *anchor;
    atomic_uint_fast64_t epoch; /* of the login; grows with every recovery */
    atomic_bool draining;       /* the recoverer wants to be alone */
    atomic_bool lost;           /* the last recovery failed */
    atomic_bool stuck;          /* an operation was overdue at the last look */
    _Atomic int64_t looked_ms;
    int64_t freed_ms; /* under lock: when a session last came free for who waits */
    atomic_int waiting;
    pthread_mutex_t lock; /* for freed, recovered and recovering */
    pthread_cond_t freed, recovered;
    bool recovering; /* one thread is at it; the three below are its own then */
    int64_t failed_ms, pause_ms;
    struct error failure;
    bool pin_refused; /* never tried again: tokens lock after a few wrong PINs */
};

struct handle_entry {
    uint8_t id[HSM_ID_LEN];
    struct handle_entry *next;
    _Atomic uint64_t generation; /* 0: forgotten */
    _Atomic CK_OBJECT_HANDLE handle;
};
enum { HANDLE_BUCKETS = 1024 };
struct handle_cache {
    _Atomic(struct handle_entry *) buckets[HANDLE_BUCKETS];
    atomic_uint_fast64_t generation; /* starts at 1 */
    pthread_mutex_t lock;            /* writers */
};

struct hsm_ability {
    unsigned mechanisms; /* 1u << enum mechanism */
    unsigned pss_hashes;
    struct {
        bool is_there;
        CK_ULONG min_bits, max_bits;
    } generation[FAMILY_EDWARDS + 1];
    size_t count;
    struct hsm_mechanism limits[];
};

struct hsm {
    char name[HSM_NAME_SIZE];
    struct module *module;
    struct hsm *next_of_module;
    CK_FUNCTION_LIST *f;
    struct p11_kit_uri *wanted; /* the token */
    char label[64];             /* what of it is said to people */
    CK_SLOT_ID slot;
    bool has_slot;
    struct buf pin;
    int lock_fd;
    int64_t timeout_ms;
    struct pool pool;
    struct handle_cache handles;
    _Atomic(struct hsm_ability *) ability; /* NULL until the token was seen once; then it stays as it is */
    OSSL_LIB_CTX *libctx;
    void *providers[2]; /* OSSL_PROVIDER: default, ours */
};

static inline void mutex_unlock_p(pthread_mutex_t **m)
{
    if (*m)
        (void)pthread_mutex_unlock(*m);
}
#define cleanup_unlock CLEANUP(mutex_unlock_p)

/* ---- rv.c */
const char *rv_name(CK_RV rv);
/* Sets the error for a failed call; "C_Sign: CKR_DEVICE_ERROR (0x30)" goes to the detail. */
status rv_status(CK_RV rv, const char *call, struct error *err);
enum loss { LOSS_NONE, LOSS_HANDLE, LOSS_SESSION };
enum loss rv_loss(CK_RV rv); /* what this code says may have been lost */
bool rv_is_pin(CK_RV rv);

/* ---- module.c: one C_Initialize per module and process, whoever uses it */
struct module;
/* Loads it. CODE_CONFIGURATION. */
status module_acquire(const char *path, struct module **out, struct error *err);
void module_release(struct module *m);
CK_FUNCTION_LIST *module_functions(struct module *m);
/* One at a time opens a token of the module, or opens it again. The other functions but release want the turn. */
bool module_turn_take(struct module *m, struct deadline d);
void module_turn_give(struct module *m);
void module_join(struct module *m, struct hsm *h);
void module_leave(struct module *m, struct hsm *h);
/* C_Initialize, unless it was done. */
CK_RV module_start(struct module *m);
/* C_Finalize and C_Initialize, when no other HSM works with the module and nobody else in the process does. */
CK_RV module_restart(struct module *m, const struct hsm *h, struct deadline d);
/* Another HSM that has this slot; NULL: none. */
const struct hsm *module_slot_owner(const struct module *m, const struct hsm *h, CK_SLOT_ID slot);

/* ---- slot.c */
/* The slot of the one token that the URI fits. CODE_NOT_FOUND, CODE_CONFIGURATION when there is more than one. */
status slot_find_token(CK_FUNCTION_LIST *f, struct p11_kit_uri *wanted, CK_SLOT_ID *slot, struct error *err);
/* The first slot whose token is not initialised. */
status slot_find_free(CK_FUNCTION_LIST *f, CK_SLOT_ID *slot, struct error *err);
status label_pad(const char *label, CK_UTF8CHAR out[LABEL_LEN], struct error *err);

/* ---- uri.c */
/* By URI, or by label when that is NULL. shown: what of it is said to people. */
status wanted_new(const char *uri, const char *label, struct p11_kit_uri **out, char *shown, size_t size,
                  struct error *err);
void wanted_free(struct p11_kit_uri *wanted);

/* ---- lock.c */
status lock_acquire(const char *path, int *fd, struct error *err);
void lock_release(int *fd);

/* ---- pool.c */
status pool_init(struct pool *p, int count, struct error *err);
void pool_clear(struct pool *p);
bool pool_is_stuck(struct pool *p);
/* A session of its own, open; waits until d. */
status pool_acquire(struct hsm *h, struct deadline d, int64_t limit_ms, struct session **out, struct error *err);
void pool_release(struct pool *p, struct session *s);
/* One thread at a time recovers; false when the other one took longer than d, or when the token has been away before:
 * then nobody waits for it. */
bool pool_recovery_begin(struct pool *p, struct deadline d);
void pool_recovery_end(struct pool *p);
/* Takes the login for lost, and waits until nobody is in. */
bool pool_bar(struct pool *p, struct deadline d);
bool pool_is_idle(struct pool *p);
/* Lets nobody in and waits until nobody is. */
bool pool_drain(struct pool *p, struct deadline d);
void pool_resume(struct pool *p);

/* ---- login.c */
/* CODE_NOT_FOUND or CODE_HSM_UNAVAILABLE: the token is away. */
status login_open(struct hsm *h, struct error *err);
/* The token is away: the first call looks for it again, after a pause. */
void login_postpone(struct hsm *h, const struct error *why);
void login_close(struct hsm *h);
/* After a loss seen in this epoch; nothing to do when another thread was faster. */
status login_recover(struct hsm *h, uint64_t epoch, struct deadline d, struct error *err);

/* ---- run.c */
typedef CK_RV (*hsm_operation)(struct hsm *h, struct session *s, void *arg);
status hsm_run(struct hsm *h, struct deadline d, int64_t limit_ms, hsm_operation op, void *arg, struct error *err);
/* Open, and the user is logged in. */
bool session_is_alive(struct hsm *h, const struct session *s);
/* Names the function for the error before it is called: CALL(h, s, C_SignInit)(s->handle, …). */
#define CALL(h, s, name) ((s)->call = #name, (h)->f->name)

/* ---- handles.c */
status handles_init(struct handle_cache *c, struct error *err);
void handles_clear(struct handle_cache *c);
bool handles_find(struct handle_cache *c, const uint8_t id[HSM_ID_LEN], CK_OBJECT_HANDLE *out);
/* Dropped when everything was forgotten since generation was read. */
void handles_add(struct handle_cache *c, const uint8_t id[HSM_ID_LEN], uint64_t generation, CK_OBJECT_HANDLE handle);
void handles_forget(struct handle_cache *c, const uint8_t id[HSM_ID_LEN]);
void handles_forget_all(struct handle_cache *c);

/* ---- object.c */
/* At most max handles; *count is how many there were, up to max. */
CK_RV object_find(struct hsm *h, struct session *s, CK_OBJECT_CLASS class, const uint8_t id[HSM_ID_LEN],
                  CK_OBJECT_HANDLE *out, CK_ULONG max, CK_ULONG *count);
/* The private key's handle, from the cache or by search. RV_NOT_FOUND, RV_AMBIGUOUS. */
CK_RV object_private(struct hsm *h, struct session *s, const uint8_t id[HSM_ID_LEN], CK_OBJECT_HANDLE *out);
CK_RV object_bytes(struct hsm *h, struct session *s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, struct buf *out);
/* Label, type, public key and the attributes that judge it. */
CK_RV object_read_key(struct hsm *h, struct session *s, CK_OBJECT_HANDLE private, CK_OBJECT_HANDLE public,
                      struct hsm_key *out);

/* ---- public_key.c: CKA_* to EVP_PKEY */
struct slice curve_params(enum key_type type);    /* CKA_EC_PARAMS; empty for RSA */
enum key_type curve_type(struct slice ec_params); /* KEY_TYPE_NONE for a curve not known */
/* EC and Edwards: CKA_EC_POINT, as DER OCTET STRING or bare. NULL when it is no key. */
EVP_PKEY *public_key_of_point(OSSL_LIB_CTX *libctx, enum key_type type, struct slice point);
EVP_PKEY *public_key_of_modulus(OSSL_LIB_CTX *libctx, struct slice modulus, struct slice exponent);

/* ---- pss.c: the encoded message of RSASSA-PSS, as long as the modulus, with a fresh salt */
status pss_encode(OSSL_LIB_CTX *libctx, const struct sign_input *in, enum key_type type, struct buf *out,
                  struct error *err);

/* ---- ability.c */
/* By the anchor session; nothing to do when it was read before. */
CK_RV ability_read(struct hsm *h);

/* ---- generate.c */
/* I3. CODE_INTERNAL names the attribute that is weaker than asked. */
status key_judge(const struct hsm_key *k, struct error *err);

/* ---- provider.c */
status provider_open(struct hsm *h, struct error *err);
void provider_close(struct hsm *h);

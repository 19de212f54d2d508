/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in memory behind struct signer_hsm, with faults on demand. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "server/sign/signer.h"

enum { FAKE_KEYS = 4 };
struct fake_hsm {
    uint8_t ids[FAKE_KEYS][20];
    EVP_PKEY *keys[FAKE_KEYS];
    atomic_int calls;
    enum code fail_with;        /* CODE_OK: works */
    bool spoil;                 /* one bit of each signature */
    bool cut;                   /* the last byte of each signature */
    void (*touched)(void *arg); /* called at each use; may be NULL */
    void *touched_arg;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool held, entered; /* hold: the next use waits until fake_hsm_release */
};
void fake_hsm_init(struct fake_hsm *h);
void fake_hsm_clear(struct fake_hsm *h);
/* Fills type, hsm_id, spki, hashes and mechanisms of the key. */
void fake_hsm_key(struct fake_hsm *h, enum key_type type, struct signing_key *out);
struct signer_hsm fake_hsm_interface(struct fake_hsm *h);
void fake_hsm_hold(struct fake_hsm *h);
void fake_hsm_await_entered(struct fake_hsm *h); /* fails the test after ten seconds */
void fake_hsm_release(struct fake_hsm *h);

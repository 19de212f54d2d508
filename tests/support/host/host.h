/* SPDX-License-Identifier: Apache-2.0 */
/* A program as foreign to the module as any: it loads $P11_MODULE, finds the token $P11_TOKEN and the key $P11_EC
 * (P-256), logs in with $P11_PIN where the token wants it, and checks each signature with its own libcrypto. One case a
 * run, named by the argument; silence and exit status 0 mean that all went well. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "chancery/pkcs11.h"

/* Tells what did not hold and ends the process. */
#define must(condition) must_hold(condition, #condition, __FILE__, __LINE__)
void must_hold(bool holds, const char *what, const char *file, int line);
/* The call must return this. */
#define must_rv(call, expected) must_return(call, expected, #call, __FILE__, __LINE__)
void must_return(CK_RV rv, CK_RV expected, const char *what, const char *file, int line);

/* The functions of the module as loaded last; 3.0 and 2.40 begin alike. */
extern CK_FUNCTION_LIST *p11;
void *p11_load(void);          /* by C_GetFunctionList; the library's handle */
void p11_load_fork_safe(void); /* by C_GetInterface */

struct signer {
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
};
CK_SLOT_ID p11_slot(void);
CK_SESSION_HANDLE p11_open(void); /* without login */
bool p11_login(CK_SESSION_HANDLE session);
struct signer p11_signer(void); /* a session of its own, logged in, and the private key */
CK_RV p11_sign_only(const struct signer *s, const char *text, CK_BYTE signature[64]);
/* Signs the text and checks the signature. What C_Sign said when it was not CKR_OK. */
CK_RV p11_try_sign(const struct signer *s, const char *text);
void p11_sign(const struct signer *s, const char *text);
/* r‖s over the text by the key whose public half was read in p11_signer. */
bool p11_verify(const char *text, const CK_BYTE signature[64]);

int descriptors_count(void);
/* A child that ran well; it has a minute. */
pid_t child_start(void (*run)(const struct signer *s), const struct signer *s);
void child_join(pid_t child);

struct host_case {
    const char *name;
    void (*run)(void);
};
extern const struct host_case context_cases[], crowd_cases[], exit_cases[], fork_cases[], life_cases[], silence_cases[],
    thread_cases[];

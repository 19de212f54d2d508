/* SPDX-License-Identifier: Apache-2.0 */
/* One fault, and what the module makes of it. The tables say what is special; run.c holds what is true of every case.
 */
#pragma once

#include <limits.h>
#include <stddef.h>

#include "chancery/pkcs11.h"

enum { ALWAYS = INT_MAX, TIMEOUT_MS = 2000 }; /* of a hasty client, see faults.sh */

struct fault_case {
    const char *rule;             /* the test's name */
    const char *kind;             /* tests/support/faulty_proxy/faults.def; answer is raw_keep with a head of ours */
    int count;                    /* of the first requests that are met by it */
    const char *status, *headers; /* of an answer */
    const char *payload;          /* or its body */
    CK_RV expected;
    const char *reason; /* in the error line, when there is one */
    int requests;       /* on this path during the call; 0: any number */
    int min_ms;         /* which the call cannot have undercut */
    int pairs;          /* records it left on the server: signatures made */
};

extern const struct fault_case signature_cases[], keys_cases[], token_cases[]; /* up to one without rule */

/* The payloads that are too large to be written down. */
extern char deep_json[100001];

void run_signature_case(void **state);
void run_keys_case(void **state);
void run_token_case(void **state);

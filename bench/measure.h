/* SPDX-License-Identifier: Apache-2.0 */
/* Signs on several threads, a session each, for some seconds, and tells how many and how fast. */
#pragma once

#include "bench/token.h"

struct measure_order {
    const char *key;
    CK_MECHANISM_TYPE mechanism; /* CKM_RSA_PKCS or CKM_ECDSA */
    unsigned threads;
    double seconds;
};
struct measure_result {
    unsigned long signatures;
    double seconds;     /* wall clock, from the first start to the last end */
    double cpu_seconds; /* of this process, user and system */
    double median_us;
    double p99_us;
};
void measure_run(const struct token *t, const struct measure_order *order, struct measure_result *out);

/* SPDX-License-Identifier: Apache-2.0 */
/* What a check is: one comparison with one clause of the standard. A failed one prints a line; the counts are shared by
 * the processes of one run. "base" is the base specification 3.0, "curr" the mechanisms of 3.0; 2.40 says the same
 * unless the clause names it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "chancery/pkcs11.h"

struct counts {
    unsigned long passed;
    unsigned long failed;
};
bool checks_init(void);
struct counts checks_counted(void);

/* Which group, token and key the following checks are about: stands before each line. */
__attribute__((format(printf, 1, 2))) void checks_subject(const char *format, ...);
/* The check that was under way last, in whichever process: what a crash or a hang is told with. */
const char *checks_last(void);
/* Something a reader wants to know that is neither passed nor failed. */
__attribute__((format(printf, 1, 2))) void checks_note(const char *format, ...);

/* Text for `what`; one of a few buffers that are used in turn. */
__attribute__((format(printf, 1, 2))) const char *text(const char *format, ...);

/* Say what is about to be called, so that a crash can be told by it. */
const char *about(const char *what);

bool check(const char *clause, const char *what, bool holds);
bool check_number(const char *clause, const char *what, unsigned long got, unsigned long wanted);
bool check_bytes(const char *clause, const char *what, const void *got, size_t got_len, const void *wanted,
                 size_t wanted_len);
bool check_rv(const char *clause, const char *what, CK_RV got, const CK_RV *allowed, size_t count);

/* EXPECT(clause, what, call, CKR_…, …): the call answers one of these codes. */
#define EXPECT(clause, what, call, ...)                                                                                \
    ({                                                                                                                 \
        const char *what_ = about(what);                                                                               \
        const CK_RV got_ = (call);                                                                                     \
        check_rv(clause, what_, got_, (const CK_RV[]){__VA_ARGS__},                                                    \
                 sizeof((const CK_RV[]){__VA_ARGS__}) / sizeof(CK_RV));                                                \
    })

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* SPDX-License-Identifier: Apache-2.0 */
/* Scope clean-up. DEFINE_CLEANUP(type, function) makes cleanup_<function>_p for __attribute__((cleanup)); clean-ups
 * accept the zero value. Hand over with *out = steal(&x). */
#pragma once

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(function) __attribute__((cleanup(function), unused)) /* unused: clang does not count the clean-up */

/* For pointer types freed by `void function(T *)`. */
#define DEFINE_CLEANUP_PTR(T, function)                                                                                \
    static inline void function##_cleanup(T **p)                                                                       \
    {                                                                                                                  \
        if (*p)                                                                                                        \
            function(*p);                                                                                              \
    }

#define steal(p)                                                                                                       \
    ({                                                                                                                 \
        __typeof__(*(p)) stolen_ = *(p);                                                                               \
        *(p) = 0;                                                                                                      \
        stolen_;                                                                                                       \
    })

static inline void cleanup_free_p(void *p)
{
    free(*(void **)p);
}
#define cleanup_free CLEANUP(cleanup_free_p)

static inline void cleanup_fd_p(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}
#define cleanup_fd CLEANUP(cleanup_fd_p) /* initialise with -1 */

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

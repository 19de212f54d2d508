/* SPDX-License-Identifier: Apache-2.0 */
/* The linker sends malloc and its kind of our own objects here (--wrap); libraries keep theirs. Of one thread: the one
 * that armed it. */
#include "failing_malloc.h"

#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);

static _Thread_local int left; /* allocations until the failure; 0: off */
static _Thread_local int hit;

void failing_malloc_arm(int nth)
{
    left = nth;
    hit = 0;
}

int failing_malloc_hit(void)
{
    left = 0;
    return hit;
}

static int fails(void)
{
    if (left == 0 || --left > 0)
        return 0;
    hit = 1;
    return 1;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
    return fails() ? NULL : __real_reallocarray(old, count, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t len)
{
    return fails() ? NULL : __real_strndup(text, len);
}

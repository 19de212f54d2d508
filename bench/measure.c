/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/measure.h"

#include <pthread.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

struct samples {
    uint32_t *us10; /* tenths of a microsecond */
    size_t count;
    size_t room;
};
struct worker {
    const struct token *token;
    const struct measure_order *order;
    pthread_barrier_t *start;
    pthread_t thread;
    unsigned number;
    struct samples samples;
};

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void samples_add(struct samples *s, double seconds)
{
    if (s->count == s->room) {
        s->room = s->room ? s->room * 2 : 4096;
        s->us10 = reallocarray(s->us10, s->room, sizeof *s->us10);
        if (!s->us10)
            fail("out of memory", CKR_HOST_MEMORY);
    }
    s->us10[s->count++] = (uint32_t)(seconds * 1e7);
}

/* A SHA-256 digest that is different each time, in a DigestInfo for RSA. */
static CK_ULONG input_make(CK_MECHANISM_TYPE mechanism, unsigned worker, unsigned long turn, CK_BYTE out[51])
{
    static const CK_BYTE prefix[19] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                       0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
    CK_ULONG at = 0;
    if (mechanism == CKM_RSA_PKCS) {
        memcpy(out, prefix, sizeof prefix);
        at = sizeof prefix;
    }
    memset(out + at, 0x5a, 32);
    memcpy(out + at, &worker, sizeof worker);
    memcpy(out + at + sizeof worker, &turn, sizeof turn);
    return at + 32;
}

static void sign_once(const struct worker *w, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, unsigned long turn)
{
    CK_MECHANISM mechanism = {w->order->mechanism, NULL, 0};
    CK_BYTE input[51], signature[1024];
    CK_ULONG input_len = input_make(mechanism.mechanism, w->number, turn, input);
    CK_ULONG len = sizeof signature;
    CK_RV rv = w->token->p11->C_SignInit(session, &mechanism, key);
    if (rv != CKR_OK)
        fail("C_SignInit", rv);
    rv = w->token->p11->C_Sign(session, input, input_len, signature, &len);
    if (rv != CKR_OK)
        fail("C_Sign", rv);
}

/* One signature before the start opens the connection and warms the caches; it is not counted. */
static void *work(void *argument)
{
    struct worker *w = argument;
    CK_SESSION_HANDLE session = token_session(w->token);
    CK_OBJECT_HANDLE key = token_key(w->token, session, w->order->key);
    sign_once(w, session, key, 0);
    (void)pthread_barrier_wait(w->start);

    double end = now() + w->order->seconds;
    double before = now();
    for (unsigned long turn = 1; before < end; turn++) {
        sign_once(w, session, key, turn);
        double after = now();
        samples_add(&w->samples, after - before);
        before = after;
    }
    return NULL;
}

static double cpu(void)
{
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int compare(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static void summarize(struct worker *workers, unsigned count, struct measure_result *out)
{
    struct samples all = {0};
    for (unsigned i = 0; i < count; i++)
        all.room += workers[i].samples.count;
    all.us10 = calloc(all.room ? all.room : 1, sizeof *all.us10);
    if (!all.us10)
        fail("out of memory", CKR_HOST_MEMORY);
    for (unsigned i = 0; i < count; i++) {
        if (workers[i].samples.count)
            memcpy(all.us10 + all.count, workers[i].samples.us10, workers[i].samples.count * sizeof *all.us10);
        all.count += workers[i].samples.count;
        free(workers[i].samples.us10);
    }
    qsort(all.us10, all.count, sizeof *all.us10, compare);
    out->signatures = all.count;
    size_t middle = all.count / 2, last_percent = all.count * 99 / 100;
    out->median_us = all.count ? all.us10[middle] / 10.0 : 0;
    out->p99_us = all.count ? all.us10[last_percent] / 10.0 : 0;
    free(all.us10);
}

void measure_run(const struct token *t, const struct measure_order *order, struct measure_result *out)
{
    pthread_barrier_t start;
    struct worker *workers = calloc(order->threads, sizeof *workers);
    if (!workers || pthread_barrier_init(&start, NULL, order->threads + 1) != 0)
        fail("out of memory", CKR_HOST_MEMORY);
    for (unsigned i = 0; i < order->threads; i++) {
        workers[i] = (struct worker){.token = t, .order = order, .start = &start, .number = i};
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            fail("pthread_create", CKR_HOST_MEMORY);
    }
    (void)pthread_barrier_wait(&start);
    double began = now(), cpu_before = cpu();
    for (unsigned i = 0; i < order->threads; i++)
        (void)pthread_join(workers[i].thread, NULL);
    out->seconds = now() - began;
    out->cpu_seconds = cpu() - cpu_before;
    summarize(workers, order->threads, out);
    (void)pthread_barrier_destroy(&start);
    free(workers);
}

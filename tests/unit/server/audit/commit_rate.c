/* SPDX-License-Identifier: Apache-2.0 */
/* Measures the commit path; not a test. commit_rate URL THREADS SECONDS [plain]: every thread records an intent, works
 * for 50 microseconds, records the outcome with its usage counter and, unless plain, an idempotency row. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "server/audit/audit.h"

enum { WORK_NS = 50000 };

static struct audit *audit;
static atomic_bool stop;
static bool plain, ordered;
static atomic_long signatures;
static atomic_long slowest_us;

static int64_t cpu_ns(clockid_t id)
{
    struct timespec t;
    (void)clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* As many turns as take WORK_NS; asking a clock would cost more than the work. */
static long turns_of_work;

static void spin(long turns)
{
    for (volatile long i = 0; i < turns; i = i + 1)
        ;
}

static void calibrate(void)
{
    enum { TURNS = 20000000 };
    spin(TURNS / 10);
    int64_t begin = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
    spin(TURNS);
    turns_of_work = (long)((double)TURNS * WORK_NS / (double)(cpu_ns(CLOCK_THREAD_CPUTIME_ID) - begin));
}

struct use {
    struct idempotency row;
    bool outcome;
};

static status after(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    struct use *use = arg;
    if (!use->outcome) {
        use->row.intent_seq = record->seq;
        use->row.created_ms = record->time_ms;
        return plain ? OK : idempotency_insert(db, &use->row, err);
    }
    use->row.outcome_seq = record->seq;
    if (!plain)
        TRY(idempotency_finish(db, &use->row, err));
    return usage_add(db, record->key_id, record->principal_id, record->time_ms, USAGE_SUCCESS, err);
}

static void commit(struct use *use, struct audit_record *record)
{
    struct error err = {0};
    struct audit_work work = {.after = after, .arg = use, .record = record};
    int64_t begin = cpu_ns(CLOCK_MONOTONIC);
    if (!is_ok(audit_commit(audit, &work, deadline_in(10000), &err))) {
        (void)fprintf(stderr, "%s %s\n", err.text, err.detail);
        exit(1);
    }
    long us = (long)((cpu_ns(CLOCK_MONOTONIC) - begin) / 1000);
    if (us > atomic_load(&slowest_us))
        atomic_store(&slowest_us, us);
}

static void sign_once(unsigned thread, long i)
{
    struct use use = {.row = {.version = 1}};
    uint64_t mixed = ((uint64_t)thread << 40 | (uint64_t)i) * 0x9e3779b97f4a7c15u;
    (void)snprintf(use.row.principal_id, sizeof(use.row.principal_id), "svc_abcdefghijklmnopqrst");
    (void)snprintf(use.row.idempotency_key, sizeof(use.row.idempotency_key), "%012lx%016lx",
                   ordered ? (unsigned long)clock_now_ms() : mixed * 31 >> 16, mixed);
    struct audit_record record = {
        .type = "signature.intent",
        .principal = "build-1",
        .principal_id = use.row.principal_id,
        .project = "demo",
        .key = "demo-p256",
        .key_id = "key_abcdefghijklmnopqrst",
        .version = 1,
        .mechanism = "ecdsa",
        .hash = "sha256",
        .digest_hex = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        .client_address = "127.0.0.1",
        .client_program = "osslsigncode",
        .client_host = "builder",
        .client_user = "ci",
        .request_id = "req_abcdefghijklmnopqrst",
    };
    commit(&use, &record);

    spin(turns_of_work);
    record.type = "signature.outcome";
    record.intent = use.row.intent_seq;
    record.outcome = "success";
    record.signature_sha256_hex = record.digest_hex;
    use.outcome = true;
    buf_add(&use.row.signature, record.digest_hex, 64);
    commit(&use, &record);
    idempotency_clear(&use.row);
}

static void *run(void *arg)
{
    unsigned thread = (unsigned)(uintptr_t)arg;
    for (long i = 0; !atomic_load(&stop); i++) {
        sign_once(thread, i + cpu_ns(CLOCK_MONOTONIC));
        atomic_fetch_add(&signatures, 1);
    }
    return NULL;
}

static double cpu_seconds(void)
{
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    unsigned count = (unsigned)atoi(argv[2]);
    plain = argc > 4 && strcmp(argv[4], "plain") == 0;
    ordered = argc > 4 && strcmp(argv[4], "ordered") == 0;
    calibrate();
    struct error err = {0};
    struct store *store = NULL;
    if (!is_ok(store_open(argv[1], &store, &err)) || !is_ok(store_migrate(store, &err)) ||
        !is_ok(audit_open(store, NULL, &audit, &err))) {
        (void)fprintf(stderr, "%s %s\n", err.text, err.detail);
        return 1;
    }
    pthread_t threads[256];
    double cpu = cpu_seconds();
    int64_t begin = cpu_ns(CLOCK_MONOTONIC);
    for (unsigned i = 0; i < count; i++)
        (void)pthread_create(&threads[i], NULL, run, (void *)(uintptr_t)i);
    (void)sleep((unsigned)atoi(argv[3]));
    atomic_store(&stop, true);
    for (unsigned i = 0; i < count; i++)
        (void)pthread_join(threads[i], NULL);

    double seconds = (double)(cpu_ns(CLOCK_MONOTONIC) - begin) / 1e9;
    cpu = cpu_seconds() - cpu;
    double done = (double)atomic_load(&signatures);
    (void)printf(
        "%3u threads: %8.0f signatures/s, latency %6.0f us, CPU %.1f us each beyond the work, slowest commit %ld us\n",
        count, done / seconds, seconds * count / done * 1e6, cpu / done * 1e6 - WORK_NS / 1000.0,
        atomic_load(&slowest_us));
    audit_close(audit);
    store_close(store);
    return 0;
}

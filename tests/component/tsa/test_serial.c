/* SPDX-License-Identifier: Apache-2.0 */
/* Serial numbers: none twice, over threads, over two servers on one store, after a restart without a clean end, and
 * when the store's counter was set back. */
#include "world.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 16, EACH = 130 }; /* together more than two ranges */

struct serial {
    uint8_t bytes[20];
    int len;
};

struct work {
    struct world *w;
    struct tsa *tsa;
    struct serial *out; /* EACH */
    bool failed;
};

static bool serial_get(struct tsa *tsa, uint8_t byte, struct serial *out)
{
    cleanup_buf struct buf query = {0}, reply = {0};
    const struct tsa_caller who = {0};

    query_make(&(struct query_plan){.byte = byte}, &query);
    if (!is_ok(tsa_answer(tsa, buf_slice(&query), &who, deadline_in(60000), &reply, NULL)))
        return false;
    const unsigned char *at = reply.data;
    TS_RESP *response = d2i_TS_RESP(NULL, &at, (long)reply.len);
    TS_TST_INFO *info = response ? TS_RESP_get_tst_info(response) : NULL;
    const ASN1_INTEGER *serial = info ? TS_TST_INFO_get_serial(info) : NULL;
    if (serial) {
        out->len = ASN1_STRING_length(serial);
        memcpy(out->bytes, ASN1_STRING_get0_data(serial), (size_t)out->len);
    }
    TS_RESP_free(response);
    return serial != NULL;
}

static void *serials_get(void *arg)
{
    struct work *work = arg;

    for (int i = 0; i < EACH; i++) {
        if (!serial_get(work->tsa, (uint8_t)i, &work->out[i]))
            work->failed = true;
    }
    return NULL;
}

/* By the counting half alone: the random one would hide a number given twice. */
static int by_counter(const void *a, const void *b)
{
    return memcmp(((const struct serial *)a)->bytes, ((const struct serial *)b)->bytes, 8);
}

static void assert_unique(struct serial *all, size_t count)
{
    qsort(all, count, sizeof *all, by_counter);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(all[i].len, 16);
        assert_int_equal(all[i].bytes[0] & 0xc0, 0x40); /* positive */
        if (i > 0)
            assert_int_not_equal(by_counter(&all[i - 1], &all[i]), 0);
    }
}

static void threads_run(struct world *w, struct tsa *const servers[2])
{
    static struct serial all[THREADS * EACH];
    pthread_t threads[THREADS];
    struct work work[THREADS];

    for (int i = 0; i < THREADS; i++) {
        work[i] = (struct work){w, servers[i % 2], &all[i * EACH], false};
        assert_int_equal(pthread_create(&threads[i], NULL, serials_get, &work[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_false(work[i].failed);
    }
    assert_unique(all, COUNT_OF(all));
}

static void sixteen_threads_get_no_number_twice(void **state)
{
    struct world *w = *state;

    threads_run(w, (struct tsa *const[]){w->tsa, w->tsa});
}

static void two_servers_on_one_store_get_no_number_twice(void **state)
{
    struct world *w = *state;
    cleanup_tsa struct tsa *other = NULL;

    assert_ok(w, tsa_new(&w->config, &other, &w->err));
    threads_run(w, (struct tsa *const[]){w->tsa, other});
}

/* The authority that is left behind never ends: what a crash leaves of its range is not used again. */
static void a_restart_without_an_end_begins_behind_every_number(void **state)
{
    struct world *w = *state;
    struct tsa *crashed = w->tsa;
    struct serial numbers[3];

    assert_true(serial_get(crashed, 1, &numbers[0]));
    w->tsa = NULL;
    world_restart(w);
    assert_true(serial_get(w->tsa, 1, &numbers[1]));
    assert_true(by_counter(&numbers[0], &numbers[1]) < 0);
    assert_true(serial_get(crashed, 1, &numbers[2]));
    assert_true(by_counter(&numbers[2], &numbers[1]) < 0);
    tsa_free(crashed);
}

static status counter_set_back(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    (void)arg, (void)record;
    return db_exec(db, "UPDATE timestamp_serial SET next = 1", NULL, 0, NULL, err);
}

static void an_older_store_repeats_no_number(void **state)
{
    struct world *w = *state;
    struct audit_work work = {.change = counter_set_back};
    struct serial before, after;

    assert_ok(w, audit_commit(w->audit, &work, deadline_in(10000), &w->err));
    world_restart(w);
    assert_true(serial_get(w->tsa, 1, &before));
    assert_ok(w, audit_commit(w->audit, &work, deadline_in(10000), &w->err));
    world_restart(w);
    assert_true(serial_get(w->tsa, 1, &after));
    assert_int_equal(by_counter(&before, &after), 0);
    assert_memory_not_equal(before.bytes, after.bytes, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixteen_threads_get_no_number_twice),
        cmocka_unit_test(two_servers_on_one_store_get_no_number_twice),
        cmocka_unit_test(a_restart_without_an_end_begins_behind_every_number),
        cmocka_unit_test(an_older_store_repeats_no_number),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}

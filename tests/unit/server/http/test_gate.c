/* SPDX-License-Identifier: Apache-2.0 */
/* The gate in front of the handlers: places, queue, deadline, closing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>

#include "server/http/gate.h"

enum { FAR_MS = 10000, SOON_MS = 30 };

static struct gate *gate_of(int places, int queue)
{
    struct gate *g = NULL;
    struct error err = {0};
    assert_true(is_ok(gate_new(places, queue, &g, &err)));
    return g;
}

struct visitor {
    struct gate *gate;
    int64_t wait_ms;
    pthread_t thread;
    enum gate_result result;
    atomic_bool done;
};

static void *visit(void *arg)
{
    struct visitor *v = arg;
    v->result = gate_enter(v->gate, deadline_in(v->wait_ms));
    if (v->result == GATE_ENTERED)
        gate_leave(v->gate);
    atomic_store(&v->done, true);
    return NULL;
}

static void visitor_send(struct visitor *v, struct gate *g, int64_t wait_ms)
{
    *v = (struct visitor){.gate = g, .wait_ms = wait_ms};
    assert_int_equal(pthread_create(&v->thread, NULL, visit, v), 0);
}

static enum gate_result visitor_back(struct visitor *v)
{
    pthread_join(v->thread, NULL);
    return v->result;
}

static void as_many_enter_as_there_are_places(void **state)
{
    (void)state;
    struct gate *g = gate_of(2, 1);
    assert_int_equal(gate_enter(g, deadline_in(FAR_MS)), GATE_ENTERED);
    assert_int_equal(gate_enter(g, deadline_in(FAR_MS)), GATE_ENTERED);
    assert_int_equal(gate_enter(g, deadline_in(SOON_MS)), GATE_LATE);
    gate_leave(g);
    assert_int_equal(gate_enter(g, deadline_in(FAR_MS)), GATE_ENTERED);
    gate_leave(g);
    gate_leave(g);
    gate_free(g);
}

/* The one that waits takes the queue's only place; whoever finds it taken is sent away although his deadline is far. */
static void a_full_queue_sends_away_at_once(void **state)
{
    (void)state;
    struct gate *g = gate_of(1, 1);
    struct visitor a, b;
    assert_int_equal(gate_enter(g, deadline_in(FAR_MS)), GATE_ENTERED);
    visitor_send(&a, g, FAR_MS);
    visitor_send(&b, g, FAR_MS);
    struct deadline d = deadline_in(FAR_MS);
    while (!atomic_load(&a.done) && !atomic_load(&b.done) && !deadline_passed(d))
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_true(atomic_load(&a.done) != atomic_load(&b.done));
    gate_leave(g);
    enum gate_result first = visitor_back(&a), second = visitor_back(&b);
    assert_int_equal(first == GATE_FULL ? second : first, GATE_ENTERED);
    assert_int_equal(first == GATE_FULL ? first : second, GATE_FULL);
    gate_free(g);
}

static void whoever_waits_enters_when_a_place_is_free(void **state)
{
    (void)state;
    struct gate *g = gate_of(1, 8);
    struct visitor v[8];
    assert_int_equal(gate_enter(g, deadline_in(FAR_MS)), GATE_ENTERED);
    for (int i = 0; i < 8; i++)
        visitor_send(&v[i], g, FAR_MS);
    gate_leave(g);
    for (int i = 0; i < 8; i++)
        assert_int_equal(visitor_back(&v[i]), GATE_ENTERED);
    gate_free(g);
}

static void a_closed_gate_lets_nobody_in_and_waits_for_the_last(void **state)
{
    (void)state;
    struct gate *g = gate_of(1, 4);
    struct visitor waiting;
    assert_int_equal(gate_enter(g, deadline_in(FAR_MS)), GATE_ENTERED);
    visitor_send(&waiting, g, FAR_MS);
    assert_false(gate_close(g, deadline_in(SOON_MS)));
    assert_int_equal(visitor_back(&waiting), GATE_FULL);
    assert_int_equal(gate_enter(g, deadline_in(FAR_MS)), GATE_FULL);
    gate_leave(g);
    assert_true(gate_close(g, deadline_in(FAR_MS)));
    gate_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_enter_as_there_are_places),
        cmocka_unit_test(a_full_queue_sends_away_at_once),
        cmocka_unit_test(whoever_waits_enters_when_a_place_is_free),
        cmocka_unit_test(a_closed_gate_lets_nobody_in_and_waits_for_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

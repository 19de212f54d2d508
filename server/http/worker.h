/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded queue and the threads that empty it. A place is reserved before the caller gives up its hold on the job, so
 * that a full queue is known while an answer can still be given at once (I9). */
#pragma once

#include "common/clock.h"
#include "common/status.h"

struct workers;

status workers_start(int threads, int queue, void (*run)(void *job), struct workers **out, struct error *err);
/* False: the queue is full, or stopping. True must be followed by workers_push. */
bool workers_reserve(struct workers *w);
void workers_push(struct workers *w, void *job);
/* No reservation is given any more; what is queued is still run; waits for the threads. False: a job still runs at the
 * deadline, its thread is left alone and nothing is freed. */
bool workers_stop(struct workers *w, struct deadline d);

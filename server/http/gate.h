/* SPDX-License-Identifier: Apache-2.0 */
/* How many handlers run at once, and how many requests may wait for one to end. Whoever does not fit is told at once,
 * whoever waits is told at his deadline (I9). */
#pragma once

#include "common/clock.h"
#include "common/status.h"

struct gate;

enum gate_result { GATE_ENTERED, GATE_FULL, GATE_LATE };

status gate_new(int places, int queue, struct gate **out, struct error *err);
void gate_free(struct gate *g); /* nobody may be inside */
/* After GATE_ENTERED: gate_leave, by the same thread. */
enum gate_result gate_enter(struct gate *g, struct deadline d);
void gate_leave(struct gate *g);
/* Nobody enters any more, those who wait are sent away (GATE_FULL); waits until the last one has left. False: somebody
 * is still inside at the deadline. */
bool gate_close(struct gate *g, struct deadline d);

/* SPDX-License-Identifier: Apache-2.0 */
/* The one thread that does the jobs of connectors, and looks once in a while after certificates that end. */
#pragma once

#include <pthread.h>

#include "server/connector/runner.h"

struct worker {
    struct runner *runner; /* borrowed */
    pthread_t thread;
    bool is_started;
};
status worker_start(struct worker *w, struct runner *r, struct error *err);
/* Ends what waits for a CA, and returns when the thread has ended. */
void worker_stop(struct worker *w);

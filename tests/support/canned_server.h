/* SPDX-License-Identifier: Apache-2.0 */
/* A plain HTTP server for tests, on a random port of 127.0.0.1: every request gets what a function makes of it. One
 * connection at a time, one request each. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "common/buf.h"

/* request: head and body as they came. What is put into answer is sent as it is; nothing: the connection is kept open
 * without an answer until the client goes. */
typedef void (*canned_answer)(void *arg, struct slice request, struct buf *answer);

struct canned_server {
    int fd, port;
    canned_answer answer;
    void *arg;
    pthread_t thread;
    atomic_bool stopping;
    atomic_int requests;
};
bool canned_server_start(struct canned_server *s, canned_answer answer, void *arg);
void canned_server_stop(struct canned_server *s);
/* The body behind the blank line. */
struct slice canned_body(struct slice request);

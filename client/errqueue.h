/* SPDX-License-Identifier: Apache-2.0 */
/* The thread's OpenSSL error queue, put aside and back. A mark is not enough: libcurl empties the whole queue. */
#pragma once

struct errqueue; /* NULL: it was empty */

struct errqueue *errqueue_take(void);       /* leaves the queue empty; nothing is taken when memory is short */
void errqueue_put_back(struct errqueue *q); /* drops what came since; frees q */

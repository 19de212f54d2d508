/* SPDX-License-Identifier: Apache-2.0 */
/* One request on one connection: passed on, or spoilt. */
#pragma once

#include <openssl/ssl.h>

#include "fault.h"

/* False: the connection is to be closed. */
bool exchange_run(SSL *client, int fd);
/* Until the fault is changed or the client gives up. */
void stall(int fd);
/* The next close(2) of the socket resets the connection. */
void reset_prepare(int fd);

/* SPDX-License-Identifier: Apache-2.0 */
/* An answer as it comes in. */
#pragma once

#include "client/transport.h"

/* One header line, with or without its end; the line is spoilt. What is malformed or of no interest is passed over. */
void answer_header_take(struct transport_answer *a, char *line);

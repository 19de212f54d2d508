/* SPDX-License-Identifier: Apache-2.0 */
/* An answer as it comes in. */
#pragma once

#include "client/transport.h"

/* One header line, with or without its end; the line is spoilt. What is malformed or of no interest is passed over. */
void answer_header_take(struct transport_answer *a, char *line);
/* Returns s; a failure's text then ends with the request's id, where the answer has one, to be looked up on the server.
 */
status answer_fault(const struct transport_answer *a, status s, struct error *err);
/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7), to whole seconds; false for the two obsolete forms, too. */
bool http_date_parse(const char *text, int64_t *unix_ms);

/* SPDX-License-Identifier: Apache-2.0 */
/* What a call leaves behind: lines in the module's log, records on the server, descriptors, threads, signals, CPU time.
 */
#pragma once

#include <stdint.h>

int64_t now_ms(void);
int64_t cpu_ms(void); /* of this process */
int open_descriptors(void);

/* The module's log, from now on. */
void log_mark(void);
/* Error lines since; the last one is put into line. */
int log_errors(char *line, int size);

/* Pairs of intent and successful outcome in the server's log; fails when some record has no partner. */
int audit_pairs(void);

/* Nothing of the host was changed: one thread, SIGPIPE as it was, not blocked, not pending. */
void host_is_untouched(void);

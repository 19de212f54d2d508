/* SPDX-License-Identifier: Apache-2.0 */
/* Structured log: one line an event, key=value or JSON, to a descriptor. Off until opened: a library inside a foreign
 * process writes nothing unasked. Values are escaped; never pass a secret. */
#pragma once

#include "common/status.h"

enum log_level { LOG_LEVEL_OFF, LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* path NULL or "-": standard error. A file is opened O_APPEND|O_CLOEXEC, mode 0600. May be called again (reopen). */
status log_open(const char *path, enum log_level level, enum log_format format, struct error *err);
void log_close(void);
bool log_is_on(enum log_level level);
bool log_level_parse(const char *text, enum log_level *out); /* off error warning info debug */

/* log_event(LOG_LEVEL_INFO, "signature", "key", key_id, "principal", name, NULL): names and values alternate, all
 * const char *, ended by NULL; a NULL value cannot be passed: use "". */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));
/* An error with its text and detail. */
void log_error(enum log_level level, const char *event, const struct error *err);

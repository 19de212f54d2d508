/* SPDX-License-Identifier: Apache-2.0 */
/* Text rules shared by both sides. */
#pragma once

#include <stdint.h>

#include "common/status.h"

bool text_is_name(const char *text); /* [a-z0-9][a-z0-9._-]{0,62} */
bool text_is_printable(
    const char *text,
    size_t max_bytes); /* valid UTF-8, no C0/C1 control or bidi-override characters, at most max bytes */
/* Copies with truncation; true when it fitted. */
bool text_copy(char *out, size_t size, const char *text);
uint64_t text_hash(const char *text);               /* FNV-1a: for tables */
bool text_to_int64(const char *text, int64_t *out); /* whole string, decimal */

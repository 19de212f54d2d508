/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at text (1 to 4), 0 when those bytes are not valid UTF-8 or len is 0. */
size_t utf8_decode(const uint8_t *text, size_t len, uint32_t *character);
/* Characters that break a line or change how the text around them is shown: C0, DEL, C1, line and paragraph separator,
 * bidirectional embeddings, overrides and isolates. */
bool utf8_is_control(uint32_t character);
bool utf8_is_bidi_control(uint32_t character);

/* SPDX-License-Identifier: Apache-2.0 */
/* Text fields of fixed width. */
#include "module/padded.h"

#include <string.h>

void padded_copy(unsigned char *out, size_t size, const char *text)
{
    size_t len = strlen(text);
    if (len > size) {
        len = size;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
    }
    memset(out, ' ', size);
    memcpy(out, text, len); /* NOLINT(bugprone-not-null-terminated-result): the field has no terminator */
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Text fields of fixed width, as the information structures of PKCS#11 have them. */
#pragma once

#include <stddef.h>

/* Padded with blanks, not terminated; cut between two UTF-8 characters when too long. */
void padded_copy(unsigned char *out, size_t size, const char *text);

/* SPDX-License-Identifier: Apache-2.0 */
/* Which answers the tests of the API have seen: a line "METHOD pattern status code" each, in the directory that
 * CHANCERY_SEEN names, a file a program. test_contract reads them when the programs have run. Without the variable
 * nothing is kept. */
#pragma once

#include <stdio.h>

FILE *seen_open(void); /* NULL: nothing is kept */
/* code: of a problem; "" when the answer is none. Each line once in a row is enough. */
void seen_add(FILE *seen, const char *method, const char *pattern, int http_status, const char *code);

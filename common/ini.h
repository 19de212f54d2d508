/* SPDX-License-Identifier: Apache-2.0 */
/* The one reader of configuration files: [section] and "key = value", a line each. Strict, as a configuration must not
 * be misread silently: a comment (# or ;) has a line of its own, a line continues nothing, a value is taken whole and
 * has no quotes. What keys mean, and that none is set twice, is the caller's business. */
#pragma once

#include "common/buf.h"

struct ini_entry {
    const char *section; /* "" before the first one */
    const char *key;     /* NULL: this is the line of the section itself */
    const char *value;   /* without the blanks around it, perhaps ""; NULL for a section */
    int line;
};

/* Calls each for every section and every key in their order, until one call fails. Section, key and value are printable
 * text and last until ini_read returns. Errors, those of each too, begin with "name:line: ". CRLF and a byte order mark
 * are tolerated; refused (CODE_CONFIGURATION) are NUL bytes, stray carriage returns, control characters, what is not
 * UTF-8, and lines of more than 8192 bytes. */
status ini_read(const char *name, struct slice text,
                status (*each)(void *arg, const struct ini_entry *entry, struct error *err), void *arg,
                struct error *err);

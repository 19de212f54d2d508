/* SPDX-License-Identifier: Apache-2.0 */
/* A page of GET /v1/audit, taken apart without touching a byte of its records. */
#pragma once

#include "common/buf.h"

typedef status audit_line_fn(void *user, struct slice line, struct error *err);

/* Calls each for every record, in order, with the bytes as they came; next is the cursor, empty on the last page.
 * CODE_INTERNAL when the page is no list. */
status audit_page_split(struct slice page, audit_line_fn *each, void *user, struct buf *next, struct error *err);

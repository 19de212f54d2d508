/* SPDX-License-Identifier: Apache-2.0 */
/* Small helpers that the files of queries share. */
#pragma once

#include "server/store/store.h"

#include "common/text.h"

/* Into a fixed field of a struct. */
#define COLUMN_COPY(field, rows, column) ((void)text_copy((field), sizeof(field), db_column_text((rows), (column))))

/* A row of principal_role whose time it is; now: the parameter with the present time. */
#define ROLE_IN_TIME(table, now)                                                                                       \
    table "not_before_ms <= " now " AND (" table "not_after_ms = 0 OR " table "not_after_ms > " now ")"

/* The project is one where this principal has a role of `roles` (bits) now. Its projects are few: a condition on each
 * row of the store would be asked a hundred thousand times for the ten that are meant. */
#define PROJECT_OF(column, principal, roles, now)                                                                      \
    column " IN (SELECT project_id FROM principal_role WHERE principal_id = " principal " AND (role & " roles          \
           ") <> 0 AND " ROLE_IN_TIME("", now) ")"
#define ROLES_ANY "7" /* owner, signer, approver */
#define ROLE_OWNER "1"
/* In its place where no principal is given: every project; the parameters keep their types. */
#define PROJECT_ANY(principal, now) "(" principal " = '' AND " now " >= CAST(0 AS BIGINT))"

/* A certificate that ends by then, or has ended, of a key that can be renewed. Tables with their dot, or "". */
#define KEY_RENEWABLE(table) table "lifecycle IN ('active', 'disabled')"
#define VERSION_ENDING(table, until)                                                                                   \
    table "not_after_ms > 0 AND " table "not_after_ms <= " until " AND " table "revoked_ms = 0"

/* The first row of a result: CODE_NOT_FOUND with "<what>: …" when there is none. */
status row_expect(struct db_rows *rows, const char *what, struct error *err);
/* A change that must meet a row: CODE_NOT_FOUND when changed is 0. */
status row_changed(int64_t changed, const char *what, struct error *err);
/* CODE_CONFLICT gets the text that names what is there already; others pass. */
status row_conflict(status result, struct error *err, const char *format, ...) __attribute__((format(printf, 3, 4)));
void column_blob_copy(struct buf *out, const struct db_rows *rows, int column);
/* A blob of fixed length; CODE_INTERNAL when it has another. */
status column_blob_exact(void *out, size_t len, const struct db_rows *rows, int column, struct error *err);

static inline const char *page_after(struct page page)
{
    return page.after ? page.after : "";
}
/* For "($n = '' OR …)" and NAME_BEGINS. */
static inline const char *filter_text(const char *filter)
{
    return filter ? filter : "";
}
/* True for every name when the parameter is ''. Names are ASCII, so that bytes are characters. */
#define NAME_BEGINS(column, parameter) "substr(" column ", 1, length(CAST(" parameter " AS TEXT))) = " parameter
static inline int page_limit(struct page page)
{
    return page.limit > 0 ? page.limit : LIMIT_PAGE;
}

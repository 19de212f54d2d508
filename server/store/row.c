/* SPDX-License-Identifier: Apache-2.0 */
/* See row.h. */
#include "server/store/row.h"

#include <stdio.h>
#include <string.h>

status row_expect(struct db_rows *rows, const char *what, struct error *err)
{
    bool more = false;
    TRY(db_next(rows, &more, err));
    return more ? OK : error_set(err, CODE_NOT_FOUND, "%s: %s", what, code_text(CODE_NOT_FOUND));
}

status row_changed(int64_t changed, const char *what, struct error *err)
{
    return changed > 0 ? OK : error_set(err, CODE_NOT_FOUND, "%s: %s", what, code_text(CODE_NOT_FOUND));
}

status row_conflict(status result, struct error *err, const char *format, ...)
{
    if (result.code != CODE_CONFLICT || !err)
        return result;

    char text[sizeof(err->text)];
    char detail[sizeof(err->detail)];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    memcpy(detail, err->detail, sizeof(detail));

    result = error_set(err, CODE_CONFLICT, "%s", text);
    error_detail(err, "%s", detail);
    return result;
}

void column_blob_copy(struct buf *out, const struct db_rows *rows, int column)
{
    struct slice bytes = db_column_blob(rows, column);
    buf_reset(out);
    buf_add(out, bytes.data, bytes.len);
}

status column_blob_exact(void *out, size_t len, const struct db_rows *rows, int column, struct error *err)
{
    struct slice bytes = db_column_blob(rows, column);
    if (bytes.len != len)
        return error_set(err, CODE_INTERNAL, "store: a column holds %zu bytes, not %zu", bytes.len, len);

    memcpy(out, bytes.data, len);
    return OK;
}

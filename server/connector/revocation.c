/* SPDX-License-Identifier: Apache-2.0 */
/* What the job of a revocation is about: the reason, and the certificate itself, since the key may have another one
 * when the CA is asked. "<reason> <base64 of DER>". */
#include <stdlib.h>
#include <string.h>

#include "common/encoding.h"
#include "server/connector/connector.h"

status revocation_order_write(int reason, struct slice certificate, struct buf *out, struct error *err)
{
    cleanup_buf struct buf text = {0};

    base64_encode(certificate, &text);
    TRY(buf_check(&text, err));
    buf_printf(out, "%d %s", reason, buf_text(&text));
    return buf_check(out, err);
}

status revocation_order_read(const char *order, int *reason, struct buf *certificate, struct error *err)
{
    char *end = NULL;
    long value = strtol(order, &end, 10);

    if (end == order || *end != ' ')
        return error_set(err, CODE_INTERNAL, "the job does not name the certificate");
    *reason = (int)value;
    return base64_decode(end + 1, strlen(end + 1), certificate, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "server/connector/est.h"

#include <ctype.h>

#include "common/encoding.h"
#include "server/connector/chain.h"

status est_certificates_parse(struct slice body, STACK_OF(X509) * *out, struct error *err)
{
    cleanup_buf struct buf text = {0}, der = {0};

    if (body.len > CONNECTOR_ANSWER_MAX)
        return error_set(err, CODE_TOO_LARGE, "the answer has more than %d bytes", CONNECTOR_ANSWER_MAX);
    for (size_t i = 0; i < body.len; i++) {
        if (!isspace(body.data[i]))
            buf_add_byte(&text, body.data[i]);
    }
    TRY(buf_check(&text, err));
    if (!is_ok(base64_decode(buf_text(&text), text.len, &der, NULL)) || der.len == 0)
        return error_set(err, CODE_INVALID, "the answer is not base64");
    return certificates_parse(buf_slice(&der), out, err);
}

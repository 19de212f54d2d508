/* SPDX-License-Identifier: Apache-2.0 */
/* Header lines as libcurl hands them over: one a line of the input. */
#include <stdlib.h>
#include <string.h>

#include "client/answer.h"
#include "common/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const struct transport_answer *a)
{
    bool fits = text_is_printable(a->etag, sizeof(a->etag) - 1) &&
                text_is_printable(a->request_id, sizeof(a->request_id) - 1) && a->retry_after_ms >= -1 &&
                strnlen(a->content_type, sizeof(a->content_type)) < sizeof(a->content_type) &&
                !strpbrk(a->content_type, "; \tABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (!fits)
        abort();
}

/* From a copy of its own, so that a sanitizer sees what is read behind it. */
static void take(struct transport_answer *a, const uint8_t *data, size_t len)
{
    cleanup_free char *line = strndup((const char *)data, len);
    if (line)
        answer_header_take(a, line);
    judge(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_answer struct transport_answer a = {0};
    transport_answer_clear(&a);
    while (size > 0) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t len = end ? (size_t)(end - data) + 1 : size;
        take(&a, data, len);
        data += len;
        size -= len;
    }
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A refusal: HTTP status (two bytes), then a body. Never success, and one printable sentence. */
#include <stdlib.h>
#include <string.h>

#include "client/problem.h"
#include "common/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(struct transport_answer *a)
{
    struct error err = {0};
    if (is_ok(problem_status(a, &err)) || err.code == CODE_OK || err.code == CODE_NO_MEMORY ||
        err.code == CODE_CREDENTIAL || err.code == CODE_CONFIGURATION)
        abort();
    if (*err.text == '\0' || !text_is_printable(err.text, sizeof(err.text)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    cleanup_answer struct transport_answer a = {.status = data[0] << 8 | data[1]};
    buf_add(&a.body, data + 2, size - 2);
    judge(&a);
    strcpy(a.content_type, "application/problem+json");
    judge(&a);
    strcpy(a.request_id, "req_1");
    judge(&a);
    return 0;
}

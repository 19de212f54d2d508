/* SPDX-License-Identifier: Apache-2.0 */
/* What anybody can send to /tsa, and what an outside authority can answer: the query, and the answer to a good one. */
#include <stdlib.h>
#include <string.h>

#include "server/tsa/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* SEQUENCE { 1, { sha256, 32 zero bytes }, certReq TRUE } */
static const uint8_t good[22 + 32 + 3] = {0x30, 0x37, 0x02, 0x01, 0x01,        0x30,        0x2f,       0x30, 0x0b,
                                          0x06, 0x09, 0x60, 0x86, 0x48,        0x01,        0x65,       0x03, 0x04,
                                          0x02, 0x01, 0x04, 0x20, [54] = 0x01, [55] = 0x01, [56] = 0xff};

static void query(struct slice der)
{
    cleanup_query struct query q = {0};
    cleanup_buf struct buf reply = {0};
    struct refusal r = {0};

    if (query_read(der, &q, &r)) {
        if (q.hash == HASH_NONE || q.digest.len != hash_len(q.hash) || !q.req)
            abort();
        return;
    }
    if (!r.text[0] || !is_ok(refusal_encode(&r, &reply, NULL)) || reply.len == 0)
        abort();
}

static void answer(struct slice der)
{
    cleanup_query struct query q = {0};
    struct refusal r = {0};
    bool refused = false;

    if (!query_read((struct slice){good, sizeof good}, &q, &r))
        abort();
    if (!relay_answer_check(&q, der, NULL, &refused, &r) && !r.text[0])
        abort();
    for (const char *c = r.text; *c; c++) {
        if (*c < ' ' || *c > '~')
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice der = {data, size};

    query(der);
    answer(der);
    return 0;
}

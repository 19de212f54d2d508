/* SPDX-License-Identifier: Apache-2.0 */
/* What is read and written again must be read as the same. */
#include <stdlib.h>

#include "common/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct json *read_again(const struct json *v, struct buf *text)
{
    struct json *again = NULL;
    struct json_writer w = json_writer_on(text);
    json_add_value(&w, NULL, v);
    if (text->failed || !is_ok(json_parse(buf_slice(text), SIZE_MAX, 16, &again, NULL)))
        abort();
    return again;
}

/* A strict reader meets names and types of all kinds. */
static void read_strictly(const struct json *v)
{
    const char *label = NULL;
    int64_t number = 0;
    bool flag = false;
    const struct json *list = NULL;
    const struct json_field fields[] = {{"label", JSON_STRING, JSON_REQUIRED, &label},
                                        {"n", JSON_INTEGER, 0, &number},
                                        {"b", JSON_BOOL, 0, &flag},
                                        {"a", JSON_ARRAY, 0, &list}};
    struct error err;
    if (is_ok(json_read_object(v, fields, COUNT_OF(fields), &err)) && !label)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_json struct json *v = NULL;
    struct error err = {0};
    if (!is_ok(json_parse((struct slice){data, size}, 1 << 20, 16, &v, &err))) {
        if (v || err.code == CODE_OK || err.text[0] == '\0')
            abort();
        return 0;
    }
    read_strictly(v);

    cleanup_buf struct buf first = {0}, second = {0};
    cleanup_json struct json *again = read_again(v, &first);
    cleanup_json struct json *third = read_again(again, &second);
    if (!third || !slice_equal(buf_slice(&first), buf_slice(&second)))
        abort();
    return 0;
}

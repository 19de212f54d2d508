/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include <stdarg.h>
#include <stdlib.h>

static struct ran last;

void run_end(void)
{
    free(last.out);
    free(last.err);
    last = (struct ran){0};
}

const struct ran *run(const char *word, ...)
{
    enum { WORDS_MAX = 40 };
    char *words[WORDS_MAX] = {(char *)"chancery"};
    int count = 1;
    va_list args;
    va_start(args, word);
    for (const char *at = word; at && count < WORDS_MAX - 1; at = va_arg(args, const char *))
        words[count++] = (char *)at;
    va_end(args);

    run_end();
    size_t out_len = 0;
    size_t err_len = 0;
    FILE *out = open_memstream(&last.out, &out_len);
    FILE *err = open_memstream(&last.err, &err_len);
    last.code = cli_main(count, words, out, err);
    fclose(out);
    fclose(err);
    return &last;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over every file of a corpus, without libFuzzer: replay DIRECTORY. An empty corpus is a failure. */
#include <dirent.h>
#include <stdio.h>

#include "common/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* From a copy of exactly the input's size, so that a sanitizer sees a byte read behind it. */
static bool replay(const char *path)
{
    cleanup_buf struct buf content = {0};
    struct error err;
    if (!is_ok(file_read(path, 1 << 24, FILE_ANY, &content, &err))) {
        (void)fprintf(stderr, "%s\n", err.text);
        return false;
    }
    cleanup_free uint8_t *input = malloc(content.len ? content.len : 1);
    if (!input)
        return false;
    for (size_t i = 0; i < content.len; i++)
        input[i] = content.data[i];
    (void)LLVMFuzzerTestOneInput(input, content.len);
    return true;
}

int main(int argc, char **argv)
{
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    if (!dir) {
        (void)fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    int count = 0, failed = 0;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        cleanup_free char *path = path_join(argv[1], entry->d_name);
        if (entry->d_name[0] == '.')
            continue;
        count++;
        failed += !path || !replay(path);
    }
    (void)closedir(dir);
    (void)printf("%d inputs, %d failed\n", count, failed);
    return count == 0 || failed > 0;
}

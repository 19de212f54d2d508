/* SPDX-License-Identifier: Apache-2.0 */
#include "seen.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

FILE *seen_open(void)
{
    char path[512];
    const char *directory = getenv("CHANCERY_SEEN");
    if (!directory)
        return NULL;

    (void)mkdir(directory, 0755);
    (void)snprintf(path, sizeof(path), "%s/%s", directory, program_invocation_short_name);
    FILE *file = fopen(path, "we");
    if (!file)
        abort();
    return file;
}

void seen_add(FILE *seen, const char *method, const char *pattern, int http_status, const char *code)
{
    if (seen)
        (void)fprintf(seen, "%s %s %d %s\n", method, pattern, http_status, *code ? code : "-");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What came back. */
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "common/text.h"
#include "server/fetch/fetch.h"

void fetch_answer_clear(struct fetch_answer *a)
{
    buf_clear(&a->headers);
    buf_clear(&a->body);
    *a = (struct fetch_answer){0};
}

/* The value on the line, or NULL when the line has another name. */
static const char *line_value(const char *line, const char *name)
{
    size_t len = strlen(name);

    if (strncasecmp(line, name, len) != 0 || line[len] != ':')
        return NULL;
    return line + len + 1 + strspn(line + len + 1, " \t");
}

bool fetch_answer_header(const struct fetch_answer *a, const char *name, char *out, size_t size)
{
    out[0] = '\0';
    for (const char *line = buf_text(&a->headers); *line;) {
        size_t line_len = strcspn(line, "\n");
        const char *value = line_value(line, name);
        if (value) {
            size_t len = (size_t)(line + line_len - value);
            if (len >= size)
                return false;
            memcpy(out, value, len);
            out[len] = '\0';
            return true;
        }
        line += line_len + (line[line_len] == '\n');
    }
    return true;
}

int64_t fetch_answer_retry_after_s(const struct fetch_answer *a)
{
    char value[64];
    int64_t seconds = 0;

    if (!fetch_answer_header(a, "Retry-After", value, sizeof value) || !*value)
        return -1;
    if (!text_to_int64(value, &seconds)) {
        time_t when = curl_getdate(value, NULL);
        if (when < 0)
            return -1;
        seconds = (int64_t)when - clock_now_ms() / 1000;
    }
    if (seconds < 0)
        return 0;
    return seconds < FETCH_RETRY_AFTER_MOST_S ? seconds : FETCH_RETRY_AFTER_MOST_S;
}

bool fetch_answer_is(const struct fetch_answer *a, const char *media_type)
{
    char value[256];

    if (!fetch_answer_header(a, "Content-Type", value, sizeof value))
        return false;
    value[strcspn(value, "; \t")] = '\0';
    return strcasecmp(value, media_type) == 0;
}

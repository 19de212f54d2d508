/* SPDX-License-Identifier: Apache-2.0 */
/* The few headers of an answer that anybody asks for. */
#include "client/answer.h"

#include <string.h>
#include <strings.h>

#include "common/text.h"

void transport_answer_clear(struct transport_answer *a)
{
    buf_clear(&a->body);
    *a = (struct transport_answer){.retry_after_ms = -1};
}

static void content_type_take(struct transport_answer *a, char *value)
{
    value[strcspn(value, "; \t")] = '\0';
    for (char *c = value; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    (void)text_copy(a->content_type, sizeof(a->content_type), value);
}

/* Seconds only: our servers send no dates. */
static void retry_after_take(struct transport_answer *a, const char *value)
{
    int64_t seconds = 0;
    if (text_to_int64(value, &seconds) && seconds >= 0 && seconds <= 86400)
        a->retry_after_ms = seconds * 1000;
}

void answer_header_take(struct transport_answer *a, char *line)
{
    char *colon = strchr(line, ':');
    if (!colon)
        return;
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " \t");
    size_t len = strlen(value);
    while (len > 0 && strchr(" \t\r\n", value[len - 1]))
        value[--len] = '\0';

    if (strcasecmp(line, "content-type") == 0)
        content_type_take(a, value);
    else if (strcasecmp(line, "etag") == 0 && text_is_printable(value, sizeof(a->etag) - 1))
        (void)text_copy(a->etag, sizeof(a->etag), value);
    else if (strcasecmp(line, "date") == 0 && text_is_printable(value, sizeof(a->date) - 1))
        (void)text_copy(a->date, sizeof(a->date), value);
    else if (strcasecmp(line, "retry-after") == 0)
        retry_after_take(a, value);
}

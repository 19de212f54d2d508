/* SPDX-License-Identifier: Apache-2.0 */
/* The few headers of an answer that anybody asks for. */
#include "client/answer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "chancery/protocol.h"
#include "common/text.h"

enum { RETRY_AFTER_MAX_S = 86400 }; /* more is as good as never */

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

bool http_date_parse(const char *text, int64_t *unix_ms)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char month[4], rfc3339[TIME_TEXT_SIZE];
    unsigned day, year, hour, minute, second;
    int end = 0;
    /* NOLINTNEXTLINE(cert-err34-c): of so few digits each */
    if (sscanf(text, "%*3[A-Za-z], %2u %3[A-Za-z] %4u %2u:%2u:%2u GMT%n", &day, month, &year, &hour, &minute, &second,
               &end) != 6 ||
        end == 0 || text[end] != '\0' || strlen(month) != 3)
        return false;

    const char *found = strstr(months, month);
    if (!found || (found - months) % 3 != 0)
        return false;
    (void)snprintf(rfc3339, sizeof(rfc3339), "%04u-%02u-%02uT%02u:%02u:%02uZ", year, (unsigned)(found - months) / 3 + 1,
                   day, hour, minute, second);
    return is_ok(time_parse(rfc3339, unix_ms, NULL));
}

/* Seconds of any length, or a date: what stands between us and the server may send one (RFC 9110 §10.2.3). */
static void retry_after_take(struct transport_answer *a, const char *value)
{
    int64_t seconds = 0, at_ms = 0;
    bool is_number = *value && value[strspn(value, "0123456789")] == '\0';
    if (is_number && (!text_to_int64(value, &seconds) || seconds > RETRY_AFTER_MAX_S))
        seconds = RETRY_AFTER_MAX_S;
    if (is_number) {
        a->retry_after_ms = seconds * 1000;
    } else if (http_date_parse(value, &at_ms)) {
        int64_t wait_ms = at_ms - clock_now_ms();
        a->retry_after_ms = wait_ms > 0 ? wait_ms : 0;
    }
}

status answer_fault(const struct transport_answer *a, status s, struct error *err)
{
    if (!is_ok(s) && *a->request_id)
        error_suffix(err, " (request %s)", a->request_id);
    return s;
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
    else if (strcasecmp(line, HEADER_REQUEST_ID) == 0 && text_is_printable(value, sizeof(a->request_id) - 1))
        (void)text_copy(a->request_id, sizeof(a->request_id), value);
}

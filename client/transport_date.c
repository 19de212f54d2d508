/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl reads all three forms of a date (RFC 9110 §5.6.7), whatever the host's locale. */
#include <curl/curl.h>

#include "client/answer.h"

int64_t answer_date_parse(const char *value)
{
    return (int64_t)curl_getdate(value, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* See http_client.h. A handle of its own for each call or transaction: calls are few, and nothing is left over between
 * CAs. */
#include "server/connector/http_client.h"

#include <ctype.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "chancery/version.h"
#include "common/text.h"

enum { RETRY_AFTER_MOST_S = 7 * 24 * 3600, HEADER_BYTES_MOST = 64 * 1024 };

struct http_client {
    CURL *curl;
};

struct transfer {
    CURL *curl; /* borrowed */
    struct curl_slist *headers;
    struct http_answer *answer;
    size_t header_bytes;
    bool is_too_large;
    char reason[CURL_ERROR_SIZE];
};

static void transfer_clear(struct transfer *t)
{
    curl_slist_free_all(t->headers);
}
#define cleanup_transfer CLEANUP(transfer_clear)

void http_answer_clear(struct http_answer *a)
{
    buf_clear(&a->body);
    *a = (struct http_answer){.retry_after_s = -1};
}

static int on_progress(void *user, curl_off_t to_get, curl_off_t got, curl_off_t to_send, curl_off_t sent)
{
    const atomic_bool *is_stopping = user;

    (void)to_get, (void)got, (void)to_send, (void)sent;
    return is_stopping && atomic_load(is_stopping);
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    struct transfer *t = user;
    size_t len = size * count;

    if (len > CONNECTOR_ANSWER_MAX - t->answer->body.len) {
        t->is_too_large = true;
        return 0;
    }
    buf_add(&t->answer->body, data, len);
    return t->answer->body.failed ? 0 : len;
}

/* Seconds, or a date (RFC 9110 §10.2.3). */
static int64_t retry_after_parse(const char *value)
{
    int64_t seconds = -1;

    if (!text_to_int64(value, &seconds)) {
        time_t when = curl_getdate(value, NULL);
        seconds = when < 0 ? -1 : (int64_t)when - clock_now_ms() / 1000;
    }
    if (seconds < 0)
        return seconds == -1 ? -1 : 0;
    return seconds < RETRY_AFTER_MOST_S ? seconds : RETRY_AFTER_MOST_S;
}

static size_t on_header(char *data, size_t size, size_t count, void *user)
{
    static const char name[] = "Retry-After:";
    struct transfer *t = user;
    size_t len = size * count;
    char value[64] = "";

    t->header_bytes += len;
    if (t->header_bytes > HEADER_BYTES_MOST) {
        t->is_too_large = true;
        return 0;
    }
    if (len > sizeof(name) - 1 && len - sizeof(name) < sizeof(value) &&
        strncasecmp(data, name, sizeof(name) - 1) == 0) {
        size_t from = sizeof(name) - 1, to = len;
        while (from < to && isspace((unsigned char)data[from]))
            from++;
        while (to > from && isspace((unsigned char)data[to - 1]))
            to--;
        (void)snprintf(value, sizeof(value), "%.*s", (int)(to - from), data + from);
        t->answer->retry_after_s = retry_after_parse(value);
    }
    return len;
}

static void curl_start(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static CURLcode blob_set(CURL *curl, CURLoption option, struct slice pem)
{
    struct curl_blob blob = {(void *)pem.data, pem.len, CURL_BLOB_NOCOPY};
    return pem.len > 0 ? curl_easy_setopt(curl, option, &blob) : CURLE_OK;
}

#define SET(option, value) bad |= curl_easy_setopt(t->curl, option, value)

static CURLcode tls_set(struct transfer *t, const struct http_call *call)
{
    CURLcode bad = CURLE_OK;
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    if (call->tls_trust.len > 0) {
        bad |= blob_set(t->curl, CURLOPT_CAINFO_BLOB, call->tls_trust);
        SET(CURLOPT_CAPATH, NULL); /* else the system's roots would be trusted beside it */
    }
    bad |= blob_set(t->curl, CURLOPT_SSLCERT_BLOB, call->tls_certificate);
    bad |= blob_set(t->curl, CURLOPT_SSLKEY_BLOB, call->tls_key);
    return bad;
}

static void header_add(struct transfer *t, const char *name, const char *value)
{
    char line[256];

    (void)snprintf(line, sizeof(line), "%s:%s%s", name, *value ? " " : "", value); /* without a value: none is sent */
    struct curl_slist *longer = curl_slist_append(t->headers, line);
    t->headers = longer ? longer : t->headers;
}

static CURLcode request_set(struct transfer *t, const struct http_call *call)
{
    CURLcode bad = CURLE_OK;
    if (call->content_type)
        header_add(t, "Content-Type", call->content_type);
    if (call->accept)
        header_add(t, "Accept", call->accept);
    if (call->transfer_encoding)
        header_add(t, "Content-Transfer-Encoding", call->transfer_encoding);
    if (call->client)
        header_add(t, "Connection", "keep-alive");
    header_add(t, "Expect", "");
    SET(CURLOPT_URL, call->url);
    SET(CURLOPT_HTTPHEADER, t->headers);
    if (strcmp(call->method, "POST") == 0) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
        SET(CURLOPT_POSTFIELDS, call->body.len > 0 ? (const char *)call->body.data : "");
    }
    if (call->username) {
        SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        SET(CURLOPT_USERNAME, call->username);
        SET(CURLOPT_PASSWORD, (const char *)call->password.data);
    }
    return bad;
}

/* A proxy of the environment is not asked: a CA is reached directly. */
static CURLcode transfer_set(struct transfer *t, const struct http_call *call)
{
    CURLcode bad = CURLE_OK;
    SET(CURLOPT_ERRORBUFFER, t->reason);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, t);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, (void *)call->is_stopping);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_USERAGENT, "chancery/" CHANCERY_VERSION);
    SET(CURLOPT_TIMEOUT_MS, (long)deadline_left_ms(call->deadline));
    bad |= tls_set(t, call);
    return bad | request_set(t, call);
}
#undef SET

static status transfer_failure(const struct transfer *t, const struct http_call *call, CURLcode code, struct error *err)
{
    enum code as = code == CURLE_OPERATION_TIMEDOUT ? CODE_TIMEOUT : CODE_UNAVAILABLE;

    if (t->is_too_large)
        return error_set(err, CODE_TOO_LARGE, "the answer of %.120s is larger than %d bytes", call->url,
                         CONNECTOR_ANSWER_MAX);
    return error_set(err, as, "%.120s: %s", call->url, *t->reason ? t->reason : curl_easy_strerror(code));
}

static void content_type_take(struct transfer *t)
{
    const char *type = NULL;
    char *out = t->answer->content_type;

    if (curl_easy_getinfo(t->curl, CURLINFO_CONTENT_TYPE, &type) != CURLE_OK || !type)
        return;
    size_t len = strcspn(type, "; ");
    for (size_t i = 0; i < len && i < sizeof(t->answer->content_type) - 1; i++)
        out[i] = (char)tolower((unsigned char)type[i]);
}

struct http_client *http_client_new(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct http_client *c = calloc(1, sizeof(*c));

    (void)pthread_once(&once, curl_start);
    if (c)
        c->curl = curl_easy_init();
    if (c && c->curl)
        return c;
    free(c);
    return NULL;
}

void http_client_free(struct http_client *c)
{
    if (c)
        curl_easy_cleanup(c->curl);
    free(c);
}
DEFINE_CLEANUP_PTR(struct http_client, http_client_free)

status http_client_call(const struct http_call *call, struct http_answer *out, struct error *err)
{
    CLEANUP(http_client_free_cleanup) struct http_client *own = call->client ? NULL : http_client_new();
    const struct http_client *client = call->client ? call->client : own;
    cleanup_transfer struct transfer t = {.answer = out};
    long http_status = 0;

    http_answer_clear(out);
    if (deadline_passed(call->deadline))
        return error_set(err, CODE_TIMEOUT, "%.120s: %s", call->url, code_text(CODE_TIMEOUT));
    if (!client)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    t.curl = client->curl;
    curl_easy_reset(t.curl);
    if (transfer_set(&t, call) != CURLE_OK)
        return error_set(err, CODE_CONFIGURATION, "libcurl does not take the request");
    CURLcode code = curl_easy_perform(t.curl);
    ERR_clear_error();
    if (code != CURLE_OK)
        return transfer_failure(&t, call, code, err);
    (void)curl_easy_getinfo(t.curl, CURLINFO_RESPONSE_CODE, &http_status);
    out->status = (int)http_status;
    content_type_take(&t);
    return buf_check(&out->body, err);
}

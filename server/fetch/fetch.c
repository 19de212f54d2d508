/* SPDX-License-Identifier: Apache-2.0 */
/* One request on a libcurl handle of its own: who is asked is asked seldom, so no connection is kept unless the caller
 * wants it. */
#include "server/fetch/fetch.h"

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

#include "chancery/version.h"

enum { HEADERS_MAX = 64 * 1024 };

DEFINE_CLEANUP_PTR(struct curl_slist, curl_slist_free_all)
DEFINE_CLEANUP_PTR(CURLU, curl_url_cleanup)
#define cleanup_slist CLEANUP(curl_slist_free_all_cleanup)
#define cleanup_curlu CLEANUP(curl_url_cleanup_cleanup)

struct fetch_connection {
    CURL *curl;
};

struct receiving {
    struct fetch_answer *answer;
    size_t answer_max;
    bool too_large;
};

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    struct receiving *r = user;
    size_t len = size * count;

    if (len > r->answer_max - r->answer->body.len) {
        r->too_large = true;
        return 0;
    }
    buf_add(&r->answer->body, data, len);
    return r->answer->body.failed ? 0 : len;
}

static size_t line_len(const char *data, size_t len)
{
    while (len > 0 && (data[len - 1] == '\r' || data[len - 1] == '\n' || data[len - 1] == ' '))
        len--;
    return len;
}

/* A status line begins anew: what an interim answer (100) carried is not of the answer. */
static size_t on_header(char *data, size_t size, size_t count, void *user)
{
    struct receiving *r = user;
    size_t len = size * count, kept = line_len(data, len);

    if (len > 5 && strncasecmp(data, "HTTP/", 5) == 0) {
        buf_reset(&r->answer->headers);
        return len;
    }
    if (r->answer->headers.len + len > HEADERS_MAX) {
        r->too_large = true;
        return 0;
    }
    if (kept > 0 && !memchr(data, '\0', len)) {
        buf_add(&r->answer->headers, data, kept);
        buf_add_byte(&r->answer->headers, '\n');
    }
    return r->answer->headers.failed ? 0 : len;
}

/* libcurl would write TLS secrets to the file that $SSLKEYLOGFILE names (I8). */
static CURLcode on_tls_context(CURL *curl, void *ssl_ctx, void *user)
{
    (void)curl, (void)user;
    SSL_CTX_set_keylog_callback(ssl_ctx, NULL);
    return CURLE_OK;
}

static int on_progress(void *user, curl_off_t to_get, curl_off_t got, curl_off_t to_send, curl_off_t sent)
{
    const atomic_bool *is_stopping = user;

    (void)to_get, (void)got, (void)to_send, (void)sent;
    return is_stopping && atomic_load(is_stopping);
}

static void curl_begin(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct fetch_connection *fetch_connection_new(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct fetch_connection *c = calloc(1, sizeof(*c));

    (void)pthread_once(&once, curl_begin);
    if (c)
        c->curl = curl_easy_init();
    if (c && c->curl)
        return c;
    free(c);
    return NULL;
}

void fetch_connection_free(struct fetch_connection *c)
{
    if (c)
        curl_easy_cleanup(c->curl);
    free(c);
}
DEFINE_CLEANUP_PTR(struct fetch_connection, fetch_connection_free)
#define cleanup_connection CLEANUP(fetch_connection_free_cleanup)

#define SET(option, value) bad |= curl_easy_setopt(h, option, value)

static CURLcode blob_set(CURL *h, CURLoption option, struct slice pem)
{
    struct curl_blob blob = {(void *)(uintptr_t)pem.data, pem.len, CURL_BLOB_NOCOPY};

    return pem.len > 0 ? curl_easy_setopt(h, option, &blob) : CURLE_OK;
}

static CURLcode tls_set(CURL *h, const struct fetch_request *q)
{
    CURLcode bad = CURLE_OK;

    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSL_CTX_FUNCTION, on_tls_context);
    bad |= blob_set(h, CURLOPT_CAINFO_BLOB, q->anchors);
    if (q->anchors.len > 0)
        SET(CURLOPT_CAPATH, NULL); /* else the system's would be trusted beside it */
    if (q->key.len > 0) {
        bad |= blob_set(h, CURLOPT_SSLCERT_BLOB, q->certificate);
        bad |= blob_set(h, CURLOPT_SSLKEY_BLOB, q->key);
        SET(CURLOPT_SSLCERTTYPE, "PEM");
        SET(CURLOPT_SSLKEYTYPE, "PEM");
    }
    return bad;
}

static CURLcode limits_set(CURL *h, const struct fetch_request *q)
{
    CURLcode bad = CURLE_OK;
    int64_t left = deadline_left_ms(q->deadline);

    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT_MS, (long)(left > 0 ? left : 1));
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_FORBID_REUSE, q->connection ? 0L : 1L);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, (void *)(uintptr_t)q->is_stopping);
    SET(CURLOPT_QUICK_EXIT, 1L); /* a name that is being looked up holds nobody at the end */
    SET(CURLOPT_USERAGENT, "chanceryd/" CHANCERY_VERSION);
    return bad;
}

static CURLcode request_set(CURL *h, const struct fetch_request *q, struct curl_slist *headers)
{
    CURLcode bad = CURLE_OK;

    SET(CURLOPT_URL, q->url);
    if (q->body.len > 0) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.len);
        SET(CURLOPT_POSTFIELDS, q->body.data);
    }
    SET(CURLOPT_CUSTOMREQUEST, q->method);
    SET(CURLOPT_NOBODY, strcmp(q->method, "HEAD") == 0 ? 1L : 0L);
    SET(CURLOPT_HTTPHEADER, headers);
    if (q->username) {
        SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        SET(CURLOPT_USERNAME, q->username);
        SET(CURLOPT_PASSWORD, q->password);
    }
    return bad;
}

/* "Expect:" keeps libcurl from waiting for a 100 that some servers never send. */
static status headers_make(const struct fetch_request *q, struct curl_slist **out, struct error *err)
{
    cleanup_slist struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    for (const char *const *h = q->headers; list && h && *h; h++) {
        struct curl_slist *longer = curl_slist_append(list, *h);
        if (!longer)
            return error_set(err, CODE_NO_MEMORY, "out of memory");
        list = longer;
    }
    if (!list)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    *out = steal(&list);
    return OK;
}

static const char *host_of(const char *url, char out[256])
{
    const char *host = strstr(url, "://");

    host = host ? host + 3 : url;
    (void)snprintf(out, 256, "%.*s", (int)strcspn(host, "/?#"), host);
    return out;
}

static status failure(CURLcode code, const char *reason, const struct fetch_request *q, const struct receiving *r,
                      struct error *err)
{
    char host[256];
    const char *why = reason[0] ? reason : curl_easy_strerror(code);

    (void)host_of(q->url, host);
    if (r->too_large)
        return error_set(err, CODE_TOO_LARGE, "%s: the answer is longer than %zu bytes", host, r->answer_max);
    if (r->answer->body.failed || r->answer->headers.failed || code == CURLE_OUT_OF_MEMORY)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    if (code == CURLE_OPERATION_TIMEDOUT)
        return error_set(err, CODE_TIMEOUT, "%s: no answer in time", host);
    return error_set(err, CODE_UNAVAILABLE, "%s: %s", host, why);
}

status fetch(const struct fetch_request *q, struct fetch_answer *answer, struct error *err)
{
    char reason[CURL_ERROR_SIZE] = "";
    struct receiving r = {.answer = answer, .answer_max = q->answer_max ? q->answer_max : FETCH_ANSWER_MAX};
    cleanup_slist struct curl_slist *headers = NULL;

    TRY(fetch_url_check(q->url, err));
    TRY(headers_make(q, &headers, err));
    cleanup_connection struct fetch_connection *own = q->connection ? NULL : fetch_connection_new();
    if (!q->connection && !own)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    CURL *h = q->connection ? q->connection->curl : own->curl;
    curl_easy_reset(h); /* the connection stays */
    fetch_answer_clear(answer);

    CURLcode bad = tls_set(h, q) | limits_set(h, q) | request_set(h, q, headers);
    SET(CURLOPT_ERRORBUFFER, reason);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, &r);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, &r);
    if (bad != CURLE_OK)
        return error_set(err, CODE_INTERNAL, "libcurl does not take a request");
    CURLcode code = curl_easy_perform(h);
    ERR_clear_error(); /* libcurl leaves OpenSSL's behind */
    if (code != CURLE_OK)
        return failure(code, reason, q, &r, err);
    long http = 0;
    (void)curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &http);
    answer->status = (int)http;
    return OK;
}

status fetch_url_check(const char *url, struct error *err)
{
    size_t len = strnlen(url, FETCH_URL_MAX + 1);
    bool is_http = strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;

    if (len > FETCH_URL_MAX)
        return error_set(err, CODE_INVALID, "a URL has at most %d characters", FETCH_URL_MAX);
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)url[i] <= ' ' || (unsigned char)url[i] >= 0x7f)
            return error_set(err, CODE_INVALID, "a URL has no blanks and no other than ASCII characters");
    }
    cleanup_curlu CURLU *parsed = curl_url();
    if (!parsed)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    if (!is_http || curl_url_set(parsed, CURLUPART_URL, url, CURLU_DISALLOW_USER) != CURLUE_OK)
        return error_set(err, CODE_INVALID, "%.80s: http:// or https:// with a host and no user is expected", url);
    return OK;
}

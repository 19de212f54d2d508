/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolment over Secure Transport (RFC 7030): cacerts, simpleenroll, simplereenroll. A request that is answered 202 is
 * sent again as it was (§4.2.3), and so is one of which nobody knows whether it arrived: the CSR is the transaction. */
#include "server/connector/est.h"

#include <stdio.h>
#include <string.h>

#include "common/encoding.h"
#include "common/file.h"
#include "server/connector/chain.h"
#include "server/fetch/fetch.h"

enum { WAIT_DEFAULT_S = 60, SECOND_MS = 1000, PEM_MAX = 64 * 1024 };

/* The files of one call; wiped with it (I8). */
struct est_files {
    struct buf tls_trust, certificate, key, password;
};

static void est_files_clear(struct est_files *f)
{
    buf_clear(&f->tls_trust);
    buf_clear(&f->certificate);
    buf_clear(&f->key);
    buf_clear(&f->password);
}
#define cleanup_est_files CLEANUP(est_files_clear)

static status est_files_read(const struct connector_settings *s, struct est_files *f, struct error *err)
{
    TRY(file_read(s->tls_trust_file, PEM_MAX, FILE_NOT_WRITABLE_BY_OTHERS, &f->tls_trust, err));
    if (*s->password_file)
        TRY(file_read_secret(s->password_file, &f->password, err));
    if (!*s->certificate_file)
        return OK;
    TRY(file_read(s->certificate_file, PEM_MAX, FILE_NOT_WRITABLE_BY_OTHERS, &f->certificate, err));
    return file_read(s->key_file, PEM_MAX, FILE_PRIVATE, &f->key, err);
}

static status est_call(const struct connector_call *call, const char *operation, struct slice body,
                       struct fetch_answer *out, struct error *err)
{
    const struct connector_settings *s = call->settings;
    cleanup_est_files struct est_files f = {0};
    char url[2 * TEXT_SIZE];
    size_t len = strlen(s->url);

    TRY(est_files_read(s, &f, err));
    (void)snprintf(url, sizeof(url), "%s%s%s", s->url, len > 0 && s->url[len - 1] == '/' ? "" : "/", operation);
    static const char *const get[] = {"Accept: application/pkcs7-mime", NULL};
    static const char *const post[] = {"Accept: application/pkcs7-mime", "Content-Type: application/pkcs10",
                                       "Content-Transfer-Encoding: base64", NULL};
    const struct fetch_request request = {
        .method = body.len > 0 ? "POST" : "GET",
        .url = url,
        .headers = body.len > 0 ? post : get,
        .body = body,
        .username = *s->username ? s->username : NULL,
        .password = buf_text(&f.password),
        .anchors = buf_slice(&f.tls_trust),
        .certificate = buf_slice(&f.certificate),
        .key = buf_slice(&f.key),
        .answer_max = CONNECTOR_ANSWER_MAX,
        .deadline = call->deadline,
        .is_stopping = call->is_stopping,
    };
    return fetch(&request, out, err);
}

/* What the server says of a refusal is shown when it is text of a line. */
static status est_refusal(const char *operation, struct fetch_answer *a, struct error *err)
{
    enum { SHOWN = 120 };
    enum code code = a->status >= 500 || a->status == 429 ? CODE_UNAVAILABLE : CODE_CONFLICT;
    const char *text = fetch_answer_is(a, "text/plain") ? buf_text(&a->body) : "";
    char line[SHOWN + 1];

    size_t len = strcspn(text, "\r\n");
    (void)snprintf(line, sizeof(line), "%.*s", (int)(len < SHOWN ? len : SHOWN), text);
    for (char *c = line; *c; c++)
        *c = (unsigned char)*c < ' ' || (unsigned char)*c > '~' ? '?' : *c;
    return error_set(err, code, "%s was answered %d%s%s", operation, a->status, *line ? ": " : "", line);
}

static status est_answer_take(const char *operation, struct fetch_answer *a, STACK_OF(X509) * *out, struct error *err)
{
    if (a->status != 200)
        return est_refusal(operation, a, err);
    if (!fetch_answer_is(a, "application/pkcs7-mime")) {
        char type[64];
        (void)fetch_answer_header(a, "Content-Type", type, sizeof type);
        return error_set(err, CODE_INVALID, "%s: the answer is %.60s, not application/pkcs7-mime", operation,
                         *type ? type : "of no type");
    }
    status s = est_certificates_parse(buf_slice(&a->body), out, err);
    if (!is_ok(s))
        error_prefix(err, "%s", operation);
    return s;
}

static status est_chain(const struct connector_call *call, STACK_OF(X509) * *out, struct error *err)
{
    cleanup_fetch_answer struct fetch_answer a = {0};

    TRY(est_call(call, "cacerts", (struct slice){0}, &a, err));
    return est_answer_take("cacerts", &a, out, err);
}

static status certificates_join(STACK_OF(X509) * to, STACK_OF(X509) * from, struct error *err)
{
    while (sk_X509_num(from) > 0) {
        X509 *crt = sk_X509_shift(from);
        if (sk_X509_push(to, crt) > 0)
            continue;
        X509_free(crt);
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    }
    return OK;
}

static status est_prepare(const struct connector_call *call, struct error *err)
{
    cleanup_buf struct buf der = {0};

    TRY(csr_make(call->key, call->type, call->name, &der, err));
    base64_encode(buf_slice(&der), call->transaction);
    return buf_check(call->transaction, err);
}

static status est_submit(const struct connector_call *call, const char *operation, struct connector_answer *out,
                         struct error *err)
{
    cleanup_fetch_answer struct fetch_answer a = {0};
    cleanup_certificates STACK_OF(X509) *ca = NULL, *got = NULL;

    TRY(est_call(call, operation, buf_slice(call->transaction), &a, err));
    if (a.status == 202) {
        int64_t after_s = fetch_answer_retry_after_s(&a);
        out->wait_ms = (after_s > 0 ? after_s : WAIT_DEFAULT_S) * SECOND_MS;
        return OK;
    }
    TRY(est_answer_take(operation, &a, &got, err));
    TRY(est_chain(call, &ca, err));
    TRY(certificates_join(got, ca, err));
    out->certificates = steal(&got);
    return OK;
}

static status est_enroll(const struct connector_call *call, struct connector_answer *out, struct error *err)
{
    return est_submit(call, "simpleenroll", out, err);
}

/* The subject must be the one of the certificate in force (§4.2.2): with another one it is an enrolment. */
static status est_renew(const struct connector_call *call, struct connector_answer *out, struct error *err)
{
    bool is_same = call->current && X509_NAME_cmp(X509_get_subject_name(call->current), call->name) == 0;

    return est_submit(call, is_same ? "simplereenroll" : "simpleenroll", out, err);
}

static status est_test(const struct connector_call *call, struct connector_answer *out, struct error *err)
{
    return est_chain(call, &out->certificates, err);
}

static status est_check(const struct connector_settings *s, struct error *err)
{
    if (strncmp(s->url, "https://", 8) != 0)
        return error_set(err, CODE_INVALID, "settings.url: https://<host>[:<port>]/.well-known/est is expected");
    if (!*s->username != !*s->password_file)
        return error_set(err, CODE_INVALID, "settings: username and password_file go together");
    if (!*s->certificate_file != !*s->key_file)
        return error_set(err, CODE_INVALID, "settings: certificate_file and key_file go together");
    if (!*s->username && !*s->certificate_file)
        return error_set(err, CODE_INVALID,
                         "settings: username and password_file, or certificate_file and key_file, "
                         "are needed");
    return OK;
}

static const char *const est_fields[] = {"url",      "tls_trust_file", "trust_file",
                                         "username", "password_file",  "certificate_file",
                                         "key_file", "timeout_s",      NULL};
static const char *const est_required[] = {"url", "tls_trust_file", NULL};

const struct connector_ops connector_est = {
    .name = "est",
    .capabilities = CONNECTOR_ENROLLS | CONNECTOR_RENEWS | CONNECTOR_TESTS,
    .fields = est_fields,
    .required = est_required,
    .check = est_check,
    .prepare = est_prepare,
    .enroll = est_enroll,
    .poll = est_renew,
    .renew = est_renew,
    .chain = est_chain,
    .test = est_test,
};

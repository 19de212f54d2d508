/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate Management Protocol (RFC 4210, 9483) by OpenSSL's client: IR, CR or P10CR, polling, KUR, RR. The
 * transaction's id is durable before the first message. The state between two polls is OpenSSL's and in memory: after a
 * restart the same request is sent with the same id, and a CA that has the transaction open refuses it (§5.1.1), so
 * that nothing is issued twice. */
#include "server/connector/cmp.h"

#include <string.h>

#include "common/encoding.h"
#include "common/file.h"
#include "common/secret.h"

enum { SECOND_MS = 1000, CHECK_AFTER_LEAST_S = 1, CHECK_AFTER_MOST_S = 7 * 24 * 3600, PEM_MAX = 64 * 1024 };

/* ---- messages over HTTP */

static status message_send(const struct cmp_session *session, struct slice message, struct fetch_answer *out,
                           struct error *err)
{
    const struct connector_call *call = session->call;
    const struct connector_settings *s = call->settings;
    cleanup_buf struct buf trust = {0};

    if (*s->tls_trust_file)
        TRY(file_read(s->tls_trust_file, PEM_MAX, FILE_NOT_WRITABLE_BY_OTHERS, &trust, err));
    static const char *const headers[] = {"Content-Type: application/pkixcmp", "Accept: application/pkixcmp",
                                          "Connection: keep-alive", NULL};
    const struct fetch_request request = {
        .connection = session->http,
        .method = "POST",
        .url = s->url,
        .headers = headers,
        .body = message,
        .anchors = buf_slice(&trust),
        .answer_max = CONNECTOR_ANSWER_MAX,
        .deadline = call->deadline,
        .is_stopping = call->is_stopping,
    };
    char type[64];

    TRY(fetch(&request, out, err));
    if (out->status != 200)
        return error_set(err, out->status >= 500 ? CODE_UNAVAILABLE : CODE_CONFLICT, "the CMP server answered %d",
                         out->status);
    if (fetch_answer_is(out, "application/pkixcmp"))
        return OK;
    (void)fetch_answer_header(out, "Content-Type", type, sizeof type);
    return error_set(err, CODE_INVALID, "the CMP server's answer is %.60s, not application/pkixcmp",
                     *type ? type : "of no type");
}

OSSL_CMP_MSG *cmp_transfer(OSSL_CMP_CTX *ctx, const OSSL_CMP_MSG *message)
{
    struct cmp_session *s = OSSL_CMP_CTX_get_transfer_cb_arg(ctx);
    cleanup_fetch_answer struct fetch_answer answer = {0};
    unsigned char *der = NULL;
    OSSL_CMP_MSG *got = NULL;

    int len = i2d_OSSL_CMP_MSG(message, &der);
    status sent = len > 0 ? message_send(s, (struct slice){der, (size_t)len}, &answer, &s->why)
                          : error_set(&s->why, CODE_INTERNAL, "the CMP message cannot be encoded");
    OPENSSL_free(der);
    if (!is_ok(sent))
        return NULL;
    const unsigned char *at = answer.body.data;
    if (answer.body.len > 0)
        got = d2i_OSSL_CMP_MSG(NULL, &at, (long)answer.body.len);
    if (!got)
        (void)error_set(&s->why, CODE_INVALID, "the CMP server's answer is malformed").code;
    return got;
}

/* ---- outcomes */

/* The nearest cause: the HSM, what did not come through, what the CA said, OpenSSL's reason. */
static status cmp_failure(struct cmp_session *s, struct error *err)
{
    struct error hsm = {0};
    char said[160] = "";
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    int pki = OSSL_CMP_CTX_get_status(s->ctx);

    bool is_hsm = !is_ok(hsm_evp_failure(&hsm));
    const struct error *why = is_hsm ? &hsm : &s->why;
    if (why->code != CODE_OK) {
        if (err)
            *err = *why;
        ERR_clear_error();
        return (status){why->code};
    }
    (void)OSSL_CMP_CTX_snprint_PKIStatus(s->ctx, said, sizeof(said));
    bool is_refused = pki == OSSL_CMP_PKISTATUS_rejection;
    status result = is_refused ? error_set(err, CODE_CONFLICT, "the CA refused: %s", said)
                               : error_set(err, CODE_CONFLICT, "CMP: %s", reason ? reason : "no reason is known");
    error_detail(err, "PKIStatus %d: %s", pki, said);
    ERR_clear_error();
    return result;
}

static status cmp_begin(const struct connector_call *call, int request, struct cmp_session **out, struct error *err)
{
    ERR_clear_error();
    ignore(hsm_evp_failure(NULL));
    return cmp_session_new(call, request, out, err);
}

/* Sends the request, or polls when the session is in the middle of that. */
static status cmp_go_on(struct cmp_session **held, struct connector_answer *out, struct error *err)
{
    struct cmp_session *s = *held;
    int after_s = 0;

    s->why = (struct error){0};
    int done = OSSL_CMP_try_certreq(s->ctx, s->request, NULL, &after_s);
    if (done < 0) { /* waiting */
        after_s = after_s < CHECK_AFTER_LEAST_S ? CHECK_AFTER_LEAST_S : after_s;
        out->wait_ms = (int64_t)(after_s < CHECK_AFTER_MOST_S ? after_s : CHECK_AFTER_MOST_S) * SECOND_MS;
        *s->call->session = steal(held);
        return OK;
    }
    X509 *certificate = done == 1 ? OSSL_CMP_CTX_get0_newCert(s->ctx) : NULL;
    if (!certificate) {
        bool still_waits = OSSL_CMP_CTX_get_status(s->ctx) == OSSL_CMP_PKISTATUS_waiting;
        status failed = cmp_failure(s, err);
        if (still_waits && (failed.code == CODE_UNAVAILABLE || failed.code == CODE_TIMEOUT))
            *s->call->session = steal(held);
        return failed;
    }
    return cmp_certificates(s->ctx, certificate, &out->certificates, err);
}

static int request_of(const struct connector_settings *s)
{
    if (strcmp(s->request, "cr") == 0)
        return OSSL_CMP_CR;
    return strcmp(s->request, "p10cr") == 0 ? OSSL_CMP_P10CR : OSSL_CMP_IR;
}

static status cmp_run(const struct connector_call *call, int request, struct connector_answer *out, struct error *err)
{
    cleanup_cmp_session struct cmp_session *s = NULL;

    TRY(cmp_begin(call, request, &s, err));
    return cmp_go_on(&s, out, err);
}

static status cmp_prepare(const struct connector_call *call, struct error *err)
{
    uint8_t id[CMP_TRANSACTION_LEN];

    TRY(secret_random(id, sizeof(id), err));
    hex_encode((struct slice){id, sizeof(id)}, call->transaction);
    return buf_check(call->transaction, err);
}

static status cmp_enroll(const struct connector_call *call, struct connector_answer *out, struct error *err)
{
    return cmp_run(call, request_of(call->settings), out, err);
}

/* A key update needs the certificate that it replaces; a new name is a new request. */
static status cmp_renew(const struct connector_call *call, struct connector_answer *out, struct error *err)
{
    bool is_same = call->current && X509_NAME_cmp(X509_get_subject_name(call->current), call->name) == 0;

    return cmp_run(call, is_same ? OSSL_CMP_KUR : request_of(call->settings), out, err);
}

static status cmp_poll(const struct connector_call *call, struct connector_answer *out, struct error *err)
{
    cleanup_cmp_session struct cmp_session *s = steal((struct cmp_session **)call->session);

    if (!s) /* another process began it */
        return call->current ? cmp_renew(call, out, err) : cmp_enroll(call, out, err);
    ERR_clear_error();
    s->call = call;
    return cmp_go_on(&s, out, err);
}

static status cmp_revoke(const struct connector_call *call, struct error *err)
{
    cleanup_cmp_session struct cmp_session *s = NULL;

    TRY(cmp_begin(call, CMP_REVOKE, &s, err));
    return OSSL_CMP_exec_RR_ses(s->ctx) == 1 ? OK : cmp_failure(s, err);
}

static void itavs_free(STACK_OF(OSSL_CMP_ITAV) * s)
{
    sk_OSSL_CMP_ITAV_pop_free(s, OSSL_CMP_ITAV_free);
}
DEFINE_CLEANUP_PTR(STACK_OF(OSSL_CMP_ITAV), itavs_free)

/* A general message without content (§5.3.19): it needs all of reach, protection and trust. */
static status cmp_test(const struct connector_call *call, struct connector_answer *out, struct error *err)
{
    cleanup_cmp_session struct cmp_session *s = NULL;

    (void)out;
    TRY(cmp_begin(call, CMP_ASK, &s, err));
    CLEANUP(itavs_free_cleanup) STACK_OF(OSSL_CMP_ITAV) *got = OSSL_CMP_exec_GENM_ses(s->ctx);
    return got ? OK : cmp_failure(s, err);
}

static status cmp_check(const struct connector_settings *s, struct error *err)
{
    bool is_https = strncmp(s->url, "https://", 8) == 0;

    if (!is_https && strncmp(s->url, "http://", 7) != 0)
        return error_set(err, CODE_INVALID, "settings.url: http:// or https:// is expected");
    if (is_https && !*s->tls_trust_file)
        return error_set(err, CODE_INVALID, "settings.tls_trust_file: https needs it");
    if (*s->request && strcmp(s->request, "ir") != 0 && strcmp(s->request, "cr") != 0 &&
        strcmp(s->request, "p10cr") != 0)
        return error_set(err, CODE_INVALID, "settings.request: ir, cr or p10cr is expected");
    if (!*s->certificate_file != !*s->key_file)
        return error_set(err, CODE_INVALID, "settings: certificate_file and key_file go together");
    if (!*s->secret_file == !*s->certificate_file)
        return error_set(err, CODE_INVALID, "settings: either secret_file, or certificate_file and key_file is needed");
    if (*s->certificate_file && !*s->trust_file)
        return error_set(err, CODE_INVALID, "settings.trust_file: answers that are signed need it");
    return OK;
}

static const char *const cmp_fields[] = {
    "url",       "trust_file", "tls_trust_file", "secret_file", "reference",        "certificate_file", "key_file",
    "recipient", "issuer",     "request",        "days",        "implicit_confirm", "timeout_s",        NULL};
static const char *const cmp_required[] = {"url", NULL};

const struct connector_ops connector_cmp = {
    .name = "cmp",
    .capabilities = CONNECTOR_ENROLLS | CONNECTOR_RENEWS | CONNECTOR_REVOKES | CONNECTOR_TESTS,
    .fields = cmp_fields,
    .required = cmp_required,
    .check = cmp_check,
    .prepare = cmp_prepare,
    .enroll = cmp_enroll,
    .poll = cmp_poll,
    .renew = cmp_renew,
    .revoke = cmp_revoke,
    .test = cmp_test,
    .session_free = cmp_session_free,
};

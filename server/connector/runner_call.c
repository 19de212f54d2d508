/* SPDX-License-Identifier: Apache-2.0 */
/* From a job's row to a call of its connector, and from the answer to a judged chain. */
#include <stdio.h>
#include <string.h>

#include "common/certificate.h"
#include "common/json.h"
#include "common/text.h"
#include "server/connector/runner_internal.h"

enum { SECOND_MS = 1000, STEP_MS = 60 * SECOND_MS, SUBJECT_SHOWN = 200, DAYS_SOON = 90 };

void runner_work_clear(struct runner_work *w)
{
    if (w->session && w->settings.ops && w->settings.ops->session_free)
        w->settings.ops->session_free(w->session);
    X509_free(w->current);
    X509_NAME_free(w->name);
    EVP_PKEY_free(w->evp_key);
    signing_key_clear(&w->key);
    connector_row_clear(&w->row);
    job_clear(&w->job);
}

static status rows_load(struct db *db, void *arg, struct error *err)
{
    struct runner_work *w = arg;

    TRY(connector_find(db, w->job.connector_id, &w->row, err));
    return *w->job.key_id ? key_version_find(db, w->job.key_id, w->job.version, &w->key, err) : OK;
}

/* A revocation names its certificate: the key may have another one by now. */
static status current_load(struct runner_work *w, struct error *err)
{
    cleanup_buf struct buf revoked = {0};
    struct slice der = buf_slice(&w->key.certificate);

    if (w->job.kind == JOB_REVOKE) {
        TRY(revocation_order_read(buf_text(&w->job.transaction), &w->reason, &revoked, err));
        der = buf_slice(&revoked);
    }
    if (w->job.kind == JOB_ENROLL || der.len == 0)
        return OK;
    const unsigned char *at = der.data;
    w->current = d2i_X509(NULL, &at, (long)der.len);
    return w->current ? OK : connector_failure(CODE_INTERNAL, "the key's certificate cannot be read", err);
}

static status hsm_choose(const struct runner *r, const struct runner_work *w, struct hsm **out, struct error *err)
{
    const char *name = signing_key_hsm(&w->key);

    *out = r->config.hsm;
    if (!*w->job.key_id || w->job.kind == JOB_REVOKE)
        return OK;
    if (r->config.hsms)
        *out = hsm_set_find(r->config.hsms, name);
    else if (strcmp(name, HSM_DEFAULT) != 0)
        *out = NULL;
    return *out ? OK
                : error_set(err, CODE_HSM_UNAVAILABLE,
                            "the HSM %s, which has the key, is not configured on this server", name);
}

/* As asked for; else as it was; else by the key's name. */
static status name_make(struct runner *r, struct runner_work *w, struct error *err)
{
    char plain[2 * NAME_SIZE + 8];

    if (*w->job.subject)
        return r->config.builtin.subject_name(w->job.subject, &w->name, err);
    if (w->current) {
        w->name = X509_NAME_dup(X509_get_subject_name(w->current));
        return w->name ? OK : error_set(err, CODE_NO_MEMORY, "out of memory");
    }
    (void)snprintf(plain, sizeof(plain), "CN=%s-%s", w->key.project_name, w->key.label);
    (void)text_copy(w->job.subject, sizeof(w->job.subject), plain);
    return r->config.builtin.subject_name(plain, &w->name, err);
}

/* A certificate of another CA is none that this one could update: a first one is asked for, with the same name. */
static bool current_is_foreign(const struct runner_work *w)
{
    return w->job.kind == JOB_RENEW && w->settings.ops != &connector_builtin &&
           strcmp(w->key.certificate_source, w->job.connector_id) != 0;
}

static status key_load(struct runner *r, struct runner_work *w, struct error *err)
{
    if (!*w->job.key_id)
        return OK;
    if (w->key.state != KEY_ACTIVE && w->key.state != KEY_DISABLED && w->job.kind != JOB_REVOKE)
        return error_set(err, CODE_CONFLICT, "the signing key is %s", key_state_name(w->key.state));
    TRY(current_load(w, err));
    TRY(name_make(r, w, err));
    if (current_is_foreign(w)) {
        X509_free(w->current);
        w->current = NULL;
    }
    return w->job.kind == JOB_REVOKE ? OK : hsm_evp_key(w->hsm, w->key.hsm_id, &w->evp_key, err);
}

status runner_work_load(struct runner *r, struct runner_work *w, struct error *err)
{
    TRY(runner_read(r, rows_load, w, err));
    TRY(connector_settings_read(&w->row, &w->settings, err));
    TRY(hsm_choose(r, w, &w->hsm, err));
    TRY(key_load(r, w, err));
    int64_t step_ms = w->settings.timeout_s * SECOND_MS * 2;
    w->call = (struct connector_call){
        .settings = &w->settings,
        .builtin = &r->config.builtin,
        .libctx = hsm_libctx(w->hsm),
        .key = w->evp_key,
        .type = w->key.type,
        .spki = buf_slice(&w->key.spki),
        .subject = w->job.subject,
        .name = w->name,
        .days = w->job.days,
        .ca = *w->key.certificate_ca ? w->key.certificate_ca : w->key.plan_ca,
        .current = w->current,
        .reason = w->reason,
        .known = w->current ? buf_slice(&w->key.chain) : (struct slice){0},
        .deadline = deadline_in(step_ms < STEP_MS ? step_ms : STEP_MS),
        .is_stopping = &r->is_stopped,
        .transaction = &w->job.transaction,
        .session = &w->session,
    };
    return OK;
}

status runner_work_do(struct runner_work *w, struct connector_answer *out, struct error *err)
{
    static const unsigned needed[] = {[JOB_ENROLL] = CONNECTOR_ENROLLS,
                                      [JOB_RENEW] = CONNECTOR_RENEWS,
                                      [JOB_REVOKE] = CONNECTOR_REVOKES,
                                      [JOB_TEST] = CONNECTOR_TESTS};
    const struct connector_ops *ops = w->settings.ops;

    if (!(ops->capabilities & needed[w->job.kind]))
        return error_set(err, CODE_CONFLICT, "a connector of type %s cannot %s", ops->name, job_kind_name(w->job.kind));
    switch (w->job.kind) {
    case JOB_TEST:
        return ops->test(&w->call, out, err);
    case JOB_REVOKE:
        return w->current ? ops->revoke(&w->call, err) : error_set(err, CODE_CONFLICT, "the key has no certificate");
    default:
        if (w->job.state == JOB_WAITING && ops->poll)
            return ops->poll(&w->call, out, err);
        return w->job.kind == JOB_RENEW && w->current ? ops->renew(&w->call, out, err)
                                                      : ops->enroll(&w->call, out, err);
    }
}

/* ---- the answer */

static void certificate_render(struct json_writer *w, X509 *crt, bool *ends_soon)
{
    char subject[SUBJECT_SHOWN] = "";
    unsigned char *der = NULL;
    int days = 0, seconds = 0;
    int len = i2d_X509(crt, &der);

    (void)X509_NAME_oneline(X509_get_subject_name(crt), subject, sizeof(subject));
    json_begin_object(w, NULL);
    json_add_text(w, "subject", subject);
    json_add_time(w, "not_after", certificate_not_after_ms((struct slice){der, len > 0 ? (size_t)len : 0}));
    json_end_object(w);
    OPENSSL_free(der);
    if (!ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(crt)) || days < DAYS_SOON)
        *ends_soon = true;
}

static status test_result(struct connector_answer *answer, struct buf *out, struct error *err)
{
    struct json_writer w = json_writer_on(out);
    bool ends_soon = false;
    int count = answer->certificates ? sk_X509_num(answer->certificates) : 0;

    json_begin_object(&w, NULL);
    json_begin_array(&w, "certificates");
    for (int i = 0; i < count; i++)
        certificate_render(&w, sk_X509_value(answer->certificates, i), &ends_soon);
    json_end_array(&w);
    json_begin_array(&w, "findings");
    if (ends_soon)
        json_add_text(&w, NULL, "a certificate of the CA ends within 90 days");
    json_end_array(&w);
    json_end_object(&w);
    return buf_check(out, err);
}

static status issued_judge(struct runner_work *w, struct connector_answer *answer, struct certificate_chain *out,
                           struct error *err)
{
    cleanup_certificates STACK_OF(X509) *anchors = NULL;
    X509 *leaf = certificates_find(answer->certificates, buf_slice(&w->key.spki));

    if (!leaf)
        return error_set(err, CODE_CONFLICT, "none of the certificates that the CA gave is of the key");
    TRY(connector_trust_read(w->settings.trust_file, &anchors, err));
    TRY(certificates_add(answer->certificates, w->call.known, err));
    return certificate_chain_build(leaf, answer->certificates, anchors, out, err);
}

status runner_answer_judge(struct runner_work *w, struct connector_answer *answer, struct certificate_chain *out,
                           struct error *err)
{
    if (w->job.kind == JOB_TEST)
        return test_result(answer, &w->job.result, err);
    if (w->job.kind == JOB_REVOKE)
        return OK;
    TRY(issued_judge(w, answer, out, err));
    buf_reset(&w->job.result);
    struct json_writer json = json_writer_on(&w->job.result);
    json_begin_object(&json, NULL);
    json_add_raw(&json, "findings", buf_text(&out->findings));
    json_end_object(&json);
    return buf_check(&w->job.result, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What those who verify fetch without TLS and without a credential: CA certificates, CRLs and OCSP answers (RFC 5280
 * §4.2.1.13, §4.2.2.1; RFC 6960 appendix A). Each is signed by itself. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/encoding.h"
#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/parse.h"
#include "server/api/render.h"
#include "server/api/routes.h"

enum { CRL_MAX_AGE_S = 60 * 60, CERTIFICATE_MAX_AGE_S = 24 * 60 * 60 };

/* RFC 9110 §5.6.7 */
static void response_time(struct response *res, const char *name, int64_t ms)
{
    char text[40];
    time_t at = (time_t)(ms / 1000);
    struct tm parts;

    (void)strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&at, &parts));
    response_header(res, name, text);
}

static void response_max_age(struct response *res, int64_t seconds)
{
    char text[64];

    if (seconds > 0)
        (void)snprintf(text, sizeof(text), "public, max-age=%lld, no-transform", (long long)seconds);
    response_header(res, "Cache-Control", seconds > 0 ? text : "no-store");
}

/* "issuing" of "issuing.crl". */
static bool name_before(const char *file, const char *extension, char out[NAME_SIZE])
{
    size_t len = strlen(file), tail = strlen(extension);

    if (len <= tail || len - tail >= NAME_SIZE || strcmp(file + len - tail, extension) != 0)
        return false;
    memcpy(out, file, len - tail);
    out[len - tail] = '\0';
    return true;
}

static status crl_answer(struct api *api, struct request *req, struct response *res, const char *name,
                         struct error *err)
{
    cleanup_ca_crl struct ca_crl crl = {0};

    TRY(ca_crl_get(api->ca, name, request_deadline(req), &crl, err));
    int64_t left_s = (crl.fresh_until_ms - clock_now_ms()) / 1000;
    response_time(res, "Last-Modified", crl.this_ms);
    response_time(res, "Expires", crl.fresh_until_ms);
    response_max_age(res, left_s < CRL_MAX_AGE_S ? left_s : CRL_MAX_AGE_S);
    buf_add(response_body(res, "application/pkix-crl"), crl.der.data, crl.der.len);
    return OK;
}

static status certificate_answer(struct api *api, struct response *res, const char *name, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    cleanup_ca_row struct ca_row row = {0};

    TRY(reader_acquire(&reader, api->store, err));
    status s = ca_row_find(reader.db, name, &row, err);
    if (s.code == CODE_NOT_FOUND || (is_ok(s) && row.certificate.len == 0))
        return error_set(err, CODE_NOT_FOUND, "no such path");
    TRY(s);
    response_max_age(res, CERTIFICATE_MAX_AGE_S);
    buf_add(response_body(res, "application/pkix-cert"), row.certificate.data, row.certificate.len);
    return OK;
}

static status public_file_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    char name[NAME_SIZE];
    const char *file = request_param(req, "file");

    TRY(query_none(req, err));
    if (name_before(file, ".crl", name))
        return crl_answer(arg, req, res, name, err);
    if (name_before(file, ".cer", name))
        return certificate_answer(arg, res, name, err);
    return error_set(err, CODE_NOT_FOUND, "no such path");
}

/* ---- OCSP */

static status ocsp_answer_write(struct api *api, struct request *req, struct response *res, struct slice asked,
                                struct error *err)
{
    cleanup_ocsp_answer struct ocsp_answer answer = {0};

    TRY(ca_ocsp(api->ca, request_param(req, "ca"), asked, request_deadline(req), &answer, err));
    if (answer.max_age_s > 0) {
        response_time(res, "Last-Modified", answer.this_ms);
        response_time(res, "Expires", answer.next_ms);
    }
    response_max_age(res, answer.max_age_s);
    buf_add(response_body(res, "application/ocsp-response"), answer.der.data, answer.der.len);
    return OK;
}

static status public_ocsp_post(void *arg, struct request *req, struct response *res, struct error *err)
{
    TRY(query_none(req, err));
    TRY(request_media(req, "application/ocsp-request", err));
    return ocsp_answer_write(arg, req, res, request_body(req), err);
}

/* Base64 of the request, percent-encoded or with its slashes as they are; anything else is a malformed request. */
static status public_ocsp_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_buf struct buf der = {0};
    const char *text = request_param(req, "request");

    TRY(query_none(req, err));
    if (!is_ok(base64_decode(text, strlen(text), &der, NULL)))
        buf_reset(&der);
    return ocsp_answer_write(arg, req, res, buf_slice(&der), err);
}

const struct route public_ca_routes[] = {
    {"GET", "/ca/{file}", PERMISSION_PUBLIC, public_file_get, 0},
    {"POST", "/ocsp/{ca}", PERMISSION_PUBLIC, public_ocsp_post, OCSP_REQUEST_MOST},
    {"GET", "/ocsp/{ca}/{request...}", PERMISSION_PUBLIC, public_ocsp_get, 0},
    {0},
};

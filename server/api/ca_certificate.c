/* SPDX-License-Identifier: Apache-2.0 */
/* A CA that somebody outside certifies: its request out, its certificate in. */
#include <string.h>

#include "common/encoding.h"
#include "common/text.h"
#include "server/api/cas.h"
#include "server/api/parse.h"
#include "server/api/render.h"

status ca_csr_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_buf struct buf der = {0}, pem = {0};

    TRY(query_none(req, err));
    TRY(ca_csr(api->ca, request_param(req, "ca"), request_deadline(req), &der, err));
    TRY(pem_format("CERTIFICATE REQUEST", buf_slice(&der), &pem, err));
    struct json_writer *w = response_json(res, 200);
    json_begin_object(w, NULL);
    json_add_text(w, "csr", buf_text(&pem));
    json_end_object(w);
    return OK;
}

/* PEM as it is; anything else is base64 of DER. */
static status certificates_decode(const char *field, const char *text, struct buf *out, struct error *err)
{
    if (!text)
        return OK;
    if (strstr(text, "-----BEGIN ")) {
        buf_add_text(out, text);
        return buf_check(out, err);
    }
    if (is_ok(base64_decode(text, strlen(text), out, NULL)) && out->len > 0)
        return OK;
    return error_set(err, CODE_INVALID, "%s: PEM, or base64 of DER, is expected", field);
}

struct take {
    struct ca_change ca;
    struct buf findings;
};

static void take_clear(struct take *t)
{
    ca_change_clear(&t->ca);
    buf_clear(&t->findings);
}
#define cleanup_take CLEANUP(take_clear)

/* What was judged is what is written, unless somebody changed the CA meanwhile. */
static status take_rows(struct db *db, struct change *change, struct error *err)
{
    struct take *t = (struct take *)change;
    cleanup_ca_change struct ca_change now = {.asked = t->ca.asked};

    now.change.if_match = change->if_match;
    TRY(ca_change_load(db, &now, err));
    if (now.row.revision != t->ca.row.revision)
        return error_set(err, CODE_CONFLICT, "the CA was changed by somebody else meanwhile");
    return ca_row_update(db, &t->ca.row, err);
}

static status before_load(struct take *t, struct api *api, struct error *err)
{
    cleanup_reader struct reader reader = {0};

    TRY(reader_acquire(&reader, api->store, err));
    TRY(ca_change_load(reader.db, &t->ca, err));
    if (*t->ca.row.parent || t->ca.row.purpose == CA_ROOT)
        return error_set(err, CODE_CONFLICT, "the CA is not certified by somebody outside");
    return OK;
}

static status take_commit(struct take *t, struct api *api, struct request *req, struct error *err)
{
    cleanup_issued_certificate struct issued_certificate said = {0};

    TRY(ca_issued_describe(buf_slice(&t->ca.row.certificate), &said, err));
    json_add_text(&t->ca.change.detail, "serial", said.serial);
    json_add_text(&t->ca.change.detail, "subject", said.subject);
    json_add_time(&t->ca.change.detail, "not_after", said.not_after_ms);
    return change_commit(&t->ca.change, api, req, take_rows, err);
}

static void findings_render(struct json_writer *w, const struct buf *lines)
{
    const char *at = buf_text(lines);

    json_begin_array(w, "findings");
    while (*at) {
        char line[160];
        size_t len = strcspn(at, "\n");
        (void)snprintf(line, sizeof(line), "%.*s", (int)len, at);
        json_add_text(w, NULL, line);
        at += len + (at[len] == '\n');
    }
    json_end_array(w);
}

status ca_certificate_put(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_take struct take t = {.ca = {.asked = request_param(req, "ca")}};
    cleanup_buf struct buf certificate = {0}, root = {0};
    const char *given = NULL, *given_root = NULL;
    const struct json_field fields[] = {{"certificate", JSON_STRING, JSON_REQUIRED, &given},
                                        {"root", JSON_STRING, 0, &given_root}};

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(certificates_decode("certificate", given, &certificate, err));
    TRY(certificates_decode("root", given_root, &root, err));
    change_begin(&t.ca.change, req, "ca.certificate");
    TRY(before_load(&t, api, err));
    TRY(ca_certificate_take(api->ca, &t.ca.row, buf_slice(&certificate), buf_slice(&root), &t.findings, err));
    TRY(take_commit(&t, api, req, err));

    t.ca.row.revision++;
    response_revision(res, t.ca.row.revision);
    struct json_writer *w = response_json(res, 200);
    json_begin_object(w, NULL);
    json_add_text(w, "name", t.ca.row.name);
    json_add_text(w, "state", ca_state_name(t.ca.row.state));
    TRY(json_add_pem(w, "certificate", buf_slice(&t.ca.row.certificate), err));
    findings_render(w, &t.findings);
    json_add_integer(w, "revision", t.ca.row.revision);
    json_end_object(w);
    return OK;
}

status ca_crl_show(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_ca_crl struct ca_crl crl = {0};
    cleanup_buf struct buf pem = {0};

    TRY(query_none(req, err));
    TRY(ca_crl_get(api->ca, request_param(req, "ca"), request_deadline(req), &crl, err));
    TRY(pem_format("X509 CRL", buf_slice(&crl.der), &pem, err));
    struct json_writer *w = response_json(res, 200);
    json_begin_object(w, NULL);
    json_add_text(w, "crl", buf_text(&pem));
    json_add_time(w, "this_update", crl.this_ms);
    json_add_time(w, "next_update", crl.next_ms);
    json_end_object(w);
    return OK;
}

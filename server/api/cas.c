/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate authorities: list, show, make, change. A CA is made below one that is here, or for somebody outside
 * to certify; its key is made in the HSM first, and taken out again when the rows do not come about. */
#include "server/api/cas.h"

#include <string.h>

#include "common/text.h"
#include "server/api/list.h"
#include "server/api/parse.h"
#include "server/api/render.h"
#include "server/api/routes.h"

enum { CRL_DAYS_MOST = 365 };

void ca_change_clear(struct ca_change *c)
{
    change_clear(&c->change);
    ca_row_clear(&c->row);
    issued_certificate_clear(&c->issued);
}

/* ---- showing */

static void location_render(struct json_writer *w, const char *name, const char *url, const char *before,
                            const char *ca, const char *after)
{
    cleanup_buf struct buf text = {0};

    if (*url)
        buf_printf(&text, "%s%s%s%s", url, before, ca, after);
    json_add_text(w, name, text.len ? buf_text(&text) : NULL);
}

static status certificate_render(struct json_writer *w, const struct ca_row *row, struct error *err)
{
    cleanup_issued_certificate struct issued_certificate said = {0};

    if (row->certificate.len > 0) {
        TRY(ca_issued_describe(buf_slice(&row->certificate), &said, err));
        TRY(json_add_pem(w, "certificate", buf_slice(&row->certificate), err));
    } else {
        json_add_null(w, "certificate");
    }
    json_add_text(w, "subject", *said.subject ? said.subject : row->subject);
    json_add_text(w, "serial", *said.serial ? said.serial : NULL);
    json_add_time(w, "not_before", said.not_before_ms);
    json_add_time(w, "not_after", said.not_after_ms);
    return OK;
}

status ca_render(struct json_writer *w, const struct ca_row *row, const char *public_url, struct error *err)
{
    json_begin_object(w, NULL);
    json_add_text(w, "name", row->name);
    json_add_text(w, "parent", *row->parent ? row->parent : NULL);
    json_add_text(w, "purpose", ca_purpose_name(row->purpose));
    json_add_text(w, "state", ca_state_name(row->state));
    TRY(certificate_render(w, row, err));
    json_add_text(w, "policy", *row->policy ? row->policy : NULL);
    json_add_integer(w, "leaf_days", row->leaf_days);
    json_add_integer(w, "crl_days", row->crl_days);
    json_add_integer(w, "revocations", row->revocations);
    json_add_integer(w, "crl_number", row->crl_number);
    json_add_time(w, "crl_next_update", row->crl_next_ms);
    location_render(w, "crl_url", public_url, "/ca/", row->name, ".crl");
    location_render(w, "certificate_url", public_url, "/ca/", row->name, ".cer");
    location_render(w, "ocsp_url", public_url, "/ocsp/", row->name, "");
    json_add_time(w, "created", row->created_ms);
    json_add_integer(w, "revision", row->revision);
    json_end_object(w);
    return OK;
}

status ca_answer(struct response *res, const struct ca_row *row, const char *public_url, struct error *err)
{
    response_revision(res, row->revision);
    return ca_render(response_json(res, 200), row, public_url, err);
}

struct ca_list {
    struct list list;
    const char *public_url;
};

static status ca_row_show(void *arg, const struct ca_row *row)
{
    struct ca_list *l = arg;

    return list_take(&l->list, row->name) ? ca_render(l->list.w, row, l->public_url, NULL) : OK;
}

static status ca_list_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_reader struct reader reader = {0};
    static const char *const states[] = {"active", "awaiting_certificate", "retired", NULL};
    static const struct list_filter filters[] = {
        {"name", offsetof(struct page, name), NULL}, {"state", offsetof(struct page, state), states}, {0}};
    struct ca_list l = {.public_url = ca_public_url(api->ca)};

    TRY(list_open_filtered(&l.list, &reader, api, req, filters, err));
    list_begin(&l.list, res);
    TRY(ca_row_list(reader.db, l.list.page, ca_row_show, &l, err));
    return list_end(&l.list);
}

static status ca_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_reader struct reader reader = {0};
    cleanup_ca_change struct ca_change c = {.asked = request_param(req, "ca")};

    TRY(query_none(req, err));
    TRY(reader_acquire(&reader, api->store, err));
    TRY(ca_change_load(reader.db, &c, err));
    return ca_answer(res, &c.row, ca_public_url(api->ca), err);
}

status ca_change_load(struct db *db, struct ca_change *c, struct error *err)
{
    ca_row_clear(&c->row);
    status s = ca_row_find(db, c->asked, &c->row, err);
    if (s.code == CODE_NOT_FOUND)
        return error_set(err, CODE_NOT_FOUND, "no such CA");
    TRY(s);
    change_target(&c->change, "ca", c->row.name, c->row.name);
    return change_check_revision(&c->change, c->row.revision, err);
}

/* ---- making */

/* Digits with dots between them, as X509V3 wants it. */
static status check_policy(const char *policy, struct error *err)
{
    size_t len = policy ? strlen(policy) : 0;

    if (len == 0)
        return OK;
    if (len < 64 && strspn(policy, "0123456789.") == len && policy[0] != '.' && policy[len - 1] != '.' &&
        strchr(policy, '.') && !strstr(policy, ".."))
        return OK;
    return error_set(err, CODE_INVALID, "policy: an object identifier such as 1.3.6.1.4.1.99999.1 is expected");
}

static status check_days(const char *field, int64_t days, int most, struct error *err)
{
    if (days >= 0 && days <= most)
        return OK;
    return error_set(err, CODE_INVALID, "%s: 1 to %d is expected", field, most);
}

struct ca_body {
    const char *name, *parent, *purpose, *subject, *key_type, *policy;
    bool external;
    int64_t days, leaf_days, crl_days;
};

static status body_judge(const struct ca_body *b, struct ca_order *order, struct error *err)
{
    TRY(check_name("name", b->name, err));
    TRY(check_text("subject", b->subject, err));
    status s = ca_subject_check(b->subject, err);
    if (!is_ok(s)) {
        error_prefix(err, "subject");
        return s;
    }
    if (!ca_purpose_parse(b->purpose, &order->purpose) || order->purpose == CA_ROOT)
        return error_set(err, CODE_INVALID, "purpose: code_signing or timestamping is expected");
    if (!key_type_parse(b->key_type, &order->key_type) ||
        !(order->key_type == KEY_TYPE_RSA3072 || order->key_type == KEY_TYPE_RSA4096 ||
          order->key_type == KEY_TYPE_P256 || order->key_type == KEY_TYPE_P384))
        return error_set(err, CODE_INVALID, "key_type: rsa3072, rsa4096, p256 or p384 is expected");
    if (b->external && (b->parent || b->days))
        return error_set(err, CODE_INVALID, "external: parent and days are decided by who certifies it");
    TRY(check_policy(b->policy, err));
    TRY(check_days("days", b->days, profiles[PROFILE_ISSUING_CODE_SIGNING].days_most, err));
    TRY(check_days("leaf_days", b->leaf_days, CA_LEAF_DAYS_MOST, err));
    return check_days("crl_days", b->crl_days, CRL_DAYS_MOST, err);
}

static status order_parse(struct request *req, struct ca_order *order, struct error *err)
{
    struct ca_body b = {.key_type = "p384"};
    const struct json_field fields[] = {
        {"name", JSON_STRING, JSON_REQUIRED, &b.name},
        {"purpose", JSON_STRING, JSON_REQUIRED, &b.purpose},
        {"subject", JSON_STRING, JSON_REQUIRED, &b.subject},
        {"parent", JSON_STRING, 0, &b.parent},
        {"external", JSON_BOOL, 0, &b.external},
        {"key_type", JSON_STRING, 0, &b.key_type},
        {"days", JSON_INTEGER, 0, &b.days},
        {"policy", JSON_STRING, 0, &b.policy},
        {"leaf_days", JSON_INTEGER, 0, &b.leaf_days},
        {"crl_days", JSON_INTEGER, 0, &b.crl_days},
    };

    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(body_judge(&b, order, err));
    order->name = b.name;
    order->subject = b.subject;
    order->parent = b.external ? NULL : b.parent ? b.parent : CA_ROOT_NAME;
    order->policy = b.policy;
    order->days = (int)b.days;
    order->leaf_days = (int)b.leaf_days;
    order->crl_days = (int)b.crl_days;
    return OK;
}

static status ca_insert_rows(struct db *db, struct change *change, struct error *err)
{
    struct ca_change *c = (struct ca_change *)change;

    TRY(ca_row_insert(db, &c->row, err));
    return *c->issued.profile ? issued_certificate_insert(db, &c->issued, err) : OK;
}

static void ca_create_render(struct json_writer *w, const struct change *change)
{
    const struct ca_change *c = (const struct ca_change *)change;

    ignore(ca_render(w, &c->row, c->public_url, NULL));
}

static const struct change_creation ca_creation = {ca_insert_rows, ca_create_render, false};

/* Before the HSM makes a key for nothing. */
static status name_check_free(struct api *api, const char *name, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    cleanup_ca_row struct ca_row row = {0};

    TRY(reader_acquire(&reader, api->store, err));
    status s = ca_row_find(reader.db, name, &row, err);
    if (is_ok(s))
        return error_set(err, CODE_CONFLICT, "name: there is a CA %s already", name);
    return s.code == CODE_NOT_FOUND ? OK : s;
}

static status ca_publish(struct ca_change *c, struct api *api, struct request *req, struct response *res,
                         struct error *err)
{
    struct json_writer *w = &c->change.detail;

    change_begin(&c->change, req, "ca.create");
    change_target(&c->change, "ca", c->row.name, c->row.name);
    json_add_text(w, "parent", *c->row.parent ? c->row.parent : NULL);
    json_add_text(w, "purpose", ca_purpose_name(c->row.purpose));
    json_add_text(w, "subject", c->row.subject);
    json_add_text(w, "serial", *c->issued.serial ? c->issued.serial : NULL);
    return change_create(&c->change, api, req, res, &ca_creation, err);
}

static status ca_create_post(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_ca_change struct ca_change c = {.public_url = ca_public_url(api->ca)};
    struct ca_order order = {0};
    bool replayed = false;

    TRY(query_none(req, err));
    TRY(order_parse(req, &order, err));
    TRY(change_replay(api, req, res, &replayed, err));
    if (replayed)
        return OK;
    TRY(name_check_free(api, order.name, err));
    status s = ca_make(api->ca, &order, request_deadline(req), &c.row, &c.issued, err);
    if (s.code == CODE_NOT_FOUND && order.parent)
        return error_set(err, CODE_INVALID, "parent: there is no CA %.64s", order.parent);
    TRY(s);
    s = ca_publish(&c, api, req, res, err);
    if (!is_ok(s) || c.change.replayed)
        ca_make_abandon(api->ca, &c.row);
    else
        response_revision(res, c.row.revision);
    return s;
}

/* ---- changing */

struct ca_update {
    struct ca_change ca;
    const char *state, *policy;
    int64_t leaf_days, crl_days;
};

static status state_set(struct ca_row *row, const char *text, struct error *err)
{
    enum ca_state to = CA_ACTIVE;

    if (!text)
        return OK;
    if (!ca_state_parse(text, &to) || to == CA_AWAITING_CERTIFICATE)
        return error_set(err, CODE_INVALID, "state: active or retired is expected");
    if (row->certificate.len == 0)
        return error_set(err, CODE_CONFLICT, "the CA waits for its certificate");
    row->state = to;
    return OK;
}

static status ca_update_rows(struct db *db, struct change *change, struct error *err)
{
    struct ca_update *u = (struct ca_update *)change;
    struct ca_row *row = &u->ca.row;

    TRY(ca_change_load(db, &u->ca, err));
    TRY(state_set(row, u->state, err));
    if (u->policy)
        (void)text_copy(row->policy, sizeof(row->policy), u->policy);
    row->leaf_days = u->leaf_days ? (int)u->leaf_days : row->leaf_days;
    row->crl_days = u->crl_days ? (int)u->crl_days : row->crl_days;
    row->revision++;
    json_add_text(&change->detail, "state", ca_state_name(row->state));
    json_add_text(&change->detail, "policy", row->policy);
    json_add_integer(&change->detail, "leaf_days", row->leaf_days);
    json_add_integer(&change->detail, "crl_days", row->crl_days);
    return ca_row_update(db, row, err);
}

static void ca_update_clear(struct ca_update *u)
{
    ca_change_clear(&u->ca);
}
#define cleanup_ca_update CLEANUP(ca_update_clear)

static status ca_update_patch(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_ca_update struct ca_update u = {.ca = {.asked = request_param(req, "ca")}};
    const struct json_field fields[] = {
        {"state", JSON_STRING, 0, &u.state},
        {"policy", JSON_STRING, 0, &u.policy},
        {"leaf_days", JSON_INTEGER, 0, &u.leaf_days},
        {"crl_days", JSON_INTEGER, 0, &u.crl_days},
    };

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(check_policy(u.policy, err));
    TRY(check_days("leaf_days", u.leaf_days, CA_LEAF_DAYS_MOST, err));
    TRY(check_days("crl_days", u.crl_days, CRL_DAYS_MOST, err));
    change_begin(&u.ca.change, req, "ca.update");
    u.ca.change.keeps_rights = true;
    TRY(change_commit(&u.ca.change, api, req, ca_update_rows, err));
    return ca_answer(res, &u.ca.row, ca_public_url(api->ca), err);
}

const struct route cas_routes[] = {
    {"GET", "/v1/cas", PERMISSION_ANY, ca_list_get, 0},
    {"POST", "/v1/cas", PERMISSION_ADMINISTER, ca_create_post, 0},
    {"GET", "/v1/cas/{ca}", PERMISSION_ANY, ca_get, 0},
    {"PATCH", "/v1/cas/{ca}", PERMISSION_ADMINISTER, ca_update_patch, 0},
    {"GET", "/v1/cas/{ca}/csr", PERMISSION_READ_ALL, ca_csr_get, 0},
    {"GET", "/v1/cas/{ca}/crl", PERMISSION_ANY, ca_crl_show, 0},
    {"PUT", "/v1/cas/{ca}/certificate", PERMISSION_ADMINISTER, ca_certificate_put, 256UL * 1024},
    {"GET", "/v1/cas/{ca}/certificates", PERMISSION_READ_ALL, ca_issued_list_get, 0},
    {"POST", "/v1/cas/{ca}/certificates/{serial}/revoke", PERMISSION_ADMINISTER, ca_issued_revoke, 0},
    {0},
};

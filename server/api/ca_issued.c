/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates a CA issued, and their revocation by serial. */
#include <ctype.h>
#include <string.h>

#include "common/text.h"
#include "server/api/cas.h"
#include "server/api/list.h"
#include "server/api/parse.h"
#include "server/api/render.h"
#include "server/api/revocation.h"

enum { DAY_MS = 24 * 60 * 60 * 1000, EXPIRING_DAYS = 30 };

void issued_render(struct json_writer *w, const struct issued_certificate *c)
{
    json_begin_object(w, NULL);
    json_add_text(w, "ca", c->ca);
    json_add_text(w, "serial", c->serial);
    json_add_text(w, "profile", c->profile);
    json_add_text(w, "subject", c->subject);
    json_add_text(w, "key", *c->key_id ? c->key_id : NULL);
    if (*c->key_id)
        json_add_integer(w, "version", c->version);
    else
        json_add_null(w, "version");
    json_add_time(w, "not_before", c->not_before_ms);
    json_add_time(w, "not_after", c->not_after_ms);
    json_add_time(w, "issued", c->issued_ms);
    json_add_time(w, "revoked", c->revoked_ms);
    json_add_text(w, "reason", c->revoked_ms ? ca_reason_name(c->reason) : NULL);
    json_add_time(w, "invalid_since", c->invalid_ms);
    json_add_base64(w, "certificate", buf_slice(&c->certificate));
    json_end_object(w);
}

/* ---- list */

static status issued_row(void *arg, const struct issued_certificate *c)
{
    struct list *list = arg;

    if (list_take(list, c->serial))
        issued_render(list->w, c);
    return OK;
}

static status ca_check_exists(struct db *db, const char *name, struct error *err)
{
    cleanup_ca_row struct ca_row row = {0};

    status s = ca_row_find(db, name, &row, err);
    return s.code == CODE_NOT_FOUND ? error_set(err, CODE_NOT_FOUND, "no such CA") : s;
}

status ca_issued_list_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_reader struct reader reader = {0};
    static const char *const states[] = {"valid", "expiring", "expired", "revoked", NULL};
    static const struct list_filter filters[] = {{"state", offsetof(struct page, state), states}, {0}};
    struct issued_filter filter = {.ca = request_param(req, "ca"), .now_ms = clock_now_ms()};
    struct list list;

    TRY(list_open_filtered(&list, &reader, api, req, filters, err));
    TRY(ca_check_exists(reader.db, filter.ca, err));
    filter.state = list.page.state;
    if (filter.state && strcmp(filter.state, "expiring") == 0) {
        filter.state = "valid";
        filter.expires_before_ms = filter.now_ms + (int64_t)EXPIRING_DAYS * DAY_MS;
    }
    list_begin(&list, res);
    TRY(issued_certificate_list(reader.db, &filter, list.page, issued_row, &list, err));
    return list_end(&list);
}

/* ---- revocation by serial */

static status serial_read(const char *text, char out[SERIAL_SIZE], struct error *err)
{
    size_t len = strlen(text);

    if (len < 2 || len >= SERIAL_SIZE || strspn(text, "0123456789abcdefABCDEF") != len)
        return error_set(err, CODE_NOT_FOUND, "no such certificate");
    for (size_t i = 0; i <= len; i++)
        out[i] = (char)toupper((unsigned char)text[i]);
    return OK;
}

struct serial_change {
    struct change change;
    struct revocation revocation;
    struct issued_certificate certificate;
    const char *ca;
    char serial[SERIAL_SIZE];
};

static void serial_change_clear(struct serial_change *c)
{
    change_clear(&c->change);
    issued_certificate_clear(&c->certificate);
}
#define cleanup_serial_change CLEANUP(serial_change_clear)

static status serial_rows(struct db *db, struct change *change, struct error *err)
{
    struct serial_change *c = (struct serial_change *)change;

    issued_certificate_clear(&c->certificate);
    TRY(ca_check_exists(db, c->ca, err));
    status s = issued_certificate_find(db, c->ca, c->serial, &c->certificate, err);
    if (s.code == CODE_NOT_FOUND)
        return error_set(err, CODE_NOT_FOUND, "no such certificate");
    TRY(s);
    TRY(revocation_apply(db, &c->revocation, &c->certificate, err));
    json_add_text(&change->detail, "subject", c->certificate.subject);
    return OK;
}

status ca_issued_revoke(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_serial_change struct serial_change c = {.ca = request_param(req, "ca")};

    TRY(query_none(req, err));
    TRY(revocation_parse(req, &c.revocation, err));
    TRY(serial_read(request_param(req, "serial"), c.serial, err));
    change_begin(&c.change, req, "certificate.revoke");
    change_target(&c.change, "certificate", c.serial, c.ca);
    json_add_text(&c.change.detail, "ca", c.ca);
    revocation_detail(&c.change.detail, &c.revocation);
    TRY(change_commit(&c.change, api, req, serial_rows, err));
    issued_render(response_json(res, 200), &c.certificate);
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The CA that issues the authority's certificates: one whose purpose is timestamping. A server that has none gets one
 * below its root, named as the root is; it is a change with a record of its own. */
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/cas.h"
#include "server/api/tsa.h"

#define CA_NAME "timestamping"
#define CA_COMMON_NAME "CN=Timestamping Issuing CA"

static status ca_take(void *arg, const struct ca_row *row)
{
    char *name = arg;

    if (!*name && row->purpose == CA_TIMESTAMPING && row->state == CA_ACTIVE)
        (void)text_copy(name, NAME_SIZE, row->name);
    return OK;
}

/* What follows the common name in the subject of the root: ",O=…". */
static const char *subject_rest(const char *subject)
{
    for (const char *c = subject; *c; c++) {
        if (*c == '\\' && c[1])
            c++;
        else if (*c == ',')
            return c;
    }
    return "";
}

static status root_read(struct api *api, struct tsa_order *o, char *subject, size_t size, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    cleanup_ca_row struct ca_row root = {0};
    cleanup_issued_certificate struct issued_certificate said = {0};

    TRY(reader_acquire(&reader, api->store, err));
    TRY(ca_row_list(reader.db, (struct page){.limit = 1000}, ca_take, o->ca, err));
    if (*o->ca)
        return OK;
    TRY(ca_row_find(reader.db, CA_ROOT_NAME, &root, err));
    TRY(ca_issued_describe(buf_slice(&root.certificate), &said, err));
    (void)snprintf(subject, size, CA_COMMON_NAME "%s", subject_rest(said.subject));
    return OK;
}

static status ca_rows(struct db *db, struct change *change, struct error *err)
{
    struct ca_change *c = (struct ca_change *)change;

    TRY(ca_row_insert(db, &c->row, err));
    return issued_certificate_insert(db, &c->issued, err);
}

static status ca_commit(struct api *api, struct request *req, struct ca_change *c, struct error *err)
{
    struct json_writer *w = &c->change.detail;

    change_begin(&c->change, req, "ca.create");
    change_target(&c->change, "ca", c->row.name, c->row.name);
    json_add_text(w, "parent", c->row.parent);
    json_add_text(w, "purpose", ca_purpose_name(c->row.purpose));
    json_add_text(w, "subject", c->row.subject);
    json_add_text(w, "serial", c->issued.serial);
    return change_commit(&c->change, api, req, ca_rows, err);
}

status tsa_ca_choose(struct api *api, struct request *req, struct tsa_order *o, struct error *err)
{
    cleanup_ca_change struct ca_change c = {0};
    char subject[TEXT_SIZE] = "";

    if (*o->ca)
        return OK;
    TRY(root_read(api, o, subject, sizeof(subject), err));
    if (*o->ca)
        return OK;
    const struct ca_order order = {.name = CA_NAME,
                                   .subject = is_ok(ca_subject_check(subject, NULL)) ? subject : CA_COMMON_NAME,
                                   .parent = CA_ROOT_NAME,
                                   .purpose = CA_TIMESTAMPING,
                                   .key_type = KEY_TYPE_P384};
    TRY(ca_make(api->ca, &order, request_deadline(req), &c.row, &c.issued, err));
    status s = ca_commit(api, req, &c, err);
    if (!is_ok(s)) {
        ca_make_abandon(api->ca, &c.row);
        return s;
    }
    (void)text_copy(o->ca, sizeof(o->ca), CA_NAME);
    return OK;
}

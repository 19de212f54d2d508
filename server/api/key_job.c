/* SPDX-License-Identifier: Apache-2.0 */
#include "server/api/key_job.h"

#include <string.h>

#include "common/text.h"
#include "server/api/caller.h"

status key_connector_resolve(struct api *api, struct key_certificate_order *order, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    cleanup_connector_row struct connector_row row = {0};

    if (!*order->connector)
        return OK;
    TRY(reader_acquire(&reader, api->store, err));
    status s = connector_find(reader.db, order->connector, &row, err);
    if (s.code == CODE_NOT_FOUND)
        return error_set(err, CODE_INVALID, "connector: there is none of the name %s", order->connector);
    TRY(s);
    (void)text_copy(order->connector, sizeof(order->connector), row.id);
    (void)text_copy(order->connector_name, sizeof(order->connector_name), row.name);
    return OK;
}

status key_connector_choose(struct api *api, const char *name, struct key_certificate_order *order, struct error *err)
{
    order->connector[0] = order->connector_name[0] = '\0';
    if (strcmp(name, "builtin") == 0)
        return OK;
    if (!text_is_name(name))
        return error_set(err, CODE_INVALID, "connector: the name of a connector, builtin or manual is expected");
    (void)text_copy(order->connector, sizeof(order->connector), name);
    return key_connector_resolve(api, order, err);
}

void key_connector_set(struct signing_key *key, const struct key_certificate_order *order)
{
    (void)text_copy(key->connector, sizeof(key->connector), order->connector);
    (void)text_copy(key->connector_name, sizeof(key->connector_name), order->connector_name);
}

void key_connector_keep(struct signing_key *key, const struct key_certificate_order *order)
{
    key_connector_set(key, order);
    if (!*order->connector)
        return;
    (void)text_copy(key->plan_subject, sizeof(key->plan_subject), order->subject);
    key->plan_days = order->days;
}

void key_connector_order(const struct signing_key *key, struct key_certificate_order *out)
{
    *out = (struct key_certificate_order){.days = key->plan_days};
    (void)text_copy(out->subject, sizeof(out->subject), key->plan_subject);
    (void)text_copy(out->ca, sizeof(out->ca), key->plan_ca);
    (void)text_copy(out->connector, sizeof(out->connector), key->connector);
    (void)text_copy(out->connector_name, sizeof(out->connector_name), key->connector_name);
}

status key_job_prepare(struct job *job, const struct request *req, const struct signing_key *key, enum job_kind kind,
                       struct error *err)
{
    if (!*key->connector)
        return OK;
    job->kind = kind;
    job->version = key->version;
    job->days = key->plan_days;
    (void)text_copy(job->subject, sizeof(job->subject), key->plan_subject);
    (void)text_copy(job->key_id, sizeof(job->key_id), key->id);
    (void)text_copy(job->connector_id, sizeof(job->connector_id), key->connector);
    return job_begin(job, req, err);
}

status key_job_insert(struct db *db, struct json_writer *detail, struct signing_key *key, const struct job *job,
                      struct error *err)
{
    cleanup_connector_row struct connector_row row = {0};

    if (!*job->id)
        return OK;
    status s = connector_find(db, job->connector_id, &row, err);
    if (s.code == CODE_NOT_FOUND)
        return error_set(err, CODE_CONFLICT, "the connector was removed meanwhile");
    TRY(s);
    json_add_text(detail, "connector", row.name);
    const struct connector_ops *ops = connector_type_find(row.type);
    if (!ops || !(ops->capabilities & CONNECTOR_ENROLLS))
        return OK;
    json_add_text(detail, "job", job->id);
    TRY(job_insert(db, job, err));
    (void)text_copy(key->job_id, sizeof(key->job_id), job->id);
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "server/api/builtin_ca.h"

#include "common/text.h"
#include "server/api/key_material.h"

static status issue(void *ca, const struct builtin_order *order, struct deadline d, struct builtin_issued *out,
                    struct error *err)
{
    const struct ca_request wanted = {
        .spki = order->spki, .subject = order->subject, .days = order->days, .ca = order->ca};
    cleanup_issued_certificate struct issued_certificate issued = {0};

    TRY(ca_issue(ca, &wanted, d, &issued, err));
    out->certificate = issued.certificate;
    issued.certificate = (struct buf){0};
    (void)text_copy(out->ca, sizeof(out->ca), issued.ca);
    return OK;
}

static status chain_write(const struct ca_chains *all, const char *name, struct buf *out, struct error *err)
{
    const struct ca_chain *found = ca_chain_find(all, name);

    for (size_t i = 0; found && i < found->count; i++)
        buf_add(out, found->certificates[i].data, found->certificates[i].len);
    return found ? buf_check(out, err)
                 : error_set(err, CODE_NOT_FOUND, "there is no CA %s, or it has no certificate yet",
                             *name ? name : CA_ISSUING_NAME);
}

static status chain(void *ca, const char *name, struct buf *out, struct error *err)
{
    struct ca_chains all = {0};

    status s = ca_chains_load(ca, &all, err);
    if (is_ok(s))
        s = chain_write(&all, name, out, err);
    ca_chains_clear(&all);
    return s;
}

struct builtin_ca builtin_ca_of(struct ca *ca)
{
    return (struct builtin_ca){
        .ca = ca,
        .issue = issue,
        .chain = chain,
        .settings = ca_settings,
        .subject_name = ca_subject_name,
        .keep = key_certificate_insert,
    };
}

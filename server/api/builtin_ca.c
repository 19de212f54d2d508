/* SPDX-License-Identifier: Apache-2.0 */
#include "server/api/builtin_ca.h"

static status issue(void *ca, struct slice spki, const char *subject, int days, struct deadline d, struct buf *der,
                    struct error *err)
{
    const struct ca_request wanted = {spki, subject, days};
    return ca_issue(ca, &wanted, d, der, err);
}

static status chain(void *ca, struct buf *issuing, struct buf *root, struct error *err)
{
    return ca_chain(ca, issuing, root, err);
}

struct builtin_ca builtin_ca_of(struct ca *ca)
{
    return (struct builtin_ca){
        .ca = ca, .issue = issue, .chain = chain, .settings = ca_settings, .subject_name = ca_subject_name};
}

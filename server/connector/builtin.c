/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in CA as a connector: through the functions that whoever may see it gives (struct builtin_ca). */
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "server/connector/chain.h"

static status chain_get(const struct connector_call *call, const char *ca, STACK_OF(X509) * *out, struct error *err)
{
    cleanup_buf struct buf chain = {0};
    cleanup_certificates STACK_OF(X509) *all = sk_X509_new_null();

    if (!all)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    TRY(call->builtin->chain(call->builtin->ca, ca, &chain, err));
    TRY(certificates_add(all, buf_slice(&chain), err));
    *out = steal(&all);
    return OK;
}

static status builtin_chain(const struct connector_call *call, STACK_OF(X509) * *out, struct error *err)
{
    return chain_get(call, call->ca, out, err);
}

static status issue(const struct connector_call *call, const char *subject, int days, struct connector_answer *out,
                    struct error *err)
{
    const struct builtin_order order = {call->spki, subject, days, call->ca};
    struct builtin_issued issued = {0};

    TRY(call->builtin->issue(call->builtin->ca, &order, call->deadline, &issued, err));
    status s = chain_get(call, issued.ca, &out->certificates, err);
    if (is_ok(s))
        s = certificates_add(out->certificates, buf_slice(&issued.certificate), err);
    (void)text_copy(out->ca, sizeof(out->ca), issued.ca);
    buf_clear(&issued.certificate);
    return s;
}

static int days_of(const struct connector_call *call)
{
    return call->days > 0 ? call->days : (int)call->settings->days;
}

static status builtin_enroll(const struct connector_call *call, struct connector_answer *out, struct error *err)
{
    return issue(call, call->subject, days_of(call), out, err);
}

static status builtin_renew(const struct connector_call *call, struct connector_answer *out, struct error *err)
{
    char subject[TEXT_SIZE];
    unsigned char *bytes = NULL;
    int days = 0;

    if (*call->subject || !call->current)
        return builtin_enroll(call, out, err);
    int len = i2d_X509(call->current, &bytes);
    status s = len > 0
                   ? call->builtin->settings((struct slice){bytes, (size_t)len}, subject, sizeof(subject), &days, err)
                   : error_set(err, CODE_NO_MEMORY, "out of memory");
    OPENSSL_free(bytes);
    TRY(s);
    return issue(call, subject, days_of(call) > 0 ? days_of(call) : days, out, err);
}

static status builtin_test(const struct connector_call *call, struct connector_answer *out, struct error *err)
{
    return builtin_chain(call, &out->certificates, err);
}

static const char *const builtin_fields[] = {"days", NULL};

static status builtin_check(const struct connector_settings *s, struct error *err)
{
    enum { DAYS_MOST = 460 };
    return s->days <= DAYS_MOST ? OK : error_set(err, CODE_INVALID, "settings.days: 1 to %d is expected", DAYS_MOST);
}

const struct connector_ops connector_builtin = {
    .name = "builtin",
    .capabilities = CONNECTOR_ENROLLS | CONNECTOR_RENEWS | CONNECTOR_TESTS,
    .fields = builtin_fields,
    .check = builtin_check,
    .enroll = builtin_enroll,
    .renew = builtin_renew,
    .chain = builtin_chain,
    .test = builtin_test,
};

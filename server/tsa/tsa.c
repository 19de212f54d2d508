/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing, and what an administrator may ask. */
#include <string.h>

#include "server/tsa/internal.h"

static status policy_parse(struct tsa *t, struct error *err)
{
    cleanup_err_mark bool marked = err_mark();

    t->policy_text = strdup(t->config.policy);
    if (!t->policy_text)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    t->config.policy = t->policy_text;
    t->policy = OBJ_txt2obj(t->policy_text, 1);
    return t->policy
               ? OK
               : error_set(err, CODE_CONFIGURATION, "tsa_policy: %.80s is not an object identifier", t->policy_text);
}

static void locks_init(struct tsa *t)
{
    (void)pthread_mutex_init(&t->authority.lock, NULL);
    (void)pthread_mutex_init(&t->time.lock, NULL);
    (void)pthread_mutex_init(&t->serials.lock, NULL);
}

status tsa_new(const struct tsa_config *config, struct tsa **out, struct error *err)
{
    struct tsa *t = calloc(1, sizeof *t);

    if (!t)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    t->config = *config;
    locks_init(t);
    cleanup_tsa struct tsa *made = t;
    if (!t->config.clock)
        t->config.clock = tsa_clock_kernel;
    TRY(policy_parse(t, err));
    if (config->relay_count > 0)
        TRY(relay_new(config, &t->relay, err));
    /* relay_new has copies of these. */
    t->config.relay = NULL;
    t->config.relay_ca = t->config.relay_tls_ca = (struct slice){0};
    *out = steal(&made);
    return OK;
}

void tsa_free(struct tsa *t)
{
    if (t->config.audit)
        usage_flush(t);
    authority_drop(&t->authority);
    relay_free(t->relay);
    ASN1_OBJECT_free(t->policy);
    free(t->policy_text);
    (void)pthread_mutex_destroy(&t->authority.lock);
    (void)pthread_mutex_destroy(&t->time.lock);
    (void)pthread_mutex_destroy(&t->serials.lock);
    free(t);
}

const struct tsa_config *tsa_config_of(const struct tsa *t)
{
    return &t->config;
}

bool tsa_upstream_get(struct tsa *t, size_t i, struct tsa_upstream *out)
{
    return t->relay && relay_upstream(t->relay, i, out);
}

status tsa_check(struct tsa *t, struct error *err)
{
    struct refusal r = {0};
    struct tsa_reading reading;

    if (t->relay)
        return OK;
    t->config.clock(t->config.clock_arg, &reading);
    if (authority_use(t, NULL, &r) && time_judge(&t->config, &reading, &r))
        return OK;
    return error_set(err, CODE_UNAVAILABLE, "%s", r.text);
}

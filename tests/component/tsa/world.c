/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <stdio.h>
#include <string.h>

#include "common/text.h"

#define must(w, expr) assert_ok(w, expr)

static void clock_read(void *arg, struct tsa_reading *out)
{
    struct world *w = arg;

    if (w->is_set) {
        *out = w->reading;
        return;
    }
    *out = (struct tsa_reading){.is_synchronised = true};
    (void)clock_gettime(CLOCK_REALTIME, &out->now);
}

struct certification {
    struct timestamp_authority authority;
    struct timestamp_key key;
    bool is_first;
};

static status certify_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    struct certification *c = arg;
    (void)record;

    TRY(timestamp_key_insert(db, &c->key, err));
    if (c->is_first)
        return timestamp_authority_insert(db, &c->authority, err);
    c->authority.version = c->key.version;
    return timestamp_authority_update(db, &c->authority, err);
}

void world_certify(struct world *w, enum key_type type)
{
    static int version;
    struct hsm_key made = {0};
    struct certification c = {.is_first = w->config.store == NULL};
    cleanup_issued_certificate struct issued_certificate issued = {0};
    CLEANUP(ca_chains_clear) struct ca_chains chains = {0};

    must(w, hsm_generate(w->hsm.h, type, "tsa", deadline_in(60000), &made, &w->err));
    c.key = (struct timestamp_key){.version = ++version, .state = TIMESTAMP_KEY_ACTIVE, .type = type};
    c.authority = (struct timestamp_authority){.version = version};
    memcpy(c.key.hsm_id, made.id, sizeof made.id);
    c.key.spki = made.spki;
    const struct ca_request wanted = {buf_slice(&c.key.spki), "CN=Stamps", 0, PROFILE_TIMESTAMPING, "timestamping"};
    must(w, ca_issue(w->ca, &wanted, deadline_in(10000), &issued, &w->err));
    buf_add(&c.key.certificate, issued.certificate.data, issued.certificate.len);
    must(w, ca_chains_load(w->ca, &chains, &w->err));
    const struct ca_chain *chain = ca_chain_find(&chains, "timestamping");
    for (size_t i = 0; i < chain->count; i++)
        buf_add(&c.key.chain, chain->certificates[i].data, chain->certificates[i].len);
    struct audit_work work = {.change = certify_rows, .arg = &c};
    must(w, audit_commit(w->audit, &work, deadline_in(10000), &w->err));
    timestamp_key_clear(&c.key);
}

static status authority_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    (void)record;
    return ca_row_insert(db, arg, err);
}

static void authorities_make(struct world *w)
{
    const struct ca_config config = {.hsm = w->hsm.h, .store = w->store, .audit = w->audit};
    const struct ca_order order = {.name = "timestamping",
                                   .subject = "CN=Timestamping",
                                   .parent = CA_ROOT_NAME,
                                   .purpose = CA_TIMESTAMPING,
                                   .key_type = KEY_TYPE_P384};
    cleanup_ca_row struct ca_row row = {0}, root = {0};
    cleanup_issued_certificate struct issued_certificate issued = {0};
    struct audit_work work = {.change = authority_rows, .arg = &row};

    must(w, ca_create(w->hsm.h, store_writer(w->store), "Example", NULL, &w->err));
    must(w, ca_open(&config, &w->ca, &w->err));
    must(w, ca_make(w->ca, &order, deadline_in(60000), &row, &issued, &w->err));
    must(w, audit_commit(w->audit, &work, deadline_in(10000), &w->err));
    must(w, ca_row_find(store_writer(w->store), CA_ROOT_NAME, &root, &w->err));
    buf_add(&w->root, root.certificate.data, root.certificate.len);
}

static void store_begin(struct world *w)
{
    char url[128];

    (void)snprintf(url, sizeof url, "sqlite:%s/chancery.db", w->hsm.dir);
    must(w, store_open(url, &w->store, &w->err));
    must(w, store_migrate(w->store, &w->err));
    must(w, audit_open(w->store, NULL, &w->audit, &w->err));
    authorities_make(w);
}

int world_open(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    fixture_init(&w->hsm, SOFTHSM_MODULE);
    fixture_open(&w->hsm, 16, 60000);
    store_begin(w);
    world_certify(w, KEY_TYPE_P256);
    w->config = (struct tsa_config){.store = w->store,
                                    .audit = w->audit,
                                    .hsm = w->hsm.h,
                                    .policy = POLICY,
                                    .accuracy_ms = 1000,
                                    .checks_clock = true,
                                    .clock_error_ms = 1500,
                                    .clock = clock_read,
                                    .clock_arg = w};
    world_restart(w);
    *state = w;
    return 0;
}

void world_restart(struct world *w)
{
    if (w->tsa)
        tsa_free(w->tsa);
    w->tsa = NULL;
    must(w, tsa_new(&w->config, &w->tsa, &w->err));
}

int world_close(void **state)
{
    struct world *w = *state;

    tsa_free(w->tsa);
    ca_close(w->ca);
    audit_close(w->audit);
    store_close(w->store);
    fixture_clear(&w->hsm);
    buf_clear(&w->root);
    buf_clear(&w->query);
    buf_clear(&w->reply);
    free(w);
    return 0;
}

static TS_RESP *reply_decode(const struct buf *reply)
{
    const unsigned char *at = reply->data;
    TS_RESP *response = d2i_TS_RESP(NULL, &at, (long)reply->len);

    assert_non_null(response);
    assert_ptr_equal(at, reply->data + reply->len);
    return response;
}

TS_RESP *world_ask(struct world *w, const struct query_plan *plan)
{
    const struct tsa_caller who = {"192.0.2.7", "req_test"};

    query_make(plan, &w->query);
    must(w, tsa_answer(w->tsa, buf_slice(&w->query), &who, deadline_in(60000), &w->reply, &w->err));
    return reply_decode(&w->reply);
}

static void verify(struct world *w, TS_RESP *response)
{
    const unsigned char *at = w->query.data, *root_at = w->root.data;
    TS_REQ *req = d2i_TS_REQ(NULL, &at, (long)w->query.len);
    TS_VERIFY_CTX *ctx = TS_REQ_to_TS_VERIFY_CTX(req, NULL);
    X509_STORE *roots = X509_STORE_new();
    X509 *root = d2i_X509(NULL, &root_at, (long)w->root.len);

    assert_int_equal(X509_STORE_add_cert(roots, root), 1);
    if (TS_REQ_get_cert_req(req)) {
        (void)TS_VERIFY_CTX_add_flags(ctx, TS_VFY_SIGNATURE);
        (void)TS_VERIFY_CTX_set_store(ctx, roots);
    } else {
        X509_STORE_free(roots);
    }
    if (TS_RESP_verify_response(ctx, response) != 1)
        fail_msg("%s", ERR_reason_error_string(ERR_peek_last_error()));
    X509_free(root);
    TS_VERIFY_CTX_free(ctx);
    TS_REQ_free(req);
}

TS_RESP *world_granted(struct world *w, const struct query_plan *plan)
{
    TS_RESP *response = world_ask(w, plan);

    if (!TS_RESP_get_token(response))
        fail_msg("refused: %s", (const char *)ASN1_STRING_get0_data(sk_ASN1_UTF8STRING_value(
                                    TS_STATUS_INFO_get0_text(TS_RESP_get_status_info(response)), 0)));
    verify(w, response);
    return response;
}

void reply_refused(const struct buf *reply, int failure, const char *part)
{
    TS_RESP *response = reply_decode(reply);
    TS_STATUS_INFO *info = TS_RESP_get_status_info(response);

    assert_int_equal(ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(info)), TS_STATUS_REJECTION);
    const char *text = (const char *)ASN1_STRING_get0_data(sk_ASN1_UTF8STRING_value(TS_STATUS_INFO_get0_text(info), 0));
    if (!ASN1_BIT_STRING_get_bit(TS_STATUS_INFO_get0_failure_info(info), failure) || !strstr(text, part))
        fail_msg("expected failure %d and \"%s\": %s", failure, part, text);
    TS_RESP_free(response);
}

void world_refused(struct world *w, const struct query_plan *plan, int failure, const char *part)
{
    TS_RESP_free(world_ask(w, plan));
    reply_refused(&w->reply, failure, part);
}

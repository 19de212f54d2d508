/* SPDX-License-Identifier: Apache-2.0 */
/* See log_world.h. */
#include "log_world.h"

int64_t log_now_ms;

int64_t log_now(void)
{
    return log_now_ms;
}

int log_setup(void **state)
{
    struct log_world *l = calloc(1, sizeof(*l));
    assert_non_null(l);
    void *world = NULL;
    (void)world_setup(&world);
    l->w = world;
    (void)world_project(l->w, "prj_a", "demo");
    (void)world_principal(l->w, "svc_a", "build-1", PRINCIPAL_SERVICE_ACCOUNT);
    world_key(l->w, "key_a", "prj_a", "rsa3072", 1);
    log_now_ms = 1767225600000;
    assert_ok(audit_open(l->w->store, log_now, &l->audit, &l->err), &l->err);
    *state = l;
    return 0;
}

int log_teardown(void **state)
{
    struct log_world *l = *state;
    if (l->audit)
        audit_close(l->audit);
    void *world = l->w;
    (void)world_teardown(&world);
    free(l);
    return 0;
}

void log_reopen(struct log_world *l)
{
    audit_close(l->audit);
    l->audit = NULL;
    world_reopen(l->w);
    assert_ok(audit_open(l->w->store, log_now, &l->audit, &l->err), &l->err);
}

struct audit_record intent_record(void)
{
    return (struct audit_record){
        .type = "signature.intent",
        .principal = "build-1",
        .principal_id = "svc_a",
        .project = "demo",
        .key = "demo-rsa3072",
        .key_id = "key_a",
        .version = 1,
        .mechanism = "rsa_pkcs1",
        .hash = "sha256",
        .digest_hex = "00ff",
        .client_address = "127.0.0.1",
        .client_program = "osslsigncode",
        .request_id = "req_1",
    };
}

struct audit_record outcome_record(int64_t intent, const char *outcome)
{
    struct audit_record r = intent_record();
    r.type = "signature.outcome";
    r.intent = intent;
    r.outcome = outcome;
    return r;
}

struct audit_record admin_record(void)
{
    return (struct audit_record){
        .type = "key.disable",
        .principal = "alice",
        .principal_id = "usr_a",
        .project = "demo",
        .key = "demo-rsa3072",
        .key_id = "key_a",
        .target_type = "key",
        .target_id = "key_a",
        .target_name = "rsa3072",
        .outcome = "success",
        .client_address = "127.0.0.1",
        .request_id = "req_2",
    };
}

struct deadline soon(void)
{
    return deadline_in(30000);
}

int64_t log_append(struct log_world *l, struct audit_record record)
{
    struct audit_work work = {.record = &record};
    assert_ok(audit_commit(l->audit, &work, soon(), &l->err), &l->err);
    return record.seq;
}

int64_t log_count(struct log_world *l)
{
    int64_t count = 0, bad = 0;
    assert_ok(audit_verify(l->w->db, &count, &bad, &l->err), &l->err);
    if (bad)
        print_error("%s\n", l->err.text);
    assert_int_equal(bad, 0);
    return count;
}

static status line_take(void *arg, const struct record_row *r)
{
    (void)snprintf(arg, 4096, "%s", r->line);
    return OK;
}

void log_line(struct log_world *l, int64_t seq, char out[4096])
{
    struct record_filter filter = {.after_seq = seq - 1, .limit = 1};
    assert_ok(record_list(l->w->db, &filter, line_take, out, &l->err), &l->err);
}

void log_expect_bad(struct log_world *l, int64_t first_bad, const char *why)
{
    int64_t count = 0, bad = 0;
    assert_ok(audit_verify(l->w->db, &count, &bad, &l->err), &l->err);
    assert_int_equal(bad, first_bad);
    assert_non_null(strstr(l->err.text, why));
}

void log_tamper(struct log_world *l, const char *sql)
{
    int64_t changed = 0;
    assert_ok(db_exec(l->w->db, sql, NULL, 0, &changed, &l->err), &l->err);
    assert_true(changed > 0);
}

static status usage_sum(void *arg, const struct usage *u)
{
    int64_t *sum = arg;
    sum[0] += u->success;
    sum[1] += u->refused;
    sum[2] += u->failed;
    return OK;
}

void usage_expect(struct log_world *l, int success, int refused, int failed)
{
    int64_t sum[3] = {0};
    assert_ok(usage_list(l->w->db, &(struct usage_filter){0}, usage_sum, sum, &l->err), &l->err);
    assert_int_equal(sum[0], success);
    assert_int_equal(sum[1], refused);
    assert_int_equal(sum[2], failed);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A filled store of every older schema is opened by this program: nothing is lost, what is new has its default, and the
 * server can go on with it. */
#include "log_world.h"
#include "server/audit/line.h"
#include "server/store/ca.h"
#include "server/store/migrate.h"
#include "server/store/policy.h"
#include "upgrade_rows.h"

enum { TABLES = 96, OPEN_INTENT = 4, RECORDS = 4 };

/* A store filled at one schema, and what stood in it. */
struct old_store {
    struct world *w;
    int schema;
    char *dumps[TABLES]; /* a query for each table, of the columns it had */
    size_t dump_count;
    struct buf before;
};

static struct db_rows *rows_of(struct old_store *o, const char *sql, const struct db_value *params, size_t count)
{
    struct db_rows *rows = NULL;
    assert_ok(db_query(o->w->db, sql, params, count, &rows, &o->w->err), &o->w->err);
    return rows;
}

static bool row_next(struct old_store *o, struct db_rows *rows)
{
    bool more = false;
    assert_ok(db_next(rows, &more, &o->w->err), &o->w->err);
    return more;
}

static void script(struct old_store *o, const char *sql)
{
    cleanup_buf struct buf text = {0};
    migration_translate(&o->w->db->driver->dialect, sql, &text);
    assert_ok(o->w->db->driver->script(o->w->db, buf_text(&text), &o->w->err), &o->w->err);
}

static void store_opened(struct old_store *o)
{
    o->w->store = NULL;
    assert_ok(store_open(o->w->url, &o->w->store, &o->w->err), &o->w->err);
    o->w->db = store_writer(o->w->store);
}

/* ---- filling */

static void record_put(struct old_store *o, struct line *line, const struct audit_record *r,
                       uint8_t hash[RECORD_HASH_LEN])
{
    assert_ok(line_build(line, r, hash, hash, &o->w->err), &o->w->err);
    assert_ok(
        db_exec(o->w->db,
                "INSERT INTO record (seq, line, type, principal_id, key_id, outcome, request_id, digest, "
                "intent_seq, server) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)",
                DB_PARAMS(db_int(r->seq), db_text(buf_text(&line->text)), db_text(r->type), db_text(r->principal_id),
                          db_text(r->key_id), db_text(r->outcome), db_text(r->request_id), db_text(r->digest_hex),
                          r->intent ? db_int(r->intent) : db_null()),
                NULL, &o->w->err),
        &o->w->err);
}

/* The last intent is open, as a server that was killed leaves it. */
static void records_fill(struct old_store *o)
{
    struct audit_record records[RECORDS] = {admin_record(), intent_record(), outcome_record(2, "success"),
                                            intent_record()};
    struct line line = {0};
    uint8_t hash[RECORD_HASH_LEN] = {0};
    assert_ok(line_init(&line, &o->w->err), &o->w->err);
    for (int i = 0; i < RECORDS; i++) {
        records[i].seq = i + 1;
        records[i].time_ms = 1767225600000 + i;
        record_put(o, &line, &records[i], hash);
    }
    line_clear(&line);
    assert_ok(db_exec(o->w->db, "UPDATE log_head SET seq = $1, record_hash = $2, time_ms = $3",
                      DB_PARAMS(db_int(RECORDS), db_blob((struct slice){hash, sizeof(hash)}),
                                db_int(records[RECORDS - 1].time_ms)),
                      NULL, &o->w->err),
              &o->w->err);
}

static void filled(struct old_store *o)
{
    for (size_t i = 0; i < upgrade_row_count; i++) {
        const struct upgrade_row *row = &upgrade_rows[i];
        if (o->schema >= row->since && (row->before == 0 || o->schema < row->before))
            script(o, row->sql);
    }
    records_fill(o);
}

/* ---- reading all of it */

/* A query of everything in a table, in one text a row. */
static char *dump_query(struct old_store *o, const char *table)
{
    bool postgres = o->w->db->driver->row_locks;
    struct buf sql = {0};
    cleanup_rows struct db_rows *rows =
        rows_of(o,
                postgres ? "SELECT CAST(column_name AS TEXT) FROM information_schema.columns WHERE table_schema = "
                           "current_schema() AND table_name = $1 ORDER BY ordinal_position"
                         : "SELECT name FROM pragma_table_info($1)",
                DB_PARAMS(db_text(table)));
    buf_add_text(&sql, "SELECT ''");
    while (row_next(o, rows)) {
        const char *name = db_column_text(rows, 0);
        buf_printf(&sql, " || '%s=' || COALESCE(CAST(%s AS TEXT), 'NULL') || ' '", name, name);
    }
    buf_printf(&sql, " FROM %s ORDER BY 1", table);
    assert_ok(buf_check(&sql, &o->w->err), &o->w->err);
    char *text = strdup(buf_text(&sql));
    buf_clear(&sql);
    assert_non_null(text);
    return text;
}

static void dumps_clear(struct old_store *o)
{
    while (o->dump_count)
        free(o->dumps[--o->dump_count]);
}

static void dumps_prepare(struct old_store *o)
{
    bool postgres = o->w->db->driver->row_locks;
    char names[TABLES][64];
    size_t count = 0;
    struct db_rows *rows =
        rows_of(o,
                postgres ? "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = current_schema()"
                         : "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
                NULL, 0);
    while (row_next(o, rows)) {
        assert_true(count < TABLES);
        (void)snprintf(names[count++], sizeof(*names), "%s", db_column_text(rows, 0));
    }
    db_rows_close(rows);
    dumps_clear(o);
    for (size_t i = 0; i < count; i++)
        o->dumps[o->dump_count++] = dump_query(o, names[i]);
}

static void dump(struct old_store *o, struct buf *out)
{
    for (size_t i = 0; i < o->dump_count; i++) {
        cleanup_rows struct db_rows *rows = rows_of(o, o->dumps[i], NULL, 0);
        while (row_next(o, rows))
            buf_printf(out, "%s\n", db_column_text(rows, 0));
    }
    assert_ok(buf_check(out, &o->w->err), &o->w->err);
}

/* Or nobody would know that its rows are kept. */
static void expect_rows_in_each_table(struct old_store *o)
{
    for (size_t i = 0; i < o->dump_count; i++) {
        cleanup_rows struct db_rows *rows = rows_of(o, o->dumps[i], NULL, 0);
        bool any = row_next(o, rows);
        if (!any)
            print_error("schema %d: nothing by %s\n", o->schema, o->dumps[i]);
        assert_true(any);
    }
}

/* Migrations applied since are rows of schema_migration that were not there. */
static void expect_nothing_lost(struct old_store *o)
{
    char sql[96];
    (void)snprintf(sql, sizeof(sql), "DELETE FROM schema_migration WHERE number > %d", o->schema);
    cleanup_buf struct buf after = {0};
    assert_ok(db_begin(o->w->db, &o->w->err), &o->w->err);
    script(o, sql);
    dump(o, &after);
    db_rollback(o->w->db);
    if (strcmp(buf_text(&after), buf_text(&o->before)) != 0)
        print_error("schema %d: something is lost\n", o->schema);
    assert_string_equal(buf_text(&after), buf_text(&o->before));
}

static void expect_foreign_keys(struct old_store *o)
{
    if (o->w->db->driver->row_locks)
        return; /* PostgreSQL never lets go of them */
    cleanup_rows struct db_rows *bad = rows_of(o, "PRAGMA foreign_key_check", NULL, 0);
    assert_false(row_next(o, bad));
    cleanup_rows struct db_rows *whole = rows_of(o, "PRAGMA integrity_check", NULL, 0);
    assert_true(row_next(o, whole));
    assert_string_equal(db_column_text(whole, 0), "ok");
}

static void expect_columns(struct old_store *o)
{
    for (size_t i = 0; i < upgrade_check_count; i++) {
        const struct upgrade_check *c = &upgrade_checks[i];
        char sql[512];
        (void)snprintf(sql, sizeof(sql), "SELECT CAST((%s) AS TEXT)", c->sql);
        cleanup_rows struct db_rows *rows = rows_of(o, sql, NULL, 0);
        const char *expected = o->schema >= c->since ? c->newer : c->older;
        assert_true(row_next(o, rows));
        if (strcmp(db_column_text(rows, 0), expected) != 0)
            print_error("schema %d: %s\n", o->schema, c->sql);
        assert_string_equal(db_column_text(rows, 0), expected);
    }
}

/* ---- using it */

static status label_take(void *arg, const struct signing_key *k)
{
    collect(arg, k->label);
    return OK;
}

static void expect_keys(struct old_store *o)
{
    struct error *err = &o->w->err;
    struct collected labels = {0};
    struct signing_key_filter filter = {.member_id = "svc_a", .roles = MEMBER_SIGNER};
    assert_ok(signing_key_list(o->w->db, &filter, (struct page){0}, label_take, &labels, err), err);
    assert_string_equal(labels.text, o->schema >= 6 ? "next,old,rsa" : "old,rsa");

    cleanup_signing_key struct signing_key k = {0};
    assert_ok(key_version_find(o->w->db, "key_a", 1, &k, err), err);
    assert_int_equal(k.type, KEY_TYPE_RSA3072);
    assert_memory_equal(k.hsm_id, "cka-id-20-bytes----1", sizeof(k.hsm_id));
    assert_int_equal(k.certificate.len, strlen("leaf"));
    assert_string_equal(k.certificate_ca, "issuing");
    assert_ok(signing_key_find_label(o->w->db, "demo", "old", &k, err), err);
    assert_int_equal(k.state, o->schema >= 6 ? KEY_RETIRED : KEY_DISABLED);
}

static void expect_people(struct old_store *o)
{
    struct error *err = &o->w->err;
    struct principal p = {0};
    struct api_key key = {0};
    struct access_token token = {0};
    struct web_session session = {0};
    unsigned roles = 0;
    assert_ok(member_roles(o->w->db, "prj_a", "svc_a", &roles, err), err);
    assert_int_equal(roles, MEMBER_SIGNER);
    assert_ok(principal_find(o->w->db, "alice", &p, err), err);
    assert_int_equal(p.role, ROLE_ADMINISTRATOR);
    assert_ok(api_key_find(o->w->db, "key1", &key, err), err);
    assert_int_equal(key.scopes, o->schema >= 7 ? SCOPE_SIGN | SCOPE_READ : SCOPE_ALL);
    assert_ok(access_token_find(o->w->db, (const uint8_t *)"sha-256-of-something-32-bytes--2", &token, &p, err), err);
    assert_string_equal(p.name, "build-1");
    assert_code(web_session_find(o->w->db, (const uint8_t *)"sha-256-of-something-32-bytes--6", &session, &p, err),
                o->schema >= 7 ? CODE_OK : CODE_NOT_FOUND);
}

static status certificate_count(void *arg, const struct issued_certificate *c)
{
    (void)c;
    ++*(int *)arg;
    return OK;
}

/* What was issued before certificates were written down is found for it (server/ca/backfill.c). */
static void expect_certificates(struct old_store *o)
{
    int missing = 0;
    assert_ok(issued_certificate_list_missing(o->w->db, certificate_count, &missing, &o->w->err), &o->w->err);
    /* The CA's, that of version 1, and from 6 on that of version 2 and the one it replaced. */
    assert_int_equal(missing, o->schema >= 11 ? 0 : o->schema >= 6 ? 4 : 2);
}

/* The intent that was open is closed, its idempotency key is free again (I2), and the chain goes on (I7). */
static void expect_log(struct old_store *o)
{
    struct log_world l = {.w = o->w};
    struct idempotency i = {0};
    log_now_ms = 1767312000000;
    assert_ok(audit_open(o->w->store, log_now, &l.audit, &l.err), &l.err);
    assert_int_equal(log_count(&l), RECORDS + 1);
    assert_int_equal(log_append(&l, admin_record()), RECORDS + 2);
    assert_int_equal(log_count(&l), RECORDS + 2);
    usage_expect(&l, 12, 2, 2);
    assert_ok(idempotency_find(o->w->db, "svc_a", "done", &i, &l.err), &l.err);
    assert_code(idempotency_find(o->w->db, "svc_a", "open", &i, &l.err), CODE_NOT_FOUND);
    idempotency_clear(&i);
    audit_close(l.audit);
}

static void expect_second_open_does_nothing(struct old_store *o)
{
    cleanup_buf struct buf first = {0}, second = {0};
    script(o, "UPDATE schema_migration SET applied_ms = 1");
    dumps_prepare(o);
    dump(o, &first);
    store_close(o->w->store);
    store_opened(o);
    assert_ok(store_migrate(o->w->store, &o->w->err), &o->w->err);
    dump(o, &second);
    assert_string_equal(buf_text(&first), buf_text(&second));
}

static void store_made(struct old_store *o, int schema)
{
    o->schema = schema;
    o->w = calloc(1, sizeof(*o->w));
    assert_non_null(o->w);
    world_fresh(o->w);
    store_opened(o);
    assert_ok(migrations_apply(o->w->db, schema, &o->w->err), &o->w->err);
    filled(o);
    dumps_prepare(o);
    expect_rows_in_each_table(o);
    buf_reset(&o->before);
    dump(o, &o->before);
}

static void store_dropped(struct old_store *o)
{
    void *world = o->w;
    if (world)
        (void)world_teardown(&world);
    o->w = NULL;
    dumps_clear(o);
}

static void upgrade_from(struct old_store *o, int schema)
{
    store_made(o, schema);
    store_close(o->w->store);

    store_opened(o);
    assert_ok(store_migrate(o->w->store, &o->w->err), &o->w->err);
    expect_nothing_lost(o);
    expect_foreign_keys(o);
    expect_columns(o);
    expect_second_open_does_nothing(o);
    assert_ok(store_check(o->w->store, &o->w->err), &o->w->err);
    expect_keys(o);
    expect_people(o);
    expect_certificates(o);
    expect_log(o);
    store_dropped(o);
}

static void filled_store_of_every_schema_is_upgraded(void **state)
{
    for (int schema = 1; schema <= migrations_newest(); schema++)
        upgrade_from(*state, schema);
}

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct old_store));
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    struct old_store *o = *state;
    store_dropped(o);
    buf_clear(&o->before);
    free(o);
    return 0;
}

const struct CMUnitTest upgrade_tests[] = {
    cmocka_unit_test_setup_teardown(filled_store_of_every_schema_is_upgraded, setup, teardown),
};
const size_t upgrade_test_count = COUNT_OF(upgrade_tests);

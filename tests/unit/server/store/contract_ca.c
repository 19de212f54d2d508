/* SPDX-License-Identifier: Apache-2.0 */
/* CAs, the certificates they issued, revocation, CRLs and OCSP responders, on any store. */
#include "world.h"

#include "server/store/ca.h"

static void ca_put(struct world *w, const char *name, const char *parent, uint8_t hsm_byte)
{
    struct ca_row r = {.hsm_id = {hsm_byte}, .purpose = *parent ? CA_CODE_SIGNING : CA_ROOT, .created_ms = 5};
    (void)snprintf(r.name, sizeof(r.name), "%s", name);
    (void)snprintf(r.parent, sizeof(r.parent), "%s", parent);
    buf_add_text(&r.certificate, "certificate");
    assert_ok(ca_row_insert(w->db, &r, &w->err), &w->err);
    ca_row_clear(&r);
}

static struct issued_certificate issued(const char *ca, const char *serial, int64_t not_after_ms)
{
    struct issued_certificate c = {.profile = "code_signing",
                                   .subject = "CN=a",
                                   .version = 1,
                                   .not_before_ms = 1,
                                   .issued_ms = 2,
                                   .not_after_ms = not_after_ms};
    (void)snprintf(c.ca, sizeof(c.ca), "%s", ca);
    (void)snprintf(c.serial, sizeof(c.serial), "%s", serial);
    buf_add_text(&c.certificate, "certificate");
    return c;
}

static void issued_put(struct world *w, const char *ca, const char *serial, const char *key_id, int64_t not_after_ms)
{
    cleanup_issued_certificate struct issued_certificate c = issued(ca, serial, not_after_ms);
    (void)snprintf(c.key_id, sizeof(c.key_id), "%s", key_id);
    assert_ok(issued_certificate_insert(w->db, &c, &w->err), &w->err);
}

static status serial_take(void *arg, const struct issued_certificate *c)
{
    collect(arg, c->serial);
    return OK;
}

static void a_ca_comes_back_as_it_was_put_in_and_changed(void **state)
{
    struct world *w = *state;
    struct ca_row in = {.name = "outside",
                        .purpose = CA_TIMESTAMPING,
                        .state = CA_AWAITING_CERTIFICATE,
                        .hsm_id = {7},
                        .subject = "CN=A",
                        .policy = "1.2.3",
                        .created_ms = 9};
    cleanup_ca_row struct ca_row out = {0};

    assert_ok(ca_row_insert(w->db, &in, &w->err), &w->err);
    assert_ok(ca_row_find(w->db, "outside", &out, &w->err), &w->err);
    assert_int_equal(out.certificate.len, 0);
    assert_true(out.purpose == CA_TIMESTAMPING && out.state == CA_AWAITING_CERTIFICATE && out.revision == 1);
    assert_true(out.leaf_days == CA_LEAF_DAYS_MOST && out.crl_days == CA_CRL_DAYS && out.created_ms == 9);
    assert_string_equal(out.subject, "CN=A");
    assert_string_equal(out.policy, "1.2.3");
    buf_add_text(&out.certificate, "der");
    buf_add_text(&out.chain, "above");
    out.state = CA_ACTIVE;
    out.crl_days = 3;
    assert_ok(ca_row_update(w->db, &out, &w->err), &w->err);
    ca_row_clear(&out);
    assert_ok(ca_row_find(w->db, "outside", &out, &w->err), &w->err);
    assert_true(out.state == CA_ACTIVE && out.crl_days == 3 && out.revision == 2);
    assert_string_equal(buf_text(&out.certificate), "der");
    assert_string_equal(buf_text(&out.chain), "above");
    (void)snprintf(in.name, sizeof(in.name), "none");
    assert_code(ca_row_update(w->db, &in, &w->err), CODE_NOT_FOUND);
}

static status name_take(void *arg, const struct ca_row *r)
{
    collect(arg, r->name);
    return OK;
}

static void cas_are_listed_by_name_and_state(void **state)
{
    struct world *w = *state;
    struct collected all = {0}, some = {0}, none = {0};

    ca_put(w, "root", "", 1);
    ca_put(w, "issuing", "root", 2);
    assert_ok(ca_row_list(w->db, (struct page){.limit = 10}, name_take, &all, &w->err), &w->err);
    assert_string_equal(all.text, "issuing,root");
    assert_ok(ca_row_list(w->db, (struct page){.after = "issuing", .name = "ro", .state = "active", .limit = 10},
                          name_take, &some, &w->err),
              &w->err);
    assert_string_equal(some.text, "root");
    assert_ok(ca_row_list(w->db, (struct page){.state = "retired", .limit = 10}, name_take, &none, &w->err), &w->err);
    assert_int_equal(none.count, 0);
}

static void the_next_crl_is_stored_and_no_other(void **state)
{
    struct world *w = *state;
    struct ca_row r = {.name = "root", .crl_number = 1, .crl_revocations = 4, .crl_this_ms = 10, .crl_next_ms = 20};
    cleanup_ca_row struct ca_row out = {0};
    cleanup_buf struct buf crl = {0};

    ca_put(w, "root", "", 1);
    assert_code(ca_crl_find(w->db, "root", &crl, &w->err), CODE_NOT_FOUND);
    assert_ok(ca_crl_store(w->db, &r, slice_of_text("first"), &w->err), &w->err);
    assert_code(ca_crl_store(w->db, &r, slice_of_text("again"), &w->err), CODE_CONFLICT);
    r.crl_number = 3;
    assert_code(ca_crl_store(w->db, &r, slice_of_text("later"), &w->err), CODE_CONFLICT);
    assert_ok(ca_crl_find(w->db, "root", &crl, &w->err), &w->err);
    assert_string_equal(buf_text(&crl), "first");
    assert_ok(ca_row_find(w->db, "root", &out, &w->err), &w->err);
    assert_true(out.crl_number == 1 && out.crl_revocations == 4 && out.crl_this_ms == 10 && out.crl_next_ms == 20);
}

static void a_serial_is_issued_once_by_a_ca(void **state)
{
    struct world *w = *state;
    cleanup_issued_certificate struct issued_certificate c = issued("root", "AB", 100), out = {0}, short_one = {0};

    ca_put(w, "root", "", 1);
    ca_put(w, "issuing", "root", 2);
    assert_ok(issued_certificate_insert(w->db, &c, &w->err), &w->err);
    assert_code(issued_certificate_insert(w->db, &c, &w->err), CODE_CONFLICT);
    issued_put(w, "issuing", "AB", "", 100);
    assert_ok(issued_certificate_find(w->db, "root", "AB", &out, &w->err), &w->err);
    assert_string_equal(buf_text(&out.certificate), "certificate");
    assert_true(out.not_before_ms == 1 && out.not_after_ms == 100 && out.issued_ms == 2 && out.revoked_ms == 0);
    assert_ok(issued_certificate_status(w->db, "root", "AB", &short_one, &w->err), &w->err);
    assert_string_equal(short_one.subject, "CN=a");
    assert_code(issued_certificate_status(w->db, "root", "AC", &short_one, &w->err), CODE_NOT_FOUND);
}

static void issued_certificates_are_listed_by_state_and_end(void **state)
{
    struct world *w = *state;
    const int64_t now = 1700000000000;
    cleanup_issued_certificate struct issued_certificate gone = issued("root", "C3", now + 9000);
    const struct {
        const char *state;
        int64_t before;
        const char *expected;
    } rows[] = {{NULL, 0, "A1,B2,C3,D4"},
                {"valid", 0, "B2,D4"},
                {"expired", 0, "A1"},
                {"revoked", 0, "C3"},
                {"valid", now + 5000, "B2"}};

    ca_put(w, "root", "", 1);
    issued_put(w, "root", "A1", "", now - 1);
    issued_put(w, "root", "B2", "", now + 1000);
    issued_put(w, "root", "C3", "", now + 9000);
    issued_put(w, "root", "D4", "", now + 9000);
    gone.revoked_ms = now;
    gone.reason = 4;
    assert_ok(issued_certificate_revoke(w->db, &gone, &w->err), &w->err);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct collected c = {0};
        const struct issued_filter f = {
            .ca = "root", .state = rows[i].state, .now_ms = now, .expires_before_ms = rows[i].before};
        assert_ok(issued_certificate_list(w->db, &f, (struct page){.limit = 10}, serial_take, &c, &w->err), &w->err);
        assert_string_equal(c.text, rows[i].expected);
    }
    struct collected revoked = {0};
    assert_ok(issued_certificate_list_revoked(w->db, "root", serial_take, &revoked, &w->err), &w->err);
    assert_string_equal(revoked.text, "C3");
}

static void a_revocation_marks_the_key_that_has_the_certificate_and_counts_once(void **state)
{
    struct world *w = *state;
    cleanup_signing_key struct signing_key k = {.id = "key_b",
                                                .project_id = "prj_a",
                                                .label = "b",
                                                .state = KEY_ACTIVE,
                                                .version = 1,
                                                .type = KEY_TYPE_P256,
                                                .hsm_id = {9},
                                                .created_ms = 1,
                                                .certificate_ca = "root",
                                                .hsm_attributes = "{}"};
    cleanup_issued_certificate struct issued_certificate c = issued("root", "AB", 100);
    cleanup_signing_key struct signing_key out = {0};
    cleanup_ca_row struct ca_row row = {0};
    struct collected left = {0};

    (void)world_project(w, "prj_a", "demo");
    ca_put(w, "root", "", 1);
    buf_add_text(&k.spki, "spki");
    buf_add_text(&k.certificate, "certificate");
    assert_ok(signing_key_insert(w->db, &k, &w->err), &w->err);
    issued_put(w, "root", "AB", "key_b", 100);
    assert_ok(issued_certificate_list_key(w->db, "key_b", 1, serial_take, &left, &w->err), &w->err);
    assert_string_equal(left.text, "AB");
    (void)snprintf(c.key_id, sizeof(c.key_id), "key_b");
    c.revoked_ms = 50;
    c.reason = 1;
    c.invalid_ms = 40;
    assert_ok(issued_certificate_revoke(w->db, &c, &w->err), &w->err);
    assert_code(issued_certificate_revoke(w->db, &c, &w->err), CODE_CONFLICT);
    assert_ok(ca_row_find(w->db, "root", &row, &w->err), &w->err);
    assert_int_equal(row.revocations, 1);
    assert_ok(signing_key_find(w->db, "key_b", &out, &w->err), &w->err);
    assert_int_equal(out.revoked_ms, 50);
    assert_string_equal(out.certificate_ca, "root");
    struct signing_key to = {.certificate = {.data = (uint8_t *)"another", .len = 7},
                             .certificate_source = "con_manual"};
    assert_ok(key_version_set_certificate(w->db, &out, &to, 60, &w->err), &w->err);
    signing_key_clear(&out);
    assert_ok(signing_key_find(w->db, "key_b", &out, &w->err), &w->err);
    assert_int_equal(out.revoked_ms, 0);
    assert_string_equal(out.certificate_ca, "");
    assert_string_equal(out.certificate_source, "con_manual");
    assert_ok(key_version_set_revoked(w->db, "key_b", 1, 70, &w->err), &w->err);
    assert_code(key_version_set_revoked(w->db, "key_b", 1, 80, &w->err), CODE_CONFLICT);
    signing_key_clear(&out);
    assert_ok(signing_key_find(w->db, "key_b", &out, &w->err), &w->err);
    assert_int_equal(out.revoked_ms, 70);
}

static status missing_take(void *arg, const struct issued_certificate *c)
{
    collect(arg, *c->key_id ? c->key_id : c->ca);
    assert_true(c->certificate.len > 0);
    return OK;
}

static void certificates_without_a_row_are_found(void **state)
{
    struct world *w = *state;
    struct collected c = {0}, after = {0};
    cleanup_signing_key struct signing_key k = {.id = "key_b",
                                                .project_id = "prj_a",
                                                .label = "b",
                                                .state = KEY_ACTIVE,
                                                .version = 1,
                                                .type = KEY_TYPE_P256,
                                                .hsm_id = {9},
                                                .created_ms = 1,
                                                .certificate_ca = "issuing",
                                                .hsm_attributes = "{}"};

    (void)world_project(w, "prj_a", "demo");
    ca_put(w, "root", "", 1);
    ca_put(w, "issuing", "root", 2);
    buf_add_text(&k.spki, "spki");
    buf_add_text(&k.certificate, "certificate");
    assert_ok(signing_key_insert(w->db, &k, &w->err), &w->err);
    assert_ok(issued_certificate_list_missing(w->db, missing_take, &c, &w->err), &w->err);
    assert_int_equal(c.count, 2);
    issued_put(w, "issuing", "AB", "key_b", 100);
    issued_put(w, "root", "CD", "", 100);
    assert_ok(issued_certificate_list_missing(w->db, missing_take, &after, &w->err), &w->err);
    assert_int_equal(after.count, 0);
}

static status key_count(void *arg, const uint8_t hsm_id[20])
{
    *(int *)arg += hsm_id[0];
    return OK;
}

static void an_ocsp_responder_keeps_its_key_and_changes_its_certificate(void **state)
{
    struct world *w = *state;
    cleanup_ocsp_responder struct ocsp_responder in = {.ca = "root", .hsm_id = {4}, .renew_ms = 10}, out = {0};
    int keys = 0;

    ca_put(w, "root", "", 1);
    assert_code(ocsp_responder_find(w->db, "root", &out, &w->err), CODE_NOT_FOUND);
    buf_add_text(&in.certificate, "one");
    assert_ok(ocsp_responder_store(w->db, &in, &w->err), &w->err);
    buf_reset(&in.certificate);
    buf_add_text(&in.certificate, "two");
    in.renew_ms = 20;
    assert_ok(ocsp_responder_store(w->db, &in, &w->err), &w->err);
    assert_ok(ocsp_responder_find(w->db, "root", &out, &w->err), &w->err);
    assert_string_equal(buf_text(&out.certificate), "two");
    assert_true(out.renew_ms == 20 && out.hsm_id[0] == 4);
    in.hsm_id[0] = 5;
    assert_code(ocsp_responder_store(w->db, &in, &w->err), CODE_CONFLICT);
    assert_ok(ca_key_list(w->db, key_count, &keys, &w->err), &w->err);
    assert_int_equal(keys, 1 + 4);
}

const struct CMUnitTest ca_tests[] = {
    WORLD_TEST(a_ca_comes_back_as_it_was_put_in_and_changed),
    WORLD_TEST(cas_are_listed_by_name_and_state),
    WORLD_TEST(the_next_crl_is_stored_and_no_other),
    WORLD_TEST(a_serial_is_issued_once_by_a_ca),
    WORLD_TEST(issued_certificates_are_listed_by_state_and_end),
    WORLD_TEST(a_revocation_marks_the_key_that_has_the_certificate_and_counts_once),
    WORLD_TEST(certificates_without_a_row_are_found),
    WORLD_TEST(an_ocsp_responder_keeps_its_key_and_changes_its_certificate),
};
const size_t ca_test_count = COUNT_OF(ca_tests);

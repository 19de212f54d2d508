/* SPDX-License-Identifier: Apache-2.0 */
/* Signing keys, usage counters, certificate authorities, on any store. */
#include "world.h"

#include "server/store/ca.h"

static void people_and_keys(struct world *w)
{
    (void)world_project(w, "prj_a", "demo");
    (void)world_project(w, "prj_b", "other");
    (void)world_principal(w, "usr_a", "alice", PRINCIPAL_USER);
    world_key(w, "key_a", "prj_a", "rsa", 1);
    world_key(w, "key_b", "prj_b", "rsa", 2);
    world_key(w, "key_c", "prj_a", "rsa-2", 3);
}

static void signing_key_comes_back_as_it_was_put_in(void **state)
{
    struct world *w = *state;
    people_and_keys(w);
    cleanup_signing_key struct signing_key k = {0};
    assert_ok(signing_key_find(w->db, "key_a", &k, &w->err), &w->err);

    assert_string_equal(k.project_id, "prj_a");
    assert_string_equal(k.project_name, "demo");
    assert_string_equal(k.label, "rsa");
    assert_string_equal(k.hsm_attributes, "{\"sensitive\":true}");
    assert_int_equal(k.state, KEY_ACTIVE);
    assert_int_equal(k.hashes, HASH_SET_DEFAULT);
    assert_int_equal(k.mechanisms, 1u << MECHANISM_RSA_PKCS1 | 1u << MECHANISM_RSA_PSS);
    assert_int_equal(k.type, KEY_TYPE_RSA3072);
    assert_int_equal(k.version, 1);
    assert_int_equal(k.created_ms, 4000);
    assert_int_equal(k.hsm_id[19], 1);
    assert_memory_equal(k.spki.data, "\x30\x00spki", 6);
    assert_memory_equal(k.certificate.data, "\x30\x00leaf", 6);
}

static void signing_key_may_have_no_certificate(void **state)
{
    struct world *w = *state;
    (void)world_project(w, "prj_a", "demo");
    cleanup_signing_key struct signing_key in = {.id = "key_x",
                                                 .project_id = "prj_a",
                                                 .label = "ed",
                                                 .version = 1,
                                                 .type = KEY_TYPE_ED25519,
                                                 .mechanisms = 1u << MECHANISM_EDDSA};
    cleanup_signing_key struct signing_key out = {0};
    buf_add(&in.spki, "x", 1);
    assert_ok(signing_key_insert(w->db, &in, &w->err), &w->err);
    assert_ok(signing_key_find_label(w->db, "demo", "ed", &out, &w->err), &w->err);
    assert_int_equal(out.certificate.len, 0);
    assert_int_equal(out.hashes, 0);
    assert_int_equal(out.mechanisms, 1u << MECHANISM_EDDSA);
}

static void every_hash_and_mechanism_there_is_can_be_allowed(void **state)
{
    struct world *w = *state;
    unsigned all = (1u << MECHANISM_COUNT) - 2;
    (void)world_project(w, "prj_a", "demo");
    cleanup_signing_key struct signing_key in = {.id = "key_x",
                                                 .project_id = "prj_a",
                                                 .label = "all",
                                                 .version = 1,
                                                 .type = KEY_TYPE_RSA2048,
                                                 .hashes = HASH_SET_ALL,
                                                 .mechanisms = all};
    cleanup_signing_key struct signing_key out = {0};
    buf_add(&in.spki, "x", 1);
    assert_ok(signing_key_insert(w->db, &in, &w->err), &w->err);
    assert_ok(signing_key_find(w->db, "key_x", &out, &w->err), &w->err);
    assert_int_equal(out.hashes, HASH_SET_ALL);
    assert_int_equal(out.mechanisms, all);
}

static void signing_key_is_found_by_project_and_label(void **state)
{
    struct world *w = *state;
    people_and_keys(w);
    cleanup_signing_key struct signing_key k = {0};
    assert_ok(signing_key_find_label(w->db, "other", "rsa", &k, &w->err), &w->err);
    assert_string_equal(k.id, "key_b");
    assert_ok(signing_key_find_label(w->db, "prj_a", "rsa", &k, &w->err), &w->err);
    assert_string_equal(k.id, "key_a");
    assert_code(signing_key_find_label(w->db, "demo", "none", &k, &w->err), CODE_NOT_FOUND);
}

static void label_is_taken_once_in_a_project(void **state)
{
    struct world *w = *state;
    people_and_keys(w);
    cleanup_signing_key struct signing_key k = {
        .id = "key_x", .project_id = "prj_a", .label = "rsa", .version = 1, .type = KEY_TYPE_P256};
    buf_add(&k.spki, "x", 1);
    assert_code(signing_key_insert(w->db, &k, &w->err), CODE_CONFLICT);
    assert_string_equal(w->err.text, "label: the project has a signing key rsa already");
}

static void hsm_key_belongs_to_one_signing_key(void **state)
{
    struct world *w = *state;
    people_and_keys(w);
    cleanup_signing_key struct signing_key k = {
        .id = "key_x", .project_id = "prj_a", .label = "new", .version = 1, .type = KEY_TYPE_P256};
    memset(k.hsm_id, 1, sizeof(k.hsm_id));
    buf_add(&k.spki, "x", 1);
    assert_code(signing_key_insert(w->db, &k, &w->err), CODE_CONFLICT);
}

static void disabled_key_says_why_until_enabled(void **state)
{
    struct world *w = *state;
    people_and_keys(w);
    cleanup_signing_key struct signing_key k = {0};
    assert_ok(signing_key_set_state(w->db, "key_a", KEY_DISABLED, "lost laptop", &w->err), &w->err);
    assert_ok(signing_key_find(w->db, "key_a", &k, &w->err), &w->err);
    assert_int_equal(k.state, KEY_DISABLED);
    assert_string_equal(k.disabled_reason, "lost laptop");
    assert_ok(signing_key_set_state(w->db, "key_a", KEY_ACTIVE, NULL, &w->err), &w->err);
    assert_ok(signing_key_find(w->db, "key_a", &k, &w->err), &w->err);
    assert_int_equal(k.state, KEY_ACTIVE);
    assert_string_equal(k.disabled_reason, "");
    assert_code(signing_key_set_state(w->db, "key_x", KEY_ACTIVE, NULL, &w->err), CODE_NOT_FOUND);
}

static status key_id(void *arg, const struct signing_key *k)
{
    collect(arg, k->id);
    return OK;
}

static void signing_keys_are_listed_by_every_filter(void **state)
{
    struct world *w = *state;
    people_and_keys(w);
    world_member(w, "prj_a", "usr_a", MEMBER_SIGNER);
    world_member(w, "prj_b", "usr_a", MEMBER_OWNER);
    assert_ok(signing_key_set_state(w->db, "key_c", KEY_DISABLED, "", &w->err), &w->err);
    const struct {
        struct signing_key_filter filter;
        struct page page;
        const char *expected;
    } rows[] = {
        {{0}, {0}, "key_a,key_c,key_b"},
        {{0}, {.after = "demo rsa", .limit = 1}, "key_c"},
        {{0}, {.after = "demo rsa-2"}, "key_b"},
        {{0}, {.after = "other rsa"}, ""},
        {{.project = "demo"}, {.after = "demo rsa"}, "key_c"},
        {{.project = "other"}, {.after = "demo rsa-2"}, "key_b"},
        {{.project = "demo"}, {0}, "key_a,key_c"},
        {{.only_active = true}, {0}, "key_a,key_b"},
        {{.member_id = "usr_a", .roles = MEMBER_SIGNER}, {0}, "key_a,key_c"},
        {{.member_id = "usr_a", .roles = MEMBER_SIGNER | MEMBER_OWNER, .only_active = true}, {0}, "key_a,key_b"},
        {{.member_id = "usr_x", .roles = MEMBER_SIGNER}, {0}, ""},
        {{0}, {.state = "disabled"}, "key_c"},
        {{0}, {.state = "active", .type = "rsa3072"}, "key_a,key_b"},
        {{0}, {.type = "p256"}, ""},
        {{0}, {.name = "no-such-label"}, ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct collected c = {0};
        assert_ok(signing_key_list(w->db, &rows[i].filter, rows[i].page, key_id, &c, &w->err), &w->err);
        assert_string_equal(c.text, rows[i].expected);
    }
}

static void every_state_comes_back_with_the_one_before(void **state)
{
    struct world *w = *state;
    people_and_keys(w);
    enum key_state before = KEY_ACTIVE;
    for (int i = 0; i < KEY_STATE_COUNT; i++) {
        cleanup_signing_key struct signing_key k = {0};
        assert_ok(signing_key_set_state(w->db, "key_a", (enum key_state)i, "why", &w->err), &w->err);
        assert_ok(signing_key_find(w->db, "key_a", &k, &w->err), &w->err);
        assert_int_equal(k.state, i);
        assert_int_equal(k.state_before, before);
        assert_int_equal(k.revision, i + 2);
        before = k.state;
    }
}

static void retirement_comes_back_as_it_was_put_in(void **state)
{
    struct world *w = *state;
    people_and_keys(w);
    struct signing_key in = {.id = "key_a", .retired_ms = 5000, .destroy_by = "usr_a", .destroy_ms = 6000};
    cleanup_signing_key struct signing_key k = {0};
    assert_ok(signing_key_set_retirement(w->db, &in, &w->err), &w->err);
    assert_ok(signing_key_find(w->db, "key_a", &k, &w->err), &w->err);
    assert_int_equal(k.retired_ms, 5000);
    assert_string_equal(k.destroy_by, "usr_a");
    assert_int_equal(k.destroy_ms, 6000);
    in.id[4] = 'x';
    assert_code(signing_key_set_retirement(w->db, &in, &w->err), CODE_NOT_FOUND);
}

static void pending_key_has_a_plan_and_no_version(void **state)
{
    struct world *w = *state;
    (void)world_project(w, "prj_a", "demo");
    struct signing_key in = {.id = "key_x",
                             .project_id = "prj_a",
                             .label = "later",
                             .state = KEY_PENDING,
                             .type = KEY_TYPE_P384,
                             .plan_subject = "CN=Later",
                             .plan_days = 20};
    cleanup_signing_key struct signing_key out = {0};
    assert_ok(signing_key_insert(w->db, &in, &w->err), &w->err);
    assert_ok(signing_key_find(w->db, "key_x", &out, &w->err), &w->err);
    assert_int_equal(out.state, KEY_PENDING);
    assert_int_equal(out.version, 0);
    assert_int_equal(out.type, KEY_TYPE_P384);
    assert_int_equal(out.spki.len, 0);
    assert_string_equal(out.plan_subject, "CN=Later");
    assert_int_equal(out.plan_days, 20);
}

static void second_version_add(struct world *w)
{
    cleanup_signing_key struct signing_key k = {.id = "key_a",
                                                .version = 2,
                                                .type = KEY_TYPE_P256,
                                                .hsm_attributes = "{}",
                                                .findings = "extractable",
                                                .version_created_ms = 7000};
    memset(k.hsm_id, 9, sizeof(k.hsm_id));
    buf_add(&k.spki, "second", 6);
    assert_ok(key_version_insert(w->db, &k, &w->err), &w->err);
}

static status version_text(void *arg, const struct signing_key *k)
{
    char text[128];
    (void)snprintf(text, sizeof(text), "%s/%d %s %lld %s", k->label, k->version, key_type_name(k->type),
                   (long long)k->grace_until_ms, k->findings);
    collect(arg, text);
    return OK;
}

static void a_new_version_becomes_the_current_one(void **state)
{
    struct world *w = *state;
    people_and_keys(w);
    second_version_add(w);
    cleanup_signing_key struct signing_key k = {0};
    assert_ok(signing_key_find(w->db, "key_a", &k, &w->err), &w->err);
    assert_int_equal(k.version, 2);
    assert_int_equal(k.revision, 2);
    assert_int_equal(k.type, KEY_TYPE_P256);
    assert_int_equal(k.hsm_id[0], 9);
    assert_int_equal(k.certificate.len, 0);
    assert_int_equal(k.version_created_ms, 7000);
    struct collected c = {0};
    assert_ok(key_version_list(w->db, "key_a", version_text, &c, &w->err), &w->err);
    assert_string_equal(c.text, "/2 p256 0 extractable,/1 rsa3072 0 ");
}

static void earlier_versions_are_listed_until_their_grace_ends(void **state)
{
    struct world *w = *state;
    people_and_keys(w);
    second_version_add(w);
    assert_ok(key_version_set_grace(w->db, "key_a", 1, 9000, &w->err), &w->err);
    struct collected open = {0}, over = {0};
    assert_ok(signing_key_list_earlier(w->db, "key_a", 8999, version_text, &open, &w->err), &w->err);
    assert_string_equal(open.text, "rsa/1 rsa3072 9000 ");
    assert_ok(signing_key_list_earlier(w->db, "key_a", 9000, version_text, &over, &w->err), &w->err);
    assert_string_equal(over.text, "");
    assert_code(key_version_set_grace(w->db, "key_a", 3, 1, &w->err), CODE_NOT_FOUND);
}

static status certificate_text(void *arg, struct slice certificate, int64_t replaced_ms)
{
    char text[64];
    (void)snprintf(text, sizeof(text), "%zu@%lld", certificate.len, (long long)replaced_ms);
    collect(arg, text);
    return OK;
}

static void replaced_certificates_are_kept(void **state)
{
    struct world *w = *state;
    people_and_keys(w);
    struct collected c = {0};
    for (int i = 1; i <= 2; i++) {
        cleanup_signing_key struct signing_key k = {0};
        assert_ok(signing_key_find(w->db, "key_a", &k, &w->err), &w->err);
        struct signing_key to = {.certificate = {.data = (uint8_t *)"renewed", .len = 7}, .certificate_ca = "issuing"};
        assert_ok(key_version_set_certificate(w->db, &k, &to, 100 * i, &w->err), &w->err);
    }
    cleanup_signing_key struct signing_key k = {0};
    assert_ok(signing_key_find(w->db, "key_a", &k, &w->err), &w->err);
    assert_memory_equal(k.certificate.data, "renewed", 7);
    assert_int_equal(k.revision, 3);
    assert_ok(key_certificate_list(w->db, "key_a", 1, certificate_text, &c, &w->err), &w->err);
    assert_string_equal(c.text, "6@100,7@200");
}

static status usage_text(void *arg, const struct usage *u)
{
    char text[256];
    (void)snprintf(text, sizeof(text), "%s %s-%s %lld/%lld/%lld", u->day, u->project_name, u->label,
                   (long long)u->success, (long long)u->refused, (long long)u->failed);
    collect(arg, text);
    return OK;
}

enum { DAY_MS = 86400000 };

static void usage_is_counted_by_key_day_and_outcome(void **state)
{
    struct world *w = *state;
    people_and_keys(w);
    for (int i = 0; i < 3; i++)
        assert_ok(usage_add(w->db, "key_a", "usr_a", 10, USAGE_SUCCESS, &w->err), &w->err);
    assert_ok(usage_add(w->db, "key_a", "usr_a", DAY_MS - 1, USAGE_REFUSED, &w->err), &w->err);
    assert_ok(usage_add(w->db, "key_a", "usr_a", DAY_MS, USAGE_FAILED, &w->err), &w->err);
    assert_ok(usage_add(w->db, "key_b", "usr_a", 10, USAGE_SUCCESS, &w->err), &w->err);
    struct collected c = {0};
    assert_ok(usage_list(w->db, &(struct usage_filter){0}, usage_text, &c, &w->err), &w->err);
    assert_string_equal(c.text, "1970-01-01 demo-rsa 3/1/0,1970-01-01 other-rsa 1/0/0,1970-01-02 demo-rsa 0/0/1");
}

static void usage_is_listed_by_every_filter(void **state)
{
    struct world *w = *state;
    people_and_keys(w);
    world_member(w, "prj_b", "usr_a", MEMBER_OWNER);
    world_member(w, "prj_a", "usr_a", MEMBER_SIGNER);
    assert_ok(usage_add(w->db, "key_a", "usr_a", 0, USAGE_SUCCESS, &w->err), &w->err);
    assert_ok(usage_add(w->db, "key_b", "usr_a", DAY_MS, USAGE_SUCCESS, &w->err), &w->err);
    assert_ok(usage_add(w->db, "key_c", "usr_a", 2LL * DAY_MS, USAGE_SUCCESS, &w->err), &w->err);
    const struct {
        struct usage_filter filter;
        int expected;
    } rows[] = {{{.project_id = "prj_a"}, 2},
                {{.key_id = "key_b"}, 1},
                {{.from_day = "1970-01-02"}, 2},
                {{.to_day = "1970-01-02"}, 2},
                {{.owner_id = "usr_a"}, 1},
                {{.owner_id = "usr_x"}, 0},
                {{.from_day = "1970-01-02", .to_day = "1970-01-02"}, 1}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct collected c = {0};
        assert_ok(usage_list(w->db, &rows[i].filter, usage_text, &c, &w->err), &w->err);
        assert_int_equal(c.count, rows[i].expected);
    }
}

static status usage_group_text(void *arg, const struct usage *u)
{
    char text[512];
    (void)snprintf(text, sizeof(text), "%s %s/%s/%s %lld", u->day, u->project_name, u->label, u->principal_name,
                   (long long)u->success);
    collect(arg, text);
    return OK;
}

static void usage_is_added_up_by_month_project_and_signer(void **state)
{
    struct world *w = *state;
    people_and_keys(w);
    (void)world_principal(w, "svc_a", "build-1", PRINCIPAL_SERVICE_ACCOUNT);
    const struct {
        const char *key, *who;
        int day;
    } signatures[] = {{"key_a", "usr_a", 0},  {"key_a", "svc_a", 0},  {"key_b", "usr_a", 1},
                      {"key_a", "usr_a", 30}, {"key_a", "usr_a", 31}, {"key_a", "", 31}};
    for (size_t i = 0; i < COUNT_OF(signatures); i++)
        assert_ok(usage_add(w->db, signatures[i].key, signatures[i].who, (int64_t)signatures[i].day * DAY_MS,
                            USAGE_SUCCESS, &w->err),
                  &w->err);
    const struct {
        struct usage_filter filter;
        const char *expected;
    } rows[] = {
        {{.period = USAGE_A_MONTH}, "1970-01 demo/rsa/ 3,1970-01 other/rsa/ 1,1970-02 demo/rsa/ 2"},
        {{.period = USAGE_A_MONTH, .group = USAGE_BY_PROJECT}, "1970-01 demo// 3,1970-01 other// 1,1970-02 demo// 2"},
        {{.period = USAGE_A_MONTH, .group = USAGE_BY_SIGNER},
         "1970-01 //alice 3,1970-01 //build-1 1,1970-02 // 1,1970-02 //alice 1"},
        {{.period = USAGE_A_MONTH, .group = USAGE_IN_ALL}, "1970-01 // 4,1970-02 // 2"},
        {{.group = USAGE_BY_SIGNER, .key_id = "key_a", .to_day = "1970-01-01"},
         "1970-01-01 //alice 1,1970-01-01 //build-1 1"},
        {{.principal = "build-1"}, "1970-01-01 demo/rsa/ 1"},
        {{.principal = "svc_a"}, "1970-01-01 demo/rsa/ 1"},
        {{.principal = "nobody"}, ""},
        {{.period = USAGE_ALL_TIME}, " demo/rsa/ 5, other/rsa/ 1"},
        {{.period = USAGE_ALL_TIME, .group = USAGE_IN_ALL, .from_day = "1970-01-02"}, " // 4"},
        {{.period = USAGE_ALL_TIME, .group = USAGE_BY_SIGNER, .order = USAGE_MOST_FIRST},
         " //alice 4, // 1, //build-1 1"},
        {{.period = USAGE_A_MONTH, .order = USAGE_NEWEST_FIRST},
         "1970-02 demo/rsa/ 2,1970-01 demo/rsa/ 3,1970-01 other/rsa/ 1"},
        {{.period = USAGE_A_MONTH, .order = USAGE_MOST_FIRST},
         "1970-01 demo/rsa/ 3,1970-02 demo/rsa/ 2,1970-01 other/rsa/ 1"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct collected c = {0};
        assert_ok(usage_list(w->db, &rows[i].filter, usage_group_text, &c, &w->err), &w->err);
        assert_string_equal(c.text, rows[i].expected);
    }
}

static status usage_total_text(void *arg, const struct usage *u)
{
    char text[64];
    (void)snprintf(text, sizeof(text), "%s of %lld", u->label, (long long)u->total);
    collect(arg, text);
    return OK;
}

static void usage_of_a_limit_says_how_many_rows_there_are(void **state)
{
    struct world *w = *state;
    struct collected c = {0};
    people_and_keys(w);
    assert_ok(usage_add(w->db, "key_a", "usr_a", 0, USAGE_REFUSED, &w->err), &w->err);
    assert_ok(usage_add(w->db, "key_b", "usr_a", 0, USAGE_FAILED, &w->err), &w->err);
    assert_ok(usage_add(w->db, "key_c", "usr_a", 0, USAGE_SUCCESS, &w->err), &w->err);
    const struct usage_filter filter = {.period = USAGE_ALL_TIME, .order = USAGE_MOST_FIRST, .limit = 2};
    assert_ok(usage_list(w->db, &filter, usage_total_text, &c, &w->err), &w->err);
    assert_string_equal(c.text, "rsa-2 of 3,rsa of 3");
}

static void certificate_authority_is_found_by_name(void **state)
{
    struct world *w = *state;
    struct ca_row in = {.name = "root", .hsm_id = {1, 2, 3}}, out = {0};
    buf_add(&in.certificate, "\x30\x00", 2);
    assert_ok(ca_row_insert(w->db, &in, &w->err), &w->err);
    assert_ok(ca_row_find(w->db, "root", &out, &w->err), &w->err);
    assert_memory_equal(out.hsm_id, in.hsm_id, sizeof(in.hsm_id));
    assert_memory_equal(out.certificate.data, "\x30\x00", 2);
    assert_code(ca_row_insert(w->db, &in, &w->err), CODE_CONFLICT);
    assert_code(ca_row_find(w->db, "issuing", &out, &w->err), CODE_NOT_FOUND);
    ca_row_clear(&in);
    ca_row_clear(&out);
}

const struct CMUnitTest key_tests[] = {
    WORLD_TEST(signing_key_comes_back_as_it_was_put_in),
    WORLD_TEST(every_state_comes_back_with_the_one_before),
    WORLD_TEST(retirement_comes_back_as_it_was_put_in),
    WORLD_TEST(pending_key_has_a_plan_and_no_version),
    WORLD_TEST(a_new_version_becomes_the_current_one),
    WORLD_TEST(earlier_versions_are_listed_until_their_grace_ends),
    WORLD_TEST(replaced_certificates_are_kept),
    WORLD_TEST(signing_key_may_have_no_certificate),
    WORLD_TEST(every_hash_and_mechanism_there_is_can_be_allowed),
    WORLD_TEST(signing_key_is_found_by_project_and_label),
    WORLD_TEST(label_is_taken_once_in_a_project),
    WORLD_TEST(hsm_key_belongs_to_one_signing_key),
    WORLD_TEST(disabled_key_says_why_until_enabled),
    WORLD_TEST(signing_keys_are_listed_by_every_filter),
    WORLD_TEST(usage_is_counted_by_key_day_and_outcome),
    WORLD_TEST(usage_is_listed_by_every_filter),
    WORLD_TEST(usage_is_added_up_by_month_project_and_signer),
    WORLD_TEST(usage_of_a_limit_says_how_many_rows_there_are),
    WORLD_TEST(certificate_authority_is_found_by_name),
};
const size_t key_test_count = COUNT_OF(key_tests);

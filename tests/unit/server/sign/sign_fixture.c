/* SPDX-License-Identifier: Apache-2.0 */
/* See sign_fixture.h. */
#include "sign_fixture.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/text.h"

#define MUST(expression)                                                                                               \
    do {                                                                                                               \
        status must_status_ = (expression);                                                                            \
        if (!is_ok(must_status_)) {                                                                                    \
            (void)fprintf(stderr, "%s: %s\n", #expression, code_wire(must_status_.code));                              \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

static void principal_add(struct fixture *f, struct principal *p, const char *id, const char *name,
                          enum platform_role role)
{
    *p = (struct principal){
        .type = role == ROLE_NONE ? PRINCIPAL_SERVICE_ACCOUNT : PRINCIPAL_USER, .role = role, .created_ms = 1};
    (void)text_copy(p->id, sizeof(p->id), id);
    (void)text_copy(p->name, sizeof(p->name), name);
    MUST(principal_insert(store_writer(f->store), p, NULL));
}

static void member_add(struct db *db, const char *principal_id, enum member_role role)
{
    struct member m = {.role = role, .since_ms = 1};
    (void)text_copy(m.project_id, sizeof(m.project_id), "prj_demo");
    (void)text_copy(m.principal_id, sizeof(m.principal_id), principal_id);
    MUST(member_insert(db, &m, NULL));
}

static void key_add(struct fixture *f, const char *id, const char *label, enum key_type type)
{
    cleanup_signing_key struct signing_key k = {.state = KEY_ACTIVE, .version = 1, .created_ms = 1};
    (void)text_copy(k.id, sizeof(k.id), id);
    (void)text_copy(k.project_id, sizeof(k.project_id), "prj_demo");
    (void)text_copy(k.label, sizeof(k.label), label);
    (void)text_copy(k.hsm_attributes, sizeof(k.hsm_attributes), "{}");
    fake_hsm_key(&f->hsm, type, &k);
    MUST(signing_key_insert(store_writer(f->store), &k, NULL));
}

void fixture_open(struct fixture *f, const char *url)
{
    *f = (struct fixture){0};
    fake_hsm_init(&f->hsm);
    MUST(store_open(url, &f->store, NULL));
    MUST(store_migrate(f->store, NULL));
    struct db *db = store_writer(f->store);
    struct project project = {.id = "prj_demo", .name = "demo", .created_ms = 1};
    MUST(project_insert(db, &project, NULL));
    principal_add(f, &f->alice, "svc_alice", "alice", ROLE_NONE);
    principal_add(f, &f->bob, "svc_bob", "bob", ROLE_NONE);
    principal_add(f, &f->carol, "usr_carol", "carol", ROLE_ADMINISTRATOR);
    member_add(db, "svc_alice", MEMBER_SIGNER);
    member_add(db, "svc_bob", MEMBER_OWNER);
    key_add(f, KEY_RSA, "rsa", KEY_TYPE_RSA2048);
    key_add(f, KEY_EC, "ec", KEY_TYPE_P256);
    key_add(f, KEY_ED, "ed", KEY_TYPE_ED25519);

    memset(f->digest, 0xd1, sizeof(f->digest));
    f->order = (struct sign_order){
        .key = KEY_RSA,
        .input = {.mechanism = MECHANISM_RSA_PKCS1, .hash = HASH_SHA256, .digest = {f->digest, 32}},
        .program = "jarsigner",
        .client_address = "127.0.0.1",
        .request_id = "req_1",
    };
}

void fixture_open_file(struct fixture *f)
{
    char dir[] = P_tmpdir "/chancery-sign-XXXXXX", url[128];
    if (!mkdtemp(dir))
        abort();
    (void)snprintf(url, sizeof(url), "sqlite:%s/store.db", dir);
    fixture_open(f, url);
    (void)text_copy(f->dir, sizeof(f->dir), dir);
}

void fixture_signer(struct fixture *f, bool verify_all)
{
    const struct signer_config config = {
        .store = f->store, .audit = f->audit, .hsm = fake_hsm_interface(&f->hsm), .verify_all = verify_all};
    MUST(signer_new(&config, &f->signer, NULL));
}

static void directory_remove(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry = NULL;
    while (dir && (entry = readdir(dir))) {
        if (entry->d_name[0] != '.')
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
    if (dir)
        (void)closedir(dir);
    (void)rmdir(path);
}

void fixture_close(struct fixture *f)
{
    sign_result_clear(&f->result);
    signer_free(f->signer);
    store_close(f->store);
    fake_hsm_clear(&f->hsm);
    if (*f->dir)
        directory_remove(f->dir);
}

status fixture_sign(struct fixture *f, const struct principal *who)
{
    sign_result_clear(&f->result);
    f->err = (struct error){0};
    return signer_sign(f->signer, who, &f->order, deadline_in(10000), &f->result, &f->err);
}

void fixture_change(struct fixture *f, status (*change)(struct db *db))
{
    struct db *db = store_writer(f->store);
    MUST(store_writer_lock(f->store, NULL));
    MUST(db_begin(db, NULL));
    MUST(change(db));
    MUST(store_generation_bump(db, NULL));
    MUST(db_commit(db, NULL));
    store_writer_unlock(f->store);
}

status revoke_alice(struct db *db)
{
    return member_delete(db, "prj_demo", "svc_alice", MEMBER_SIGNER, NULL);
}

status grant_alice(struct db *db)
{
    member_add(db, "svc_alice", MEMBER_SIGNER);
    return OK;
}

status team_of_alice(struct db *db)
{
    const struct team builders = {.id = "team_builders", .name = "builders", .created_ms = 1};
    const struct member m = {.project_id = "prj_demo",
                             .principal_id = "team_builders",
                             .principal_type = PRINCIPAL_TEAM,
                             .role = MEMBER_SIGNER,
                             .since_ms = 1};
    TRY(revoke_alice(db));
    TRY(team_insert(db, &builders, NULL));
    TRY(team_member_insert(db, "team_builders", "svc_alice", 1, NULL));
    return member_insert(db, &m, NULL);
}

status disable_rsa(struct db *db)
{
    return signing_key_set_state(db, KEY_RSA, KEY_DISABLED, "stolen laptop", NULL);
}

status enable_rsa(struct db *db)
{
    return signing_key_set_state(db, KEY_RSA, KEY_ACTIVE, "", NULL);
}

status disable_account_alice(struct db *db)
{
    struct principal p = {0};
    TRY(principal_find(db, "svc_alice", &p, NULL));
    p.disabled = true;
    return principal_update(db, &p, NULL);
}

static status usage_keep(void *arg, const struct usage *u)
{
    *(struct usage *)arg = *u;
    return OK;
}

struct usage usage_of(struct fixture *f, const char *key_id)
{
    struct usage found = {0};
    const struct usage_filter filter = {.key_id = key_id};
    struct db *db = store_reader_acquire(f->store, NULL);
    MUST(usage_list(db, &filter, usage_keep, &found, NULL));
    store_reader_release(f->store, db);
    return found;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* See world.h. */
#include "world.h"

#include <dirent.h>
#include <sys/stat.h>

void (*world_fresh)(struct world *w) = world_fresh_memory;

void world_fresh_memory(struct world *w)
{
    (void)snprintf(w->url, sizeof(w->url), "sqlite::memory:");
}

void world_directory_make(struct world *w)
{
    (void)snprintf(w->directory, sizeof(w->directory), "/tmp/chancery-store-XXXXXX");
    assert_non_null(mkdtemp(w->directory));
}

void world_fresh_file(struct world *w)
{
    world_directory_make(w);
    (void)snprintf(w->url, sizeof(w->url), "sqlite:%s/store.db", w->directory);
}

static void directory_remove(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char file[512];
        (void)snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            (void)unlink(file);
    }
    (void)closedir(dir);
    (void)rmdir(path);
}

int world_setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    world_fresh(w);
    assert_ok(store_open(w->url, &w->store, &w->err), &w->err);
    assert_ok(store_migrate(w->store, &w->err), &w->err);
    w->db = store_writer(w->store);
    *state = w;
    return 0;
}

int world_teardown(void **state)
{
    struct world *w = *state;
    if (w->store)
        store_close(w->store);
    if (*w->directory)
        directory_remove(w->directory);
    free(w);
    return 0;
}

void world_reopen(struct world *w)
{
    store_close(w->store);
    w->store = NULL;
    assert_ok(store_open(w->url, &w->store, &w->err), &w->err);
    w->db = store_writer(w->store);
}

#define COPY(field, text) ((void)snprintf((field), sizeof(field), "%s", (text)))

struct project world_project(struct world *w, const char *id, const char *name)
{
    struct project p = {.created_ms = 1000};
    COPY(p.id, id);
    COPY(p.name, name);
    COPY(p.description, "Release \xc3\xa9l\xc3\xa8ve \xe2\x9c\x93");
    assert_ok(project_insert(w->db, &p, &w->err), &w->err);
    return p;
}

struct principal world_principal(struct world *w, const char *id, const char *name, enum principal_type type)
{
    struct principal p = {.type = type, .created_ms = 2000};
    COPY(p.id, id);
    COPY(p.name, name);
    assert_ok(principal_insert(w->db, &p, &w->err), &w->err);
    return p;
}

void world_member(struct world *w, const char *project_id, const char *principal_id, enum member_role role)
{
    struct member m = {.role = role, .since_ms = 3000};
    COPY(m.project_id, project_id);
    COPY(m.principal_id, principal_id);
    assert_ok(member_insert(w->db, &m, &w->err), &w->err);
}

void world_key(struct world *w, const char *id, const char *project_id, const char *label, uint8_t hsm_byte)
{
    cleanup_signing_key struct signing_key k = {.hashes = HASH_SET_DEFAULT,
                                                .mechanisms = 1u << MECHANISM_RSA_PKCS1 | 1u << MECHANISM_RSA_PSS,
                                                .created_ms = 4000,
                                                .version = 1,
                                                .type = KEY_TYPE_RSA3072};
    COPY(k.id, id);
    COPY(k.project_id, project_id);
    COPY(k.label, label);
    COPY(k.hsm_attributes, "{\"sensitive\":true}");
    memset(k.hsm_id, hsm_byte, sizeof(k.hsm_id));
    buf_add(&k.spki, "\x30\x00spki", 6);
    buf_add(&k.certificate, "\x30\x00leaf", 6);
    assert_ok(signing_key_insert(w->db, &k, &w->err), &w->err);
}

void assert_same_principal(const struct principal *a, const struct principal *b)
{
    assert_string_equal(a->id, b->id);
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->role, b->role);
    assert_int_equal(a->disabled, b->disabled);
    assert_int_equal(a->expires_ms, b->expires_ms);
    assert_int_equal(a->created_ms, b->created_ms);
}

void collect(struct collected *c, const char *text)
{
    size_t len = strlen(c->text);
    (void)snprintf(c->text + len, sizeof(c->text) - len, "%s%s", len ? "," : "", text);
    c->count++;
}

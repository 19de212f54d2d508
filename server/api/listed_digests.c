/* SPDX-License-Identifier: Apache-2.0 */
/* The digests that a key may sign while its policy says "digests": "listed"; fed by whoever reviews what is released.
 */
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/change.h"
#include "server/api/list.h"
#include "server/api/parse.h"
#include "server/api/routes.h"
#include "server/store/policy.h"

enum { COUNT_MOST = 1000000000 };

struct digest_change {
    struct change change;
    struct listed_digest digest;
    const char *author_id;
};

static void digest_change_clear(struct digest_change *c)
{
    change_clear(&c->change);
}
#define cleanup_digest_change CLEANUP(digest_change_clear)

static void digest_render(struct json_writer *w, const struct listed_digest *d)
{
    json_begin_object(w, NULL);
    json_add_text(w, "hash", d->hash);
    json_add_text(w, "digest", d->digest);
    if (d->remaining >= 0)
        json_add_integer(w, "remaining", d->remaining);
    else
        json_add_null(w, "remaining");
    json_add_time(w, "expires", d->expires_ms);
    json_add_text(w, "note", d->note);
    json_add_text(w, "author", d->author_name);
    json_add_time(w, "created", d->created_ms);
    json_end_object(w);
}

/* Lower-case hex of the hash's length, so that one digest has one row. */
static status digest_read(struct listed_digest *d, const char *hash, const char *digest, struct error *err)
{
    enum hash h = HASH_NONE;
    if (!hash_parse(hash, &h))
        return error_set(err, CODE_INVALID, "hash: a hash like sha256 is expected");
    if (strlen(digest) != 2 * hash_len(h) || strspn(digest, "0123456789abcdef") != strlen(digest))
        return error_set(err, CODE_INVALID, "digest: %zu lower-case hexadecimal digits are expected for %s",
                         2 * hash_len(h), hash);
    (void)text_copy(d->hash, sizeof(d->hash), hash);
    (void)text_copy(d->digest, sizeof(d->digest), digest);
    return OK;
}

static void digest_change_begin(struct digest_change *c, const struct request *req, const char *type)
{
    const struct caller *caller = caller_of(req);
    (void)text_copy(c->digest.key_id, sizeof(c->digest.key_id), caller->key_id);
    (void)text_copy(c->digest.author_name, sizeof(c->digest.author_name), caller_principal(req)->name);
    c->author_id = caller_principal(req)->id;
    change_begin(&c->change, req, type);
    change_key_asked(&c->change, req);
    json_add_text(&c->change.detail, "hash", c->digest.hash);
    json_add_text(&c->change.detail, "digest", c->digest.digest);
}

static status digest_put_rows(struct db *db, struct change *change, struct error *err)
{
    struct digest_change *c = (struct digest_change *)change;
    return listed_digest_put(db, &c->digest, c->author_id, err);
}

static void digest_add_render(struct json_writer *w, const struct change *change)
{
    const struct digest_change *c = (const struct digest_change *)change;

    digest_render(w, &c->digest);
}

static const struct change_creation digest_creation = {digest_put_rows, digest_add_render, false};

static status digest_add(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_digest_change struct digest_change c = {.digest = {.remaining = -1, .created_ms = clock_now_ms()}};
    const char *hash = NULL, *digest = NULL, *expires = NULL, *note = "";
    int64_t count = -1;
    const struct json_field fields[] = {
        {"hash", JSON_STRING, JSON_REQUIRED, &hash},
        {"digest", JSON_STRING, JSON_REQUIRED, &digest},
        {"count", JSON_INTEGER, 0, &count},
        {"expires", JSON_STRING, 0, &expires},
        {"note", JSON_STRING, 0, &note},
    };

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(digest_read(&c.digest, hash, digest, err));
    TRY(check_text("note", note, err));
    TRY(check_expires("expires", expires, &c.digest.expires_ms, err));
    if (count != -1 && (count < 1 || count > COUNT_MOST))
        return error_set(err, CODE_INVALID, "count: 1 to %d is expected", COUNT_MOST);
    c.digest.remaining = count;
    (void)text_copy(c.digest.note, sizeof(c.digest.note), note);

    digest_change_begin(&c, req, "digest.add");
    if (count > 0)
        json_add_integer(&c.change.detail, "count", count);
    json_add_time(&c.change.detail, "expires", c.digest.expires_ms);
    json_add_text(&c.change.detail, "note", note);
    return change_create(&c.change, arg, req, res, &digest_creation, err);
}

static status digest_delete_rows(struct db *db, struct change *change, struct error *err)
{
    struct digest_change *c = (struct digest_change *)change;
    status s = listed_digest_delete(db, c->digest.key_id, c->digest.hash, c->digest.digest, err);
    if (s.code == CODE_NOT_FOUND)
        return error_set(err, CODE_NOT_FOUND, "the digest is not on the key's list");
    return s;
}

static status digest_remove(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_digest_change struct digest_change c = {0};

    TRY(query_none(req, err));
    TRY(digest_read(&c.digest, request_param(req, "hash"), request_param(req, "digest"), err));
    digest_change_begin(&c, req, "digest.remove");
    TRY(change_commit(&c.change, arg, req, digest_delete_rows, err));
    response_status(res, 204);
    return OK;
}

static status digest_row(void *arg, const struct listed_digest *d)
{
    struct list *list = arg;
    char cursor[LIST_CURSOR_SIZE];

    (void)snprintf(cursor, sizeof(cursor), "%s.%s", d->hash, d->digest);
    if (list_take(list, cursor))
        digest_render(list->w, d);
    return OK;
}

static status digest_list_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    struct list list;

    TRY(list_open(&list, &reader, arg, req, err));
    list_begin(&list, res);
    TRY(listed_digest_list(reader.db, caller_of(req)->key_id, list.page, digest_row, &list, err));
    return list_end(&list);
}

const struct route listed_digest_routes[] = {
    {"GET", "/v1/keys/{key}/digests", PERMISSION_PROJECT_READ, digest_list_get, 0},
    {"POST", "/v1/keys/{key}/digests", PERMISSION_PROJECT_MANAGE, digest_add, 0},
    {"DELETE", "/v1/keys/{key}/digests/{hash}/{digest}", PERMISSION_PROJECT_MANAGE, digest_remove, 0},
    {0},
};

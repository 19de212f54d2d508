/* SPDX-License-Identifier: Apache-2.0 */
/* Policies of the platform, of Projects and of keys. Each save is a new version, recorded with what it changed; the
 * version is the ETag. What a policy means is server/sign/policy.h. */
#include "server/api/caller.h"
#include "server/api/change.h"
#include "server/api/list.h"
#include "server/api/parse.h"
#include "server/api/policy_scope.h"
#include "server/api/routes.h"
#include "server/sign/policy.h"

#include <stdio.h>
#include <string.h>

#include "common/text.h"

struct policy_change {
    struct change change;
    struct policy_row row;       /* the new version */
    const struct json *document; /* NULL: the policy is taken away */
    struct buf text;
};

static void policy_change_clear(struct policy_change *c)
{
    change_clear(&c->change);
    policy_row_clear(&c->row);
    buf_clear(&c->text);
}
#define cleanup_policy_change CLEANUP(policy_change_clear)

static void policy_render(struct json_writer *w, const struct policy_row *row)
{
    json_begin_object(w, NULL);
    json_add_text(w, "scope", policy_scope_name(row->scope));
    json_add_text(w, "id", *row->scope_id ? row->scope_id : NULL);
    json_add_integer(w, "version", row->version);
    if (row->document.len > 0)
        json_add_raw(w, "document", buf_text(&row->document));
    else
        json_add_null(w, "document");
    json_add_text(w, "author", *row->author_name ? row->author_name : NULL);
    json_add_time(w, "created", row->created_ms);
    json_end_object(w);
}

static void policy_answer(struct response *res, const struct policy_row *row)
{
    response_revision(res, row->version);
    policy_render(response_json(res, 200), row);
}

static status policy_get(struct api *api, struct request *req, struct response *res, enum policy_scope scope,
                         struct error *err)
{
    cleanup_reader struct reader reader = {0};
    cleanup_policy_row struct policy_row row = {0};

    TRY(query_none(req, err));
    TRY(reader_acquire(&reader, api->store, err));
    TRY(policy_find(reader.db, scope, policy_scope_id(req, scope), &row, err));
    policy_answer(res, &row);
    return OK;
}

/* ---- what a version changed: member by member */

static bool json_same(const struct json *a, const struct json *b)
{
    cleanup_buf struct buf left = {0}, right = {0};
    struct json_writer l = json_writer_on(&left), r = json_writer_on(&right);

    if (!a || !b)
        return a == b;
    json_add_value(&l, NULL, a);
    json_add_value(&r, NULL, b);
    return slice_equal(buf_slice(&left), buf_slice(&right));
}

static void member_write(struct json_writer *w, const char *name, const struct json *v)
{
    if (v)
        json_add_value(w, name, v);
    else
        json_add_null(w, name);
}

static void difference_write(struct json_writer *w, const char *name, const struct json *before,
                             const struct json *after)
{
    if (json_same(before, after))
        return;
    json_begin_object(w, NULL);
    json_add_text(w, "member", name);
    member_write(w, "before", before);
    member_write(w, "after", after);
    json_end_object(w);
}

static void diff_write(struct json_writer *w, const struct json *before, const struct json *after)
{
    json_begin_array(w, "diff");
    for (size_t i = 0; i < json_count(before); i++)
        difference_write(w, json_name_at(before, i), json_at(before, i), json_get(after, json_name_at(before, i)));
    for (size_t i = 0; i < json_count(after); i++) {
        if (!json_get(before, json_name_at(after, i)))
            difference_write(w, json_name_at(after, i), NULL, json_at(after, i));
    }
    json_end_array(w);
}

static status policy_rows(struct db *db, struct change *change, struct error *err)
{
    struct policy_change *c = (struct policy_change *)change;
    cleanup_policy_row struct policy_row old = {0};
    cleanup_json struct json *before = NULL;

    TRY(policy_find(db, c->row.scope, c->row.scope_id, &old, err));
    TRY(change_check_revision(change, old.version, err));
    if (old.document.len == 0 && !c->document)
        return error_set(err, CODE_NOT_FOUND, "there is no policy of this %s", policy_scope_name(c->row.scope));
    if (old.document.len > 0)
        TRY(json_parse(buf_slice(&old.document), POLICY_DOCUMENT, LIMIT_JSON_DEPTH, &before, err));

    c->row.version = old.version + 1;
    json_add_integer(&change->detail, "version", c->row.version);
    diff_write(&change->detail, before, c->document);
    return policy_insert(db, &c->row, err);
}

static status policy_save(struct policy_change *c, struct api *api, struct request *req, struct response *res,
                          enum policy_scope scope, struct error *err)
{
    const struct principal *who = caller_principal(req);

    c->row.scope = scope;
    c->row.created_ms = clock_now_ms();
    (void)text_copy(c->row.scope_id, sizeof(c->row.scope_id), policy_scope_id(req, scope));
    (void)text_copy(c->row.author_id, sizeof(c->row.author_id), who->id);
    (void)text_copy(c->row.author_name, sizeof(c->row.author_name), who->name);

    change_begin(&c->change, req, c->document ? "policy.update" : "policy.delete");
    policy_scope_target(&c->change, req, scope);
    TRY(change_commit(&c->change, api, req, policy_rows, err));
    policy_answer(res, &c->row);
    return OK;
}

static status policy_put(struct api *api, struct request *req, struct response *res, enum policy_scope scope,
                         struct error *err)
{
    cleanup_policy_change struct policy_change c = {0};
    cleanup_policy struct policy *judged = NULL;

    TRY(query_none(req, err));
    TRY(request_json(req, &c.document, err));
    if (json_type(c.document) != JSON_OBJECT)
        return error_set(err, CODE_INVALID, "a policy is an object");
    TRY(policy_parse(c.document, &judged, err));

    struct json_writer w = json_writer_on(&c.row.document);
    json_add_value(&w, NULL, c.document);
    TRY(buf_check(&c.row.document, err));
    if (c.row.document.len > POLICY_DOCUMENT)
        return error_set(err, CODE_TOO_LARGE, "a policy has at most %d bytes", POLICY_DOCUMENT);
    return policy_save(&c, api, req, res, scope, err);
}

static status policy_delete(struct api *api, struct request *req, struct response *res, enum policy_scope scope,
                            struct error *err)
{
    cleanup_policy_change struct policy_change c = {0};

    TRY(query_none(req, err));
    return policy_save(&c, api, req, res, scope, err);
}

static status version_row(void *arg, const struct policy_row *row)
{
    struct list *list = arg;
    char cursor[24];

    (void)snprintf(cursor, sizeof(cursor), "%lld", (long long)row->version);
    if (list_take(list, cursor))
        policy_render(list->w, row);
    return OK;
}

static status policy_versions_get(struct api *api, struct request *req, struct response *res, enum policy_scope scope,
                                  struct error *err)
{
    cleanup_reader struct reader reader = {0};
    struct list list;
    int64_t before = 0;

    TRY(list_open(&list, &reader, api, req, err));
    if (list.page.after && (!text_to_int64(list.page.after, &before) || before < 1))
        return error_set(err, CODE_INVALID, "after: not a cursor of this list");
    list_begin(&list, res);
    TRY(policy_versions(reader.db, scope, policy_scope_id(req, scope), before, list.page.limit, version_row, &list,
                        err));
    return list_end(&list);
}

#define SCOPED(handler, scope_name, scope)                                                                             \
    static status handler##_##scope_name(void *arg, struct request *req, struct response *res, struct error *err)      \
    {                                                                                                                  \
        return handler(arg, req, res, scope, err);                                                                     \
    }
#define ALL_SCOPES(handler)                                                                                            \
    SCOPED(handler, platform, SCOPE_PLATFORM)                                                                          \
    SCOPED(handler, project, SCOPE_PROJECT)                                                                            \
    SCOPED(handler, key, SCOPE_KEY)
ALL_SCOPES(policy_get)
ALL_SCOPES(policy_put)
ALL_SCOPES(policy_delete)
ALL_SCOPES(policy_versions_get)

const struct route policy_routes[] = {
    {"GET", "/v1/policy", PERMISSION_ANY, policy_get_platform, 0},
    {"PUT", "/v1/policy", PERMISSION_ADMINISTER, policy_put_platform, 0},
    {"DELETE", "/v1/policy", PERMISSION_ADMINISTER, policy_delete_platform, 0},
    {"GET", "/v1/policy/versions", PERMISSION_ANY, policy_versions_get_platform, 0},
    {"GET", "/v1/projects/{project}/policy", PERMISSION_PROJECT_READ, policy_get_project, 0},
    {"PUT", "/v1/projects/{project}/policy", PERMISSION_PROJECT_MANAGE, policy_put_project, 0},
    {"DELETE", "/v1/projects/{project}/policy", PERMISSION_PROJECT_MANAGE, policy_delete_project, 0},
    {"GET", "/v1/projects/{project}/policy/versions", PERMISSION_PROJECT_READ, policy_versions_get_project, 0},
    {"GET", "/v1/keys/{key}/policy", PERMISSION_PROJECT_READ, policy_get_key, 0},
    {"PUT", "/v1/keys/{key}/policy", PERMISSION_PROJECT_MANAGE, policy_put_key, 0},
    {"DELETE", "/v1/keys/{key}/policy", PERMISSION_PROJECT_MANAGE, policy_delete_key, 0},
    {"GET", "/v1/keys/{key}/policy/versions", PERMISSION_PROJECT_READ, policy_versions_get_key, 0},
    {0},
};

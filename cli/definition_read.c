/* SPDX-License-Identifier: Apache-2.0 */
/* The definition as the server has it. Lists come in the order of ids, which says nothing to people: they are sorted by
 * name here. */
#include "cli/definition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chancery/protocol.h"
#include "cli/api.h"

/* Objects as text, with what they are sorted by. */
struct sorted {
    struct sorted_item {
        struct buf order, text;
    } * items;
    size_t count, room;
};

static void sorted_clear(struct sorted *s)
{
    for (size_t i = 0; i < s->count; i++) {
        buf_clear(&s->items[i].order);
        buf_clear(&s->items[i].text);
    }
    free(s->items);
    *s = (struct sorted){0};
}
#define cleanup_sorted CLEANUP(sorted_clear)

static status sorted_add(struct sorted *s, struct sorted_item **out, struct error *err)
{
    if (s->count == s->room) {
        size_t room = s->room ? 2 * s->room : 16;
        struct sorted_item *items = reallocarray(s->items, room, sizeof(*items));
        if (!items)
            return error_set(err, CODE_NO_MEMORY, "out of memory");
        s->items = items;
        s->room = room;
    }
    *out = &s->items[s->count++];
    **out = (struct sorted_item){0};
    return OK;
}

static int item_compare(const void *a, const void *b)
{
    const struct sorted_item *left = a, *right = b;
    return strcmp(buf_text(&left->order), buf_text(&right->order));
}

static status sorted_write(struct sorted *s, struct json_writer *w, const char *name, struct error *err)
{
    if (s->count > 0)
        qsort(s->items, s->count, sizeof(*s->items), item_compare);
    json_begin_array(w, name);
    for (size_t i = 0; i < s->count; i++) {
        TRY(buf_check(&s->items[i].text, err));
        json_add_raw(w, NULL, buf_text(&s->items[i].text));
    }
    json_end_array(w);
    return OK;
}

struct reading {
    struct cli *cli;
    const char *project;
    struct sorted items;
};
static void reading_clear(struct reading *r)
{
    sorted_clear(&r->items);
}
#define cleanup_reading CLEANUP(reading_clear)

/* ---- policies */

static status policy_read(struct cli *cli, const struct buf *path, struct json_writer *w, struct error *err)
{
    cleanup_json struct json *answer = NULL;
    TRY(api_request(cli, "GET", path, NULL, &answer, err));
    const struct json *document = json_get(answer, "document");
    if (json_type(document) == JSON_OBJECT)
        json_add_value(w, "policy", document);
    else
        json_add_null(w, "policy");
    json_add_integer(w, "policy_version", json_get_integer(answer, "version", 0));
    return OK;
}

/* ---- members */

static status member_take(void *arg, const struct json *item, struct error *err)
{
    static const char *const roles[] = {"owner", "signer", "approver"};
    struct reading *r = arg;
    struct sorted_item *to = NULL;
    const char *role = json_get_text(item, "role", "");
    size_t rank = 0;
    while (rank < COUNT_OF(roles) && strcmp(roles[rank], role) != 0)
        rank++;

    TRY(sorted_add(&r->items, &to, err));
    buf_printf(&to->order, "%zu %s", rank, json_get_text(item, "name", ""));
    struct json_writer w = json_writer_on(&to->text);
    json_begin_object(&w, NULL);
    json_add_text(&w, "principal", json_get_text(item, "name", ""));
    json_add_text(&w, "role", role);
    for (size_t i = 0; i < COUNT_OF(definition_times); i++)
        if (*json_get_text(item, definition_times[i], ""))
            json_add_text(&w, definition_times[i], json_get_text(item, definition_times[i], ""));
    json_end_object(&w);
    return buf_check(&to->order, err);
}

static status members_read(struct cli *cli, const char *project, struct json_writer *w, struct error *err)
{
    cleanup_buf struct buf path = {0};
    cleanup_reading struct reading r = {.cli = cli};
    api_path(&path, "/v1/projects/%/members", project);
    TRY(api_each(cli, &path, member_take, &r, err));
    return sorted_write(&r.items, w, "members", err);
}

/* ---- keys */

static status key_take(void *arg, const struct json *item, struct error *err)
{
    struct reading *r = arg;
    struct sorted_item *to = NULL;
    cleanup_buf struct buf path = {0};
    TRY(sorted_add(&r->items, &to, err));
    buf_add_text(&to->order, json_get_text(item, "label", ""));
    struct json_writer w = json_writer_on(&to->text);
    json_begin_object(&w, NULL);
    json_add_text(&w, "label", json_get_text(item, "label", ""));
    json_add_text(&w, "type", json_get_text(item, "type", ""));
    json_add_text(&w, "state", json_get_text(item, "state", ""));
    json_add_integer(&w, "revision", json_get_integer(item, "revision", -1));
    api_path(&path, "/v1/keys/%/policy", json_get_text(item, "id", ""));
    TRY(policy_read(r->cli, &path, &w, err));
    json_end_object(&w);
    return buf_check(&to->order, err);
}

static status keys_read(struct cli *cli, const char *project, struct json_writer *w, struct error *err)
{
    cleanup_buf struct buf path = {0};
    cleanup_reading struct reading r = {.cli = cli};
    api_path(&path, "/v1/keys");
    api_query(&path, "project", project);
    TRY(api_each(cli, &path, key_take, &r, err));
    return sorted_write(&r.items, w, "keys", err);
}

/* ---- projects */

static status project_take(void *arg, const struct json *item, struct error *err)
{
    struct reading *r = arg;
    struct sorted_item *to = NULL;
    cleanup_buf struct buf path = {0};
    const char *name = json_get_text(item, "name", "");
    TRY(sorted_add(&r->items, &to, err));
    buf_add_text(&to->order, name);
    struct json_writer w = json_writer_on(&to->text);
    json_begin_object(&w, NULL);
    json_add_text(&w, "name", name);
    json_add_text(&w, "description", json_get_text(item, "description", ""));
    json_add_integer(&w, "revision", json_get_integer(item, "revision", -1));
    TRY(members_read(r->cli, name, &w, err));
    api_path(&path, "/v1/projects/%/policy", name);
    TRY(policy_read(r->cli, &path, &w, err));
    TRY(keys_read(r->cli, name, &w, err));
    json_end_object(&w);
    return buf_check(&to->order, err);
}

/* A Project that is not there yet is simply not in the answer. */
static status projects_named(struct reading *r, const struct json *only, struct error *err)
{
    for (size_t i = 0; i < json_count(only); i++) {
        cleanup_buf struct buf path = {0};
        cleanup_json struct json *answer = NULL;
        api_path(&path, "/v1/projects/%", json_get_text(json_at(only, i), "name", ""));
        status s = api_request(r->cli, "GET", &path, NULL, &answer, err);
        if (s.code == CODE_NOT_FOUND)
            continue;
        TRY(s);
        TRY(project_take(r, answer, err));
    }
    return OK;
}

static status projects_all(struct reading *r, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/projects");
    return api_each(r->cli, &path, project_take, r, err);
}

status definition_read(struct cli *cli, const struct json *only, struct json **out, struct error *err)
{
    cleanup_buf struct buf text = {0}, path = {0};
    cleanup_reading struct reading r = {.cli = cli};
    struct json_writer w = json_writer_on(&text);
    json_begin_object(&w, NULL);
    json_add_integer(&w, "chancery", DEFINITION_FORMAT);
    api_path(&path, "/v1/policy");
    TRY(policy_read(cli, &path, &w, err));
    TRY(only ? projects_named(&r, only, err) : projects_all(&r, err));
    TRY(sorted_write(&r.items, &w, "projects", err));
    json_end_object(&w);
    TRY(buf_check(&text, err));
    return json_parse(buf_slice(&text), DEFINITION_MAX, 2 * LIMIT_JSON_DEPTH, out, err);
}

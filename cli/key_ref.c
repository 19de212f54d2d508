/* SPDX-License-Identifier: Apache-2.0 */
/* PROJECT-LABEL cannot be split, as both may hold hyphens, so it is compared with what there is. */
#include "cli/key_ref.h"

#include <string.h>

#include "cli/api.h"

static bool is_project_label(const char *name, const char *project, const char *label, char between)
{
    size_t len = strlen(project);
    return strncmp(name, project, len) == 0 && name[len] == between && strcmp(name + len + 1, label) == 0;
}

bool key_is_named(const struct client_key *key, const char *name)
{
    return strcmp(key->id, name) == 0 || strcmp(key->token_label, name) == 0 ||
           is_project_label(name, key->project, key->label, ':');
}

const struct client_key *key_find(const struct client_keys *keys, const char *name)
{
    for (size_t i = 0; i < keys->count; i++)
        if (key_is_named(&keys->items[i], name))
            return &keys->items[i];
    return NULL;
}

status key_find_fresh(struct cli *cli, struct client *c, const char *name, const struct client_keys **keys,
                      const struct client_key **out, struct error *err)
{
    cleanup_client_keys const struct client_keys *known = NULL;
    TRY(client_keys(c, cli_deadline(cli), &known, err));
    *out = key_find(known, name);
    if (*out || !client_keys_search_missed(c)) {
        *keys = steal(&known);
        return OK;
    }
    TRY(client_keys(c, cli_deadline(cli), keys, err));
    *out = key_find(*keys, name);
    return OK;
}

status key_look_up(struct cli *cli, const char *name, const struct client_keys **keys, const struct client_key **out,
                   struct error *err)
{
    struct client *c = NULL;
    cleanup_client_keys const struct client_keys *known = NULL;
    TRY(cli_client_locked(cli, &c, err));
    TRY(client_keys(c, cli_deadline(cli), &known, err));
    *out = key_find(known, name);
    if (*out) {
        *keys = client_keys_ref(known);
        return OK;
    }
    TRY(cli_client(cli, &c, err));
    return key_find_fresh(cli, c, name, keys, out, err);
}

static bool id_find(const struct json *page, const char *name, struct buf *out)
{
    const struct json *items = json_get(page, "items");
    for (size_t i = 0; i < json_count(items); i++) {
        const struct json *key = json_at(items, i);
        const char *project = json_get_text(key, "project", "");
        if (is_project_label(name, project, json_get_text(key, "label", ""), '-')) {
            buf_add_text(out, json_get_text(key, "id", ""));
            return true;
        }
    }
    return false;
}

static status key_search(struct cli *cli, const char *name, struct buf *out, struct error *err)
{
    cleanup_buf struct buf cursor = {0};
    for (;;) {
        cleanup_buf struct buf path = {0};
        cleanup_json struct json *page = NULL;
        api_path(&path, "/v1/keys?limit=1000");
        api_query(&path, "after", cursor.len ? buf_text(&cursor) : NULL);
        TRY(api_request(cli, "GET", &path, NULL, &page, err));
        if (id_find(page, name, out))
            return buf_check(out, err);

        const char *next = json_get_text(page, "next", "");
        if (*next == '\0' || strcmp(next, buf_text(&cursor)) == 0)
            return error_set(err, CODE_NOT_FOUND, "no key is named %.140s, or you may not see it", name);
        buf_reset(&cursor);
        buf_add_text(&cursor, next);
        TRY(buf_check(&cursor, err));
    }
}

status key_reference(struct cli *cli, const char *name, struct buf *out, struct error *err)
{
    if (!strchr(name, ':') && strncmp(name, "key_", 4) != 0)
        return key_search(cli, name, out, err);
    buf_add_text(out, name);
    return buf_check(out, err);
}

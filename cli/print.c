/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of the server for people, without a table per kind of object. */
#include <string.h>

#include "cli/api.h"
#include "cli/table.h"

enum { NAME_WIDTH = 22, NESTING_MAX = 8 };

status api_print_json(struct cli *cli, const struct json *value, struct error *err)
{
    cleanup_buf struct buf text = {0};
    struct json_writer w = json_writer_on(&text);
    json_add_value(&w, NULL, value);
    TRY(buf_check(&text, err));
    fprintf(cli->out, "%s\n", buf_text(&text));
    return OK;
}

static void scalar_format(const struct json *v, struct buf *out)
{
    switch (json_type(v)) {
    case JSON_STRING:
        text_print_safe(out, json_text(v, ""));
        break;
    case JSON_INTEGER:
        buf_printf(out, "%lld", (long long)json_integer(v, 0));
        break;
    case JSON_BOOL:
        buf_add_text(out, json_bool(v, false) ? "yes" : "no");
        break;
    default:
        buf_add_text(out, "-");
        break;
    }
}

static bool is_text_list(const struct json *v)
{
    for (size_t i = 0; i < json_count(v); i++)
        if (json_type(json_at(v, i)) != JSON_STRING || strlen(json_text(json_at(v, i), "")) > 60)
            return false;
    return true;
}

static void value_format(const struct json *v, struct buf *out)
{
    if (json_type(v) != JSON_ARRAY) {
        scalar_format(v, out);
    } else if (!is_text_list(v)) {
        buf_printf(out, "%zu", json_count(v));
    } else {
        for (size_t i = 0; i < json_count(v); i++) {
            buf_add_text(out, i ? "," : "");
            scalar_format(json_at(v, i), out);
        }
    }
}

void api_cell(const struct json *object, const char *member, struct buf *out)
{
    char name[64];
    const char *dot = strchr(member, '.');
    if (dot && (size_t)(dot - member) < sizeof(name)) {
        memcpy(name, member, (size_t)(dot - member));
        name[dot - member] = '\0';
        const struct json *inner = json_get(object, name);
        for (size_t i = 0; json_type(inner) == JSON_ARRAY && i < json_count(inner); i++) {
            buf_add_text(out, i ? "," : "");
            api_cell(json_at(inner, i), dot + 1, out);
        }
        if (json_type(inner) != JSON_ARRAY)
            api_cell(inner, dot + 1, out);
        return;
    }
    const struct json *v = json_get(object, member);
    if (v)
        value_format(v, out);
}

static bool is_object_list(const struct json *v)
{
    return json_type(v) == JSON_ARRAY && json_count(v) > 0 && json_type(json_at(v, 0)) == JSON_OBJECT;
}

static void member_print(struct cli *cli, const char *name, const struct json *v, int nesting);

static void members_print(struct cli *cli, const char *prefix, const struct json *object, int nesting)
{
    for (size_t i = 0; i < json_count(object); i++) {
        cleanup_buf struct buf name = {0};
        buf_printf(&name, "%s%s%s", prefix, *prefix ? "." : "", json_name_at(object, i));
        member_print(cli, buf_text(&name), json_at(object, i), nesting + 1);
    }
}

static void list_print(struct cli *cli, const char *name, const struct json *list, int nesting)
{
    for (size_t i = 0; i < json_count(list); i++) {
        cleanup_buf struct buf numbered = {0};
        buf_printf(&numbered, "%s.%zu", name, i + 1);
        member_print(cli, buf_text(&numbered), json_at(list, i), nesting + 1);
    }
}

static void member_print(struct cli *cli, const char *name, const struct json *v, int nesting)
{
    if (nesting > NESTING_MAX)
        return;
    if (json_type(v) == JSON_OBJECT) {
        members_print(cli, name, v, nesting);
        return;
    }
    if (is_object_list(v)) {
        list_print(cli, name, v, nesting);
        return;
    }
    cleanup_buf struct buf line = {0};
    if (strcmp(name, "public_key") == 0)
        return; /* nobody reads base64; --json has it */
    text_print_safe(&line, name);
    buf_add_byte(&line, ':');
    while (line.len < NAME_WIDTH && !line.failed)
        buf_add_byte(&line, ' ');
    buf_add_byte(&line, ' ');
    value_format(v, &line);
    fprintf(cli->out, "%s\n", buf_text(&line));
}

status api_print_object(struct cli *cli, const struct json *object, struct error *err)
{
    if (json_type(object) != JSON_OBJECT)
        return error_set(err, CODE_INTERNAL, "the server's answer holds no object");
    if (cli_is_json(cli))
        return api_print_json(cli, object, err);
    members_print(cli, "", object, 0);
    return OK;
}

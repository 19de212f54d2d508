/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a definition: how it is laid out, and how strictly it is read. */
#include "cli/definition.h"

#include <string.h>

#include "chancery/protocol.h"
#include "common/clock.h"

enum { INDENT = 2, DEPTH_MAX = LIMIT_JSON_DEPTH + 6 }; /* a policy stands six levels deep */

const char *const definition_times[2] = {"not_before", "not_after"};

static bool is_bookkeeping(const char *name)
{
    return strcmp(name, "revision") == 0 || strcmp(name, "policy_version") == 0;
}

static void line_begin(struct buf *out, int level)
{
    buf_printf(out, "\n%*s", INDENT * level, "");
}

static void scalar_write(const struct json *v, struct buf *out)
{
    struct json_writer w = json_writer_on(out);
    json_add_value(&w, NULL, v);
}

/* An object has a line for each member; a list without objects is one line. bookkeeping: inside of a policy every name
 * is the policy's own. */
static void value_write(const struct json *v, int level, bool bookkeeping, struct buf *out)
{
    bool is_object = json_type(v) == JSON_OBJECT, shown = false;
    if ((!is_object && json_type(v) != JSON_ARRAY) || json_count(v) == 0) {
        scalar_write(v, out);
        return;
    }
    buf_add_text(out, is_object ? "{" : "[");
    for (size_t i = 0; i < json_count(v); i++) {
        const char *name = is_object ? json_name_at(v, i) : "";
        if (bookkeeping && is_bookkeeping(name))
            continue;
        buf_add_text(out, shown ? "," : "");
        shown = true;
        line_begin(out, level + 1);
        if (is_object) {
            json_escape(out, name);
            buf_add_text(out, ": ");
        }
        value_write(json_at(v, i), level + 1, bookkeeping && strcmp(name, "policy") != 0, out);
    }
    line_begin(out, level);
    buf_add_text(out, is_object ? "}" : "]");
}

void definition_format(const struct json *definition, struct buf *out)
{
    value_write(definition, 0, true, out);
    buf_add_text(out, "\n");
}

/* ---- strict reading */

static status prefixed(status s, struct error *err, const char *list, size_t i)
{
    if (!is_ok(s))
        error_prefix(err, "%s[%zu]", list, i);
    return s;
}

static status word_check(const char *field, const char *value, const char *const *words, struct error *err)
{
    cleanup_buf struct buf known = {0};
    for (size_t i = 0; words[i]; i++) {
        if (strcmp(words[i], value) == 0)
            return OK;
        buf_printf(&known, "%s%s", i ? ", " : "", words[i]);
    }
    return error_set(err, CODE_INVALID, "%s: one of %s is expected", field, buf_text(&known));
}

/* No two items of a list may mean the same. */
static status unlike_others(const struct json *list, size_t at, const char *member, const char *second,
                            struct error *err)
{
    const struct json *item = json_at(list, at);
    for (size_t i = 0; i < at; i++) {
        const struct json *other = json_at(list, i);
        if (strcmp(json_get_text(other, member, ""), json_get_text(item, member, "")) == 0 &&
            (!second || strcmp(json_get_text(other, second, ""), json_get_text(item, second, "")) == 0))
            return error_set(err, CODE_INVALID, "%s: %s stands in the list twice", member,
                             json_get_text(item, member, ""));
    }
    return OK;
}

static status member_check(const struct json *list, size_t i, struct error *err)
{
    static const char *const roles[] = {"owner", "signer", "approver", NULL};
    const char *principal = NULL, *role = NULL, *times[2] = {NULL};
    const struct json_field fields[] = {{"principal", JSON_STRING, JSON_REQUIRED, &principal},
                                        {"role", JSON_STRING, JSON_REQUIRED, &role},
                                        {definition_times[0], JSON_STRING, 0, &times[0]},
                                        {definition_times[1], JSON_STRING, 0, &times[1]}};
    int64_t moment = 0;
    TRY(json_read_object(json_at(list, i), fields, COUNT_OF(fields), err));
    for (size_t t = 0; t < COUNT_OF(times); t++)
        if (times[t] && !is_ok(time_parse(times[t], &moment, NULL)))
            return error_set(err, CODE_INVALID, "%s: an RFC 3339 time is expected", definition_times[t]);
    TRY(word_check("role", role, roles, err));
    return unlike_others(list, i, "principal", "role", err);
}

static status key_check(const struct json *list, size_t i, struct error *err)
{
    const char *label = NULL, *type = NULL, *state = "active";
    const struct json *policy = NULL;
    const struct json_field fields[] = {{"label", JSON_STRING, JSON_REQUIRED, &label},
                                        {"type", JSON_STRING, JSON_REQUIRED, &type},
                                        {"state", JSON_STRING, 0, &state},
                                        {"policy", JSON_OBJECT, 0, &policy}};
    enum key_type known;
    TRY(json_read_object(json_at(list, i), fields, COUNT_OF(fields), err));
    if (!key_type_parse(type, &known))
        return error_set(err, CODE_INVALID, "type: there is no key type %.40s", type);
    return unlike_others(list, i, "label", NULL, err);
}

static status list_check(const char *name, const struct json *list,
                         status (*check)(const struct json *list, size_t i, struct error *err), struct error *err)
{
    for (size_t i = 0; i < json_count(list); i++)
        TRY(prefixed(check(list, i, err), err, name, i));
    return OK;
}

static status project_check(const struct json *list, size_t i, struct error *err)
{
    const char *name = NULL, *description = NULL;
    const struct json *members = NULL, *policy = NULL, *keys = NULL;
    const struct json_field fields[] = {{"name", JSON_STRING, JSON_REQUIRED, &name},
                                        {"description", JSON_STRING, 0, &description},
                                        {"members", JSON_ARRAY, 0, &members},
                                        {"policy", JSON_OBJECT, 0, &policy},
                                        {"keys", JSON_ARRAY, 0, &keys}};
    TRY(json_read_object(json_at(list, i), fields, COUNT_OF(fields), err));
    TRY(unlike_others(list, i, "name", NULL, err));
    TRY(list_check("members", members, member_check, err));
    return list_check("keys", keys, key_check, err);
}

status definition_parse(struct slice text, struct json **out, struct error *err)
{
    int64_t format = 0;
    const struct json *projects = NULL, *policy = NULL;
    const struct json_field fields[] = {{"chancery", JSON_INTEGER, JSON_REQUIRED, &format},
                                        {"policy", JSON_OBJECT, 0, &policy},
                                        {"projects", JSON_ARRAY, JSON_REQUIRED, &projects}};
    cleanup_json struct json *root = NULL;
    TRY(json_parse(text, DEFINITION_MAX, DEPTH_MAX, &root, err));
    TRY(json_read_object(root, fields, COUNT_OF(fields), err));
    if (format != DEFINITION_FORMAT)
        return error_set(err, CODE_INVALID, "chancery: %d is the only format there is", DEFINITION_FORMAT);
    TRY(list_check("projects", projects, project_check, err));
    *out = steal(&root);
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Reading from the tree: lenient getters, and objects by a table of fields. */
#include "common/json_tree.h"

#include <openssl/crypto.h>
#include <string.h>

/* Strings are wiped: requests carry API keys and passwords. */
static void text_clear(char *text)
{
    if (text)
        OPENSSL_cleanse(text, strlen(text));
    free(text);
}

void json_clear(struct json *v)
{
    free(v->name);
    if (v->type == JSON_STRING || v->type == JSON_NUMBER)
        text_clear(v->text);
    if (v->type == JSON_ARRAY || v->type == JSON_OBJECT) {
        for (size_t i = 0; i < v->count; i++)
            json_clear(&v->items[i]);
        free(v->items);
    }
    *v = (struct json){0};
}

void json_free(struct json *root)
{
    if (!root)
        return;

    json_clear(root);
    free(root);
}

enum json_type json_type(const struct json *v)
{
    return v ? v->type : JSON_NULL;
}

size_t json_count(const struct json *v)
{
    return json_type(v) == JSON_ARRAY || json_type(v) == JSON_OBJECT ? v->count : 0;
}

const struct json *json_at(const struct json *v, size_t i)
{
    return i < json_count(v) ? &v->items[i] : NULL;
}

const char *json_name_at(const struct json *object, size_t i)
{
    return json_type(object) == JSON_OBJECT && i < object->count ? object->items[i].name : NULL;
}

const struct json *json_get(const struct json *object, const char *name)
{
    for (size_t i = 0; json_type(object) == JSON_OBJECT && i < object->count; i++) {
        if (strcmp(object->items[i].name, name) == 0)
            return &object->items[i];
    }
    return NULL;
}

const char *json_text(const struct json *v, const char *otherwise)
{
    return json_type(v) == JSON_STRING ? v->text : otherwise;
}

int64_t json_integer(const struct json *v, int64_t otherwise)
{
    return json_type(v) == JSON_INTEGER ? v->integer : otherwise;
}

bool json_bool(const struct json *v, bool otherwise)
{
    return json_type(v) == JSON_BOOL ? v->boolean : otherwise;
}

const char *json_get_text(const struct json *object, const char *name, const char *otherwise)
{
    return json_text(json_get(object, name), otherwise);
}

int64_t json_get_integer(const struct json *object, const char *name, int64_t otherwise)
{
    return json_integer(json_get(object, name), otherwise);
}

bool json_get_bool(const struct json *object, const char *name, bool otherwise)
{
    return json_bool(json_get(object, name), otherwise);
}

static const char *type_text(enum json_type type)
{
    static const char *const texts[] = {
        [JSON_NULL] = "null",       [JSON_BOOL] = "true or false", [JSON_INTEGER] = "an integer",
        [JSON_NUMBER] = "a number", [JSON_STRING] = "a string",    [JSON_ARRAY] = "an array",
        [JSON_OBJECT] = "an object"};
    return texts[type];
}

static const struct json_field *field_find(const struct json_field *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    }
    return NULL;
}

static status members_check(const struct json *v, const struct json_field *fields, size_t count, struct error *err)
{
    for (size_t i = 0; i < v->count; i++) {
        const struct json *member = &v->items[i];
        const struct json_field *field = field_find(fields, count, member->name);
        if (!field)
            return error_set(err, CODE_INVALID, "%.64s: no such field", member->name);
        if (member->type != JSON_NULL && member->type != field->type)
            return error_set(err, CODE_INVALID, "%s: %s is expected", field->name, type_text(field->type));
    }
    return OK;
}

static void field_store(const struct json_field *field, const struct json *v)
{
    switch (field->type) {
    case JSON_STRING:
        *(const char **)field->target = v->text;
        break;
    case JSON_INTEGER:
        *(int64_t *)field->target = v->integer;
        break;
    case JSON_BOOL:
        *(bool *)field->target = v->boolean;
        break;
    case JSON_NUMBER:
    case JSON_ARRAY:
    case JSON_OBJECT:
        *(const struct json **)field->target = v;
        break;
    case JSON_NULL:
        break;
    }
}

status json_read_object(const struct json *v, const struct json_field *fields, size_t count, struct error *err)
{
    if (json_type(v) != JSON_OBJECT)
        return error_set(err, CODE_INVALID, "an object is expected");
    TRY(members_check(v, fields, count, err));

    for (size_t i = 0; i < count; i++) {
        if ((fields[i].flags & JSON_REQUIRED) && json_type(json_get(v, fields[i].name)) == JSON_NULL)
            return error_set(err, CODE_INVALID, "%s: missing", fields[i].name);
    }
    /* Only now, so that a refused object leaves every target as it was. */
    for (size_t i = 0; i < count; i++) {
        const struct json *member = json_get(v, fields[i].name);
        if (json_type(member) != JSON_NULL)
            field_store(&fields[i], member);
    }
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON Schema that docs/openapi.yaml uses: type, enum, pattern, format date-time, properties, required,
 * additionalProperties, items, $ref. */
#include "openapi.h"

#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"

const struct json *openapi_resolve(const struct json *document, const struct json *node)
{
    const char *ref = json_get_text(node, "$ref", NULL);
    if (!ref)
        return node;

    char name[128];
    const struct json *at = document;
    for (const char *part = ref + 1; at && *part == '/';) {
        size_t len = strcspn(++part, "/");
        (void)snprintf(name, sizeof(name), "%.*s", (int)len, part);
        at = json_get(at, name);
        part += len;
    }
    return at;
}

const struct json *openapi_operation(const struct json *document, const char *method, const char *pattern)
{
    char lower[16] = "";

    for (size_t i = 0; method[i] && i + 1 < sizeof(lower); i++)
        lower[i] = (char)tolower((unsigned char)method[i]);
    return json_get(json_get(json_get(document, "paths"), pattern), lower);
}

static const struct json *media_schema(const struct json *document, const struct json *holder, const char *media)
{
    const struct json *content = json_get(openapi_resolve(document, holder), "content");

    return openapi_resolve(document, json_get(json_get(content, media), "schema"));
}

const struct json *openapi_body_schema(const struct json *document, const struct json *operation, const char *media)
{
    return media_schema(document, json_get(operation, "requestBody"), media);
}

static bool type_is(const struct json *value, const char *type)
{
    static const struct {
        const char *name;
        enum json_type type;
    } types[] = {{"null", JSON_NULL},     {"boolean", JSON_BOOL}, {"integer", JSON_INTEGER},
                 {"string", JSON_STRING}, {"array", JSON_ARRAY},  {"object", JSON_OBJECT}};

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (strcmp(types[i].name, type) == 0)
            return json_type(value) == types[i].type;
    }
    return false;
}

static bool type_holds(const struct json *type, const struct json *value)
{
    if (!type)
        return true;
    if (json_type(type) == JSON_STRING)
        return type_is(value, json_text(type, ""));
    for (size_t i = 0; i < json_count(type); i++) {
        if (type_is(value, json_text(json_at(type, i), "")))
            return true;
    }
    return false;
}

static bool enum_holds(const struct json *allowed, const struct json *value)
{
    for (size_t i = 0; i < json_count(allowed); i++) {
        if (strcmp(json_text(json_at(allowed, i), ""), json_text(value, "\n")) == 0)
            return true;
    }
    return allowed == NULL;
}

static bool pattern_holds(const char *pattern, const char *text)
{
    regex_t regex;
    if (!pattern)
        return true;
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    bool holds = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return holds;
}

static bool format_holds(const char *format, const struct json *value)
{
    int64_t ms = 0;

    if (!format || strcmp(format, "date-time") != 0 || json_type(value) != JSON_STRING)
        return true;
    return is_ok(time_parse(json_text(value, ""), &ms, NULL));
}

static bool object_holds(const struct json *document, const struct json *schema, const struct json *value,
                         struct buf *why)
{
    const struct json *properties = json_get(schema, "properties"), *required = json_get(schema, "required");

    for (size_t i = 0; i < json_count(required); i++) {
        const char *name = json_text(json_at(required, i), "");
        if (!json_get(value, name)) {
            buf_printf(why, "%s is missing", name);
            return false;
        }
    }
    for (size_t i = 0; i < json_count(value); i++) {
        const char *name = json_name_at(value, i);
        const struct json *property = json_get(properties, name);
        if (!property && !json_get_bool(schema, "additionalProperties", true)) {
            buf_printf(why, "%s is not in the document", name);
            return false;
        }
        if (property && !openapi_schema_holds(document, property, json_at(value, i), why)) {
            buf_printf(why, " (in %s)", name);
            return false;
        }
    }
    return true;
}

bool openapi_schema_holds(const struct json *document, const struct json *schema, const struct json *value,
                          struct buf *why)
{
    schema = openapi_resolve(document, schema);
    if (!schema || !type_holds(json_get(schema, "type"), value) || !enum_holds(json_get(schema, "enum"), value) ||
        (json_type(value) == JSON_STRING && /* JSON Schema §6.3.3: of strings alone */
         !pattern_holds(json_get_text(schema, "pattern", NULL), json_text(value, ""))) ||
        !format_holds(json_get_text(schema, "format", NULL), value)) {
        buf_printf(why, "type, enum, pattern or format does not fit: %s", json_text(value, "not a text"));
        return false;
    }
    if (json_type(value) == JSON_OBJECT)
        return object_holds(document, schema, value, why);
    for (size_t i = 0; json_type(value) == JSON_ARRAY && i < json_count(value); i++) {
        if (!openapi_schema_holds(document, json_get(schema, "items"), json_at(value, i), why))
            return false;
    }
    return true;
}

bool openapi_answer_holds(const struct json *document, const struct json *operation, int status_code, const char *media,
                          struct slice body, struct buf *why)
{
    char number[16];
    (void)snprintf(number, sizeof(number), "%d", status_code);
    const struct json *answer = openapi_resolve(document, json_get(json_get(operation, "responses"), number));
    const struct json *schema = media ? media_schema(document, answer, media) : NULL;

    if (!answer || (media == NULL) != (json_get(answer, "content") == NULL) || (media && !schema)) {
        buf_printf(why, "the document has no answer %d with %s", status_code, media ? media : "no body");
        return false;
    }
    if (!media || !strstr(media, "json") || strstr(media, "ndjson"))
        return true;

    cleanup_json struct json *value = NULL;
    struct error err = {0};
    if (!is_ok(json_parse(body, 1 << 24, 32, &value, &err))) {
        buf_printf(why, "the body is not JSON: %s", err.text);
        return false;
    }
    return openapi_schema_holds(document, schema, value, why);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Strict reading of query and body. */
#include "server/api/parse.h"

#include <stdio.h>
#include <string.h>

#include "common/text.h"

enum { ID_RANDOM_LEN = 20, DAY_LEN = 10 };

status query_none(struct request *req, struct error *err)
{
    static const char *const none[] = {NULL};

    return request_query_only(req, none, err);
}

status query_day(struct request *req, const char *name, const char **out, struct error *err)
{
    const char *day = request_query(req, name);
    char midnight[TIME_TEXT_SIZE];
    int64_t ms = 0;

    if (day) {
        int len = snprintf(midnight, sizeof(midnight), "%sT00:00:00Z", day);
        if (strlen(day) != DAY_LEN || len >= (int)sizeof(midnight) || !is_ok(time_parse(midnight, &ms, NULL)))
            return error_set(err, CODE_INVALID, "%s: a day like 2026-01-31 is expected", name);
    }
    *out = day;
    return OK;
}

status query_integer(struct request *req, const char *name, int64_t least, int64_t most, int64_t *value,
                     struct error *err)
{
    const char *text = request_query(req, name);
    int64_t given = 0;

    if (!text)
        return OK;
    if (!text_to_int64(text, &given) || given < least || given > most)
        return error_set(err, CODE_INVALID, "%s: a whole number from %lld to %lld is expected", name, (long long)least,
                         (long long)most);
    *value = given;
    return OK;
}

status body_read(struct request *req, const struct json_field *fields, size_t count, struct error *err)
{
    const struct json *root = NULL;

    TRY(request_json(req, &root, err));
    return json_read_object(root, fields, count, err);
}

status body_empty(struct request *req, struct error *err)
{
    const struct json_field no_fields[1] = {{0}};

    return body_read(req, no_fields, 0, err);
}

static bool is_id_shaped(const char *text)
{
    static const char *const prefixes[] = {"prj_", "key_", "svc_", "usr_", "team_"};

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
        size_t len = strlen(prefixes[i]);
        if (strncmp(text, prefixes[i], len) == 0 && strlen(text) == len + ID_RANDOM_LEN)
            return true;
    }
    return false;
}

status check_name(const char *field, const char *text, struct error *err)
{
    if (!text_is_name(text))
        return error_set(err, CODE_INVALID, "%s: a name is 1 to %d of a-z 0-9 . _ - and begins with a letter or digit",
                         field, LIMIT_NAME);
    if (is_id_shaped(text))
        return error_set(err, CODE_INVALID, "%s: a name must not look like an id", field);
    return OK;
}

status check_text(const char *field, const char *text, struct error *err)
{
    if (text && !text_is_printable(text, LIMIT_TEXT))
        return error_set(err, CODE_INVALID, "%s: at most %d bytes of text without control characters", field,
                         LIMIT_TEXT);
    return OK;
}

status check_time(const char *field, const char *text, int64_t *out, struct error *err)
{
    int64_t when = 0;

    if (text && (!is_ok(time_parse(text, &when, NULL)) || when <= 0))
        return error_set(err, CODE_INVALID, "%s: a time like 2026-01-31T12:00:00Z is expected", field);
    *out = when;
    return OK;
}

status check_expires(const char *field, const char *text, int64_t *out, struct error *err)
{
    int64_t when = 0;

    if (text) {
        if (!is_ok(time_parse(text, &when, NULL)))
            return error_set(err, CODE_INVALID, "%s: a time like 2026-01-31T12:00:00Z is expected", field);
        if (when <= clock_now_ms())
            return error_set(err, CODE_INVALID, "%s: the time has passed already", field);
    }
    *out = when;
    return OK;
}

status body_read_named(struct request *req, const char **name, const char **description, struct error *err)
{
    const struct json_field fields[] = {
        {"name", JSON_STRING, JSON_REQUIRED, name},
        {"description", JSON_STRING, 0, description},
    };

    *description = "";
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(check_name("name", *name, err));
    return check_text("description", *description, err);
}

status body_read_description(struct request *req, const char **description, struct error *err)
{
    const struct json_field fields[] = {{"description", JSON_STRING, JSON_REQUIRED, description}};

    TRY(body_read(req, fields, COUNT_OF(fields), err));
    return check_text("description", *description, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the resources share in reading a request. Every error names the field. */
#pragma once

#include "server/api/api.h"

/* A route without query parameters. */
status query_none(struct request *req, struct error *err);
/* "2026-01-31" of a query parameter; NULL when it is absent. */
status query_day(struct request *req, const char *name, const char **out, struct error *err);
/* A whole number between least and most; otherwise when it is absent. */
status query_integer(struct request *req, const char *name, int64_t least, int64_t most, int64_t *value,
                     struct error *err);

/* The request's body read by a table of fields. */
status body_read(struct request *req, const struct json_field *fields, size_t count, struct error *err);
/* {"name", "description"} of a new object, both judged; description: "" when it is absent. */
status body_read_named(struct request *req, const char **name, const char **description, struct error *err);
/* {"description"} of a change. */
status body_read_description(struct request *req, const char **description, struct error *err);
/* "{}" and nothing else. */
status body_empty(struct request *req, struct error *err);

/* A new object's name: text_is_name, and not of the shape of an id, because paths take either. */
status check_name(const char *field, const char *text, struct error *err);
/* NULL is fine. At most LIMIT_TEXT bytes, nothing unprintable. */
status check_text(const char *field, const char *text, struct error *err);
/* RFC 3339; NULL gives 0. */
status check_time(const char *field, const char *text, int64_t *out, struct error *err);
/* The same, in the future. */
status check_expires(const char *field, const char *text, int64_t *out, struct error *err);

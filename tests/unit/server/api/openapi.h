/* SPDX-License-Identifier: Apache-2.0 */
/* docs/openapi.yaml for tests: the subset of YAML it is written in, read into a JSON tree, and the subset of JSON
 * Schema it uses, held against answers. */
#pragma once

#include "common/json.h"

/* Block mappings and sequences by indentation, flow collections, quoted and plain scalars, folded text (>-). Fails the
 * running test when the file is not that. */
struct json *openapi_load(const char *path);

/* What the document says of a route; NULL when it says nothing. method in any case. */
const struct json *openapi_operation(const struct json *document, const char *method, const char *pattern);
/* Follows {"$ref": "#/…"}. */
const struct json *openapi_resolve(const struct json *document, const struct json *node);
/* The schema of a route's body of this media type; NULL when there is none. */
const struct json *openapi_body_schema(const struct json *document, const struct json *operation, const char *media);

/* True when the value is what the schema says; else why is told. */
bool openapi_schema_holds(const struct json *document, const struct json *schema, const struct json *value,
                          struct buf *why);
/* True when this answer is one that the document gives for the operation. media NULL: no body. */
bool openapi_answer_holds(const struct json *document, const struct json *operation, int status, const char *media,
                          struct slice body, struct buf *why);

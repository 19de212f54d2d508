/* SPDX-License-Identifier: Apache-2.0 */
/* JSON, the only file that sees yajl. Reading is strict: one value, valid UTF-8, depth and size caps, duplicate names
 * refused, no comments, no trailing bytes; integers are int64. Objects are read by a table of fields, and a name that
 * is not in the table is refused. Writing is a stream into a buf. */
#pragma once

#include <stdint.h>

#include "common/buf.h"

struct json; /* a value; owned by the root */

enum json_type { JSON_NULL, JSON_BOOL, JSON_INTEGER, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* CODE_INVALID with the byte offset and the reason; CODE_TOO_LARGE above max_bytes. */
status json_parse(struct slice text, size_t max_bytes, int max_depth, struct json **out, struct error *err);
void json_free(struct json *root);
DEFINE_CLEANUP_PTR(struct json, json_free)
#define cleanup_json CLEANUP(json_free_cleanup)

enum json_type json_type(const struct json *v);
const struct json *json_get(const struct json *object, const char *name); /* NULL when absent or not an object */
size_t json_count(const struct json *v);                    /* elements of an array, members of an object */
const struct json *json_at(const struct json *v, size_t i); /* element, or value of member i */
const char *json_name_at(const struct json *object, size_t i);
/* Lenient readers for trusted answers: the default when absent or of another type. */
const char *
json_text(const struct json *v,
          const char *otherwise); /* borrowed, NUL-terminated; strings with NUL inside are refused at parse */
int64_t json_integer(const struct json *v, int64_t otherwise);
bool json_bool(const struct json *v, bool otherwise);
const char *json_get_text(const struct json *object, const char *name, const char *otherwise);
int64_t json_get_integer(const struct json *object, const char *name, int64_t otherwise);
bool json_get_bool(const struct json *object, const char *name, bool otherwise);

/* Strict reading of an object:
 *   const char *label = NULL; int64_t days = 365; const struct json *pss = NULL;
 *   const struct json_field fields[] = {
 *       {"label", JSON_STRING, JSON_REQUIRED, &label}, {"days", JSON_INTEGER, 0, &days}, {"pss", JSON_OBJECT, 0,
 * &pss}}; TRY(json_read_object(root, fields, COUNT_OF(fields), err)); target: const char ** for strings, int64_t *,
 * bool *, const struct json ** for arrays and objects. A null counts as absent. Errors name the field: CODE_INVALID
 * "label: a string is expected". Strings are borrowed from the value. */
enum { JSON_REQUIRED = 1 };
struct json_field {
    const char *name;
    enum json_type type;
    int flags;
    void *target;
};
status json_read_object(const struct json *v, const struct json_field *fields, size_t count, struct error *err);

/* Writer: commas and nesting are kept by it. Strings are escaped; invalid UTF-8 becomes U+FFFD. Compact, members in the
 * order given. */
struct json_writer {
    struct buf *out;
    int depth;
    uint64_t has_member; /* bit per depth */
};
struct json_writer json_writer_on(struct buf *out);
void json_begin_object(struct json_writer *w, const char *name); /* name NULL: array element or root */
void json_end_object(struct json_writer *w);
void json_begin_array(struct json_writer *w, const char *name);
void json_end_array(struct json_writer *w);
void json_add_text(struct json_writer *w, const char *name, const char *text); /* NULL text writes null */
void json_add_integer(struct json_writer *w, const char *name, int64_t value);
void json_add_bool(struct json_writer *w, const char *name, bool value);
void json_add_null(struct json_writer *w, const char *name);
void json_add_base64(struct json_writer *w, const char *name, struct slice bytes);
void json_add_hex(struct json_writer *w, const char *name, struct slice bytes);
void json_add_time(struct json_writer *w, const char *name, int64_t unix_ms); /* RFC 3339; 0 writes null */
void json_add_raw(struct json_writer *w, const char *name, const char *json); /* already JSON */
void json_add_value(struct json_writer *w, const char *name, const struct json *v);
/* Appends the string escaped, with its quotes. */
void json_escape(struct buf *out, const char *text);

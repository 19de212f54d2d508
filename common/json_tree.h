/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of struct json, shared by the JSON files alone. */
#pragma once

#include "common/json.h"

/* Deeper is never parsed or written; recursion over a tree is bounded by this. */
enum { JSON_DEPTH_MAX = 64 };

struct json {
    enum json_type type;
    char *name;     /* of a member; NULL otherwise */
    size_t name_at; /* where the name ended in the text, for the message about a duplicate */
    union {
        bool boolean;
        int64_t integer;
        char *text; /* JSON_STRING; JSON_NUMBER as it was written */
        struct {
            struct json *items;
            size_t count, cap;
        };
    };
};

/* Wipes and frees what v owns, not v itself. */
void json_clear(struct json *v);
/* The reason why the escapes and the UTF-8 of a text would not be read as they are written, NULL when there is none. */
const char *json_scan(struct slice text, size_t *at);

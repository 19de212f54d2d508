/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and answers as the commands need them: paths, bodies, lists over all pages, objects for people or as JSON.
 */
#pragma once

#include "cli/cli.h"

/* "/v1/projects/%/members" with each % replaced by the next text, percent-encoded. */
void api_path(struct buf *out, const char *pattern, ...);
/* "?name=value" or "&name=value"; nothing when value is NULL. */
void api_query(struct buf *path, const char *name, const char *value);

/* A request with the client of cli. body NULL: none. answer may be NULL. */
status api_request(struct cli *cli, const char *method, const struct buf *path, const struct buf *body,
                   struct json **answer, struct error *err);

/* One request whose answer, an object, is printed. */
status api_show(struct cli *cli, const char *method, const struct buf *path, const struct buf *body, struct error *err);
/* The member of the open object, when its option is given. */
void api_add_option(struct cli *cli, struct json_writer *w, const char *member, const char *option);
/* The same of a whole number. */
status api_add_number(struct cli *cli, struct json_writer *w, const char *member, const char *option,
                      struct error *err);
/* POST to the route with "name", the first argument, and the member of the option; its answer is printed. */
status api_create_named(struct cli *cli, const char *route, const char *option, struct error *err);
/* One request without an answer; prints the sentence unless JSON is asked for. */
status api_do(struct cli *cli, const char *method, const struct buf *path, const char *done, struct error *err);

struct api_column {
    const char *title;
    const char *member; /* "hsm.local" goes into objects, and into each of an array; arrays of text are joined, other
                           arrays counted */
};
/* The same, given the revision last seen: CODE_STALE when it is another one now. */
status api_change(struct cli *cli, const struct client_call *call, struct error *err);

/* Calls each for every item of every page. */
typedef status (*api_item)(void *arg, const struct json *item, struct error *err);
status api_each(struct cli *cli, const struct buf *path, api_item each, void *arg, struct error *err);
/* Every item of every page, as a table or one object a line. */
status api_list(struct cli *cli, const struct buf *path, const struct api_column *columns, size_t count,
                struct error *err);

/* An object for people: "name: value", nested names joined by dots; or as one line of JSON. */
status api_print_object(struct cli *cli, const struct json *object, struct error *err);
status api_print_json(struct cli *cli, const struct json *value, struct error *err);
/* The text of a member for a table; freed by buf_clear. */
void api_cell(const struct json *object, const char *member, struct buf *out);

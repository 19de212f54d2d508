/* SPDX-License-Identifier: Apache-2.0 */
/* A page of a list: {"items":[…],"next":"<cursor>"|null}. The store is asked for one row more than is shown, which
 * tells whether there is a next page. */
#pragma once

#include "server/api/caller.h"

enum { LIST_DEFAULT = 100, LIST_CURSOR_SIZE = 3 * NAME_SIZE };

struct list {
    struct json_writer *w;
    struct page page; /* for the store */
    int limit, shown;
    bool more;
    char cursor[LIST_CURSOR_SIZE]; /* of the last row shown */
};

/* Reads `limit` and `after`; nothing is written yet. */
status list_parse(struct list *l, struct request *req, struct error *err);
/* The same for a list that has no other parameters, with a connection to read it from. */
status list_open(struct list *l, struct reader *r, struct api *api, struct request *req, struct error *err);
/* A parameter by which a list can be narrowed; its value goes into the page. */
struct list_filter {
    const char *parameter;
    size_t member;            /* offsetof(struct page, …) */
    const char *const *words; /* what it may be, ended by NULL; NULL itself: the beginning of a name */
};
/* filters are ended by a row without parameter. extra: other parameters the list has, NULL-ended; or NULL. */
status list_parse_filtered(struct list *l, struct request *req, const struct list_filter *filters,
                           const char *const *extra, struct error *err);
status list_open_filtered(struct list *l, struct reader *r, struct api *api, struct request *req,
                          const struct list_filter *filters, struct error *err);
extern const char *const list_principal_states[];

void list_begin(struct list *l, struct response *res);
/* False for the row beyond the page, which is only counted. */
bool list_take(struct list *l, const char *cursor);
/* For rows the store gives unpaged, ordered by cursor: skips what is not after `after`. */
bool list_take_after(struct list *l, const char *cursor);
/* Ends the rows and tells where the next page begins; the answer stays open for more members. */
void list_end_rows(struct list *l);
status list_end(struct list *l);

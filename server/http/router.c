/* SPDX-License-Identifier: Apache-2.0 */
/* Compiles the route tables into a tree of segments and walks it. Every row has a permission, or there is no router:
 * the default is deny, and it is decided at start. */
#include "server/http/router.h"

#include <string.h>

enum { METHOD_COUNT = 5, PATTERN_SEGMENTS = 12 };
static const char *const method_names[METHOD_COUNT] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

struct endpoint { /* one row, with the names of its parameters in the order of the path */
    const struct route *route;
    size_t param_count;
    char *param_names[ROUTE_PARAMS];
};

struct node {
    struct slice literal; /* borrowed from the pattern; empty for a parameter */
    struct node *next;    /* sibling */
    struct node *literals;
    struct node *param;
    struct node *tail; /* a last parameter that takes the rest of the path, slashes and all */
    struct endpoint *endpoints[METHOD_COUNT];
    bool is_path; /* has an endpoint */
};

struct router {
    struct node root;
};

static int method_index(const char *method)
{
    for (int i = 0; i < METHOD_COUNT; i++)
        if (strcmp(method, method_names[i]) == 0)
            return i;
    return -1;
}

static void endpoint_free(struct endpoint *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->param_count; i++)
        free(e->param_names[i]);
    free(e);
}

static void node_clear(struct node *n)
{
    for (int i = 0; i < METHOD_COUNT; i++)
        endpoint_free(n->endpoints[i]);
    while (n->literals) {
        struct node *child = n->literals;
        n->literals = child->next;
        node_clear(child);
        free(child);
    }
    struct node *const others[] = {n->param, n->tail};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        if (others[i])
            node_clear(others[i]);
        free(others[i]);
    }
}

void router_free(struct router *r)
{
    if (!r)
        return;
    node_clear(&r->root);
    free(r);
}

/* The next segment of "/a/b": false at the end. "/a/" has a last, empty segment. */
static bool segment_next(struct slice *path, struct slice *out)
{
    if (path->len == 0 || path->data[0] != '/')
        return false;
    const uint8_t *start = path->data + 1;
    size_t left = path->len - 1;
    const uint8_t *end = memchr(start, '/', left);
    size_t len = end ? (size_t)(end - start) : left;
    *out = (struct slice){start, len};
    *path = (struct slice){start + len, left - len};
    return true;
}

static bool segment_is_param(struct slice s)
{
    return s.len > 2 && s.data[0] == '{' && s.data[s.len - 1] == '}';
}

/* "{name...}" */
static bool segment_is_tail(struct slice s)
{
    return segment_is_param(s) && s.len > 5 && memcmp(s.data + s.len - 4, "...", 3) == 0;
}

static bool segment_is_sound(struct slice s)
{
    return segment_is_param(s) || (s.len > 0 && !memchr(s.data, '{', s.len) && !memchr(s.data, '%', s.len));
}

static struct node *node_child(struct node *n, struct slice segment)
{
    bool is_param = segment_is_param(segment);
    struct node **place = segment_is_tail(segment) ? &n->tail : &n->param;
    struct node *known = is_param ? *place : NULL;
    if (known)
        return known;
    for (struct node *c = n->literals; c && !is_param; c = c->next)
        if (slice_equal(c->literal, segment))
            return c;
    struct node *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    if (is_param) {
        *place = c;
    } else {
        c->literal = segment;
        c->next = n->literals;
        n->literals = c;
    }
    return c;
}

static status row_refuse(const struct route *row, const char *why, struct error *err)
{
    return error_set(err, CODE_INTERNAL, "route %s %s: %s", row->method, row->pattern ? row->pattern : "(none)", why);
}

static status row_check(const struct route *row, struct error *err)
{
    if (!row->pattern || row->pattern[0] != '/')
        return row_refuse(row, "the pattern begins with /", err);
    if (row->permission == 0)
        return row_refuse(row, "the row has no permission", err);
    if (!row->handler)
        return row_refuse(row, "the row has no handler", err);
    if (method_index(row->method) < 0)
        return row_refuse(row, "unknown method", err);
    return OK;
}

static status endpoint_add_param(struct endpoint *e, struct slice segment, struct error *err)
{
    if (e->param_count == ROUTE_PARAMS)
        return row_refuse(e->route, "too many parameters", err);
    char *name = strndup((const char *)segment.data + 1, segment.len - (segment_is_tail(segment) ? 5 : 2));
    if (!name)
        return error_set(err, CODE_NO_MEMORY, "router");
    e->param_names[e->param_count++] = name;
    return OK;
}

static status endpoint_place(struct router *r, struct endpoint *e, struct node **at, struct error *err)
{
    struct slice path = slice_of_text(e->route->pattern);
    struct slice segment;
    struct node *n = &r->root;
    size_t depth = 0;
    while (segment_next(&path, &segment)) {
        bool is_end = segment.len == 0 && path.len == 0; /* of "/ui/" */
        if ((!is_end && !segment_is_sound(segment)) || ++depth > PATTERN_SEGMENTS ||
            (segment_is_tail(segment) && path.len > 0))
            return row_refuse(e->route, "malformed pattern", err);
        if (segment_is_param(segment))
            TRY(endpoint_add_param(e, segment, err));
        n = node_child(n, segment);
        if (!n)
            return error_set(err, CODE_NO_MEMORY, "router");
    }
    if (n->endpoints[method_index(e->route->method)])
        return row_refuse(e->route, "the row is there twice", err);
    *at = n;
    return OK;
}

static status row_add(struct router *r, const struct route *row, struct error *err)
{
    TRY(row_check(row, err));
    struct endpoint *e = calloc(1, sizeof *e);
    if (!e)
        return error_set(err, CODE_NO_MEMORY, "router");
    e->route = row;
    struct node *at = NULL;
    status s = endpoint_place(r, e, &at, err);
    if (!at) {
        endpoint_free(e);
        return s;
    }
    at->endpoints[method_index(row->method)] = e;
    at->is_path = true;
    return OK;
}

status router_new(const struct route *const *tables, struct router **out, struct error *err)
{
    cleanup_router struct router *r = calloc(1, sizeof *r);
    if (!r)
        return error_set(err, CODE_NO_MEMORY, "router");
    for (; tables && *tables; tables++)
        for (const struct route *row = *tables; row->method; row++)
            TRY(row_add(r, row, err));
    *out = steal(&r);
    return OK;
}

struct walk {
    struct slice segments[ROUTE_SEGMENTS];
    size_t count;
    bool has_more;      /* segments than these: only a tail takes them */
    const uint8_t *end; /* of the path */
    struct slice values[ROUTE_PARAMS];
    size_t value_count;
};

static const struct node *tail_find(const struct node *n, struct walk *w, size_t depth)
{
    const uint8_t *from = w->segments[depth].data;
    if (!n->tail || from == w->end || w->value_count == ROUTE_PARAMS)
        return NULL;
    w->values[w->value_count++] = (struct slice){from, (size_t)(w->end - from)};
    return n->tail;
}

static const struct node *node_find(const struct node *n, struct walk *w, size_t depth)
{
    if (depth == w->count)
        return n->is_path && !w->has_more ? n : NULL;
    struct slice segment = w->segments[depth];
    for (const struct node *c = n->literals; c; c = c->next) {
        if (!slice_equal(c->literal, segment))
            continue;
        const struct node *found = node_find(c, w, depth + 1);
        if (found)
            return found;
        break;
    }
    if (!n->param || segment.len == 0 || w->value_count == ROUTE_PARAMS)
        return tail_find(n, w, depth);
    w->values[w->value_count++] = segment;
    const struct node *found = node_find(n->param, w, depth + 1);
    if (found)
        return found;
    w->value_count--;
    return tail_find(n, w, depth);
}

static void allow_format(const struct node *n, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    for (int i = 0; i < METHOD_COUNT; i++) {
        size_t need = strlen(method_names[i]) + 2;
        if (!n->endpoints[i] || len + need >= size)
            continue;
        if (len > 0) {
            memcpy(out + len, ", ", 3);
            len += 2;
        }
        memcpy(out + len, method_names[i], need - 1);
        len += need - 2;
    }
}

bool router_find(const struct router *r, const char *method, struct slice path, struct route_match *out)
{
    struct walk w = {.end = path.data + path.len};
    struct slice segment;
    while (!w.has_more && segment_next(&path, &segment)) {
        w.has_more = w.count == ROUTE_SEGMENTS;
        if (!w.has_more)
            w.segments[w.count++] = segment;
    }
    const struct node *n = node_find(&r->root, &w, 0);
    if (!n || w.count == 0)
        return false;
    int m = method_index(method);
    const struct endpoint *e = m < 0 ? NULL : n->endpoints[m];
    out->route = e ? e->route : NULL;
    out->param_count = e ? e->param_count : 0;
    for (size_t i = 0; i < out->param_count; i++) {
        out->param_names[i] = e->param_names[i];
        out->param_values[i] = w.values[i];
    }
    if (!e)
        allow_format(n, out->allow, sizeof out->allow);
    return true;
}

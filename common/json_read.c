/* SPDX-License-Identifier: Apache-2.0 */
/* The tree is built from yajl's callbacks; this is the only file that sees yajl. yajl's own tree is not used: it takes
 * duplicate names, turns large integers into doubles and has no depth cap.
 * yajl does not look at what malloc answers, so it gets its memory from a block that is large enough from the start. */
#include "common/json_tree.h"

#include <string.h>
#include <yajl/yajl_parse.h>

#include "common/json_arena.h"
#include "common/text.h"

struct parse {
    yajl_handle yajl;
    struct json root; /* an array of one: the value */
    struct json *open[JSON_DEPTH_MAX + 1];
    int depth, max_depth;
    char *name; /* of the member whose value comes next */
    size_t name_at;
    size_t text_len;
    bool ended;       /* yajl has read all of the text: it then counts from 0 again */
    size_t value_end; /* behind the last value */
    enum code code;   /* why a callback refused */
    const char *reason;
    size_t at;
};

/* Bytes of the text that yajl has read. */
static size_t position(const struct parse *p)
{
    return p->ended ? p->text_len : yajl_get_bytes_consumed(p->yajl);
}

static int refuse(struct parse *p, enum code code, const char *reason)
{
    p->code = code;
    p->reason = reason;
    p->at = position(p);
    return 0;
}

/* Puts a value into the container that is open. Growing moves the items of that one alone, and no open container is
 * among them: the pointers in p->open stay good. */
static struct json *append(struct parse *p, enum json_type type)
{
    struct json *parent = p->open[p->depth];
    if (parent->count == parent->cap) {
        size_t cap = parent->cap ? parent->cap * 2 : 4;
        struct json *items = reallocarray(parent->items, cap, sizeof(*items));
        if (!items) {
            (void)refuse(p, CODE_NO_MEMORY, NULL);
            return NULL;
        }
        parent->items = items;
        parent->cap = cap;
    }
    struct json *v = &parent->items[parent->count++];
    *v = (struct json){.type = type, .name = steal(&p->name), .name_at = p->name_at};
    p->value_end = position(p);
    return v;
}

static char *copy_text(struct parse *p, const void *text, size_t len)
{
    char *copy = malloc(len + 1);
    if (!copy) {
        (void)refuse(p, CODE_NO_MEMORY, NULL);
        return NULL;
    }
    if (len > 0)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

static int on_null(void *ctx)
{
    return append(ctx, JSON_NULL) != NULL;
}

static int on_boolean(void *ctx, int value)
{
    struct json *v = append(ctx, JSON_BOOL);
    if (v)
        v->boolean = value != 0;
    return v != NULL;
}

static int on_text(struct parse *p, enum json_type type, const void *text, size_t len)
{
    struct json *v = append(p, type);
    if (v)
        v->text = copy_text(p, text, len);
    return v && v->text;
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
    return on_text(ctx, JSON_STRING, text, len);
}

static int on_number(void *ctx, const char *text, size_t len)
{
    struct parse *p = ctx;
    if (memchr(text, '.', len) || memchr(text, 'e', len) || memchr(text, 'E', len))
        return on_text(p, JSON_NUMBER, text, len);

    char digits[24] = {0};
    int64_t value = 0;
    if (len < sizeof(digits))
        memcpy(digits, text, len);
    if (!text_to_int64(digits, &value))
        return refuse(p, CODE_INVALID, "the integer is out of range");

    struct json *v = append(p, JSON_INTEGER);
    if (v)
        v->integer = value;
    return v != NULL;
}

static int on_open(struct parse *p, enum json_type type)
{
    if (p->depth >= p->max_depth)
        return refuse(p, CODE_INVALID, "nested too deeply");

    struct json *v = append(p, type);
    if (v)
        p->open[++p->depth] = v;
    return v != NULL;
}

static int on_open_object(void *ctx)
{
    return on_open(ctx, JSON_OBJECT);
}

static int on_open_array(void *ctx)
{
    return on_open(ctx, JSON_ARRAY);
}

static int on_close_array(void *ctx)
{
    struct parse *p = ctx;
    p->depth--;
    p->value_end = position(p);
    return 1;
}

static int on_name(void *ctx, const unsigned char *text, size_t len)
{
    struct parse *p = ctx;
    p->name = copy_text(p, text, len);
    p->name_at = position(p);
    return p->name != NULL;
}

static int by_name_and_place(const void *a, const void *b)
{
    const struct json *x = *(struct json *const *)a, *y = *(struct json *const *)b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->name_at > y->name_at) - (x->name_at < y->name_at);
}

/* Sorted when the object closes: comparing each name with all before it would let a long object cost a second. */
static int on_close_object(void *ctx)
{
    struct parse *p = ctx;
    const struct json *object = p->open[p->depth--];
    p->value_end = position(p);
    if (object->count < 2)
        return 1;

    cleanup_free const struct json **sorted = calloc(object->count, sizeof(const struct json *));
    if (!sorted)
        return refuse(p, CODE_NO_MEMORY, NULL);
    for (size_t i = 0; i < object->count; i++)
        sorted[i] = &object->items[i];
    qsort(sorted, object->count, sizeof(const struct json *), by_name_and_place);
    for (size_t i = 1; i < object->count; i++) {
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0) {
            (void)refuse(p, CODE_INVALID, "the name appears twice in the object");
            p->at = sorted[i]->name_at;
            return 0;
        }
    }
    return 1;
}

static const yajl_callbacks callbacks = {.yajl_null = on_null,
                                         .yajl_boolean = on_boolean,
                                         .yajl_number = on_number,
                                         .yajl_string = on_string,
                                         .yajl_start_map = on_open_object,
                                         .yajl_map_key = on_name,
                                         .yajl_end_map = on_close_object,
                                         .yajl_start_array = on_open_array,
                                         .yajl_end_array = on_close_array};

/* Line and byte both count from 1 at the place where reading stopped. */
static status failure(struct slice text, enum code code, const char *reason, size_t at, struct error *err)
{
    if (code != CODE_INVALID)
        return error_set(err, code, "%s", code_text(code));

    size_t line = 1;
    if (at > text.len)
        at = text.len;
    for (size_t i = 0; i < at; i++)
        line += text.data[i] == '\n';
    return error_set(err, code, "JSON, line %zu, byte %zu: %.*s", line, at + 1, (int)strcspn(reason, "\n"), reason);
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* yajl overlooks a string that was begun behind the value and is not ended. */
static bool is_blank_from(struct slice text, size_t at)
{
    while (at < text.len && is_blank(text.data[at]))
        at++;
    return at >= text.len;
}

static status run(struct parse *p, struct slice text, struct error *err)
{
    yajl_status result = yajl_parse(p->yajl, text.data, text.len);
    size_t at = yajl_get_bytes_consumed(p->yajl);
    if (result == yajl_status_ok) {
        /* Ends a number at the end of the text, and finds that the text ends early. */
        p->ended = true;
        result = yajl_complete_parse(p->yajl);
    }
    if (result == yajl_status_client_canceled)
        return failure(text, p->code, p->reason, p->at, err);
    if (result == yajl_status_ok && p->root.count == 1 && is_blank_from(text, p->value_end))
        return OK;
    if (result == yajl_status_ok)
        return failure(text, CODE_INVALID, "one value is expected", p->value_end, err);

    unsigned char *reason = yajl_get_error(p->yajl, 0, text.data, text.len);
    return failure(text, CODE_INVALID, reason ? (const char *)reason : "not JSON", at, err);
}

static void parse_clear(struct parse *p)
{
    json_clear(&p->root);
    free(p->name);
    if (p->yajl)
        yajl_free(p->yajl);
}

status json_parse(struct slice text, size_t max_bytes, int max_depth, struct json **out, struct error *err)
{
    if (text.len > max_bytes || text.len > SIZE_MAX / 16)
        return error_set(err, CODE_TOO_LARGE, "JSON: larger than %zu bytes", max_bytes);
    size_t at = 0;
    const char *reason = json_scan(text, &at);
    if (reason)
        return failure(text, CODE_INVALID, reason, at, err);

    cleanup_json_arena struct json_arena arena = {0};
    CLEANUP(parse_clear) struct parse p = {.root.type = JSON_ARRAY, .text_len = text.len};
    p.max_depth = max_depth < JSON_DEPTH_MAX ? max_depth : JSON_DEPTH_MAX;
    p.open[0] = &p.root;
    cleanup_json struct json *value = calloc(1, sizeof(*value));
    if (!value || !json_arena_init(&arena, text.len))
        return failure(text, CODE_NO_MEMORY, NULL, 0, err);

    yajl_alloc_funcs memory = {json_arena_malloc, json_arena_realloc, json_arena_free, &arena};
    p.yajl = yajl_alloc(&callbacks, &memory, &p);
    TRY(run(&p, text, err));

    *value = p.root.items[0];
    p.root.items[0] = (struct json){0}; /* a null: owns nothing */
    *out = steal(&value);
    return OK;
}

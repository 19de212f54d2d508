/* SPDX-License-Identifier: Apache-2.0 */
/* One option: text to value and back. */
#include "server/config/option.h"

#include <inttypes.h>
#include <string.h>

#include "common/file.h"
#include "common/text.h"

const struct option options[OPTION_COUNT] = {
#define OPTION(name, kind, default_text, min, max, choices, when, help)                                                \
    {#name, OPTION_##kind, OPTION_##when, default_text, min, max, choices, help, offsetof(struct config, name)},
#include "server/config/config.def"
#undef OPTION
};

const struct option hsm_options[HSM_OPTION_COUNT] = {
#define OPTION(name, kind, default_text, min, max, choices, when, help)                                                \
    {#name, OPTION_##kind, OPTION_##when, default_text, min, max, choices, help, offsetof(struct config_hsm, name)},
#include "server/config/hsm.def"
#undef OPTION
};

static void *member(const void *base, const struct option *o)
{
    return (char *)(uintptr_t)base + o->offset;
}

void option_describe(const struct option *o, struct buf *out)
{
    switch (o->kind) {
    case OPTION_INTEGER:
        buf_printf(out, "an integer from %" PRId64 " to %" PRId64, o->min, o->max);
        return;
    case OPTION_CHOICE:
        buf_add_text(out, "one of ");
        for (const char *p = o->choices; *p; p++) {
            if (*p == '|')
                buf_add_text(out, ", ");
            else
                buf_add_byte(out, (uint8_t)*p);
        }
        return;
    case OPTION_PATH:
        buf_add_text(out, "a path");
        break;
    case OPTION_LIST:
        buf_add_text(out, "a list separated by commas");
        break;
    case OPTION_STORE:
        buf_add_text(out, "sqlite:<file> or postgresql://<user>@<host>/<database>");
        break;
    case OPTION_URI:
        buf_add_text(out, "a pkcs11: URI");
        break;
    case OPTION_TEXT:
        buf_add_text(out, "text");
        break;
    }
    buf_printf(out, " of %" PRId64 " to %" PRId64 " bytes", o->min, o->max);
}

static status value_refuse(const struct option *o, const char *text, struct error *err)
{
    cleanup_buf struct buf legal = {0};
    option_describe(o, &legal);
    return error_set(err, CODE_CONFIGURATION, "%s: %s is expected, not \"%.60s\"", o->name, buf_text(&legal), text);
}

static bool choice_has(const char *choices, const char *text)
{
    size_t len = strlen(text);
    for (const char *p = choices; len > 0 && *p; p += strcspn(p, "|"), p += *p == '|')
        if (strcspn(p, "|") == len && strncmp(p, text, len) == 0)
            return true;
    return false;
}

static status text_set(void *base, const struct option *o, char *value, struct error *err)
{
    if (!value)
        return error_set(err, CODE_NO_MEMORY, "configuration");
    char **at = member(base, o);
    free(*at);
    *at = value;
    return OK;
}

static status integer_set(void *base, const struct option *o, const char *text, struct error *err)
{
    int64_t value = 0;
    if (!text_to_int64(text, &value) || value < o->min || value > o->max)
        return value_refuse(o, text, err);
    *(int64_t *)member(base, o) = value;
    return OK;
}

/* "" is none and "-" a standard stream: neither is relative to anything. */
static char *path_resolve(const char *directory, const char *text)
{
    if (text[0] == '\0' || strcmp(text, "-") == 0)
        return strdup(text);
    return path_join(directory, text);
}

static status store_set(void *base, const char *directory, const struct option *o, const char *text, struct error *err)
{
    static const char sqlite[] = "sqlite:", postgres[] = "postgresql://";
    if (strncmp(text, postgres, sizeof postgres - 1) == 0) {
        const char *host = text + sizeof postgres - 1;
        const char *at = memchr(host, '@', strcspn(host, "/?"));
        if ((at && memchr(host, ':', (size_t)(at - host))) || strstr(text, "password="))
            return error_set(err, CODE_CONFIGURATION,
                             "store: a password does not belong here; use PGPASSFILE"); /* I8 */
        return text_set(base, o, strdup(text), err);
    }
    if (strncmp(text, sqlite, sizeof sqlite - 1) != 0 || text[sizeof sqlite - 1] == '\0')
        return value_refuse(o, text, err);
    const char *file = text + sizeof sqlite - 1;
    if (strcmp(file, ":memory:") == 0)
        return text_set(base, o, strdup(text), err);
    cleanup_free char *path = path_join(directory, file);
    char *url = NULL;
    if (path) {
        struct buf b = {0};
        buf_printf(&b, "%s%s", sqlite, path);
        url = (char *)b.data;
    }
    return text_set(base, o, url, err);
}

static void list_clear(struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct text_list){0};
}

static bool list_add(struct text_list *list, const char *text, size_t len)
{
    char **items = realloc(list->items, (list->count + 2) * sizeof *items);
    if (!items)
        return false;
    list->items = items;
    list->items[list->count] = strndup(text, len);
    if (!list->items[list->count])
        return false;
    list->items[++list->count] = NULL;
    return true;
}

static status list_set(void *base, const struct option *o, const char *text, struct error *err)
{
    struct text_list list = {0};
    bool failed = false;
    while (*text && !failed) {
        text += strspn(text, ", \t");
        size_t len = strcspn(text, ", \t");
        failed = len > 0 && !list_add(&list, text, len);
        text += len;
    }
    if (failed) {
        list_clear(&list);
        return error_set(err, CODE_NO_MEMORY, "configuration");
    }
    list_clear(member(base, o));
    *(struct text_list *)member(base, o) = list;
    return OK;
}

/* I8: the PIN itself does not belong into the file, and is not repeated. What else the URI says is judged by who can
 * read one. */
static status uri_set(void *base, const struct option *o, const char *text, struct error *err)
{
    if (strstr(text, "pin-value"))
        return error_set(err, CODE_CONFIGURATION,
                         "%s: a PIN does not belong here: name its file, by pin_file or pin-source=file:<path>",
                         o->name);
    if (*text && strncmp(text, "pkcs11:", strlen("pkcs11:")) != 0)
        return value_refuse(o, text, err);
    return text_set(base, o, strdup(text), err);
}

status option_set(void *base, const char *directory, const struct option *o, const char *text, struct error *err)
{
    if (o->kind == OPTION_INTEGER)
        return integer_set(base, o, text, err);
    if (o->kind == OPTION_CHOICE)
        return choice_has(o->choices, text) ? text_set(base, o, strdup(text), err) : value_refuse(o, text, err);
    int64_t len = (int64_t)strlen(text);
    if (len < o->min || len > o->max)
        return value_refuse(o, o->kind == OPTION_URI ? "" : text, err);
    if (o->kind == OPTION_PATH)
        return text_set(base, o, path_resolve(directory, text), err);
    if (o->kind == OPTION_STORE)
        return store_set(base, directory, o, text, err);
    if (o->kind == OPTION_LIST)
        return list_set(base, o, text, err);
    if (o->kind == OPTION_URI)
        return uri_set(base, o, text, err);
    return text_set(base, o, strdup(text), err);
}

void option_clear(void *base, const struct option *o)
{
    if (o->kind == OPTION_LIST) {
        list_clear(member(base, o));
    } else if (o->kind != OPTION_INTEGER) {
        char **at = member(base, o);
        free(*at);
        *at = NULL;
    }
}

void option_format(const void *base, const struct option *o, struct buf *out)
{
    if (o->kind == OPTION_INTEGER) {
        buf_printf(out, "%" PRId64, *(const int64_t *)member(base, o));
    } else if (o->kind == OPTION_LIST) {
        const struct text_list *list = member(base, o);
        for (size_t i = 0; i < list->count; i++)
            buf_printf(out, "%s%s", i > 0 ? ", " : "", list->items[i]);
    } else {
        buf_add_text(out, *(char *const *)member(base, o));
    }
}

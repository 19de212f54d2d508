/* SPDX-License-Identifier: Apache-2.0 */
/* A connector's settings: one table of fields, of which each type knows some. Secrets are named by their file only. */
#include <stddef.h>
#include <string.h>

#include "common/file.h"
#include "common/json.h"
#include "common/text.h"
#include "server/connector/chain.h"
#include "server/connector/connector.h"

enum { TIMEOUT_DEFAULT_S = 30, TIMEOUT_MOST_S = 120, DAYS_MOST = 3650, SETTINGS_MAX = 16 * 1024 };

const struct connector_ops *const connector_types[] = {&connector_builtin, &connector_cmp, &connector_est,
                                                       &connector_manual, NULL};

enum field_kind { FIELD_TEXT, FIELD_TRUST, FIELD_PUBLIC, FIELD_SECRET, FIELD_INTEGER, FIELD_BOOL };

static const struct field {
    const char *name;
    enum field_kind kind;
    size_t offset, size;
    int64_t least, most;
} fields[] = {
#define TEXT(name, kind)                                                                                               \
    {                                                                                                                  \
#name, kind, offsetof(struct connector_settings, name), sizeof(((struct connector_settings *)0)->name), 0, 0   \
    }
    TEXT(url, FIELD_TEXT),
    TEXT(trust_file, FIELD_TRUST),
    TEXT(tls_trust_file, FIELD_TRUST),
    TEXT(secret_file, FIELD_SECRET),
    TEXT(reference, FIELD_TEXT),
    TEXT(username, FIELD_TEXT),
    TEXT(password_file, FIELD_SECRET),
    TEXT(certificate_file, FIELD_PUBLIC),
    TEXT(key_file, FIELD_SECRET),
    TEXT(recipient, FIELD_TEXT),
    TEXT(issuer, FIELD_TEXT),
    TEXT(request, FIELD_TEXT),
#undef TEXT
    {"days", FIELD_INTEGER, offsetof(struct connector_settings, days), 0, 1, DAYS_MOST},
    {"timeout_s", FIELD_INTEGER, offsetof(struct connector_settings, timeout_s), 0, 1, TIMEOUT_MOST_S},
    {"implicit_confirm", FIELD_BOOL, offsetof(struct connector_settings, implicit_confirm), 0, 0, 0},
};

const struct connector_ops *connector_type_find(const char *name)
{
    for (size_t i = 0; connector_types[i]; i++) {
        if (strcmp(connector_types[i]->name, name) == 0)
            return connector_types[i];
    }
    return NULL;
}

static bool is_listed(const char *const *names, const char *name)
{
    for (; names && *names; names++) {
        if (strcmp(*names, name) == 0)
            return true;
    }
    return false;
}

static const struct field *field_find(const struct connector_ops *ops, const char *name)
{
    for (size_t i = 0; i < COUNT_OF(fields) && is_listed(ops->fields, name); i++) {
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    }
    return NULL;
}

/* Whether it can be read as what it is; the content is not kept. */
static status file_judge(enum field_kind kind, const char *path, struct error *err)
{
    enum { FILE_MAX = 64 * 1024 };
    cleanup_buf struct buf content = {0};
    cleanup_certificates STACK_OF(X509) *anchors = NULL;

    if (path[0] != '/')
        return error_set(err, CODE_INVALID, "the absolute path of a file of the server is expected");
    if (kind == FIELD_TRUST)
        return connector_trust_read(path, &anchors, err);
    if (kind == FIELD_SECRET)
        return file_read(path, FILE_MAX, FILE_PRIVATE, &content, err);
    return file_read(path, FILE_MAX, FILE_NOT_WRITABLE_BY_OTHERS, &content, err);
}

static status text_take(const struct field *f, const struct json *value, void *to, struct error *err)
{
    const char *text = json_text(value, NULL);

    if (!text || !*text || !text_is_printable(text, f->size - 1) || !text_copy(to, f->size, text))
        return error_set(err, CODE_INVALID, "settings.%s: 1 to %zu bytes of text without control characters", f->name,
                         f->size - 1);
    if (f->kind == FIELD_TEXT)
        return OK;
    if (is_ok(file_judge(f->kind, text, err)))
        return OK;
    if (err)
        err->code = CODE_INVALID;
    error_prefix(err, "settings.%s", f->name);
    return (status){CODE_INVALID};
}

static status field_take(const struct field *f, const struct json *value, struct connector_settings *s,
                         struct error *err)
{
    void *to = (char *)s + f->offset;

    if (f->kind == FIELD_BOOL) {
        if (json_type(value) != JSON_BOOL)
            return error_set(err, CODE_INVALID, "settings.%s: true or false is expected", f->name);
        *(bool *)to = json_bool(value, false);
        return OK;
    }
    if (f->kind != FIELD_INTEGER)
        return text_take(f, value, to, err);
    int64_t number = json_type(value) == JSON_INTEGER ? json_integer(value, 0) : 0;
    if (number < f->least || number > f->most)
        return error_set(err, CODE_INVALID, "settings.%s: a whole number from %lld to %lld is expected", f->name,
                         (long long)f->least, (long long)f->most);
    *(int64_t *)to = number;
    return OK;
}

static status required_check(const struct connector_ops *ops, const struct json *settings, struct error *err)
{
    for (const char *const *name = ops->required; name && *name; name++) {
        if (json_type(json_get(settings, *name)) == JSON_NULL)
            return error_set(err, CODE_INVALID, "settings.%s: a connector of type %s needs it", *name, ops->name);
    }
    return OK;
}

status connector_settings_parse(const char *type, const struct json *settings, struct connector_settings *out,
                                struct error *err)
{
    struct connector_settings s = {.ops = connector_type_find(type), .timeout_s = TIMEOUT_DEFAULT_S};

    if (!s.ops)
        return error_set(err, CODE_INVALID, "type: builtin, cmp, est or manual is expected");
    for (size_t i = 0; i < json_count(settings); i++) {
        const struct field *f = field_find(s.ops, json_name_at(settings, i));
        if (!f)
            return error_set(err, CODE_INVALID, "settings.%.60s: a connector of type %s has no such setting",
                             json_name_at(settings, i), s.ops->name);
        if (json_type(json_at(settings, i)) != JSON_NULL)
            TRY(field_take(f, json_at(settings, i), &s, err));
    }
    TRY(required_check(s.ops, settings, err));
    if (s.ops->check)
        TRY(s.ops->check(&s, err));
    *out = s;
    return OK;
}

status connector_settings_read(const struct connector_row *row, struct connector_settings *out, struct error *err)
{
    cleanup_json struct json *settings = NULL;

    TRY(json_parse(buf_slice(&row->settings), SETTINGS_MAX, 4, &settings, err));
    return connector_settings_parse(row->type, settings, out, err);
}

status connector_trust_read(const char *path, STACK_OF(X509) * *out, struct error *err)
{
    enum { TRUST_MAX = 256 * 1024 };
    cleanup_buf struct buf pem = {0};

    if (!*path)
        return OK;
    TRY(file_read(path, TRUST_MAX, FILE_NOT_WRITABLE_BY_OTHERS, &pem, err));
    return certificates_parse(buf_slice(&pem), out, err);
}

void connector_answer_clear(struct connector_answer *a)
{
    certificates_free(a->certificates);
    buf_clear(&a->result);
    *a = (struct connector_answer){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Client configuration: one row per key says section, kind and range. The file is read whole and judged on its open
 * descriptor before a line of it is believed; every refusal names file and line. */
#include "client/config.h"

#include <ini.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "common/text.h"

enum { FILE_MAX = 64 * 1024, LINE_MAX_BYTES = 8192, TOKEN_LABEL_MAX = 32 };

enum kind {
    KIND_TEXT,
    KIND_PATH,
    KIND_LOG_PATH,
    KIND_URL,
    KIND_MILLISECONDS,
    KIND_CREDENTIAL,
    KIND_EDDSA,
    KIND_VERIFY,
    KIND_LEVEL
};

struct row {
    const char *section;
    const char *key;
    enum kind kind;
    size_t offset;
    int64_t min;
    int64_t max;
};

#define ROW(section, key, kind, member, ...)                                                                           \
    {                                                                                                                  \
        section, key, kind, offsetof(struct client_config, member), __VA_ARGS__                                        \
    }
static const struct row rows[] = {
    ROW("server", "url", KIND_URL, url, 0, 0),
    ROW("server", "ca", KIND_PATH, ca_path, 0, 0),
    ROW("server", "timeout_ms", KIND_MILLISECONDS, timeout_ms, 100, 600000),
    ROW("credential", "type", KIND_CREDENTIAL, credential, 0, 0),
    ROW("credential", "account", KIND_TEXT, account, 0, 0),
    ROW("credential", "key", KIND_PATH, key_path, 0, 0),
    ROW("credential", "api_key_file", KIND_PATH, api_key_path, 0, 0),
    ROW("token", "label", KIND_TEXT, token_label, 0, 0),
    ROW("token", "eddsa", KIND_EDDSA, eddsa_same, 0, 0),
    ROW("token", "verify", KIND_VERIFY, verify_rsa_only, 0, 0),
    ROW("cache", "keys_max_age_ms", KIND_MILLISECONDS, keys_max_age_ms, 0, 86400000),
    ROW("cache", "public_data", KIND_PATH, public_data_path, 0, 0),
    ROW("log", "file", KIND_LOG_PATH, log_path, 0, 0),
    ROW("log", "level", KIND_LEVEL, log_level, 0, 0),
};

struct reading {
    struct client_config *config;
    char *directory; /* of the file: relative paths begin here */
    struct slice text;
    size_t at;
    int line;
    bool seen[COUNT_OF(rows)];
    status failure;
    struct error *err;
};

static bool refuse(struct reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The first refusal stands. Always false, as inih's handler says "stop". */
static bool refuse(struct reading *r, const char *format, ...)
{
    if (!is_ok(r->failure))
        return false;

    char reason[200];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(reason, sizeof(reason), format, args);
    va_end(args);
    r->failure = error_set(r->err, CODE_CONFIGURATION, "%s:%d: %s", r->config->path, r->line, reason);
    return false;
}

static bool store_text(struct reading *r, char **target, const char *value)
{
    *target = strdup(value);
    return *target ? true : refuse(r, "out of memory");
}

static bool store_path(struct reading *r, char **target, const char *value)
{
    *target = path_join(r->directory, value);
    return *target ? true : refuse(r, "out of memory");
}

/* https only: a credential would travel in the clear otherwise. */
static bool store_url(struct reading *r, char **target, const char *value)
{
    static const char scheme[] = "https://";
    size_t len = strlen(value);
    while (len > 0 && value[len - 1] == '/')
        len--;

    if (strncmp(value, scheme, sizeof(scheme) - 1) != 0 || len < sizeof(scheme))
        return refuse(r, "url: https://host[:port] is expected");
    if (strpbrk(value, " \t\"\\?#@"))
        return refuse(r, "url: no user, query or white space may stand in it");

    *target = strndup(value, len);
    return *target ? true : refuse(r, "out of memory");
}

static bool store_milliseconds(struct reading *r, const struct row *row, int64_t *target, const char *value)
{
    int64_t ms = 0;
    if (!text_to_int64(value, &ms) || ms < row->min || ms > row->max)
        return refuse(r, "%s: a number from %lld to %lld is expected", row->key, (long long)row->min,
                      (long long)row->max);
    *target = ms;
    return true;
}

/* One of two words. */
static bool word_is_second(struct reading *r, const char *key, const char *value, const char *first, const char *second,
                           bool *is_second)
{
    *is_second = strcmp(value, second) == 0;
    if (!*is_second && strcmp(value, first) != 0)
        return refuse(r, "%s: %s or %s is expected", key, first, second);
    return true;
}

static bool store_credential(struct reading *r, const char *value)
{
    bool api_key = false;
    if (!word_is_second(r, "type", value, "service_account", "api_key", &api_key))
        return false;
    r->config->credential = api_key ? CREDENTIAL_API_KEY : CREDENTIAL_SERVICE_ACCOUNT;
    return true;
}

static bool store(struct reading *r, const struct row *row, const char *value)
{
    void *target = (char *)r->config + row->offset;
    switch (row->kind) {
    case KIND_TEXT:
        return store_text(r, target, value);
    case KIND_PATH:
        return store_path(r, target, value);
    case KIND_LOG_PATH:
        return strcmp(value, "-") == 0 ? store_text(r, target, value) : store_path(r, target, value);
    case KIND_URL:
        return store_url(r, target, value);
    case KIND_MILLISECONDS:
        return store_milliseconds(r, row, target, value);
    case KIND_CREDENTIAL:
        return store_credential(r, value);
    case KIND_EDDSA:
        return word_is_second(r, row->key, value, "separate", "same", target);
    case KIND_VERIFY:
        return word_is_second(r, row->key, value, "always", "rsa", target);
    case KIND_LEVEL:
        return log_level_parse(value, target) ? true
                                              : refuse(r, "level: off, error, warning, info or debug is expected");
    }
    return false;
}

static int on_value(void *user, const char *section, const char *key, const char *value)
{
    struct reading *r = user;
    bool known_section = false;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (strcmp(rows[i].section, section) != 0)
            continue;
        known_section = true;
        if (strcmp(rows[i].key, key) != 0)
            continue;
        if (r->seen[i])
            return refuse(r, "%s stands twice in [%s]", key, section);
        if (*value == '\0' || !text_is_printable(value, LINE_MAX_BYTES))
            return refuse(r, "%s: the value is empty or not printable", key);
        r->seen[i] = true;
        return store(r, &rows[i], value);
    }
    if (*section == '\0')
        return refuse(r, "%.60s stands before the first [section]", key);
    if (!known_section)
        return refuse(r, "unknown section [%.60s]", section);
    return refuse(r, "unknown key %.60s in [%s]", key, section);
}

/* inih tells empty sections to nobody, so unknown ones are found here, where lines are counted too. */
static bool section_is_known(const char *line, size_t len)
{
    const char *end = memchr(line, ']', len);
    if (*line != '[' || !end)
        return true;

    size_t name_len = (size_t)(end - line - 1);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (strlen(rows[i].section) == name_len && memcmp(rows[i].section, line + 1, name_len) == 0)
            return true;
    return false;
}

/* fgets over the text in memory. */
static char *next_line(char *out, int size, void *user)
{
    struct reading *r = user;
    size_t left = r->text.len - r->at;
    if (left == 0 || !is_ok(r->failure))
        return NULL;

    const char *line = (const char *)r->text.data + r->at;
    const char *end = memchr(line, '\n', left);
    size_t len = end ? (size_t)(end - line) + 1 : left;
    r->line++;
    r->at += len;
    if (len >= (size_t)size || memchr(line, '\0', len)) {
        refuse(r, "the line is too long or not text");
        return NULL;
    }
    if (!section_is_known(line, len)) {
        refuse(r, "unknown section %.*s", (int)(len < 60 ? strcspn(line, "\r\n") : 60), line);
        return NULL;
    }
    memcpy(out, line, len);
    out[len] = '\0';
    return out;
}

/* The variables of the statically linked inih: ours alone. */
static void inih_set_up(void)
{
    ini_use_stack = false;
    ini_initial_alloc = LINE_MAX_BYTES; /* of the line, which does not grow */
    ini_allow_multiline = false;
    ini_stop_on_first_error = true;
}

static status parse(struct reading *r)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, inih_set_up);

    int line = ini_parse_stream(next_line, r, on_value, r);
    TRY(r->failure);
    if (line > 0)
        return error_set(r->err, CODE_CONFIGURATION, "%s:%d: key = value or [section] is expected", r->config->path,
                         line);
    return line < 0 ? error_set(r->err, CODE_NO_MEMORY, "out of memory") : OK;
}

static status label_check(struct client_config *c, struct error *err)
{
    if (!c->token_label)
        c->token_label = strdup("chancery");
    if (!c->token_label)
        return error_set(err, CODE_NO_MEMORY, "out of memory");

    size_t longest = c->eddsa_same ? TOKEN_LABEL_MAX : TOKEN_LABEL_MAX - strlen("eddsa-");
    if (strlen(c->token_label) > longest)
        return error_set(err, CODE_CONFIGURATION, "%s: [token] label has more than %zu bytes", c->path, longest);
    return OK;
}

static status complete(struct client_config *c, struct error *err)
{
    if (!c->url)
        return error_set(err, CODE_CONFIGURATION, "%s: [server] url is missing", c->path);

    bool account = c->credential == CREDENTIAL_SERVICE_ACCOUNT;
    if (account && (!c->account || !c->key_path))
        return error_set(err, CODE_CONFIGURATION, "%s: [credential] %s is missing", c->path,
                         c->account ? "key" : "account");
    if (account && c->api_key_path)
        return error_set(err, CODE_CONFIGURATION, "%s: [credential] api_key_file belongs to type = api_key", c->path);
    if (!account && (c->account || c->key_path))
        return error_set(err, CODE_CONFIGURATION, "%s: [credential] %s belongs to type = service_account", c->path,
                         c->account ? "account" : "key");
    return label_check(c, err);
}

/* The first that is given or exists; freed by the caller. */
static char *config_find(const char *path)
{
    if (!path)
        path = secure_getenv("CHANCERY_CONF");
    if (path && *path)
        return strdup(path);

    const char *home = secure_getenv("HOME");
    cleanup_free char *personal = home && *home == '/' ? path_join(home, ".config/chancery/client.conf") : NULL;
    if (personal && file_exists(personal))
        return steal(&personal);
    return strdup("/etc/chancery/client.conf");
}

/* Absolute, since a host may change its working directory later. */
static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    cleanup_free char *named = !slash ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
    if (!named)
        return NULL;

    char *absolute = realpath(named, NULL);
    return absolute ? absolute : steal(&named);
}

static status text_read(const struct client_config *c, bool searched, struct buf *text, struct error *err)
{
    if (searched && !file_exists(c->path))
        return error_set(err, CODE_NOT_FOUND,
                         "no client configuration: none is named (--config, $CHANCERY_CONF), and there is no "
                         "~/.config/chancery/client.conf and no %s",
                         c->path);
    return file_read(c->path, FILE_MAX, FILE_NOT_WRITABLE_BY_OTHERS, text, err);
}

status client_config_load(const char *path, struct client_config **out, struct error *err)
{
    cleanup_client_config struct client_config *c = calloc(1, sizeof(*c));
    if (!c)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    c->timeout_ms = 15000;
    c->keys_max_age_ms = 60000;
    c->log_level = LOG_LEVEL_WARNING;
    c->path = config_find(path);

    cleanup_free char *directory = c->path ? directory_of(c->path) : NULL;
    if (!directory)
        return error_set(err, CODE_NO_MEMORY, "out of memory");

    const char *named = path ? path : secure_getenv("CHANCERY_CONF");
    cleanup_buf struct buf text = {0};
    TRY(text_read(c, !named || !*named, &text, err));

    struct reading r = {.config = c, .directory = directory, .text = buf_slice(&text), .err = err};
    TRY(parse(&r));
    TRY(complete(c, err));
    *out = steal(&c);
    return OK;
}

void client_config_free(struct client_config *c)
{
    if (!c)
        return;
    free(c->path);
    free(c->url);
    free(c->ca_path);
    free(c->account);
    free(c->key_path);
    free(c->api_key_path);
    free(c->token_label);
    free(c->public_data_path);
    free(c->log_path);
    free(c);
}

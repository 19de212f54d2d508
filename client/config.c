/* SPDX-License-Identifier: Apache-2.0 */
/* Client configuration: one row per key says section, kind and range. The file is read whole and judged on its open
 * descriptor before a line of it is believed; every refusal names the file, and the line where there is one. */
#include "client/config.h"

#include <string.h>

#include "chancery/protocol.h"
#include "common/file.h"
#include "common/ini.h"
#include "common/text.h"

enum { FILE_MAX = 64 * 1024, TOKEN_LABEL_MAX = 32 };

enum kind {
    KIND_TEXT,
    KIND_PATH,
    KIND_LOG_PATH,
    KIND_URL,
    KIND_SERVERS,
    KIND_PIN,
    KIND_PROXY,
    KIND_MILLISECONDS,
    KIND_CREDENTIAL,
    KIND_WORD,
    KIND_LEVEL
};

struct row {
    const char *section;
    const char *key;
    enum kind kind;
    size_t offset;
    int64_t min, max;
    const char *words[2]; /* the second is true */
};

#define ROW(row_section, row_key, row_kind, member, ...)                                                               \
    {                                                                                                                  \
        .section = row_section, .key = row_key, .kind = row_kind, .offset = offsetof(struct client_config, member),    \
        __VA_ARGS__                                                                                                    \
    }
static const struct row rows[] = {
    ROW("server", "url", KIND_URL, url),
    ROW("server", "servers", KIND_SERVERS, servers),
    ROW("server", "ca", KIND_PATH, ca_path),
    ROW("server", "pin", KIND_PIN, pin),
    ROW("server", "client_certificate", KIND_PATH, client_certificate_path),
    ROW("server", "client_key", KIND_PATH, client_key_path),
    ROW("server", "proxy", KIND_PROXY, proxy),
    ROW("server", "proxy_credentials", KIND_PATH, proxy_credentials_path),
    ROW("server", "timeout_ms", KIND_MILLISECONDS, timeout_ms, .min = 100, .max = 600000),
    ROW("server", "connect_timeout_ms", KIND_MILLISECONDS, connect_timeout_ms, .min = 100, .max = 600000),
    ROW("credential", "type", KIND_CREDENTIAL, credential, .words = {"service_account", "api_key"}),
    ROW("credential", "account", KIND_TEXT, account),
    ROW("credential", "key", KIND_PATH, key_path),
    ROW("credential", "api_key_file", KIND_PATH, api_key_path),
    ROW("token", "label", KIND_TEXT, token_label),
    ROW("token", "eddsa", KIND_WORD, eddsa_same, .words = {"separate", "same"}),
    ROW("token", "verify", KIND_WORD, verify_rsa_only, .words = {"always", "rsa"}),
    ROW("cache", "keys_max_age_ms", KIND_MILLISECONDS, keys_max_age_ms, .min = 0, .max = 86400000),
    ROW("cache", "public_data", KIND_PATH, public_data_path),
    ROW("cache", "public_data_max_age_ms", KIND_MILLISECONDS, public_data_max_age_ms, .min = 0, .max = 604800000),
    ROW("log", "file", KIND_LOG_PATH, log_path),
    ROW("log", "level", KIND_LEVEL, log_level),
    ROW("approval", "request", KIND_WORD, approval_auto, .words = {"never", "auto"}),
    ROW("approval", "wait_ms", KIND_MILLISECONDS, approval_wait_ms, .min = 0, .max = 86400000),
    ROW("approval", "reason", KIND_TEXT, approval_reason),
};

struct reading {
    struct client_config *config;
    const char *directory;     /* of the file: relative paths begin here */
    int lines[COUNT_OF(rows)]; /* that set it, 0 for none */
};

static status no_memory(struct error *err)
{
    return error_set(err, CODE_NO_MEMORY, "out of memory");
}

static status store_text(char **target, const char *value, struct error *err)
{
    *target = strdup(value);
    return *target ? OK : no_memory(err);
}

static status store_path(const struct reading *r, char **target, const char *value, struct error *err)
{
    *target = path_join(r->directory, value);
    return *target ? OK : no_memory(err);
}

static status store_pin(char **target, const char *value, struct error *err)
{
    TRY(server_pin_check("pin", value, err));
    return store_text(target, value, err);
}

static status store_proxy(char **target, const char *value, struct error *err)
{
    TRY(server_proxy_check("proxy", value, err));
    return store_text(target, value, err);
}

static status store_milliseconds(const struct row *row, int64_t *target, const char *value, struct error *err)
{
    int64_t ms = 0;
    if (!text_to_int64(value, &ms) || ms < row->min || ms > row->max)
        return error_set(err, CODE_CONFIGURATION, "%s: a number from %lld to %lld is expected", row->key,
                         (long long)row->min, (long long)row->max);
    *target = ms;
    return OK;
}

static status store_word(const struct row *row, bool *is_second, const char *value, struct error *err)
{
    *is_second = strcmp(value, row->words[1]) == 0;
    if (!*is_second && strcmp(value, row->words[0]) != 0)
        return error_set(err, CODE_CONFIGURATION, "%s: %s or %s is expected", row->key, row->words[0], row->words[1]);
    return OK;
}

static status store_credential(const struct row *row, enum credential_type *target, const char *value,
                               struct error *err)
{
    bool api_key = false;
    TRY(store_word(row, &api_key, value, err));
    *target = api_key ? CREDENTIAL_API_KEY : CREDENTIAL_SERVICE_ACCOUNT;
    return OK;
}

static status store_level(enum log_level *target, const char *value, struct error *err)
{
    return log_level_parse(value, target)
               ? OK
               : error_set(err, CODE_CONFIGURATION, "level: off, error, warning, info or debug is expected");
}

static status store(const struct reading *r, const struct row *row, const char *value, struct error *err)
{
    void *target = (char *)r->config + row->offset;
    switch (row->kind) {
    case KIND_TEXT:
        return store_text(target, value, err);
    case KIND_PATH:
        return store_path(r, target, value, err);
    case KIND_LOG_PATH:
        return strcmp(value, "-") == 0 ? store_text(target, value, err) : store_path(r, target, value, err);
    case KIND_URL:
        return server_url_parse(row->key, value, target, err);
    case KIND_SERVERS:
        return server_list_parse(row->key, value, target, err);
    case KIND_PIN:
        return store_pin(target, value, err);
    case KIND_PROXY:
        return store_proxy(target, value, err);
    case KIND_MILLISECONDS:
        return store_milliseconds(row, target, value, err);
    case KIND_CREDENTIAL:
        return store_credential(row, target, value, err);
    case KIND_WORD:
        return store_word(row, target, value, err);
    case KIND_LEVEL:
        return store_level(target, value, err);
    }
    return error_set(err, CODE_INTERNAL, "a kind of value without reader");
}

/* key NULL: any row of the section. */
static const struct row *row_find(const char *section, const char *key)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (strcmp(rows[i].section, section) == 0 && (!key || strcmp(rows[i].key, key) == 0))
            return &rows[i];
    return NULL;
}

/* Elsewhere " ;" begins a comment. Here it would be part of a path or name, and be found out much later. */
static bool has_comment(const char *value)
{
    return value[0] == ';' || strstr(value, " ;");
}

static status value_check(const char *key, const char *value, struct error *err)
{
    if (*value == '\0')
        return error_set(err, CODE_CONFIGURATION, "%s: the value is empty", key);
    if (has_comment(value))
        return error_set(err, CODE_CONFIGURATION,
                         "%s: a comment (;) needs a line of its own, and no value may have \" ;\" in it", key);
    return OK;
}

/* The one section whose keys are the writer's own. */
static status context_entry_read(struct reading *r, const struct ini_entry *entry, struct error *err)
{
    if (!entry->key)
        return OK;
    TRY(value_check(entry->key, entry->value, err));
    return client_context_add(&r->config->context, entry->key, entry->value, err);
}

static status entry_read(void *arg, const struct ini_entry *entry, struct error *err)
{
    struct reading *r = arg;
    if (strcmp(entry->section, "context") == 0)
        return context_entry_read(r, entry, err);

    const struct row *row = row_find(entry->section, entry->key);
    if (!row && *entry->section == '\0')
        return error_set(err, CODE_CONFIGURATION, "%.60s stands before the first [section]", entry->key);
    if (!row && !entry->key)
        return error_set(err, CODE_CONFIGURATION, "unknown section [%.60s]", entry->section);
    if (!row)
        return error_set(err, CODE_CONFIGURATION, "unknown key %.60s in [%s]", entry->key, entry->section);
    if (!entry->key)
        return OK;

    int *set_at = &r->lines[row - rows];
    if (*set_at != 0)
        return error_set(err, CODE_CONFIGURATION, "%s is already set in line %d", row->key, *set_at);
    TRY(value_check(row->key, entry->value, err));
    *set_at = entry->line;
    return store(r, row, entry->value, err);
}

static status label_check(struct client_config *c, struct error *err)
{
    if (!c->token_label)
        c->token_label = strdup("chancery");
    if (!c->token_label)
        return no_memory(err);

    size_t longest = c->eddsa_same ? TOKEN_LABEL_MAX : TOKEN_LABEL_MAX - strlen("eddsa-");
    if (strlen(c->token_label) > longest)
        return error_set(err, CODE_CONFIGURATION, "%s: [token] label has more than %zu bytes", c->path, longest);
    return OK;
}

/* One of the two keys without the other. */
static status pair_check(const struct client_config *c, const char *first, const char *second, bool has_first,
                         bool has_second, struct error *err)
{
    if (has_first == has_second)
        return OK;
    return error_set(err, CODE_CONFIGURATION, "%s: [server] %s needs %s", c->path, has_first ? first : second,
                     has_first ? second : first);
}

static status server_check(struct client_config *c, struct error *err)
{
    if (c->url && c->servers)
        return error_set(err, CODE_CONFIGURATION, "%s: [server] has both url and servers; servers alone lists them all",
                         c->path);
    if (!c->url && !c->servers)
        return error_set(err, CODE_CONFIGURATION, "%s: [server] url is missing", c->path);
    if (c->servers && !(c->url = strdup(c->servers[0])))
        return no_memory(err);
    TRY(pair_check(c, "client_certificate", "client_key", c->client_certificate_path, c->client_key_path, err));
    return c->proxy_credentials_path && !c->proxy
               ? error_set(err, CODE_CONFIGURATION, "%s: [server] proxy_credentials needs proxy", c->path)
               : OK;
}

static status credential_check(const struct client_config *c, struct error *err)
{
    bool account = c->credential == CREDENTIAL_SERVICE_ACCOUNT;
    if (account && (!c->account || !c->key_path))
        return error_set(err, CODE_CONFIGURATION, "%s: [credential] %s is missing", c->path,
                         c->account ? "key" : "account");
    if (account && c->api_key_path)
        return error_set(err, CODE_CONFIGURATION, "%s: [credential] api_key_file belongs to type = api_key", c->path);
    if (!account && (c->account || c->key_path))
        return error_set(err, CODE_CONFIGURATION, "%s: [credential] %s belongs to type = service_account", c->path,
                         c->account ? "account" : "key");
    return OK;
}

static status complete(struct client_config *c, struct error *err)
{
    TRY(server_check(c, err));
    TRY(credential_check(c, err));
    if (c->approval_reason && !text_is_printable(c->approval_reason, LIMIT_TEXT))
        return error_set(err, CODE_CONFIGURATION, "%s: [approval] reason: at most %d bytes of printable text", c->path,
                         LIMIT_TEXT);
    return label_check(c, err);
}

size_t client_config_server_count(const struct client_config *c)
{
    size_t count = 0;
    while (c->servers && c->servers[count])
        count++;
    return count > 0 ? count : 1;
}

const char *client_config_server(const struct client_config *c, size_t i)
{
    return c->servers ? c->servers[i] : c->url;
}

bool client_config_has_server(const struct client_config *c, const char *url)
{
    for (size_t i = 0; i < client_config_server_count(c); i++)
        if (strcmp(client_config_server(c, i), url) == 0)
            return true;
    return false;
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
        return no_memory(err);
    c->timeout_ms = 15000;
    c->connect_timeout_ms = 5000;
    c->keys_max_age_ms = 60000;
    c->public_data_max_age_ms = 3600000;
    c->log_level = LOG_LEVEL_WARNING;
    c->path = config_find(path);

    cleanup_free char *directory = c->path ? directory_of(c->path) : NULL;
    if (!directory)
        return no_memory(err);

    const char *named = path ? path : secure_getenv("CHANCERY_CONF");
    cleanup_buf struct buf text = {0};
    TRY(text_read(c, !named || !*named, &text, err));

    struct reading r = {.config = c, .directory = directory};
    TRY(ini_read(c->path, buf_slice(&text), entry_read, &r, err));
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
    server_list_free(c->servers);
    free(c->ca_path);
    free(c->pin);
    free(c->client_certificate_path);
    free(c->client_key_path);
    free(c->proxy);
    free(c->proxy_credentials_path);
    free(c->account);
    free(c->key_path);
    free(c->api_key_path);
    free(c->token_label);
    free(c->public_data_path);
    free(c->log_path);
    free(c->approval_reason);
    client_context_clear(&c->context);
    free(c);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "client/server_text.h"

#include <string.h>

#include "common/buf.h"
#include "common/encoding.h"
#include "common/text.h"

enum { PIN_BYTES = 32 };

static status no_memory(struct error *err)
{
    return error_set(err, CODE_NO_MEMORY, "out of memory");
}

status server_url_parse(const char *key, const char *value, char **out, struct error *err)
{
    static const char scheme[] = "https://";
    size_t len = strlen(value);
    while (len > 0 && value[len - 1] == '/')
        len--;

    if (strncmp(value, scheme, sizeof(scheme) - 1) != 0 || len < sizeof(scheme))
        return error_set(err, CODE_CONFIGURATION, "%s: https://host[:port] is expected", key);
    if (strpbrk(value, " \t\"\\?#@"))
        return error_set(err, CODE_CONFIGURATION, "%s: no user, query or white space may stand in it", key);

    *out = strndup(value, len);
    return *out ? OK : no_memory(err);
}

void server_list_free(char **list)
{
    for (char **item = list; item && *item; item++)
        free(*item);
    free(list);
}
DEFINE_CLEANUP_PTR(char *, server_list_free)

static bool list_has(char *const *list, const char *url)
{
    for (; *list; list++)
        if (strcmp(*list, url) == 0)
            return true;
    return false;
}

static status list_add(char **list, size_t count, const char *key, const char *item, struct error *err)
{
    cleanup_free char *url = NULL;
    TRY(server_url_parse(key, item, &url, err));
    if (count == SERVERS_MAX)
        return error_set(err, CODE_CONFIGURATION, "%s: more than %d", key, SERVERS_MAX);
    if (list_has(list, url))
        return error_set(err, CODE_CONFIGURATION, "%s: %.120s stands twice", key, url);
    list[count] = steal(&url);
    return OK;
}

status server_list_parse(const char *key, const char *value, char ***out, struct error *err)
{
    cleanup_free char *text = strdup(value);
    CLEANUP(server_list_free_cleanup) char **list = calloc(SERVERS_MAX + 1, sizeof(*list));
    if (!text || !list)
        return no_memory(err);

    size_t count = 0;
    for (char *rest = text, *item; (item = strsep(&rest, ",")) != NULL; count++) {
        item += strspn(item, " \t");
        size_t len = strlen(item);
        while (len > 0 && strchr(" \t", item[len - 1]))
            item[--len] = '\0';
        TRY(list_add(list, count, key, item, err));
    }
    *out = steal(&list);
    return OK;
}

static bool pin_is_valid(const char *pin, size_t len)
{
    static const char scheme[] = "sha256//";
    cleanup_buf struct buf bytes = {0};
    size_t head = sizeof(scheme) - 1;
    return len > head && strncmp(pin, scheme, head) == 0 &&
           is_ok(base64_decode(pin + head, len - head, &bytes, NULL)) && bytes.len == PIN_BYTES;
}

status server_pin_check(const char *key, const char *value, struct error *err)
{
    for (const char *pin = value;; pin++) {
        size_t len = strcspn(pin, ";");
        if (!pin_is_valid(pin, len))
            return error_set(err, CODE_CONFIGURATION,
                             "%s: sha256//<44 characters of base64>, several divided by ; without blanks, is expected",
                             key);
        pin += len;
        if (*pin == '\0')
            return OK;
    }
}

status server_proxy_check(const char *key, const char *value, struct error *err)
{
    static const char scheme[] = "http://";
    const char *host = value + sizeof(scheme) - 1;
    bool starts = strncmp(value, scheme, sizeof(scheme) - 1) == 0;
    const char *colon = starts ? strrchr(host, ':') : NULL;
    int64_t port = 0;
    if (!colon || colon == host || !text_to_int64(colon + 1, &port) || port < 1 || port > 65535)
        return error_set(err, CODE_CONFIGURATION, "%s: http://host:port is expected", key);
    if (strpbrk(value, " \t\"\\?#@"))
        return error_set(err, CODE_CONFIGURATION, "%s: credentials belong into the file of proxy_credentials", key);
    return OK;
}

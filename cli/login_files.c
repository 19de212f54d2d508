/* SPDX-License-Identifier: Apache-2.0 */
/* Everything a client needs in one directory, named relative to it, so that the directory can be moved. */
#include "cli/login_files.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "common/file.h"

enum { CA_MAX = 1024 * 1024 };
static const char ca_name[] = "server-ca.pem";

void login_files_clear(struct login_files *f)
{
    free(f->config);
    free(f->directory);
    free(f->key);
    free(f->public_key);
    free(f->api_key);
    *f = (struct login_files){0};
}

static char *config_path(struct cli *cli)
{
    const char *named = cli_option(cli, "config");
    if (!named)
        named = secure_getenv("CHANCERY_CONF");
    if (named && *named)
        return strdup(named);
    const char *home = secure_getenv("HOME");
    return home && *home == '/' ? path_join(home, ".config/chancery/client.conf") : NULL;
}

static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* "build-1.key" gives "build-1.pub". */
static char *public_name(const char *key)
{
    cleanup_buf struct buf name = {0};
    size_t len = strlen(key);
    if (len > 4 && strcmp(key + len - 4, ".key") == 0)
        len -= 4;
    buf_add(&name, key, len);
    buf_add_text(&name, ".pub");
    return name.failed ? NULL : strdup(buf_text(&name));
}

static char *key_path(struct cli *cli, const char *directory)
{
    cleanup_buf struct buf name = {0};
    if (cli_has(cli, "key"))
        return strdup(cli_option(cli, "key"));
    buf_printf(&name, "%s.key", cli_has(cli, "account") ? cli_option(cli, "account") : "chancery");
    return name.failed ? NULL : path_join(directory, buf_text(&name));
}

status login_files_name(struct cli *cli, struct login_files *f, struct error *err)
{
    f->config = config_path(cli);
    if (!f->config)
        return error_set(err, CODE_CONFIGURATION, "--config is missing, and so is $HOME");
    f->directory = directory_of(f->config);
    f->key = f->directory ? key_path(cli, f->directory) : NULL;
    f->public_key = f->key ? public_name(f->key) : NULL;
    f->api_key = f->directory ? path_join(f->directory, "api.key") : NULL;
    return f->public_key && f->api_key ? OK : error_set(err, CODE_NO_MEMORY, "out of memory");
}

status login_directory_make(struct cli *cli, const struct login_files *f, struct error *err)
{
    TRY(directory_make(f->directory, 0700, err));
    if (!cli_has(cli, "ca"))
        return OK;

    cleanup_buf struct buf pem = {0};
    cleanup_free char *copy = path_join(f->directory, ca_name);
    if (!copy)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    TRY(file_read(cli_option(cli, "ca"), CA_MAX, FILE_ANY, &pem, err));
    if (!strstr(buf_text(&pem), "-----BEGIN CERTIFICATE-----"))
        return error_set(err, CODE_INVALID, "%s: no certificate in PEM", cli_option(cli, "ca"));
    return file_write(copy, buf_slice(&pem), 0644, err);
}

/* Relative to the configuration's directory where the file stands in it, absolute elsewhere. */
static status path_add(struct buf *out, const char *name, const char *path, const char *directory, struct error *err)
{
    size_t len = strlen(directory);
    if (strncmp(path, directory, len) == 0 && path[len] == '/' && !strchr(path + len + 1, '/')) {
        buf_printf(out, "%s = %s\n", name, path + len + 1);
        return OK;
    }
    cleanup_free char *absolute = realpath(path, NULL);
    if (!absolute)
        return error_set(err, CODE_IO, "%s: %s", path, strerror(errno));
    buf_printf(out, "%s = %s\n", name, absolute);
    return OK;
}

static status credential_add(struct cli *cli, const struct login_files *f, struct buf *out, struct error *err)
{
    buf_add_text(out, "\n[credential]\n");
    if (cli_has(cli, "account")) {
        buf_printf(out, "type = service_account\naccount = %s\n", cli_option(cli, "account"));
        return path_add(out, "key", f->key, f->directory, err);
    }
    buf_add_text(out, "type = api_key\n");
    return cli_has(cli, "no-store") ? OK : path_add(out, "api_key_file", f->api_key, f->directory, err);
}

status login_config_write(struct cli *cli, const struct login_files *f, struct error *err)
{
    cleanup_buf struct buf text = {0};
    if (file_exists(f->config))
        return error_set(err, CODE_CONFLICT, "%s exists already", f->config);
    buf_printf(&text, "# Written by chancery login; chancery(1) tells every key.\n[server]\nurl = %s\n",
               cli_option(cli, "server"));
    if (cli_has(cli, "ca"))
        buf_printf(&text, "ca = %s\n", ca_name);
    TRY(credential_add(cli, f, &text, err));
    if (cli_has(cli, "label"))
        buf_printf(&text, "\n[token]\nlabel = %s\n", cli_option(cli, "label"));
    buf_add_text(&text, "\n[cache]\npublic_data = public.json\n");
    TRY(buf_check(&text, err));
    return file_write(f->config, buf_slice(&text), 0600, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Directory, secrets, TLS and configuration of a new installation. Secrets are in files of their own that only the
 * owner can read; the configuration names them (I8). */
#include "server/app/init_files.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

#include "common/encoding.h"
#include "common/file.h"
#include "common/secret.h"
#include "server/ca/ca.h"
#include "server/config/config.h"
#include "server/http/http.h"

enum { PIN_BYTES = 16, PEM_MAX = 64 * 1024 };

/* ---- directory */

static bool directory_is_empty(const char *path)
{
    DIR *d = opendir(path);
    if (!d)
        return false;
    bool is_empty = true;
    for (const struct dirent *e = readdir(d); e && is_empty; e = readdir(d))
        is_empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    (void)closedir(d);
    return is_empty;
}

status directory_take(const char *path, char **out, struct error *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        TRY(directory_make(path, 0700, err));
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return error_set(err, CODE_IO, "%s: not a directory", path);
    if (st.st_uid != geteuid())
        return error_set(err, CODE_CONFIGURATION, "%s: belongs to another user", path);
    if (!directory_is_empty(path))
        return error_set(err, CODE_CONFLICT, "%s: the directory is not empty; nothing was changed", path);
    if (chmod(path, 0700) != 0)
        return error_set(err, CODE_IO, "%s: %s", path, strerror(errno));
    *out = realpath(path, NULL);
    return *out ? OK : error_set(err, CODE_IO, "%s: %s", path, strerror(errno));
}

static int entry_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type;
    if (at->level > 0)
        (void)remove(path);
    return 0;
}

void directory_empty(const char *path)
{
    (void)nftw(path, entry_remove, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

status file_put(const char *dir, const char *name, struct slice content, mode_t mode, struct error *err)
{
    cleanup_free char *path = path_join(dir, name);
    if (!path)
        return error_set(err, CODE_NO_MEMORY, "path");
    return file_write(path, content, mode, err);
}

/* ---- secrets */

status pin_make(const char *dir, const char *name, struct buf *pin, struct error *err)
{
    uint8_t random[PIN_BYTES];
    cleanup_buf struct buf line = {0};
    TRY(secret_random(random, sizeof random, err));
    hex_encode((struct slice){random, sizeof random}, pin);
    secret_wipe(random, sizeof random);
    TRY(buf_check(pin, err));
    buf_add(&line, pin->data, pin->len);
    buf_add_text(&line, "\n");
    TRY(buf_check(&line, err));
    return file_put(dir, name, buf_slice(&line), 0600, err);
}

/* ---- TLS */

static status tls_given_check(const struct init_options *o, struct error *err)
{
    cleanup_buf struct buf certificate = {0};
    cleanup_buf struct buf key = {0};
    TRY(file_read(o->tls_certificate, PEM_MAX, FILE_NOT_WRITABLE_BY_OTHERS, &certificate, err));
    TRY(file_read(o->tls_key, PEM_MAX, FILE_PRIVATE, &key, err));
    return http_certificate_check(buf_text(&certificate), buf_text(&key), err);
}

status tls_files_make(const struct init_options *o, const char *dir, struct error *err)
{
    static const char *const local[] = {"127.0.0.1", "localhost"};
    cleanup_buf struct buf root = {0};
    cleanup_buf struct buf root_key = {0};
    cleanup_buf struct buf certificate = {0};
    cleanup_buf struct buf key = {0};
    if (o->tls_certificate)
        return tls_given_check(o, err);
    const char *const *names = o->name_count ? o->names : local;
    size_t count = o->name_count ? o->name_count : COUNT_OF(local);
    TRY(tls_certificate_create(names, count, &root, &root_key, &certificate, &key, err));
    TRY(file_put(dir, FILE_SERVER_CA, buf_slice(&root), 0644, err));
    TRY(file_put(dir, FILE_SERVER_CA_KEY, buf_slice(&root_key), 0600, err));
    TRY(file_put(dir, FILE_CERTIFICATE, buf_slice(&certificate), 0644, err));
    return file_put(dir, FILE_KEY, buf_slice(&key), 0600, err);
}

/* ---- SoftHSM */

bool module_is_softhsm(const char *path)
{
    const char *slash = strrchr(path, '/');
    return strstr(slash ? slash : path, "softhsm") != NULL;
}

status softhsm_files_make(const char *dir, struct error *err)
{
    cleanup_buf struct buf text = {0};
    cleanup_free char *tokens = path_join(dir, DIRECTORY_TOKENS);
    if (!tokens)
        return error_set(err, CODE_NO_MEMORY, "path");
    TRY(directory_make(tokens, 0700, err));
    buf_add_text(&text,
                 "# SoftHSM's own configuration, for the token of this directory alone. The path must be absolute.\n"
                 "# Never open the token with another program while the server runs: SoftHSM can lose it.\n");
    buf_printf(&text, "directories.tokendir = %s\n", tokens);
    buf_add_text(&text, "objectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n");
    TRY(buf_check(&text, err));
    return file_put(dir, FILE_SOFTHSM, buf_slice(&text), 0600, err);
}

/* ---- configuration */

/* An IPv6 address stands in brackets in a URL (RFC 3986 §3.2.2). */
static void url_add(struct buf *text, const char *host, int port)
{
    bool is_v6 = strchr(host, ':') != NULL;
    buf_printf(text, "%shttps://%s%s%s:%d",
               text->data[text->len - 1] == ' ' && text->data[text->len - 2] == '=' ? "" : ", ", is_v6 ? "[" : "", host,
               is_v6 ? "]" : "", port);
}

static void urls_add(struct buf *text, const struct init_options *o)
{
    if (o->port == 0)
        return; /* not known yet: run makes them from address and port */
    buf_add_text(text, "public_url = ");
    for (size_t i = 0; i < o->name_count; i++)
        url_add(text, o->names[i], o->port);
    if (o->name_count == 0) {
        url_add(text, "127.0.0.1", o->port);
        url_add(text, "localhost", o->port);
    }
    buf_add_text(text, "\n");
}

/* Where those who verify find CRLs: an example, unless it was asked for. */
static void public_http_lines_add(struct buf *text, const struct init_options *o)
{
    const char *mark = o->public_http_port ? "" : "#";
    const char *address = o->listen_address ? o->listen_address : "127.0.0.1";
    if (!o->public_http_port)
        buf_add_text(text, "# Plain HTTP for those who verify (CRLs, CA certificates, OCSP):\n");
    buf_printf(text, "%spublic_http_address = %s\n%spublic_http_port = %d\n", mark,
               o->public_http_port ? address : "0.0.0.0", mark, o->public_http_port ? o->public_http_port : 8080);
    if (o->public_http_url || !o->public_http_port)
        buf_printf(text, "%spublic_http_url = %s\n", mark,
                   o->public_http_url ? o->public_http_url : "http://pki.example.org");
}

static status path_line_add(struct buf *text, const char *option, const char *path, struct error *err)
{
    cleanup_free char *absolute = realpath(path, NULL);
    if (!absolute)
        return error_set(err, CODE_IO, "%s: %s", path, strerror(errno));
    buf_printf(text, "%s = %s\n", option, absolute);
    return OK;
}

static status tls_lines_add(struct buf *text, const struct init_options *o, struct error *err)
{
    if (!o->tls_certificate) {
        buf_add_text(text, "tls_certificate = " FILE_CERTIFICATE "\ntls_key = " FILE_KEY "\n");
        return OK;
    }
    TRY(path_line_add(text, "tls_certificate", o->tls_certificate, err));
    return path_line_add(text, "tls_key", o->tls_key, err);
}

static status hsm_lines_add(struct buf *text, const struct init_options *o, const char *module, struct error *err)
{
    buf_printf(text, "hsm_module = %s\nhsm_token = %s\n", module, o->hsm_token ? o->hsm_token : "chancery");
    if (o->hsm_pin_file)
        return path_line_add(text, "hsm_pin_file", o->hsm_pin_file, err);
    buf_add_text(text, "hsm_pin_file = " FILE_USER_PIN "\n");
    if (module_is_softhsm(module))
        buf_add_text(text, "softhsm2_conf = " FILE_SOFTHSM "\n");
    return OK;
}

status configuration_make(const struct init_options *o, const char *dir, const char *hsm_module, struct error *err)
{
    cleanup_buf struct buf text = {0};
    buf_add_text(&text, "# chanceryd. Every option with its default: chanceryd --print-example.\n");
    buf_printf(&text, "listen_address = %s\nlisten_port = %d\n", o->listen_address ? o->listen_address : "127.0.0.1",
               o->port);
    urls_add(&text, o);
    public_http_lines_add(&text, o);
    TRY(tls_lines_add(&text, o, err));
    if (o->store)
        buf_printf(&text, "store = %s\n", o->store);
    else
        buf_printf(&text, "store = sqlite:%s/" FILE_DATABASE "\n", dir);
    TRY(hsm_lines_add(&text, o, hsm_module, err));
    buf_add_text(&text, "log_level = info\n");
    TRY(buf_check(&text, err));
    return file_put(dir, CONFIG_FILE_NAME, buf_slice(&text), 0600, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* `chanceryd init`: files, token, store, then one transaction with the CA's certificates, the first administrator, its
 * API key and the record server.init. The first failure takes everything in the directory away again. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "chancery/version.h"
#include "common/file.h"
#include "common/secret.h"
#include "common/text.h"
#include "server/app/app.h"
#include "server/app/init_files.h"
#include "server/app/parts.h"
#include "server/app/public_http.h"
#include "server/auth/sealed.h"

#define DEFAULT_HSM_MODULE "/usr/lib/softhsm/libsofthsm2.so"

enum { COMMIT_TIMEOUT_MS = 60000 };

/* ---- what the store holds at first */

struct seed {
    struct hsm *hsm;
    const char *organisation;
    char public_url[PUBLIC_URL_SIZE];
    struct principal admin;
    struct api_key key;
};

static status seed_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    struct seed *s = arg;
    (void)record;
    TRY(ca_create(s->hsm, db, s->organisation, s->public_url, err));
    TRY(principal_insert(db, &s->admin, err));
    return api_key_insert(db, &s->key, err);
}

static status seed_fill(struct seed *s, const struct init_options *o, struct buf *api_key, struct error *err)
{
    int64_t now = clock_now_ms();
    s->organisation = o->organisation ? o->organisation : "Chancery";
    s->admin = (struct principal){.type = PRINCIPAL_USER, .role = ROLE_ADMINISTRATOR, .created_ms = now};
    TRY(id_new("usr", s->admin.id, err));
    (void)text_copy(s->admin.name, sizeof s->admin.name, o->admin ? o->admin : "admin");
    return api_key_make(s->admin.id, "init", 0, now, api_key, &s->key, err);
}

static status store_seed(const struct parts *p, const struct config *c, const struct init_options *o,
                         struct buf *api_key, struct error *err)
{
    struct seed seed = {.hsm = p->hsm};
    struct audit_record record = {
        .type = "server.init",
        .outcome = "success",
        .target_type = "user",
        .detail_json = "{\"version\":\"" CHANCERY_VERSION "\"}",
    };
    struct audit_work work = {.change = seed_rows, .arg = &seed, .record = &record, .alters_rights = true};
    TRY(public_http_url(c, (int)c->public_http_port, seed.public_url, err));
    TRY(seed_fill(&seed, o, api_key, err));
    record.target_id = seed.admin.id;
    record.target_name = seed.admin.name;
    return audit_commit(p->audit, &work, deadline_in(COMMIT_TIMEOUT_MS), err);
}

/* ---- steps */

static status options_check(const struct init_options *o, struct error *err)
{
    if (o->admin && !text_is_name(o->admin))
        return error_set(err, CODE_INVALID, "--admin: 1 to %d characters of a-z 0-9 . _ - are expected", LIMIT_NAME);
    if (!o->tls_certificate != !o->tls_key)
        return error_set(err, CODE_INVALID, "--tls-certificate and --tls-key go together");
    if (o->public_http_url && !o->public_http_port)
        return error_set(err, CODE_INVALID, "--public-http-url goes with --public-http-port");
    if (o->api_key_file && file_exists(o->api_key_file))
        return error_set(err, CODE_CONFLICT, "%s: the file exists", o->api_key_file);
    return OK;
}

static status token_make(const struct init_options *o, const char *dir, const char *module, struct error *err)
{
    cleanup_buf struct buf so_pin = {0};
    cleanup_buf struct buf user_pin = {0};
    cleanup_free char *conf = path_join(dir, FILE_SOFTHSM);
    if (o->hsm_pin_file)
        return OK;
    if (module_is_softhsm(module)) {
        TRY(softhsm_files_make(dir, err));
        if (!conf || setenv("SOFTHSM2_CONF", conf, 1) != 0)
            return error_set(err, CODE_NO_MEMORY, "SOFTHSM2_CONF");
    }
    TRY(pin_make(dir, FILE_SO_PIN, &so_pin, err));
    TRY(pin_make(dir, FILE_USER_PIN, &user_pin, err));
    const char *label = o->hsm_token ? o->hsm_token : "chancery";
    return hsm_token_init(module, label, buf_slice(&so_pin), buf_slice(&user_pin), err);
}

static status store_make(const char *dir, const struct init_options *o, struct buf *api_key, struct error *err)
{
    cleanup_config struct config *config = NULL;
    cleanup_parts struct parts parts = {0};
    TRY(config_load(dir, &config, err)); /* what run will read */
    TRY(parts_open_base(&parts, config, err));
    return store_seed(&parts, config, o, api_key, err);
}

static status api_key_hand_over(const struct init_options *o, const struct buf *api_key, struct buf *report,
                                struct error *err)
{
    const char *admin = o->admin ? o->admin : "admin";
    if (!o->api_key_file) {
        buf_printf(report, "API key of the administrator %s, shown only now:\n\n  %s\n\n", admin, buf_text(api_key));
        return buf_check(report, err);
    }
    cleanup_buf struct buf line = {0};
    buf_printf(&line, "%s\n", buf_text(api_key));
    TRY(buf_check(&line, err));
    TRY(file_write(o->api_key_file, buf_slice(&line), 0600, err));
    buf_printf(report, "API key of the administrator %s: in %s\n", admin, o->api_key_file);
    return buf_check(report, err);
}

static status installation_make(const struct init_options *o, const char *dir, struct buf *report, struct error *err)
{
    cleanup_buf struct buf api_key = {0};
    cleanup_free char *secret_key = path_join(dir, FILE_SECRET_KEY);
    const char *asked = o->hsm_module ? o->hsm_module : DEFAULT_HSM_MODULE;
    /* An absolute path is kept as it is given: it may be a link that follows the package. */
    cleanup_free char *module = asked[0] == '/' ? strdup(asked) : realpath(asked, NULL);
    if (!module || !file_exists(module))
        return error_set(err, CODE_CONFIGURATION, "%s: no such HSM module; see --hsm-module", asked);
    if (!secret_key)
        return error_set(err, CODE_NO_MEMORY, "path");
    TRY(secret_key_make(secret_key, err));
    TRY(tls_files_make(o, dir, err));
    TRY(configuration_make(o, dir, module, err));
    TRY(token_make(o, dir, module, err));
    TRY(store_make(dir, o, &api_key, err));
    buf_printf(report, "Chancery is installed in %s.\n", dir);
    if (!o->tls_certificate)
        buf_printf(report, "Clients trust the server by %s/" FILE_SERVER_CA "\n", dir);
    TRY(api_key_hand_over(o, &api_key, report, err));
    buf_printf(report, "Start it: chanceryd run --config %s\n", dir);
    return buf_check(report, err);
}

status init_run(const struct init_options *o, struct buf *report, struct error *err)
{
    cleanup_free char *dir = NULL;
    TRY(options_check(o, err));
    TRY(directory_take(o->directory, &dir, err));
    status s = installation_make(o, dir, report, err);
    if (is_ok(s))
        return s;
    directory_empty(dir);
    buf_reset(report);
    error_prefix(err, "init failed and left nothing in %s%s", dir,
                 o->hsm_pin_file ? "; the token may hold keys named for the CA" : "");
    return s;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* `chanceryd run`: opens the parts, serves, and waits for signals in the main thread: SIGTERM and SIGINT drain and
 * stop, SIGHUP takes what may change while running. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "chancery/version.h"
#include "common/file.h"
#include "common/log.h"
#include "server/api/reconcile.h"
#include "server/api/web.h"
#include "server/app/app.h"
#include "server/app/audiences.h"
#include "server/app/notify.h"
#include "server/app/parts.h"
#include "server/app/proxies.h"
#include "server/app/public_http.h"
#include "server/app/worker.h"

enum { COMMIT_TIMEOUT_MS = 10000, HOUR_MS = 60 * 60 * 1000, RECONCILE_TIMEOUT_MS = 60000, TABLES_MOST = 128 };

static atomic_bool draining;

static bool is_draining(void)
{
    return atomic_load(&draining);
}

struct server {
    struct config *config;
    struct parts parts;
    struct api api;
    struct audiences audiences;
    struct network *proxies;
    struct http_server *http;
    struct public_http public_http;
    struct worker worker;
};

/* ---- start */

/* Signals wait until the main thread asks for them: blocked before there is any other thread. */
static void signals_block(sigset_t *waited)
{
    (void)signal(SIGPIPE, SIG_IGN);
    sigemptyset(waited);
    sigaddset(waited, SIGTERM);
    sigaddset(waited, SIGINT);
    sigaddset(waited, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, waited, NULL);
}

static void limits_set(void)
{
    struct rlimit files;
    const struct rlimit none = {0};
    (void)umask(077);
    (void)setrlimit(RLIMIT_CORE, &none); /* I8: a core would hold the PIN */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

/* The REST interface, and the page that uses it. */
static status tables_join(const struct route *out[static TABLES_MOST], struct error *err)
{
    size_t count = 0;

    for (; api_tables[count]; count++) {
        if (count + 2 == TABLES_MOST)
            return error_set(err, CODE_INTERNAL, "more than %d tables of routes", TABLES_MOST);
        out[count] = api_tables[count];
    }
    out[count] = web_routes;
    return OK;
}

static status http_start(struct server *s, struct error *err)
{
    const struct route *tables[TABLES_MOST] = {0};
    const struct config *c = s->config;
    cleanup_buf struct buf certificate = {0};
    cleanup_buf struct buf key = {0};
    int fd = -1;
    TRY(tables_join(tables, err));
    TRY(proxies_make(c, &s->proxies, err));
    TRY(tls_read(c, &certificate, &key, err));
    TRY(http_listen(c->listen_address, (int)c->listen_port, &fd, err));
    status made = audiences_make(&s->audiences, c, fd, err);
    if (!is_ok(made)) {
        (void)close(fd);
        return made;
    }
    s->api.token_audiences = (const char *const *)s->audiences.items;
    const struct http_config http = {
        .listen_fd = fd,
        .certificate_pem = buf_text(&certificate),
        .key_pem = buf_text(&key),
        .workers = (int)c->http_workers,
        .queue = (int)c->http_queue,
        .max_connections = (int)c->http_max_connections,
        .request_timeout_ms = c->request_timeout_ms,
        .idle_timeout_ms = c->idle_timeout_ms,
        .proxies = {s->proxies, c->trusted_proxies.count},
        .tables = tables,
        .before = api_before,
        .api = &s->api,
    };
    return http_server_start(&http, &s->http, err);
}

static status start_record(struct server *s, struct error *err)
{
    struct audit_record record = {
        .type = "server.start",
        .outcome = "success",
        .target_type = "server",
        .target_name = s->audiences.first_url,
        .detail_json = "{\"version\":\"" CHANCERY_VERSION "\"}",
    };
    struct audit_work work = {.record = &record};
    return audit_commit(s->parts.audit, &work, deadline_in(COMMIT_TIMEOUT_MS), err);
}

/* What differs is on record and in the report; a server whose HSM cannot be listed starts all the same. */
static void hsms_reconcile(struct server *s)
{
    for (size_t i = 0; i < hsm_set_count(s->parts.hsms); i++) {
        const struct reconcile_order order = {.hsm = hsm_set_at(s->parts.hsms, i)};
        cleanup_buf struct buf report = {0};
        struct error err = {0};
        if (is_ok(reconcile_run(&s->api, &order, deadline_in(RECONCILE_TIMEOUT_MS), &report, &err)))
            continue;
        error_prefix(&err, "HSM %s", hsm_name(order.hsm));
        log_error(LOG_LEVEL_ERROR, "hsm.reconcile", &err);
    }
}

static status number_write(const char *path, long number, struct error *err)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%ld\n", number);
    return path ? file_write(path, (struct slice){(const uint8_t *)text, (size_t)len}, 0644, err) : OK;
}

static status server_start(struct server *s, const struct run_options *o, struct error *err)
{
    TRY(public_http_listen(&s->public_http, s->config, err));
    TRY(parts_open_base(&s->parts, s->config, err));
    TRY(parts_open_service(&s->parts, s->config, s->public_http.url, err));
    s->api = (struct api){.store = s->parts.store,
                          .audit = s->parts.audit,
                          .signer = s->parts.signer,
                          .identities = s->parts.identities,
                          .hsm = s->parts.hsm,
                          .hsms = s->parts.hsms,
                          .ca = s->parts.ca,
                          .secret_key_file = s->config->secret_key_file,
                          .tls_root = s->config->tls_root,
                          .tsa = s->parts.tsa,
                          .runner = s->parts.runner,
                          .destroy_wait_ms = s->config->destroy_wait_hours * HOUR_MS,
                          .break_glass_hours = s->config->break_glass_hours,
                          .started_ms = clock_now_ms(),
                          .is_draining = is_draining};
    TRY(http_start(s, err));
    TRY(public_http_start(&s->public_http, s->config, &s->api, err));
    TRY(start_record(s, err));
    hsms_reconcile(s);
    TRY(worker_start(&s->worker, s->parts.runner, err));
    TRY(number_write(o->pid_file, (long)getpid(), err));
    TRY(number_write(o->port_file, http_server_port(s->http), err));
    char port[16];
    snprintf(port, sizeof port, "%d", http_server_port(s->http));
    log_event(LOG_LEVEL_INFO, "server.ready", "version", CHANCERY_VERSION, "address", s->config->listen_address, "port",
              port, "url", s->audiences.first_url, "public_http_url", s->public_http.url, NULL);
    notify_ready();
    return OK;
}

/* ---- reload */

static status certificate_reload(struct server *s, struct error *err)
{
    cleanup_buf struct buf certificate = {0};
    cleanup_buf struct buf key = {0};
    TRY(tls_read(s->config, &certificate, &key, err));
    return http_server_set_certificate(s->http, buf_text(&certificate), buf_text(&key), err);
}

static status config_reload(struct server *s, struct error *err)
{
    cleanup_config struct config *fresh = NULL;
    cleanup_buf struct buf refused = {0};
    TRY(config_load(s->config->path, &fresh, err));
    config_restart_needed(s->config, fresh, &refused);
    if (refused.len > 0)
        log_event(LOG_LEVEL_WARNING, "reload.refused", "options", buf_text(&refused), "reason",
                  "these change with a restart only; the old values stay", NULL);
    TRY(config_take_live(s->config, fresh, err));
    TRY(log_open_configured(s->config, err));
    return certificate_reload(s, err);
}

static void reload(struct server *s)
{
    struct error err = {0};
    notify_reloading();
    if (is_ok(config_reload(s, &err)))
        log_event(LOG_LEVEL_INFO, "reload", "configuration", s->config->path, NULL);
    else
        log_error(LOG_LEVEL_ERROR, "reload.failed", &err);
    notify_ready();
}

/* ---- stop */

static void wait_for_stop(struct server *s, const sigset_t *waited)
{
    for (;;) {
        int number = sigwaitinfo(waited, NULL);
        if (number == SIGHUP) {
            reload(s);
        } else if (number > 0) {
            log_event(LOG_LEVEL_INFO, "server.stopping", "signal", number == SIGTERM ? "SIGTERM" : "SIGINT", NULL);
            return;
        }
    }
}

/* False: a handler still runs, so nothing it uses may be closed. */
static bool server_stop(struct server *s)
{
    atomic_store(&draining, true);
    notify_stopping();
    struct deadline d = deadline_in(s->config->stop_timeout_ms);
    bool ended = public_http_stop(&s->public_http, d);
    if (!http_server_stop(s->http, d) || !ended)
        return false;
    worker_stop(&s->worker);
    parts_close(&s->parts);
    audiences_clear(&s->audiences);
    free(s->proxies);
    return true;
}

static status server_serve(struct server *s, const struct run_options *o, const sigset_t *waited, struct error *err)
{
    status started = server_start(s, o, err);
    if (is_ok(started))
        wait_for_stop(s, waited);
    else
        log_error(LOG_LEVEL_ERROR, "server.failed", err);
    bool ended = server_stop(s);
    if (o->pid_file && is_ok(started))
        (void)unlink(o->pid_file);
    if (is_ok(started))
        log_event(LOG_LEVEL_INFO, "server.stopped", "complete", ended ? "yes" : "no", NULL);
    if (!ended)
        _exit(EXIT_FAILURE); /* every acknowledged record is durable (I1); what is left running dies here */
    return started;
}

status run_server(const struct run_options *o, struct error *err)
{
    struct server s = {0};
    sigset_t waited;
    signals_block(&waited);
    limits_set();
    TRY(config_load(o->config, &s.config, err));
    status result = log_open_configured(s.config, err);
    if (is_ok(result))
        result = server_serve(&s, o, &waited, err);
    config_free(s.config);
    log_close();
    return result;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "peers.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/encoding.h"
#include "common/file.h"

enum { START_MS = 30000, LOOK_US = 20000 };

static void path_of(const struct peers *p, const char *name, char out[512])
{
    (void)snprintf(out, 512, "%s/%s", p->dir, name);
}

static int run(struct peers *p, const char *format, va_list args)
{
    char command[2048], whole[4096];

    (void)vsnprintf(command, sizeof(command), format, args);
    (void)snprintf(whole, sizeof(whole), "cd '%s' && PATH=\"" PEERS_DIR ":$PATH\" && { %s; } >run.out 2>&1", p->dir,
                   command);
    return system(whole);
}

void peers_run(struct peers *p, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int status_code = run(p, format, args);
    va_end(args);
    if (status_code != 0)
        fail_msg("%s: %d, see %s/run.out", format, status_code, p->dir);
}

int peers_try(struct peers *p, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int status_code = run(p, format, args);
    va_end(args);
    return status_code;
}

void peers_write(struct peers *p, const char *name, const char *text, mode_t mode)
{
    char path[512];

    path_of(p, name, path);
    assert_ok(p->w, file_write(path, slice_of_text(text), mode, &p->w->err));
}

int peers_lines(struct peers *p, const char *name)
{
    cleanup_buf struct buf text = {0};
    char path[512];
    int lines = 0;

    path_of(p, name, path);
    if (!file_exists(path))
        return 0;
    assert_ok(p->w, file_read(path, 1 << 20, FILE_ANY, &text, &p->w->err));
    for (size_t i = 0; i < text.len; i++)
        lines += text.data[i] == '\n';
    return lines;
}

/* ---- processes */

static pid_t start(struct peers *p, const char *output, char *const argv[])
{
    char path[512];
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    path_of(p, output, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    (void)dup2(fd, STDOUT_FILENO);
    (void)dup2(fd, STDERR_FILENO);
    if (chdir(p->dir) == 0)
        (void)execvp(argv[0], argv);
    _exit(127);
}

static void stop(pid_t *pid)
{
    if (*pid <= 0)
        return;
    (void)kill(*pid, SIGKILL);
    (void)waitpid(*pid, NULL, 0);
    *pid = 0;
}

/* The number behind `mark` in a file that a program writes when it listens. */
static int port_wait(struct peers *p, pid_t pid, const char *name, const char *mark)
{
    struct deadline d = deadline_in(START_MS);
    char path[512];
    int port = 0;

    path_of(p, name, path);
    while (port == 0) {
        cleanup_buf struct buf text = {0};
        if (deadline_passed(d) || waitpid(pid, NULL, WNOHANG) != 0)
            fail_msg("no port in %s", path);
        if (file_exists(path))
            assert_ok(p->w, file_read(path, 1 << 16, FILE_ANY, &text, &p->w->err));
        const char *at = strstr(buf_text(&text), mark);
        const char *end = at ? strchr(at, '\n') : NULL;
        if (end)
            port = atoi(at + strlen(mark));
        else
            (void)usleep(LOOK_US);
    }
    return port;
}

void peers_est_start(struct peers *p)
{
    char *const argv[] = {(char *)"python3", (char *)PEERS_DIR "/est_server.py", p->dir, NULL};

    p->est = start(p, "est.out", argv);
    p->est_port = port_wait(p, p->est, "port", "");
}

void peers_cmp_stop(struct peers *p)
{
    stop(&p->cmp);
}

void peers_cmp_start(struct peers *p, const char *arguments)
{
    char command[1024], path[512];

    stop(&p->cmp);
    (void)snprintf(
        command, sizeof(command),
        "exec openssl cmp -port %d -srv_ref chancery -srv_secret pass:cmp-secret -rsp_extracerts issuing.pem "
        "-rsp_capubs root.pem -srv_trusted root.pem %s",
        p->cmp_port, arguments);
    char *const argv[] = {(char *)"sh", (char *)"-c", command, NULL};
    path_of(p, "cmp.out", path);
    (void)unlink(path);
    p->cmp = start(p, "cmp.out", argv);
    p->cmp_port = port_wait(p, p->cmp, "cmp.out", "ACCEPT [::]:");
}

void peers_open(struct peers *p, struct world *w)
{
    *p = (struct peers){.w = w};
    (void)snprintf(p->dir, sizeof(p->dir), "%s/ca", w->hsm.dir);
    assert_int_equal(mkdir(p->dir, 0700), 0);
    peers_run(p, "test-ca create '%s'", p->dir);
    peers_write(p, "cmp.secret", "cmp-secret\n", 0600);
    peers_write(p, "est.secret", "secret\n", 0600);
}

void peers_close(struct peers *p)
{
    stop(&p->est);
    stop(&p->cmp);
    stop(&p->tls);
    if (!getenv("PEERS_KEEP"))
        (void)peers_try(p, "rm -rf '%s'", p->dir);
}

/* ---- connectors */

void peers_est_connector(struct peers *p, const char *name)
{
    assert_status(p->w,
                  world_post(p->w, ADMIN, "/v1/connectors",
                             "{\"name\":\"%s\",\"type\":\"est\",\"settings\":{\"url\":"
                             "\"https://127.0.0.1:%d/.well-known/est\",\"tls_trust_file\":\"%s/root.pem\","
                             "\"username\":\"est\",\"password_file\":\"%s/est.secret\"}}",
                             name, p->est_port, p->dir, p->dir),
                  201);
}

void peers_cmp_connector(struct peers *p, const char *name, const char *more)
{
    if (p->cmp_port == 0) { /* takes a free one, which is kept */
        peers_cmp_start(p, "-rsp_cert client.pem");
        peers_cmp_stop(p);
    }
    assert_status(p->w,
                  world_post(p->w, ADMIN, "/v1/connectors",
                             "{\"name\":\"%s\",\"type\":\"cmp\",\"settings\":{\"url\":\"http://127.0.0.1:%d/pkix/\","
                             "\"secret_file\":\"%s/cmp.secret\",\"reference\":\"chancery\"%s}}",
                             name, p->cmp_port, p->dir, more),
                  201);
}

void peers_cmp_tls_connector(struct peers *p, const char *name)
{
    char port[16];
    (void)snprintf(port, sizeof(port), "%d", p->cmp_port);
    char *const argv[] = {(char *)"python3", (char *)PEERS_DIR "/tls_proxy.py", p->dir, port, NULL};

    p->tls = start(p, "tls.out", argv);
    p->tls_port = port_wait(p, p->tls, "tls-port", "");
    assert_status(p->w,
                  world_post(p->w, ADMIN, "/v1/connectors",
                             "{\"name\":\"%s\",\"type\":\"cmp\",\"settings\":{\"url\":"
                             "\"https://127.0.0.1:%d/pkix/\",\"tls_trust_file\":\"%s/root.pem\","
                             "\"secret_file\":\"%s/cmp.secret\",\"reference\":\"chancery\"}}",
                             name, p->tls_port, p->dir, p->dir),
                  201);
}

/* ---- jobs and certificates */

void job_run(struct world *w)
{
    for (bool did = true; did;)
        assert_ok(w, runner_step(w->runner, &did, &w->err));
}

const char *job_state(struct world *w, const char *id)
{
    assert_status(w, world_get(w, ADMIN, "/v1/jobs/%s", id), 200);
    return answer_text(w, "state");
}

void peers_issue(struct peers *p, const char *key, const char *label, const char *section)
{
    char name[128];

    assert_status(p->w, world_get(p->w, OWNER, "/v1/keys/%s/csr", key), 200);
    (void)snprintf(name, sizeof(name), "%s.csr", label);
    peers_write(p, name, answer_text(p->w, "csr"), 0600);
    peers_run(p, "openssl req -in %s -verify -noout && test-ca issue . %s %s.pem %s", name, name, label, section);
}

bool peers_certificate(struct peers *p, const char *key, size_t i, const char *name)
{
    cleanup_buf struct buf der = {0};
    char path[512];

    assert_status(p->w, world_get(p->w, OWNER, "/v1/keys/%s", key), 200);
    const char *text = json_text(json_at(json_get(p->w->answer, "certificates"), i), NULL);
    if (!text)
        return false;
    assert_ok(p->w, base64_decode(text, strlen(text), &der, &p->w->err));
    (void)snprintf(path, sizeof(path), "%s/%s.der", p->dir, name);
    assert_ok(p->w, file_write(path, buf_slice(&der), 0600, &p->w->err));
    peers_run(p, "openssl x509 -inform DER -in %s.der -out %s.pem", name, name);
    return true;
}

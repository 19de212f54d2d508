/* SPDX-License-Identifier: Apache-2.0 */
/* See cluster.h. PostgreSQL refuses to run as root: then the user postgres, or nobody, runs it. */
#include "cluster.h"

#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BIN "/usr/lib/postgresql/15/bin/"

static char directory[64], data[96], log_path[96];
static pid_t server;

static void give_up(const char *what)
{
    (void)fprintf(stderr, "cluster: %s\n", what);
    exit(1);
}

static const struct passwd *runner(void)
{
    if (geteuid() != 0)
        return getpwuid(geteuid());
    const struct passwd *user = getpwnam("postgres");
    return user ? user : getpwnam("nobody");
}

/* In the child: another user when we are root, output to the log, death with the test. */
static void become(const struct passwd *user)
{
    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
        _exit(126);
    (void)prctl(PR_SET_PDEATHSIG, SIGQUIT);
    int fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0 || chdir(directory) != 0)
        _exit(126);
}

static pid_t spawn(char *const argv[])
{
    const struct passwd *user = runner();
    if (!user)
        give_up("no user to run it");
    pid_t pid = fork();
    if (pid < 0)
        give_up("fork");
    if (pid == 0) {
        char *const environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC", NULL};
        become(user);
        (void)execve(argv[0], argv, environment);
        _exit(127);
    }
    return pid;
}

/* False when it has not ended in time, or not well. */
static int wait_end(pid_t pid, int seconds)
{
    for (int i = 0; i < seconds * 100; i++) {
        int how = 0;
        if (waitpid(pid, &how, WNOHANG) == pid)
            return WIFEXITED(how) && WEXITSTATUS(how) == 0;
        (void)usleep(10000);
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    return 0;
}

static void conninfo(char *out, size_t size)
{
    (void)snprintf(out, size, "host=%s user=chancery dbname=postgres connect_timeout=5", directory);
}

void cluster_resume(void)
{
    char *const argv[] = {
        BIN "postgres",        "-D", data, "-k", directory, "-c", "listen_addresses=", "-c", "fsync=off", "-c",
        "max_connections=200", NULL};
    char info[256];
    conninfo(info, sizeof(info));
    server = spawn(argv);
    for (int i = 0; i < 3000; i++) {
        if (PQping(info) == PQPING_OK)
            return;
        if (waitpid(server, NULL, WNOHANG) == server)
            give_up("the server ended");
        (void)usleep(10000);
    }
    give_up("the server does not answer");
}

void cluster_halt(void)
{
    if (server <= 0)
        return;
    (void)kill(server, SIGINT); /* fast shutdown */
    if (!wait_end(server, 30))
        (void)fprintf(stderr, "cluster: had to be killed\n");
    server = 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    (void)remove(path);
    return 0;
}

void cluster_stop(void)
{
    cluster_halt();
    if (*directory)
        (void)nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    *directory = '\0';
}

void cluster_start(void)
{
    const struct passwd *user = runner();
    (void)snprintf(directory, sizeof(directory), "/tmp/chancery-pg-XXXXXX");
    if (!user || !mkdtemp(directory) || (geteuid() == 0 && chown(directory, user->pw_uid, user->pw_gid) != 0))
        give_up("no folder");
    (void)atexit(cluster_stop);
    (void)snprintf(data, sizeof(data), "%s/data", directory);
    (void)snprintf(log_path, sizeof(log_path), "%s/log", directory);

    char *const argv[] = {BIN "initdb", "-D", data, "-U", "chancery", "-A", "trust", "-E", "UTF8", "--no-sync", NULL};
    if (!wait_end(spawn(argv), 60))
        give_up("initdb failed");
    cluster_resume();
}

void cluster_url(const char *schema, char *out, size_t size)
{
    char sql[128];
    (void)snprintf(sql, sizeof(sql), "CREATE SCHEMA %s", schema);
    cluster_sql(sql, NULL, 0);
    (void)snprintf(out, size, "postgresql:///postgres?host=%s&user=chancery&options=-csearch_path%%3D%s", directory,
                   schema);
}

void cluster_socket(char *out, size_t size)
{
    (void)snprintf(out, size, "%s/.s.PGSQL.5432", directory);
}

void cluster_sql(const char *sql, char *out, size_t size)
{
    char info[256];
    conninfo(info, sizeof(info));
    PGconn *conn = PQconnectdb(info);
    PGresult *result = PQexec(conn, sql);
    ExecStatusType kind = PQresultStatus(result);
    if (kind != PGRES_TUPLES_OK && kind != PGRES_COMMAND_OK)
        give_up(PQerrorMessage(conn));
    if (out)
        (void)snprintf(out, size, "%s", PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    PQfinish(conn);
}

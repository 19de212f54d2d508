/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "host.h"

static long log_at;

int64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t cpu_ms(void)
{
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

static int entries(const char *path)
{
    int count = 0;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir))
        count += e->d_name[0] != '.';
    (void)closedir(dir);
    return count;
}

int open_descriptors(void)
{
    return entries("/proc/self/fd");
}

static FILE *log_from(long offset)
{
    FILE *log = fopen(environment("FAULT_LOG"), "re");
    if (log)
        (void)fseek(log, offset, SEEK_SET);
    return log;
}

void log_mark(void)
{
    FILE *log = log_from(0);
    log_at = 0;
    if (!log) /* nothing was written yet */
        return;
    (void)fseek(log, 0, SEEK_END);
    log_at = ftell(log);
    (void)fclose(log);
}

int log_errors(char *line, int size)
{
    char text[4096];
    int count = 0;
    line[0] = '\0';
    FILE *log = log_from(log_at);
    while (log && fgets(text, sizeof text, log)) {
        if (!strstr(text, "level=error"))
            continue;
        count++;
        (void)snprintf(line, (size_t)size, "%s", text);
    }
    if (log)
        (void)fclose(log);
    return count;
}

int audit_pairs(void)
{
    char line[8192];
    int intents = 0, successes = 0, others = 0;
    FILE *list = popen(environment("FAULT_AUDIT"), "re");
    assert_non_null(list);
    while (fgets(line, sizeof line, list)) {
        intents += strstr(line, "\"type\":\"signature.intent\"") != NULL;
        if (strstr(line, "\"type\":\"signature.outcome\"")) {
            bool success = strstr(line, "\"outcome\":\"success\"") != NULL;
            successes += success;
            others += !success;
        }
    }
    assert_int_equal(pclose(list), 0);
    assert_int_equal(intents, successes);
    assert_int_equal(others, 0);
    return successes;
}

void host_is_untouched(void)
{
    struct sigaction action;
    sigset_t blocked, pending;
    assert_int_equal(entries("/proc/self/task"), 1);
    assert_int_equal(sigaction(SIGPIPE, NULL, &action), 0);
    assert_ptr_equal(action.sa_handler, SIG_DFL);
    assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &blocked), 0);
    assert_int_equal(sigpending(&pending), 0);
    assert_int_equal(sigismember(&blocked, SIGPIPE), 0);
    assert_int_equal(sigismember(&pending, SIGPIPE), 0);
}

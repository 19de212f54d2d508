/* SPDX-License-Identifier: Apache-2.0 */
/* No lock: a line is made in memory and written with one write(2), and reopening swaps the file below the same
 * descriptor with dup3. So a child of fork never finds a lock held, and no lock is held across I/O.
 * The descriptor is compared with the file that was opened before each write: a host that closes all descriptors and
 * opens its own must not find our lines in its files. */
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/json.h"

static struct {
    _Atomic int fd; /* one more than the descriptor: 0 is none */
    _Atomic int level;
    _Atomic int format;
    _Atomic dev_t device;
    _Atomic ino_t inode;
} log_state;

static const char *const level_names[] = {[LOG_LEVEL_OFF] = "off",
                                          [LOG_LEVEL_ERROR] = "error",
                                          [LOG_LEVEL_WARNING] = "warning",
                                          [LOG_LEVEL_INFO] = "info",
                                          [LOG_LEVEL_DEBUG] = "debug"};

bool log_level_parse(const char *text, enum log_level *out)
{
    for (size_t i = 0; text && i < COUNT_OF(level_names); i++) {
        if (strcmp(level_names[i], text) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

bool log_is_on(enum log_level level)
{
    return level != LOG_LEVEL_OFF && (int)level <= log_state.level;
}

/* The descriptor if it still is the file that was opened, else -1. */
static int own_descriptor(struct stat *st)
{
    int fd = log_state.fd - 1;
    if (fd < 0 || fstat(fd, st) != 0)
        return -1;
    return st->st_dev == log_state.device && st->st_ino == log_state.inode ? fd : -1;
}

static int open_target(const char *path)
{
    if (!path || strcmp(path, "-") == 0)
        return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3); /* a copy, so that log_close never closes the host's own */
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
}

status log_open(const char *path, enum log_level level, enum log_format format, struct error *err)
{
    cleanup_fd int fd = open_target(path);
    struct stat st, old;
    if (fd < 0 || fstat(fd, &st) != 0) {
        int saved = errno;
        char reason[128];
        return error_set(err, CODE_IO, "%s: open the log: %s", path ? path : "-",
                         strerror_r(saved, reason, sizeof(reason)));
    }

    int current = own_descriptor(&old);
    log_state.device = st.st_dev;
    log_state.inode = st.st_ino;
    if (current < 0 || dup3(fd, current, O_CLOEXEC) < 0) {
        log_state.fd = fd + 1;
        fd = -1;
    }
    log_state.format = format;
    log_state.level = level;
    return OK;
}

void log_close(void)
{
    log_state.level = LOG_LEVEL_OFF;
    struct stat st;
    int fd = own_descriptor(&st);
    log_state.fd = 0;
    if (fd >= 0)
        (void)close(fd);
}

/* write(2) to a pipe nobody reads raises SIGPIPE, which would kill the host: block it in this thread, and take away the
 * one we caused. */
static void write_guarded(int fd, struct slice line)
{
    sigset_t pipe_signal, before, pending;
    (void)sigemptyset(&pipe_signal);
    (void)sigaddset(&pipe_signal, SIGPIPE);
    bool was_pending = sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
    if (pthread_sigmask(SIG_BLOCK, &pipe_signal, &before) != 0)
        return;

    if (write(fd, line.data, line.len) < 0 && errno == EPIPE && !was_pending) {
        const struct timespec now = {0};
        while (sigtimedwait(&pipe_signal, NULL, &now) < 0 && errno == EINTR)
            ;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void write_line(struct slice line)
{
    int saved = errno; /* a log line must not change what the caller reports */
    struct stat st;
    int fd = own_descriptor(&st);
    if (fd >= 0 && S_ISREG(st.st_mode)) {
        while (write(fd, line.data, line.len) < 0 && errno == EINTR)
            ;
    } else if (fd >= 0) {
        write_guarded(fd, line);
    }
    errno = saved;
}

/* A value that a reader of logfmt could take for something else is quoted as JSON would. */
static void add_text_value(struct buf *line, const char *value)
{
    bool plain = *value != '\0';
    for (const char *c = value; plain && *c != '\0'; c++)
        plain = *c > ' ' && *c < 0x7F && *c != '"' && *c != '=' && *c != '\\';
    if (plain)
        buf_add_text(line, value);
    else
        json_escape(line, value);
}

static void add_pair(struct buf *line, bool json, const char *name, const char *value)
{
    bool first = line->len <= 1; /* nothing, or the brace */
    if (!first)
        buf_add_byte(line, json ? ',' : ' ');
    if (json)
        json_escape(line, name);
    else
        buf_add_text(line, name);
    buf_add_byte(line, json ? ':' : '=');
    if (json)
        json_escape(line, value);
    else
        add_text_value(line, value);
}

static void begin_line(struct buf *line, bool json, enum log_level level, const char *event)
{
    char now[TIME_TEXT_SIZE];
    time_format(clock_now_ms(), now);
    if (json)
        buf_add_byte(line, '{');
    add_pair(line, json, "time", now);
    add_pair(line, json, "level", level_names[level]);
    add_pair(line, json, "event", event);
}

void log_event(enum log_level level, const char *event, ...)
{
    if (!log_is_on(level))
        return;

    bool json = log_state.format == LOG_FORMAT_JSON;
    cleanup_buf struct buf line = {0};
    begin_line(&line, json, level, event);

    va_list args;
    va_start(args, event);
    for (const char *name = va_arg(args, const char *); name; name = va_arg(args, const char *)) {
        const char *value = va_arg(args, const char *);
        if (!value) /* against the contract, and nothing can be told about what follows */
            break;
        add_pair(&line, json, name, value);
    }
    va_end(args);

    buf_add_text(&line, json ? "}\n" : "\n");
    if (!line.failed)
        write_line(buf_slice(&line));
}

void log_error(enum log_level level, const char *event, const struct error *err)
{
    if (err->detail[0] != '\0')
        log_event(level, event, "code", code_wire(err->code), "text", err->text, "detail", err->detail, NULL);
    else
        log_event(level, event, "code", code_wire(err->code), "text", err->text, NULL);
}
